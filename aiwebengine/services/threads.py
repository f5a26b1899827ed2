"""
The only place that uses threads.

Whatever blocks (a database, a hash, a file) is handed to a `Threads`, which owns a
bounded pool.  No other module names a thread, so a test that hands in something
else with the same `run` owns all concurrency.

What hangs holds its thread and no more than that: what waits for a thread of the same pool
is refused after a while, and other pools do not notice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from aiwebengine.errors import Unavailable
from aiwebengine.interfaces import Clock
from aiwebengine.services.bulkhead import Bulkhead

_log = Logger()

P = ParamSpec("P")
T = TypeVar("T")


class Runs(Protocol):
    """Something that runs blocking functions elsewhere; `Threads`, or a fake that runs them at once."""

    def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """
        Run *function* where it may block.

        Returns:
            Its result or its exception, delivered on the reactor.
        """


class Threads(Service):
    """
    A bounded pool of threads with a life.

    Args:
        reactor: Where results are delivered.
        name: For people who look at the process, such as `database`.
        size: Most threads; they are made when first needed.
        waiting: Most functions that wait for a thread; beyond it `Unavailable` at once.
        wait_seconds: Longest wait for a thread; then `Unavailable`.
        stop_seconds: How long a function may still run when the pool is stopped.
    """

    def __init__(
        self,
        *,
        reactor: IReactorFromThreads,
        name: str,
        size: int,
        waiting: int = 10_000,
        wait_seconds: float = 10.0,
        stop_seconds: float = 5.0,
    ) -> None:
        self._reactor = reactor
        self._label = name
        self._size = size
        self._stop_seconds = stop_seconds
        self._places = Bulkhead(
            name=name, places=size, waiting=waiting, wait_seconds=wait_seconds, clock=cast(Clock, reactor)
        )
        self._pool: ThreadPool | None = None
        self._open: set[Deferred[Any]] = set()

    def startService(self) -> None:
        """Accept work; no thread is made yet."""
        super().startService()
        pool = _Pool(0, self._size, name=self._label)
        pool.start()
        self._pool = pool

    def stopService(self) -> Deferred[None]:
        """Refuse new work, wait for accepted work, end the threads; one that hangs is left behind."""
        super().stopService()
        pool, self._pool = self._pool, None
        done: Deferred[None] = Deferred()
        waiting = set(self._open)

        def finish() -> None:
            if late.active():
                late.cancel()
            if pool is not None:
                pool.stop()
            if not done.called:
                done.callback(None)

        def leave() -> None:
            _log.error(
                "{count} functions of the {name} still run after {seconds:g} s; they are abandoned",
                count=len(self._open),
                name=self._label,
                seconds=self._stop_seconds,
            )
            done.callback(None)

        late = cast(Clock, self._reactor).callLater(self._stop_seconds, leave)
        if not waiting:
            finish()
            return done
        left = len(waiting)

        def one(result: Any) -> Any:
            nonlocal left
            left -= 1
            if not left:
                # Not from inside the pool's own delivery: stop() joins its threads.
                cast(Any, self._reactor).callFromThread(finish)
            return result

        for deferred in waiting:
            deferred.addBoth(one)
        return done

    def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """
        Run *function* in a thread. See `Runs.run`.

        Raises:
            Unavailable: The pool is stopped, or too much waits for it.
        """
        pool = self._pool
        if pool is None:
            return fail(Unavailable(f"The {self._label} is stopped.", retry_seconds=1.0))
        inner: Deferred[T] = self._places.run(partial(self._begin, pool, function, *args, **kwargs))
        self._open.add(inner)

        def forget(result: Any) -> Any:
            self._open.discard(inner)
            return result

        inner.addBoth(forget)
        # Cancelling what the caller waits for must not make the pool believe that the thread is free.
        outer: Deferred[T] = Deferred(lambda _: None)
        inner.addCallbacks(_deliver(outer.callback, outer), _deliver(outer.errback, outer))
        return outer

    def state(self) -> dict[str, int]:
        """Return the pool's figures for the state page."""
        pool = self._pool
        return {
            "size": self._size,
            "threads": len(pool.threads) if pool else 0,
            "open": len(self._open),
            **self._places.figures(),
        }

    def _begin(self, pool: ThreadPool, function: Callable[..., T], *args: Any, **kwargs: Any) -> Deferred[T]:
        return deferToThreadPool(self._reactor, pool, function, *args, **kwargs)


class _Pool(ThreadPool):
    """A pool that never keeps a process alive: one that ends without stopping its services would wait forever."""

    threadFactory = cast(Any, staticmethod(partial(Thread, daemon=True)))


def _deliver(give: Callable[[Any], None], outer: Deferred[Any]) -> Callable[[Any], None]:
    """Deliver a result unless the caller cancelled in the meantime."""

    def deliver(result: Any) -> None:
        if not outer.called:
            give(result)

    return deliver
