"""
Executing operations: from what a client sends to results.

A request can fail before anything is executed (it cannot be parsed, it does not fit the schema,
its variables do not fit), which is distinct from an execution in which fields failed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from types import CoroutineType
from typing import Any, NamedTuple, TypeGuard

from graphql import ExecutionResult, GraphQLError, GraphQLResolveInfoHelpers
from graphql.execution import Executor, ExperimentalIncrementalExecutionResults
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues, get_variable_values
from graphql.language import OperationDefinitionNode

from aiwebengine.errors import Cancelled
from aiwebengine.features.graphql.execution.documents import Document, Documents
from aiwebengine.features.graphql.execution.failures import FieldFailed
from aiwebengine.features.graphql.execution.loop import Future, ReactorLoop
from aiwebengine.features.graphql.execution.operation import Operation, Params
from aiwebengine.features.graphql.execution.results import Results, first_response, response_of, too_late
from aiwebengine.features.graphql.execution.slots import PendingValues
from aiwebengine.features.graphql.execution.underway import OnResult, RunningOperation
from aiwebengine.features.graphql.schema.assembly import AssembledSchema
from aiwebengine.features.graphql.schema.batches import Batches, Call, Caller, Scripts
from aiwebengine.features.graphql.schema.entries import GRAPHQL
from aiwebengine.features.graphql.schema.leaves import PartsExecutor, WholeExecutor
from aiwebengine.features.graphql.schema.output import Output, Unwritable
from aiwebengine.features.graphql.schema.prefetch import Plan, by_script, calls_of, plan_of
from aiwebengine.features.graphql.schema.resolvers import member, type_of
from aiwebengine.features.graphql.schema.writing import writer_of
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.interfaces import Clock, DelayedCall
from aiwebengine.runtime.registry import Current


def _unused(*_: Any) -> Any:
    """Return nothing: the resolvers here need none of graphql-core's helpers."""
    raise NotImplementedError


_NO_VARIABLES = VariableValues({}, {})
_MOST_ERRORS = 50
"""Of variables that do not fit; the same as in graphql-core."""
_HELPERS = GraphQLResolveInfoHelpers(gather=_unused, track=_unused)


class PreparedOperation(NamedTuple):
    """An operation that may be executed; a tuple, as `Params`."""

    assembled: AssembledSchema
    document: Document
    node: OperationDefinitionNode
    params: Params
    kind: str
    """`query`, `mutation` or `subscription`."""


