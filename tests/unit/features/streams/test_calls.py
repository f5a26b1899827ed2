"""Messages of scripts on their way to the bus."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import BudgetSpent, ScriptFailed
from aiwebengine.features.streams.calls import KIND, StreamCalls
from aiwebengine.features.streams.options import STREAM
from aiwebengine.features.streams.settings import StreamSettings
from aiwebengine.features.streams.topics import StreamTopics
from aiwebengine.host.effects import HeldEffect, Unit
from aiwebengine.host.messages import GROUP, Messages
from aiwebengine.host.session import CallSession
from aiwebengine.runtime.index import AS_THEY_ARE
from aiwebengine.runtime.registry import ActiveScript, Registry
from aiwebengine.services.bus import Bus
from aiwebengine.services.outbox import OutboxMessage as Published
from aiwebengine.settings.schema import LiveSettings
from aiwebengine.values import Answer, Entry, HandlerRef
from tests.support.fakes.invoking import RunsWith, an_invoker
from tests.support.fakes.turns import endless_turn
from tests.unit.host.fakes import STREAMS, Everything, host, invocation


def a_stream(pattern: str, script: str = "me", version: str = "1", **options: Any) -> Entry:
    """Make a stream."""
    return Entry(
        kind=STREAM,
        key=pattern,
        script=script,
        version=version,
        methods=("GET",),
        handler=HandlerRef(id=0, name=""),
        options={"auth": "none", "slow": "drop-oldest", **options},
    )


class Transaction:
    """Takes what is published."""

    def __init__(self) -> None:
        self.published: list[Any] = []

    def publish(self, kind: str, payload: Any) -> None:
        assert kind == GROUP
        self.published.append(json.loads(json.dumps(payload)))


class StreamsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.make()

    def make(self, **settings: Any) -> None:
        live = LiveSettings(max_message_bytes=1024)
        self.bus = Bus(epoch="e", settings=live, share=endless_turn())
        self.runs: list[tuple[Any, Any]] = []
        self.warnings: list[str] = []
        self.topics = StreamTopics(
            bus=self.bus,
            invoker=an_invoker(RunsWith(self.run_one)),
            settings=StreamSettings(**settings),
            warn=lambda _, text: self.warnings.append(text),
        )
        self.messages = Messages(bus=self.bus, max_bytes=live.max_message_bytes)
        self.messages.add(KIND, self.topics)
        self.calls = StreamCalls(messages=self.messages, topics=self.topics)
        self.registry = Registry().with_kinds({STREAM: AS_THEY_ARE})
        self.behind = Everything()
        self.got: list[tuple[str, str]] = []

    def run_one(self, invocation: Any, sink: Any) -> Any:
        self.runs.append((invocation, sink))

    def serve(self, *routes: Entry, script: str = "me") -> None:
        active = ActiveScript(uri=script, version="1", number=1, entries=routes)
        self.registry = self.registry.with_script(active)
        self.topics.swapped(self.registry)

    def listen(self, pattern: str, script: str = "me", **attributes: Any) -> None:
        self.bus.subscribe(
            f"stream:{script}:{pattern}",
            attributes=attributes,
            deliver=lambda message: self.got.append((pattern, message.data)),
            ended=lambda reason: self.got.append((pattern, reason.code)),
            owner=script,
        )

    def session(self, kind: str = "http", granted: tuple[str, ...] = ()) -> CallSession:
        return host(self.behind, granted=granted).begin(invocation(kind))

    def held(self, session: CallSession) -> list[HeldEffect]:
        return [HeldEffect(group=GROUP, key=key, value=value) for key, value in session.pending(GROUP).items()]

    def committed(self, session: CallSession, *, kind: str = "http") -> list[Any]:
        """Commit as the units do; what was written."""
        unit, effects, transaction = Unit(id="i1.0", invocation=invocation(kind)), self.held(session), Transaction()
        write = self.messages.write(unit, effects)
        if write is not None:
            write(transaction)
        self.assertEqual(self.got, [], "nothing is published before the commit")
        self.messages.happen(unit, effects)
        return transaction.published


class StreamCallsTests(StreamsCase):
    def call(self, session: CallSession, name: str, *given: Any) -> None:
        self.calls.functions[name](session, *given)

    def test_published_after_the_commit(self) -> None:
        """A message to streams without history is written nowhere, and published after the commit."""
        self.serve(a_stream("/a", history=0), a_stream("/b", history=0))
        self.listen("/a")
        self.listen("/b")
        session = self.session()
        self.call(session, "sendStreamMessage", {"ü": 1}, None)
        self.call(session, "sendStreamMessageToPath", "/b", "text", None)
        self.assertEqual(self.committed(session), [])
        self.assertEqual(self.got, [("/a", '{"ü":1}'), ("/b", '{"ü":1}'), ("/b", '"text"')])

    def test_a_row_for_what_is_kept(self) -> None:
        """If a stream keeps a history the message is written; the relay publishes it only if nobody did."""
        self.serve(a_stream("/a"))
        self.listen("/a")
        session = self.session()
        self.call(session, "sendStreamMessage", 1, None)
        (row,) = self.committed(session)
        self.assertEqual(self.messages.state(), {"unconfirmed": 1})
        self.messages.relayed(Published(id="u/0", payload=row, attempts=0))
        self.messages.relayed(Published(id="u/0", payload=row, attempts=1))
        self.assertEqual(self.got, [("/a", "1")])
        self.assertEqual(self.messages.state(), {"unconfirmed": 0})
        self.messages.relayed(Published(id="v/0", payload={**row, "k": "of an earlier life"}, attempts=0))
        self.assertEqual(self.got, [("/a", "1"), ("/a", "1")])

    def test_immediate(self) -> None:
        """An immediate message leaves at once, and the handler is not run again."""
        self.serve(a_stream("/a"))
        self.listen("/a")
        session = self.session()
        self.call(session, "sendStreamMessage", 1, {"immediate": True})
        self.assertEqual(self.got, [("/a", "1")])
        self.assertFalse(session.repeatable)
        self.assertEqual(self.held(session), [])

    def test_a_path_with_parameters(self) -> None:
        """The pattern means all clients, a path that it matches those with its parameters."""
        self.serve(a_stream("/r/:id", history=0))
        self.listen("/r/:id", id="7")
        session = self.session()
        self.call(session, "sendStreamMessageToPath", "/r/8", 1, None)
        self.call(session, "sendStreamMessageToPath", "/r/7", 2, {"to": {"id": "8"}})
        self.call(session, "sendStreamMessageToPath", "/r/:id", 3, None)
        self.committed(session)
        self.assertEqual(self.got, [("/r/:id", "2"), ("/r/:id", "3")])

    def test_while_a_successor_begins(self) -> None:
        """At a handover every message is written, also where no history is kept, and published here as well."""
        self.serve(a_stream("/a", history=0))
        self.listen("/a")
        self.messages.leave_rows(True)
        session = self.session()
        self.call(session, "sendStreamMessage", 1, None)
        self.assertEqual(len(self.committed(session)), 1)
        self.assertEqual(self.got, [("/a", "1")])
        self.messages.leave_rows(False)
        session, self.got = self.session(), []
        self.call(session, "sendStreamMessage", 2, None)
        self.assertEqual(self.committed(session), [])

    def test_half_a_surrogate_pair(self) -> None:
        """A text that is no Unicode travels as an escape."""
        self.serve(a_stream("/a", history=0))
        self.listen("/a")
        session = self.session()
        self.call(session, "sendStreamMessage", "\ud800", None)
        self.committed(session)
        self.assertEqual(self.got, [("/a", '"\\ud800"')])

    def test_what_a_load_sends(self) -> None:
        """A load may send to the streams that it registers, and its messages are kept until it has committed."""
        session = self.session("load")
        assert session.registrations is not None
        session.registrations.add(STREAMS, {"path": "/new", "handler": {"id": 0}, "options": {"history": 0}})
        self.call(session, "sendStreamMessageToPath", "/new", 1, None)
        self.assertEqual(len(self.committed(session, kind="load")), 1)

    def test_nobody_listens(self) -> None:
        """A script without streams is told in its log."""
        session = self.session()
        self.call(session, "sendStreamMessage", 1, None)
        self.assertIn("this script has no stream", self.behind.lines[0][2])


class StreamTopicsTests(StreamsCase):
    def test_streams_come_and_go(self) -> None:
        """A stream that both versions have keeps its clients and its history; one that is gone ends."""
        self.serve(a_stream("/a"), a_stream("/b"))
        self.listen("/a")
        self.listen("/b")
        self.bus.publish("stream:me:/a", "1")
        self.serve(a_stream("/a", version="2"))
        self.assertEqual(self.got, [("/a", "1"), ("/b", "gone")])
        self.assertEqual(self.bus.state()["kept"], 1)
        self.topics.swapped(self.registry.without("me"))
        self.assertEqual(self.got[-1], ("/a", "gone"))

    def test_history_as_the_settings_say(self) -> None:
        """A stream that says nothing of its history has that of the settings."""
        self.serve(a_stream("/a"), a_stream("/b", history=0))
        self.assertTrue(self.topics.keeps("me", None))
        self.assertTrue(self.topics.keeps("me", "/a"))
        self.assertFalse(self.topics.keeps("me", "/b"))
        self.assertFalse(self.topics.keeps("other", None))

    @pytest.mark.setting("streams.history_messages")
    def test_as_many_messages_as_the_settings_say(self) -> None:
        """A stream that says nothing of its history keeps as many messages as the settings say."""
        self.make(history_messages=2)
        self.serve(a_stream("/a"))
        for number in range(5):
            self.bus.publish("stream:me:/a", str(number))
        self.assertEqual(self.bus.state()["kept"], 2)

    def test_a_filter_is_asked_once_for_a_message(self) -> None:
        """All clients go to the filter together, in the script's name, without calls and with 50 ms."""
        self.serve(a_stream("/a", filter=4, history=0))
        self.listen("/a", n=1)
        self.listen("/a", n=2)
        self.bus.publish("stream:me:/a", '{"ü":1}')
        ((given, sink),) = self.runs
        self.assertEqual(json.loads(given.payload), {"message": {"ü": 1}, "clients": [{"n": 1}, {"n": 2}]})
        self.assertTrue(given.payload.isascii())
        self.assertEqual((given.kind, given.handler.id, given.cpu_seconds), ("filter", 4, 0.05))
        self.assertEqual(given.allowance.host_calls, 0)
        sink.answered(Answer(status=200, headers=(), body=b"01"))
        self.assertEqual(len(self.got), 1)

    def test_many_clients_go_in_several_boxes(self) -> None:
        """A filter is given a thousand clients at once at most."""
        self.serve(a_stream("/a", filter=4, history=0))
        for number in range(1001):
            self.listen("/a", n=number)
        self.bus.publish("stream:me:/a", "1")
        self.runs[0][1].answered(Answer(status=200, headers=(), body=b"1" * 1000))
        self.assertEqual(len(json.loads(self.runs[1][0].payload)["clients"]), 1)
        self.assertEqual(self.got, [])
        self.runs[1][1].answered(Answer(status=200, headers=(), body=b"1"))
        self.assertEqual(len(self.got), 1001)

    def test_a_filter_that_does_not_answer(self) -> None:
        """With anything else than one truth for each client nobody gets the message; a refusal is told the owner."""
        self.serve(a_stream("/a", filter=4, history=0))
        self.listen("/a")
        for answer in (
            lambda sink: sink.answered(Answer(status=200, headers=(), body=b"11")),
            lambda sink: sink.answered(Answer(status=200, headers=(), body=b"x")),
            lambda sink: sink.answered(Answer(status=500, headers=(), body=b"1")),
            lambda sink: (sink.started(None), sink.write(b"1", lambda: None), sink.finished()),
            lambda sink: sink.failed(ScriptFailed("It threw.")),
            lambda sink: sink.failed(BudgetSpent("Too much.")),
        ):
            self.bus.publish("stream:me:/a", "1")
            answer(self.runs[-1][1])
        self.assertEqual(self.got, [])
        self.assertEqual(self.bus.state()["sieveFailures"], 6)
        self.assertEqual(self.warnings, ["filter /a: the message was not delivered. Too much."])

    def test_the_streams_of_others(self) -> None:
        """A path may lead to another script's stream."""
        self.serve(a_stream("/r/:id", script="you"), script="you")
        self.assertEqual(self.topics.elsewhere("/r/7"), ("you", "/r/:id", {"id": "7"}))
        self.assertIsNone(self.topics.elsewhere("/x"))
        self.assertIsNone(self.topics.find("me", "/r/7", ()))
