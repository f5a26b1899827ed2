"""Turns over what several invocations want to change."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Cancelled, Conflict
from aiwebengine.host.turns import Turns


class TurnsTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.turns = Turns(clock=self.clock, longest_seconds=5)

    def take(self, owner, *names):
        return self.turns.take(owner, frozenset(names))

    def test_first_come(self):
        """Those who want the same thing get it one after the other, in the order in which they came."""
        first, second, third = (self.take(owner, "x") for owner in "abc")
        release = self.successResultOf(first)
        self.assertNoResult(second)
        release()
        release()
        self.assertNoResult(third)
        self.successResultOf(second)()
        self.successResultOf(third)()
        self.assertEqual(self.turns.state(), {"taken": 0, "waiting": 0})

    def test_strangers(self):
        """Who wants something else waits for nobody."""
        self.successResultOf(self.take("a", "x"))
        self.successResultOf(self.take("b", "y"))

    def test_whole(self):
        """A turn over several things is taken whole, and whoever wants one of them later waits behind it."""
        release = self.successResultOf(self.take("a", "x"))
        both, later = self.take("b", "x", "y"), self.take("c", "y")
        self.assertNoResult(both)
        self.assertNoResult(later)
        release()
        self.successResultOf(both)()
        self.successResultOf(later)

    def test_barred(self):
        """Others are barred from what somebody has; the owner is not."""
        self.assertEqual(self.turns.barred("b", frozenset("x")), frozenset())
        self.successResultOf(self.take("a", "x"))
        self.assertEqual(self.turns.barred("b", frozenset("xy")), frozenset("x"))
        self.assertEqual(self.turns.barred("a", frozenset("xy")), frozenset())

    def test_too_long(self):
        """Nobody waits for ever, and the next one does not wait for who gave up."""
        self.successResultOf(self.take("a", "x"))
        second = self.take("b", "x", "y")
        third = self.take("c", "y")
        self.clock.advance(5)
        self.failureResultOf(second, Conflict)
        self.successResultOf(third)

    def test_given_up(self):
        """Who is gone leaves the queue."""
        release = self.successResultOf(self.take("a", "x"))
        second, third = self.take("b", "x"), self.take("c", "x")
        second.cancel()
        self.failureResultOf(second, Cancelled)
        release()
        self.successResultOf(third)
