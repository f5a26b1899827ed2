"""`sendSocketMessage`: messages to the WebSockets that are subscribed to a topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiwebengine.errors import Invalid
from aiwebengine.host.declare import HostCall, told
from aiwebengine.host.messages import Messages
from aiwebengine.host.session import Function, Session
from aiwebengine.host.socket_options import PUBLISH

KIND = "socket"
"""Of messages; see `messages.Destination`."""
BINARY = "binary"
"""Event of a message to WebSockets that is bytes, as base64."""

_CALL = "sendSocketMessage"


def socket_topic(script: str, topic: str) -> str:
    """Return the topic of the bus for one of a script's WebSockets."""
    return f"socket:{script}:{topic}"


class SocketDestination:
    """See `messages.Destination`."""

    def topics(self, script: str, name: str | None) -> Sequence[str]:
        """See `messages.Destination.topics`; a message to WebSockets always names its topic."""
        return [] if name is None else [socket_topic(script, name)]

    def keeps(self, script: str, name: str | None) -> bool:  # noqa: ARG002  the interface's
        """See `messages.Destination.keeps`: nothing is kept."""
        return False


class SocketMessages:
    """
    The call that sends to WebSockets.

    Args:
        messages: Takes them.
    """

    def __init__(self, *, messages: Messages) -> None:
        self._messages = messages

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.Group.calls`."""
        return (PUBLISH,)

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.Group.functions`."""
        return {PUBLISH.name: self._publish}

    def _publish(
        self,
        session: Session,
        topic: str,
        data: str,
        options: Mapping[str, Any] | None,
        binary: bool | None,  # noqa: FBT001  the wire's
    ) -> None:
        given = options or {}
        for name in given:
            if name != "immediate":
                raise Invalid(f"{_CALL}: there is no option {told(name)}; there is immediate.")
        immediate = given.get("immediate", False)
        if not isinstance(immediate, bool):
            raise Invalid(f"{_CALL}: immediate must be true or false; {told(immediate)} was given.")
        script = session.invocation.script
        event = BINARY if binary else None
        self._messages.send(session, _CALL, KIND, data, script=script, name=topic, event=event, immediate=immediate)
