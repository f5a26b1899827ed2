"""Receipts are added up for every route; the telling ones are kept, within bounds."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.receipts import receipts as module
from aiwebengine.features.receipts.histogram import BOUNDS, Histogram
from aiwebengine.features.receipts.receipts import (
    FLUSH_SECONDS,
    MOST_AT_ONCE,
    RECENT,
    TRIM_SECONDS,
    Receipts,
)
from aiwebengine.features.receipts.settings import ReceiptSettings
from aiwebengine.features.receipts.store import DatabaseReceiptRows
from aiwebengine.values import CallCost, Invocation, Receipt
from aiwebengine.web.http.timing import server_timing
from tests.support.fakes.database import open_database
from tests.support.fakes.invocations import an_invocation
from tests.support.folders import temporary_folder


def invocation(label: str = "GET /a", script: str = "one") -> Invocation:
    """Return one run of a script."""
    return an_invocation(script=script, payload="null", label=label)


def receipt(outcome: str = "committed", wall: float = 0.002, **more: object) -> Receipt:
    """Return what it cost."""
    given = {"cpu_seconds": wall / 2, "host_calls": {}, "bytes_out": 10, **more}
    return Receipt(invocation="i1", wall_seconds=wall, outcome=outcome, **given)


class HistogramTests(SynchronousTestCase):
    """Percentiles from counters."""

    def test_percentiles(self) -> None:
        """A percentile is at most 45 % above what was counted, and never below it."""
        histogram = Histogram()
        self.assertEqual(histogram.percentile(50), 0.0)
        for number in range(1, 101):
            histogram.add(number / 1000)
        for percent in (50, 95, 99):
            exact = percent / 1000
            self.assertTrue(exact <= histogram.percentile(percent) <= exact * 1.45, percent)
        self.assertEqual(histogram.count, 100)

    def test_extremes(self) -> None:
        """Nothing and ages have counters too."""
        histogram = Histogram()
        histogram.add(0.0)
        self.assertEqual(histogram.percentile(99), BOUNDS[0])
        histogram.add(1e6)
        self.assertEqual(histogram.percentile(99), BOUNDS[-1])


class ReceiptsTests(SynchronousTestCase):
    """Over a real database."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.now = 5000.0
        self.database = open_database(temporary_folder(self), "evidence")
        self.rows = DatabaseReceiptRows(database=self.database)
        self.addCleanup(self.database.stopService)
        self.receipts = self.make()

    def make(self, **settings: float) -> Receipts:
        """Start a keeper."""
        made = Receipts(
            rows=self.rows,
            settings=ReceiptSettings(**settings),
            clock=self.clock,
            seconds=lambda: self.now,
        )
        made.startService()
        self.addCleanup(made.stopService)
        return made

    def kept(self, receipts: Receipts, **wanted: object) -> list[str]:
        """Return why and how the kept ones ended."""
        found = self.successResultOf(receipts.kept("one", limit=50, **wanted))
        return [f"{record.why} {record.receipt.outcome}" for record in found]

    def test_figures(self) -> None:
        """Each route has its count, errors, percentiles and sums; what was run once more counts once."""
        calls = {"kv.get": CallCost(count=3, seconds=0.001, bytes_in=9, bytes_out=5)}
        self.receipts.keep(invocation(), receipt("lost"))
        self.receipts.keep(invocation(), receipt(host_calls=calls, log_lines=2, peak_bytes=7000))
        self.receipts.keep(invocation(), receipt("script_failed", wall=0.1))
        self.receipts.keep(invocation("POST /b"), receipt())
        figures = self.receipts.figures("one")
        self.assertEqual(sorted(figures), ["GET /a", "POST /b"])
        result = figures["GET /a"].as_json()
        self.assertEqual((result["count"], result["repeated"], result["errors"]), (2, 1, {"script_failed": 1}))
        self.assertEqual(
            (result["hostCalls"], result["hostMs"], result["logLines"], result["peakBytes"]), (3, 1.0, 2, 7000)
        )
        self.assertEqual((result["cpuMs"], result["bytesOut"]), (51.0, 20))
        self.assertTrue(result["p99Ms"] >= 100 > result["p50Ms"])
        self.assertEqual(self.receipts.figures("two"), {})

    def test_recent(self) -> None:
        """The last ones are remembered, newest first, and no more than so many."""
        for number in range(RECENT + 5):
            self.now += 1
            self.receipts.keep(invocation(), receipt(wall=number / 1e6))
        recent = self.receipts.recent("one")
        self.assertEqual((len(recent), recent[0].at, recent[0].label), (RECENT, self.now, "GET /a"))
        self.assertEqual(self.receipts.recent("two"), [])

    @pytest.mark.setting("receipts.slow_seconds", "receipts.sample_every")
    def test_kept(self) -> None:
        """Failed and slow ones are kept, and one of so many others; each says why."""
        receipts = self.make(slow_seconds=0.5, sample_every=3)
        for made in (receipt(), receipt("script_failed"), receipt(), receipt(wall=0.6), receipt(), receipt()):
            receipts.keep(invocation(), made)
        self.assertEqual(
            self.kept(receipts), ["sampled committed", "slow committed", "sampled committed", "failed script_failed"]
        )
        self.assertEqual(self.kept(receipts, outcome="script_failed"), ["failed script_failed"])
        self.assertEqual(self.kept(receipts, before=2), ["failed script_failed"])

    def test_no_samples(self) -> None:
        """With a sample of 0 only failed and slow ones are kept."""
        receipts = self.make(sample_every=0)
        for _ in range(5):
            receipts.keep(invocation(), receipt())
        self.assertEqual(self.kept(receipts), [])

    def test_round_trip(self) -> None:
        """A kept one comes back with everything that was known of it."""
        calls = {"kv.get": CallCost(count=3, seconds=0.001, bytes_in=9, bytes_out=5)}
        given = receipt("script_failed", host_calls=calls, queued_seconds=0.5, peak_bytes=9, log_lines=1, log_bytes=2)
        self.receipts.keep(invocation(), given)
        (found,) = self.successResultOf(self.receipts.kept("one", limit=5))
        self.assertEqual((found.receipt, found.label, found.version), (given, "GET /a", "one@1-abc"))
        self.assertEqual(found.as_json()["hostCalls"]["kv.get"], {"count": 3, "ms": 1.0, "bytesIn": 9, "bytesOut": 5})

    def test_flood_of_failures(self) -> None:
        """A script that always fails keeps so many receipts a second, and does not push out another's."""
        for _ in range(MOST_AT_ONCE + 50):
            self.receipts.keep(invocation(), receipt("script_failed"))
        self.receipts.keep(invocation(script="two"), receipt("script_failed"))
        self.assertEqual(self.receipts.state()["waiting"], MOST_AT_ONCE + 1)
        self.assertEqual(self.receipts.state()["leftOut"], 50)
        self.clock.advance(FLUSH_SECONDS)
        self.assertEqual(self.receipts.state()["waiting"], 0)
        self.receipts.keep(invocation(), receipt("script_failed"))
        self.assertEqual(self.receipts.state()["waiting"], 1)

    def test_request_lines(self) -> None:
        """A receipt shows the request to a wildcard route; figures are added up for the route, whatever the paths."""
        for number in range(3):
            asked = invocation("GET /*")._replace(request_line=f"GET /{number}")
            self.receipts.keep(asked, receipt("script_failed"))
        self.assertEqual(list(self.receipts.figures("one")), ["GET /*"])
        self.assertEqual([record.label for record in self.receipts.recent("one")], ["GET /2", "GET /1", "GET /0"])
        found = self.successResultOf(self.receipts.kept("one", limit=5))
        self.assertEqual([record.label for record in found], ["GET /2", "GET /1", "GET /0"])

    def test_many_labels(self) -> None:
        """Labels and scripts beyond a bound share one place."""
        self.patch(module, "MOST_LABELS", 2)
        self.patch(module, "MOST_SCRIPTS", 1)
        for number in range(5):
            self.receipts.keep(invocation(f"GET /{number}"), receipt())
        self.assertEqual(sorted(self.receipts.figures("one")), ["(others)", "GET /0", "GET /1"])
        self.receipts.keep(invocation(script="two"), receipt())
        self.receipts.keep(invocation(script="three"), receipt())
        self.assertEqual(self.receipts.state()["scripts"], 2)

    @pytest.mark.setting("receipts.max_receipts")
    def test_trim(self) -> None:
        """Old ones are removed, by age and by number."""
        self.receipts = self.make(max_receipts=2, retention_days=1)
        for age in (90_000, 10, 5, 0):
            self.now = 100_000.0 - age
            self.receipts.keep(invocation(), receipt(f"e{age}"))
        self.now = 100_000.0
        self.successResultOf(self.receipts.flush())
        self.clock.advance(TRIM_SECONDS)
        self.assertEqual(self.kept(self.receipts), ["failed e0", "failed e5"])

    @pytest.mark.setting("receipts.retention_days")
    def test_retention(self) -> None:
        """A receipt is removed when it is as old as the setting says, and not before."""
        self.receipts = self.make(retention_days=1)
        for hours in (25, 23):
            self.now = 1_000_000.0 - hours * 3600
            self.receipts.keep(invocation(), receipt(f"e{hours}"))
        self.now = 1_000_000.0
        self.successResultOf(self.receipts.flush())
        self.clock.advance(TRIM_SECONDS)
        self.assertEqual(self.kept(self.receipts), ["failed e23"])

    def test_database_away(self) -> None:
        """What cannot be written is counted; nobody else is harmed."""
        self.successResultOf(self.database.stopService() or self.receipts.flush())
        self.receipts.keep(invocation(), receipt("script_failed"))
        self.successResultOf(self.receipts.flush())
        self.assertEqual(self.receipts.state()["failures"], 1)

    def test_server_timing(self) -> None:
        """The header names total, waiting, script, processor and host calls."""
        result = server_timing(receipt(wall=0.01, queued_seconds=0.005))
        self.assertEqual(result, "total;dur=15.0, queue;dur=5.0, script;dur=10.0, cpu;dur=5.0")
        calls = {"a": CallCost(count=2, seconds=0.25), "b": CallCost(count=1, seconds=0.5)}
        self.assertIn('host;dur=750.0;desc="3 host calls"', server_timing(receipt(host_calls=calls)))
