"""How long runs usually take is learned from them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from aiwebengine.runtime.pace import Pace


def clone(label: str, since: float, **members: Any) -> Any:
    """Give a busy clone."""
    return SimpleNamespace(
        **{"label": label, "placed_since": since, "occupant": 1, "second": None, "dying": False, "parked": False}
        | members
    )


def test_median() -> None:
    """Half of the runs decide, however long some of them take."""
    pace = Pace()
    quick: Any = clone("quick", 1.0)
    for took in (1.0, *[0.001, 0.001, 9.0] * 60):
        pace.learn("quick", took)
    soonest: Any = pace.soon_free([quick])
    assert soonest is quick
    for took in [0.001, 9.0, 9.0] * 60:
        pace.learn("quick", took)
    assert pace.soon_free([quick]) is None


def test_soon_free() -> None:
    """The one whose run began first, if it is known to be quick, does not wait, and has nobody behind it."""
    pace = Pace()
    pace.learn("quick", 0.001)
    pace.learn("slow", 1.0)
    late, early = clone("quick", 2.0), clone("quick", 1.0)
    others = [
        clone("slow", 0.0),
        clone("unknown", 0.0),
        clone("quick", 0.0, occupant=None),
        clone("quick", 0.0, second=1),
        clone("quick", 0.0, dying=True),
        clone("quick", 0.0, parked=True),
    ]
    assert pace.soon_free([late, *others, early]) is early
    assert pace.soon_free(others) is None
