"""The table of assets, in the main database."""

from __future__ import annotations

import sqlalchemy as sa

from aiwebengine.services.db.columns import URI_LENGTH, Id, key_of
from aiwebengine.services.db.tables import blobs

TABLES = sa.MetaData()

assets = sa.Table(
    "assets",
    TABLES,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    # `asset_key` of owner and path.
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("path", sa.String(URI_LENGTH), nullable=False),
    sa.Column("type", sa.String(255), nullable=False),
    sa.Column("digest", sa.String(64), sa.ForeignKey(blobs.c.digest), nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    # URI of the script that stored it; empty if it belongs to none.
    sa.Column("owner", sa.String(URI_LENGTH), nullable=False, server_default=""),
    # `key_of` the owner.
    sa.Column("owner_key", sa.String(64), nullable=False, server_default=""),
    # `key_of` the path, which several scripts may have.
    sa.Column("path_key", sa.String(64), nullable=False, server_default="", index=True),
    # What an owner has in all is summed up from the index alone.
    sa.Index("ix_assets_owner_size", "owner_key", "size"),
)


def asset_key(owner: str, path: str) -> str:
    """Return the column `key`; neither part holds a line feed."""
    return key_of(f"{owner}\n{path}")
