"""
Calling a dependency: one place with a breaker, a bulkhead, a time-out and repetition.

    breaker    open: refused at once, with the time to retry
    bulkhead   a place among a limited number; the wait for it is bounded
    work       the call itself; its caller waits no longer than `seconds`
    again      only what the caller calls repeatable, and only failures that pass

A time-out ends the wait, not the work: that keeps its place until it has really ended, so that a dependency that hangs
never has more open calls than there are places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import Unavailable
from aiwebengine.interfaces import Clock, DelayedCall
from aiwebengine.services.breaker import Breaker, Changed, Permit, Rules, State
from aiwebengine.services.bulkhead import Bulkhead, BulkheadFull
from aiwebengine.services.retry import ONCE, Attempts

_log = Logger()

T = TypeVar("T")


class DependencyTimeout(Unavailable):
    """A dependency did not answer in time; the operation may still be carried out."""


class CircuitOpen(Unavailable):
    """A dependency failed so often that it is not called for a while."""


def away(error: BaseException) -> bool:
    """Return whether an error says that a dependency is away: any `Unavailable` except a refusal because no place is
    free.
    """
    return isinstance(error, Unavailable) and not isinstance(error, BulkheadFull | CircuitOpen)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardTerms:
    """How a dependency is called."""

    seconds: float
    """Longest wait for one answer."""
    places: int
    """Most that ask at the same time."""
    waiting: int = 1000
    """Most that wait for a place."""
    wait_seconds: float = 5.0
    """Longest wait for a place."""
    attempts: Attempts = ONCE
    """For what may be repeated."""
    rules: Rules = field(default_factory=Rules)
    faulty: Callable[[BaseException], bool] = away
    """Which errors count against the dependency, and may pass."""


class GuardedDependency:
    """
    The way to one dependency.

    Args:
        name: Of the dependency, for people: `main database`; begins a sentence after "The".
        terms: How it is called.
        clock: Times everything.
        random: Returns a number from 0 to 1, for the waits between attempts.
        changed: Called with every change of the breaker.
    """

    def __init__(
        self,
        *,
        name: str,
        terms: GuardTerms,
        clock: Clock,
        random: Callable[[], float],
        changed: Changed = lambda _name, _state, _why: None,
    ) -> None:
        self.name = name
        self._terms = terms
        self._clock = clock
        self._random = random
        self._changed = changed
        self._breaker = Breaker(name=name, rules=terms.rules, seconds=clock.seconds, changed=self._note_state)
        self._bulkhead = Bulkhead(
            name=name, places=terms.places, waiting=terms.waiting, wait_seconds=terms.wait_seconds, clock=clock
        )
        self._late = 0
        self._repeated = 0

    def run(
        self,
        work: Callable[[], Deferred[T]],
        *,
        repeatable: bool = False,
        late: Callable[[], BaseException] | None = None,
    ) -> Deferred[T]:
        """
        Ask.

        Args:
            work: Asks once; called again only if *repeatable*.
            repeatable: Doing it twice does no more than doing it once.
            late: Called at a time-out, returns the error for it; None: `DependencyTimeout`.

        Returns:
            The answer.  Cancelling ends the wait; between attempts nothing more is tried.

        Raises:
            Away: The breaker is open; nothing was called.
            Busy: There was no place; nothing was called.
            Late: There was no answer in time.
        """
        call: _PendingCall[T] = _PendingCall(work=work, repeatable=repeatable, late=late, began=self._clock.seconds())
        self._ask(call)
        return call.result

    @property
    def state(self) -> State:
        """Return the breaker's state."""
        return self._breaker.state

    def figures(self) -> dict[str, Any]:
        """Return figures for the state page."""
        return {**self._breaker.figures(), **self._bulkhead.figures(), "late": self._late, "repeated": self._repeated}

    def _ask(self, call: _PendingCall[Any]) -> None:
        call.pause = None
        permit = self._breaker.enter()
        if not isinstance(permit, Permit):
            why = self._breaker.why.rstrip(".")
            call.end(
                Failure(
                    CircuitOpen(
                        f"The {self.name} is not called for {max(permit, 0.1):.1f} s, because it failed too often"
                        f"{f' ({why})' if why else ''}; nothing was changed.",
                        retry_seconds=max(permit, 0.1),
                    )
                )
            )
            return
        attempt = _Attempt()

        def begin() -> Deferred[Any]:
            attempt.begun, call.queued = True, None
            attempt.timer = self._clock.callLater(self._terms.seconds, self._time_out, call, attempt, permit)
            return call.work()

        place = self._bulkhead.run(begin)
        # One that is cancelled leaves the queue; what was begun is not cancelled, it would keep its place all the same.
        call.queued = None if attempt.begun else place
        place.addBoth(self._answered, call, attempt, permit)

    def _answered(self, result: Any, call: _PendingCall[Any], attempt: _Attempt, permit: Permit) -> None:
        if attempt.timer is not None and attempt.timer.active():
            attempt.timer.cancel()
        attempt.timer = None
        if attempt.ended:
            # It counted as a failure when its time was up; its outcome is not needed.
            return
        if not isinstance(result, Failure):
            self._breaker.succeeded(permit)
            call.end(result)
            return
        error: BaseException = result.value  # type: ignore[assignment]  # Twisted types it as if there could be none.
        if isinstance(error, BulkheadFull | CancelledError):
            self._breaker.dropped(permit)
        elif self._terms.faulty(error):
            self._breaker.failed(permit, getattr(error, "public", "") or str(error))
            self._retry(call, result)
            return
        else:
            # It answered; that it refused is not its fault.
            self._breaker.succeeded(permit)
        call.end(result)

    def _time_out(self, call: _PendingCall[Any], attempt: _Attempt, permit: Permit) -> None:
        attempt.timer = None
        attempt.ended = True
        self._late += 1
        why = f"The {self.name} did not answer within {self._terms.seconds:g} s."
        self._breaker.failed(permit, why)
        error = call.late() if call.late is not None else DependencyTimeout(why, retry_seconds=1.0)
        self._retry(call, Failure(error))

    def _retry(self, call: _PendingCall[Any], failure: Failure) -> None:
        call.failures += 1
        wait = None
        if call.repeatable and not call.result.called:
            spent = self._clock.seconds() - call.began
            wait = self._terms.attempts.wait(call.failures, spent, self._random)
        if wait is None:
            call.end(failure)
            return
        self._repeated += 1
        call.pause = self._clock.callLater(wait, self._ask, call)

    def _note_state(self, name: str, state: State, why: str) -> None:
        if state is State.OPEN:
            _log.warn("the {name} is not called: its circuit breaker is open: {why}", name=name, why=why)
        elif state is State.CLOSED:
            _log.info("the {name} responds again; its circuit breaker is closed", name=name)
        self._changed(name, state, why)


