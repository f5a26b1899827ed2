"""Clients of streams, from their request to their end."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from aiwebengine.errors import ScriptFailed
from aiwebengine.features.streams.clients import StreamClients, streams_of_scripts
from aiwebengine.features.streams.options import STREAM
from aiwebengine.runtime.registry import ActiveScript
from aiwebengine.services.bus import Bus
from aiwebengine.services.topics import DISCONNECT, DROP_OLDEST, Reason, TopicOptions
from aiwebengine.settings.schema import LiveSettings
from aiwebengine.values import Answer
from aiwebengine.web.events.sse import EventStreams
from aiwebengine.web.events.streams import StreamServer
from aiwebengine.web.http.channel import Channel
from tests.support.fakes.turns import endless_turn
from tests.unit.web.support import Reply, Transport, WebTestCase, a_route, ended, replies

OPENING = ((b"content-type", b"application/vnd.aiwebengine.stream+json"),)
TEXT = ((b"content-type", b"text/plain"),)


class StreamTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.make()
        self.listen_for()

    def make(self, **settings: Any) -> None:
        given = LiveSettings(**settings)
        self.bus = Bus(epoch="e", settings=given, share=endless_turn())
        self.streams = EventStreams(clock=self.clock, heartbeat_seconds=given.heartbeat_seconds, share=endless_turn())
        self.streams.startService()
        self.server = StreamServer(bus=self.bus, streams=self.streams, settings=given, random=Random(1))
        self.site = self.make_site(streams_of_scripts(StreamClients(server=self.server)))

    def listen_for(self, *, history: int = 5, slow: str = DROP_OLDEST, **options: Any) -> None:
        """Have the script serve one stream."""
        self.serve(a_route("/s/:id", kind=STREAM, **{"auth": "none", "slow": slow, **options}))
        self.topic = "stream:script:/s/:id"
        self.bus.configure(self.topic, TopicOptions(history=history, slow=slow))

    def open(self, *headers: str, method: str = "GET", version: str = "1.1") -> tuple[Channel, Transport]:
        channel, transport = self.connect(self.site)
        lines = [f"{method} /s/7 HTTP/{version}", "Host: a", *headers]
        channel.dataReceived("\r\n".join([*lines, "", ""]).encode())
        return channel, transport

    def reply_of(self, transport: Transport) -> Reply:
        (reply,) = replies(transport.value())
        return reply

    def publish(self, *texts: str, **more: Any) -> None:
        for text in texts:
            self.bus.publish(self.topic, text, **more)
        self.clock.advance(0.05)

    def test_a_client_gets_what_is_published(self) -> None:
        """A client is told where it is and when to come back, then gets what is published."""
        _, transport = self.open()
        self.publish("1")
        reply = self.reply_of(transport)
        self.assertEqual((reply.status, reply.complete), (200, False))
        self.assertEqual(reply.body, b"retry: 3000\n\nid: e-0\n\nid: e-1\ndata: 1\n\n")
        self.assertEqual(self.runner.runs, [])

    @pytest.mark.setting("live.retry_seconds")
    def test_when_clients_come_back(self) -> None:
        """A client is told how long to wait before it comes back."""
        self.make(retry_seconds=0.5)
        self.listen_for()
        _, transport = self.open()
        self.assertIn(b"retry: 500\n\n", transport.value())

    @pytest.mark.setting("live.heartbeat_seconds")
    def test_a_silent_stream(self) -> None:
        """A stream on which nothing happens is written to, so that no proxy closes it."""
        self.make(heartbeat_seconds=1.0)
        self.listen_for()
        _, transport = self.open()
        self.clock.pump([0.1] * 100)
        self.assertGreaterEqual(transport.value().count(b"id: e-0\n\n"), 5)

    def test_the_parameters_of_the_path_are_attributes(self) -> None:
        """What is for another parameter of the path does not come."""
        _, transport = self.open()
        self.publish("1", to={"id": "8"})
        self.publish("2", to={"id": "7"})
        self.assertNotIn(b"data: 1", transport.value())
        self.assertIn(b"data: 2", transport.value())

    def test_what_was_missed_comes_first(self) -> None:
        """With `Last-Event-ID` a client gets what came since; one that is no id gives a gap."""
        self.publish("1", "2", "3")
        _, transport = self.open("Last-Event-ID: e-1")
        self.assertEqual(self.reply_of(transport).body, b"retry: 3000\n\nid: e-2\ndata: 2\n\nid: e-3\ndata: 3\n\n")
        _, transport = self.open("Last-Event-ID: " + "x" * 99)
        self.assertIn(b"event: gap", transport.value())
        _, transport = self.open("Last-Event-ID: " + "x" * 101)
        self.assertNotIn(b"event: gap", transport.value())

    def test_the_script_is_asked(self) -> None:
        """With `onConnect` the script runs first; what was published meanwhile comes after its first message."""
        self.listen_for(onConnect=1)
        _, transport = self.open()
        self.assertEqual(transport.value(), b"")
        self.publish("1")
        (run,) = self.runner.runs
        data = {"attributes": {"user": "ada"}, "first": "hello"}
        run.sink.answered(Answer(status=200, headers=OPENING, body=json.dumps(data).encode()))
        self.publish("2", to={"user": "bob"})
        self.publish("3", to={"user": "ada", "id": "7"})
        self.assertEqual(
            self.reply_of(transport).body,
            b"retry: 3000\n\nid: e-0\ndata: hello\n\nid: e-1\ndata: 1\n\nid: e-3\ndata: 3\n\n",
        )

    def test_middleware_is_asked(self) -> None:
        """If the script has middleware it runs, though the stream itself asks for nothing."""
        route = a_route("/s/:id", kind=STREAM, auth="none", slow=DROP_OLDEST)
        script = ActiveScript(uri="script", version="script@1", number=1, entries=(route,), middleware=(3,))
        self.current.registry = self.current.registry.with_script(script)
        _, transport = self.open()
        (run,) = self.runner.runs
        run.sink.answered(Answer(status=403, headers=TEXT, body=b"no"))
        self.assertEqual((self.reply_of(transport).status, self.reply_of(transport).body), (403, b"no"))

    def test_middleware_may_answer_with_a_stream_of_its_own(self) -> None:
        """What a middleware streams in place of the stream is passed on."""
        self.listen_for(attributes=1)
        _, transport = self.open()
        sink = self.runner.runs[0].sink
        sink.started(Answer(status=200, headers=TEXT, body=b""))
        sink.write(b"piece", lambda: None)
        sink.finished()
        self.assertEqual((self.reply_of(transport).body, self.reply_of(transport).complete), (b"piece", True))

    def test_a_script_that_fails(self) -> None:
        """If the script fails the client gets the error; attributes that are none are its fault, too."""
        self.listen_for(attributes=1)
        _, transport = self.open()
        self.runner.runs[0].sink.failed(ScriptFailed("It failed."))
        self.assertEqual(self.reply_of(transport).status, 500)
        _, transport = self.open()
        body = json.dumps({"attributes": {"user": {"id": 1}}}).encode()
        self.runner.runs[1].sink.answered(Answer(status=200, headers=OPENING, body=body))
        self.assertEqual(self.reply_of(transport).status, 500)
        self.assertEqual(self.bus.state()["subscribers"], 0)

    def test_what_is_no_answer(self) -> None:
        """A script that forges what it says of a client does not let it in, nor leaves it without an answer."""
        self.listen_for(attributes=1)
        for number, body in enumerate((b"", b"[]", b"nonsense", b'{"attributes":{"a":NaN}}', b"[" * 100_000)):
            _, transport = self.open()
            self.runner.runs[number].sink.answered(Answer(status=200, headers=OPENING, body=body))
            self.assertEqual((body[:20], self.reply_of(transport).status), (body[:20], 500))
        self.assertEqual(self.bus.state()["subscribers"], 0)

    def test_a_client_that_leaves_while_the_script_is_asked(self) -> None:
        """The run is stopped, and what it still answers opens nothing."""
        self.listen_for(attributes=1)
        channel, _ = self.open()
        (run,) = self.runner.runs
        ended(channel)
        self.assertTrue(run.cancelled)
        run.sink.answered(Answer(status=200, headers=OPENING, body=b'{"attributes": null}'))
        self.assertEqual(self.bus.state()["subscribers"], 0)

    def test_somebody_must_be_signed_in(self) -> None:
        """A stream with `auth: "required"` refuses those whom nobody knows."""
        self.listen_for(auth="required")
        _, transport = self.open()
        self.assertEqual(self.reply_of(transport).status, 401)

    @pytest.mark.setting("live.max_topic_subscribers")
    def test_one_too_many(self) -> None:
        """Beyond the limit a client gets 429 and when to try again."""
        self.make(max_topic_subscribers=1)
        self.listen_for()
        self.open()
        _, transport = self.open()
        self.assertEqual((self.reply_of(transport).status, self.reply_of(transport).headers["retry-after"]), (429, "5"))

    def test_head(self) -> None:
        """HEAD gets the head, and no subscription."""
        _, transport = self.open(method="HEAD")
        (reply,) = replies(transport.value(), "HEAD")
        self.assertEqual(reply.headers["content-type"], "text/event-stream; charset=utf-8")
        self.assertEqual(self.bus.state()["subscribers"], 0)

    def test_http_1_0(self) -> None:
        """A client of HTTP/1.0 gets the events without chunks, until the connection ends."""
        _, transport = self.open(version="1.0")
        self.publish("1")
        reply = self.reply_of(transport)
        self.assertNotIn("transfer-encoding", reply.headers)
        self.assertTrue(reply.body.endswith(b"data: 1\n\n"))
        self.bus.remove(self.topic, Reason(code="gone", message="Gone."))
        self.assertTrue(transport.disconnecting)

    def test_a_client_that_has_gone(self) -> None:
        """When the connection is lost nothing of the client is left."""
        channel, _ = self.open()
        ended(channel)
        self.publish("1")
        self.assertEqual(self.bus.state()["subscribers"], 0)
        self.assertEqual(self.streams.state()["open"], 0)

    @pytest.mark.setting("live.queue_messages")
    def test_a_slow_client(self) -> None:
        """While a client does not take what was sent its messages wait; what is too much is told as a gap."""
        self.make(queue_messages=2)
        self.listen_for()
        channel, transport = self.open()
        channel.pauseProducing()
        before = transport.value()
        self.publish("1", "2", "3")
        self.clock.advance(15)
        self.assertEqual(transport.value(), before)
        channel.resumeProducing()
        self.clock.advance(0.05)
        body = self.reply_of(transport).body
        self.assertEqual(body.count(b"event: gap"), 1)
        self.assertTrue(body.endswith(b"id: e-2\ndata: 2\n\nid: e-3\ndata: 3\n\n"), body)

    def test_a_slow_client_may_be_sent_away(self) -> None:
        """With `slow: "disconnect"` the answer ends, and says why."""
        self.make(queue_messages=2)
        self.listen_for(slow=DISCONNECT)
        channel, transport = self.open()
        channel.pauseProducing()
        self.publish("1", "2", "3")
        self.assertIn(b'event: end\ndata: {"reason": "slow"', transport.value())
        self.assertTrue(self.reply_of(transport).complete)

    def test_the_connection_goes_on(self) -> None:
        """After the end of a stream the connection serves the next request."""
        channel, transport = self.open()
        self.bus.remove(self.topic, Reason(code="gone", message="Gone."))
        self.assertTrue(self.reply_of(transport).complete)
        self.assertFalse(transport.disconnecting)
        transport.clear()
        channel.dataReceived(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(self.reply_of(transport).status, 200)

    def test_a_server_that_stops(self) -> None:
        """Clients are told when to come back, and nobody is let in any more."""
        self.listen_for(attributes=1)
        _, waiting = self.open()
        self.listen_for()
        _, transport = self.open()
        self.server.end()
        body = self.reply_of(transport).body
        self.assertIn(b'event: end\ndata: {"reason": "stopping"', body)
        self.assertEqual(body.count(b"retry: "), 2)
        self.assertTrue(self.reply_of(transport).complete)
        self.runner.runs[0].sink.answered(Answer(status=200, headers=OPENING, body=b'{"attributes": null}'))
        self.assertEqual(self.reply_of(waiting).status, 503)

    def test_heartbeats_carry_the_position(self) -> None:
        """A heartbeat moves a client past messages that were for others."""
        _, transport = self.open()
        self.publish("1", to={"id": "8"})
        self.clock.pump([1.5] * 10)
        self.assertTrue(self.reply_of(transport).body.endswith(b"id: e-1\n\n"))
