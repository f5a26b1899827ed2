"""How the table of requests that wait came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.db.migrations.aside import set_aside
from aiwebengine.services.db.migrations.columns import LONG_TEXT
from aiwebengine.services.db.moving import MovedTable

if TYPE_CHECKING:
    from alembic.operations import Operations


def _make(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "fetch_deliveries",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("script", sa.String(64), nullable=False, index=True),
        sa.Column("uri", sa.String(255), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("request", LONG_TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("error", sa.String(500), nullable=False),
    )
    op.create_index("ix_fetch_deliveries_due", "fetch_deliveries", ["state", "next_at"])


def _make_own(op: Operations) -> None:
    """Make the table in the database of a script."""
    op.create_table(
        "_fetch_deliveries",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("script", sa.String(64), nullable=False),
        sa.Column("uri", sa.String(255), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("request", LONG_TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("error", sa.String(500), nullable=False),
        sa.Index("_fetch_deliveries_due", "state", "next_at"),
    )


def _move(op: Operations) -> None:
    """Let each script have them in its own database."""
    set_aside(op, "fetch_deliveries")


DELIVERIES = MigrationChain(
    name="fetch", steps=(Step(revision="0001", upgrade=_make), Step(revision="0002", upgrade=_move))
)
"""Of the main database, where it lay once."""

OWN_DELIVERIES = MigrationChain(name="fetch", steps=(Step(revision="0001", upgrade=_make_own),), reserved=True)
"""Of the database of a script."""

MOVED = (
    MovedTable(
        former="fetch_deliveries",
        name="_fetch_deliveries",
        columns=(
            "id",
            "script",
            "uri",
            "version",
            "request",
            "created_at",
            "attempts",
            "state",
            "next_at",
            "error",
        ),
    ),
)
