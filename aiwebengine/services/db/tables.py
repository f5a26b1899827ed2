"""
The engine's tables.

Two databases: `MAIN` holds what must survive (scripts, versions, assets, what scripts store), `EVIDENCE`
holds what happened (log lines, receipts), apart so that writing it never waits for a script's
transaction nor makes one wait.

Keys are short because MySQL indexes 3,072 bytes at most, and texts that people chose
(URIs, paths) are found by their SHA-256 in `key`, because databases differ in whether
`A` equals `a`.  Times are milliseconds since 1970.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

MAIN = sa.MetaData()
EVIDENCE = sa.MetaData()

URI_LENGTH = 255
"""Most characters of a script's URI and of a path."""

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
NAME_LENGTH = 255
"""Most characters of a key under which a script stores something."""


def ExactText(length: int) -> sa.types.TypeEngine[str]:
    """Return a text column that compares and sorts by code points on every database."""
    return (
        sa.String(length)
        .with_variant(mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
        .with_variant(sa.String(length, collation="C"), "postgresql")
    )


LongText = sa.Text().with_variant(mysql.LONGTEXT, "mysql", "mariadb")
LongBytes = sa.LargeBinary().with_variant(mysql.LONGBLOB, "mysql", "mariadb")

scripts = sa.Table(
    "scripts",
    MAIN,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("uri", sa.String(URI_LENGTH), nullable=False),
    # The number of the version that serves; NULL when deleted.
    sa.Column("current", sa.Integer, nullable=True),
    # The highest number ever given, so that a version's id never names two things.
    sa.Column("last_number", sa.Integer, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)

versions = sa.Table(
    "versions",
    MAIN,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("script", Id, sa.ForeignKey("scripts.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    # `Bundle.version`.
    sa.Column("version", sa.String(320), nullable=False, unique=True),
    # Content address of files, entry and manifest.
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("entry", sa.String(URI_LENGTH), nullable=False),
    sa.Column("manifest", LongText, nullable=False),
    sa.Column("grants", LongText, nullable=False),
    # What it registered: see `scripts/versions.py`.
    sa.Column("registered", LongText, nullable=False),
    sa.Column("warnings", LongText, nullable=False),
    sa.Column("toolchain", sa.String(255), nullable=False),
    sa.Column("author", sa.String(255), nullable=False),
    sa.Column("message", sa.String(1000), nullable=False),
    sa.Column("deployed_at", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("script", "number", name="versions_script_number"),
)

version_files = sa.Table(
    "version_files",
    MAIN,
    sa.Column("version", Id, sa.ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    # `file` (the author's), `bundle`, `map` or `replay`.
    sa.Column("role", sa.String(8), nullable=False),
    sa.Column("path", sa.String(URI_LENGTH), nullable=False),
    sa.Column("digest", sa.String(64), sa.ForeignKey("blobs.digest"), nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
)

blobs = sa.Table(
    "blobs",
    MAIN,
    # SHA-256 of the content, in hexadecimal.
    sa.Column("digest", sa.String(64), primary_key=True),
    # `raw` or `zlib`: how `data` holds it.
    sa.Column("packing", sa.String(8), nullable=False),
    sa.Column("data", LongBytes, nullable=False),
)

script_events = sa.Table(
    "script_events",
    MAIN,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("script", Id, sa.ForeignKey("scripts.id", ondelete="CASCADE"), nullable=False, index=True),
    # `deploy`, `rollback` or `delete`.
    sa.Column("action", sa.String(16), nullable=False),
    # The version that serves since; NULL after a deletion.
    sa.Column("number", sa.Integer, nullable=True),
    sa.Column("author", sa.String(255), nullable=False),
    sa.Column("message", sa.String(1000), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)

assets = sa.Table(
    "assets",
    MAIN,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("path", sa.String(URI_LENGTH), nullable=False),
    sa.Column("type", sa.String(255), nullable=False),
    sa.Column("digest", sa.String(64), sa.ForeignKey("blobs.digest"), nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)

units = sa.Table(
    "units",
    MAIN,
    # A unit of work that was committed: see `units.py`.
    sa.Column("id", sa.String(96), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
)

outbox = sa.Table(
    "outbox",
    MAIN,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    # With `ordinal` the name under which a receiver knows that it has seen a message before.
    sa.Column("unit", sa.String(96), nullable=False),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("payload", LongText, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    # Not to be tried before.
    sa.Column("next_at", sa.BigInteger, nullable=False, index=True),
    sa.UniqueConstraint("unit", "ordinal", name="outbox_unit_ordinal"),
)

spaces = sa.Table(
    "spaces",
    MAIN,
    # `key_of` of the script's URI.
    sa.Column("script", sa.String(64), primary_key=True),
    sa.Column("entries", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
)

entries = sa.Table(
    "entries",
    MAIN,
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
    sa.Column("expires_at", sa.BigInteger, nullable=True, index=True),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Index("entries_by_name", "script", "area", "name"),
)

script_files = sa.Table(
    "script_files",
    MAIN,
    # `key_of` of the script's URI.
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("uri", sa.String(URI_LENGTH), nullable=False),
    # When something in its outbox is due; see `script_index.py`.
    sa.Column("due_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("deleting", sa.Boolean, nullable=False),
)

script_logs = sa.Table(
    "script_logs",
    EVIDENCE,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("uri", sa.String(URI_LENGTH), nullable=False),
    sa.Column("version", sa.String(320), nullable=False),
    sa.Column("invocation", sa.String(64), nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    # 10 debug, 20 info, 30 warn, 40 error.
    sa.Column("level", sa.SmallInteger, nullable=False),
    sa.Column("message", LongText, nullable=False),
    sa.Column("fields", LongText, nullable=False),
    # `committed` or an error's code; NULL while the invocation runs, or if the server died with it.
    sa.Column("outcome", sa.String(32), nullable=True),
    sa.Index("script_logs_key_id", "key", "id"),
)

receipts = sa.Table(
    "receipts",
    EVIDENCE,
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
    sa.Index("receipts_key_id", "key", "id"),
)

answers = sa.Table(
    "answers",
    MAIN,
    # Digests; see `features/idempotency/keys.py`.
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("request", sa.String(64), nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False, index=True),
    # 0: it was streamed.
    sa.Column("status", sa.Integer, nullable=False),
    # JSON: pairs of name and value.
    sa.Column("headers", sa.Text, nullable=False),
    # NULL: it was not kept.
    sa.Column("body", LongBytes, nullable=True),
)

budget_use = sa.Table(
    "budget_use",
    EVIDENCE,
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


recordings = sa.Table(
    "recordings",
    EVIDENCE,
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
    EVIDENCE,
    # `key_of` of script and route.
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("uri", sa.String(URI_LENGTH), nullable=False),
    sa.Column("path", sa.String(1024), nullable=False),
    sa.Column("mode", sa.String(8), nullable=False),
    sa.Column("every", sa.Integer, nullable=False),
)


def key_of(text: str) -> str:
    """Return the column `key` for a URI or a path."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
