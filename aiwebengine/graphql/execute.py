"""
Executing operations: from what a client sends to results.

A request can fail before anything is executed (it cannot be parsed, it does not fit the schema,
its variables do not fit), which is told apart from an execution in which fields failed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import dataclass
from types import CoroutineType
from typing import Any, TypeGuard

from graphql import ExecutionResult, GraphQLError
from graphql.execution import Executor, ExperimentalIncrementalExecutionResults
from graphql.execution.incremental.incremental_executor import IncrementalExecutor
from graphql.language import OperationDefinitionNode
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiwebengine.graphql.batches import Asker, Batches, Call, Scripts
from aiwebengine.graphql.documents import Document, Documents
from aiwebengine.graphql.failures import formatted
from aiwebengine.graphql.loop import Future, ReactorLoop
from aiwebengine.graphql.operation import Operation, Params
from aiwebengine.graphql.prefetch import Plan, Slot, by_script, calls_of, plan_of
from aiwebengine.graphql.resolvers import member
from aiwebengine.graphql.schema import Assembled
from aiwebengine.interfaces import Clock, DelayedCall
from aiwebengine.runtime.registry import Current
from aiwebengine.settings.schema import GraphQLSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An operation that may be executed."""

    assembled: Assembled
    document: Document
    node: OperationDefinitionNode
    params: Params

    @property
    def kind(self) -> str:
        """`query`, `mutation` or `subscription`."""
        return self.node.operation.value


class RequestFailed(Exception):
    """
    Nothing was executed.

    Args:
        errors: Why.
    """

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(errors[0].message if errors else "")
        self.errors = list(errors)


class NoSchema(Exception):
    """No script adds anything to the schema."""


@dataclass(slots=True, kw_only=True)
class Results:
    """What an execution came to."""

    first: dict[str, Any]
    """The response, or the first part of it."""
    more: AsyncIterator[Any] | None = None
    """The other parts, if there are any."""


class Execution:
    """
    See the module.

    Args:
        current: Has the schema.
        documents: Reads documents.
        loop: Runs graphql-core.
        scripts: Run resolvers.
        settings: The limits.
        clock: Times operations.
    """

    def __init__(
        self,
        *,
        current: Current,
        documents: Documents,
        loop: ReactorLoop,
        scripts: Scripts,
        settings: GraphQLSettings,
        clock: Clock,
    ) -> None:
        self._current = current
        self.documents = documents
        self.loop = loop
        self.scripts = scripts
        self._settings = settings
        self._clock = clock
        self._operations = 0
        self._running: dict[Operation, tuple[float, Deferred[Results]]] = {}
        self._looking: DelayedCall | None = None

    @property
    def assembled(self) -> Assembled:
        """
        Give the schema that serves.

        Raises:
            NoSchema: There is none.
        """
        found = self._current.registry.schema
        if found is None:
            raise NoSchema
        assert isinstance(found, Assembled)
        return found

    def prepare(self, params: Params) -> Prepared:
        """
        Read a document and find the operation.

        Raises:
            RequestFailed: It cannot be executed.
            NoSchema: There is nothing to execute it on.
        """
        assembled = self.assembled
        try:
            document = self.documents.read(params.query, assembled.schema)
            if document.errors:
                raise RequestFailed(document.errors)
            node = document.operation(params.operation_name)
            self.documents.admit(document, node, params.variables)
        except GraphQLError as error:
            raise RequestFailed([error]) from None
        return Prepared(assembled=assembled, document=document, node=node, params=params)

    def operation(self, prepared: Prepared, asker: Asker) -> Operation:
        """Make the context of an execution."""
        self._operations += 1
        return Operation(
            assembled=prepared.assembled,
            document=prepared.document,
            node=prepared.node,
            asker=asker,
            loop=self.loop,
            batches=Batches(loop=self.loop, scripts=self.scripts, asker=asker),
        )

    def executor(self, prepared: Prepared, operation: Operation, *, incremental: bool) -> Executor[Any]:
        """
        Make what executes.

        Raises:
            RequestFailed: The variables do not fit.
        """
        kind = IncrementalExecutor if incremental else Executor
        made = kind.build(
            prepared.assembled.schema,
            prepared.document.node,
            None,
            operation,
            dict(prepared.params.variables),
            prepared.params.operation_name,
            member,
            is_awaitable=_is_awaitable,
        )
        if isinstance(made, list):
            raise RequestFailed(made)
        return made

    def execute(self, prepared: Prepared, asker: Asker, *, incremental: bool = False) -> Deferred[Results]:
        """
        Execute a query or a mutation.

        Args:
            incremental: `@defer` and `@stream` are obeyed; otherwise everything comes at once.

        Returns:
            Fails with RequestFailed.  Cancelling stops what runs for it.
        """
        operation = self.operation(prepared, asker)
        executor = self.executor(prepared, operation, incremental=incremental)
        plan = None if incremental else plan_of(prepared.assembled, prepared.document, prepared.node)
        calls = calls_of(plan, executor.variable_values) if plan is not None else None
        if plan is not None and calls is not None:
            return self._prefetched(plan, calls, operation, executor)
        done = self._run(executor, asker)
        if not done.called:
            self._watch(operation, done)
        return done

    def _prefetched(
        self, plan: Plan, calls: list[Call], operation: Operation, executor: Executor[Any]
    ) -> Deferred[Results]:
        """Ask for the root fields at once, and execute when all are there."""
        done: Deferred[Results] = Deferred()
        left = len(plan)

        def settled() -> None:
            nonlocal left
            left -= 1
            if left or done.called:
                return
            result = executor.execute_operation()
            if isinstance(result, ExecutionResult):
                done.callback(Results(first=self.told(result, operation.asker.request)))
            else:
                self._awaited(result, operation, done)

        operation.prefetched = {item.key: call.add(Slot(settled)) for item, call in zip(plan, calls, strict=True)}
        for together in by_script(calls):
            operation.batches.send(together, read_only=True)
        if not done.called:
            self._watch(operation, done)
        return done

    def _awaited(self, result: Any, operation: Operation, done: Deferred[Results]) -> None:
        """Wait for what lies below the root fields."""

        async def rest() -> Results:
            return Results(first=self.told(await result, operation.asker.request))

        below = self.loop.run(rest())
        # Whoever cancels the whole cancels this; see `_over`.
        operation.below = below
        below.addCallbacks(
            lambda results: None if done.called else done.callback(results),
            lambda failure: None if done.called else done.errback(failure),
        )

    def _run(self, executor: Executor[Any], asker: Asker) -> Deferred[Results]:
        async def run() -> Results:
            result: Any = executor.execute_operation()
            if not isinstance(result, ExecutionResult | ExperimentalIncrementalExecutionResults):
                result = await result
            if isinstance(result, ExperimentalIncrementalExecutionResults):
                first = told_first(result, asker.request, self._settings.max_response_bytes)
                return Results(first=first, more=result.subsequent_results if "hasNext" in first else None)
            return Results(first=self.told(result, asker.request))

        return self.loop.run(run())

    def told(self, result: ExecutionResult, request: str) -> dict[str, Any]:
        """Give a result as it is sent."""
        return told(result, request, self._settings.max_response_bytes)

    def state(self) -> dict[str, int]:
        """Give figures for the state page."""
        return {"operations": self._operations, **self.documents.state()}

    def _watch(self, operation: Operation, done: Deferred[Results]) -> None:
        """Stop what runs for an operation when nobody waits any more, or when it takes too long."""
        due = self._clock.seconds() + self._settings.max_seconds
        self._running[operation] = (due, done)
        if self._looking is None:
            self._looking = self._clock.callLater(self._settings.max_seconds, self._look)
        done.addBoth(self._over, operation)

    def _over(self, result: Results | Failure, operation: Operation) -> Results | Failure:
        self._running.pop(operation, None)
        if isinstance(result, Failure):
            operation.batches.cancel()
            if operation.below is not None:
                operation.below.cancel()
            if operation.late:
                seconds = self._settings.max_seconds
                message = f"The operation was not done after {seconds:g} s (graphql.max_seconds) and was ended."
                errors = [{"message": message, "extensions": {"code": "TIMEOUT"}}]
                return Results(first={"errors": errors, "data": None})
        return result

    def _look(self) -> None:
        """End what takes too long; they began in this order."""
        self._looking = None
        now = self._clock.seconds()
        for operation, (due, done) in list(self._running.items()):
            if due > now:
                self._looking = self._clock.callLater(due - now, self._look)
                break
            operation.late = True
            done.cancel()


