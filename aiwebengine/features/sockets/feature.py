"""The feature `sockets`; see the package."""

from __future__ import annotations

from pathlib import Path

from aiwebengine.feature import Feature
from aiwebengine.features.sockets.declarations import DECLARATIONS
from aiwebengine.features.sockets.settings import SocketSettings

FEATURE = Feature(
    name="sockets",
    parts="aiwebengine.features.sockets.parts:build",
    declares=DECLARATIONS,
    summary="WebSockets.",
    settings={"sockets": SocketSettings},
    prelude=(Path(__file__).with_name("sockets.js"),),
    guide="docs/howto/websockets.md",
)
