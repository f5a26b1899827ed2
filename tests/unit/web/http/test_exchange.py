"""Answers on their way to the client: whole, in pieces, streamed, broken off."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface.verify import verifyObject

from aiwebengine.errors import ScriptFailed
from aiwebengine.runtime.runs.sink import Sink
from aiwebengine.values import Answer
from aiwebengine.web.http.channel import Channel
from tests.unit.web.support import JSON, FakeRun, Transport, WebTestCase, a_route, ended, replies

TEXT = ((b"content-type", b"text/plain"),)
NOTHING = Answer(status=200, headers=TEXT, body=b"")


class AnswerTestCase(WebTestCase):
    """Asks one thing and lets the test answer."""

    def begin(self, method: bytes = b"GET", version: bytes = b"1.1") -> tuple[FakeRun, Channel, Transport]:
        """Ask; the run, and the connection."""
        self.serve(a_route("/hello", "GET", "HEAD", "POST"))
        channel, transport = self.connect()
        channel.dataReceived(method + b" /hello HTTP/" + version + b"\r\nHost: a\r\n\r\n")
        return self.runner.runs[0], channel, transport


class WholeTests(AnswerTestCase):
    """Answers given whole."""

    def test_an_answer(self) -> None:
        """It leaves with its length, a date and the request's id, and the connection goes on."""
        run, _, transport = self.begin()
        run.sink.answered(Answer(status=201, headers=(*JSON, (b"x-a", b"b")), body=b"{}"))
        self.assertEqual(
            transport.value(),
            b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nx-a: b\r\n"
            b"date: Sun, 06 Nov 1994 08:49:37 GMT\r\nserver: aiwebengine\r\nx-request-id: id-1\r\n"
            b"content-length: 2\r\n\r\n{}",
        )
        self.assertFalse(transport.disconnecting)

    def test_a_head(self) -> None:
        """HEAD gets what GET gets, but the body."""
        run, _, transport = self.begin(b"HEAD")
        run.sink.answered(Answer(status=200, headers=TEXT, body=b"a" * 300_000))
        (reply,) = replies(transport.value(), "HEAD")
        self.assertEqual(reply.headers["content-length"], "300000")

    def test_no_body(self) -> None:
        """204 has neither body nor length."""
        run, _, transport = self.begin()
        run.sink.answered(Answer(status=204, headers=(), body=b"x"))
        self.assertNotIn(b"content-length", transport.value())
        self.assertTrue(transport.value().endswith(b"\r\n\r\n"))

    def test_a_large_answer(self) -> None:
        """It leaves in pieces, each when the client has taken what came before."""
        run, channel, transport = self.begin()
        body = bytes(range(256)) * 2000
        channel.pauseProducing()
        run.sink.answered(Answer(status=200, headers=TEXT, body=body))
        self.assertFalse(replies(transport.value())[0].complete)
        sizes = [len(transport.value())]
        write = transport.write

        def full(data: bytes) -> None:
            write(data)
            channel.pauseProducing()

        transport.write = full
        for _ in range(4):
            channel.resumeProducing()
            sizes.append(len(transport.value()))
        self.assertEqual([after - before for before, after in pairwise(sizes)][:3], [131072] * 3)
        (reply,) = replies(transport.value())
        self.assertEqual((reply.complete, reply.body), (True, body))
        channel.resumeProducing()
        channel.dataReceived(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(len(self.runner.runs), 2)

    def test_a_slow_client(self) -> None:
        """A client that takes a piece in time may take a large answer as slowly as it likes."""
        run, channel, transport = self.begin()
        channel.pauseProducing()
        run.sink.answered(Answer(status=200, headers=TEXT, body=b"a" * 400_000))
        write = transport.write

        def full(data: bytes) -> None:
            write(data)
            channel.pauseProducing()

        transport.write = full
        for _ in range(4):
            self.clock.advance(50)
            channel.resumeProducing()
        self.assertFalse(transport.aborted)
        self.assertTrue(replies(transport.value())[0].complete)

    def test_a_client_that_goes_in_between(self) -> None:
        """The rest of a large answer is forgotten with its client."""
        run, channel, _ = self.begin()
        channel.pauseProducing()
        run.sink.answered(Answer(status=200, headers=TEXT, body=b"a" * 400_000))
        ended(channel)
        run.sink.resumeProducing()

    def test_a_client_that_only_listens(self) -> None:
        """A client that has closed its side still gets all of a large answer."""
        run, channel, transport = self.begin()
        channel.pauseProducing()
        run.sink.answered(Answer(status=200, headers=TEXT, body=b"a" * 400_000))
        channel.readConnectionLost()
        self.clock.advance(1)
        self.assertFalse(transport.aborted)


class StreamTests(AnswerTestCase):
    """Streamed answers."""

    def setUp(self) -> None:
        super().setUp()
        self.done: list[int] = []

    def write(self, run: FakeRun, data: bytes) -> None:
        """Stream a piece, and note when there is room for the next."""
        number = len(self.done)
        run.sink.write(data, lambda: self.done.append(number))

    def test_a_stream(self) -> None:
        """It leaves in chunks, and the connection goes on."""
        run, channel, transport = self.begin()
        run.sink.started(NOTHING)
        self.assertTrue(transport.value().endswith(b"transfer-encoding: chunked\r\n\r\n"))
        self.write(run, b"ab")
        self.write(run, b"")
        self.write(run, b"c" * 20)
        run.sink.finished()
        (reply,) = replies(transport.value())
        self.assertEqual((reply.body, reply.complete, len(self.done)), (b"ab" + b"c" * 20, True, 3))
        channel.dataReceived(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(len(self.runner.runs), 2)

    def test_back_pressure(self) -> None:
        """The script writes no more than the client takes."""
        run, channel, _ = self.begin()
        run.sink.started(NOTHING)
        channel.pauseProducing()
        self.write(run, b"a")
        self.assertEqual(self.done, [])
        channel.resumeProducing()
        self.assertEqual(self.done, [0])
        channel.resumeProducing()
        self.assertEqual(self.done, [0])

    def test_pressure_before_it_starts(self) -> None:
        """A client that has not taken earlier answers holds up a stream from its first piece."""
        run, channel, _ = self.begin()
        channel.pauseProducing()
        run.sink.started(NOTHING)
        self.write(run, b"a")
        self.assertEqual(self.done, [])
        channel.resumeProducing()
        self.assertEqual(self.done, [0])

    def test_http_1_0(self) -> None:
        """There the end of the connection is the end of the body."""
        run, _, transport = self.begin(version=b"1.0")
        run.sink.started(NOTHING)
        self.write(run, b"ab")
        run.sink.finished()
        (reply,) = replies(transport.value())
        self.assertEqual((reply.body, reply.headers["connection"]), (b"ab", "close"))
        self.assertTrue(transport.disconnecting)

    def test_a_stream_that_breaks_off(self) -> None:
        """The client sees that something is missing: there is no last chunk."""
        run, _, transport = self.begin()
        run.sink.started(NOTHING)
        self.write(run, b"ab")
        run.sink.failed(ScriptFailed("It threw."))
        (reply,) = replies(transport.value())
        self.assertEqual((reply.complete, reply.body, transport.disconnecting), (False, b"ab", True))

    def test_a_stream_that_breaks_off_in_http_1_0(self) -> None:
        """There only a reset can say so."""
        run, _, transport = self.begin(version=b"1.0")
        run.sink.started(NOTHING)
        run.sink.failed(ScriptFailed("It threw."))
        self.assertTrue(transport.aborted)

    def test_a_head(self) -> None:
        """HEAD gets the head, and the stream, which might never end, is stopped."""
        run, _, transport = self.begin(b"HEAD")
        run.sink.started(NOTHING)
        self.assertTrue(run.cancelled)
        self.assertTrue(transport.value().endswith(b"\r\n\r\n"))
        self.write(run, b"ab")
        run.sink.finished()
        self.assertTrue(transport.value().endswith(b"\r\n\r\n"))

    def test_no_body(self) -> None:
        """A stream with a status that has no body has none."""
        run, _, transport = self.begin()
        run.sink.started(Answer(status=204, headers=(), body=b""))
        self.write(run, b"ab")
        run.sink.finished()
        self.assertEqual(len(self.done), 1)
        self.assertNotIn(b"chunked", transport.value())
        self.assertTrue(transport.value().endswith(b"\r\n\r\n"))

    def test_a_client_that_goes(self) -> None:
        """The run is told, and nothing more is written or waited for."""
        run, channel, transport = self.begin()
        run.sink.started(NOTHING)
        before = transport.value()
        ended(channel)
        self.assertTrue(run.cancelled)
        self.write(run, b"ab")
        run.sink.failed(ScriptFailed("It was cancelled."))
        run.sink.finished()
        self.assertEqual((transport.value(), self.done), (before, []))

    def test_the_server_stops(self) -> None:
        """A stream that begins while the server stops is the last on its connection."""
        run, _, transport = self.begin()
        self.site.drain(idle_seconds=1.0)
        run.sink.started(NOTHING)
        run.sink.finished()
        self.assertEqual(replies(transport.value())[0].headers["connection"], "close")
        self.assertTrue(transport.disconnecting)


class SeamTests(AnswerTestCase):
    """An exchange stands between Twisted and the runtime."""

    def test_interfaces(self) -> None:
        """It is what both sides take it for."""
        run, _, _ = self.begin()
        sink: Any = run.sink
        verifyObject(IPushProducer, sink)
        for name in ("answered", "started", "write", "finished", "failed"):
            self.assertTrue(callable(getattr(sink, name)))
            self.assertTrue(hasattr(Sink, name))
        sink.stopProducing()
