"""Schemas without scripts: what a script would answer is given by functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.task import Clock

from aiwebengine.errors import EngineError, ScriptFailed
from aiwebengine.features.graphql.execution.documents import Documents
from aiwebengine.features.graphql.execution.execute import Execution
from aiwebengine.features.graphql.execution.failures import FieldFailed, of_engine
from aiwebengine.features.graphql.execution.loop import ReactorLoop
from aiwebengine.features.graphql.execution.operation import Params
from aiwebengine.features.graphql.execution.underway import RunningOperation
from aiwebengine.features.graphql.schema.batches import Caller
from aiwebengine.features.graphql.schema.entries import GRAPHQL, SchemaPart
from aiwebengine.features.graphql.schema.registration import schema_parts
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.runtime.registry import ActiveScript, Current
from aiwebengine.runtime.runs.sink import Sink
from aiwebengine.services.reactor.cooperative import CooperativeTasks
from aiwebengine.values import Answer, Entry, HandlerRef, Invocation
from tests.support.fakes.invocations import an_invocation

SCHEMA_PARTS = schema_parts(GraphQLSettings())

Resolve = Callable[[Mapping[str, Any]], Any]


def part(kind: str, name: str, sdl: str = "", *, script: str = "a", handler: int = 0, **options: Any) -> SchemaPart:
    """Make one part of a schema."""
    return SchemaPart(
        script=script,
        version=f"{script}@1",
        kind=kind,
        name=name,
        sdl=sdl,
        handler=None if kind == "scalar" else HandlerRef(id=handler, name=name),
        options=options,
        place=f"main.js:{handler + 1}",
    )


def entry(part: SchemaPart) -> Entry:
    """Return what is registered of a part."""
    return Entry(
        kind=GRAPHQL,
        key=f"{part.kind} {part.name}",
        script=part.script,
        version=part.version,
        handler=part.handler,
        options={"kind": part.kind, "name": part.name, "sdl": part.sdl, "options": part.options},
        place=part.place,
    )


def calls_of(invocation: Invocation) -> list[Any]:
    """Return the calls of resolvers in an invocation."""
    calls: list[Any] = json.loads(invocation.body or json.dumps(json.loads(invocation.payload)["calls"]))
    return calls


class FakeScripts:
    """
    Answers runs when it is told to; see `batches.Scripts`.

    Args:
        handlers: By number, what a call comes to; what they raise is thrown.
    """

    def __init__(self, handlers: Sequence[Resolve]) -> None:
        self.handlers = handlers
        self.waiting: list[tuple[Invocation, Sink]] = []
        self.seen: list[tuple[str, bool, list[Any]]] = []
        """Label, whether it only reads, and the calls of each run."""
        self.kept: list[ScriptFailed] = []
        self.cancelled = 0

    def invocation(self, of: SchemaPart, **given: Any) -> Invocation:
        return an_invocation(
            id=given["identity"],
            script=of.script,
            version=of.version,
            kind=given["kind"],
            handler=of.handler,
            principal=given["caller"].principal,
            payload=given["payload"],
            body=given["body"],
            label=given["label"],
            read_only=given["read_only"],
        )

    def run(self, invocation: Invocation, sink: Sink) -> Any:
        self.seen.append((invocation.label, invocation.read_only, calls_of(invocation)))
        self.waiting.append((invocation, sink))
        return invocation

    def cancel(self, run: Any) -> None:
        self.cancelled += 1

    def explained(self, error: EngineError, invocation: Invocation, then: Callable[[FieldFailed], None]) -> None:
        then(of_engine(error, shown=True))

    def keep(self, invocation: Invocation, error: ScriptFailed) -> None:
        self.kept.append(error)

    def answer(self) -> None:
        """Answer everything that waits, and what comes of it."""
        while self.waiting:
            invocation, sink = self.waiting.pop(0)
            calls = calls_of(invocation)
            body = json.dumps([self._outcome(call) for call in calls]).encode()
            sink.answered(Answer(status=200, headers=(), body=body))

    def _outcome(self, call: Mapping[str, Any]) -> Any:
        try:
            if call["t"] == "each":
                return {"d": [self._one(call["h"], value) for value in call["p"]]}
            value = self.handlers[call["h"]](call)
            return {"d": [{"d": item} for item in value] if call["t"] == "many" else value}
        except FieldFailed as error:
            return {"e": {"message": error.message, "public": True, "extensions": error.extensions}}
        except ValueError as error:
            return {"e": {"name": "Error", "message": str(error), "stack": ""}}

    def _one(self, handler: int, value: Any) -> Any:
        try:
            return {"d": self.handlers[handler]({"p": value})}
        except ValueError as error:
            return {"e": {"name": "Error", "message": str(error), "stack": ""}}


class Ticks:
    """A time that stands still, or goes on by a step whenever it is read."""

    def __init__(self) -> None:
        self.step = 0.0
        self._now = 0.0

    def __call__(self) -> float:
        self._now += self.step
        return self._now


class World:
    """An execution on a schema."""

    def __init__(self, parts: Sequence[SchemaPart], handlers: Sequence[Resolve] = (), **settings: Any) -> None:
        self.clock = Clock()
        self.current = Current(kinds={GRAPHQL: SCHEMA_PARTS.index})
        self.scripts = FakeScripts(handlers)
        self.settings = GraphQLSettings(**settings)
        self.ticks = Ticks()
        self.tasks = CooperativeTasks(clock=self.clock, now=self.ticks, slice_seconds=1)
        loop = ReactorLoop(clock=self.clock, tasks=self.tasks)  # type: ignore[abstract]
        self.execution = Execution(
            current=self.current,
            documents=Documents(settings=self.settings, checkpoint=loop.checkpoint),
            loop=loop,
            scripts=self.scripts,
            settings=self.settings,
            clock=self.clock,
        )
        self.serve(parts)

    def serve(self, parts: Sequence[SchemaPart]) -> None:
        """Have these parts serve, by script."""
        registry = self.current.registry
        by_script: dict[str, list[SchemaPart]] = {}
        for part in parts:
            by_script.setdefault(part.script, []).append(part)
        actives = [
            ActiveScript(uri=script, version=f"{script}@1", number=1, entries=tuple(entry(part) for part in own))
            for script, own in by_script.items()
        ]
        self.current.swap(registry.with_scripts(actives), registry.generation)

    def begin(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        on_result: Callable[[Any], None] | None = None,
        incremental: bool = False,
    ) -> RunningOperation:
        """Begin an operation; *on_result* is given what it comes to."""
        prepared = self.execution.prepare(Params(query=query, variables=variables or {}))
        return self.execution.execute(prepared, Caller(request="r"), on_result or [].append, incremental=incremental)

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Execute an operation; gives the response."""
        results: list[Any] = []
        self.begin(query, variables, on_result=results.append)
        self.scripts.answer()
        return results[0].first
