"""What an invocation may use: the server's limits, and what script and handler request below them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Allowance


def allowance(limits: LimitSettings, *requested: Mapping[str, Any], answers_in_base64: bool = False) -> Allowance:
    """
    Return what an invocation may use: the least of what the server allows and what was requested.

    Args:
        limits: The server's own.
        requested: By kept names, as `settings.requested_limits.read_limits` returns them; other names are ignored.
        answers_in_base64: Its answer holds bytes as base64, and may be half as large again on the wire.
    """
    answer_bytes = int(_least(limits.answer_bytes, requested, "answer_bytes"))
    return Allowance(
        wall_seconds=_least(limits.wall_seconds, requested, "timeout_ms", 1000),
        cpu_seconds=_least(limits.cpu_seconds, requested, "cpu_ms", 1000),
        answer_bytes=answer_bytes,
        wire_answer_bytes=answer_bytes * 3 // 2 if answers_in_base64 else answer_bytes,
        stream_bytes=int(_least(limits.stream_bytes, requested, "stream_bytes")),
        log_lines=int(_least(limits.log_lines, requested, "log_lines")),
        log_bytes=int(_least(limits.log_bytes, requested, "log_bytes")),
        log_line_bytes=limits.log_line_bytes,
        host_calls=int(_least(limits.host_calls, requested, "host_calls")),
        open_host_calls=int(_least(limits.open_host_calls, requested, "open_host_calls")),
    )


def load_seconds(limits: LimitSettings, requested: Mapping[str, Any]) -> float:
    """Return the longest time of top level and `init` for a script that asks for *requested*."""
    return _least(limits.load_seconds, (requested,), "load_ms", 1000)


def _least(own: float, requested: Iterable[Mapping[str, Any]], name: str, divisor: int = 1) -> float:
    return min([own, *(float(limits[name]) / divisor for limits in requested if name in limits)])
