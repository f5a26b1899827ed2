"""A connection's time-out."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.web.http.idle import IdleTimeout


class Timed(IdleTimeout):
    """Counts how often it timed out."""

    def __init__(self, clock: Clock) -> None:
        self.seconds = clock.seconds
        self.clock = clock
        self.count = 0

    def callLater(self, period: float, func: Callable[[], object]) -> IDelayedCall:
        """See `TimeoutMixin.callLater`."""
        return self.clock.callLater(period, func)

    def timed_out(self) -> None:
        """See `IdleTimeout`."""
        self.count += 1


class IdleTimeoutTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.timed = Timed(self.clock)
        self.timed.setTimeout(10)

    def test_quiet(self) -> None:
        """When nothing happens it is over after its time, once."""
        self.clock.advance(9.9)
        self.assertEqual(self.timed.count, 0)
        self.clock.advance(0.1)
        self.assertEqual(self.timed.count, 1)
        self.clock.advance(100)
        self.assertEqual((self.timed.count, self.clock.getDelayedCalls()), (1, []))

    def test_something_happens(self) -> None:
        """The time counts from what happened last, and its length stays what it was."""
        for _ in range(7):
            self.clock.advance(6)
            self.timed.resetTimeout()
        self.clock.pump([9.5])
        self.assertEqual((self.timed.count, self.timed.timeOut), (0, 10))
        self.clock.advance(0.5)
        self.assertEqual((self.timed.count, self.timed.timeOut), (1, 10))

    def test_another_length(self) -> None:
        """A new length counts from when it is set; None stands for ever."""
        self.clock.advance(9)
        self.assertEqual(self.timed.setTimeout(5), 10)
        self.clock.advance(4.9)
        self.assertEqual(self.timed.count, 0)
        self.clock.advance(0.1)
        self.assertEqual(self.timed.count, 1)
        self.timed.setTimeout(5)
        self.timed.setTimeout(None)
        self.clock.advance(100)
        self.assertEqual((self.timed.count, self.clock.getDelayedCalls()), (1, []))
