"""The table of assets, in the main database."""

from __future__ import annotations

import sqlalchemy as sa

from aiwebengine.services.db.columns import URI_LENGTH, Id
from aiwebengine.services.db.tables import blobs

TABLES = sa.MetaData()

assets = sa.Table(
    "assets",
    TABLES,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("path", sa.String(URI_LENGTH), nullable=False),
    sa.Column("type", sa.String(255), nullable=False),
    sa.Column("digest", sa.String(64), sa.ForeignKey(blobs.c.digest), nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)
