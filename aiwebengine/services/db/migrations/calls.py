"""
Host calls in journals and recordings, brought to their names in JavaScript.

    stream.send ["hi", null]                   sendStreamMessage ["hi"]
    socket.publish ["t", "aGk=", null, true]   sendSocketMessage ["t", {"base64": "aGk="}]
    kv.set ["a", 1, null]                      kv.set ["a", 1]

Arguments at the end that were left out were sent as null, and are not sent any more.  A version whose
journal asked for something else than its scripts do would not load.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.operations import Operations
    from sqlalchemy.engine import Connection

_FILES = sa.table(
    "version_files",
    *(sa.column(name, kind) for name, kind in (("version", sa.BigInteger), ("position", sa.Integer))),
    *(sa.column(name, kind) for name, kind in (("role", sa.String), ("digest", sa.String), ("size", sa.BigInteger))),
)
_BLOBS = sa.table(
    "blobs", sa.column("digest", sa.String), sa.column("packing", sa.String), sa.column("data", sa.LargeBinary)
)
_ASSETS = sa.table("assets", sa.column("digest", sa.String))
_NAMES = {
    "stream.send": "sendStreamMessage",
    "stream.sendTo": "sendStreamMessageToPath",
    "graphql.send": "sendSubscriptionMessage",
    "socket.publish": "sendSocketMessage",
}
# How many arguments are always sent, though they be null.
_NEEDED = {
    "sendStreamMessage": 1,
    "sendStreamMessageToPath": 2,
    "sendSubscriptionMessage": 2,
    "kv.get": 1,
    "kv.set": 2,
    "kv.delete": 1,
    "kv.increment": 1,
    "kv.list": 0,
}
_PACK_FROM = 1024


def rename_in_journals(op: Operations) -> None:
    """Rewrite the journal of every version, one by one: each may be large."""
    connection = op.get_bind()
    for row in connection.execute(
        sa.select(_FILES.c.version, _FILES.c.position, _FILES.c.digest).where(_FILES.c.role == "replay")
    ).all():
        blob = connection.execute(sa.select(_BLOBS).where(_BLOBS.c.digest == row.digest)).one()
        before = zlib.decompress(blob.data) if blob.packing == "zlib" else bytes(blob.data)
        after = rewritten(before)
        if after == before:
            continue
        digest = _put(connection, after)
        connection.execute(
            sa.update(_FILES)
            .where(_FILES.c.version == row.version, _FILES.c.position == row.position)
            .values(digest=digest, size=len(after))
        )
        _drop_unused(connection, row.digest)


def rewritten(content: bytes) -> bytes:
    """Return a journal, or the document of a recording, with its calls renamed; as it is if it has none."""
    document = json.loads(content) if content else None
    if not isinstance(document, dict) or not _rename(document.get("calls") or ()):
        return content
    return json.dumps(document, separators=(",", ":")).encode()


def _rename(calls: Iterable[list[Any]]) -> bool:
    """Rename calls where they stand; return whether there were any."""
    changed = False
    for call in calls:
        name, argument = call[0], call[1]
        renamed = _NAMES.get(name, name)
        if name == "socket.publish":
            shortened = _socket_message(argument)
        else:
            shortened = _shortened(argument, _NEEDED.get(renamed))
        if (renamed, shortened) != (name, argument):
            call[0], call[1] = renamed, shortened
            changed = True
    return changed


def _shortened(argument: str, needed: int | None) -> str:
    """Return arguments without those that are null at the end; the text of the others stays as it is."""
    if needed is None or not argument.endswith("null]"):
        return argument
    count = len(json.loads(argument))
    while count > needed and argument.endswith("null]"):
        argument = argument.removesuffix("null]").removesuffix(",") + "]"
        count -= 1
    return argument


def _socket_message(argument: str) -> str:
    topic, data, options, binary = json.loads(argument)
    sent = [topic, {"base64": data} if binary else data, *([options] if options is not None else [])]
    return json.dumps(sent, separators=(",", ":"))


def _put(connection: Connection, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    if connection.execute(sa.select(_BLOBS.c.digest).where(_BLOBS.c.digest == digest)).first() is None:
        packed = zlib.compress(content, 1) if len(content) >= _PACK_FROM else content
        small = len(packed) < len(content)
        row = {"digest": digest, "packing": "zlib" if small else "raw", "data": packed if small else content}
        connection.execute(sa.insert(_BLOBS).values(**row))
    return digest


def _drop_unused(connection: Connection, digest: str) -> None:
    tables = [_FILES, *([_ASSETS] if sa.inspect(connection).has_table("assets") else [])]
    if all(connection.execute(sa.select(table).where(table.c.digest == digest)).first() is None for table in tables):
        connection.execute(sa.delete(_BLOBS).where(_BLOBS.c.digest == digest))
