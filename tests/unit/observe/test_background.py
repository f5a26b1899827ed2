"""Work that nobody waits for."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.observe.background import Background


class BackgroundTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.background = Background(clock=self.clock)
        self.background.startService()

    def test_named_while_it_runs(self):
        """What runs is named until it ends."""
        gate = Deferred()

        async def work():
            await gate

        self.background.start("sweep", work())
        self.assertEqual(self.background.names(), ["sweep"])
        gate.callback(None)
        self.assertEqual(self.background.names(), [])
        self.successResultOf(self.background.stopService())

    def test_failure_is_logged(self):
        """A failure that nobody waits for is in the log."""

        async def work():
            raise ZeroDivisionError

        self.background.start("divide", work())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_stop_cancels(self):
        """The end of the server cancels what still runs, and is no failure."""
        ended = []

        async def work():
            try:
                await Deferred()
            except CancelledError:
                ended.append("cancelled")
                raise

        self.background.start("wait", work())
        self.successResultOf(self.background.stopService())
        self.assertEqual(ended, ["cancelled"])
        self.successResultOf(self.background.stopService())

    def test_every(self):
        """Repeated work runs each period, and never two at a time."""
        runs = []
        gates = []

        async def work():
            runs.append(self.clock.seconds())
            gates.append(Deferred())
            await gates[-1]

        self.background.every("tick", 10, work)
        self.clock.advance(10)
        self.clock.advance(10)
        self.assertEqual(runs, [10.0])
        gates[0].callback(None)
        self.clock.advance(10)
        self.assertEqual(runs, [10.0, 30.0])
        self.successResultOf(self.background.stopService())
        self.clock.advance(100)
        self.assertEqual(len(runs), 2)

    def test_shield(self):
        """Shielded work ends even if its caller goes away, and the server waits for it."""
        gate = Deferred()
        ended = []

        async def work():
            await gate
            ended.append(True)
            return 5

        waiting = self.background.shield("commit", work())
        waiting.addErrback(lambda failure: failure.trap(CancelledError))
        waiting.cancel()
        stopped = self.background.stopService()
        self.assertNoResult(stopped)
        gate.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(ended, [True])

    def test_shield_gives_the_result(self):
        """Who goes on waiting gets the result, or the failure."""

        async def good():
            return 5

        async def bad():
            raise KeyError

        self.assertEqual(self.successResultOf(self.background.shield("a", good())), 5)
        self.failureResultOf(self.background.shield("b", bad()), KeyError)

    def test_shielded_failure_is_logged(self):
        """A failure of shielded work whose caller has gone is in the log."""
        gate = Deferred()

        async def work():
            await gate
            raise KeyError

        waiting = self.background.shield("commit", work())
        waiting.addErrback(lambda failure: failure.trap(CancelledError))
        waiting.cancel()
        gate.callback(None)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
