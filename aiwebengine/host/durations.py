"""Durations as scripts write them."""

from __future__ import annotations

import re
from typing import Any

_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|h|d)")
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(value: Any) -> int | None:
    """Read a duration, text such as `"30s"` or a number of milliseconds; None if it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if 0 <= value < 1e12 else None
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return int(float(match[1]) * _UNIT_MS[match[2]])
    return None
