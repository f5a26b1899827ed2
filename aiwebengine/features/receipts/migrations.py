"""How the tables of kept receipts and of budgets came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.db.migrations.columns import LONG_TEXT, ROW_ID

if TYPE_CHECKING:
    from alembic.operations import Operations


def _make_receipts(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "receipts",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("uri", sa.String(255), nullable=False),
        sa.Column("version", sa.String(320), nullable=False),
        sa.Column("invocation", sa.String(64), nullable=False, index=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("label", sa.String(500), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("why", sa.String(8), nullable=False),
        sa.Column("wall_us", sa.BigInteger, nullable=False),
        sa.Column("queued_us", sa.BigInteger, nullable=False),
        sa.Column("cpu_us", sa.BigInteger, nullable=False),
        sa.Column("peak", sa.BigInteger, nullable=False),
        sa.Column("bytes_out", sa.BigInteger, nullable=False),
        sa.Column("log_lines", sa.BigInteger, nullable=False),
        sa.Column("log_bytes", sa.BigInteger, nullable=False),
        sa.Column("host_calls", LONG_TEXT, nullable=False),
        sa.Index("receipts_key_id", "key", "id"),
    )


def _count_rows(op: Operations) -> None:
    """Keep how many rows were read and written."""
    op.add_column("receipts", sa.Column("row_count", sa.BigInteger, nullable=False, server_default="0"))


def _keep_traces(op: Operations) -> None:
    """Keep which trace an invocation belongs to."""
    op.add_column("receipts", sa.Column("trace", sa.String(32), nullable=False, server_default=""))


def _make_budget_use(op: Operations) -> None:
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


RECEIPTS = MigrationChain(
    name="receipts",
    steps=(
        Step(revision="0001", upgrade=_make_receipts, formerly="e0002"),
        Step(revision="0002", upgrade=_count_rows, formerly="e0004"),
        Step(revision="0003", upgrade=_keep_traces),
    ),
)

BUDGETS = MigrationChain(
    name="budgets",
    steps=(Step(revision="0001", upgrade=_make_budget_use, formerly="e0002"),),
)
