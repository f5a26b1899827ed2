"""
Who may run: the places in which scripts use processors, shared fairly.

All scripts together share a number of places.  A run takes one while its process works,
and none while it waits for the host or for its client (it is *parked*).  The last quarter of
the places is only for scripts that have none, so that a script that takes all it can get
leaves room for the others.

When there are too few, scripts wait, and the one that had least is served next (start-time
fair queueing): each has a clock that advances by what a run of it usually takes, divided by
its weight, whenever one begins, and the one whose clock is furthest behind comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_SMOOTHING = 0.1
_LEAST_SECONDS = 0.0001


class Share:
    """
    What one script's version has of the places.

    Args:
        weight: How much of them it may have beside a script of weight 1.
        serve: Begins one run that waits; return whether it could.
    """

    __slots__ = ("clock", "cost", "running", "serve", "weight")

    def __init__(self, *, weight: float, serve: Callable[[], bool]) -> None:
        self.weight = weight
        self.serve = serve
        self.running = 0
        self.cost = 0.0
        """Seconds for which its run usually has a place; 0 before the first."""
        self.clock = 0.0


class Slots:
    """
    All places.

    Args:
        total: How many there are.
    """

    def __init__(self, *, total: int) -> None:
        self._total = total
        self._open = max(1, total - total // 4)
        """Beyond this number, only scripts without a place get one."""
        self._waiting: dict[Share, None] = {}
        self._clock = 0.0
        self._usual = _LEAST_SECONDS
        self._pumping = False
        self.running = 0

    def free(self, share: Share) -> bool:
        """Return whether *share* may have a place now; those that wait come first."""
        # For every request, so nothing is called.
        running = self.running
        return not self._waiting and (running < self._open or (not share.running and running < self._total))

    def enter(self, share: Share) -> None:
        """Take a place, even if there is none: a parked run continues at once."""
        self.running += 1
        share.running += 1
        clock = share.clock
        if clock > self._clock:
            self._clock = clock
        elif not self._pumping:
            # Who did nothing for a while has saved nothing by it.
            clock = self._clock
        share.clock = clock + (share.cost or self._usual) / share.weight

    def leave(self, share: Share, seconds: float) -> None:
        """Release a place that was used so long; call `pump` when what follows from that is done."""
        self.running -= 1
        share.running -= 1
        if share.cost:
            share.cost += _SMOOTHING * (seconds - share.cost)
        else:
            share.cost = max(seconds, _LEAST_SECONDS)
            self._usual += _SMOOTHING * (share.cost - self._usual)

    def go_on(self, share: Share, seconds: float) -> None:
        """Keep a place that was used so long for the next run: as `leave` and `enter`, which happens most often."""
        if share.cost:
            share.cost = cost = share.cost + _SMOOTHING * (seconds - share.cost)
        else:
            share.cost = cost = max(seconds, _LEAST_SECONDS)
            self._usual += _SMOOTHING * (cost - self._usual)
        clock = share.clock
        if clock > self._clock:
            self._clock = clock
        elif not self._pumping:
            clock = self._clock
        share.clock = clock + cost / share.weight

    def wait(self, share: Share) -> None:
        """Wait for a place."""
        if share not in self._waiting:
            share.clock = max(share.clock, self._clock)
            self._waiting[share] = None

    def contended(self, share: Share) -> bool:
        """Return whether another one waits for a place."""
        return bool(self._waiting) and (len(self._waiting) > 1 or share not in self._waiting)

    def forget(self, share: Share) -> None:
        """Wait no longer."""
        self._waiting.pop(share, None)

    def pump(self) -> None:
        """Serve those that wait, as far as there are places."""
        if not self._waiting or self._pumping:
            return
        self._pumping = True
        try:
            while (share := self._next()) is not None:
                if not share.serve():
                    # It will ask again when it can use a place.
                    self.forget(share)
        finally:
            self._pumping = False

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""
        return {"places": self._total, "running": self.running, "scriptsWaiting": len(self._waiting)}

    def _next(self) -> Share | None:
        fit = (share for share in self._waiting if self._has_room(share))
        return min(fit, key=lambda share: share.clock, default=None)

    def _has_room(self, share: Share) -> bool:
        return self.running < self._open or (not share.running and self.running < self._total)
