"""Which scripts' files must be looked into after a start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from aiwebengine.services.db.chain import MigrationChain, Step

if TYPE_CHECKING:
    from alembic.operations import Operations


def _make(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "script_files",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("uri", sa.String(255), nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("deleting", sa.Boolean, nullable=False),
    )


SCRIPT_FILES = MigrationChain(name="script_files", steps=(Step(revision="0001", upgrade=_make),))
