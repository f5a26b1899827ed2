"""The feature `fetch`; see the package."""

from __future__ import annotations

from pathlib import Path

from aiwebengine.feature import Feature
from aiwebengine.features.fetch.declarations import DECLARATIONS
from aiwebengine.features.fetch.settings import FetchSettings

FEATURE = Feature(
    name="fetch",
    parts="aiwebengine.features.fetch.parts:build",
    declares=DECLARATIONS,
    summary="Requests of scripts to other servers.",
    settings={"fetch": FetchSettings},
    migrations={
        "main": ["aiwebengine.features.fetch.migrations:DELIVERIES"],
        "script": ["aiwebengine.features.fetch.migrations:OWN_DELIVERIES"],
    },
    commands={"deliveries": "aiwebengine.features.fetch.deliveries.commands:deliveries"},
    prelude=(Path(__file__).with_name("fetch.js"),),
    guide="docs/howto/other-systems/call-an-api.md",
)
