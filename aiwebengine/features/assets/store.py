"""
Assets: files that scripts and people store beside the scripts, by owner and path.

An asset belongs to the script that stored it, and no other script reads, replaces or removes it.  One that a person
stored without naming a script belongs to none: every script with the capability reads it, and it becomes the
property of the first that stores something at its path.

The bytes are in the same content-addressed store as the scripts' own files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aiwebengine.errors import Conflict, Invalid, TooLarge, TooMany
from aiwebengine.features.assets.settings import AssetSettings
from aiwebengine.features.assets.tables import asset_key, assets
from aiwebengine.services.db import blobs
from aiwebengine.services.db.columns import URI_LENGTH, key_of
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.units import Transaction

NOBODY = ""
"""The owner of what belongs to no script."""

Rivals = Mapping[str, frozenset[str]]
"""By path, the scripts whose asset of that path would be served at the same address as the one that is stored."""

_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(\s*;[\x20-\x7e]*)?")
_DEFAULT_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetInfo:
    """An asset without its bytes."""

    owner: str
    """URI of its script, or `NOBODY`."""
    path: str
    type: str
    """Media type, as it was passed."""
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
    What is stored about assets.

    Args:
        database: The main one.
        milliseconds: The server's clock, since 1970.
        max_bytes: Largest asset.
        settings: What one script may store.
    """

    def __init__(
        self, *, database: Database, milliseconds: Callable[[], int], max_bytes: int, settings: AssetSettings
    ) -> None:
        self._database = database
        self._milliseconds = milliseconds
        self._max_bytes = max_bytes
        self._settings = settings

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
        """Read all, ordered by path and owner."""
        query = sa.select(assets).order_by(assets.c.path, assets.c.owner)
        return await self._database.read(lambda connection: [_info(row) for row in connection.execute(query)])

    async def places(self) -> list[tuple[str, str]]:
        """Read owner and path of all, in the order in which they were first stored."""
        query = sa.select(assets.c.owner, assets.c.path).order_by(assets.c.id)
        return await self._database.read(
            lambda connection: [(row.owner, row.path) for row in connection.execute(query)]
        )

    async def list_paths(self, script: str) -> list[str]:
        """Return the paths of what *script* may read, in order."""
        query = sa.select(assets.c.path).where(assets.c.owner_key.in_([key_of(script), key_of(NOBODY)]))
        digests = await self._database.read(lambda connection: list(connection.execute(query).scalars()))
        return sorted(set(digests))

    async def get(self, script: str, path: str) -> Asset | None:
        """Read what *script* has at *path*, or the asset there without an owner; None if there is neither."""
        return await self._database.read(
            lambda connection: _with_content(
                connection, _find_one(connection, script, path) or _find_one(connection, "", path)
            )
        )

    async def info(self, owner: str, path: str) -> AssetInfo | None:
        """Read about one; None if its owner has none at that path."""
        return await self._database.read(lambda connection: _find_one(connection, owner, path))

    async def owners(self, path: str) -> list[str]:
        """Read who has an asset at *path*, in order."""
        query = sa.select(assets.c.owner).where(assets.c.path_key == key_of(path)).order_by(assets.c.owner)
        return await self._database.read(lambda connection: list(connection.execute(query).scalars()))

    async def store(self, owner: str, new: NewAsset, rivals: Rivals) -> bool:
        """
        Store an asset; True if its owner had none at its path.

        Raises:
            Conflict: One of *rivals* has an asset that is served at the same address.
            TooLarge, TooMany: Its owner would store too much.
            Unavailable: The database does not answer or is full.
        """
        now = self._milliseconds()
        return await self._database.run(lambda connection: self._put(connection, owner, new, rivals, now=now))

    async def remove(self, owner: str, path: str) -> bool:
        """
        Remove an asset; False if there was none.

        Raises:
            Unavailable: The database does not answer or is full.
        """
        return await self._database.run(lambda connection: remove(connection, owner, path))

    def write(
        self,
        transaction: Transaction,
        script: str,
        changes: Mapping[str, NewAsset | None],
        rivals: Mapping[str, Rivals],
    ) -> None:
        """
        Store and remove (None) assets of a script inside a transaction of the caller.

        Args:
            changes: By path.
            rivals: By path.

        Raises:
            Conflict, TooLarge, TooMany: As `store`.
        """
        connection = transaction.connection
        for path, asset in changes.items():
            if asset is not None:
                self._put(connection, script, asset, rivals.get(path, {}), now=transaction.now)
            elif not remove(connection, script, path):
                remove(connection, NOBODY, path)

    def _put(self, connection: Connection, owner: str, new: NewAsset, rivals: Rivals, *, now: int) -> bool:
        _refuse_rivals(connection, new.path, rivals)
        digest = blobs.digest_of(new.content)
        blobs.put(connection, {digest: new.content})
        values = {"type": new.type, "digest": digest, "size": len(new.content), "updated_at": now}
        key = asset_key(owner, new.path)
        before = connection.execute(sa.select(assets.c.digest, assets.c.size).where(assets.c.key == key)).first()
        if owner:
            remove(connection, NOBODY, new.path)
        if before is None:
            place = {"owner": owner, "owner_key": key_of(owner), "path": new.path, "path_key": key_of(new.path)}
            connection.execute(sa.insert(assets).values(key=key, **place, **values))
        else:
            connection.execute(sa.update(assets).where(assets.c.key == key).values(**values))
            if before.digest != digest:
                blobs.drop_unused(connection, [before.digest])
        if owner and (before is None or before.size < len(new.content)):
            self._check_total(connection, owner)
        return before is None

    def _check_total(self, connection: Connection, owner: str) -> None:
        totals = sa.select(sa.func.count(), sa.func.sum(assets.c.size)).where(assets.c.owner_key == key_of(owner))
        count, size = connection.execute(totals).one()
        settings = self._settings
        if count > settings.max_count:
            raise TooMany(f"A script stores at most {settings.max_count:,} assets (assets.max_count).")
        if size > settings.max_total_bytes:
            raise TooLarge(
                f"All assets of a script have at most {settings.max_total_bytes:,} bytes (assets.max_total_bytes)."
            )


