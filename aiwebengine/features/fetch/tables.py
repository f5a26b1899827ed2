"""The table of requests that wait to be sent, in the database of a script."""

from __future__ import annotations

import sqlalchemy as sa

from aiwebengine.services.db.columns import URI_LENGTH, LongText

TABLES = sa.MetaData()

deliveries = sa.Table(
    "_fetch_deliveries",
    TABLES,
    # The unit that requested it, and its position there; also the idempotency key.
    sa.Column("id", sa.String(128), primary_key=True),
    # `key_of` of the script's URI.
    sa.Column("script", sa.String(64), nullable=False),
    sa.Column("uri", sa.String(URI_LENGTH), nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    # JSON; see `deliveries/held.py`.
    sa.Column("request", LongText, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    # `waiting` or `failed`: it is not tried again unless that is requested.
    sa.Column("state", sa.String(8), nullable=False),
    # Not to be tried before.
    sa.Column("next_at", sa.BigInteger, nullable=False),
    # What the last attempt came to; empty: there was none.
    sa.Column("error", sa.String(500), nullable=False),
    sa.Index("_fetch_deliveries_due", "state", "next_at"),
)
