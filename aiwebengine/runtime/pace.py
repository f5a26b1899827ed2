"""How long runs usually take, and so which process will soon be free."""

from __future__ import annotations

from collections.abc import Iterable

from aiwebengine.runtime.child import Clone

_QUICK_SECONDS = 0.005
_LATE_SECONDS = 0.02
_LINGERING_SECONDS = 1.0
_LEAST_SECONDS = 0.0001
_STEP = 0.1


class Pace:
    """What is known of one version's routes."""

    def __init__(self) -> None:
        self._usual: dict[str, float] = {}
        """By label, in seconds."""

    def learn(self, clone: Clone, now: float) -> None:
        """
        Come nearer to what runs of this kind take: half of them less, half of them more.

        A run that waits for others counts as a long one, for the next could not lie behind it.
        """
        # No steps lead away from nothing, and a clock may be set back.
        took = _LINGERING_SECONDS if clone.lingers else max(now - clone.begun_at, _LEAST_SECONDS)
        usual = self._usual.get(clone.label)
        if usual is None:
            self._usual[clone.label] = took
        else:
            self._usual[clone.label] = usual * (1 + _STEP) if took > usual else usual * (1 - _STEP)

    def soon_free(self, clones: Iterable[Clone], now: float) -> Clone | None:
        """Give the clone whose run will be over first, among those with a quick one and none behind it."""
        best = None
        usual = self._usual
        late = now - _LATE_SECONDS
        for clone in clones:
            if (
                clone.occupant is not None
                and clone.second is None
                and not clone.dying
                and not clone.lingers
                and clone.begun_at > late
                and (best is None or clone.begun_at < best.begun_at)
                and usual.get(clone.label, 1.0) < _QUICK_SECONDS
            ):
                best = clone
        return best
