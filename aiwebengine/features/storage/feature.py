"""The feature `storage`; see the package."""

from __future__ import annotations

from pathlib import Path

from aiwebengine.feature import Feature
from aiwebengine.features.storage.declarations import DECLARATIONS
from aiwebengine.features.storage.settings import StorageSettings

FEATURE = Feature(
    name="storage",
    parts="aiwebengine.features.storage.parts:build",
    declares=DECLARATIONS,
    summary="Values by key: kv, sharedStorage and personalStorage.",
    settings={"storage": StorageSettings},
    migrations={
        "main": ["aiwebengine.features.storage.migrations:STORAGE"],
        "script": ["aiwebengine.features.storage.migrations:OWN_STORAGE"],
    },
    prelude=(Path(__file__).with_name("storage.js"),),
    guide="docs/howto/store-data.md",
)
