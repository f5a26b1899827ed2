"""What an engine gets of assets."""

from __future__ import annotations

from aiwebengine.host.assets import GROUP, AssetCalls, StoredAsset
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.scripts.access import AssetAccess
from aiwebengine.scripts.assets import AssetStore
from aiwebengine.web.api.assets import Assets


def build(machinery: Machinery) -> Parts:
    """Build them."""
    base = machinery.base
    most = base.settings.deploy.max_source_bytes
    store = AssetStore(database=base.database, milliseconds=base.milliseconds, max_bytes=most)
    access = AssetAccess(assets=store)

    async def read(path: str) -> StoredAsset | None:
        asset = await access.read(path)
        return None if asset is None else StoredAsset(type=asset.type, content=asset.content)

    calls = AssetCalls(list_paths=access.list_paths, read=read, check=access.check, write=access.write, max_bytes=most)
    return Parts(groups=[calls], effects={GROUP: calls}, api=[Assets(assets=store, max_bytes=most)])
