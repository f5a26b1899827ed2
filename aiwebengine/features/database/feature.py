"""The feature `database`; see the package."""

from __future__ import annotations

from pathlib import Path

from aiwebengine.feature import Feature
from aiwebengine.features.database.declarations import DECLARATIONS
from aiwebengine.features.database.settings import DatabaseSettings

FEATURE = Feature(
    name="database",
    parts="aiwebengine.features.database.parts:build",
    declares=DECLARATIONS,
    summary="Tables of a script's own: database.",
    settings={"database": DatabaseSettings},
    prelude=(Path(__file__).with_name("database.js"),),
    guide="docs/howto/data/use-a-database.md",
)
