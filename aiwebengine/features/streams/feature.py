"""The feature `streams`; see the package."""

from __future__ import annotations

from pathlib import Path

from aiwebengine.feature import Feature
from aiwebengine.features.streams.declarations import DECLARATIONS

FEATURE = Feature(
    name="streams",
    parts="aiwebengine.features.streams.parts:build",
    declares=DECLARATIONS,
    summary="Server-sent events with filters and history.",
    prelude=(Path(__file__).with_name("streams.js"),),
    guide="docs/howto/stream-events.md",
)
