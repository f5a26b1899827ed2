"""How the table of kept answers came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.db.migrations.aside import set_aside
from aiwebengine.services.db.migrations.columns import LONG_BYTES
from aiwebengine.services.db.moving import MovedTable

if TYPE_CHECKING:
    from alembic.operations import Operations


def _make(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "answers",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("body", LONG_BYTES, nullable=True),
    )


def _own(op: Operations) -> None:
    """Add the scripts whose answers they are; those that are there belong to none, and are removed for their age."""
    op.add_column("answers", sa.Column("script", sa.String(64), nullable=False, server_default=""))
    op.create_index("ix_answers_script", "answers", ["script"])


def _make_own(op: Operations) -> None:
    """Make the table in the database of a script."""
    op.create_table(
        "_answers",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("script", sa.String(64), nullable=False, server_default=""),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("body", LONG_BYTES, nullable=True),
        sa.Index("_answers_script", "script"),
        sa.Index("_answers_at", "at"),
    )


def _move(op: Operations) -> None:
    """Let each script have them in its own database."""
    set_aside(op, "answers")


IDEMPOTENCY = MigrationChain(
    name="idempotency",
    steps=(
        Step(revision="0001", upgrade=_make, formerly="m0003"),
        Step(revision="0002", upgrade=_own),
        Step(revision="0003", upgrade=_move),
    ),
)
"""Of the main database, where it lay once."""

OWN_IDEMPOTENCY = MigrationChain(name="idempotency", steps=(Step(revision="0001", upgrade=_make_own),), reserved=True)
"""Of the database of a script."""

MOVED = (
    MovedTable(
        former="answers", name="_answers", columns=("key", "request", "script", "at", "status", "headers", "body")
    ),
)
