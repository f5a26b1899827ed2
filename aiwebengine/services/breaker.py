"""
A circuit breaker: after enough failures a dependency is not called: its circuit breaker is open.

A call in the meantime is refused at once, holds nothing, and does not add to the load of
what is trying to recover.

    closed     calls pass; failures are counted
    open       calls are refused until a time has come
    half-open  one call at a time passes, to see: enough successes close, one failure opens
               again, each time for longer

The machine is pure: it calls nothing but its clock and its listener.  A call that began
before the last change of state says nothing about the state after it, and is not counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiwebengine.services.retry import Backoff


class State(StrEnum):
    """Of a breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a breaker opens and closes."""

    failures: int = 5
    """Number of failures in a row that open it."""
    share: float = 0.5
    """Such a part of the last `window` calls that failed opens it too."""
    window: int = 20
    """How many calls are looked at; fewer than this say nothing about a share."""
    successes: int = 1
    """Number of successes in a row that close it again."""
    open_for: Backoff = field(default_factory=lambda: Backoff(first_seconds=1.0, longest_seconds=30.0))
    """How long it stays open, by how often it opened since it was last closed."""


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to make one call; returned with the outcome of the call."""

    epoch: int


Changed = Callable[[str, State, str], None]
"""Called with the breaker's name, its new state and the reason."""


class Breaker:
    """
    See the module.

    Args:
        name: Of the dependency, for people.
        rules: When it opens and closes.
        seconds: A clock that never goes back.
        changed: Called with every change of state.
    """

    def __init__(
        self,
        *,
        name: str,
        rules: Rules,
        seconds: Callable[[], float],
        changed: Changed = lambda _name, _state, _why: None,
    ) -> None:
        self.name = name
        self._rules = rules
        self._seconds = seconds
        self._changed = changed
        self._state = State.CLOSED
        self._epoch = 0
        self._row = 0
        self._last: deque[bool] = deque(maxlen=rules.window)
        self._opened = 0
        self._until = 0.0
        self._probing = False
        self._why = ""

    @property
    def state(self) -> State:
        """Return the state; an open one whose time has come stays open until the next call."""
        return self._state

    @property
    def why(self) -> str:
        """Return what the last counted failure said; empty if there was none since it was last closed."""
        return self._why

    def enter(self) -> Permit | float:
        """
        Ask to make a call.

        Returns:
            A permit, to be passed to `succeeded`, `failed` or `dropped`; or how many seconds to wait.
        """
        if self._state is State.CLOSED:
            return Permit(self._epoch)
        left = self._until - self._seconds()
        if self._state is State.OPEN:
            if left > 0:
                return left
            self._become(State.HALF_OPEN, "it is time to try again")
            self._row = 0
        elif self._probing:
            return max(left, self._rules.open_for.first_seconds)
        self._probing = True
        return Permit(self._epoch)

    def succeeded(self, permit: Permit) -> None:
        """Count a success."""
        if permit.epoch != self._epoch:
            return
        if self._state is State.CLOSED:
            self._row = 0
            self._last.append(True)
            return
        self._probing = False
        self._row += 1
        if self._row >= self._rules.successes:
            self._opened = self._row = 0
            self._last.clear()
            self._why = ""
            self._become(State.CLOSED, "it answers again")

    def failed(self, permit: Permit, why: str) -> None:
        """Count a failure."""
        if permit.epoch != self._epoch:
            return
        self._why = why
        if self._state is State.HALF_OPEN:
            self._open(why)
            return
        self._row += 1
        self._last.append(False)
        full = len(self._last) == self._rules.window
        if self._row >= self._rules.failures or (
            full and self._last.count(False) >= self._rules.share * len(self._last)
        ):
            self._open(why)

    def dropped(self, permit: Permit) -> None:
        """Release the permit of a call that says nothing about the dependency, such as one that was cancelled."""
        if permit.epoch == self._epoch:
            self._probing = False

    def figures(self) -> dict[str, Any]:
        """Return figures for the state page."""
        document: dict[str, Any] = {
            "state": str(self._state),
            "failures": self._last.count(False),
            "calls": len(self._last),
        }
        if self._state is not State.CLOSED:
            document["retrySeconds"] = round(max(self._until - self._seconds(), 0.0), 3)
            document["why"] = self._why
        return document

    def _open(self, why: str) -> None:
        self._opened += 1
        self._row = 0
        self._until = self._seconds() + self._rules.open_for.ceiling(self._opened)
        self._become(State.OPEN, why)

    def _become(self, state: State, why: str) -> None:
        self._state = state
        self._epoch += 1
        self._probing = False
        self._changed(self.name, state, why)
