"""
An asyncio loop on the reactor, for graphql-core, which gathers fields with asyncio.

It runs in short stretches: code that has something for it (a new operation, an answer of a script) enters, everything
that can continue does, and when nothing can any more, those that gather work are notified (`at_rest`) before the
stretch ends. Between stretches no loop runs, so nothing else in the process can come to depend on it.

A stretch is a cooperative task: where much is to be done, it pauses at a checkpoint, and others come in between.

This is the only module that knows asyncio.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.interfaces import Clock
from aiwebengine.services.reactor.cooperative import CooperativeTasks

_log = Logger()
T = TypeVar("T")

Future = asyncio.Future
"""The result of a resolver that is not there yet."""
Queue = asyncio.Queue
Cancelled = asyncio.CancelledError


class ReactorLoop(asyncio.AbstractEventLoop):
    """
    See the module.

    Args:
        clock: The reactor.
        tasks: Do long work in slices.
    """

    def __init__(self, *, clock: Clock, tasks: CooperativeTasks) -> None:
        self._clock = clock
        self._tasks = tasks
        self._ready: deque[asyncio.Handle] = deque()
        self._resting: list[Callable[[], None]] = []
        self._inside = False
        self._woken = False

    # -- for the engine -----------------------------------------------------------------------

    def enter(self, call: Callable[..., object], *args: Any) -> None:
        """Call with the loop running, then do all that became possible."""
        if self._inside:
            call(*args)
        else:
            self._tasks.start(self._stretch, call, *args)

    def start(self, call: Callable[..., object], *args: Any) -> None:
        """Call in a cooperative task, without the loop running."""
        self._tasks.start(call, *args)

    def checkpoint(self) -> None:
        """Let other work run if this has taken long; the loop and its task pause in the meantime."""
        if not self._tasks.due:
            return
        if not self._inside:
            self._tasks.pause()
            return
        task = asyncio.current_task(self)
        if task is not None:
            asyncio.tasks._leave_task(self, task)  # noqa: SLF001  documented for event loops
        asyncio._set_running_loop(None)  # noqa: SLF001  the same
        self._inside = False
        self._tasks.pause()
        self._inside = True
        asyncio._set_running_loop(self)  # noqa: SLF001  the same
        if task is not None:
            asyncio.tasks._enter_task(self, task)  # noqa: SLF001  the same

    def _stretch(self, call: Callable[..., object], *args: Any) -> None:
        self._inside = True
        before = asyncio._get_running_loop()  # noqa: SLF001  documented for event loops
        asyncio._set_running_loop(self)  # noqa: SLF001  the same
        try:
            call(*args)
            self._work()
        finally:
            asyncio._set_running_loop(before)  # noqa: SLF001  the same
            self._inside = False

    def run(self, coroutine: Coroutine[Any, Any, T]) -> Deferred[T]:
        """Run a coroutine of asyncio; cancelling the Deferred cancels it."""
        tasks: list[asyncio.Task[T]] = []

        def cancel(_: object) -> None:
            self.enter(tasks[0].cancel)

        done: Deferred[T] = Deferred(cancel)

        def finished(ended: asyncio.Task[T]) -> None:
            if done.called:
                return
            if ended.cancelled():
                done.cancel()
                return
            error = ended.exception()
            if error is None:
                done.callback(ended.result())
            else:
                done.errback(Failure(error))

        def begin() -> None:
            tasks.append(asyncio.Task(coroutine, loop=self))
            tasks[0].add_done_callback(finished)

        self.enter(begin)
        return done

    def settle(self, future: Future[Any], value: Any) -> None:
        """Set the value or the error of a future, unless it was cancelled."""
        if future.done():
            return
        if isinstance(value, BaseException):
            self.enter(future.set_exception, value)
        else:
            self.enter(future.set_result, value)

    def at_rest(self, call: Callable[[], None]) -> None:
        """Have *call* called once when nothing can go on any more."""
        self._resting.append(call)
        if not self._inside:
            self._wake()

    def _work(self) -> None:
        ready = self._ready
        while ready or self._resting:
            while ready:
                handle = ready.popleft()
                if not handle.cancelled():
                    handle._run()  # noqa: SLF001  what a loop does with a handle
            resting, self._resting = self._resting, []
            for call in resting:
                call()

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._clock.callLater(0, self._awake)

    def _awake(self) -> None:
        self._woken = False
        self.enter(_do_nothing)

    # -- for asyncio --------------------------------------------------------------------------

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """See `AbstractEventLoop`."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        if not self._inside:
            self._wake()
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See `AbstractEventLoop`."""
        handle = asyncio.TimerHandle(self.time() + delay, callback, args, self, context)

        def due() -> None:
            if not handle.cancelled():
                self._ready.append(handle)
                self.enter(_do_nothing)

        self._clock.callLater(max(0.0, delay), due)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See `AbstractEventLoop`."""
        return self.call_later(when - self.time(), callback, *args, context=context)

    def time(self) -> float:
        """See `AbstractEventLoop`."""
        return float(self._clock.seconds())

    def create_future(self) -> Future[Any]:
        """See `AbstractEventLoop`."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> asyncio.Task[Any]:
        """See `AbstractEventLoop`."""
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def get_debug(self) -> bool:
        """See `AbstractEventLoop`."""
        return False

    def is_running(self) -> bool:
        """See `AbstractEventLoop`."""
        return self._inside

    def is_closed(self) -> bool:
        """See `AbstractEventLoop`."""
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A timer was cancelled; it looks at that itself when it is due."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """See `AbstractEventLoop`: something failed that nothing waits for."""
        error = context.get("exception")
        if "never retrieved" in str(context.get("message")):
            # Of several fields that fail under a non-null one, graphql-core waits for the first only.
            return
        _log.warn("GraphQL: {what}: {error}", what=context.get("message", "something failed"), error=repr(error))


def _do_nothing() -> None:
    """Only enter."""
