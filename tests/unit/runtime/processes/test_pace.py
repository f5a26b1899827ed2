"""How long runs usually take is learned from them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from aiwebengine.runtime.processes.child import CloneLife, CloneWork
from aiwebengine.runtime.processes.pace import Pace
from aiwebengine.runtime.processes.socket_queue import SocketQueue


def clone(label: str, since: float, **members: Any) -> Any:
    """Return a busy clone."""
    queue: SocketQueue[str] = SocketQueue()
    for kind in members.pop("waiting", ()):
        queue.follow(kind, quick=kind == "quick")
    data = {"label": label, "begun_at": since, "work": CloneWork.BUSY, "life": CloneLife.LIVE, "queue": queue}
    return SimpleNamespace(**data | members)


def test_median() -> None:
    """Half of the runs decide, however long some of them take."""
    pace = Pace()
    quick: Any = clone("quick", 1.0)
    for took in (1.0, *[0.001, 0.001, 9.0] * 60):
        pace.learn("quick", took, cpu_seconds=0.0, lingered=False)
    assert pace.soon_free([quick], 1.001, most=2) == quick
    for took in [0.001, 9.0, 9.0] * 60:
        pace.learn("quick", took, cpu_seconds=0.0, lingered=False)
    assert pace.soon_free([quick], 1.001, most=2) is None


def test_waiting_ones_are_long() -> None:
    """Runs that wait count as long, however soon they are over, and not for ever."""
    pace = Pace()
    quick = clone("a", 1.0)
    pace.learn("a", 0.0, cpu_seconds=0.0, lingered=True)
    assert pace.soon_free([quick], 1.0, most=2) is None
    for _ in range(60):
        pace.learn("a", 0.001, cpu_seconds=0.0, lingered=False)
    assert pace.soon_free([quick], 1.0, most=2) is quick


def test_soon_free() -> None:
    """The one whose run began first, if it is quick, not late, does not linger, and has room behind it."""
    pace = Pace()
    pace.learn("quick", 0.001, cpu_seconds=0.0, lingered=False)
    pace.learn("slow", 1.0, cpu_seconds=0.0, lingered=False)
    early: Any = clone("quick", 8.002)
    later = clone("quick", 8.003)
    others = [
        clone("slow", 8.001),
        clone("unknown", 8.001),
        clone("quick", 7.9),
        clone("quick", 8.001, work=CloneWork.IDLE),
        clone("quick", 8.001, waiting=["quick", "quick"]),
        clone("quick", 8.001, waiting=["slow"]),
        clone("quick", 8.001, life=CloneLife.ENDING),
        clone("quick", 8.001, work=CloneWork.LINGERING),
    ]
    assert pace.soon_free([later, *others, early], 8.004, most=2) is early
    assert pace.soon_free(others, 8.004, most=2) is None


def test_shortest_wait() -> None:
    """The fewest that wait decide before the earliest beginning, and all before a run must be quick together."""
    pace = Pace()
    pace.learn("quick", 0.0015, cpu_seconds=0.0, lingered=False)
    behind_two = clone("quick", 8.001, waiting=["quick", "quick"])
    behind_one = clone("quick", 8.002, waiting=["quick"])
    assert pace.soon_free([behind_two, behind_one], 8.004, most=7) is behind_one
    assert pace.soon_free([behind_two], 8.004, most=7) is behind_two
    behind_three = clone("quick", 8.001, waiting=["quick", "quick", "quick"])
    assert pace.soon_free([behind_three], 8.004, most=7) is None
    assert (pace.is_quick("quick"), pace.is_quick("unknown")) == (True, False)


def test_light() -> None:
    """What takes little of a processor is light, however long it takes; what is not known is not."""
    pace = Pace()
    for _ in range(40):
        pace.learn("light", 0.004, cpu_seconds=0.0002, lingered=False)
        pace.learn("heavy", 0.004, cpu_seconds=0.004, lingered=False)
        pace.learn("untold", 0.004, cpu_seconds=0.0, lingered=False)
    assert [pace.is_light(label) for label in ("light", "heavy", "untold", "unknown")] == [True, False, False, False]
