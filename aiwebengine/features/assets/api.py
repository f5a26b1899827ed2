"""`/engine/api/assets` and `/engine/api/asset`: files beside the scripts."""

from __future__ import annotations

from typing import Any

from aiwebengine.errors import NotFound
from aiwebengine.features.assets.store import AssetInfo, AssetStore
from aiwebengine.values import Answer
from aiwebengine.web.api.call import ApiCall, as_json, nothing
from aiwebengine.web.api.route import ApiRoute


class Assets:
    """
    Stored assets.

    Args:
        assets: Keeps them.
        max_bytes: Largest asset.
    """

    def __init__(self, *, assets: AssetStore, max_bytes: int) -> None:
        self._assets = assets
        self._max_bytes = max_bytes

    def routes(self) -> list[ApiRoute]:
        """Return what this answers."""
        return [
            ApiRoute("GET", "/engine/api/assets", self.list_all),
            ApiRoute("GET", "/engine/api/asset", self.read),
            ApiRoute("PUT", "/engine/api/asset", self.store, self._max_bytes),
            ApiRoute("DELETE", "/engine/api/asset", self.remove),
        ]

    async def list_all(self, call: ApiCall) -> Answer:
        """List all."""
        call.only()
        return as_json({"assets": [_shape(info) for info in await self._assets.list_all()]})

    async def read(self, call: ApiCall) -> Answer:
        """Return the bytes."""
        call.only("path")
        path = call.required("path")
        asset = await self._assets.get(path)
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
        """Store the body."""
        call.only("path")
        put = self._assets.check(call.required("path"), call.header("content-type"), call.body())
        added = await self._assets.store(put)
        return Answer(status=201, headers=(), body=b"") if added else nothing()

    async def remove(self, call: ApiCall) -> Answer:
        """Remove one."""
        call.only("path")
        path = call.required("path")
        if not await self._assets.remove(path):
            raise _no_asset(path)
        return nothing()


def _no_asset(path: str) -> NotFound:
    return NotFound(f'There is no asset "{path[:255]}".')


def _shape(info: AssetInfo) -> dict[str, Any]:
    """Return an asset without its bytes."""
    return {
        "path": info.path,
        "type": info.type,
        "sizeBytes": info.size_bytes,
        "digest": info.digest,
        "updatedAt": info.updated_at,
    }
