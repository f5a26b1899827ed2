"""
The second place in a child's socket: a run that waits there while another is in hand.

    empty --follow--> waiting                   it was sent, and begins when the first is answered
    waiting --recall--> recalled                the child was asked to give it back, and may begin it all the same
    waiting, recalled --advance--> empty        the first was answered, so it has begun
    waiting, recalled --disown--> disowned      it is run elsewhere, though the child may still have it
    recalled, disowned --returned--> empty      the child gave it back
    waiting, recalled --take--> empty           the child is dead

The two runs have different tags, by which a child's answer tells which one it is of.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

from aiwebengine.runtime.moves import Move

R = TypeVar("R")

TAGS = (b"1", b"2")


class QueuedState(StrEnum):
    """What became of the second run."""

    EMPTY = "empty"
    WAITING = "waiting"
    RECALLED = "recalled"
    DISOWNED = "disowned"


FOLLOW = Move("follow", {QueuedState.EMPTY: QueuedState.WAITING})
RECALL = Move("recall", {QueuedState.WAITING: QueuedState.RECALLED})
ADVANCE = Move("advance", {QueuedState.WAITING: QueuedState.EMPTY, QueuedState.RECALLED: QueuedState.EMPTY})
RETURNED = Move("returned", {QueuedState.RECALLED: QueuedState.EMPTY, QueuedState.DISOWNED: QueuedState.EMPTY})
DISOWN = Move("disown", {QueuedState.WAITING: QueuedState.DISOWNED, QueuedState.RECALLED: QueuedState.DISOWNED})
TAKE = Move("take", {QueuedState.WAITING: QueuedState.EMPTY, QueuedState.RECALLED: QueuedState.EMPTY})


class SocketQueue(Generic[R]):
    """The two places of one child."""

    __slots__ = ("run", "state", "turn")

    def __init__(self) -> None:
        self.state = QueuedState.EMPTY
        self.run: R | None = None
        """The second run; None if there is none, or it is disowned."""
        self.turn = 0
        """Which of `TAGS` the run in hand has."""

    @property
    def second_tag(self) -> bytes:
        """Return the tag of the second run."""
        return TAGS[1 - self.turn]

    def follow(self, run: R) -> None:
        """Note that *run* was sent behind the one in hand."""
        self.state = FOLLOW[self.state]
        self.run = run

    def recall(self) -> None:
        """Note that the child was asked to give the second run back."""
        self.state = RECALL[self.state]

    def advance(self) -> R:
        """Return the second run, which has begun."""
        self.state = ADVANCE[self.state]
        self.turn = 1 - self.turn
        return self._removed()

    def returned(self) -> R | None:
        """Return the run that the child gave back; None if it is run elsewhere already."""
        self.state = RETURNED[self.state]
        run, self.run = self.run, None
        return run

    def disown(self) -> R:
        """Return the second run, to be run elsewhere although the child may still have it."""
        self.state = DISOWN[self.state]
        return self._removed()

    def take(self) -> R:
        """Return the second run, which the child will not begin."""
        self.state = TAKE[self.state]
        return self._removed()

    def _removed(self) -> R:
        run, self.run = self.run, None
        assert run is not None
        return run
