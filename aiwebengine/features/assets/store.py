"""
Assets: files that scripts and people store beside the scripts, by path.

The bytes lie in the same store by content as the scripts' own files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aiwebengine.errors import Invalid, TooLarge
from aiwebengine.features.assets.tables import assets
from aiwebengine.services.db import blobs
from aiwebengine.services.db.columns import URI_LENGTH, key_of
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.units import Transaction

_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(\s*;[\x20-\x7e]*)?")
_DEFAULT_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetInfo:
    """An asset without its bytes."""

    path: str
    type: str
    """Media type, as it was given."""
    digest: str
    """SHA-256 of the content."""
    size_bytes: int
    updated_at: int
    """Milliseconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An asset with its bytes."""

    info: AssetInfo
    content: bytes

    @property
    def type(self) -> str:
        """Return the media type."""
        return self.info.type


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAsset:
    """An asset that was checked and may be stored."""

    path: str
    type: str
    """Media type."""
    content: bytes


class AssetStore:
    """
    What is kept of assets.

    Args:
        database: The main one.
        milliseconds: The server's clock, since 1970.
        max_bytes: Largest asset.
    """

    def __init__(self, *, database: Database, milliseconds: Callable[[], int], max_bytes: int) -> None:
        self._database = database
        self._milliseconds = milliseconds
        self._max_bytes = max_bytes

    def check(self, path: str, content_type: str, content: bytes) -> NewAsset:
        """
        Return what may be stored.

        Raises:
            Invalid: The path or the type breaks a rule.
            TooLarge: The content does.
        """
        if not path or len(path) > URI_LENGTH:
            raise Invalid(f"An asset's path has 1 to {URI_LENGTH} characters; this one has {len(path)}.")
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
            raise Invalid("An asset's path must not contain control characters.")
        content_type = content_type or _DEFAULT_TYPE
        if len(content_type) > URI_LENGTH or not _TYPE.fullmatch(content_type):
            raise Invalid(f'An asset\'s type must be a media type such as "image/png"; it is "{content_type[:80]}".')
        if len(content) > self._max_bytes:
            raise TooLarge(f"An asset has at most {self._max_bytes:,} bytes; this one has {len(content):,}.")
        return NewAsset(path=path, type=content_type, content=content)

    async def list_all(self) -> list[AssetInfo]:
        """Read all, ordered by path."""
        rows = await self._database.read(_every)
        return [_info(row) for row in rows]

    async def list_paths(self) -> list[str]:
        """Return the paths of all, in order."""
        return [info.path for info in await self.list_all()]

    async def get(self, path: str) -> Asset | None:
        """Read one; None if there is none."""
        found = await self._database.read(lambda connection: _one(connection, path))
        return None if found is None else Asset(info=_info(found[0]), content=found[1])

    async def store(self, new: NewAsset) -> bool:
        """
        Store an asset; True if there was none at its path.

        Raises:
            Unavailable: The database does not answer or is full.
        """
        now = self._milliseconds()
        return await self._database.run(lambda connection: put(connection, new, now=now))

    async def remove(self, path: str) -> bool:
        """
        Remove an asset; False if there was none.

        Raises:
            Unavailable: The database does not answer or is full.
        """
        return await self._database.run(lambda connection: remove(connection, path))

    def write(self, transaction: Transaction, changes: Mapping[str, NewAsset | None]) -> None:
        """Store and remove (None) assets inside a transaction of the caller."""
        for path, asset in changes.items():
            if asset is None:
                remove(transaction.connection, path)
            else:
                put(transaction.connection, asset, now=transaction.now)


def _every(connection: Connection) -> list[Any]:
    """Return all rows, ordered by path."""
    return list(connection.execute(sa.select(assets).order_by(assets.c.path)).all())


def _one(connection: Connection, path: str) -> tuple[Any, bytes] | None:
    """Return a row and its bytes; None if there is none."""
    row = connection.execute(sa.select(assets).where(assets.c.key == key_of(path))).first()
    if row is None:
        return None
    return row, blobs.get(connection, [row.digest])[row.digest]


def put(connection: Connection, new: NewAsset, *, now: int) -> bool:
    """Store an asset inside a transaction of the caller; True if there was none at its path."""
    digest = blobs.digest_of(new.content)
    blobs.put(connection, {digest: new.content})
    values = {"type": new.type, "digest": digest, "size": len(new.content), "updated_at": now}
    key = key_of(new.path)
    before = connection.execute(sa.select(assets.c.digest).where(assets.c.key == key)).scalar()
    if before is None:
        connection.execute(sa.insert(assets).values(key=key, path=new.path, **values))
        return True
    connection.execute(sa.update(assets).where(assets.c.key == key).values(**values))
    if before != digest:
        blobs.drop_unused(connection, [before])
    return False


def remove(connection: Connection, path: str) -> bool:
    """Remove an asset inside a transaction of the caller; False if there was none."""
    key = key_of(path)
    digest = connection.execute(sa.select(assets.c.digest).where(assets.c.key == key)).scalar()
    if digest is None:
        return False
    connection.execute(sa.delete(assets).where(assets.c.key == key))
    blobs.drop_unused(connection, [digest])
    return True


def _info(row: Any) -> AssetInfo:
    return AssetInfo(path=row.path, type=row.type, digest=row.digest, size_bytes=row.size, updated_at=row.updated_at)
