"""The feature `codegen`; see the package."""

from __future__ import annotations

from pathlib import Path

from aiwebengine.feature import Feature
from aiwebengine.features.codegen.declarations import DECLARATIONS
from aiwebengine.features.codegen.settings import CodegenSettings

FEATURE = Feature(
    name="codegen",
    parts="aiwebengine.features.codegen.parts:build",
    declares=DECLARATIONS,
    summary="Functions that scripts and their packages make from strings.",
    settings={"codegen": CodegenSettings},
    prelude=(Path(__file__).with_name("codegen.js"),),
    guide="docs/howto/use-npm-packages.md",
)
