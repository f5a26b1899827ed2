"""So many at a time, so many that wait, no longer than a while."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.services.bulkhead import Bulkhead, BulkheadFull


class BulkheadTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.bulkhead = Bulkhead(name="thing", places=2, waiting=3, wait_seconds=5.0, clock=self.clock)
        self.begun = []

    def ask(self, name):
        def work():
            done = Deferred()
            self.begun.append((name, done))
            return done

        return self.bulkhead.run(work)

    def end(self, result=None):
        self.begun.pop(0)[1].callback(result)

    def names(self):
        return [name for name, _ in self.begun]

    def test_order(self):
        """What waits begins in the order in which it came, one for each place that becomes free."""
        asked = [self.ask(name) for name in "abcd"]
        self.assertEqual(self.names(), ["a", "b"])
        self.end("A")
        self.assertEqual(self.successResultOf(asked[0]), "A")
        self.assertEqual(self.names(), ["b", "c"])
        self.begun.pop(0)[1].errback(KeyError())
        self.failureResultOf(asked[1], KeyError)
        self.assertEqual(self.names(), ["c", "d"])
        self.end("C")
        self.end("D")
        self.assertEqual([self.successResultOf(call) for call in asked[2:]], ["C", "D"])
        self.assertEqual(self.bulkhead.figures(), {"running": 0, "waiting": 0, "refused": 0})
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_full(self):
        """Beyond its length the queue takes nobody."""
        for name in "abcde":
            self.ask(name)
        refused = self.failureResultOf(self.ask("f"), BulkheadFull)
        self.assertIsNotNone(refused.value.retry_seconds)
        self.assertEqual(self.bulkhead.figures(), {"running": 2, "waiting": 3, "refused": 1})

    def test_waits_end(self):
        """Who has waited enough is refused and never begun; who came later waits on."""
        self.ask("a"), self.ask("b")
        third = self.ask("c")
        self.clock.advance(3.0)
        fourth = self.ask("d")
        self.clock.advance(2.0)
        self.failureResultOf(third, BulkheadFull)
        self.assertNoResult(fourth)
        self.end()
        self.assertEqual(self.names(), ["b", "d"])
        self.clock.advance(10.0)
        self.assertNoResult(fourth)

    def test_cancelled_in_the_queue(self):
        """Who gives up leaves the queue; who gives up later cancels the work."""
        self.ask("a"), self.ask("b")
        third, fourth = self.ask("c"), self.ask("d")
        third.cancel()
        self.failureResultOf(third, CancelledError)
        self.end()
        self.assertEqual(self.names(), ["b", "d"])
        fourth.cancel()
        self.failureResultOf(fourth, CancelledError)
        self.assertEqual(self.bulkhead.running, 1)

    def test_ends_at_once(self):
        """A long queue of work that ends at once does not nest."""
        bulkhead = Bulkhead(name="thing", places=1, waiting=5000, wait_seconds=5.0, clock=self.clock)
        gate = Deferred()
        bulkhead.run(lambda: gate)
        asked = [bulkhead.run(lambda: succeed(1)) for _ in range(5000)]
        gate.callback(None)
        self.assertEqual(sum(self.successResultOf(call) for call in asked), 5000)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_raises(self):
        """Work that raises gives its place back."""

        def work():
            raise KeyError

        self.failureResultOf(self.bulkhead.run(work), KeyError)
        self.assertEqual(self.bulkhead.running, 0)

    def test_enter(self):
        """A place can be taken at once and given back, unless there is none or others wait for one."""
        leave = self.bulkhead.enter()
        self.ask("a")
        self.assertIsNone(self.bulkhead.enter())
        self.ask("b")
        self.assertEqual(self.names(), ["a"])
        assert leave is not None
        leave()
        self.assertEqual(self.names(), ["a", "b"])
        self.end()
        self.end()
        self.assertEqual(self.bulkhead.running, 0)
