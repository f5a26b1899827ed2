"""The WebSockets of scripts: what becomes an invocation, and what its answer does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from aiwebengine.errors import Cancelled, EngineError, Invalid, ScriptFailed, Unavailable
from aiwebengine.features.sockets.calls import BINARY as BINARY_MESSAGE
from aiwebengine.features.sockets.calls import socket_topic
from aiwebengine.features.sockets.options import SOCKET
from aiwebengine.features.sockets.sessions import OutgoingMessages, SessionContext, SocketClients, sockets_of_scripts
from aiwebengine.features.sockets.settings import SocketSettings
from aiwebengine.runtime.registry import ActiveScript, Registry
from aiwebengine.services.bus import Bus
from aiwebengine.services.reactor.turn_share import TurnShare
from aiwebengine.settings.schema import LiveSettings, WebSocketSettings
from aiwebengine.values import Answer, Entry, Principal
from aiwebengine.web.arrival import Arrival
from aiwebengine.web.websocket.connection import WebSockets
from tests.support.clients.websocket import BINARY
from tests.support.clients.websocket import TEXT as TEXT_FRAME
from tests.support.fakes.invoking import an_invoker
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.fakes.turns import TurnClock, endless_turn, short_turns
from tests.unit.web.support import JSON, Client, FakeRun, WebTestCase, a_route

OPENING = ((b"content-type", b"application/vnd.aiwebengine.socket+json"),)
TEXT = ((b"content-type", b"text/plain"),)


def the_route(**options: Any) -> Entry:
    """Make a WebSocket, with handlers for its messages and its end."""
    socket = {"auth": "none", "protocols": ["v1"], "origins": [], "message": 1, "close": 2, **options}
    return a_route("/s/:id", kind=SOCKET, **socket)


class SessionTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.make()
        self.serve(the_route())

    def make(self, *, live: LiveSettings | None = None, writing: TurnShare | None = None, **settings: Any) -> None:
        """Let clients in, within these settings."""
        given = SocketSettings(**settings)
        self.bus = Bus(epoch="e", settings=live or LiveSettings(), share=endless_turn())
        context = SessionContext(
            invoker=an_invoker(self.runner, current=self.current, prefix="event"),
            current=self.current,
            bus=self.bus,
            settings=given,
            messages=OutgoingMessages(),
        )
        self.clients = SocketClients(
            context=context,
            sockets=WebSockets(
                reactor=self.clock,
                settings=WebSocketSettings(),
                threads=ThreadsInTurn(),
                reading=endless_turn(),
                writing=writing or endless_turn(),
            ),
        )
        self.site = self.make_site(sockets_of_scripts(self.clients))

    def ask(self, **headers: str) -> tuple[Client, FakeRun]:  # type: ignore[override]
        """Ask for a WebSocket; gives the run of `open`."""
        client = Client(self, "/s/7", {name.replace("_", "-"): value for name, value in headers.items()})
        return client, self.runner.runs[-1]

    def open(self, *ops: Any, data: Any = None) -> Client:
        """Open a WebSocket, having `open` do something."""
        client, run = self.ask()
        self.tell(run, *ops, data=data, headers=OPENING)
        client.read()
        self.assertEqual(client.status, 101, client.head)
        return client

    def tell(self, run: FakeRun, *ops: Any, data: Any = None, headers: Any = JSON) -> None:
        """Answer a run as the prelude does."""
        body = json.dumps({"ops": list(ops), "data": data}).encode()
        run.sink.answered(Answer(status=200, headers=headers, body=body))

    @property
    def last(self) -> FakeRun:
        """The newest run."""
        return self.runner.runs[-1]

    def test_events(self) -> None:
        """Each event is an invocation of its own, is told of the socket and of what was kept, and comes in turn."""
        client = self.open(["t", "hello"], data={"n": 1})
        self.assertEqual(client.texts, ["hello"])
        client.say("one")
        client.frame(BINARY, b"\0\xff")
        self.assertEqual(len(self.runner.runs), 2)
        run = self.last
        self.assertEqual((run.invocation.id, run.invocation.kind, run.invocation.handler.id), ("event-1", "socket", 1))
        self.assertEqual(run.invocation.label, "WS /s/:id message")
        self.assertEqual(run.given["text"], "one")
        self.assertEqual((run.given["ws"]["id"], run.given["ws"]["data"]), ("id-1", {"n": 1}))
        self.tell(run, ["b", "AP8="], ["s", "news"], data={"n": 2})
        client.read()
        self.assertEqual(client.frames[-1], (BINARY, b"\0\xff"))
        run = self.last
        result = run.given["ws"]
        self.assertEqual((run.given["bytes"], result["data"], result["topics"]), ("AP8=", {"n": 2}, ["news"]))
        client.close(4001, b"enough")
        self.assertIs(self.last, run)
        self.tell(run, data={"n": 3})
        run = self.last
        self.assertEqual((run.given["code"], run.given["reason"], run.given["ws"]["data"]), (4001, "enough", {"n": 3}))
        self.assertEqual(run.invocation.handler.id, 2)
        self.assertEqual(self.clients.state(), {"sessions": 1})
        self.tell(run, ["t", "to nobody"])
        self.assertEqual(self.clients.state(), {"sessions": 0})

    def test_long_messages(self) -> None:
        """A long message goes to the process as it came; the handler is only told whether it is text or bytes."""
        client = self.open()
        for opcode, data, long in ((TEXT_FRAME, "é".encode() * 40_000, "text"), (BINARY, b"\xff" * 70_000, "bytes")):
            client.frame(opcode, data)
            invocation = self.last.invocation
            self.assertEqual((self.last.given["long"], invocation.body), (long, data))
            self.assertNotIn("text", self.last.given)
            self.assertNotIn("bytes", self.last.given)
            self.tell(self.last)
        client.say("short")
        self.assertEqual((self.last.given["text"], self.last.invocation.body), ("short", b""))

    def test_for_whoever_opened_it(self) -> None:
        """All that happens on a WebSocket is handled for whoever has opened it."""
        user, scripts = Principal(id="ada", kind="user"), sockets_of_scripts(self.clients)

        def opens(arrival: Arrival) -> None:
            self.clients.open(replace(arrival, invocation=arrival.invocation._replace(principal=user)))

        self.site = self.make_site(replace(scripts, opens=opens))
        client = self.open()
        client.say("one")
        self.assertEqual((self.last.invocation.handler.id, self.last.invocation.principal), (1, user))
        self.tell(self.last)
        client.close(1000, b"")
        self.assertEqual((self.last.invocation.handler.id, self.last.invocation.principal), (2, user))

    def test_what_events_may_use(self) -> None:
        """What an event may use is the same for all while a version serves, and what the next one says after that."""
        self.serve(the_route(), limits={"cpu_ms": 300})
        client = self.open()
        used = []
        for text in ("one", "two", "three"):
            client.say(text)
            used.append(self.last.invocation.allowance)
            self.tell(self.last)
            if text == "two":
                self.serve(the_route(), limits={"cpu_ms": 200})
        self.assertIs(used[0], used[1])
        self.assertEqual([cost.cpu_seconds for cost in used], [0.3, 0.3, 0.2])

    def test_without_handlers(self) -> None:
        """What no handler waits for is no invocation."""
        self.serve(the_route(message=None, close=None))
        client = self.open()
        client.say("one")
        client.gone()
        self.assertEqual((len(self.runner.runs), self.clients.state()), (1, {"sessions": 0}))

    def test_the_script_refuses(self) -> None:
        """What `open` or a middleware answers in place of a socket is the answer; errors are told as ever."""
        client, run = self.ask()
        run.sink.answered(Answer(status=403, headers=TEXT, body=b"not you"))
        client.read()
        self.assertEqual((client.status, client.body), (403, b"not you"))
        for fail, status in ((ScriptFailed("It failed."), 500), (Invalid("No."), 400)):
            client, run = self.ask()
            run.sink.failed(fail)
            client.read()
            self.assertEqual(client.status, status)
        client, run = self.ask()
        run.sink.answered(Answer(status=200, headers=OPENING, body=b"[]"))
        client.read()
        self.assertEqual(client.status, 500)
        client, run = self.ask()
        run.sink.started(Answer(status=200, headers=TEXT, body=b""))
        run.sink.write(b"piece", lambda: None)
        run.sink.finished()
        client.read()
        self.assertIn(b"piece", client.body)
        self.assertEqual(self.clients.state(), {"sessions": 0})

    def test_a_client_that_leaves_meanwhile(self) -> None:
        """While `open` runs the client may go: the run is stopped, and what it answers opens nothing."""
        client, run = self.ask()
        client.gone()
        self.assertTrue(run.cancelled)
        self.tell(run, headers=OPENING)
        self.assertEqual(self.clients.state(), {"sessions": 0})

    def test_who_must_be_signed_in(self) -> None:
        """A socket for those who are signed in runs nothing for others."""
        self.serve(the_route(auth="required"))
        client = Client(self, "/s/7")
        self.assertEqual((client.status, self.runner.runs), (401, []))

    def test_failures(self) -> None:
        """When a handler fails the socket is closed with the code that says why, and only its end is still told."""
        for error, code in (
            (ScriptFailed("It failed."), 1011),
            (Unavailable("Full."), 1013),
            (EngineError("A fault."), 1011),
        ):
            client = self.open()
            client.say("one")
            client.say("two")
            run = self.last
            run.sink.failed(error)
            client.read()
            self.assertEqual(client.closed_with, code)
            client.close(code)
            self.assertEqual(self.last.given["ws"]["data"], None)
            self.assertIn("code", self.last.given)
            self.tell(self.last)
        client = self.open()
        client.say("one")
        self.last.sink.failed(Cancelled("Gone."))
        self.assertEqual(client.closed_with, None)
        client.gone()
        self.tell(self.last)
        self.assertEqual(self.clients.state(), {"sessions": 0})

    def test_forged_answers(self) -> None:
        """Whatever a hostile script answers, at most its own socket is closed."""
        for op in (
            "t", [], ["t"], ["t", 1], ["b", "x"], ["s", "x" * 201], ["s", {}], ["c", 1005], ["c", "1000"],
            ["z", "x"], ["t", "x", "y", "z"], [None, "x"], {"t": "x"},
        ):  # fmt: skip
            client = self.open()
            client.say("one")
            self.tell(self.last, op)
            client.read()
            self.assertEqual((op, client.closed_with), (op, 1011))
            client.gone()
        for body in (b"", b"\xff", b"[]", b"1" * 5000, b"[" * 100_000, b'{"data":NaN}', b'{"data":1e999}'):
            client = self.open()
            client.say("one")
            self.last.sink.answered(Answer(status=200, headers=JSON, body=body))
            client.read()
            self.assertEqual(client.closed_with, 1011)
            client.gone()
        client = self.open()
        client.say("one")
        self.last.sink.started(Answer(status=200, headers=JSON, body=b""))
        self.last.sink.write(b"x", lambda: None)
        self.last.sink.finished()
        client.read()
        self.assertEqual(client.closed_with, 1011)
        client = self.open(data="x" * 20_000)
        self.assertEqual(client.closed_with, 1011)

    def test_topics(self) -> None:
        """Who is subscribed gets what is published, as text or bytes, until it leaves the topic or the connection."""
        topic = socket_topic("script", "news")
        client = self.open(["s", "news"], ["s", "news"])
        self.bus.publish(topic, json.dumps("hello"))
        self.bus.publish(topic, json.dumps("AP8="), event=BINARY_MESSAGE)
        self.clock.advance(1)
        client.read()
        self.assertEqual(client.frames, [(1, b"hello"), (2, b"\0\xff")])
        client.say("leave")
        self.tell(self.last, ["u", "news"], ["u", "nothing"])
        self.bus.publish(topic, json.dumps("again"))
        client.read()
        self.assertEqual(len(client.frames), 2)
        client.say("back")
        self.tell(self.last, ["s", "news"])
        self.assertEqual(self.bus.state()["subscribers"], 1)
        client.gone()
        self.assertEqual(self.bus.state()["subscribers"], 0)

    def test_answers_may_be_larger(self) -> None:
        """Messages of bytes come as base64 within the answer, which may be larger for it."""
        self.open().say("one")
        allowed = self.last.invocation.allowance
        self.assertEqual(allowed.wire_answer_bytes, allowed.answer_bytes * 3 // 2)

    @pytest.mark.setting("sockets.max_topics")
    def test_too_many_topics(self) -> None:
        """A script that subscribes to more than may be, which the prelude refuses, loses the socket."""
        self.make(max_topics=2)
        client = self.open(["s", "a"], ["s", "b"], ["s", "c"])
        self.assertEqual(client.closed_with, 1011)

    @pytest.mark.setting("live.max_subscribers")
    def test_the_bus_is_full(self) -> None:
        """When there may be no more subscriptions the client is told to come back."""
        self.make(live=LiveSettings(max_subscribers=0))
        client = self.open(["s", "a"])
        self.assertEqual(client.closed_with, 1013)

    @pytest.mark.setting("sockets.queue_messages")
    def test_busy_scripts(self) -> None:
        """A client whose messages wait is read from no longer, and again when they have become fewer."""
        self.make(queue_messages=4)
        client = self.open()
        for number in range(5):
            self.assertEqual(client.wire.producerState, "producing")
            client.say(str(number))
        self.assertEqual(client.wire.producerState, "paused")
        for number in range(3):
            self.assertEqual(self.last.given["text"], str(number))
            self.tell(self.last)
        self.assertEqual(client.wire.producerState, "producing")

    def test_deployments(self) -> None:
        """The next event goes to what serves then; when the path is gone the socket is closed."""
        client = self.open()
        route = the_route(message=5)
        script = ActiveScript(uri="script", version="script@2", number=2, entries=(route,))
        self.swap(self.current.registry.with_script(script))
        client.say("one")
        self.assertEqual(self.last.invocation.handler.id, 5)
        self.tell(self.last)
        other = ActiveScript(uri="script", version="script@3", number=3, entries=(a_route("/s/:id"),))
        self.swap(self.current.registry.with_script(other))
        client.read()
        self.assertEqual(client.closed_with, 1001)
        client.close(1001)
        self.assertEqual(self.clients.state(), {"sessions": 0})

    def test_many_are_closed(self) -> None:
        """When a path is gone its sockets are closed in many turns of the reactor; who leaves meanwhile is let go."""
        turns = TurnClock()
        self.make(writing=short_turns(turns, 3))
        clients = [self.open() for _ in range(30)]
        other = ActiveScript(uri="script", version="script@2", number=2, entries=(a_route("/s/:id"),))
        self.swap(self.current.registry.with_script(other))
        clients[-1].gone()
        self.assertGreater(turns.turns(), 5)
        for client in clients[:-1]:
            client.read()
            self.assertEqual(client.closed_with, 1001)
            client.close(1001)
        self.assertEqual(self.clients.state(), {"sessions": 0})

    def swap(self, registry: Registry) -> None:
        """Let something else serve."""
        self.current.registry = registry
        self.clients.swapped(registry)
