"""`sendSocketMessage`: messages to the WebSockets that are subscribed to a topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiwebengine.errors import Invalid
from aiwebengine.features.sockets.declarations import PUBLISH
from aiwebengine.host.declare import HostCall, described, limited
from aiwebengine.host.messages import Messages
from aiwebengine.host.session import CallSession, Function

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
        """See `messages.Destination.keeps`: nothing is stored."""
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
        """See `dispatch.CallGroup.calls`."""
        return limited([PUBLISH], data=self._messages.max_bytes)

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {PUBLISH.name: self._publish}

    def _publish(self, session: CallSession, topic: str, data: Any, options: Mapping[str, Any] | None) -> None:
        message_options = options or {}
        for name in message_options:
            if name != "immediate":
                raise Invalid(f"{_CALL}: there is no option {described(name)}; the only one is immediate.")
        immediate = message_options.get("immediate", False)
        if not isinstance(immediate, bool):
            raise Invalid(f"{_CALL}: immediate must be true or false; {described(immediate)} was given.")
        text, event = _read(data)
        self._messages.send(
            session, _CALL, KIND, text, script=session.invocation.script, name=topic, event=event, immediate=immediate
        )


def _read(data: Any) -> tuple[str, str | None]:
    """
    Return the text of a message, and its event.

    Args:
        data: A string, or `{"base64": ...}` for bytes; not trusted.
    """
    if isinstance(data, str):
        return data, None
    if isinstance(data, dict) and isinstance(data.get("base64"), str):
        return data["base64"], BINARY
    raise Invalid(f"{_CALL}: data must be a string or bytes; {described(data)} was given.")
