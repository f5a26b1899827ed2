"""`sendSubscriptionMessage`: messages to a subscription of the GraphQL schema, by its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiwebengine.errors import Denied, Invalid, NotFound
from aiwebengine.features.graphql.declarations import CALLS, CAPABILITY
from aiwebengine.features.graphql.schema.entries import subscriptions_of
from aiwebengine.features.graphql.subscriptions.topics import SubscriptionTopics, topic_of
from aiwebengine.host.declare import HostCall, described, limited, nearest
from aiwebengine.host.messages import Messages, check_message_options
from aiwebengine.host.session import CallSession, Function

KIND = "subscription"
"""Of messages; see `messages.Destination`."""


class SubscriptionDestination:
    """
    See `messages.Destination`.

    Args:
        topics: Which subscriptions there are.
    """

    def __init__(self, topics: SubscriptionTopics) -> None:
        self._topics = topics

    def topics(self, script: str, name: str | None) -> Sequence[str]:  # noqa: ARG002  fields belong to one schema
        """See `messages.Destination.topics`; a message to subscribers always names the field."""
        return [] if name is None else [topic_of(name)]

    def keeps(self, script: str, name: str | None) -> bool:  # noqa: ARG002  the same
        """See `messages.Destination.keeps`."""
        return name is not None and self._topics.keeps(name)


class SubscriptionMessages:
    """
    The call that sends to subscribers.

    Args:
        messages: Takes them.
        topics: Which subscriptions there are.
    """

    def __init__(self, *, messages: Messages, topics: SubscriptionTopics) -> None:
        self._messages = messages
        self._subscriptions = topics

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return limited(CALLS, payload=self._messages.max_bytes)

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {"sendSubscriptionMessage": self._send}

    def _send(self, session: CallSession, name: str, data: Any, options: Mapping[str, Any] | None) -> None:
        self.send_to(name, session, "sendSubscriptionMessage", data, options)

    def send_to(self, name: str, session: CallSession, call: str, data: Any, options: Mapping[str, Any] | None) -> None:
        """
        Send a message to the subscribers of a field.

        Args:
            name: Of the field.
            session: Who sends.
            call: The function that was called, for errors.
            data: The payload.
            options: As the script gave them.

        Raises:
            NotFound, Denied, Invalid, TooLarge, TooMany: It is not sent.
        """
        script = session.invocation.script
        known = list(self._subscriptions.of(script))
        if session.registrations is not None:
            known += subscriptions_of(session.registrations.entries)
        owner = script if name in known else self._subscriptions.owner(name)
        if owner is None:
            suggestion = nearest(name, known)
            advice = f"did you mean {suggestion}?" if suggestion else "register it with registerSubscriptionHandler."
            raise NotFound(f"{call}: there is no subscription {described(name)}; {advice}")
        if owner != script and CAPABILITY not in session.capabilities:
            raise Denied(
                f'{call}: {name} is a subscription of "{owner}"; sending to those of other scripts needs the '
                'capability "streams", which this script has not been granted; deploy it with --grant streams.'
            )
        if options is not None and options.get("event") is not None:
            raise Invalid(f"{call}: there is no option event; there are to, immediate.")
        to, _, immediate = check_message_options(call, options)
        self._messages.send(session, call, KIND, data, script=owner, name=name, to=to, immediate=immediate)
