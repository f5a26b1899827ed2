"""What scripts have used of their budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from aiwebengine.services.db.chain import MigrationChain, Step

if TYPE_CHECKING:
    from alembic.operations import Operations


def _make(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "budget_use",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("resource", sa.String(16), primary_key=True),
        sa.Column("seconds", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("uri", sa.String(255), nullable=False),
        sa.Column("begins", sa.BigInteger, nullable=False, index=True),
        sa.Column("used", sa.BigInteger, nullable=False),
    )


BUDGETS = MigrationChain(
    name="budgets",
    steps=(Step(revision="0001", upgrade=_make, formerly="e0002"),),
)
