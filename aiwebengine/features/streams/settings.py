"""Settings of streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """What scripts register with `registerWebStream`; limits of subscribers and messages are those of `live`."""

    history_messages: Annotated[int, NumberRange(least=0, most=100_000)] = 100
    """Messages that a stream keeps for clients who come back, unless it says otherwise."""
