"""
What the tables of the engine and of its features have in common.

Keys are short because MySQL indexes 3,072 bytes at most, and strings that people chose
(URIs, paths) are found by their SHA-256 in `key`, because databases differ in whether
`A` equals `a`.  Times are milliseconds since 1970.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

URI_LENGTH = 255
"""Most characters of a script's URI and of a path."""
LONG = 2**30 - 1
"""Most characters of a long text: MySQL counts four bytes for each, and allows 4 GiB."""

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# MySQL makes LONGTEXT and LONGBLOB of these.  Its own types would load SQLAlchemy's MySQL modules in every server.
LongText = sa.Text().with_variant(sa.Text(LONG), "mysql", "mariadb")
LongBytes = sa.LargeBinary().with_variant(sa.LargeBinary(LONG), "mysql", "mariadb")


def ExactText(length: int) -> sa.types.TypeEngine[str]:
    """Return a text column that compares and sorts by code points on every database."""
    return (
        sa.String(length)
        .with_variant(sa.String(length, collation="utf8mb4_bin"), "mysql", "mariadb")
        .with_variant(sa.String(length, collation="C"), "postgresql")
    )


def key_of(text: str) -> str:
    """Return the column `key` for a URI or a path."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
