"""The feature `assets`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature
from aiwebengine.features.assets.declarations import DECLARATIONS
from aiwebengine.features.assets.settings import AssetSettings

FEATURE = Feature(
    name="assets",
    parts="aiwebengine.features.assets.parts:build",
    declares=DECLARATIONS,
    summary="Files that are served: those of `public/`, and those that scripts store.",
    settings={"assets": AssetSettings},
    migrations={"main": ["aiwebengine.features.assets.migrations:ASSETS"]},
    guide="docs/howto/serve-files.md",
)