def remove(connection: Connection, owner: str, path: str) -> bool:
    """Remove an asset inside a transaction of the caller; False if there was none."""
    key = asset_key(owner, path)
    digest = connection.execute(sa.select(assets.c.digest).where(assets.c.key == key)).scalar()
    if digest is None:
        return False
    connection.execute(sa.delete(assets).where(assets.c.key == key))
    blobs.drop_unused(connection, [digest])
    return True


def remove_all(connection: Connection, owner: str) -> None:
    """Remove everything that a script has stored, inside a transaction of the caller."""
    of_owner = assets.c.owner_key == key_of(owner)
    digests = set(connection.execute(sa.select(assets.c.digest).where(of_owner)).scalars())
    connection.execute(sa.delete(assets).where(of_owner))
    blobs.drop_unused(connection, digests)


def conflict(path: str, other: str) -> Conflict:
    """Return the error for an asset at an address that another script's asset has."""
    return Conflict(
        f'The asset "{path}" would be served at the same address as one of the script "{other}". Nothing was stored; '
        "choose another path, or give one of the scripts a basePath or hosts."
    )


def _refuse_rivals(connection: Connection, path: str, rivals: Rivals) -> None:
    if not rivals:
        return
    keys = [key_of(other) for other in rivals]
    query = sa.select(assets.c.owner, assets.c.path).where(assets.c.path_key.in_(keys))
    for row in connection.execute(query):
        if row.owner in rivals.get(row.path, ()):
            raise conflict(path, row.owner)


def _find_one(connection: Connection, owner: str, path: str) -> AssetInfo | None:
    row = connection.execute(sa.select(assets).where(assets.c.key == asset_key(owner, path))).first()
    return None if row is None else _info(row)


def _with_content(connection: Connection, info: AssetInfo | None) -> Asset | None:
    if info is None:
        return None
    return Asset(info=info, content=blobs.get(connection, [info.digest])[info.digest])


def _info(row: Any) -> AssetInfo:
    return AssetInfo(
        owner=row.owner,
        path=row.path,
        type=row.type,
        digest=row.digest,
        size_bytes=row.size,
        updated_at=row.updated_at,
    )
