"""The feature `sockets`; see the package."""

from __future__ import annotations

from pathlib import Path

from aiwebengine.feature import Feature
from aiwebengine.features.sockets.declarations import DECLARATIONS

FEATURE = Feature(
    name="sockets",
    parts="aiwebengine.features.sockets.parts:build",
    declares=DECLARATIONS,
    summary="WebSockets.",
    prelude=(Path(__file__).with_name("sockets.js"),),
    guide="docs/howto/websockets.md",
)
