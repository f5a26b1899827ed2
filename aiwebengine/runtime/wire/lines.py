"""Log lines as a child sends them, checked and bounded."""

from __future__ import annotations

import json
import re
from typing import Any

from aiwebengine.exact_json import decode
from aiwebengine.runtime.wire.boxes import BadBox
from aiwebengine.runtime.wire.call_checks import is_costly_to_read
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Allowance, LogLine

_LEVELS = frozenset({"debug", "info", "warn", "error"})
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""As packages write them for a terminal, which a log is not."""
_MAX_FIELDS = 50
_MAX_RAW_BYTES = 4 * 1024 * 1024
_MOST_LEVELS = 50
_DROPPED = "; the rest is dropped."


class Lines:
    """
    Reads the log lines of one invocation.

    Args:
        limits: How much it may log.
    """

    __slots__ = ("_full", "_limits", "count", "size_bytes")

    def __init__(self, limits: Allowance | LimitSettings) -> None:
        self._limits = limits
        self._full = False
        self.count = 0
        """Lines so far, the dropped ones too."""
        self.size_bytes = 0
        """Of the boxes in which they came."""

    def read(self, raw: bytes, *, at: float) -> list[LogLine]:
        """
        Read a `log` box: a JSON array of `[level, message, fields or null]`, with `true` after those for a line of
        the engine's own.

        Args:
            at: The time the lines get.

        Returns:
            The lines to keep; when there are too many, the last one says so.

        Raises:
            BadBox: It is no list of lines, which no script can cause.
        """
        left = self._limits.log_bytes - self.size_bytes
        self.size_bytes += len(raw)
        if self._full:
            # Reported already; a flood is not worth being read.
            return []
        if len(raw) > _MAX_RAW_BYTES or is_costly_to_read(raw):
            self.count += 1
            return [_warning(at, f"Log lines of more than {_MAX_RAW_BYTES} bytes arrived at once; they were dropped.")]
        try:
            rows = decode(raw)
        except RecursionError:
            # A script can replace what checks its fields.
            self.count += 1
            return [_warning(at, "Log lines were dropped: their fields are nested too deeply.")]
        except ValueError:
            raise BadBox("a box of log lines is not JSON") from None
        if not isinstance(rows, list):
            raise BadBox("a box of log lines is not a list")
        return self._kept(rows, at, left if len(raw) > left else None)

    def _kept(self, rows: list[Any], at: float, left: int | None) -> list[LogLine]:
        """
        Read lines one by one.

        Args:
            left: How many bytes there is room for, if that is less than there are.
        """
        limits = self._limits
        lines: list[LogLine] = []
        for row in rows:
            self.count += 1
            if self.count > limits.log_lines:
                self._full = True
                return [*lines, _warning(at, f"More than {limits.log_lines} log lines in one invocation{_DROPPED}")]
            line = _line(row, at, limits.log_line_bytes)
            if line is None:
                raise BadBox("a log line is malformed")
            if left is not None:
                left -= len(json.dumps([line.message, line.fields]))
                if left < 0:
                    self._full = True
                    why = f"More than {limits.log_bytes} bytes logged in one invocation{_DROPPED}"
                    return [*lines, _warning(at, why)]
            lines.append(line)
        return lines


def _warning(at: float, message: str) -> LogLine:
    return LogLine(at=at, level="warn", message=message, of_server=True)


def _line(row: Any, at: float, longest: int) -> LogLine | None:
    if not isinstance(row, list) or not 3 <= len(row) <= 4:
        return None
    level, message, fields = row[:3]
    if level not in _LEVELS or not isinstance(message, str):
        return None
    if len(message) > longest:
        message = message[:longest] + f"... ({len(message) - longest} characters more)"
    # Later code that writes or reads them has less stack left than there is here.
    safe_fields = (
        fields if isinstance(fields, dict) and len(fields) <= _MAX_FIELDS and _is_flat(fields, _MOST_LEVELS) else {}
    )
    message = _CONTROL.sub(_escaped, _COLOUR.sub("", message) if "\x1b" in message else message)
    own = len(row) == 4 and row[3] is True
    return LogLine(at=at, level=level, message=message, fields=safe_fields, of_server=own)


def _is_flat(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    return not isinstance(value, list) or (levels > 0 and all(_is_flat(item, levels - 1) for item in value))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
