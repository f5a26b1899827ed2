"""Budgets: what is used is counted, told, refused, and kept over a restart."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import BudgetSpent
from aiwebengine.features.receipts.budgets import FLUSH_SECONDS, Budgets
from aiwebengine.features.receipts.settings import BudgetSettings
from aiwebengine.features.receipts.use_store import DatabaseUseRows
from aiwebengine.values import CallCost, Invocation, Receipt
from tests.support.fakes.database import open_database
from tests.support.fakes.invocations import an_invocation
from tests.support.folders import temporary_folder

NONE: dict[str, Any] = {"host_calls": (), "log_lines": ()}


def invocation(script: str = "one", number: int = 1) -> Invocation:
    """Return one run of a script's version."""
    return an_invocation(script=script, version=f"{script}@{number}-abc", payload="null")


def receipt(*, cpu: float = 0.0, calls: int = 0, lines: int = 0, size: int = 0, rows: int = 0) -> Receipt:
    """Return what it cost."""
    return Receipt(
        invocation="i1",
        wall_seconds=0.1,
        cpu_seconds=cpu,
        host_calls={"a": CallCost(count=calls)} if calls else {},
        bytes_out=size,
        outcome="committed",
        log_lines=lines,
        rows=rows,
    )


class BudgetsTests(SynchronousTestCase):
    """Over a real database."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.now = 6_000_030.0
        self.lines: list[tuple[str, str]] = []
        self.of_manifest: dict[str, tuple[str, ...]] = {}
        self.database = open_database(temporary_folder(self), "evidence")
        self.addCleanup(self.database.stopService)

    def make(self, **settings: Any) -> Budgets:
        """Start a keeper."""
        made = Budgets(
            rows=DatabaseUseRows(database=self.database),
            settings=BudgetSettings(**{**NONE, **settings}),
            of_manifest=lambda _: self.of_manifest,
            tell=lambda _, line: self.lines.append((line.level, line.message)),
            clock=self.clock,
            seconds=lambda: self.now,
        )
        self.successResultOf(made.startService())
        self.addCleanup(made.stopService)
        return made

    def refused(self, budgets: Budgets, script: str = "one", number: int = 1) -> str:
        """Return why a run is refused; empty if it is not."""
        error = budgets.refusal(invocation(script, number))
        return "" if error is None else str(error)

    @pytest.mark.setting("budgets.cpu_time", "budgets.log_lines", "budgets.bytes_out")
    def test_every_resource(self) -> None:
        """Each resource has its budget, and the refusal names it and when it is over."""
        for settings, cost, words in (
            ({"invocations": ("2/1m",)}, {}, "2 invocations a minute"),
            ({"cpu_time": ("2s/1m",)}, {"cpu": 1.0}, "2 s of processor time a minute"),
            ({"host_calls": ("20/1m",)}, {"calls": 10}, "20 host calls a minute"),
            ({"log_lines": ("20/1m",)}, {"lines": 10}, "20 log lines a minute"),
            ({"bytes_out": ("2KB/1m",)}, {"size": 1000}, "2000 bytes of answers a minute"),
        ):
            budgets = self.make(**settings)
            budgets.count(invocation(words), receipt(**cost))
            self.assertEqual(self.refused(budgets, words), "", words)
            budgets.count(invocation(words), receipt(**cost))
            error = budgets.refusal(invocation(words))
            assert isinstance(error, BudgetSpent), words
            self.assertIn(f"used up its budget of {words}; try again in 30 s", error.public)
            self.assertEqual(error.retry_seconds, 30.0)
            self.assertEqual(self.refused(budgets, "another"), "")

    @pytest.mark.setting("budgets.rows")
    def test_rows(self) -> None:
        """What is read and written in databases has a budget, in rows."""
        budgets = self.make(rows=("20/1m",))
        budgets.count(invocation(), receipt(rows=19, calls=1))
        self.assertEqual(self.refused(budgets), "")
        budgets.count(invocation(), receipt(rows=1, calls=1))
        self.assertIn("20 rows a minute", self.refused(budgets))

    @pytest.mark.setting("budgets.fetches", "budgets.fetch_bytes")
    def test_used_at_once(self) -> None:
        """What is used at once is counted at once, warned of, refused alone, and kept; the script goes on."""
        for resource, most, words in (
            ("fetches", "10/1h", "10 requests to other servers an hour"),
            ("fetch_bytes", "10B/1h", "10 bytes to and from other servers an hour"),
        ):
            self.lines.clear()
            budgets = self.make(**{resource: (most,)})
            for amount in (7, 1, 2):
                self.assertIsNone(budgets.spend(invocation(words), resource, amount))
            wait = 3600 - int(self.now) % 3600
            self.assertEqual([level for level, _ in self.lines], ["warn", "error"])
            self.assertIn(
                f"8{' bytes' * (resource == 'fetch_bytes')} of the budget of {words} are used", self.lines[0][1]
            )
            self.assertIn(f"Further requests to other servers are refused for {wait} s.", self.lines[1][1])
            error = budgets.spend(invocation(words, 2), resource, 1)
            assert error is not None
            self.assertIn(f"used up its budget of {words}; try again in {wait} s", error.public)
            self.assertEqual(self.refused(budgets, words, 2), "")
            self.assertEqual(budgets.state()["spent"], {})
            self.assertIsNone(budgets.spend(invocation("another"), resource, 1))
            [figures] = budgets.figures_of(words)
            self.assertEqual((figures["used"], figures["refused"]), (10, 1))
            self.successResultOf(budgets.stopService())
            self.assertIsNotNone(self.make(**{resource: (most,)}).spend(invocation(words), resource, 1))
            self.now += 3600
            self.assertIsNone(budgets.spend(invocation(words, 2), resource, 1))
            self.now -= 3600

    def test_nothing_to_use_up(self) -> None:
        """Without a budget anything may be used."""
        self.assertIsNone(self.make().spend(invocation(), "fetches", 10**9))

    def test_told(self) -> None:
        """The author is warned at eight tenths and told at the end, each once in a stretch of time."""
        budgets = self.make(host_calls=("10/1m",))
        for calls in (7, 1, 1, 1, 1):
            budgets.count(invocation(), receipt(calls=calls))
        self.assertEqual(
            self.lines,
            [
                ("warn", "8 of the budget of 10 host calls a minute are used; 30 s are left."),
                (
                    "error",
                    "The budget of 10 host calls a minute is spent: 10 were used. Requests are refused for 30 s.",
                ),
            ],
        )
        self.now += 30
        self.assertEqual(self.refused(budgets), "")
        budgets.count(invocation(), receipt(calls=100))
        self.assertEqual([level for level, _ in self.lines], ["warn", "error", "error"])

    @pytest.mark.setting("budgets.host_calls")
    def test_a_new_stretch(self) -> None:
        """When the stretch is over there is a new budget; of two that are spent the longer counts."""
        budgets = self.make(host_calls=("10/1m", "15/1h"))
        budgets.count(invocation(), receipt(calls=10))
        self.assertIn("a minute", self.refused(budgets))
        self.now += 40
        self.assertEqual(self.refused(budgets), "")
        budgets.count(invocation(), receipt(calls=10))
        self.assertIn("an hour", self.refused(budgets))
        self.now += 60
        self.assertIn("an hour", self.refused(budgets))
        self.assertEqual(budgets.state()["spent"], {"one": "15 host calls an hour"})
        self.now += 3600
        self.assertEqual(self.refused(budgets), "")
        self.assertEqual(budgets.state()["spent"], {})

    def test_restart(self) -> None:
        """A restart gives nobody a new budget."""
        budgets = self.make(host_calls=("10/1m",), invocations=("100/1d",))
        budgets.count(invocation(), receipt(calls=8))
        budgets.count(invocation(), receipt(calls=4))
        self.clock.advance(FLUSH_SECONDS)
        budgets.count(invocation(), receipt(calls=1))
        self.successResultOf(budgets.stopService())
        self.lines.clear()
        again = self.make(host_calls=("10/1m",), invocations=("100/1d",))
        self.assertIn("10 host calls a minute", self.refused(again))
        self.assertEqual([figures["used"] for figures in again.figures_of("one")], [3, 13])
        self.assertEqual(self.lines, [])
        self.now += 60
        later = self.make(host_calls=("10/1m",), invocations=("100/1d",))
        self.assertEqual(self.refused(later), "")
        self.assertEqual([figures["used"] for figures in later.figures_of("one")], [3, 0])

    def test_manifest(self) -> None:
        """A script may ask for less than the server gives, not for more; a new version does not begin anew."""
        budgets = self.make(host_calls=("10/1m",))
        self.of_manifest = {"host_calls": ("50/1m", "30/1h"), "log_lines": ("5/1m",)}
        budgets.count(invocation(), receipt(calls=9))
        self.assertEqual(
            [figures["budget"] for figures in budgets.figures_of("one")],
            ["10 host calls a minute", "30 host calls an hour", "5 log lines a minute"],
        )
        self.of_manifest = {"host_calls": ("8/1m",)}
        self.assertIn("8 host calls a minute", self.refused(budgets, number=2))
        self.of_manifest = {}
        self.assertEqual(self.refused(budgets, number=3), "")
        self.successResultOf(budgets.flush())
        budgets.count(invocation(number=3), receipt(calls=1))
        self.successResultOf(budgets.flush())
        self.assertIn("10 host calls a minute", self.refused(budgets, number=3))

    def test_reset(self) -> None:
        """Who runs the server can give a script its budgets anew, for good."""
        budgets = self.make(invocations=("1/1h",))
        budgets.count(invocation(), receipt())
        self.assertIn("1 invocations", self.refused(budgets))
        self.assertIn("1 invocations", self.refused(budgets))
        self.assertEqual(budgets.figures_of("one")[0]["refused"], 2)
        self.successResultOf(budgets.reset("one"))
        self.assertEqual(self.refused(budgets), "")
        self.successResultOf(budgets.stopService())
        self.assertEqual(self.refused(self.make(invocations=("1/1h",))), "")

    def test_no_budgets(self) -> None:
        """Without budgets nothing is counted and nobody refused."""
        budgets = self.make()
        budgets.count(invocation(), receipt(calls=10**9))
        self.assertEqual((self.refused(budgets), budgets.figures_of("one"), self.clock.getDelayedCalls()), ("", [], []))

    @pytest.mark.setting("budgets.invocations")
    def test_database_away(self) -> None:
        """What cannot be written is told in the server's log; the budgets hold all the same."""
        budgets = self.make(invocations=("1/1h",))
        stopping = self.database.stopService()
        if stopping is not None:
            self.successResultOf(stopping)
        budgets.count(invocation(), receipt())
        self.successResultOf(budgets.flush())
        self.assertIn("1 invocations", self.refused(budgets))
        self.assertEqual(budgets.state()["failures"], 1)
