"""
How many fresh processes are kept ready for `isolation: request`.

To fork a process takes longer than most runs do, so it is done before a request needs it: as many are kept as requests
arrive, at the present rate, in the time that it takes to make them, and a few more.  What all scripts keep beyond those
few is bounded, as each has some megabytes.
"""

from __future__ import annotations

import math
from collections.abc import Hashable

LEAST_READY = 3
_AHEAD_SECONDS = 0.1
"""Longer than it takes to fork one and to prepare it, even while the machine is busy."""
_MEMORY_SECONDS = 1.0
"""How long an arrival counts, more or less."""


class StockLimit:
    """
    Divides the ready processes among all scripts.

    Args:
        most: How many processes, beyond `LEAST_READY` of each script.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._granted: dict[Hashable, int] = {}

    def grant(self, owner: Hashable, wanted: int) -> int:
        """Return how many more than `LEAST_READY` *owner* may keep ready, at most *wanted*."""
        others = sum(self._granted.values()) - self._granted.get(owner, 0)
        granted = max(0, min(wanted, self._most - others))
        if granted:
            self._granted[owner] = granted
        else:
            self._granted.pop(owner, None)
        return granted

    def give_back(self, owner: Hashable) -> None:
        """Keep nothing ready for *owner* any more."""
        self._granted.pop(owner, None)

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"most": self._most, "granted": sum(self._granted.values())}


class Stock:
    """
    How many processes of one version are kept ready.

    Args:
        limit: What all scripts may have.
    """

    __slots__ = ("_counted_at", "_limit", "_recent", "missed", "taken")

    def __init__(self, limit: StockLimit) -> None:
        self._limit = limit
        self._recent = 0.0
        """Arrivals, each counting less the longer ago it was."""
        self._counted_at = 0.0
        self.taken = 0
        """Requests for which one was ready."""
        self.missed = 0
        """Requests for which none was."""

    def arrived(self, now: float, *, ready: bool) -> None:
        """Count a request, and whether a process was ready for it."""
        self._recent = self._recent_at(now) + 1
        self._counted_at = now
        if ready:
            self.taken += 1
        else:
            self.missed += 1

    def rate(self, now: float) -> float:
        """Return how many requests arrive in a second."""
        return self._recent_at(now) / _MEMORY_SECONDS

    def wanted(self, now: float) -> int:
        """Return how many processes should be ready."""
        return LEAST_READY + self._limit.grant(self, math.ceil(self.rate(now) * _AHEAD_SECONDS - 0.5))

    def end(self) -> None:
        """Keep nothing ready any more."""
        self._limit.give_back(self)

    def _recent_at(self, now: float) -> float:
        return self._recent * math.exp((self._counted_at - now) / _MEMORY_SECONDS)
