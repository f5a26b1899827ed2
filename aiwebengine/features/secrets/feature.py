"""The feature `secrets`; see the package."""

from __future__ import annotations

from pathlib import Path

from aiwebengine.feature import Feature
from aiwebengine.features.secrets.declarations import DECLARATIONS
from aiwebengine.features.secrets.settings import SecretSettings

FEATURE = Feature(
    name="secrets",
    parts="aiwebengine.features.secrets.parts:build",
    declares=DECLARATIONS,
    summary="Passwords and keys that scripts use and never see.",
    settings={"secrets": SecretSettings},
    prelude=(Path(__file__).with_name("secrets.js"),),
    commands={"secrets": "aiwebengine.features.secrets.commands:secrets"},
    guide="docs/howto/other-systems/keep-secrets.md",
)
