"""A store of assets, for tests."""

from __future__ import annotations

from collections.abc import Callable

from aiwebengine.features.assets.settings import AssetSettings
from aiwebengine.features.assets.store import AssetStore
from aiwebengine.services.db.connect import Database


def an_asset_store(
    database: Database,
    *,
    max_bytes: int = 100,
    milliseconds: Callable[[], int] = lambda: 5,
    settings: AssetSettings | None = None,
) -> AssetStore:
    """Return a store on *database*."""
    return AssetStore(
        database=database, milliseconds=milliseconds, max_bytes=max_bytes, settings=settings or AssetSettings()
    )
