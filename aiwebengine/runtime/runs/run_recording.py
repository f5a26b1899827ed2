"""
What is written down of an invocation that is recorded.

The seed and the time that it began with, every host call with its answer, and the steps in which its world received
something: enough to do it over again, in any process, and to see at which call a changed script takes another way.
"""

from __future__ import annotations

from aiwebengine.interfaces import Redaction
from aiwebengine.values import Answer

_MOST_STEPS = 100_000
_LONGEST_STEP = 64


class RunRecording:
    """
    One recording in the making.

    Args:
        most_bytes: Of calls and answers; where there is no more room the recording ends, and is not whole.
        redaction: Takes secrets out of calls and their answers; None if there can be none.
    """

    __slots__ = (
        "_bytes",
        "_most_bytes",
        "_open",
        "_redaction",
        "answer",
        "calls",
        "exact",
        "now",
        "seed",
        "steps",
        "whole",
    )

    def __init__(self, *, most_bytes: int, redaction: Redaction | None = None) -> None:
        self._redaction = redaction
        self._most_bytes = most_bytes
        self._bytes = 0
        self._open: dict[bytes, int] = {}
        self.seed = ""
        self.now = 0
        self.exact = False
        """It ran in a process that had run nothing before."""
        self.whole = True
        """Nothing was left out."""
        self.calls: list[list[str | None]] = []
        """Name, arguments and answer, as JSON; None for an answer that never came."""
        self.steps: list[str] = []
        self.answer: Answer | None = None

    def begin(self, *, seed: str, now: int, exact: bool) -> None:
        """Begin, or begin again in another process."""
        self.seed, self.now, self.exact = seed, now, exact
        self.whole = True
        self._bytes = 0
        self._open.clear()
        self.calls.clear()
        self.steps.clear()
        self.answer = None

    def add_call(self, tag: bytes, name: str, argument: str) -> None:
        """Add a host call of the script."""
        if self._redaction is not None:
            argument = self._redaction.text(argument)
        if self._room(len(name) + len(argument)):
            self._open[tag] = len(self.calls)
            self.calls.append([name, argument, None])

    def add_result(self, tag: bytes, answer: str) -> None:
        """Add the result of a host call."""
        if self._redaction is not None:
            answer = self._redaction.text(answer)
        at = self._open.pop(tag, None)
        if at is not None and self._room(len(answer)):
            self.calls[at][2] = answer
        elif at is not None:
            # What came after a call without its answer could not be replayed.
            del self.calls[at + 1 :]
            self._open.clear()

    def add_step(self, step: bytes) -> None:
        """Add a step: something that the script received."""
        if len(self.steps) >= _MOST_STEPS or len(step) > _LONGEST_STEP or not step.isascii():
            self.whole = False
            return
        self.steps.append(step.decode("ascii"))

    def set_answer(self, answer: Answer) -> None:
        """Set the whole answer, or the head of a streamed one."""
        if self._room(len(answer.body)):
            self.answer = answer

    def append_body(self, data: bytes) -> None:
        """Append a piece of a streamed answer."""
        before = self.answer
        if before is not None and self._room(len(data)):
            self.answer = Answer(status=before.status, headers=before.headers, body=before.body + data)

    def _room(self, size: int) -> bool:
        if not self.whole or self._bytes + size > self._most_bytes:
            self.whole = False
            return False
        self._bytes += size
        return True
