"""
A share of each turn of the reactor.

Work that comes in many small steps and from many places, such as messages for thousands of clients, checks between two
steps whether its share of the turn is used up, and continues in a later turn if it is.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from aiwebengine.interfaces import Clock

SHARE_SECONDS = 0.002
"""How much of a turn is used."""


class TurnShare:
    """
    See the module.

    Args:
        clock: The reactor.
        now: Measures, in seconds.
        seconds: How much of a turn is used.
    """

    def __init__(
        self, *, clock: Clock, now: Callable[[], float] = time.perf_counter, seconds: float = SHARE_SECONDS
    ) -> None:
        self._clock = clock
        self._now = now
        self._seconds = seconds
        self._until = 0.0
        self._begun = False
        """Something was done in this turn already."""
        self._waiting: deque[Callable[[], object]] = deque()

    @property
    def used_up(self) -> bool:
        """Whether the share of this turn is used up; it begins with the first question."""
        if self._begun:
            return self._now() >= self._until
        self._begun = True
        self._until = self._now() + self._seconds
        self._clock.callLater(0, self._turn)
        return False

    def later(self, work: Callable[[], object]) -> None:
        """Call *work* in a later turn; only where the share of this one is used up."""
        self._waiting.append(work)

    def soon(self, work: Callable[[], object]) -> None:
        """Call *work* now, or in a later turn if the share of this one is used up."""
        if self.used_up:
            self.later(work)
        else:
            work()

    def _turn(self) -> None:
        """Go on with what waits, each for a while."""
        self._begun = False
        for _ in range(len(self._waiting)):
            if self.used_up:
                return
            self._waiting.popleft()()
