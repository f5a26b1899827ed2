"""Durations and sizes as people write them."""

from __future__ import annotations

import json
import math
import re
from typing import Any

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)\Z")
_DURATION_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s?(B|KB|KiB|MB|MiB|GB|GiB)\Z")
_SIZE_BYTES = {"B": 1, "KB": 1000, "KiB": 1024, "MB": 10**6, "MiB": 1 << 20, "GB": 10**9, "GiB": 1 << 30}


def duration_ms(value: Any) -> float | None:
    """Read `"30s"`, `"5m"`, `"250ms"` or a number of milliseconds; None if it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) and value >= 0 else None
    match = _DURATION.match(value) if isinstance(value, str) and len(value) <= 32 else None
    return float(match[1]) * _DURATION_MS[match[2]] if match else None


def size_bytes(value: Any) -> float | None:
    """Read `"64MB"`, `"1 GiB"` or a number of bytes; None if it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(int(value)) if math.isfinite(value) and value >= 0 else None
    match = _SIZE.match(value) if isinstance(value, str) and len(value) <= 32 else None
    return float(int(float(match[1]) * _SIZE_BYTES[match[2]])) if match else None


def shown(value: Any) -> str:
    """Show a value in a message, bounded."""
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
