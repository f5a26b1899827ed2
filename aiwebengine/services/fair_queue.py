"""
Work that scripts wait for, and that has few places: who may begin next.

Scripts take turns, so that one with much to do lets the others wait for one piece of its work and not for all.
For each, the waiting and the running pieces are limited, and the time in every minute.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiwebengine.errors import TooMany

T = TypeVar("T")

_WINDOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FairTerms:
    """How much is done at a time, and the error for a script that exceeds it."""

    places: int
    """Pieces of work under way."""
    places_each: int
    """Of one script."""
    most: int
    """Pieces of one script that wait or are under way."""
    seconds_per_minute: float
    """How long the work of one script may take."""
    full: str
    """Said when too many of a script wait: the rule and the remedy, without a full stop."""
    spent: str
    """Said when its part of a minute is used up, in the same way."""


@dataclass(eq=False, slots=True, kw_only=True)
class _WaitingWork:
    work: Callable[[], Awaitable[Any]]
    outcome: Deferred[Any]


class FairQueue:
    """
    See the module.

    Args:
        terms: See there.
        seconds: A clock.
    """

    def __init__(self, *, terms: FairTerms, seconds: Callable[[], float]) -> None:
        self._terms = terms
        self._seconds = seconds
        self._waiting: OrderedDict[str, deque[_WaitingWork]] = OrderedDict()
        """By script, in the order of their turns; none is empty."""
        self._running: dict[str, int] = {}
        """By script, pieces that are under way; none is 0."""
        self._moving = False
        self._used: dict[str, float] = {}
        """By script, seconds in this window."""
        self._window_ends = 0.0
        self._refused = 0

    def run(self, script: str, work: Callable[[], Awaitable[T]]) -> Deferred[T]:
        """
        Do *work* when it is the turn of *script*.

        Returns:
            Its result.  Cancelling takes it out of the queue; what was begun is finished.

        Raises:
            TooMany: The script has too many waiting, or has used its part of this minute.
        """
        self._refuse_spent(script)
        if len(self._waiting.get(script, ())) + self._running.get(script, 0) >= self._terms.most:
            self._refused += 1
            raise TooMany(f"{self._terms.full}.", retry_seconds=1.0)
        queued = _WaitingWork(work=work, outcome=Deferred(lambda _: self._leave(script, queued)))
        self._waiting.setdefault(script, deque()).append(queued)
        self._move()
        return queued.outcome

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        waiting = sum(len(queue) for queue in self._waiting.values())
        return {"running": sum(self._running.values()), "waiting": waiting, "refused": self._refused}

    def _refuse_spent(self, script: str) -> None:
        now = self._seconds()
        if now >= self._window_ends:
            self._used.clear()
            self._window_ends = now + _WINDOW_SECONDS
        if self._used.get(script, 0.0) >= self._terms.seconds_per_minute:
            self._refused += 1
            wait = max(1, math.ceil(self._window_ends - now))
            raise TooMany(f"{self._terms.spent}; try again in {wait} s.", retry_seconds=float(wait))

    def _move(self) -> None:
        # What ends at once must not begin the next one from inside itself: the stack is not endless.
        if self._moving:
            return
        self._moving = True
        try:
            while (script := self._next()) is not None:
                self._begin(script, self._take(script))
        finally:
            self._moving = False

    def _next(self) -> str | None:
        """Return the script whose turn it is; None if no work may begin."""
        if sum(self._running.values()) >= self._terms.places:
            return None
        each = self._terms.places_each
        return next((script for script in self._waiting if self._running.get(script, 0) < each), None)

    def _take(self, script: str) -> _WaitingWork:
        queue = self._waiting.pop(script)
        queued = queue.popleft()
        if queue:
            # Behind the others.
            self._waiting[script] = queue
        return queued

    def _begin(self, script: str, queued: _WaitingWork) -> None:
        try:
            self._refuse_spent(script)
        except TooMany as error:
            queued.outcome.errback(error)
            return
        self._running[script] = self._running.get(script, 0) + 1
        began = self._seconds()

        def ended(result: Any) -> None:
            self._running[script] -= 1
            if not self._running[script]:
                del self._running[script]
            self._used[script] = self._used.get(script, 0.0) + self._seconds() - began
            if not queued.outcome.called:
                _deliver(result, queued.outcome)
            self._move()

        Deferred.fromCoroutine(_awaited(queued.work)).addBoth(ended)

    def _leave(self, script: str, queued: _WaitingWork) -> None:
        queue = self._waiting.get(script)
        if queue is not None and queued in queue:
            queue.remove(queued)
            if not queue:
                del self._waiting[script]


async def _awaited(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def _deliver(result: Any, outcome: Deferred[Any]) -> None:
    if isinstance(result, Failure):
        outcome.errback(result)
    else:
        outcome.callback(result)
