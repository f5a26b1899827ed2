"""The feature `receipts`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature

FEATURE = Feature(
    name="receipts",
    parts="aiwebengine.features.receipts.parts:build",
    summary="What invocations cost, and budgets over time.",
    guide="docs/howto/read-a-receipt.md",
)
