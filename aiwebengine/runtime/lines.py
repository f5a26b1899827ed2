"""Log lines as a child sends them, checked and bounded."""

from __future__ import annotations

import json
import re
from typing import Any

from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import LogLine

_LEVELS = frozenset({"debug", "info", "warn", "error"})
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_MAX_FIELDS = 50
_MAX_RAW_BYTES = 4 * 1024 * 1024


def read_lines(raw: bytes, *, at: float, limits: LimitSettings, before: int) -> tuple[list[LogLine], int]:
    """
    Read a `log` box: a JSON array of `[level, message, fields or null]`.

    Args:
        at: The time the lines get.
        before: How many lines the invocation has logged.

    Returns:
        The lines to keep, and how many the invocation has logged now.
    """
    if before > limits.log_lines:
        # Told already; a flood is not worth being read.
        return [], before
    if len(raw) > _MAX_RAW_BYTES:
        message = f"Log lines of more than {_MAX_RAW_BYTES} bytes came at once; they are dropped."
        return [LogLine(at=at, level="warn", message=message)], before + 1
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        return [], before
    if not isinstance(given, list):
        return [], before
    lines: list[LogLine] = []
    for one in given:
        before += 1
        if before > limits.log_lines:
            if before == limits.log_lines + 1:
                message = f"More than {limits.log_lines} log lines in one invocation; the rest is dropped."
                lines.append(LogLine(at=at, level="warn", message=message))
            continue
        line = _line(one, at, limits.log_line_bytes)
        if line is not None:
            lines.append(line)
    return lines, before


def _line(one: Any, at: float, longest: int) -> LogLine | None:
    if not isinstance(one, list) or len(one) != 3:
        return None
    level, message, fields = one
    if level not in _LEVELS or not isinstance(message, str):
        return None
    if len(message) > longest:
        message = message[:longest] + f"... ({len(message) - longest} characters more)"
    kept = fields if isinstance(fields, dict) and len(fields) <= _MAX_FIELDS else {}
    return LogLine(at=at, level=level, message=_CONTROL.sub(_escaped, message), fields=kept)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
