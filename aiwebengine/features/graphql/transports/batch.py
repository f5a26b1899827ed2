"""
Several operations in one request, as clients send them that gather what they ask.

    POST /graphql   [{"query": "{ a }"}, {"query": "{ b }"}]    ->   [{"data": {"a": 1}}, {"data": {"b": 2}}]

They are executed at the same time, each by itself: a failure is reported in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import INTERNAL_ERROR, EngineError, Invalid
from aiwebengine.features.graphql.execution.execute import Execution, RequestFailed
from aiwebengine.features.graphql.execution.results import Results, engine_refused, request_failed
from aiwebengine.features.graphql.execution.underway import RunningOperation
from aiwebengine.features.graphql.schema.batches import Caller
from aiwebengine.features.graphql.transports.params import read_params

_log = Logger()


class BatchedOperations:
    """
    The operations of one request.

    Args:
        execution: Executes them.
        caller: Who asks.
        persisted: Documents are kept.
        done: Called once with their results, in order.
    """

    def __init__(
        self,
        *,
        execution: Execution,
        caller: Caller,
        persisted: bool,
        done: Callable[[Sequence[Mapping[str, Any]]], None],
    ) -> None:
        self._execution = execution
        self._caller = caller
        self._persisted = persisted
        self._done = done
        self._results: list[Mapping[str, Any]] = []
        self._underway: list[RunningOperation] = []
        self._left = 0

    def begin(self, operations: Sequence[Mapping[str, Any]]) -> None:
        """
        Execute operations.

        Args:
            operations: The parameters of each.

        Raises:
            NoSchema: There is nothing to execute them on.
        """
        self._results = [{}] * len(operations)
        self._left = len(operations)
        for index, params in enumerate(operations):
            try:
                self._begin(index, params)
            except RequestFailed as failed:
                self._received(index, request_failed(failed.errors, self._caller.request))
            except EngineError as error:
                self._received(index, engine_refused(error, self._caller.request))

    def cancel(self) -> None:
        """Stop: the client has disconnected."""
        for operation in self._underway:
            operation.cancel()

    def _begin(self, index: int, params: Mapping[str, Any]) -> None:
        prepared = self._execution.prepare(read_params(params, self._execution.documents, persisted=self._persisted))
        if prepared.kind == "subscription":
            raise Invalid("A subscription cannot be one of several operations in an array; send it by itself.")
        self._underway.append(self._execution.execute(prepared, self._caller, partial(self._finished, index)))

    def _finished(self, index: int, outcome: Results | Failure) -> None:
        if isinstance(outcome, Failure):
            _log.failure("GraphQL request {request} failed", outcome, request=self._caller.request)
            fault = EngineError(INTERNAL_ERROR)
            self._received(index, engine_refused(fault, self._caller.request))
        else:
            self._received(index, outcome.first)

    def _received(self, index: int, result: Mapping[str, Any]) -> None:
        self._results[index] = result
        self._left -= 1
        if not self._left:
            self._done(self._results)
