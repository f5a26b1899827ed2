"""What an engine gets of receipts and budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiwebengine.features.receipts.api import ReceiptList
from aiwebengine.features.receipts.budgets import Budgets
from aiwebengine.features.receipts.receipts import Receipts
from aiwebengine.features.receipts.settings import BudgetSettings, ReceiptSettings
from aiwebengine.features.receipts.store import DatabaseReceiptRows
from aiwebengine.features.receipts.use_store import DatabaseUseRows
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.ports import BUDGETS
from aiwebengine.values import ConsolePage, Invocation, Receipt
from aiwebengine.web.handover import HandoverParticipant


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base, current = machinery.base, machinery.current

    def of_manifest(uri: str) -> Mapping[str, Sequence[str]]:
        active = current.registry.scripts.get(uri)
        return active.budgets if active is not None else {}

    receipts = Receipts(
        rows=DatabaseReceiptRows(database=base.evidence),
        settings=base.settings.of(ReceiptSettings),
        clock=base.reactor,
        seconds=base.seconds,
    )
    budgets = Budgets(
        rows=DatabaseUseRows(database=base.evidence),
        settings=base.settings.of(BudgetSettings),
        of_manifest=of_manifest,
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
    machinery.ports.offer(BUDGETS, budgets)
    machinery.hooks.ended.append(keep)
    return Parts(
        services=[("receipts", receipts), ("budgets", budgets)],
        api=[ReceiptList(receipts=receipts, budgets=budgets)],
        pages=[
            ConsolePage(
                name="receipts",
                title="Receipts",
                summary="What the invocations of a script cost, and what it has used of its budgets.",
                path="/engine/api/script/receipts",
                parameters=("uri",),
                command="receipts",
            )
        ],
        state={"receipts": receipts.state, "budgets": budgets.state},
        # What was used so far is written for the successor to read.
        handing=[HandoverParticipant(begin=budgets.flush)],
    )
