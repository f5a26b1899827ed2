"""Settings of requests that take effect once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from aiwebengine.settings.allowed import NumberRange
from aiwebengine.settings.schema import FormerNames


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencySettings:
    """Requests with the header `idempotency-key`."""

    keep_seconds: Annotated[float, NumberRange(least=1, most=86_400 * 30)] = 86_400.0
    """How long the answer to such a request is stored, and repeated."""

    FORMER: ClassVar[FormerNames] = {"keep_seconds": "http.idempotency_seconds"}
