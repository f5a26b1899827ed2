"""The feature `crypto`; see the package."""

from __future__ import annotations

from pathlib import Path

from aiwebengine.feature import Feature
from aiwebengine.features.crypto.declarations import DECLARATIONS
from aiwebengine.features.crypto.settings import CryptoSettings

FEATURE = Feature(
    name="crypto",
    parts="aiwebengine.features.crypto.parts:build",
    declares=DECLARATIONS,
    summary="Cryptography: crypto.subtle, digests and HMACs.",
    settings={"crypto": CryptoSettings},
    migrations={"main": ["aiwebengine.features.crypto.migrations:CRYPTO"]},
    prelude=(Path(__file__).with_name("crypto.js"),),
    guide="docs/howto/other-systems/sign-a-webhook.md",
)
