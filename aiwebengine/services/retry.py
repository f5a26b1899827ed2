"""
Trying again: ever longer waits, spread at random, and only so often.

Many clients that were refused together would come back together; "full jitter" lets each
wait anything between nothing and the ceiling, which doubles with every failure (the
measurements behind it: Marc Brooker, "Exponential Backoff And Jitter", 2015).

Whether something may be repeated at all is never decided here: the caller says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait after a number of failures in a row."""

    first_seconds: float
    longest_seconds: float
    factor: float = 2.0

    def ceiling(self, failures: int) -> float:
        """Return the longest wait after *failures* (from 1) in a row."""
        # The exponent is bounded: a float overflows after a thousand doublings.
        return min(self.first_seconds * self.factor ** min(max(failures, 1) - 1, 64), self.longest_seconds)

    def delay(self, failures: int, random: Callable[[], float]) -> float:
        """Return a wait between nothing and the ceiling; *random* returns a number from 0 to 1."""
        return self.ceiling(failures) * random()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """How often and for how long something is tried."""

    most: int
    """Attempts in all, the first included."""
    total_seconds: float
    """No attempt begins later than this after the first one."""
    backoff: Backoff

    def wait(self, failures: int, spent_seconds: float, random: Callable[[], float]) -> float | None:
        """
        Decide about the next attempt.

        Args:
            failures: How many there were, from 1.
            spent_seconds: Since the first attempt began.

        Returns:
            How long to wait before it; None if it was tried enough.
        """
        if failures >= self.most:
            return None
        delay = self.backoff.delay(failures, random)
        return delay if spent_seconds + delay <= self.total_seconds else None


ONCE = Attempts(most=1, total_seconds=0.0, backoff=Backoff(first_seconds=0.0, longest_seconds=0.0))
"""Never again."""
