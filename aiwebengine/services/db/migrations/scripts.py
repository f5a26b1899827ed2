"""Scripts, their versions and their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.db.migrations.calls import rename_in_journals
from aiwebengine.services.db.migrations.columns import LONG_BYTES, LONG_TEXT, ROW_ID
from aiwebengine.services.db.migrations.registered import list_entries

if TYPE_CHECKING:
    from alembic.operations import Operations


def _make(op: Operations) -> None:
    """Make everything."""
    op.create_table(
        "scripts",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("uri", sa.String(255), nullable=False),
        sa.Column("current", sa.Integer, nullable=True),
        sa.Column("last_number", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "blobs",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("packing", sa.String(8), nullable=False),
        sa.Column("data", LONG_BYTES, nullable=False),
    )
    op.create_table(
        "versions",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("script", ROW_ID, sa.ForeignKey("scripts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("version", sa.String(320), nullable=False, unique=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("entry", sa.String(255), nullable=False),
        sa.Column("manifest", LONG_TEXT, nullable=False),
        sa.Column("grants", LONG_TEXT, nullable=False),
        sa.Column("registered", LONG_TEXT, nullable=False),
        sa.Column("warnings", LONG_TEXT, nullable=False),
        sa.Column("toolchain", sa.String(255), nullable=False),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("message", sa.String(1000), nullable=False),
        sa.Column("deployed_at", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("script", "number", name="versions_script_number"),
    )
    op.create_table(
        "version_files",
        sa.Column("version", ROW_ID, sa.ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("path", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), sa.ForeignKey("blobs.digest"), nullable=False, index=True),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "script_events",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("script", ROW_ID, sa.ForeignKey("scripts.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer, nullable=True),
        sa.Column("author", sa.String(255), nullable=False),
        sa.Column("message", sa.String(1000), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def _keep_origins(op: Operations) -> None:
    """Keep where a version was deployed from."""
    op.add_column("versions", sa.Column("origin", sa.String(500), nullable=False, server_default=""))


SCRIPTS = MigrationChain(
    name="scripts",
    steps=(
        Step(revision="0001", upgrade=_make, formerly="m0001"),
        Step(revision="0002", upgrade=list_entries),
        Step(revision="0003", upgrade=rename_in_journals),
        Step(revision="0004", upgrade=_keep_origins),
    ),
)
