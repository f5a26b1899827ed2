"""Budgets as people write them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.settings.budgets import RESOURCES, Budget, read_budget


class BudgetTests(SynchronousTestCase):
    """`read_budget`."""

    def test_forms(self) -> None:
        """An amount in the unit of the resource, and a stretch of time; told back as people would say it."""
        for word, text, most, seconds, message in (
            ("hostCalls", "1000/1m", 1000, 60, "1000 host calls a minute"),
            ("invocations", "5 / 1h", 5, 3600, "5 invocations an hour"),
            ("logLines", "7/2d", 7, 172_800, "7 log lines in 2 days"),
            ("cpu", "1.5s/1m", 1_500_000, 60, "1.5 s of processor time a minute"),
            ("bytesOut", "1KB/90s", 1000, 90, "1000 bytes of answers in 90 s"),
            ("bytesOut", "12/1d", 12, 86_400, "12 bytes of answers a day"),
        ):
            budget = read_budget(text, RESOURCES[word])
            self.assertEqual(budget, Budget(resource=RESOURCES[word].name, most=most, seconds=seconds), text)
            self.assertEqual(str(budget), message)

    def test_nonsense(self) -> None:
        """What is no budget is none."""
        for text in (
            "",
            "1000",
            "/1m",
            "1000/",
            "x/1m",
            "1.5/1m",
            "-1/1m",
            "0/1m",
            "1/1s",
            "1/100d",
            5,
            None,
            "1/1m/1m",
        ):
            self.assertIsNone(read_budget(text, RESOURCES["hostCalls"]), text)
