"""The feature `receipts`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature
from aiwebengine.features.receipts.settings import BudgetSettings, ReceiptSettings

FEATURE = Feature(
    name="receipts",
    parts="aiwebengine.features.receipts.parts:build",
    summary="What invocations cost, and budgets over time.",
    settings={"receipts": ReceiptSettings, "budgets": BudgetSettings},
    commands={"receipts": "aiwebengine.features.receipts.commands:receipts"},
    migrations={
        "evidence": [
            "aiwebengine.features.receipts.migrations:RECEIPTS",
            "aiwebengine.features.receipts.migrations:BUDGETS",
        ]
    },
    guide="docs/howto/read-a-receipt.md",
)
