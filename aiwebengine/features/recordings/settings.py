"""Settings of recordings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange

_KIB = 1024
_MIB = 1024 * _KIB
_GIB = 1024 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingSettings:
    """Recordings of invocations, which can be done over again; rules switch them on."""

    max_recordings: Annotated[int, NumberRange(least=0, most=1_000_000)] = 1000
    """Most recordings that are kept; the oldest go first."""
    retention_days: Annotated[float, NumberRange(least=0.01, most=3650)] = 7.0
    """Recordings are removed after so many days."""
    max_bytes: Annotated[int, NumberRange(least=_KIB, most=64 * _MIB)] = 1024 * 1024
    """Most bytes of host calls and answers that are written down of one invocation; a longer body is left out, too."""
    mask: tuple[str, ...] = (
        "password", "passwd", "secret", "token", "access_token", "refresh_token", "api_key", "authorization",
        "credit_card", "card_number", "cvv", "pin",
    )  # fmt: skip
    """Members of requests, arguments and answers whose values are hidden; case, `-` and `_` do not count."""
