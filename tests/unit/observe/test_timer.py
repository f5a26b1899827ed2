"""A timer fires once for each time that it is started."""

from __future__ import annotations

from twisted.internet.task import Clock

from aiwebengine.observe.timer import Timer


def test_fires_once() -> None:
    """However often it is started before it fires, it fires once, after its time, and can be started again."""
    clock, fired = Clock(), []
    timer = Timer(clock=clock, seconds=2.0, call=lambda: fired.append(clock.seconds()))
    timer.start()
    clock.advance(1.0)
    timer.start()
    assert timer.running
    clock.advance(1.0)
    assert (fired, timer.running) == ([2.0], False)
    timer.start()
    clock.advance(2.0)
    assert fired == [2.0, 4.0]


def test_stopped() -> None:
    """A stopped timer does not fire and leaves no call behind; stopping one that does not run does nothing."""
    clock, fired = Clock(), []
    timer = Timer(clock=clock, seconds=2.0, call=lambda: fired.append(1))
    timer.stop()
    timer.start()
    timer.stop()
    assert (clock.getDelayedCalls(), timer.running) == ([], False)
    clock.advance(5.0)
    assert fired == []


def test_started_by_its_own_call() -> None:
    """What it calls may start it again, as what is done every so often does."""
    clock, fired = Clock(), []

    def call() -> None:
        fired.append(clock.seconds())
        timer.start()

    timer = Timer(clock=clock, seconds=1.0, call=call)
    timer.start()
    clock.pump([1.0] * 3)
    assert fired == [1.0, 2.0, 3.0]
