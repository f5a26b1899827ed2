"""
A bulkhead: a limited number at a time, a limited number that wait, and for a limited time.

Without one, a dependency that hangs takes everything that waits for it along. A place is held until the work has really
ended, not until its caller stops waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.python.failure import Failure

from aiwebengine.errors import Unavailable
from aiwebengine.interfaces import Clock, DelayedCall

T = TypeVar("T")


class BulkheadFull(Unavailable):
    """There was no place in time; it was not begun, and says nothing about the dependency's health."""


@dataclass(eq=False, slots=True, kw_only=True)
class _QueuedWork:
    until: float
    work: Callable[[], Deferred[Any]]
    outcome: Deferred[Any]
    begun: Deferred[Any] | None = None


class Bulkhead:
    """
    See the module.

    Args:
        name: What there are places for, such as `database`; begins a sentence after "The".
        places: Most that run at the same time.
        waiting: Most that wait for a place; beyond it `BulkheadFull` at once.
        wait_seconds: Longest wait; then `BulkheadFull`.
        clock: Ends waits.
    """

    def __init__(self, *, name: str, places: int, waiting: int, wait_seconds: float, clock: Clock) -> None:
        self._name = name
        self._places = places
        self._most_waiting = waiting
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._running = 0
        self._queue: deque[_QueuedWork] = deque()
        self._moving = False
        self._end: DelayedCall | None = None
        self._refused = 0

    def run(self, work: Callable[[], Deferred[T]]) -> Deferred[T]:
        """
        Begin *work* when there is a place; those that wait are begun in the order in which they came.

        Returns:
            Its result.  Cancelling takes it out of the queue, or cancels what *work* returned.

        Raises:
            Busy: Too many wait, or it waited too long; *work* was not called.
        """
        if self._running < self._places and not self._queue:
            return self._begin(work)
        if len(self._queue) >= self._most_waiting:
            self._refused += 1
            return fail(BulkheadFull(f"The {self._name} is too busy; try again.", retry_seconds=1.0))
        outcome: Deferred[T] = Deferred(lambda _: self._cancel(waiting))
        waiting = _QueuedWork(until=self._clock.seconds() + self._wait_seconds, work=work, outcome=outcome)
        self._queue.append(waiting)
        self._watch()
        return outcome

    def enter(self) -> Callable[[], None] | None:
        """
        Take a place if there is one at once.

        Returns:
            A function that returns it, to be called once; None if there is none.
        """
        if self._running >= self._places or self._queue:
            return None
        self._running += 1
        return self._leave

    @property
    def running(self) -> int:
        """How many have a place."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._queue)

    def figures(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"running": self._running, "waiting": len(self._queue), "refused": self._refused}

    def _begin(self, work: Callable[[], Deferred[T]]) -> Deferred[T]:
        self._running += 1
        return maybeDeferred(work).addBoth(self._ended)

    def _ended(self, result: Any) -> Any:
        self._leave()
        return result

    def _leave(self) -> None:
        self._running -= 1
        if self._queue and not self._moving:
            self._move()

    def _move(self) -> None:
        # What ends at once must not begin the next one from inside itself: the stack is not endless.
        self._moving = True
        try:
            while self._queue and self._running < self._places:
                waiting = self._queue.popleft()
                waiting.begun = self._begin(waiting.work)
                waiting.begun.addBoth(_tell, waiting.outcome)
        finally:
            self._moving = False
        self._watch()

    def _cancel(self, waiting: _QueuedWork) -> None:
        if waiting.begun is not None:
            waiting.begun.cancel()
            return
        self._queue.remove(waiting)
        self._watch()

    def _time_out(self) -> None:
        self._end = None
        now = self._clock.seconds()
        late: list[Deferred[Any]] = []
        while self._queue and self._queue[0].until <= now:
            late.append(self._queue.popleft().outcome)
        self._watch()
        self._refused += len(late)
        why = f"The {self._name} had no free slot within {self._wait_seconds:g} s; try again."
        for outcome in late:
            outcome.errback(BulkheadFull(why, retry_seconds=1.0))

    def _watch(self) -> None:
        """Have the clock call when the oldest in the queue has waited enough, and not at all without a queue."""
        if not self._queue:
            if self._end is not None:
                self._end.cancel()
                self._end = None
        elif self._end is None:
            self._end = self._clock.callLater(max(0.0, self._queue[0].until - self._clock.seconds()), self._time_out)


def _tell(result: Any, outcome: Deferred[Any]) -> None:
    if outcome.called:
        return
    if isinstance(result, Failure):
        outcome.errback(result)
    else:
        outcome.callback(result)
