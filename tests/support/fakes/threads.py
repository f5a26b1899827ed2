"""A stand-in for `services.threads.Threads` that owns no thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted._threads import createMemoryWorker
from twisted.internet.defer import Deferred, maybeDeferred


class ThreadsInTurn:
    """
    Runs what it is given in the test's own thread: at once, or one at a time when told.

    Args:
        at_once: False to queue until `step` is called.
    """

    def __init__(self, *, at_once: bool = True) -> None:
        self._at_once = at_once
        self._worker, self._step = createMemoryWorker()
        self.ran = 0

    def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Deferred[Any]:
        """See `Threads.run`."""
        if self._at_once:
            self.ran += 1
            return maybeDeferred(function, *args, **kwargs)
        done: Deferred[Any] = Deferred()

        def work() -> None:
            self.ran += 1
            maybeDeferred(function, *args, **kwargs).addBoth(done.callback)

        self._worker.do(work)
        return done

    def step(self) -> bool:
        """Run the oldest waiting function; False if there was none."""
        return bool(self._step())
