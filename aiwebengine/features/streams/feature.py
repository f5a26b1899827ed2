"""The feature `streams`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature
from aiwebengine.features.streams.declarations import DECLARATIONS

FEATURE = Feature(
    name="streams",
    parts="aiwebengine.features.streams.parts:build",
    declares=DECLARATIONS,
    summary="Server-sent events with filters and history.",
    guide="docs/howto/stream-events.md",
)
