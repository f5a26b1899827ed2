"""How the tables of what scripts store came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.db.migrations.columns import EXACT_TEXT, LONG_TEXT

if TYPE_CHECKING:
    from alembic.operations import Operations


def _make(op: Operations) -> None:
    """Make everything."""
    op.create_table(
        "spaces",
        sa.Column("script", sa.String(64), primary_key=True),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column("script", sa.String(64), primary_key=True),
        sa.Column("area", sa.String(80), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("name", EXACT_TEXT, nullable=False),
        sa.Column("value", LONG_TEXT, nullable=False),
        sa.Column("version", sa.String(96), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=True, index=True),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Index("entries_by_name", "script", "area", "name"),
    )


STORAGE = MigrationChain(
    name="storage",
    steps=(Step(revision="0001", upgrade=_make, formerly="m0002"),),
)
