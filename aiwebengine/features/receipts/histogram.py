"""Durations in a few dozen counters: enough for percentiles, cheap to add to, always the same size."""

from __future__ import annotations

from bisect import bisect_left

_STEPS = 40
_FIRST_SECONDS = 0.0001
_GROWTH = 1.45
BOUNDS = tuple(_FIRST_SECONDS * _GROWTH**step for step in range(_STEPS))
"""Upper bounds of the counters in seconds, from a tenth of a millisecond to about 190 seconds."""


class Histogram:
    """Counts durations; a percentile is reported as the upper bound of its counter, at most 45 % too long."""

    __slots__ = ("_counts", "count", "seconds")

    def __init__(self) -> None:
        self._counts = [0] * (_STEPS + 1)
        self.count = 0
        self.seconds = 0.0
        """The sum."""

    def add(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.count += 1
        self.seconds += seconds

    def percentile(self, percent: float) -> float:
        """Return the seconds that this percentage did not exceed; 0 if there are none."""
        if not self.count:
            return 0.0
        left = self.count * percent / 100
        for bound, count in zip(BOUNDS, self._counts, strict=False):
            left -= count
            if left <= 0:
                return bound
        return BOUNDS[-1]
