"""
Assets: files that scripts and people store beside the scripts, by path.

The bytes lie in the same store by content as the scripts' own files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from aiwebengine.errors import Invalid, TooLarge
from aiwebengine.scripts.versions import AssetChange, AssetPut, AssetRemove
from aiwebengine.services.db import asset_rows
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.tables import URI_LENGTH

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
        """Give the media type."""
        return self.info.type


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

    def check(self, path: str, content_type: str, content: bytes) -> AssetPut:
        """
        Give what may be stored.

        Raises:
            Invalid: The path or the type breaks a rule.
            TooLarge: The content does.
        """
        if not path or len(path) > URI_LENGTH:
            raise Invalid(f"An asset's path has 1 to {URI_LENGTH} characters; this one has {len(path)}.")
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
            raise Invalid("An asset's path holds no control characters.")
        content_type = content_type or _DEFAULT_TYPE
        if len(content_type) > URI_LENGTH or not _TYPE.fullmatch(content_type):
            raise Invalid(f'An asset\'s type must be a media type such as "image/png"; it is "{content_type[:80]}".')
        if len(content) > self._max_bytes:
            raise TooLarge(f"An asset has at most {self._max_bytes:,} bytes; this one has {len(content):,}.")
        return AssetPut(path=path, type=content_type, content=content)

    async def list_all(self) -> list[AssetInfo]:
        """Read all, ordered by path."""
        rows = await self._database.read(asset_rows.every)
        return [_info(row) for row in rows]

    async def get(self, path: str) -> Asset | None:
        """Read one; None if there is none."""
        found = await self._database.read(lambda connection: asset_rows.one(connection, path))
        return None if found is None else Asset(info=_info(found[0]), content=found[1])

    async def apply(self, changes: Sequence[AssetChange]) -> Sequence[bool]:
        """
        Make all *changes* in one transaction, or none.

        Returns:
            For each: whether an asset was added, or removed.

        Raises:
            Unavailable: The database does not answer or is full.
        """
        now = self._milliseconds()

        def work(connection: Connection) -> list[bool]:
            return [apply_asset(connection, change, now) for change in changes]

        return await self._database.run(work)


def apply_asset(connection: Connection, change: AssetChange, now: int) -> bool:
    """Make one change inside a transaction of the caller; tell whether an asset was added, or removed."""
    if isinstance(change, AssetRemove):
        return asset_rows.remove(connection, change.path)
    return asset_rows.put(connection, path=change.path, content_type=change.type, content=change.content, now=now)


def _info(row: Any) -> AssetInfo:
    return AssetInfo(path=row.path, type=row.type, digest=row.digest, size_bytes=row.size, updated_at=row.updated_at)
