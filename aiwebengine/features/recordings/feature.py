"""The feature `recordings`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature
from aiwebengine.features.recordings.settings import RecordingSettings

FEATURE = Feature(
    name="recordings",
    parts="aiwebengine.features.recordings.parts:build",
    summary="Invocations that are recorded and replayed.",
    settings={"recordings": RecordingSettings},
    commands={
        "record": "aiwebengine.features.recordings.commands:record",
        "recordings": "aiwebengine.features.recordings.commands:recordings",
        "replay": "aiwebengine.features.recordings.commands:replay",
    },
    migrations={"evidence": ["aiwebengine.features.recordings.migrations:RECORDINGS"]},
    guide="docs/howto/record-and-replay.md",
)
