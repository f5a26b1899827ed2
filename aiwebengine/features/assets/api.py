"""`/engine/api/assets` and `/engine/api/asset`: what is stored beside the scripts."""

from __future__ import annotations

from typing import Any

from aiwebengine.errors import Invalid, NotFound
from aiwebengine.features.assets.paths import StoredPaths
from aiwebengine.features.assets.store import NOBODY, AssetInfo, AssetStore
from aiwebengine.runtime.registry import Current
from aiwebengine.scripts.package import check_uri
from aiwebengine.values import Answer
from aiwebengine.web.api.call import ApiCall, LongAnswer, nothing
from aiwebengine.web.api.route import ApiRoute


class Assets:
    """
    Stored assets.

    Args:
        assets: Keeps them.
        stored: Where they are served.
        current: What serves.
        max_bytes: Largest asset.
    """

    def __init__(self, *, assets: AssetStore, stored: StoredPaths, current: Current, max_bytes: int) -> None:
        self._assets = assets
        self._stored = stored
        self._current = current
        self._max_bytes = max_bytes

    def routes(self) -> list[ApiRoute]:
        """Return what this answers."""
        return [
            ApiRoute("GET", "/engine/api/assets", self.list_all),
            ApiRoute("GET", "/engine/api/asset", self.read),
            ApiRoute("PUT", "/engine/api/asset", self.store, self._max_bytes),
            ApiRoute("DELETE", "/engine/api/asset", self.remove),
        ]

    async def list_all(self, call: ApiCall) -> LongAnswer:
        """List all."""
        call.only()
        listed = await self._assets.list_all()
        return LongAnswer(lambda: {"assets": [_shape(info) for info in listed]})

    async def read(self, call: ApiCall) -> Answer:
        """Return the bytes."""
        call.only("path", "uri")
        path = call.required("path")
        asset = await self._assets.get(await self._owner(call, path), path)
        if asset is None:
            raise _no_asset(path)
        headers = (
            (b"content-type", asset.info.type.encode()),
            # Whatever it is, a browser must not run it as part of this server.
            (b"content-security-policy", b"sandbox"),
            (b"x-content-type-options", b"nosniff"),
            (b"etag", f'"{asset.info.digest}"'.encode()),
        )
        return Answer(status=200, headers=headers, body=asset.content)

    async def store(self, call: ApiCall) -> Answer:
        """Store the body, for a script or for none."""
        call.only("path", "uri")
        owner = call.text("uri") or NOBODY
        registry = self._current.registry
        if owner and check_uri(owner) not in registry.scripts:
            raise NotFound(f'There is no script "{owner}".')
        put = self._assets.check(call.required("path"), call.header("content-type"), call.body())
        added = await self._assets.store(owner, put, self._stored.rivals(registry, owner, put.path))
        self._stored.add(owner, put.path)
        return Answer(status=201, headers=(), body=b"") if added else nothing()

    async def remove(self, call: ApiCall) -> Answer:
        """Remove one."""
        call.only("path", "uri")
        path = call.required("path")
        owner = await self._owner(call, path)
        if not await self._assets.remove(owner, path):
            raise _no_asset(path)
        self._stored.remove(owner, path)
        return nothing()

    async def _owner(self, call: ApiCall, path: str) -> str:
        """Return whose asset is meant: that of the script that is named, else the only one there is."""
        named = call.text("uri")
        if named:
            return check_uri(named)
        owners = await self._assets.owners(path)
        if not owners:
            raise _no_asset(path)
        if len(owners) > 1:
            listed = ", ".join(f'"{owner}"' for owner in owners if owner)
            raise Invalid(f'Several scripts have an asset "{path[:255]}": {listed}. Name one with uri=.')
        return owners[0]


def _no_asset(path: str) -> NotFound:
    return NotFound(f'There is no asset "{path[:255]}".')


def _shape(info: AssetInfo) -> dict[str, Any]:
    """Return an asset without its bytes."""
    return {
        "script": info.owner,
        "path": info.path,
        "type": info.type,
        "sizeBytes": info.size_bytes,
        "digest": info.digest,
        "updatedAt": info.updated_at,
    }
