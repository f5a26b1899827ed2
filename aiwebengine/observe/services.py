"""
Services in order.

Twisted's `MultiService` starts its children one after the other but waits for none, and
stops them in reverse without waiting between them.  Here each start and each stop is
awaited: a database is migrated before anything reads it, and closed after the last use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.application.service import IService, Service
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import CannotStart, EngineError

_log = Logger()

FEATURE_SECONDS = 60.0
"""How long the start or stop of a feature's service may take."""

_EXPLAINED = (CancelledError, EngineError, CannotListenError)
"""What needs no line with the name of the service: nothing is wrong, or the message that ends the program says it."""


class OrderedServices(Service):
    """
    A service made of services.

    A child's `startService` may return a Deferred; the next child starts when it fires.
    If one fails, those before it are stopped in reverse, and then the failure is reported.

    Args:
        children: Name and service, in the order of starting.
        failed: Called with the reason why the start failed, after everything was stopped again; for the
            root, whose `startService` is called by someone who looks at no result.
            None: the Deferred that `startService` returned fails instead.
    """

    def __init__(
        self,
        *,
        children: Sequence[tuple[str, Any]] = (),
        failed: Callable[[Failure], None] | None = None,
    ) -> None:
        self._children: list[tuple[str, Any]] = []
        self._running: list[tuple[str, Any]] = []
        self._starting: Deferred[None] | None = None
        self._failed = failed
        self._waiters: list[Deferred[None]] = []
        self._ready = False
        for name, child in children:
            self.add(name, child)

    def add(self, name: str, child: Any) -> None:
        """Append a child, an `IService`; only while stopped."""
        self._children.append((name, IService(child)))

    def privilegedStartService(self) -> None:
        """Let each child do what needs rights that are dropped afterwards."""
        super().privilegedStartService()
        for _, child in self._children:
            child.privilegedStartService()

    def startService(self) -> Deferred[None]:
        """
        Start the children in order.

        Returns:
            Fires when all have started; children that start at once are started when this returns.
        """
        super().startService()
        starting = self._starting = Deferred.fromCoroutine(self._start())
        return starting.addCallbacks(self._succeed, self._fail)

    def ready(self) -> Deferred[None]:
        """Return a Deferred that fires when every child has started; never, if the start fails."""
        waiter: Deferred[None] = Deferred()
        if self._ready:
            waiter.callback(None)
        else:
            self._waiters.append(waiter)
        return waiter

    @property
    def is_ready(self) -> bool:
        """Return whether every child has started and none is stopping."""
        return self._ready

    def stopService(self) -> Deferred[None]:
        """Stop the children in reverse, waiting for each; one that fails is logged and passed over."""
        super().stopService()
        self._ready = False
        starting, self._starting = self._starting, None
        if starting is not None and not starting.called:
            starting.cancel()
        return Deferred.fromCoroutine(self._stop_running())

    async def _start(self) -> None:
        for name, child in self._children:
            try:
                await maybeDeferred(child.startService)
            except BaseException as error:
                if not isinstance(error, _EXPLAINED):
                    _log.error("service {name} did not start: {error!r}", name=name, error=error)
                await self._stop_running()
                raise
            self._running.append((name, child))

    async def _stop_running(self) -> None:
        while self._running:
            name, child = self._running.pop()
            try:
                await maybeDeferred(child.stopService)
            except CancelledError:
                raise
            except (Exception, SystemExit):  # noqa: BLE001 - one service that cannot stop must not keep the rest running
                _log.failure("service {name} did not stop cleanly", name=name)

    def _succeed(self, _: None) -> None:
        if not self.running:
            return
        self._ready = True
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(None)

    def _fail(self, failure: Failure) -> Failure | None:
        self.running = False
        if failure.check(CancelledError) and self._starting is None:
            # Stopped while starting: nothing went wrong.
            return None
        if self._failed is None:
            return failure
        self._failed(failure)
        return None


class BoundedService(Service):
    """
    A service whose start and stop end: one that never finishes must not keep the others from starting or stopping.

    Args:
        name: For people.
        child: An `IService`.
        clock: Measures how long it takes.
        seconds: How long a start, or a stop, may take.
    """

    def __init__(self, name: str, child: Any, *, clock: IReactorTime, seconds: float = FEATURE_SECONDS) -> None:
        self._name = name
        self._child = IService(child)
        self._clock = clock
        self._seconds = seconds

    def privilegedStartService(self) -> None:
        """See `IService.privilegedStartService`."""
        super().privilegedStartService()
        self._child.privilegedStartService()

    def startService(self) -> Deferred[None]:
        """Start the child; the Deferred fails with `CannotStart` if that fails, or when its time is over."""
        super().startService()
        starting = maybeDeferred(self._child.startService)
        starting.addErrback(self._not_started)
        return self._bounded(
            starting,
            CannotStart(
                f'The service "{self._name}" did not start within {self._seconds:g} seconds. '
                "Mend the feature that it belongs to, or leave that feature out."
            ),
        )

    def _not_started(self, failure: Failure) -> Failure:
        if failure.check(*_EXPLAINED):
            return failure
        _log.failure("the service {name} could not be started", failure, name=self._name)
        return Failure(
            CannotStart(
                f'The service "{self._name}" could not be started: {type(failure.value).__name__}: '
                f"{failure.getErrorMessage().rstrip('.')}. The server log has the traceback."
            )
        )

    def stopService(self) -> Deferred[None]:
        """Stop the child; the Deferred fails with `TimeoutError` when its time is over."""
        super().stopService()
        return self._bounded(
            maybeDeferred(self._child.stopService),
            TimeoutError(
                f'The service "{self._name}" did not stop within {self._seconds:g} seconds; it is left behind.'
            ),
        )

    def _bounded(self, work: Deferred[Any], late: Exception) -> Deferred[None]:
        """Return what fires with *work*, or fails with *late* when the time is over."""
        done: Deferred[None] = Deferred(lambda _: work.cancel())

        def end(result: object) -> None:
            if timer.active():
                timer.cancel()
            if not done.called:
                done.callback(None) if not isinstance(result, Failure) else done.errback(result)

        def expire() -> None:
            # Who swallows the cancellation and waits on is left behind.
            done.errback(late)
            work.cancel()

        timer = self._clock.callLater(self._seconds, expire)
        work.addBoth(end)
        return done


class HeldService(Service):
    """
    A service that starts when it is released, if it has to wait for that.

    Args:
        child: An `IService`.
        waits: Whether it waits for `release`; otherwise it starts in its turn.
    """

    def __init__(self, child: Any, *, waits: bool) -> None:
        self._child = IService(child)
        self._waits = waits

    def startService(self) -> Any:
        """Start the child, or wait."""
        super().startService()
        return None if self._waits else self._child.startService()

    def release(self) -> None:
        """Start the child, now or in its turn; once is enough."""
        if self._waits:
            self._waits = False
            if self.running:
                self._child.startService()

    def stopService(self) -> Any:
        """Stop the child, if it was started."""
        super().stopService()
        return None if self._waits else self._child.stopService()
