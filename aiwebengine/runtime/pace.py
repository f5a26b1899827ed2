"""How long runs usually take, and so which process will soon be free."""

from __future__ import annotations

from collections.abc import Iterable

from aiwebengine.runtime.child import Clone

_QUICK_SECONDS = 0.005
_STEP = 0.1


class Pace:
    """What is known of one version's routes."""

    def __init__(self) -> None:
        self._usual: dict[str, float] = {}
        """By label, in seconds."""

    def learn(self, label: str, took: float) -> None:
        """Come nearer to what runs of this kind take: half of them less, half of them more."""
        usual = self._usual.get(label)
        if usual is None:
            self._usual[label] = took
        else:
            self._usual[label] = usual * (1 + _STEP) if took > usual else usual * (1 - _STEP)

    def soon_free(self, clones: Iterable[Clone]) -> Clone | None:
        """Give the clone whose run will be over first, among those with a quick one and none behind it."""
        best = None
        usual = self._usual
        for clone in clones:
            if (
                clone.occupant is not None
                and clone.second is None
                and not clone.dying
                and not clone.parked
                and (best is None or clone.placed_since < best.placed_since)
                and usual.get(clone.label, 1.0) < _QUICK_SECONDS
            ):
                best = clone
        return best
