"""
The host's side of an invocation that is done over again.

It answers each call as the recording says and touches nothing.  The first call that is
another one, or that comes where there was none, is the difference; from there on every call is refused, because what
would have followed is unknown. So it is where a recording ends that had no room for more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from aiwebengine.errors import ScriptFailed
from aiwebengine.values import Answer, Invocation, LogLine, Receipt

_LONGEST_SHOWN = 600
_LONGEST_COMPARED = 256 * 1024
"""Longer arguments are compared as strings, without being parsed."""
Calls = Sequence[Sequence[str | None]]
"""Name, arguments and answer, as JSON; None for an answer that never came."""


class Replay:
    """
    A host, and its session, that answer from a recording. See `interfaces.HostCalls` and `interfaces.HostSession`.

    Args:
        calls: What was recorded, in order.
        whole: Nothing is missing at their end.
        masked: Hides in the arguments of a call what was hidden in the recording.
    """

    repeatable = False
    units = 0

    def __init__(self, calls: Calls, *, whole: bool = True, masked: Callable[[str], str]) -> None:
        self._calls = calls
        self._whole = whole
        self._masked = masked
        self._next = 0
        self.difference: Mapping[str, Any] | None = None
        """
        The first call that was another one: `at` (from 1), `recorded` and `now`: `name` and `arguments`, or None.

        Arguments that are long are a part of their text.
        """
        self.until: int | None = None
        """After this many calls the recording ended, before the invocation did."""
        self.lines: list[LogLine] = []
        self.error: ScriptFailed | None = None
        self.rows = 0
        self.cpu_seconds = 0.0
        self.ended: Deferred[None] = Deferred()
        """Fires when there will be no more calls."""

    def begin(self, _invocation: Invocation) -> Replay:
        """See `interfaces.HostCalls.begin`."""
        return self

    def account(self, _invocation: Invocation, receipt: Receipt) -> None:
        """See `interfaces.HostCalls.account`."""
        self.end(receipt)

    def call(self, name: str, argument: str) -> Deferred[str] | str:
        """See `interfaces.HostSession.call`."""
        at = self._next
        self._next += 1
        if self.difference is None and self.until is None:
            recorded = self._calls[at] if at < len(self._calls) else None
            if recorded is None and not self._whole:
                self.until = at
            elif recorded is None or recorded[0] != name or not self._same(recorded[1], argument):
                self.difference = {"at": at + 1, **_sides(recorded, (name, argument))}
            elif recorded[2] is not None:
                return recorded[2]
            elif self._whole or at + 1 < len(self._calls):
                return Deferred()
            else:
                self.until = at + 1
        refusal = {"code": "closed", "message": "The recording has no such call; the replay ends here.", "call": name}
        return json.dumps({"err": refusal})

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
        if self.difference is None and self.until is None and self._next < len(self._calls):
            self.difference = {"at": self._next + 1, **_sides(self._calls[self._next], None)}
        if not self.ended.called:
            self.ended.callback(None)

    def _same(self, recorded: str | None, argument: str) -> bool:
        if recorded == argument:
            return True
        masked = self._masked(argument)
        if recorded is None or recorded == masked or len(recorded) > _LONGEST_COMPARED:
            # What is long is written alike each time.
            return recorded == masked
        try:
            return bool(json.loads(recorded) == json.loads(masked))
        except ValueError:
            return False


def _sides(recorded: Sequence[str | None] | None, now: Sequence[str | None] | None) -> dict[str, Any]:
    """Return both sides of a difference; of long arguments what is around the first character that differs."""
    then_text, now_text = (call[1] or "null" if call is not None else "" for call in (recorded, now))
    at = next((i for i, (a, b) in enumerate(zip(then_text, now_text, strict=False)) if a != b), 0)
    return {"recorded": _shown(recorded, then_text, at), "now": _shown(now, now_text, at)}


def _shown(call: Sequence[str | None] | None, text: str, at: int) -> dict[str, Any] | None:
    if call is None:
        return None
    if len(text) > _LONGEST_SHOWN:
        begin = max(0, at - _LONGEST_SHOWN // 2)
        end = begin + _LONGEST_SHOWN
        return {"name": call[0], "arguments": f"{'...' * (begin > 0)}{text[begin:end]}{'...' * (end < len(text))}"}
    try:
        return {"name": call[0], "arguments": json.loads(text)}
    except ValueError:
        return {"name": call[0], "arguments": text}
