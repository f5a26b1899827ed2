"""How the tables of recordings and of what is to be recorded came to be."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import sqlalchemy as sa

from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.db.migrations.calls import rewritten
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


def _rename_calls(op: Operations) -> None:
    """Rewrite every recording, so that it can be replayed."""
    table = sa.table("recordings", sa.column("id", sa.BigInteger), sa.column("document", sa.LargeBinary))
    connection = op.get_bind()
    for identity in connection.execute(sa.select(table.c.id)).scalars().all():
        packed = connection.execute(sa.select(table.c.document).where(table.c.id == identity)).scalar_one()
        before = zlib.decompress(packed)
        after = rewritten(before)
        if after != before:
            connection.execute(sa.update(table).where(table.c.id == identity).values(document=zlib.compress(after, 1)))


RECORDINGS = MigrationChain(
    name="recordings",
    steps=(
        Step(revision="0001", upgrade=_make, formerly="e0003"),
        Step(revision="0002", upgrade=_rename_calls),
    ),
)
