"""Where the values of a subscription come from: a topic of the bus, or the script."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import EngineError, ScriptCrashed
from aiwebengine.features.graphql.execution.failures import FieldFailed
from aiwebengine.features.graphql.execution.loop import ReactorLoop
from aiwebengine.features.graphql.subscriptions.sources import (
    Events,
    ResolverSink,
    SourceRequest,
    TopicSource,
    YieldedValues,
)
from aiwebengine.features.graphql.subscriptions.topics import Filter
from aiwebengine.services.bus import Bus
from aiwebengine.services.reactor.cooperative import CooperativeTasks
from aiwebengine.services.topics import Reason, TopicOptions
from aiwebengine.settings.schema import LiveSettings
from aiwebengine.values import Answer
from tests.support.fakes.turns import endless_turn
from tests.unit.features.graphql.fakes import FakeScripts
from tests.unit.features.graphql.test_websocket import TICK
from tests.unit.host.fakes import invocation

TOPIC = "graphql:tick"


class SourceCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.loop = ReactorLoop(clock=self.clock, tasks=CooperativeTasks(clock=self.clock))  # type: ignore[abstract]
        self.bus = Bus(epoch="e", settings=LiveSettings(), share=endless_turn())

    def next(self, source: Any) -> Deferred[Any]:
        """Wait for the next value of a source."""

        async def value() -> Any:
            return (await source.__anext__()).value

        return self.loop.run(value())


class TopicSourceTests(SourceCase):
    def source(self, **given: Any) -> TopicSource:
        """Listen to the topic."""
        made = TopicSource(loop=self.loop, request=SourceRequest(part=TICK, **given), events=Events())
        made.open(self.bus)
        return made

    def test_events(self) -> None:
        """Values come in order, whether they were waited for or came before."""
        source = self.source()
        waiting = self.next(source)
        self.bus.publish(TOPIC, "1")
        self.bus.publish(TOPIC, "2")
        self.assertEqual(self.successResultOf(waiting), 1)
        self.assertEqual(self.successResultOf(self.next(source)), 2)
        self.assertEqual(source.position, source.had)
        source.close()
        self.assertEqual(self.bus.state()["subscribers"], 0)

    def test_attributes(self) -> None:
        """What is for others does not come."""
        source = self.source(attributes={"room": 1})
        self.bus.publish(TOPIC, "1", to={"room": 2})
        self.bus.publish(TOPIC, "2", to={"room": 1})
        self.assertEqual(self.successResultOf(self.next(source)), 2)

    def test_more_than_can_be_executed(self) -> None:
        """What is published faster than it is executed waits on the bus, and none of it is lost."""
        source = self.source()
        for number in range(40):
            self.bus.publish(TOPIC, str(number))
        self.assertIsNone(source.had)
        self.assertEqual([self.successResultOf(self.next(source)) for _ in range(40)], list(range(40)))

    def test_the_topic_ends(self) -> None:
        """What was published before the end still comes, and then the reason."""
        self.bus.configure(TOPIC, TopicOptions())
        source = self.source()
        self.bus.publish(TOPIC, "1")
        self.bus.remove(TOPIC, Reason(code="gone", message="It is gone."))
        self.assertEqual(self.successResultOf(self.next(source)), 1)
        error = self.failureResultOf(self.next(source), FieldFailed).value
        self.assertEqual((error.message, error.extensions), ("It is gone.", {"code": "GONE"}))

    def test_who_shares(self) -> None:
        """Wishes with the same attributes are the same; those that begin with a value of their own say so."""
        first, second = (SourceRequest(part=TICK, attributes={"a": 1}) for _ in range(2))
        self.assertEqual(first.key, second.key)
        self.assertNotEqual(first.key, SourceRequest(part=TICK).key)
        self.assertEqual((first.begins, SourceRequest(part=TICK, first=None).begins), (False, True))


class YieldedValuesTests(SourceCase):
    def setUp(self) -> None:
        super().setUp()
        self.stopped = 0
        self.source = YieldedValues(loop=self.loop, stop=self.stop)
        self.room: list[bytes] = []

    def stop(self) -> None:
        self.stopped += 1

    def take(self, line: bytes) -> None:
        """Let the script yield a line."""
        self.source.take(line, lambda: self.room.append(line), "s")

    def test_values(self) -> None:
        """Values come in order; the script may yield on when one was taken; then it is over."""
        waiting = self.next(self.source)
        self.take(b"1")
        self.take(b'{"a":2}')
        self.assertEqual((self.successResultOf(waiting), self.room), (1, [b"1"]))
        self.assertEqual(self.successResultOf(self.next(self.source)), {"a": 2})
        self.source.finish()
        self.failureResultOf(self.next(self.source), StopAsyncIteration)

    def test_a_script_that_fails(self) -> None:
        """What was yielded comes before the failure, and nothing after it."""
        self.take(b"1")
        self.source.fail(ValueError("boom"))
        self.assertEqual(self.successResultOf(self.next(self.source)), 1)
        self.failureResultOf(self.next(self.source), ValueError)
        self.failureResultOf(self.next(self.source), StopAsyncIteration)

    def test_what_is_no_json(self) -> None:
        """A process that sends what is no JSON has broken the protocol."""
        for line in (b"{", b"[" * 100_000):
            self.source = YieldedValues(loop=self.loop, stop=self.stop)
            self.take(line)
            self.assertEqual(self.failureResultOf(self.next(self.source)).value.code, "script_protocol")

    def test_a_client_that_leaves(self) -> None:
        """The run is ended once, and not when it is over anyway."""
        for _ in range(2):
            self.successResultOf(self.loop.run(self.source.aclose()))
        self.assertEqual(self.stopped, 1)


class ResolverSinkTests(SourceCase):
    def sink(self) -> ResolverSink:
        """Ask a resolver."""
        return ResolverSink(
            loop=self.loop,
            scripts=FakeScripts([]),
            invocation=invocation(),
            part=TICK,
            arguments=Filter(arguments='"a":{}'),
        )

    def opened(self, sink: ResolverSink) -> Deferred[Any]:
        """Wait for what the resolver says."""

        async def wait() -> Any:
            return await sink.opened

        return self.loop.run(wait())

    def said(self, value: Any) -> Deferred[Any]:
        """Let a resolver answer."""
        sink = self.sink()
        waiting = self.opened(sink)
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        sink.answered(Answer(status=200, headers=(), body=body))
        return waiting

    def test_what_a_resolver_may_say(self) -> None:
        """All messages, those with attributes, those that a function chooses, or a first value of its own."""
        for message, request in (
            ({"s": "all"}, SourceRequest(part=TICK)),
            ({"s": "first", "v": 7}, SourceRequest(part=TICK, first=7)),
            ({"s": "attributes", "v": {"room": 1}}, SourceRequest(part=TICK, attributes={"room": 1})),
            ({"s": "filter"}, SourceRequest(part=TICK, filter=Filter(arguments='"a":{}'))),
        ):
            self.assertEqual(self.successResultOf(self.said(message)), request)

    def test_a_resolver_that_throws(self) -> None:
        """What it throws for clients reaches them."""
        thrown = {"message": "not you", "public": True, "extensions": {"code": "DENIED"}}
        error = self.failureResultOf(self.said([{"e": thrown}]), FieldFailed).value
        self.assertEqual(error.message, "not you")

    def test_forged_answers(self) -> None:
        """An answer of another form has broken the protocol; attributes that are none are the script's failure."""
        for message in (b"{", [], [1], {"s": "?"}, {}):
            error = self.failureResultOf(self.said(message), FieldFailed).value
            self.assertEqual(error.extensions["code"], "SCRIPT_PROTOCOL")
        error = self.failureResultOf(self.said({"s": "attributes", "v": [1]}), FieldFailed).value
        self.assertEqual(error.extensions["code"], "SCRIPT_FAILED")

    def test_a_resolver_that_yields(self) -> None:
        """What it yields comes line by line, and its failure after that."""
        sink = self.sink()
        waiting = self.opened(sink)
        sink.started(Answer(status=200, headers=(), body=b""))
        source = self.successResultOf(waiting)
        sink.write(b"1", lambda: None)
        self.assertEqual(self.successResultOf(self.next(source)), 1)
        sink.failed(ScriptCrashed("It died."))
        self.failureResultOf(self.next(source), FieldFailed)

    def test_a_resolver_that_cannot_run(self) -> None:
        """A failure before anything was said is that of the subscription."""
        sink = self.sink()
        waiting = self.opened(sink)
        error: EngineError = ScriptCrashed("It died.")
        sink.failed(error)
        self.failureResultOf(waiting, FieldFailed)
