"""The table of kept answers, in the database of a script."""

from __future__ import annotations

import sqlalchemy as sa

from aiwebengine.services.db.columns import LongBytes

TABLES = sa.MetaData()

answers = sa.Table(
    "_answers",
    TABLES,
    # Digests; see `features/idempotency/keys.py`.
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("request", sa.String(64), nullable=False),
    # Of the script that answered, `key_of(uri)`.
    sa.Column("script", sa.String(64), nullable=False, server_default=""),
    sa.Column("at", sa.BigInteger, nullable=False),
    # 0: it was streamed.
    sa.Column("status", sa.Integer, nullable=False),
    # JSON: pairs of name and value.
    sa.Column("headers", sa.Text, nullable=False),
    # NULL: it was not kept.
    sa.Column("body", LongBytes, nullable=True),
    sa.Index("_answers_script", "script"),
    sa.Index("_answers_at", "at"),
)
