"""
The places in a child's socket behind its current run: what waits there is run in its order.

    waiting --recall--> recalled                the child was told to return it, and may still begin it
    waiting, recalled --advance--> gone         all before it were answered, so it has begun
    waiting, recalled --disown--> disowned      it is run elsewhere, though the child may still have it
    recalled, disowned --return--> gone         the child returned it
    waiting, recalled --take--> gone            the child is dead

The runs in one socket have different tags, by which a child's answer is matched to its run.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Generic, TypeVar

from aiwebengine.runtime.moves import IllegalMove, Move

R = TypeVar("R")

MOST_WAITING = 15
"""How many may wait in one socket."""

TAGS = tuple(bytes((tag,)) for tag in b"123456789abcdefgh")
"""One more than there are runs in a socket: a tag is not used again right after its run was returned."""


class QueuedState(StrEnum):
    """What became of a run that was sent behind another one."""

    WAITING = "waiting"
    RECALLED = "recalled"
    DISOWNED = "disowned"
    GONE = "gone"


RECALL = Move("recall", {QueuedState.WAITING: QueuedState.RECALLED})
ADVANCE = Move("advance", {QueuedState.WAITING: QueuedState.GONE, QueuedState.RECALLED: QueuedState.GONE})
RETURN = Move("return", {QueuedState.RECALLED: QueuedState.GONE, QueuedState.DISOWNED: QueuedState.GONE})
DISOWN = Move("disown", {QueuedState.WAITING: QueuedState.DISOWNED, QueuedState.RECALLED: QueuedState.DISOWNED})
TAKE = Move("take", {QueuedState.WAITING: QueuedState.GONE, QueuedState.RECALLED: QueuedState.GONE})

# For every request: an attribute of an enumeration takes three times as long as a name.
_WAITING, _RECALLED, _DISOWNED = QueuedState.WAITING, QueuedState.RECALLED, QueuedState.DISOWNED


class QueuedRun(Generic[R]):
    """
    A run that waits in a socket.

    Args:
        run: It.
        turn: Which of `TAGS` it has.
        quick: It is usually over soon, so another one may wait behind it.
    """

    __slots__ = ("quick", "run", "state", "turn")

    def __init__(self, run: R, turn: int, quick: bool) -> None:  # noqa: FBT001  for every request
        self.run = run
        self.turn = turn
        self.quick = quick
        self.state = _WAITING


class SocketQueue(Generic[R]):
    """The places of one child."""

    __slots__ = ("_last", "disowned", "entries", "turn")

    def __init__(self) -> None:
        self.entries: deque[QueuedRun[R]] = deque()
        """In the order in which they were sent; disowned ones too, which are all or none."""
        self.turn = 0
        """Which of `TAGS` the current run has."""
        self.disowned = False
        """The child may have runs that are run elsewhere."""
        self._last = 0

    @property
    def tag(self) -> bytes:
        """Return the tag of the current run."""
        return TAGS[self.turn]

    @property
    def count(self) -> int:
        """Return how many runs wait here and nowhere else."""
        return 0 if self.disowned else len(self.entries)

    def room(self, most: int) -> bool:
        """Return whether one more may wait here, of at most this many."""
        entries = self.entries
        return not entries or (len(entries) < most and entries[-1].quick and not self.disowned)

    def follow(self, run: R, quick: bool) -> int:  # noqa: FBT001  for every request
        """Note that *run* is sent behind all others; returns which of `TAGS` it has."""
        if len(self.entries) >= MOST_WAITING:
            raise IllegalMove(f"more than {MOST_WAITING} runs cannot wait in one socket")
        self._last = turn = (self._last + 1) % len(TAGS)
        self.entries.append(QueuedRun(run, turn, quick))
        return turn

    def recall(self, run: R | None = None) -> list[int]:
        """
        Note that the child was told to return what waits, the last first.

        Args:
            run: This one only; None for all.

        Returns:
            Which of `TAGS` they have; those that were recalled before are not among them.
        """
        turns: list[int] = []
        for entry in reversed(self.entries):
            if entry.state is _WAITING and (run is None or entry.run is run):
                entry.state = RECALL[entry.state]
                turns.append(entry.turn)
        return turns

    def advance(self) -> R:
        """Return the first of them, which has begun."""
        if not self.entries:
            raise IllegalMove("no run waits in the socket that could begin")
        entry = self.entries[0]
        entry.state = ADVANCE[entry.state]
        del self.entries[0]
        self.turn = entry.turn
        return entry.run

    def may_return(self, tag: bytes | None) -> bool:
        """Return whether the child was told to return the run of *tag*."""
        return any(TAGS[entry.turn] == tag and entry.state is not _WAITING for entry in self.entries)

    def returned(self, tag: bytes) -> R | None:
        """Return the run that the child gave back; None if it is run elsewhere already."""
        (entry,) = (entry for entry in self.entries if TAGS[entry.turn] == tag)
        was, entry.state = entry.state, RETURN[entry.state]
        self.entries.remove(entry)
        self.disowned = self.disowned and bool(self.entries)
        return entry.run if was is _RECALLED else None

    def disown(self) -> list[R]:
        """Return all of them, to be run elsewhere although the child may still have them."""
        self.disowned = bool(self.entries)
        for entry in self.entries:
            entry.state = DISOWN[entry.state]
        return [entry.run for entry in self.entries]

    def take(self) -> list[R]:
        """Return all of them, none of which the child will begin."""
        taken = [entry for entry in self.entries if entry.state is not _DISOWNED]
        for entry in taken:
            entry.state = TAKE[entry.state]
        self.entries.clear()
        self.disowned = False
        return [entry.run for entry in taken]
