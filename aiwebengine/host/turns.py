"""
Turns: the order in which invocations change the same data.

An invocation that finds at its commit that something it had read was changed meanwhile is
run again. Before that it takes a turn over all that it wrote, and no other invocation commits a change to these before
the turn is over; so the second attempt succeeds, and however many meet over one thing each comes to its turn, first
come first served.

A turn covers all names or is waited for, so two invocations with the same names never wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from aiwebengine.errors import Cancelled, Conflict
from aiwebengine.interfaces import Clock, DelayedCall


@dataclass(eq=False, slots=True, kw_only=True)
class _WaitingTurn:
    owner: str
    names: frozenset[str]
    granted: Deferred[Callable[[], None]]
    until: DelayedCall | None = None


class Turns:
    """
    Gives turns.

    Args:
        clock: For the longest wait.
        longest_seconds: How long a turn may be waited for.
    """

    def __init__(self, *, clock: Clock, longest_seconds: float) -> None:
        self._clock = clock
        self._longest_seconds = longest_seconds
        self._owners: dict[str, str] = {}
        self._queue: list[_WaitingTurn] = []

    def barred(self, owner: str, names: frozenset[str]) -> frozenset[str]:
        """Return those of *names* over which another invocation has its turn, or waits for it."""
        if not self._owners:
            return frozenset()
        return frozenset(name for name in names if self._owners.get(name, owner) != owner)

    def take(self, owner: str, names: frozenset[str]) -> Deferred[Callable[[], None]]:
        """
        Wait for a turn over all of *names*.

        Returns:
            A function that ends the turn.  Cancelling ends the wait.

        Raises:
            Conflict: It took too long.
            Cancelled: The wait was cancelled.
        """
        granted: Deferred[Callable[[], None]] = Deferred(lambda _: self._give_up(waiting))
        waiting = _WaitingTurn(owner=owner, names=names, granted=granted)
        if self._free(waiting, self._queue):
            self._grant(waiting)
            return granted
        self._queue.append(waiting)
        waiting.until = self._clock.callLater(self._longest_seconds, self._too_long, waiting)
        return granted

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"taken": len(set(self._owners.values())), "waiting": len(self._queue)}

    def _free(self, waiting_turn: _WaitingTurn, before: list[_WaitingTurn]) -> bool:
        if self.barred(waiting_turn.owner, waiting_turn.names):
            return False
        return not any(turn.names & waiting_turn.names for turn in before)

    def _grant(self, waiting: _WaitingTurn) -> None:
        taken = [name for name in waiting.names if name not in self._owners]
        for name in taken:
            self._owners[name] = waiting.owner
        if waiting.until is not None:
            waiting.until.cancel()
        over = False

        def release() -> None:
            nonlocal over
            if over:
                return
            over = True
            for name in taken:
                del self._owners[name]
            self._next()

        waiting.granted.callback(release)

    def _next(self) -> None:
        for waiting in list(self._queue):
            if waiting not in self._queue:
                continue
            if self._free(waiting, self._queue[: self._queue.index(waiting)]):
                self._queue.remove(waiting)
                self._grant(waiting)

    def _give_up(self, waiting: _WaitingTurn) -> None:
        if waiting in self._queue:
            self._leave(waiting)
            waiting.granted.errback(Cancelled("The client disconnected."))
            self._next()

    def _too_long(self, waiting: _WaitingTurn) -> None:
        waiting.until = None
        self._leave(waiting)
        waiting.granted.errback(
            Conflict("Too many requests are changing the same data. Nothing was changed; try again.")
        )
        self._next()

    def _leave(self, waiting: _WaitingTurn) -> None:
        self._queue.remove(waiting)
        if waiting.until is not None:
            waiting.until.cancel()
            waiting.until = None
