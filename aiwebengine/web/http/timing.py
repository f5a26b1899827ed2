"""What an answer cost, as its `Server-Timing` header reports (W3C Server Timing)."""

from __future__ import annotations

from aiwebengine.values import Receipt


def server_timing(receipt: Receipt) -> str:
    """Return the value of a `Server-Timing` header."""
    calls = receipt.host_calls.values()
    count = sum(cost.count for cost in calls)
    parts = [
        f"total;dur={_milliseconds(receipt.queued_seconds + receipt.wall_seconds)}",
        f"queue;dur={_milliseconds(receipt.queued_seconds)}",
        f"script;dur={_milliseconds(receipt.wall_seconds)}",
        f"cpu;dur={_milliseconds(receipt.cpu_seconds)}",
    ]
    if count:
        seconds = sum(cost.seconds for cost in calls)
        parts.append(f'host;dur={_milliseconds(seconds)};desc="{count} host calls"')
    return ", ".join(parts)


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
