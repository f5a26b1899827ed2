"""
The deadline of a run, kept by the kernel.

A native loop (a bad regular expression, `join` of a huge array) never returns to Python, so
no handler of ours could run.  Two interval timers whose signals keep their default action
end the process wherever it is: SIGALRM when the run's time is over, SIGPROF when its
processor time is.
"""

from __future__ import annotations

import signal

_SHORTEST_SECONDS = 0.001


class Deadline:
    """The timers of one process."""

    __slots__ = ("_cpu_seconds", "_paused", "_wall_seconds")

    def __init__(self) -> None:
        self._wall_seconds = 0.0
        self._cpu_seconds = 0.0
        self._paused: float | None = None

    def begin(self, *, wall_seconds: float, cpu_seconds: float) -> None:
        """Start both timers."""
        self._wall_seconds = max(_SHORTEST_SECONDS, wall_seconds)
        self._cpu_seconds = max(_SHORTEST_SECONDS, cpu_seconds)
        self._paused = None
        self._start()

    def pause(self) -> None:
        """Stop the clock while the script waits for its client's pace."""
        if self._paused is None and self._wall_seconds:
            self._paused = signal.setitimer(signal.ITIMER_REAL, 0)[0]

    def resume(self) -> None:
        """Go on with what was left at `pause`."""
        if self._paused is not None:
            signal.setitimer(signal.ITIMER_REAL, max(_SHORTEST_SECONDS, self._paused))
            self._paused = None

    def renew(self) -> None:
        """Start the whole time again: each part of an answer that goes on has its own."""
        if self._wall_seconds:
            self._paused = None
            self._start()

    def end(self) -> None:
        """Stop both timers."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._wall_seconds = 0.0
        self._paused = None

    def _start(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._wall_seconds)
        signal.setitimer(signal.ITIMER_PROF, self._cpu_seconds)
