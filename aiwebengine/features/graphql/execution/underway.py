"""A query or a mutation that is being executed: it ends once, and what runs for it stops with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiwebengine.features.graphql.execution.operation import Operation
from aiwebengine.features.graphql.execution.results import Results

Told = Callable[[Results | Failure], object]
"""Takes what an execution came to; a failure is a fault of the server."""


class Underway:
    """
    See the module.

    Args:
        operation: What is executed.
        told: Given what it comes to, once, unless it is cancelled.
        among: Where it is noted until it is over.
        due: When it must be over.
    """

    __slots__ = ("_among", "_told", "_waiting", "due", "operation")

    def __init__(self, *, operation: Operation, told: Told, among: dict[Underway, None], due: float) -> None:
        self.operation = operation
        self.due = due
        self._told: Told | None = told
        self._among = among
        self._waiting: Deferred[Any] | None = None
        among[self] = None

    @property
    def over(self) -> bool:
        """Nobody waits any more."""
        return self._told is None

    def wait(self, work: Deferred[Results]) -> None:
        """End when *work* has, with what it gives."""
        self._waiting = work
        work.addCallbacks(self.end, self.end)

    def end(self, outcome: Results | Failure) -> None:
        """Return what it came to."""
        told = self._leave()
        if told is not None:
            if isinstance(outcome, Failure):
                self._stop()
            told(outcome)

    def expire(self, results: Results) -> None:
        """Stop what runs for it, and tell *results* in place of its own."""
        told = self._leave()
        if told is not None:
            self._stop()
            told(results)

    def cancel(self) -> None:
        """Stop what runs for it, and tell nobody."""
        if self._leave() is not None:
            self._stop()

    def _leave(self) -> Told | None:
        told, self._told = self._told, None
        self._among.pop(self, None)
        return told

    def _stop(self) -> None:
        self.operation.batches.cancel()
        if self._waiting is not None:
            self._waiting.cancel()
