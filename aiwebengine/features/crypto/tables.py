"""The table of the secret with which keys are sealed, in the main database."""

from __future__ import annotations

import sqlalchemy as sa

TABLES = sa.MetaData()

sealing = sa.Table(
    "crypto_sealing",
    TABLES,
    # Always 1.
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    # 32 random bytes, in hexadecimal.
    sa.Column("secret", sa.String(64), nullable=False),
)
