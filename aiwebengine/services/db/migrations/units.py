"""What was committed, and what has yet to be delivered because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.db.migrations.columns import LONG_TEXT, ROW_ID
from aiwebengine.services.db.migrations.messages import unify_messages

if TYPE_CHECKING:
    from alembic.operations import Operations


def _make(op: Operations) -> None:
    """Make everything."""
    op.create_table(
        "units",
        sa.Column("id", sa.String(96), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "outbox",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("unit", sa.String(96), nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("payload", LONG_TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False, index=True),
        sa.UniqueConstraint("unit", "ordinal", name="outbox_unit_ordinal"),
    )


def _reserve(op: Operations) -> None:
    """Give them the names that they have in the databases of scripts."""
    for table, column in (("units", "at"), ("outbox", "next_at")):
        op.drop_index(f"ix_{table}_{column}", table)
        op.rename_table(table, f"_{table}")
        op.create_index(f"_{table}_{column}", f"_{table}", [column])


def _make_own(op: Operations) -> None:
    """Make everything in the database of a script."""
    _make(op)
    _reserve(op)


UNITS = MigrationChain(
    name="units",
    steps=(
        Step(revision="0001", upgrade=_make, formerly="m0002"),
        Step(revision="0002", upgrade=unify_messages),
        Step(revision="0003", upgrade=_reserve),
    ),
)
"""Of the main database."""

OWN_UNITS = MigrationChain(name="units", steps=(Step(revision="0001", upgrade=_make_own),), reserved=True)
"""Of the database of a script."""
