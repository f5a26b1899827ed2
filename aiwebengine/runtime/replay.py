"""
The host's side of an invocation that is done over again.

It answers each call as the recording says and touches nothing.  The first call that is
another one, or that comes where there was none, is the difference; from there on every
call is refused, for what would have followed nobody knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from aiwebengine.errors import ScriptFailed
from aiwebengine.values import Answer, Invocation, LogLine, Receipt

Calls = Sequence[Sequence[str | None]]
"""Name, arguments and answer, as JSON; None for an answer that never came."""


class Replay:
    """
    A host, and its session, that answer from a recording. See `interfaces.HostCalls` and `interfaces.HostSession`.

    Args:
        calls: What was recorded, in order.
        masked: Hides in the arguments of a call what was hidden in the recording.
    """

    repeatable = False
    units = 0

    def __init__(self, calls: Calls, *, masked: Callable[[str], str]) -> None:
        self._calls = calls
        self._masked = masked
        self._next = 0
        self.difference: Mapping[str, Any] | None = None
        """The first call that was another one: `at` (from 1), `recorded` and `now`: `name` and `arguments`, or None."""
        self.lines: list[LogLine] = []
        self.error: ScriptFailed | None = None
        self.rows = 0
        self.ended: Deferred[None] = Deferred()
        """Fires when nothing more will be asked."""

    def begin(self, _invocation: Invocation) -> Replay:
        """See `interfaces.HostCalls.begin`."""
        return self

    def call(self, name: str, argument: str) -> Deferred[str] | str:
        """See `interfaces.HostSession.call`."""
        at = self._next
        self._next += 1
        if self.difference is None:
            recorded = self._calls[at] if at < len(self._calls) else None
            if recorded is not None and recorded[0] == name and _same(recorded[1], self._masked(argument)):
                return recorded[2] if recorded[2] is not None else Deferred()
            self.difference = {"at": at + 1, "recorded": _shown(recorded), "now": _shown((name, argument))}
        told = {"code": "closed", "message": "The recording has no such call; the replay ends here.", "call": name}
        return json.dumps({"err": told})

    def log(self, lines: Sequence[LogLine]) -> None:
        """See `interfaces.HostSession.log`."""
        self.lines += lines

    def failed(self, error: ScriptFailed) -> None:
        """See `interfaces.HostSession.failed`."""
        self.error = error

    def keep(self, answer: Answer | None) -> None:
        """See `interfaces.HostSession.keep`."""

    def commit(self) -> None:
        """See `interfaces.HostSession.commit`: nothing is touched."""

    def withdraw(self) -> None:
        """See `interfaces.HostSession.withdraw`."""

    def end(self, _receipt: Receipt) -> None:
        """See `interfaces.HostSession.end`: calls that were not made are a difference, too."""
        if self.difference is None and self._next < len(self._calls):
            self.difference = {"at": self._next + 1, "recorded": _shown(self._calls[self._next]), "now": None}
        if not self.ended.called:
            self.ended.callback(None)


def _same(recorded: str | None, now: str) -> bool:
    if recorded == now:
        return True
    try:
        return bool(json.loads(recorded or "") == json.loads(now))
    except ValueError:
        return False


def _shown(call: Sequence[str | None] | None) -> dict[str, Any] | None:
    if call is None:
        return None
    try:
        arguments = json.loads(call[1] or "null")
    except ValueError:
        arguments = call[1]
    return {"name": call[0], "arguments": arguments}
