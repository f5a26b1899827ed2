"""How long runs usually take, and so which process will soon be free."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from aiwebengine.runtime.processes.child import CloneLife, CloneWork
from aiwebengine.runtime.processes.socket_queue import SocketQueue

_QUICK_SECONDS = 0.005
_LATE_SECONDS = 0.02
_LINGERING_SECONDS = 1.0
_LEAST_SECONDS = 0.0001
_LIGHT_CPU_SECONDS = 0.00025
_STEP = 0.1


_BUSY, _LIVE = CloneWork.BUSY, CloneLife.LIVE


class MeasuredClone(Protocol):
    """What is looked at of a clone."""

    @property
    def work(self) -> CloneWork:
        """See `child.Clone`."""

    @property
    def life(self) -> CloneLife:
        """See `child.Clone`."""

    @property
    def queue(self) -> SocketQueue[Any]:
        """See `child.Clone`."""

    @property
    def begun_at(self) -> float:
        """See `child.Clone`."""

    @property
    def label(self) -> str:
        """See `child.Clone`."""


C = TypeVar("C", bound=MeasuredClone)


class Pace:
    """What is known of one version's routes."""

    def __init__(self) -> None:
        self._usual: dict[str, float] = {}
        """By label, in seconds."""
        self._usual_cpu: dict[str, float] = {}
        """The same of processor time."""

    def learn(self, label: str, seconds: float, cpu_seconds: float, lingered: bool) -> None:  # noqa: FBT001  hot
        """
        Come nearer to what runs of this kind take: half of them less, half of them more.

        Args:
            label: What was run.
            seconds: How long it took.
            cpu_seconds: What it took of a processor; 0 if that is not known.
            lingered: It waited for others, so it counts as a long one: the next could not be queued behind it.
        """
        # No steps lead away from nothing, and a clock may be set back.
        _move_average(self._usual, label, _LINGERING_SECONDS if lingered else max(seconds, _LEAST_SECONDS))
        _move_average(self._usual_cpu, label, cpu_seconds or _LINGERING_SECONDS)

    def is_quick(self, label: str) -> bool:
        """Return whether runs of this kind are usually over so soon that others may wait behind them."""
        return self._usual.get(label, 1.0) < _QUICK_SECONDS

    def is_light(self, label: str) -> bool:
        """Return whether one process does runs of this kind as fast as the server can hand them out."""
        return self._usual_cpu.get(label, 1.0) < _LIGHT_CPU_SECONDS

    def soon_free(self, clones: Iterable[C], now: float, most: int) -> C | None:
        """
        Return the clone in whose socket a run would wait the shortest time; None if none would take it soon enough.

        Args:
            most: How many may wait in one socket.
        """
        best, fewest = None, 0
        usual = self._usual
        late = now - _LATE_SECONDS
        for clone in clones:
            if clone.work is not _BUSY or clone.begun_at <= late or clone.life is not _LIVE:
                continue
            queue = clone.queue
            before = len(queue.entries)
            if (
                (best is None or (before, clone.begun_at) < (fewest, best.begun_at))
                and usual.get(clone.label, 1.0) * (before + 1) < _QUICK_SECONDS
                and queue.room(most)
            ):
                best, fewest = clone, before
        return best


def _move_average(usual: dict[str, float], label: str, took: float) -> None:
    before = usual.get(label)
    if before is None:
        usual[label] = took
    else:
        usual[label] = before * (1 + _STEP) if took > before else before * (1 - _STEP)
