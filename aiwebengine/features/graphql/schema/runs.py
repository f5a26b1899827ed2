"""Running resolvers, and reporting their failures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError, ScriptFailed
from aiwebengine.features.graphql.execution.failures import FieldFailed, of_engine
from aiwebengine.features.graphql.schema.batches import Caller
from aiwebengine.features.graphql.schema.entries import SchemaPart
from aiwebengine.runtime.invoker import Callee, Callees, Invoker
from aiwebengine.runtime.runs.run import Run
from aiwebengine.runtime.runs.sink import Sink
from aiwebengine.scripts.failures import NO_TRACE, Explain, Trace
from aiwebengine.values import HandlerRef, Invocation

_READ_ONLY = (
    "A query only reads, and so do the handlers of fields; make it a mutation, or register the query with "
    "{ writes: true }."
)


class ScriptRuns:
    """
    See `batches.Scripts`.

    Args:
        invoker: Runs them.
        explain: Returns the trace of a failure; None if they are not shown.
        keep: Writes a failure into a script's log.
    """

    def __init__(
        self,
        *,
        invoker: Invoker,
        explain: Explain | None,
        keep: Callable[[Invocation, ScriptFailed], None],
    ) -> None:
        self._invoker = invoker
        self._explain = explain
        self.keep = keep
        self._callees: dict[str, Callees[SchemaPart]] = {}
        """By kind of invocation."""

    def invocation(
        self,
        part: SchemaPart,
        *,
        identity: str,
        kind: str,
        label: str,
        payload: str,
        body: bytes,
        read_only: bool,
        caller: Caller,
    ) -> Invocation:
        """See `batches.Scripts`."""
        callees = self._callees.get(kind)
        if callees is None:
            callees = self._callees[kind] = self._invoker.callees(partial(self._callee, kind))
        return self._invoker.invocation(
            callees.of(part),
            caller.principal,
            payload,
            identity=identity,
            label=label,
            recording=self._invoker.recording(part.script, label),
            read_only=_READ_ONLY if read_only else "",
            trace=caller.trace,
            body=body,
        )

    def run(self, invocation: Invocation, sink: Sink) -> Run:
        """See `batches.Scripts`."""
        return self._invoker.run(invocation, sink)

    def cancel(self, run: Run) -> None:
        """See `batches.Scripts`."""
        self._invoker.cancel(run)

    def explained(self, error: EngineError, invocation: Invocation, then: Callable[[FieldFailed], None]) -> None:
        """See `batches.Scripts`."""
        explain = self._explain
        if explain is None or not isinstance(error, ScriptFailed) or not (error.thrown or error.stack or error.place):
            then(of_engine(error, shown=explain is not None))
            return

        def explained(outcome: Trace | Failure) -> None:
            then(of_engine(error, shown=True, trace=NO_TRACE if isinstance(outcome, Failure) else outcome))

        Deferred.fromCoroutine(explain(error, invocation.version)).addBoth(explained)

    def _callee(self, kind: str, part: SchemaPart) -> Callee:
        return self._invoker.callee(
            kind=kind,
            script=part.script,
            version=part.version,
            handler=part.handler or HandlerRef(id=0, name=""),
            label=part.name,
            place=part.place,
        )
