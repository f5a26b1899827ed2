"""How long runs usually take is learned from them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from aiwebengine.runtime.pace import Pace


def clone(label: str, since: float, **members: Any) -> Any:
    """Give a busy clone."""
    return SimpleNamespace(
        **{"label": label, "begun_at": since, "occupant": 1, "second": None, "dying": False, "lingers": False} | members
    )


def test_median() -> None:
    """Half of the runs decide, however long some of them take."""
    pace = Pace()
    quick: Any = clone("quick", 1.0)
    for took in (1.0, *[0.001, 0.001, 9.0] * 60):
        pace.learn(quick, 1.0 + took)
    assert pace.soon_free([quick], 1.001) == quick
    for took in [0.001, 9.0, 9.0] * 60:
        pace.learn(quick, 1.0 + took)
    assert pace.soon_free([quick], 1.001) is None


def test_waiting_ones_are_long() -> None:
    """Runs that wait count as long, however soon they are over, and not for ever."""
    pace = Pace()
    quick, waits = clone("a", 1.0), clone("a", 1.0, lingers=True)
    pace.learn(waits, 1.0)
    assert pace.soon_free([quick], 1.0) is None
    for _ in range(60):
        pace.learn(quick, 1.001)
    assert pace.soon_free([quick], 1.0) is quick


def test_soon_free() -> None:
    """The one whose run began first, if it is quick, not late, does not linger, and has nobody behind it."""
    pace = Pace()
    pace.learn(clone("quick", 1.0), 1.001)
    pace.learn(clone("slow", 1.0), 2.0)
    early: Any = clone("quick", 8.002)
    later = clone("quick", 8.003)
    others = [
        clone("slow", 8.001),
        clone("unknown", 8.001),
        clone("quick", 7.9),
        clone("quick", 8.001, occupant=None),
        clone("quick", 8.001, second=1),
        clone("quick", 8.001, dying=True),
        clone("quick", 8.001, lingers=True),
    ]
    assert pace.soon_free([later, *others, early], 8.004) is early
    assert pace.soon_free(others, 8.004) is None
