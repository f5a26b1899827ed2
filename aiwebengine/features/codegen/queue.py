"""
Who may have code lowered next.

One function or program is lowered at a time.  Scripts take turns, so that one which makes much code lets the
others wait for one of its functions and not for all; each may have a few waiting, and a part of every minute.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiwebengine.errors import TooMany

_WINDOW_SECONDS = 60.0


@dataclass(eq=False, slots=True, kw_only=True)
class _QueuedLowering:
    work: Callable[[], Coroutine[Any, Any, str]]
    outcome: Deferred[str]


class LoweringQueue:
    """
    See the module.

    Args:
        most: How many one script may have waiting and under way.
        seconds_per_minute: How long the code of one script may take in a minute.
        seconds: A clock.
    """

    def __init__(self, *, most: int, seconds_per_minute: float, seconds: Callable[[], float]) -> None:
        self._most = most
        self._seconds_per_minute = seconds_per_minute
        self._seconds = seconds
        self._waiting: OrderedDict[str, deque[_QueuedLowering]] = OrderedDict()
        """By script, in the order of their turns; none is empty."""
        self._current: str | None = None
        """The script whose code is being lowered."""
        self._moving = False
        self._used: dict[str, float] = {}
        """By script, seconds in this window."""
        self._window_ends = 0.0
        self._refused = 0

    def run(self, script: str, work: Callable[[], Coroutine[Any, Any, str]]) -> Deferred[str]:
        """
        Do *work* when it is the turn of *script*.

        Returns:
            Its result.  Cancelling takes it out of the queue; what was begun is finished.

        Raises:
            TooMany: The script has too many waiting, or has used its part of this minute.
        """
        self._refuse_spent(script)
        waiting = self._waiting.get(script, ())
        if len(waiting) + (self._current == script) >= self._most:
            self._refused += 1
            raise TooMany(
                f"A script may make at most {self._most} functions and programs from strings at the same time "
                "(codegen.max_waiting); make them once, at the top level, and keep them.",
                retry_seconds=1.0,
            )
        queued = _QueuedLowering(work=work, outcome=Deferred(lambda _: self._leave(script, queued)))
        self._waiting.setdefault(script, deque()).append(queued)
        self._move()
        return queued.outcome

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        waiting = sum(len(queue) for queue in self._waiting.values())
        return {"running": int(self._current is not None), "waiting": waiting, "refused": self._refused}

    def _refuse_spent(self, script: str) -> None:
        now = self._seconds()
        if now >= self._window_ends:
            self._used.clear()
            self._window_ends = now + _WINDOW_SECONDS
        if self._used.get(script, 0.0) >= self._seconds_per_minute:
            self._refused += 1
            wait = max(1, math.ceil(self._window_ends - now))
            raise TooMany(
                f"The code that a script makes at run time may take {self._seconds_per_minute:g} s of each minute to "
                f"compile (codegen.seconds_per_minute), which this script has used; try again in {wait} s, or make "
                "functions once and keep them.",
                retry_seconds=float(wait),
            )

    def _move(self) -> None:
        # What ends at once must not begin the next one from inside itself: the stack is not endless.
        if self._moving:
            return
        self._moving = True
        try:
            while self._current is None and self._waiting:
                self._begin(*self._next())
        finally:
            self._moving = False

    def _next(self) -> tuple[str, _QueuedLowering]:
        script, queue = self._waiting.popitem(last=False)
        queued = queue.popleft()
        if queue:
            self._waiting[script] = queue
        return script, queued

    def _begin(self, script: str, queued: _QueuedLowering) -> None:
        try:
            self._refuse_spent(script)
        except TooMany as error:
            queued.outcome.errback(error)
            return
        self._current = script
        began = self._seconds()

        def ended(result: str | Failure) -> None:
            self._current = None
            self._used[script] = self._used.get(script, 0.0) + self._seconds() - began
            if not queued.outcome.called:
                queued.outcome.callback(result)
            self._move()

        Deferred.fromCoroutine(queued.work()).addBoth(ended)

    def _leave(self, script: str, queued: _QueuedLowering) -> None:
        queue = self._waiting.get(script)
        if queue is not None and queued in queue:
            queue.remove(queued)
            if not queue:
                del self._waiting[script]
