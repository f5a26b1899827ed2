"""What an engine gets of assets."""

from __future__ import annotations

from aiwebengine.features.assets.api import Assets
from aiwebengine.features.assets.calls import GROUP, AssetCalls
from aiwebengine.features.assets.store import AssetStore
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.values import ConsolePage


def build(machinery: Machinery) -> Parts:
    """Build them."""
    base = machinery.base
    most = base.settings.deploy.max_source_bytes
    store = AssetStore(database=base.database, milliseconds=base.milliseconds, max_bytes=most)
    calls = AssetCalls(store=store, max_bytes=most)
    page = ConsolePage(
        name="assets", title="Assets", summary="Files that scripts and people have stored.", path="/engine/api/assets"
    )
    return Parts(groups=[calls], effects={GROUP: calls}, api=[Assets(assets=store, max_bytes=most)], pages=[page])
