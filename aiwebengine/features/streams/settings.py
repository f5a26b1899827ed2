"""Settings of streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """Streams that scripts register with `registerWebStream`; `live` has the limits of subscribers and messages."""

    history_messages: Annotated[int, NumberRange(least=0, most=100_000)] = 100
    """Number of messages that a stream keeps for clients that reconnect, unless its option `history` is set."""
