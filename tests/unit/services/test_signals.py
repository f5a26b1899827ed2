"""Things that several wait for."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.services.signals import Latch, Pulse


class SignalTests(SynchronousTestCase):
    def test_pulse(self):
        """Those who wait are told once, and who comes later the next time."""
        pulse = Pulse()
        first, second = pulse.wait(), pulse.wait()
        pulse.fire()
        self.successResultOf(first)
        self.successResultOf(second)
        third = pulse.wait()
        self.assertNoResult(third)
        pulse.fire(Failure(ValueError("no")))
        self.failureResultOf(third, ValueError)

    def test_gives_up(self):
        """One that gives up is told nothing, and the others are."""
        pulse = Pulse()
        first, second = pulse.wait(), pulse.wait()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertEqual(len(pulse), 1)
        pulse.fire()
        self.successResultOf(second)

    def test_latch(self):
        """Who comes after it has happened is told at once, also of a failure."""
        latch, broken = Latch(), Latch()
        waiting = latch.wait()
        latch.fire()
        self.successResultOf(waiting)
        self.successResultOf(latch.wait())
        broken.fire(Failure(ValueError("no")))
        for _ in range(2):
            self.failureResultOf(broken.wait(), ValueError)

    def test_told_by_whom_it_tells(self):
        """Who waits again from inside is not told twice."""
        pulse = Pulse()
        again = []
        pulse.wait().addCallback(lambda _: again.append(pulse.wait()))
        pulse.fire()
        self.assertNoResult(again[0])
        pulse.fire()
        self.successResultOf(again[0])
