"""The one way in: what every invocation gets, whoever starts it."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import BudgetSpent, EngineError, TooMany, Unavailable
from aiwebengine.runtime.invoker import MOST_ANCESTORS, Callee, Invoker
from aiwebengine.runtime.registry import ActiveScript, Current
from aiwebengine.runtime.runner import LoadReport
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import (
    SERVICE,
    AnswerKey,
    Bundle,
    Cause,
    HandlerRef,
    Invocation,
    Principal,
    ReplayInputs,
)
from tests.support.fakes.invoking import an_invoker
from tests.unit.runtime.fakes import FakeHost, FakeSink, Scene

USER = Principal(id="ada", kind="user")
LIMITS = LimitSettings(wall_seconds=10.0, cpu_seconds=2.0, answer_bytes=1000, host_calls=500, log_lines=50)


class FakeRunner:
    """Writes down what it is asked for."""

    def __init__(self) -> None:
        self.received: list[Any] = []

    def run(self, invocation: Invocation, sink: Any) -> str:
        self.received.append(("run", invocation, sink))
        return "a run"

    def refuse(self, invocation: Invocation, sink: Any, error: EngineError) -> str:
        self.received.append(("refuse", invocation, sink, error))
        return "a refused run"

    async def load(self, bundle: Bundle, invocation: Invocation) -> LoadReport:
        self.received.append(("load", bundle.version, invocation))
        return LoadReport(version=bundle.version, handlers=0, middleware=(), names=(), warnings=(), replay="")

    def replay(self, invocation: Invocation, sink: Any, host: Any) -> str:
        self.received.append(("replay", invocation, sink, host))
        return "a replayed run"

    def cancel(self, run: Any) -> None:
        self.received.append(("cancel", run))


class InvokerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.runner = FakeRunner()
        self.current = Current()
        self.invoker = self.make()

    def make(self, **given: Any) -> Invoker:
        return an_invoker(self.runner, current=self.current, limits=LIMITS, **given)

    def serve(self, uri: str = "s", number: int = 1, **limits: float) -> None:
        """Let a script serve whose manifest asks for *limits*."""
        active = ActiveScript(uri=uri, version=f"{uri}@{number}", number=number, limits=limits)
        self.current.registry = self.current.registry.with_script(active)

    def callee(self, *asked: dict[str, float], invoker: Invoker | None = None, recorded_as: str = "") -> Callee:
        return (invoker or self.invoker).callee(
            kind="job",
            script="s",
            version="s@1",
            handler=HandlerRef(id=3, name="tidy"),
            label="tidy up",
            requested=asked,
            recorded_as=recorded_as,
        )

    @pytest.mark.setting("limits.log_lines")
    def test_the_least_of_all_limits(self) -> None:
        """Of server, script and handler each may lower a limit and none may raise it."""
        self.serve(timeout_ms=5000, answer_bytes=900, host_calls=9000)
        allowed = self.callee({"timeout_ms": 7000, "answer_bytes": 800}, {"cpu_ms": 100, "log_lines": 60}).allowance
        self.assertEqual((allowed.wall_seconds, allowed.cpu_seconds), (5.0, 0.1))
        self.assertEqual((allowed.answer_bytes, allowed.host_calls, allowed.log_lines), (800, 500, 50))

    def test_answers_in_base64(self) -> None:
        """An answer that holds bytes as base64 may be half as large again as it comes from the process."""
        handler = HandlerRef(id=3, name="message")
        callee = self.invoker.callee(
            kind="job",
            script="s",
            version="s@1",
            handler=handler,
            label="",
            requested=[{"answer_bytes": 800}],
            answers_in_base64=True,
        )
        self.assertEqual((callee.allowance.answer_bytes, callee.allowance.wire_answer_bytes), (800, 1200))
        self.assertEqual(self.callee({"answer_bytes": 800}).allowance.wire_answer_bytes, 800)

    def test_without_a_serving_script(self) -> None:
        """What is run of a version that does not serve has the server's limits and those that are named."""
        self.assertEqual(self.callee().allowance, self.invoker.allowance())
        self.assertEqual(self.invoker.allowance({"cpu_ms": 50}, {"host_calls": 0}).host_calls, 0)
        self.assertEqual(self.invoker.allowance({"cpu_ms": 50}).cpu_seconds, 0.05)

    def test_callees_while_they_serve(self) -> None:
        """What is registered is described once, and again when anything else serves."""
        described: list[str] = []

        def describe(registered: list[str]) -> Callee:
            described.append(registered[0])
            return self.callee()

        callees, one, two = self.invoker.callees(describe), ["one"], ["two"]
        self.serve(timeout_ms=5000)
        first = callees.of(one)
        self.assertIs(callees.of(one), first)
        self.assertIsNot(callees.of(two), first)
        self.assertEqual(described, ["one", "two"])
        self.serve(timeout_ms=1000)
        self.assertEqual((first.allowance.wall_seconds, callees.of(one).allowance.wall_seconds), (5.0, 1.0))
        self.assertEqual(described, ["one", "two", "one"])

    def test_callees_are_told_apart(self) -> None:
        """A thing that is no longer registered lends its callee to no other one."""
        callees = self.invoker.callees(lambda registered: self.callee({"cpu_ms": registered[0]}))
        seconds = [callees.of([number]).allowance.cpu_seconds for number in range(1, 200)]
        self.assertEqual(seconds, [number / 1000 for number in range(1, 200)])

    def test_what_an_invocation_has(self) -> None:
        """An invocation has what its callee says, who asks, and what it is given."""
        callee = self.callee()
        made = self.invoker.invocation(callee, USER, '{"a":1}')
        self.assertEqual(made.principal, USER)
        self.assertEqual((made.id, made.kind, made.script, made.version), ("id-1", "job", "s", "s@1"))
        self.assertEqual((made.handler, made.label, made.payload), (callee.handler, "tidy up", '{"a":1}'))
        self.assertEqual((made.wall_seconds, made.cpu_seconds), (10.0, 2.0))
        self.assertIs(made.allowance, callee.allowance)
        self.assertEqual(
            (made.read_only, made.answer_key, made.replay, made.cause, made.recording), ("", None, None, None, "")
        )
        self.assertEqual(self.runner.received, [])

    def test_what_an_invocation_may_have(self) -> None:
        """Whoever starts it may name it, let it only read, have it done once, or have it done again."""
        answer_key, replay = AnswerKey(key="k", request="r"), ReplayInputs(seed="0", now=1, steps=())
        made = self.invoker.invocation(
            self.callee(),
            SERVICE,
            "null",
            identity="mine",
            label="other",
            read_only="It only reads.",
            answer_key=answer_key,
            replay=replay,
        )
        self.assertEqual((made.id, made.label, made.principal.kind), ("mine", "other", "service"))
        self.assertEqual((made.read_only, made.answer_key, made.replay), ("It only reads.", answer_key, replay))

    def test_recording(self) -> None:
        """Rules for recordings hold for what has a name in them; whoever starts it may ask for another recording."""
        asked: list[tuple[str, str]] = []

        def recording(script: str, name: str) -> str:
            asked.append((script, name))
            return "errors"

        invoker = self.make(recording=recording)
        named = self.callee(invoker=invoker, recorded_as="/tidy")
        self.assertEqual(invoker.invocation(named, USER, "null").recording, "errors")
        self.assertEqual(asked, [("s", "/tidy")])
        self.assertEqual(invoker.invocation(named, USER, "null", recording="always").recording, "always")
        self.assertEqual(invoker.invocation(self.callee(), USER, "null").recording, "")
        self.assertEqual(len(asked), 1)

    def test_how_deep(self) -> None:
        """An invocation knows those that led to it; after eight there is no other."""
        made = self.invoker.invocation(self.callee(), USER, "null")
        self.assertEqual(made.causing(), Cause(ancestors=("id-1",)))
        for _ in range(MOST_ANCESTORS):
            made = self.invoker.invocation(self.callee(), USER, "null", cause=made.causing())
        assert made.cause is not None
        self.assertEqual(made.cause.ancestors, tuple(f"id-{number}" for number in range(1, 9)))
        with self.assertRaises(TooMany):
            self.invoker.invocation(self.callee(), USER, "null", cause=made.causing())

    def test_runs(self) -> None:
        """What every admission step lets pass is run."""
        seen: list[str] = []
        invoker = self.make(admission=[lambda invocation: seen.append(invocation.id)])
        made = invoker.invocation(self.callee(), USER, "null")
        sink = FakeSink()
        self.assertEqual(invoker.run(made, sink), "a run")
        self.assertEqual((self.runner.received, seen), ([("run", made, sink)], ["id-1"]))

    def test_refuses(self) -> None:
        """The first admission step with an objection refuses, and those after it are not asked."""
        seen: list[str] = []
        error = BudgetSpent("Too much.")
        steps: list[Any] = [lambda _: seen.append("first")]
        invoker = self.make(admission=steps)
        steps += [lambda _: error, lambda _: seen.append("third")]
        made = invoker.invocation(self.callee(), USER, "null")
        sink = FakeSink()
        self.assertEqual(invoker.run(made, sink), "a refused run")
        self.assertEqual((self.runner.received, seen), ([("refuse", made, sink, error)], ["first"]))

    def test_loads_and_replays(self) -> None:
        """A load and a replay are refused to nobody, and any run can be ended."""
        invoker = self.make(admission=[lambda _: Unavailable("No.")])
        made = invoker.invocation(self.callee(), USER, "null")
        bundle = Bundle(script="s", version="s@2", source="", source_map="", files={})
        loading = Deferred.fromCoroutine(invoker.load(bundle, made))
        self.assertEqual(self.successResultOf(loading).version, "s@2")
        sink, host = FakeSink(), FakeHost()
        run = invoker.replay(made, sink, host)
        invoker.cancel(run)
        self.assertEqual(
            self.runner.received, [("load", "s@2", made), ("replay", made, sink, host), ("cancel", "a replayed run")]
        )


class RefusedRunTests(SynchronousTestCase):
    def test_a_refused_run_is_over(self) -> None:
        """Whoever asks is told of a refusal at once, and nothing of it is left."""
        scene = Scene()
        self.addCleanup(scene.close)
        scene.serving()
        invoker = an_invoker(scene.runner, admission=[lambda _: BudgetSpent("Too much.")])
        callee = Callee(
            kind="http",
            script="s",
            version="v",
            handler=HandlerRef(id=0, name=""),
            label="GET /",
            allowance=invoker.allowance(),
        )
        sink = FakeSink()
        run = invoker.run(invoker.invocation(callee, USER, "{}"), sink)
        self.assertEqual((sink.received, run.ended), ([("failed", "budget")], True))
        self.assertEqual(scene.runner.state()["active"], 0)
        invoker.cancel(run)
        self.assertEqual(len(sink.received), 1)
