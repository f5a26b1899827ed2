"""How the tables of what scripts store came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.db.migrations.aside import set_aside
from aiwebengine.services.db.migrations.columns import EXACT_TEXT, LONG_TEXT
from aiwebengine.services.db.moving import MovedTable

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


def _make_own(op: Operations) -> None:
    """Make everything in the database of a script."""
    op.create_table(
        "_spaces",
        sa.Column("script", sa.String(64), primary_key=True),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "_entries",
        sa.Column("script", sa.String(64), primary_key=True),
        sa.Column("area", sa.String(80), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("name", EXACT_TEXT, nullable=False),
        sa.Column("value", LONG_TEXT, nullable=False),
        sa.Column("version", sa.String(96), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=True),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Index("_entries_by_name", "script", "area", "name"),
        sa.Index("_entries_expires_at", "expires_at"),
    )


def _move(op: Operations) -> None:
    """Let each script have them in its own database."""
    set_aside(op, "entries", "spaces")


STORAGE = MigrationChain(
    name="storage",
    steps=(Step(revision="0001", upgrade=_make, formerly="m0002"), Step(revision="0002", upgrade=_move)),
)
"""Of the main database, where they lay once."""

OWN_STORAGE = MigrationChain(name="storage", steps=(Step(revision="0001", upgrade=_make_own),), reserved=True)
"""Of the database of a script."""

MOVED = (
    MovedTable(former="spaces", name="_spaces", columns=("script", "entries", "bytes")),
    MovedTable(
        former="entries",
        name="_entries",
        columns=("script", "area", "key", "name", "value", "version", "size", "expires_at", "updated_at"),
    ),
)
