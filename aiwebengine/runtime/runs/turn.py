"""
A run's turn to be repeated, after what it had read was changed before it could commit.

    none --wait--> waiting
    waiting --granted--> held
    waiting --refused--> none       the run is cancelled, or the granter of turns has ended
    held --release--> none

A turn keeps other invocations from changing the same data, so it is released as soon as the run is over, or waits for
the next turn.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiwebengine.runtime.moves import Move

MOST_RERUNS = 3

Release = Callable[[], None]


class TurnState(StrEnum):
    """What a run has of a turn."""

    NONE = "none"
    WAITING = "waiting"
    HELD = "held"


WAIT = Move("wait", {TurnState.NONE: TurnState.WAITING})
GRANTED = Move("granted", {TurnState.WAITING: TurnState.HELD})
REFUSED = Move("refused", {TurnState.WAITING: TurnState.NONE})
RELEASED = Move("release", {TurnState.HELD: TurnState.NONE})


class Turn:
    """The turns of one run, one after another."""

    __slots__ = ("_release", "_request", "count", "having")

    def __init__(self) -> None:
        self.having = TurnState.NONE
        self.count = 0
        """How many it has waited for."""
        self._request: Deferred[Release] | None = None
        self._release: Release | None = None

    def wait(
        self,
        ask: Callable[[], Deferred[Release]],
        *,
        granted: Callable[[], None],
        refused: Callable[[Failure], None],
    ) -> None:
        """
        Wait for the next turn; the one that it has is released first.

        Args:
            ask: Asks for it; its outcome releases the turn.
            granted: Called when it is there.
            refused: Called when it never will be.
        """
        self.release()
        self.having = WAIT[self.having]
        self.count += 1

        def got_turn(release: Release) -> None:
            self._request = None
            self.having = GRANTED[self.having]
            self._release = release
            granted()

        def not_granted(failure: Failure) -> None:
            self._request = None
            self.having = REFUSED[self.having]
            refused(failure)

        self._request = request = ask()
        request.addCallbacks(got_turn, not_granted)

    def cancel(self) -> None:
        """Wait no longer, if it waits."""
        if self._request is not None:
            self._request.cancel()

    def release(self) -> None:
        """Release the turn, if it has one."""
        release, self._release = self._release, None
        if release is not None:
            self.having = RELEASED[self.having]
            release()
