"""How the table of assets came to be; their content is stored with the blobs of scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.db.columns import key_of
from aiwebengine.services.db.migrations.columns import ROW_ID

if TYPE_CHECKING:
    from alembic.operations import Operations


def _make(op: Operations) -> None:
    """Make the table."""
    op.create_table(
        "assets",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("path", sa.String(255), nullable=False),
        sa.Column("type", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), sa.ForeignKey("blobs.digest"), nullable=False, index=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )


def _own(op: Operations) -> None:
    """
    Add the owners of assets.

    They belong to the one script that serves with the right to store assets. If several do, it is unknown which of them
    has stored which, and they belong to none.
    """
    op.add_column("assets", sa.Column("owner", sa.String(255), nullable=False, server_default=""))
    op.add_column("assets", sa.Column("owner_key", sa.String(64), nullable=False, server_default=""))
    op.add_column("assets", sa.Column("path_key", sa.String(64), nullable=False, server_default=""))
    connection = op.get_bind()
    granted = connection.execute(
        sa.text(
            "SELECT scripts.uri, versions.grants FROM scripts JOIN versions"
            " ON versions.script = scripts.id AND versions.number = scripts.current"
        )
    )
    owners = [row.uri for row in granted if "assets" in json.loads(row.grants)]
    owner = owners[0] if len(owners) == 1 else ""
    for row in connection.execute(sa.text("SELECT id, path FROM assets")).all():
        connection.execute(
            sa.text(
                "UPDATE assets SET key = :key, owner = :owner, owner_key = :owner_key, path_key = :path_key"
                " WHERE id = :id"
            ),
            {
                "key": key_of(f"{owner}\n{row.path}"),
                "owner": owner,
                "owner_key": key_of(owner),
                "path_key": key_of(row.path),
                "id": row.id,
            },
        )
    op.create_index("ix_assets_owner_size", "assets", ["owner_key", "size"])
    op.create_index("ix_assets_path_key", "assets", ["path_key"])


ASSETS = MigrationChain(
    name="assets",
    steps=(
        Step(revision="0001", upgrade=_make, formerly="m0001"),
        Step(revision="0002", upgrade=_own),
    ),
)
