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


UNITS = MigrationChain(
    name="units",
    steps=(Step(revision="0001", upgrade=_make, formerly="m0002"), Step(revision="0002", upgrade=unify_messages)),
)
