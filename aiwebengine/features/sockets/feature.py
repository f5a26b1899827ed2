"""The feature `sockets`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature

FEATURE = Feature(
    name="sockets",
    parts="aiwebengine.features.sockets.parts:build",
    summary="WebSockets.",
    guide="docs/howto/websockets.md",
)
