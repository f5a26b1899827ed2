"""The feature `management`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature
from aiwebengine.features.management.declarations import DECLARATIONS

FEATURE = Feature(
    name="management",
    parts="aiwebengine.features.management.parts:build",
    declares=DECLARATIONS,
    summary="Scripts that deploy and delete scripts and read logs.",
    guide="docs/howto/deploy.md",
)
