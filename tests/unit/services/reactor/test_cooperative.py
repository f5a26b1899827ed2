"""Long work in slices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from aiwebengine.services.reactor.cooperative import CooperativeTasks


class Ticking:
    """A time that goes on by one whenever it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def _counting(tasks: CooperativeTasks, name: str, count: int, into: list[str]) -> Callable[[], None]:
    def work() -> None:
        for number in range(count):
            tasks.checkpoint()
            into.append(f"{name}{number}")

    return work


def test_short_work_is_done_at_once() -> None:
    """What fits into one slice needs no turn."""
    clock, done = Clock(), []
    tasks = CooperativeTasks(clock=clock, now=lambda: 0.0)
    tasks.start(_counting(tasks, "a", 5, done))
    assert done == ["a0", "a1", "a2", "a3", "a4"]
    assert not clock.getDelayedCalls()


def test_tasks_take_turns() -> None:
    """Each turn of the reactor has one slice of one task, and they go on in their order."""
    turns: list[Callable[[], None]] = []
    done: list[str] = []

    class Turns:
        def callLater(self, delay: float, call: Callable[[], None]) -> None:
            assert delay == 0
            turns.append(call)

    tasks = CooperativeTasks(clock=Turns(), now=Ticking(), slice_seconds=1.5)
    tasks.start(_counting(tasks, "a", 4, done))
    tasks.start(_counting(tasks, "b", 3, done))
    seen = ["".join(done)]
    while turns:
        assert len(turns) == 1
        done.clear()
        turns.pop()()
        seen.append("".join(done))
    assert seen == ["a0b0", "a1a2", "b1b2", "a3"]
    assert not tasks.paused


def test_what_a_task_starts_is_part_of_it() -> None:
    """A task within a task pauses with it."""
    clock, done = Clock(), []
    tasks = CooperativeTasks(clock=clock, now=Ticking(), slice_seconds=1.5)

    def outer() -> None:
        tasks.start(_counting(tasks, "in", 3, done))
        done.append("out")

    tasks.start(outer)
    assert done == ["in0"]
    while tasks.paused:
        clock.advance(0)
    assert done == ["in0", "in1", "in2", "out"]


def test_errors() -> None:
    """An error of the first slice is the caller's, a later one is logged, and others go on."""
    clock, done = Clock(), []
    tasks = CooperativeTasks(clock=clock, now=Ticking(), slice_seconds=0.5)

    def fail(pauses: int) -> None:
        for _ in range(pauses):
            tasks.checkpoint()
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        tasks.start(fail, 0)
    logged: list[str] = []

    def observe(event: object) -> None:
        logged.append(str(event))

    globalLogPublisher.addObserver(observe)
    try:
        tasks.start(fail, 1)
        tasks.start(_counting(tasks, "b", 2, done))
        while tasks.paused:
            clock.advance(0)
    finally:
        globalLogPublisher.removeObserver(observe)
    assert done == ["b0", "b1"]
    assert len(logged) == 1
    assert "wrong" in logged[0]


def test_checkpoint_outside() -> None:
    """Where no task runs, a checkpoint is nothing."""
    tasks = CooperativeTasks(clock=Clock(), now=Ticking())
    tasks.checkpoint()
    assert not tasks.due
