"""A timer that runs at most once at a time: to write what was collected, or to remove what is old."""

from __future__ import annotations

from collections.abc import Callable

from aiwebengine.interfaces import Clock, DelayedCall


class Timer:
    """
    A timer.

    Args:
        clock: Runs it.
        seconds: How long after `start` it fires.
        call: What it calls, once for each time that it was started.
    """

    __slots__ = ("_call", "_clock", "_delayed", "_seconds")

    def __init__(self, *, clock: Clock, seconds: float, call: Callable[[], object]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._call = call
        self._delayed: DelayedCall | None = None

    @property
    def running(self) -> bool:
        """Return whether it was started and has not fired yet."""
        return self._delayed is not None

    def start(self) -> None:
        """Start it, unless it runs already."""
        if self._delayed is None:
            self._delayed = self._clock.callLater(self._seconds, self._fire)

    def stop(self) -> None:
        """Stop it, if it runs."""
        delayed, self._delayed = self._delayed, None
        if delayed is not None:
            delayed.cancel()

    def _fire(self) -> None:
        self._delayed = None
        self._call()
