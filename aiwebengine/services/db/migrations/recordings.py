"""Recordings, and what is to be recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.db.migrations.calls import rename_in_recordings
from aiwebengine.services.db.migrations.columns import LONG_BYTES, ROW_ID

if TYPE_CHECKING:
    from alembic.operations import Operations


def _make(op: Operations) -> None:
    """Make everything."""
    op.create_table(
        "recordings",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("invocation", sa.String(64), nullable=False, unique=True),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("uri", sa.String(255), nullable=False),
        sa.Column("version", sa.String(320), nullable=False),
        sa.Column("label", sa.String(500), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("document", LONG_BYTES, nullable=False),
        sa.Index("recordings_key_id", "key", "id"),
    )
    op.create_table(
        "recording_rules",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("uri", sa.String(255), nullable=False),
        sa.Column("path", sa.String(1024), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("every", sa.Integer, nullable=False),
    )


RECORDINGS = MigrationChain(
    name="recordings",
    steps=(
        Step(revision="0001", upgrade=_make, formerly="e0003"),
        Step(revision="0002", upgrade=rename_in_recordings),
    ),
)
