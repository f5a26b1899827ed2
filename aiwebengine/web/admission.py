"""
Admission: what a matched request passes before its handler is run.

A feature adds a step, with its place in the order and with the routes to which it applies.  That is
decided once for each route of what serves, so a route to which no step applies pays nothing.  A step
lets the request go on, refuses it by raising an `EngineError`, or takes it over and answers it itself,
within `held_requests.HELD_SECONDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from twisted.python.failure import Failure

from aiwebengine.runtime.runs.sink import Sink
from aiwebengine.values import Entry, Invocation, Request
from aiwebengine.web.http.exchange import Exchange


class Place(IntEnum):
    """Where in the order a step stands; steps of one place go in the order of the features."""

    SHIELD = 10
    """Refuses every request: maintenance, overload."""
    IDENTITY = 20
    """Finds out who asks."""
    LIMITS = 30
    """Counts what they may."""
    RIGHTS = 40
    """Decides whether they may do this."""
    ANSWERED = 50
    """Answers without the handler: kept and cached answers."""


class RequestRunner(Protocol):
    """What a step that takes a request over can do with it."""

    def run(self, invocation: Invocation, sink: Sink, exchange: Exchange) -> None:
        """Run *invocation* for a client; *sink* is notified of the outcome."""

    def failed(self, failure: Failure, exchange: Exchange) -> None:
        """Answer with an error, whatever it is."""


Enter = Callable[[Exchange, Request, Entry, Invocation, RequestRunner], bool]
"""Returns False to let the request go on, True if the step has taken it over; raises an EngineError to refuse it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionStep:
    """One step."""

    name: str
    """For people who read the order."""
    place: Place
    applies: Callable[[Entry], bool]
    """Whether requests for a route pass it; called once for each route."""
    enter: Enter


class Admission:
    """
    All steps in their order.

    Args:
        steps: Of all features.
    """

    def __init__(self, steps: Iterable[AdmissionStep]) -> None:
        self.steps = sorted(steps, key=lambda step: step.place)

    def of(self, route: Entry) -> tuple[AdmissionStep, ...]:
        """Return what requests for *route* pass, in order."""
        return tuple(step for step in self.steps if step.applies(route))
