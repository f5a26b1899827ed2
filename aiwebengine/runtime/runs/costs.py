"""What a run has cost."""

from __future__ import annotations

from aiwebengine.runtime.runs.host_calls import HostConversation
from aiwebengine.values import Receipt, tuple_of


class RunCosts:
    """
    Updated while a run continues; what was not measured is 0.

    Args:
        asked_at: When the run was requested.
    """

    __slots__ = ("asked_at", "bytes_out", "cpu_seconds", "peak_bytes", "rows", "started_at")

    def __init__(self, asked_at: float) -> None:
        self.asked_at = asked_at
        self.started_at = 0.0
        """When it began in the process that has it, or had it last."""
        self.cpu_seconds = 0.0
        self.peak_bytes = 0
        self.bytes_out = 0
        self.rows = 0

    def receipt(
        self, invocation: str, outcome: str, *, now: float, calls: HostConversation | None, trace: str = ""
    ) -> Receipt:
        """
        Return what it has cost so far.

        Args:
            invocation: Its id.
            outcome: How it ended.
            now: On the clock of `asked_at`.
            calls: Its host calls and log lines; None if there were none.
            trace: See `Receipt.trace`.
        """
        lines = calls.lines if calls is not None else None
        return tuple_of(
            Receipt,
            (
                invocation,
                now - self.started_at,
                self.cpu_seconds,
                calls.costs if calls is not None else {},
                self.bytes_out,
                outcome,
                self.started_at - self.asked_at,
                self.peak_bytes,
                lines.count if lines is not None else 0,
                lines.size_bytes if lines is not None else 0,
                self.rows,
                trace,
            ),
        )
