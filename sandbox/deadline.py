"""
The deadline of a run, enforced by the kernel.

A native loop (a bad regular expression, `join` of a huge array) never returns to Python, so
no handler of Python's could run.  Two interval timers end the process wherever it is: SIGALRM
when the run's time is over, SIGPROF when its processor time is.

Each timer expires twice: at the deadline for `deadline_report`, whose handler ends the process itself, and
a moment later, when the signal has its default action again, in case that did not happen.  Without a reporter the
signal has its default action the first time, too.
"""

from __future__ import annotations

import signal

from sandbox.deadline_report import DeadlineReporter

_SHORTEST_SECONDS = 0.001
_REPORT_SECONDS = 0.2
"""How long the report may take; the server does not wait so long."""


class Deadline:
    """
    The timers of one process.

    Args:
        reporter: Reports at the deadline where the script is; None for no report.
    """

    __slots__ = ("_cpu_seconds", "_interval", "_paused", "_wall_seconds")

    def __init__(self, reporter: DeadlineReporter | None = None) -> None:
        self._interval = _REPORT_SECONDS if reporter is not None else 0.0
        self._wall_seconds = 0.0
        self._cpu_seconds = 0.0
        self._paused: float | None = None

    def begin(self, *, wall_seconds: float, cpu_seconds: float) -> None:
        """Start both timers."""
        self._wall_seconds = max(_SHORTEST_SECONDS, wall_seconds)
        self._cpu_seconds = max(_SHORTEST_SECONDS, cpu_seconds)
        self._start()

    def pause(self) -> None:
        """Stop the clock while the script waits for its client's pace."""
        if self._paused is None and self._wall_seconds:
            self._paused = signal.setitimer(signal.ITIMER_REAL, 0)[0]

    def resume(self) -> None:
        """Go on with what was left at `pause`."""
        if self._paused is not None:
            signal.setitimer(signal.ITIMER_REAL, max(_SHORTEST_SECONDS, self._paused), self._interval)
            self._paused = None

    def renew(self) -> None:
        """Start the whole time again: each part of a streamed answer has its own."""
        if self._wall_seconds:
            self._start()

    def end(self) -> None:
        """Stop both timers."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._wall_seconds = 0.0
        self._paused = None

    def _start(self) -> None:
        self._paused = None
        signal.setitimer(signal.ITIMER_REAL, self._wall_seconds, self._interval)
        signal.setitimer(signal.ITIMER_PROF, self._cpu_seconds, self._interval)
