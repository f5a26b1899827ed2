"""The feature `assets`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature
from aiwebengine.features.assets.declarations import DECLARATIONS

FEATURE = Feature(
    name="assets",
    parts="aiwebengine.features.assets.parts:build",
    declares=DECLARATIONS,
    summary="Files that scripts store.",
    migrations={"main": ["aiwebengine.features.assets.migrations:ASSETS"]},
    guide="docs/howto/write-a-page.md",
)
