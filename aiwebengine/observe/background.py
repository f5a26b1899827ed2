"""
Background work: named, tracked, cancelled at stop.

Nothing in the engine is fired and forgotten.  Work that nothing waits for is started here, so
that its failure is in the log, the state page can name it, and it ends with the server.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.interfaces import Clock

_log = Logger()

T = TypeVar("T")


class Background(Service):
    """
    Everything that runs without a caller.

    Args:
        clock: For what is repeated.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[Deferred[None], str] = {}
        self._shielded: dict[Deferred[Any], str] = {}
        self._loops: list[LoopingCall] = []

    def start(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Run *work*; a failure is logged under *name*, the end of the service cancels it."""
        self._keep(name, Deferred.fromCoroutine(work))

    def every(self, name: str, seconds: float, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run *work* each *seconds*, the first time after that long, and never two at a time."""

        def once() -> Deferred[None]:
            deferred = Deferred.fromCoroutine(work())
            self._keep(name, deferred)
            done: Deferred[None] = Deferred()
            deferred.addBoth(lambda _: done.callback(None))
            return done

        loop = LoopingCall(once)
        loop.clock = cast(Any, self._clock)
        self._loops.append(loop)
        loop.start(seconds, now=False)

    def shield(self, name: str, work: Coroutine[Any, Any, T]) -> Deferred[T]:
        """
        Run *work* to its end, even if the caller stops waiting.

        Returns:
            Its result.  Cancelling this does not cancel *work*; neither does the end of
            the service, which waits for it.
        """
        inner: Deferred[T] = Deferred.fromCoroutine(work)
        outer: Deferred[T] = Deferred(lambda _: None)
        self._shielded[inner] = name

        def settled(result: Any) -> None:
            self._shielded.pop(inner, None)
            if not outer.called:
                outer.callback(result)
            elif isinstance(result, Failure):
                _log.failure("{name} failed after its caller had stopped waiting", result, name=name)

        inner.addBoth(settled)
        return outer

    def names(self) -> list[str]:
        """List what runs now."""
        return sorted([*self._tasks.values(), *self._shielded.values()])

    def stopService(self) -> Deferred[None]:
        """Cancel all tasks, wait for those that must not be cancelled."""
        super().stopService()
        loops, self._loops = self._loops, []
        for loop in loops:
            if loop.running:
                loop.stop()
        done: Deferred[None] = Deferred()
        waiting: list[Deferred[Any]] = []
        for deferred in [*self._tasks, *self._shielded]:
            ended: Deferred[None] = Deferred()
            deferred.addBoth(_tell(ended))
            waiting.append(ended)
        for deferred in list(self._tasks):
            deferred.cancel()
        DeferredList(waiting).addBoth(lambda _: done.callback(None))
        return done

    def _keep(self, name: str, deferred: Deferred[Any]) -> None:
        self._tasks[deferred] = name

        def settled(result: Any) -> Any:
            self._tasks.pop(deferred, None)
            if isinstance(result, Failure) and not result.check(CancelledError):
                _log.failure("background work {name} failed", result, name=name)
            return None

        deferred.addBoth(settled)


def _tell(ended: Deferred[None]) -> Callable[[Any], Any]:
    def tell(result: Any) -> Any:
        ended.callback(None)
        return result

    return tell
