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
    """Recordings of invocations, which can be replayed; rules switch them on."""

    max_recordings: Annotated[int, NumberRange(least=0, most=1_000_000)] = 1000
    """Maximum number of recordings that are kept; the oldest are removed first."""
    retention_days: Annotated[float, NumberRange(least=0.01, most=3650)] = 7.0
    """Recordings are removed after this number of days."""
    max_bytes: Annotated[int, NumberRange(least=_KIB, most=64 * _MIB)] = 1024 * 1024
    """Maximum size of the host calls and answers in a recording; a request body that is longer is left out, too."""
    mask: tuple[str, ...] = (
        "password", "passwd", "secret", "token", "access_token", "refresh_token", "api_key", "authorization",
        "credit_card", "card_number", "cvv", "pin",
    )  # fmt: skip
    """Names of fields in requests, arguments and answers whose values are masked; case, `-` and `_` are ignored."""
