"""
Content-addressed bytes: the same file in fifty versions is stored once.

These are functions of a connection, to be used inside a transaction of the caller.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from aiwebengine.services.db.tables import blobs, version_files

CHUNK = 400
"""Most values of one IN: SQLite builds exist that take 999 in all."""

PACK_FROM = 1024
"""Shorter content is not worth packing."""


def digest_of(content: bytes) -> str:
    """Return the address of *content*."""
    return hashlib.sha256(content).hexdigest()


def put(connection: Connection, contents: Mapping[str, bytes]) -> None:
    """Store what is not stored yet; keys are addresses."""
    if not contents:
        return
    known: set[str] = set()
    for part in _parts(contents):
        known.update(connection.execute(sa.select(blobs.c.digest).where(blobs.c.digest.in_(part))).scalars())
    rows = [_row(digest, content) for digest, content in contents.items() if digest not in known]
    if rows:
        connection.execute(sa.insert(blobs), rows)


def get(connection: Connection, digests: Iterable[str]) -> dict[str, bytes]:
    """Read several; one that is missing is missing in the answer."""
    contents: dict[str, bytes] = {}
    for part in _parts(digests):
        query = sa.select(blobs.c.digest, blobs.c.packing, blobs.c.data).where(blobs.c.digest.in_(part))
        for row in connection.execute(query):
            contents[row.digest] = zlib.decompress(row.data) if row.packing == "zlib" else bytes(row.data)
    return contents


def drop_unused(connection: Connection, digests: Iterable[str]) -> int:
    """
    Remove those of *digests* that nothing refers to any longer; return how many.

    The database itself knows who refers to them, by foreign keys: also a table of a feature that is left out today.
    """
    removed = 0
    column = version_files.c.digest
    for part in _parts(set(digests)):
        used = set(connection.execute(sa.select(column).where(column.in_(part)).distinct()).scalars())
        for digest in part:
            if digest not in used:
                removed += _drop(connection, digest)
    return removed


def _drop(connection: Connection, digest: str) -> int:
    try:
        with connection.begin_nested():
            return connection.execute(sa.delete(blobs).where(blobs.c.digest == digest)).rowcount
    except IntegrityError:
        return 0


def _row(digest: str, content: bytes) -> dict[str, object]:
    if len(content) >= PACK_FROM:
        packed = zlib.compress(content, 1)
        if len(packed) < len(content):
            return {"digest": digest, "packing": "zlib", "data": packed}
    return {"digest": digest, "packing": "raw", "data": content}


def _parts(values: Iterable[str]) -> Iterator[Sequence[str]]:
    rest = iter(values)
    while part := list(islice(rest, CHUNK)):
        yield part
