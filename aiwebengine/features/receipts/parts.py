"""What an engine gets of receipts and budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiwebengine.machinery import Machinery, Parts
from aiwebengine.observe.budgets import Budgets
from aiwebengine.observe.receipts import Receipts
from aiwebengine.services.db.receipt_rows import DatabaseReceiptRows
from aiwebengine.services.db.use_rows import DatabaseUseRows
from aiwebengine.values import Invocation, Receipt
from aiwebengine.web.api.receipts import ReceiptList
from aiwebengine.web.handover import Handing


def build(machinery: Machinery) -> Parts:
    """Build them."""
    base, current = machinery.base, machinery.current

    def asked(uri: str) -> Mapping[str, Sequence[str]]:
        active = current.registry.scripts.get(uri)
        return active.budgets if active is not None else {}

    receipts = Receipts(
        rows=DatabaseReceiptRows(database=base.evidence),
        settings=base.settings.receipts,
        clock=base.reactor,
        seconds=base.seconds,
    )
    budgets = Budgets(
        rows=DatabaseUseRows(database=base.evidence),
        settings=base.settings.budgets,
        asked=asked,
        tell=lambda invocation, line: base.logs.append(invocation, [line]),
        clock=base.reactor,
        seconds=base.seconds,
    )

    def keep(invocation: Invocation, receipt: Receipt) -> None:
        if invocation.kind != "load":
            # Who has spent all may still deploy what uses less.
            budgets.count(invocation, receipt)
        receipts.keep(invocation, receipt)

    machinery.hooks.admission.append(budgets.refusal)
    machinery.hooks.ended.append(keep)
    return Parts(
        services=[("receipts", receipts), ("budgets", budgets)],
        api=[ReceiptList(receipts=receipts, budgets=budgets)],
        state={"receipts": receipts.state, "budgets": budgets.state},
        # What was used so far is written for the successor to read.
        handing=[Handing(begin=budgets.flush)],
    )
