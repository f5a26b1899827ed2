"""Settings of scripts' WebSockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange

_KIB = 1024
_MIB = 1024 * _KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketSettings:
    """What scripts register with `registerWebSocket`; limits of the connections are those of `websocket`."""

    queue_messages: Annotated[int, NumberRange(least=1, most=10_000)] = 32
    """Most messages of one WebSocket that wait for the script; then nothing more is read from the client."""
    max_data_bytes: Annotated[int, NumberRange(least=0, most=_MIB)] = 16 * _KIB
    """Largest `ws.data`, as JSON."""
    max_topics: Annotated[int, NumberRange(least=0, most=10_000)] = 100
    """Most topics that one WebSocket may be subscribed to."""
