"""
The tables of the machinery; those of a feature stand in its own folder.

Two databases: `MAIN` holds what must survive (scripts, versions, what is to be delivered), `EVIDENCE`
holds what happened (log lines), apart so that writing it never waits for a script's transaction nor
makes one wait.

`units` and `outbox` lie in the database of each script, too, beside the tables that the script makes; so their names
begin with `_`, which those of a script cannot.
"""

from __future__ import annotations

import sqlalchemy as sa

from aiwebengine.services.db.columns import URI_LENGTH, Id, LongBytes, LongText

MAIN = sa.MetaData()
EVIDENCE = sa.MetaData()

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
    # Machine and folder, as the command line names them; empty if nobody said.
    sa.Column("origin", sa.String(500), nullable=False, server_default=""),
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

units = sa.Table(
    "_units",
    MAIN,
    # A unit of work that was committed: see `units.py`.
    sa.Column("id", sa.String(96), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("_units_at", "at"),
)

outbox = sa.Table(
    "_outbox",
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
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.Index("_outbox_next_at", "next_at"),
    sa.UniqueConstraint("unit", "ordinal", name="outbox_unit_ordinal"),
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
    # 10 debug, 20 info, 30 warn, 40 error; one more if the server itself wrote it.
    sa.Column("level", sa.SmallInteger, nullable=False),
    sa.Column("message", LongText, nullable=False),
    sa.Column("fields", LongText, nullable=False),
    # `committed` or an error's code; NULL while the invocation runs, or if the server died with it.
    sa.Column("outcome", sa.String(32), nullable=True),
    sa.Index("script_logs_key_id", "key", "id"),
)
