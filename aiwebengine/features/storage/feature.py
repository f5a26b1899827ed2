"""The feature `storage`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature
from aiwebengine.host.storage_calls import DECLARATIONS

FEATURE = Feature(
    name="storage",
    parts="aiwebengine.features.storage.parts:build",
    declares=DECLARATIONS,
    summary="Values by key: kv, sharedStorage and personalStorage.",
    guide="docs/howto/store-data.md",
)
