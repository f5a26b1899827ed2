"""The only place that uses threads."""

from __future__ import annotations

import threading

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Unavailable
from aiwebengine.services.threads import Threads
from tests.support.fakes.threads import ThreadsInTurn


class LateReactor(Clock):
    """Keeps what threads hand over until the test takes it."""

    def __init__(self):
        super().__init__()
        self.came = []
        self.arrived = threading.Semaphore(0)

    def callFromThread(self, function, *args, **kwargs):
        self.came.append((function, args, kwargs))
        self.arrived.release()

    def deliver(self):
        assert self.arrived.acquire(timeout=10)
        function, args, kwargs = self.came.pop(0)
        function(*args, **kwargs)


class ThreadsTests(SynchronousTestCase):
    def setUp(self):
        self.reactor = LateReactor()
        self.threads = Threads(reactor=self.reactor, name="test", size=2, waiting=1, wait_seconds=5.0)

    def test_result_and_thread(self):
        """What blocks runs in another thread and its result comes back on the reactor."""
        self.threads.startService()
        done = self.threads.run(lambda a, b: (threading.current_thread(), a + b), 1, b=2)
        self.assertNoResult(done)
        self.reactor.deliver()
        thread, total = self.successResultOf(done)
        self.assertIsNot(thread, threading.current_thread())
        # A process that ends without stopping its services must not wait for its threads.
        self.assertTrue(thread.daemon)
        self.assertEqual(total, 3)
        self.successResultOf(self.threads.stopService())

    def test_failure(self):
        """What a function raises reaches whoever asked."""
        self.threads.startService()
        done = self.threads.run(int, "x")
        self.reactor.deliver()
        self.failureResultOf(done, ValueError)
        self.successResultOf(self.threads.stopService())

    def test_stop_waits(self):
        """Stopping waits for what runs, twice over."""
        for _ in range(2):
            self.threads.startService()
            gate = threading.Event()
            done = self.threads.run(gate.wait, 10)
            stopped = self.threads.stopService()
            self.assertNoResult(stopped)
            gate.set()
            self.reactor.deliver()
            self.reactor.deliver()
            self.successResultOf(stopped)
            self.assertTrue(self.successResultOf(done))

    def test_bounds(self):
        """Too much work, or work for a stopped pool, is refused at once."""
        self.failureResultOf(self.threads.run(int), Unavailable)
        self.threads.startService()
        gate = threading.Event()
        first = [self.threads.run(gate.wait, 10) for _ in range(3)]
        self.failureResultOf(self.threads.run(int), Unavailable)
        state = self.threads.state()
        self.assertEqual((state["open"], state["running"], state["waiting"], state["refused"]), (3, 2, 1, 1))
        gate.set()
        for _ in first:
            self.reactor.deliver()
        for done in first:
            self.successResultOf(done)
        self.successResultOf(self.threads.stopService())

    def test_hanging_threads(self):
        """While a pool hangs, what waits for it is refused after a while, and another pool goes on."""
        other = Threads(reactor=self.reactor, name="other", size=1)
        self.threads.startService()
        other.startService()
        gate = threading.Event()
        hanging = [self.threads.run(gate.wait, 10) for _ in range(2)]
        waits = self.threads.run(int, "1")
        self.reactor.advance(4.9)
        self.assertNoResult(waits)
        goes_on = other.run(int, "2")
        self.reactor.deliver()
        self.assertEqual(self.successResultOf(goes_on), 2)
        self.reactor.advance(0.2)
        refused = self.failureResultOf(waits, Unavailable)
        self.assertIsNotNone(refused.value.retry_seconds)
        gate.set()
        for _ in hanging:
            self.reactor.deliver()
        again = self.threads.run(int, "3")
        self.reactor.deliver()
        self.assertEqual(self.successResultOf(again), 3)
        for pool in (self.threads, other):
            self.successResultOf(pool.stopService())

    def test_stop_leaves_what_hangs(self):
        """A function that hangs does not keep the server from stopping."""
        self.threads.startService()
        gate = threading.Event()
        self.threads.run(gate.wait, 10)
        stopped = self.threads.stopService()
        self.reactor.advance(4.9)
        self.assertNoResult(stopped)
        self.reactor.advance(0.2)
        self.successResultOf(stopped)
        gate.set()
        self.reactor.deliver()
        self.reactor.deliver()

    def test_cancelled_waiter(self):
        """A caller that goes away does not disturb the thread it left."""
        self.threads.startService()
        done = self.threads.run(int)
        done.addErrback(lambda _: None)
        done.cancel()
        self.reactor.deliver()
        self.assertEqual(self.threads.state()["open"], 0)
        self.successResultOf(self.threads.stopService())


class FakeTests(SynchronousTestCase):
    def test_fake_keeps_the_promise(self):
        """The stand-in gives results and failures as the real pool does, when told."""
        threads = ThreadsInTurn(at_once=False)
        good, bad = threads.run(int, "3"), threads.run(int, "x")
        self.assertNoResult(good)
        self.assertTrue(threads.step())
        self.assertEqual(self.successResultOf(good), 3)
        self.assertTrue(threads.step())
        self.failureResultOf(bad, ValueError)
        self.assertFalse(threads.step())
