"""How many fresh processes are kept ready."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.runtime.processes.stock import LEAST_READY, Stock, StockLimit


class StockTests(SynchronousTestCase):
    """By the rate at which requests arrive, within what all scripts may have."""

    def arrive(self, stock: Stock, *, rate: int, seconds: float, since: float = 0.0) -> float:
        """Have requests arrive evenly; return when the last one did."""
        count = round(rate * seconds)
        for number in range(count):
            stock.arrived(since + number / rate, ready=True)
        return since + (count - 1) / rate

    def test_at_first(self) -> None:
        """Without requests only a few are ready."""
        self.assertEqual(Stock(StockLimit(100)).wanted(5.0), LEAST_READY)

    def test_rate(self) -> None:
        """As many more are ready as requests arrive in a tenth of a second."""
        for rate, more in ((20, 2), (100, 10), (500, 50)):
            stock = Stock(StockLimit(100))
            now = self.arrive(stock, rate=rate, seconds=5)
            self.assertApproximates(stock.rate(now), rate, rate / 10 + 1)
            self.assertApproximates(stock.wanted(now), LEAST_READY + more, 1 + more / 10)

    def test_shrinks(self) -> None:
        """When no more requests arrive, few are ready after some seconds."""
        stock = Stock(StockLimit(100))
        now = self.arrive(stock, rate=200, seconds=3)
        self.assertGreater(stock.wanted(now), 15)
        self.assertLess(stock.wanted(now + 2), 8)
        self.assertEqual(stock.wanted(now + 10), LEAST_READY)

    def test_limit(self) -> None:
        """Scripts share what may be kept ready beyond a few of each, and get what another does not need any more."""
        limit = StockLimit(12)
        first, second = Stock(limit), Stock(limit)
        now = self.arrive(first, rate=100, seconds=3)
        self.assertEqual(first.wanted(now), LEAST_READY + 10)
        self.arrive(second, rate=100, seconds=3)
        self.assertEqual(second.wanted(now), LEAST_READY + 2)
        self.assertEqual(limit.state(), {"most": 12, "granted": 12})
        first.end()
        self.assertEqual(second.wanted(now), LEAST_READY + 10)

    def test_counts(self) -> None:
        """It is counted for how many requests one was ready."""
        stock = Stock(StockLimit(0))
        stock.arrived(1.0, ready=True)
        stock.arrived(1.0, ready=False)
        stock.arrived(1.0, ready=False)
        self.assertEqual((stock.taken, stock.missed), (1, 2))
