"""The feature `assets`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature

FEATURE = Feature(
    name="assets",
    parts="aiwebengine.features.assets.parts:build",
    summary="Files that scripts store.",
    guide="docs/howto/write-a-page.md",
)
