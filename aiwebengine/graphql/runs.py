"""Running resolvers: what an invocation of one may use, and what is told of its failure."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError, ScriptFailed
from aiwebengine.graphql.batches import Asker
from aiwebengine.graphql.failures import FieldFailed, of_engine
from aiwebengine.runtime.allowance import allowance
from aiwebengine.runtime.registry import Current, Registry
from aiwebengine.runtime.run import Run
from aiwebengine.runtime.runner import Runner
from aiwebengine.runtime.sink import Sink
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Allowance, HandlerRef, Invocation, SchemaPart
from aiwebengine.web.errors import Explain, Place


class ScriptRuns:
    """
    See `batches.Scripts`.

    Args:
        runner: Runs them.
        current: Says what they ask to use.
        limits: The server's own.
        explain: Gives the author's frames of a failure; None to show nobody.
        keep: Writes a failure into a script's log.
        recording: Tells how invocations of a script are recorded; see `Invocation.recording`.
    """

    def __init__(
        self,
        *,
        runner: Runner,
        current: Current,
        limits: LimitSettings,
        explain: Explain | None,
        keep: Callable[[Invocation, ScriptFailed], None],
        recording: Callable[[str, str], str] = lambda _uri, _what: "",
    ) -> None:
        self._runner = runner
        self._current = current
        self._limits = limits
        self._explain = explain
        self.keep = keep
        self._recording = recording
        self._known: dict[str, Allowance] = {}
        self._known_of: Registry | None = None

    def invocation(
        self, part: SchemaPart, *, identity: str, kind: str, label: str, payload: str, read_only: bool, asker: Asker
    ) -> Invocation:
        """See `batches.Scripts`."""
        allowed = self._allowance(part.script)
        return Invocation(
            id=identity,
            script=part.script,
            version=part.version,
            kind=kind,
            handler=part.handler or HandlerRef(id=0, name=""),
            principal=asker.principal,
            payload=payload,
            wall_seconds=allowed.wall_seconds,
            cpu_seconds=allowed.cpu_seconds,
            label=label,
            allowance=allowed,
            read_only=read_only,
            recording=self._recording(part.script, label),
        )

    def run(self, invocation: Invocation, sink: Sink) -> Run:
        """See `batches.Scripts`."""
        return self._runner.run(invocation, sink)

    def cancel(self, run: Run) -> None:
        """See `batches.Scripts`."""
        self._runner.cancel(run)

    def explained(self, error: EngineError, invocation: Invocation, then: Callable[[FieldFailed], None]) -> None:
        """See `batches.Scripts`."""
        explain = self._explain
        if explain is None or not isinstance(error, ScriptFailed) or error.thrown is None:
            then(of_engine(error, shown=explain is not None))
            return

        async def places() -> list[Place]:
            return list(await explain(error, invocation.version))

        def told(found: list[Place] | Failure) -> None:
            then(of_engine(error, shown=True, places=[] if isinstance(found, Failure) else found))

        Deferred.fromCoroutine(places()).addBoth(told)

    def _allowance(self, script: str) -> Allowance:
        registry = self._current.registry
        if registry is not self._known_of:
            self._known.clear()
            self._known_of = registry
        known = self._known.get(script)
        if known is None:
            active = registry.scripts.get(script)
            known = self._known[script] = allowance(self._limits, active.limits if active is not None else {})
        return known
