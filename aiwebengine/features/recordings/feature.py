"""The feature `recordings`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature

FEATURE = Feature(
    name="recordings",
    parts="aiwebengine.features.recordings.parts:build",
    summary="Invocations that are recorded and replayed.",
    guide="docs/howto/record-and-replay.md",
)
