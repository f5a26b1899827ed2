"""A query or a mutation that is being executed: it ends once, and what runs for it stops with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiwebengine.features.graphql.execution.operation import Operation
from aiwebengine.features.graphql.execution.results import Results

OnResult = Callable[[Results | Failure], object]
"""Takes what an execution came to; a failure is a fault of the server."""


class RunningOperation:
    """
    See the module.

    Args:
        operation: What is executed.
        on_result: Called once with the outcome, unless it is cancelled.
        among: Where it is noted until it is over.
        due: When it must be over.
    """

    __slots__ = ("_among", "_on_result", "_waiting", "due", "operation")

    def __init__(
        self, *, operation: Operation, on_result: OnResult, among: dict[RunningOperation, None], due: float
    ) -> None:
        self.operation = operation
        self.due = due
        self._on_result: OnResult | None = on_result
        self._among = among
        self._waiting: Deferred[Any] | None = None
        among[self] = None

    @property
    def ended(self) -> bool:
        """Whether it has ended or was cancelled."""
        return self._on_result is None

    def wait(self, work: Deferred[Results]) -> None:
        """End when *work* has, with its result."""
        self._waiting = work
        work.addCallbacks(self.end, self.end)

    def end(self, outcome: Results | Failure) -> None:
        """Return what it came to."""
        on_result = self._end()
        if on_result is not None:
            if isinstance(outcome, Failure):
                self._stop()
            on_result(outcome)

    def expire(self, results: Results) -> None:
        """Stop what runs for it, and report *results* instead of its own."""
        on_result = self._end()
        if on_result is not None:
            self._stop()
            on_result(results)

    def cancel(self) -> None:
        """Stop what runs for it, without a report."""
        if self._end() is not None:
            self._stop()

    def _end(self) -> OnResult | None:
        on_result, self._on_result = self._on_result, None
        self._among.pop(self, None)
        return on_result

    def _stop(self) -> None:
        self.operation.batches.cancel()
        if self._waiting is not None:
            self._waiting.cancel()
