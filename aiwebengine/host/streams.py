"""
Messages to streams: from a script's call to the bus.

    sendStreamMessage          to all streams of the script
    sendStreamMessageToPath    to one, by its path
    sendSubscriptionMessage    to a subscription of the GraphQL schema, by its field
    sendSocketMessage          to the WebSockets that are subscribed to a topic

A message is a held effect: it is published when the unit has been committed, and never without
that.  If a stream that it goes to keeps a history, it is also a row of the outbox: should the
server die between the commit and the publishing, the next one publishes it.  The row is read
by the relay in any case, which finds the message published and forgets it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aiwebengine.errors import Denied, Invalid, NotFound, TooLarge
from aiwebengine.host.declare import Argument, HostCall, nearest, told
from aiwebengine.host.effects import Held, Unit
from aiwebengine.host.session import Function, Session
from aiwebengine.host.socket_options import PUBLISH
from aiwebengine.host.stream_options import check_message_options
from aiwebengine.host.stream_topics import StreamTopics
from aiwebengine.services.bus import Bus
from aiwebengine.services.db.units import Transaction, Write
from aiwebengine.services.outbox import Message as Published
from aiwebengine.settings.schema import StreamSettings

GROUP = "streams"
"""Name of the group, and the kind of its messages in the outbox."""

_DATA = Argument(name="data", kind="any", doc="The message: a text, or anything that JSON can hold.")
_OPTIONS = Argument(name="options", kind="object", optional=True, doc="The options.")

CALLS: tuple[HostCall, ...] = (
    HostCall(
        name="stream.send",
        speaks_for="sendStreamMessage",
        group="Streams",
        arguments=(_DATA, _OPTIONS),
        returns="void",
        effect="held",
        doc="Sends to all streams of the script.",
        example="",
        errors=("too_large", "too_many"),
    ),
    HostCall(
        name="stream.sendTo",
        speaks_for="sendStreamMessageToPath",
        group="Streams",
        arguments=(
            Argument(name="path", kind="text", doc="The stream's path.", max_length=1024, empty=False),
            _DATA,
            _OPTIONS,
        ),
        returns="void",
        effect="held",
        doc="Sends to one stream.",
        example="",
        errors=("denied", "not_found", "too_large", "too_many"),
    ),
    HostCall(
        name="graphql.send",
        speaks_for="sendSubscriptionMessage",
        group="GraphQL",
        arguments=(
            Argument(name="name", kind="text", doc="The subscription's field.", max_length=200, empty=False),
            _DATA,
            _OPTIONS,
        ),
        returns="void",
        effect="held",
        doc="Sends to one subscription.",
        example="",
        errors=("denied", "not_found", "too_large", "too_many"),
    ),
    PUBLISH,
)

BINARY = "binary"
"""Event of a message to WebSockets that is bytes, as base64."""


class Subscriptions(Protocol):
    """What is asked of those who know the subscriptions of the GraphQL schema."""

    def owner(self, field: str) -> str | None:
        """Give the script that registered a field; None if there is none."""

    def of(self, script: str) -> Sequence[str]:
        """Give the fields of a script."""

    def keeps(self, field: str) -> bool:
        """Tell whether messages are kept for clients who come back."""

    def topic(self, field: str) -> str:
        """Give the topic of a field."""


class StreamCalls:
    """
    The calls that send messages, and who carries them out.

    Args:
        bus: Where they are published.
        topics: Which streams there are.
        subscriptions: Which subscriptions there are.
        settings: Their limits.
    """

    def __init__(
        self, *, bus: Bus, topics: StreamTopics, subscriptions: Subscriptions, settings: StreamSettings
    ) -> None:
        self._bus = bus
        self._subscriptions = subscriptions
        self._topics = topics
        self._settings = settings
        self._published: dict[str, None] = {}
        """Keys of messages that were published, and whose rows the relay has not met yet."""
        self._leaving = False

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.Group.calls`."""
        return CALLS

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.Group.functions`."""
        return {
            "stream.send": self._send,
            "stream.sendTo": self._send_to,
            "graphql.send": self._send_subscription,
            PUBLISH.name: self._publish_to_sockets,
        }

    def _send(self, session: Session, data: Any, options: Mapping[str, Any] | None) -> None:
        script = session.invocation.script
        if not self._patterns(session):
            session.note("warn", "sendStreamMessage: this script has no stream, so nobody gets the message.")
        self._take(session, "sendStreamMessage", {"s": script}, data, options, {})

    def _send_to(self, session: Session, path: str, data: Any, options: Mapping[str, Any] | None) -> None:
        call, script = "sendStreamMessageToPath", session.invocation.script
        found = self._topics.find(script, path, self._patterns(session))
        if found is None and (elsewhere := self._topics.elsewhere(path)) is not None:
            if "streams" not in session.capabilities:
                raise Denied(
                    f'{call}: {path} is a stream of "{elsewhere[0]}"; sending to another script\'s streams needs the '
                    'capability "streams", which this script has not been granted; deploy it with --grant streams.'
                )
            script, found = elsewhere[0], elsewhere[1:]
        if found is None:
            known = self._patterns(session)
            meant = nearest(path, known)
            advice = f"did you mean {meant}?" if meant else "register it with registerWebStream."
            raise NotFound(f"{call}: there is no stream {told(path)}; {advice}")
        pattern, params = found
        self._take(session, call, {"s": script, "p": pattern}, data, options, params)

    def _send_subscription(self, session: Session, name: str, data: Any, options: Mapping[str, Any] | None) -> None:
        call, script = "sendSubscriptionMessage", session.invocation.script
        known = list(self._subscriptions.of(script))
        if session.registrations is not None:
            known += session.registrations.schema.fields
        owner = script if name in known else self._subscriptions.owner(name)
        if owner is None:
            meant = nearest(name, known)
            advice = f"did you mean {meant}?" if meant else "register it with registerSubscriptionHandler."
            raise NotFound(f"{call}: there is no subscription {told(name)}; {advice}")
        if owner != script and "streams" not in session.capabilities:
            raise Denied(
                f'{call}: {name} is a subscription of "{owner}"; sending to those of other scripts needs the '
                'capability "streams", which this script has not been granted; deploy it with --grant streams.'
            )
        if options is not None and options.get("event") is not None:
            raise Invalid(f"{call}: there is no option event; there are to, immediate.")
        self._take(session, call, {"s": owner, "g": name}, data, options, {})

    def _publish_to_sockets(
        self,
        session: Session,
        topic: str,
        data: str,
        options: Mapping[str, Any] | None,
        binary: bool | None,  # noqa: FBT001  the wire's
    ) -> None:
        call = "sendSocketMessage"
        for name in options or {}:
            if name != "immediate":
                raise Invalid(f"{call}: there is no option {told(name)}; there is immediate.")
        where = {"s": session.invocation.script, "w": topic, **({"e": BINARY} if binary else {})}
        self._take(session, call, where, data, options, {})

    def _take(
        self,
        session: Session,
        call: str,
        where: dict[str, Any],
        data: Any,
        options: Mapping[str, Any] | None,
        params: Mapping[str, str],
    ) -> None:
        """Hold the message, or publish it at once."""
        to, event, immediate = check_message_options(call, options)
        text = _json(data)
        size = len(text.encode())
        if size > self._settings.max_message_bytes:
            raise TooLarge(
                f"{call}: a message may have at most {self._settings.max_message_bytes} bytes; this one has {size}."
            )
        key = session.next_version()
        message = {"k": key, "d": text, **where}
        if to is not None or params:
            message["t"] = {**(to or {}), **params}
        if event is not None:
            message["e"] = event
        if immediate:
            session.act_at_once()
            self._publish(message)
        else:
            session.hold(Held(group=GROUP, key=key, value=message, size_bytes=size))

    def _patterns(self, session: Session) -> Sequence[str]:
        """Give the script's streams, while it loads with those that it has registered so far."""
        own = self._topics.patterns(session.invocation.script)
        if session.registrations is None:
            return own
        return [*own, *(route.pattern for route in session.registrations.routes if "stream" in route.options)]

    def leave_rows(self, leaving: bool) -> None:  # noqa: FBT001  it is what it says
        """
        Write a row for every message, or only where a history is kept.

        While a successor begins to serve each of the two has clients; its relay gives what is
        published here to its own.
        """
        self._leaving = leaving

    # -- effects ------------------------------------------------------------------------------

    def write(self, unit: Unit, effects: Sequence[Held]) -> Write | None:
        """See `effects.Effects.write`."""
        # What a load sends may go to streams that serve only when it is over.
        every = self._leaving or unit.invocation.kind == "load"
        durable = [one.value for one in effects if every or self._keeps(one.value)]
        if not durable:
            return None

        def write(transaction: Transaction) -> None:
            for message in durable:
                transaction.publish(GROUP, message)

        for message in durable:
            message["o"] = True
        return write

    def happen(self, unit: Unit, effects: Sequence[Held]) -> None:  # noqa: ARG002  the messages know all of it
        """See `effects.Effects.happen`."""
        for one in effects:
            if "o" in one.value:
                self._published[one.value["k"]] = None
            self._publish(one.value)

    def relayed(self, published: Published) -> None:
        """Publish what was committed, unless that was done; see `outbox.Deliver`."""
        message = published.payload
        if self._published.pop(message["k"], self) is self:
            self._publish(message)

    def state(self) -> dict[str, int]:
        """Give figures for the state page."""
        return {"unconfirmed": len(self._published)}

    def _keeps(self, message: Mapping[str, Any]) -> bool:
        if "w" in message:
            return False
        if "g" in message:
            return self._subscriptions.keeps(message["g"])
        return self._topics.keeps(message["s"], message.get("p"))

    def _publish(self, message: Mapping[str, Any]) -> None:
        if "w" in message:
            topics: Sequence[str] = [socket_topic(message["s"], message["w"])]
        elif "g" in message:
            topics = [self._subscriptions.topic(message["g"])]
        else:
            topics = self._topics.named(message["s"], message.get("p"))
        for topic in topics:
            self._bus.publish(topic, message["d"], to=message.get("t"), event=message.get("e"), key=message["k"])


def socket_topic(script: str, topic: str) -> str:
    """Give the topic of the bus for one of a script's WebSockets."""
    return f"socket:{script}:{topic}"


def _json(data: Any) -> str:
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, which only an escape can hold.
        return json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text
