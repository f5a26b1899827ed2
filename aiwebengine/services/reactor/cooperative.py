"""
Long work on the reactor, in slices.

What is written as one piece of Python, such as the execution of a query, may take seconds
for a large result.  As a cooperative task it passes checkpoints on its way; at the first one after its slice
is used up it pauses, and continues in a later turn of the reactor.  Work that fits into one slice
is done when `start` returns.

Each task has a stack of its own (a greenlet), so that it may pause anywhere below, also inside calls
of other libraries and of C.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec

from greenlet import getcurrent, greenlet
from twisted.logger import Logger

from aiwebengine.interfaces import Clock

_log = Logger()
P = ParamSpec("P")

SLICE_SECONDS = 0.002
"""How long a task runs without a pause."""
_MOST_IDLE = 4
"""Stacks that are kept for the next tasks: a new one costs more than most tasks."""
_PAUSED = object()
"""What a stack returns when its task pauses; otherwise it returns the task's error, or None."""


class CooperativeTasks:
    """
    See the module.

    Args:
        clock: The reactor.
        now: Measures slices, in seconds.
        slice_seconds: How long one is.
    """

    def __init__(
        self, *, clock: Clock, now: Callable[[], float] = time.perf_counter, slice_seconds: float = SLICE_SECONDS
    ) -> None:
        self._clock = clock
        self._now = now
        self._slice_seconds = slice_seconds
        self._until = math.inf
        """When the slice that runs is used up; infinite while none runs."""
        self._paused: deque[greenlet] = deque()
        self._idle: list[greenlet] = []

    def start(self, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """
        Do *work* as a task; what a task starts is part of it.

        An error of its first slice is raised here.  A later one is a fault and is logged, so *work* handles its own.
        """
        if self._until != math.inf:
            work(*args, **kwargs)
        else:
            self._run(self._idle.pop() if self._idle else greenlet(_serve), work, args, kwargs)

    @property
    def due(self) -> bool:
        """The slice is used up."""
        return self._now() >= self._until

    def checkpoint(self) -> None:
        """Pause if the slice is used up; nothing where no task runs."""
        if self._now() >= self._until:
            self.pause()

    def pause(self) -> None:
        """Go on in a later turn; only inside a task."""
        parent = getcurrent().parent
        assert parent is not None
        parent.switch(_PAUSED)

    @property
    def paused(self) -> int:
        """How many tasks wait for their next slice."""
        return len(self._paused)

    def _run(self, stack: greenlet, *begun: Any) -> None:
        stack.parent = getcurrent()
        self._until = self._now() + self._slice_seconds
        try:
            outcome = stack.switch(*begun)
        finally:
            self._until = math.inf
        if outcome is _PAUSED:
            self._paused.append(stack)
            if len(self._paused) == 1:
                self._clock.callLater(0, self._turn)
            return
        if len(self._idle) < _MOST_IDLE:
            self._idle.append(stack)
        if outcome is not None:
            raise outcome

    def _turn(self) -> None:
        """Give one task its next slice: others' events come between any two."""
        stack = self._paused.popleft()
        if self._paused:
            self._clock.callLater(0, self._turn)
        try:
            self._run(stack)
        except Exception:  # noqa: BLE001  its starter has returned
            _log.failure("internal error: a cooperative task failed")


def _serve(work: Callable[..., object], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Do one task after the other on the stack that runs."""
    while True:
        outcome: Exception | None = None
        try:
            work(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  raised again where it is awaited
            outcome = error
        del work, args, kwargs
        parent = getcurrent().parent
        assert parent is not None
        value, outcome = outcome, None
        begun = parent.switch(value)
        del value
        work, args, kwargs = begun
