"""The tables of what a script stores, in its database."""

from __future__ import annotations

import sqlalchemy as sa

from aiwebengine.services.db.columns import ExactText, LongText

TABLES = sa.MetaData()

NAME_LENGTH = 255
"""Most characters of a key under which a script stores something."""

spaces = sa.Table(
    "_spaces",
    TABLES,
    # `key_of` of the script's URI.
    sa.Column("script", sa.String(64), primary_key=True),
    sa.Column("entries", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
)

entries = sa.Table(
    "_entries",
    TABLES,
    # `key_of` of the script's URI.
    sa.Column("script", sa.String(64), primary_key=True),
    # `kv`, `shared`, or `user:` and `key_of` of the user's id.
    sa.Column("area", sa.String(80), primary_key=True),
    # `key_of` of `name`.
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("name", ExactText(NAME_LENGTH), nullable=False),
    # JSON in `kv`, plain text elsewhere.
    sa.Column("value", LongText, nullable=False),
    # Changes with every write; never given twice.
    sa.Column("version", sa.String(96), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    # NULL: never.
    sa.Column("expires_at", sa.BigInteger, nullable=True),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Index("_entries_by_name", "script", "area", "name"),
    sa.Index("_entries_expires_at", "expires_at"),
)