class _PlannedQuery(NamedTuple):
    """A query whose root fields are resolved before it is executed."""

    prepared: PreparedOperation
    plan: Plan
    variables: VariableValues
    underway: RunningOperation
    written: bool
    """The response may be JSON already."""


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
        self._running: dict[RunningOperation, None] = {}
        """In the order in which they are due."""
        self._looking: DelayedCall | None = None

    @property
    def assembled(self) -> AssembledSchema:
        """
        Return the schema that serves.

        Raises:
            NoSchema: There is none.
        """
        schema = self._current.registry.index(GRAPHQL)
        if schema is None:
            raise NoSchema
        assert isinstance(schema, AssembledSchema)
        return schema

    def prepare(self, params: Params) -> PreparedOperation:
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
        return PreparedOperation(assembled, document, node, params, node.operation.value)

    def operation(self, prepared: PreparedOperation, caller: Caller) -> Operation:
        """Make the context of an execution."""
        self._operations += 1
        return Operation(
            assembled=prepared.assembled,
            document=prepared.document,
            node=prepared.node,
            caller=caller,
            loop=self.loop,
            batches=Batches(loop=self.loop, scripts=self.scripts, caller=caller),
        )

    def variables(self, prepared: PreparedOperation) -> VariableValues:
        """
        Return the variables of an operation.

        Raises:
            RequestFailed: They do not fit.
        """
        definitions = prepared.node.variable_definitions
        if not definitions:
            return _NO_VARIABLES
        values = get_variable_values(
            prepared.assembled.schema, definitions, dict(prepared.params.variables), _MOST_ERRORS
        )
        if isinstance(values, list):
            raise RequestFailed(values)
        return values

    def executor(
        self,
        prepared: PreparedOperation,
        operation: Operation,
        *,
        incremental: bool,
        variables: VariableValues | None = None,
    ) -> Executor[Any]:
        """
        Make what executes.

        Args:
            variables: Those of the operation, if they are known already.

        Raises:
            RequestFailed: The variables do not fit.
        """
        kind: type[Executor[Any]] = PartsExecutor if incremental else WholeExecutor
        fragments = prepared.document.fragments
        made = kind(
            prepared.assembled.schema,
            fragments,
            {name: FragmentDetails(fragment, None) for name, fragment in fragments.items()},
            None,
            operation,
            prepared.node,
            self.variables(prepared) if variables is None else variables,
            member,
            type_of,
            member,
            is_awaitable=_is_awaitable,
        )
        # With methods of its own it would be garbage that only the collector finds.
        made.async_helpers = _HELPERS
        return made

    def execute(
        self,
        prepared: PreparedOperation,
        caller: Caller,
        on_result: OnResult,
        *,
        incremental: bool = False,
        written: bool = False,
    ) -> RunningOperation:
        """
        Execute a query or a mutation.

        Args:
            on_result: Called once with the outcome, unless it is cancelled.
            incremental: `@defer` and `@stream` are obeyed; otherwise everything comes at once.
            written: The response may be JSON already.

        Raises:
            RequestFailed: The variables do not fit.
        """
        operation = self.operation(prepared, caller)
        variables = self.variables(prepared)
        underway = RunningOperation(
            operation=operation,
            on_result=on_result,
            among=self._running,
            due=self._clock.seconds() + self._settings.max_seconds,
        )
        if self._looking is None:
            self._looking = self._clock.callLater(self._settings.max_seconds, self._look)
        plan = None if incremental else plan_of(prepared.assembled, prepared.document, prepared.node)
        calls = calls_of(plan, variables, self.loop.checkpoint) if plan is not None else None
        if plan is None or calls is None:
            executor = self.executor(prepared, operation, incremental=incremental, variables=variables)
            underway.wait(self.loop.run(self._run(executor, caller)))
        else:
            self._ask(_PlannedQuery(prepared, plan, variables, underway, written), calls)
        return underway

    def _ask(self, query: _PlannedQuery, calls: Sequence[Call]) -> None:
        """Ask for the root fields at once, and execute when all are there."""
        go_on, plan = self._go_on, query.plan

        def there() -> None:
            if plan.quick:
                go_on(query)
            else:
                self.loop.enter(go_on, query)

        operation = query.underway.operation
        slots = PendingValues(len(calls), there)
        operation.prefetched = {item.key: call.add(slots.one()) for item, call in zip(plan.items, calls, strict=True)}
        for together in by_script(calls):
            operation.batches.send(together, read_only=True)

    def _go_on(self, query: _PlannedQuery) -> None:
        """Execute, with the root fields at hand."""
        underway = query.underway
        if underway.ended:
            return
        text = self._written(query) if query.written and query.plan.quick else None
        if text is not None:
            underway.end(Results(written=text))
            return
        if underway.ended:
            return
        operation = underway.operation
        request = operation.caller.request
        executor = self.executor(query.prepared, operation, incremental=False, variables=query.variables)
        result: Any = executor.execute_operation()
        if isinstance(result, ExecutionResult):
            underway.end(Results(first=self.response_of(result, request)))
        else:
            underway.wait(self.loop.run(self._finish(result, request)))

    def _written(self, query: _PlannedQuery) -> str | None:
        """Write the response at once; None if it has errors, which graphql-core reports, or if nothing waits for it."""
        prepared, operation = query.prepared, query.underway.operation
        writer = writer_of(
            prepared.assembled.schema, prepared.document, prepared.node, query.variables, self.loop.checkpoint
        )
        if writer is None:
            return None
        assert operation.prefetched is not None
        try:
            values = {key: slot.get() for key, slot in operation.prefetched.items()}
            data = writer.write(
                values, query.variables, Output(self._settings.max_response_bytes, operation.checkpoint)
            )
        except (Unwritable, FieldFailed, Cancelled):
            return None
        return f'{{"data":{data}}}'

    async def _finish(self, result: Awaitable[Any], request: str) -> Results:
        """Wait for what is below the root fields."""
        return Results(first=self.response_of(await result, request))

    async def _run(self, executor: Executor[Any], caller: Caller) -> Results:
        result: Any = executor.execute_operation()
        if not isinstance(result, ExecutionResult | ExperimentalIncrementalExecutionResults):
            result = await result
        if isinstance(result, ExperimentalIncrementalExecutionResults):
            first = first_response(result, caller.request, self._settings.max_response_bytes, self.loop.checkpoint)
            return Results(first=first, more=result.subsequent_results if "hasNext" in first else None)
        return Results(first=self.response_of(result, caller.request))

    def response_of(self, result: ExecutionResult, request: str) -> dict[str, Any]:
        """Return a result as it is sent."""
        return response_of(result, request, self._settings.max_response_bytes, self.loop.checkpoint)

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"operations": self._operations, **self.documents.state()}

    def _look(self) -> None:
        """End what takes too long; they began in this order."""
        self._looking = None
        now = self._clock.seconds()
        for underway in list(self._running):
            if underway.due > now:
                self._looking = self._clock.callLater(underway.due - now, self._look)
                break
            underway.expire(Results(first=too_late(self._settings.max_seconds)))


def _is_awaitable(value: Any) -> TypeGuard[Awaitable[Any]]:
    """Return what graphql-core waits for: of all awaitables only these two occur here."""
    return isinstance(value, CoroutineType | Future)
