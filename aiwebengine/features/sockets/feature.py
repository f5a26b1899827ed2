"""The feature `sockets`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature
from aiwebengine.features.sockets.declarations import DECLARATIONS

FEATURE = Feature(
    name="sockets",
    parts="aiwebengine.features.sockets.parts:build",
    declares=DECLARATIONS,
    summary="WebSockets.",
    guide="docs/howto/websockets.md",
)
