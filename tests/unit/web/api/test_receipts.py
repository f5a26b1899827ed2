"""Receipts over HTTP."""

from __future__ import annotations

from aiwebengine.values import CallCost, Receipt
from tests.support.fakes.invocations import an_invocation
from tests.unit.web.api.support import ApiTestCase


class ReceiptTests(ApiTestCase):
    def keep(self, outcome: str = "committed", wall: float = 0.01) -> None:
        """Keep one."""
        invocation = an_invocation(payload="null", label="GET /notes")
        receipt = Receipt(
            invocation="i1", wall_seconds=wall, cpu_seconds=0.005, host_calls={}, bytes_out=3, outcome=outcome
        )
        self.receipts.keep(invocation, receipt)

    def test_read(self) -> None:
        """Figures of the routes, the last receipts and the kept ones are there, newest first."""
        self.keep()
        self.keep("script_failed")
        status, answer = self.ask("GET", "script/receipts", uri="notes")
        self.assertEqual((status, answer["uri"], answer["since"]), (200, "notes", 2_000_000))
        (route,) = answer["routes"]
        self.assertEqual((route["label"], route["count"], route["errors"]), ("GET /notes", 2, {"script_failed": 1}))
        self.assertEqual([receipt["outcome"] for receipt in answer["recent"]], ["script_failed", "committed"])
        self.assertEqual(
            [(receipt["outcome"], receipt["why"]) for receipt in answer["kept"]], [("script_failed", "failed")]
        )

    def test_budgets(self) -> None:
        """What is used of the budgets is told, and a script can be given new ones."""
        invocation = an_invocation(payload="null")
        calls = {"a": CallCost(count=5)}
        self.budgets.count(invocation, Receipt("i1", 0.1, 0.1, calls, 0, "committed"))
        (budget,) = self.ask("GET", "script/receipts", uri="notes")[1]["budgets"]
        self.assertEqual((budget["budget"], budget["used"]), ("5 host calls a minute", 5))
        self.assertIsNotNone(self.budgets.refusal(invocation))
        self.assertEqual(self.ask("DELETE", "script/budgets", uri="notes")[0], 204)
        self.assertIsNone(self.budgets.refusal(invocation))

    def test_pages(self) -> None:
        """Kept ones are read page by page, and by how they ended."""
        for outcome in ("a", "b", "c"):
            self.keep(outcome)
        _, answer = self.ask("GET", "script/receipts", uri="notes", limit=2)
        self.assertEqual(([receipt["outcome"] for receipt in answer["kept"]], len(answer["recent"])), (["c", "b"], 2))
        _, answer = self.ask("GET", "script/receipts", uri="notes", limit=2, before=answer["next"])
        self.assertEqual(([receipt["outcome"] for receipt in answer["kept"]], answer["next"]), (["a"], None))
        _, answer = self.ask("GET", "script/receipts", uri="notes", outcome="b")
        self.assertEqual([receipt["outcome"] for receipt in answer["kept"] + answer["recent"]], ["b", "b"])

    def test_nothing(self) -> None:
        """A script that never ran has no figures; a bad parameter is a clear 400."""
        _, answer = self.ask("GET", "script/receipts", uri="none", limit=0)
        self.assertEqual((answer["routes"], answer["recent"], answer["kept"], answer["next"]), ([], [], [], None))
        for query in ({"uri": "a", "limit": 1001}, {}, {"uri": "a", "kept": "x"}):
            self.assertEqual(self.ask("GET", "script/receipts", **query)[0], 400)
