"""The feature `streams`; see the package."""

from __future__ import annotations

from pathlib import Path

from aiwebengine.feature import Feature
from aiwebengine.features.streams.declarations import DECLARATIONS
from aiwebengine.features.streams.settings import StreamSettings

FEATURE = Feature(
    name="streams",
    parts="aiwebengine.features.streams.parts:build",
    declares=DECLARATIONS,
    summary="Server-sent events with filters and history.",
    settings={"streams": StreamSettings},
    prelude=(Path(__file__).with_name("streams.js"),),
    guide="docs/howto/stream-events.md",
)
