"""
What is written down of an invocation that is recorded.

The chance and the clock that it began with, every host call with its answer, and the steps
in which its world was given something: enough to do it over again, in any process, and to
see at which call a changed script takes another way.
"""

from __future__ import annotations

from aiwebengine.values import Answer

_MOST_STEPS = 100_000
_LONGEST_STEP = 64


class Tape:
    """
    One recording in the making.

    Args:
        most_bytes: Of calls and answers; where there is no more room the recording ends, and is not whole.
    """

    __slots__ = ("_bytes", "_most_bytes", "_open", "answer", "calls", "exact", "now", "seed", "steps", "whole")

    def __init__(self, *, most_bytes: int) -> None:
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

    def asked(self, tag: bytes, name: str, argument: str) -> None:
        """The script has made a call."""
        if self._room(len(name) + len(argument)):
            self._open[tag] = len(self.calls)
            self.calls.append([name, argument, None])

    def answered(self, tag: bytes, answer: str) -> None:
        """A call was answered."""
        at = self._open.pop(tag, None)
        if at is not None and self._room(len(answer)):
            self.calls[at][2] = answer
        elif at is not None:
            # What came after a call without its answer nobody could do over again.
            del self.calls[at + 1 :]
            self._open.clear()

    def stepped(self, step: bytes) -> None:
        """The world was given something."""
        if len(self.steps) >= _MOST_STEPS or len(step) > _LONGEST_STEP or not step.isascii():
            self.whole = False
            return
        self.steps.append(step.decode("ascii"))

    def gave(self, answer: Answer) -> None:
        """The whole answer, or the head of a streamed one, is known."""
        if self._room(len(answer.body)):
            self.answer = answer

    def wrote(self, data: bytes) -> None:
        """A piece of a streamed answer was written."""
        before = self.answer
        if before is not None and self._room(len(data)):
            self.answer = Answer(status=before.status, headers=before.headers, body=before.body + data)

    def _room(self, size: int) -> bool:
        if not self.whole or self._bytes + size > self._most_bytes:
            self.whole = False
            return False
        self._bytes += size
        return True
