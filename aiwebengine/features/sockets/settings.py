"""Settings of scripts' WebSockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange

_KIB = 1024
_MIB = 1024 * _KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketSettings:
    """WebSockets that scripts register with `registerWebSocket`; `websocket` has the limits of connections."""

    queue_messages: Annotated[int, NumberRange(least=1, most=10_000)] = 32
    """Maximum number of messages of one client that wait for the script; beyond it nothing is read from the client."""
    max_data_bytes: Annotated[int, NumberRange(least=0, most=_MIB)] = 16 * _KIB
    """Largest `ws.data`, as JSON."""
    max_topics: Annotated[int, NumberRange(least=0, most=10_000)] = 100
    """Maximum number of topics to which one WebSocket can be subscribed."""
