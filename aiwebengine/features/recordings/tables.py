"""The tables of recordings and of what is to be recorded, in the evidence database."""

from __future__ import annotations

import sqlalchemy as sa

from aiwebengine.services.db.columns import URI_LENGTH, Id, LongBytes

TABLES = sa.MetaData()

recordings = sa.Table(
    "recordings",
    TABLES,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("invocation", sa.String(64), nullable=False, unique=True),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("uri", sa.String(URI_LENGTH), nullable=False),
    sa.Column("version", sa.String(320), nullable=False),
    sa.Column("label", sa.String(500), nullable=False),
    sa.Column("outcome", sa.String(32), nullable=False),
    # JSON, packed by zlib; see `features/recordings/recorder.py`.
    sa.Column("document", LongBytes, nullable=False),
    sa.Index("recordings_key_id", "key", "id"),
)

recording_rules = sa.Table(
    "recording_rules",
    TABLES,
    # `key_of` of script and route.
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("uri", sa.String(URI_LENGTH), nullable=False),
    sa.Column("path", sa.String(1024), nullable=False),
    sa.Column("mode", sa.String(8), nullable=False),
    sa.Column("every", sa.Integer, nullable=False),
)
