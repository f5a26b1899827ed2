"""
Waiting for a condition.  No test waits for a fixed time and then takes something for granted.

    await until(lambda: runner.state()["active"] == 1, state=runner.state)

A condition has PATIENCE_SECONDS, which is far more than a busy machine needs: only what is broken uses them up.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater

PATIENCE_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 0.002
_LONGEST_PAUSE_SECONDS = 0.05


async def until(
    condition: Callable[[], Any], *, state: Callable[[], object] | None = None, seconds: float = PATIENCE_SECONDS
) -> Any:
    """
    Return the first true value of *condition*, while the reactor runs.

    Args:
        condition: A function; what it returns is awaited if it can be.
        state: Returns what the failure shows when the time is up.
        seconds: How long to wait.
    """
    deadline = _Deadline(state, seconds)
    while not (found := await _value(condition)):
        await pause(deadline.next_pause())
    return found


def wait_until(
    condition: Callable[[], Any], *, state: Callable[[], object] | None = None, seconds: float = PATIENCE_SECONDS
) -> Any:
    """Return the first true value of *condition*; blocks, for tests without a reactor.  See `until`."""
    deadline = _Deadline(state, seconds)
    while not (found := condition()):
        time.sleep(deadline.next_pause())
    return found


async def pause(seconds: float) -> None:
    """Let time pass in which something forbidden could happen; what must happen is waited for with `until`."""
    await deferLater(reactor, seconds)


async def _value(condition: Callable[[], Any]) -> Any:
    value = condition()
    return await value if inspect.isawaitable(value) else value


class _Deadline:
    """The end of a wait, and the pauses before it: short ones first."""

    def __init__(self, state: Callable[[], object] | None, seconds: float) -> None:
        self._state = state
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._pause = _FIRST_PAUSE_SECONDS

    def next_pause(self) -> float:
        """Return how long to pause; an AssertionError with the state if the time is up."""
        if time.monotonic() > self._end:
            shown = "" if self._state is None else f"; the state is {self._state()}"
            raise AssertionError(f"the condition did not hold within {self._seconds:g} seconds{shown}")
        self._pause = min(self._pause * 1.3, _LONGEST_PAUSE_SECONDS)
        return self._pause
