"""`GET /engine/api/script/receipts`, `DELETE /engine/api/script/budgets`: what the invocations of a script cost."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from aiwebengine.features.receipts.budgets import Budgets
from aiwebengine.features.receipts.receipts import Receipts
from aiwebengine.scripts.package import check_uri
from aiwebengine.values import Answer
from aiwebengine.web.api.call import ApiCall, LongAnswer, nothing
from aiwebengine.web.api.route import ApiRoute

_MOST = 1000
_DEFAULT_LIMIT = 20


class ReceiptList:
    """
    Figures of routes, and receipts.

    Args:
        receipts: Knows them.
        budgets: Knows what the script has used over time.
    """

    def __init__(self, *, receipts: Receipts, budgets: Budgets) -> None:
        self._receipts = receipts
        self._budgets = budgets

    def routes(self) -> list[ApiRoute]:
        """Return what this answers."""
        return [
            ApiRoute("GET", "/engine/api/script/receipts", self.read),
            ApiRoute("DELETE", "/engine/api/script/budgets", self.reset),
        ]

    async def reset(self, call: ApiCall) -> Answer:
        """Let a script begin anew with its budgets."""
        call.only("uri")
        await self._budgets.reset(check_uri(call.required("uri")))
        return nothing()

    async def read(self, call: ApiCall) -> LongAnswer:
        """Return figures by route, the last receipts, and the newest that were kept."""
        call.only("uri", "limit", "before", "outcome")
        uri = check_uri(call.required("uri"))
        limit = call.integer("limit", least=0, most=_MOST)
        limit = _DEFAULT_LIMIT if limit is None else limit
        before = call.integer("before", least=1, most=2**63 - 1)
        outcome = call.text("outcome")
        receipts = await self._receipts.kept(uri, limit=limit, before=before, outcome=outcome) if limit else []
        recent = [record for record in self._receipts.recent(uri) if outcome in {None, record.receipt.outcome}]
        document = {
            "uri": uri,
            "since": int(self._receipts.since * 1000),
            "budgets": self._budgets.figures_of(uri),
            "next": receipts[-1].id if receipts and len(receipts) == limit else None,
        }
        figures = list(self._receipts.figures(uri).items())

        def whole() -> dict[str, Any]:
            # A route whose figures grow meanwhile is shown with the request or without it.
            return {
                **document,
                "routes": [{"label": label, **route.as_json()} for label, route in sorted(figures, key=itemgetter(0))],
                "recent": [record.as_json() for record in recent[:limit]],
                "kept": [record.as_json() for record in receipts],
            }

        return LongAnswer(whole)
