"""
Calls that send messages to streams.

    sendStreamMessage          to all streams of the script
    sendStreamMessageToPath    to one, by its path
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiwebengine.errors import Denied, NotFound
from aiwebengine.features.streams.declarations import CALLS, CAPABILITY
from aiwebengine.features.streams.options import STREAM
from aiwebengine.features.streams.topics import StreamTopics
from aiwebengine.host.declare import HostCall, described, limited, nearest
from aiwebengine.host.messages import Messages, check_message_options
from aiwebengine.host.session import CallSession, Function

KIND = "stream"
"""Of messages; see `messages.Destination`."""


class StreamCalls:
    """
    The calls that send messages.

    Args:
        messages: Takes them.
        topics: Which streams there are.
    """

    def __init__(self, *, messages: Messages, topics: StreamTopics) -> None:
        self._messages = messages
        self._topics = topics

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return limited(CALLS, data=self._messages.max_bytes)

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {"sendStreamMessage": self._send, "sendStreamMessageToPath": self._send_to}

    def _send(self, session: CallSession, data: Any, options: Mapping[str, Any] | None) -> None:
        script = session.invocation.script
        if not self._patterns(session):
            session.note("warn", "sendStreamMessage: this script has no stream, so the message has no recipients.")
        to, event, immediate = check_message_options("sendStreamMessage", options)
        self._messages.send(
            session, "sendStreamMessage", KIND, data, script=script, to=to, event=event, immediate=immediate
        )

    def _send_to(self, session: CallSession, path: str, data: Any, options: Mapping[str, Any] | None) -> None:
        call, script = "sendStreamMessageToPath", session.invocation.script
        send = self._messages.below(path)
        if send is not None:
            send(session, call, data, options)
            return
        match = self._topics.find(script, path, self._patterns(session))
        if match is None and (elsewhere := self._topics.elsewhere(path)) is not None:
            if CAPABILITY not in session.capabilities:
                raise Denied(
                    f'{call}: {path} is a stream of "{elsewhere[0]}"; sending to another script\'s streams needs the '
                    'capability "streams", which this script has not been granted; deploy it with --grant streams.'
                )
            script, match = elsewhere[0], elsewhere[1:]
        if match is None:
            known = self._patterns(session)
            suggestion = nearest(path, known)
            advice = f"did you mean {suggestion}?" if suggestion else "register it with registerWebStream."
            raise NotFound(f"{call}: there is no stream {described(path)}; {advice}")
        pattern, params = match
        to, event, immediate = check_message_options(call, options)
        if params:
            to = {**(to or {}), **params}
        self._messages.send(
            session, call, KIND, data, script=script, name=pattern, to=to, event=event, immediate=immediate
        )

    def _patterns(self, session: CallSession) -> Sequence[str]:
        """Return the script's streams, while it loads with those that it has registered so far."""
        own = self._topics.patterns(session.invocation.script)
        if session.registrations is None:
            return own
        return [*own, *(entry.key for entry in session.registrations.entries if entry.kind == STREAM)]