def _is_awaitable(value: Any) -> TypeGuard[Awaitable[Any]]:
    """Tell what graphql-core waits for: of all awaitables only these two occur here."""
    return isinstance(value, CoroutineType | Future)


def told(result: ExecutionResult, request: str, most: int) -> dict[str, Any]:
    """
    Give a result as it is sent.

    Args:
        most: Bytes that it may have, more or less.
    """
    if exceeds(result.data, most):
        return too_large(most)
    if not result.errors:
        return {"data": result.data}
    answer: dict[str, Any] = {"errors": formatted(result.errors, request=request), "data": result.data}
    if result.extensions:
        answer["extensions"] = result.extensions
    return answer


def exceeds(data: Any, most: int) -> bool:
    """Tell whether JSON of *data* would have more than about so many bytes, without making it."""
    size = 0
    waiting = [data]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            size += len(one)
        elif isinstance(one, dict):
            size += 4 * len(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            size += len(one)
            waiting.extend(one)
        if size > most:
            return True
    return False


def too_large(most: int) -> dict[str, Any]:
    """Give what is sent in place of a result that is too large."""
    message = f"The result has more than {most:,} bytes (graphql.max_response_bytes); ask for less at once."
    return {"errors": [{"message": message, "extensions": {"code": "TOO_LARGE"}}], "data": None}


def told_first(result: ExperimentalIncrementalExecutionResults, request: str, most: int) -> dict[str, Any]:
    """Give the first part of an incremental result."""
    first = result.initial_result
    if exceeds(first.data, most):
        return too_large(most)
    answer: dict[str, Any] = {"data": first.data}
    if first.errors:
        answer["errors"] = formatted(first.errors, request=request)
    return {**answer, "pending": first.formatted["pending"], "hasNext": True}


def told_next(part: Any, request: str, most: int) -> dict[str, Any]:
    """Give another part of an incremental result."""
    shown: dict[str, Any] = dict(part.formatted)
    if exceeds(shown, most):
        return {**too_large(most), "hasNext": False}
    for key, made in (("incremental", part.incremental), ("completed", part.completed)):
        if key in shown:
            shown[key] = [_with_errors(one, item, request) for one, item in zip(shown[key], made or (), strict=True)]
    return shown


def _with_errors(shown: Mapping[str, Any], item: Any, request: str) -> dict[str, Any]:
    errors = getattr(item, "errors", None)
    return {**shown, "errors": formatted(errors, request=request)} if errors else dict(shown)


def request_failed(errors: Sequence[GraphQLError], request: str) -> dict[str, Any]:
    """Give the response to a request that was not executed."""
    return {"errors": formatted(errors, request=request)}
