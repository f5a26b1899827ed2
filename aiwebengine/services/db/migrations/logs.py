"""The scripts' log lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.db.migrations.columns import LONG_TEXT, ROW_ID

if TYPE_CHECKING:
    from alembic.operations import Operations


def _make(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "script_logs",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("uri", sa.String(255), nullable=False),
        sa.Column("version", sa.String(320), nullable=False),
        sa.Column("invocation", sa.String(64), nullable=False, index=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("message", LONG_TEXT, nullable=False),
        sa.Column("fields", LONG_TEXT, nullable=False),
        sa.Column("outcome", sa.String(32), nullable=True),
        sa.Index("script_logs_key_id", "key", "id"),
    )


LOGS = MigrationChain(
    name="logs",
    steps=(Step(revision="0001", upgrade=_make, formerly="e0001"),),
)