class _Attempt:
    """One call of the work."""

    __slots__ = ("begun", "ended", "timer")

    def __init__(self) -> None:
        self.begun = False
        self.timer: DelayedCall | None = None
        self.ended = False
        """Its time is up, or its caller has stopped waiting."""


class _PendingCall(Generic[T]):
    """The call, over all attempts."""

    __slots__ = ("began", "failures", "late", "pause", "queued", "repeatable", "result", "work")

    def __init__(
        self,
        *,
        work: Callable[[], Deferred[T]],
        repeatable: bool,
        late: Callable[[], BaseException] | None,
        began: float,
    ) -> None:
        self.work = work
        self.repeatable = repeatable
        self.late = late
        self.began = began
        self.failures = 0
        self.pause: DelayedCall | None = None
        self.queued: Deferred[T] | None = None
        self.result: Deferred[T] = Deferred(self._given_up)

    def end(self, result: Any) -> None:
        """Fire the result, unless its caller has stopped waiting."""
        if self.result.called:
            return
        if isinstance(result, Failure):
            self.result.errback(result)
        else:
            self.result.callback(result)

    def _given_up(self, _: Any) -> None:
        if self.pause is not None and self.pause.active():
            self.pause.cancel()
        if self.queued is not None:
            self.queued.cancel()
