"""The tables of kept receipts and of budgets, in the evidence database."""

from __future__ import annotations

import sqlalchemy as sa

from aiwebengine.services.db.columns import URI_LENGTH, Id, LongText

TABLES = sa.MetaData()

receipts = sa.Table(
    "receipts",
    TABLES,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("uri", sa.String(URI_LENGTH), nullable=False),
    sa.Column("version", sa.String(320), nullable=False),
    sa.Column("invocation", sa.String(64), nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("label", sa.String(500), nullable=False),
    sa.Column("outcome", sa.String(32), nullable=False),
    # `failed`, `slow` or `sampled`.
    sa.Column("why", sa.String(8), nullable=False),
    sa.Column("wall_us", sa.BigInteger, nullable=False),
    sa.Column("queued_us", sa.BigInteger, nullable=False),
    sa.Column("cpu_us", sa.BigInteger, nullable=False),
    sa.Column("peak", sa.BigInteger, nullable=False),
    sa.Column("bytes_out", sa.BigInteger, nullable=False),
    sa.Column("log_lines", sa.BigInteger, nullable=False),
    sa.Column("log_bytes", sa.BigInteger, nullable=False),
    sa.Column("row_count", sa.BigInteger, nullable=False, server_default="0"),
    # JSON: {name: [count, microseconds, bytes of arguments, bytes of answers]}.
    sa.Column("host_calls", LongText, nullable=False),
    # Of a trusted client's request; empty for none.
    sa.Column("trace", sa.String(32), nullable=False, server_default=""),
    sa.Index("receipts_key_id", "key", "id"),
)

budget_use = sa.Table(
    "budget_use",
    TABLES,
    sa.Column("key", sa.String(64), primary_key=True),
    # See `settings/budgets.py`.
    sa.Column("resource", sa.String(16), primary_key=True),
    # Length of the window.
    sa.Column("seconds", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("uri", sa.String(URI_LENGTH), nullable=False),
    # When the window began.
    sa.Column("begins", sa.BigInteger, nullable=False, index=True),
    # In the smallest unit: microseconds of processor time, else a count.
    sa.Column("used", sa.BigInteger, nullable=False),
)
