"""One request to one server, over old and new connections."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, NoRouteError
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Invalid, TooLarge, Unavailable
from aiwebengine.features.fetch.network.bodies import BytesBody, WrittenBody
from aiwebengine.features.fetch.network.client import HttpClient
from aiwebengine.features.fetch.network.targets import read_target
from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.services.reactor.turn_share import TurnShare
from aiwebengine.values import Cause

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Wire(StringTransport):
    """Is cut at once."""

    def abortConnection(self):
        self.disconnecting = True


class FakeConnector:
    """Makes connections in memory."""

    proxy_authorization = b"Basic abc"

    def __init__(self):
        self.made = []
        self.endpoint = None
        self.failure = None

    def own(self, target, cause):
        return self.endpoint

    async def open(self, target, own, make):
        if self.failure is not None:
            raise self.failure
        connection = make()
        connection.makeConnection(Wire())
        self.made.append(connection)
        return connection


class HttpClientTests(SynchronousTestCase):
    def setUp(self):
        self.connector = FakeConnector()
        self.client = self.make()

    def make(self, *, proxied=False, **settings):
        clock = Clock()
        self.now = 0.0
        self.share = TurnShare(clock=clock, now=lambda: self.now, seconds=0.002)
        self.clock = clock
        return HttpClient(
            reactor=clock,
            connector=self.connector,
            settings=FetchSettings(**settings),
            proxied=proxied,
            share=self.share,
        )

    def send(self, url="http://a.example/x?y", *, method="GET", headers=(), body=None, decode=True):
        return self.client.send(
            read_target(url), method=method, headers=headers, body=body, decode=decode, cause=Cause(ancestors=())
        )

    def sent(self, number=-1):
        wire = self.connector.made[number].transport
        data = wire.value()
        wire.clear()
        return data

    def answer(self, data=OK, number=-1):
        self.connector.made[number].dataReceived(data)

    def test_request(self):
        """A request has its line, its host and the headers in their order, and nothing else."""
        self.send(headers=[("x-b", "1"), ("x-a", "ü")])
        self.assertEqual(self.sent(), b"GET /x?y HTTP/1.1\r\nhost: a.example\r\nx-b: 1\r\nx-a: \xfc\r\n\r\n")
        self.send("http://a.example:8080/", method="POST")
        self.assertEqual(self.sent(), b"POST / HTTP/1.1\r\nhost: a.example:8080\r\ncontent-length: 0\r\n\r\n")
        self.send(method="PUT", body=BytesBody(b"abc"))
        self.assertTrue(self.sent().endswith(b"content-length: 3\r\n\r\nabc"))
        self.send(method="PUT", body=WrittenBody(length=None, most_bytes=10))
        self.assertTrue(self.sent().endswith(b"transfer-encoding: chunked\r\n\r\n"))

    def test_line_breaks(self):
        """What was filled in cannot add headers."""
        for headers in ([("x-a", "b\r\nx-c: d")], [("x-a", "b\n")], [("x-a", "b\rc")], [("x-a", "\u20ac")]):
            with self.assertRaises(Invalid):
                self.send(headers=headers)
        self.assertEqual(self.connector.made, [])

    def test_answer(self):
        """An answer has the headers that are not of the connection."""
        answered = self.send()
        self.answer(
            b"HTTP/1.1 404 No\r\nX-A: 1\r\nConnection: keep-alive\r\nKeep-Alive: x\r\nContent-Length: 0\r\n\r\n"
        )
        answer = self.successResultOf(answered)
        self.assertEqual((answer.status, answer.phrase), (404, "No"))
        self.assertEqual(list(answer.headers), [("x-a", "1"), ("content-length", "0")])
        self.assertEqual((answer.header("x-a"), answer.header("x-b")), ("1", ""))

    def test_used_again(self):
        """A connection is used for the next request to the same server."""
        for number in range(1, 4):
            answered = self.send()
            self.answer()
            self.assertEqual(self.successResultOf(answered).body.take(10), b"hi")
            self.assertEqual((self.client.sent, self.client.connections), (number, 1))
        self.send("http://a.example:8080/")
        self.send("https://a.example/")
        self.assertEqual(self.client.connections, 3)

    def kept(self):
        """Have a connection wait."""
        self.send()
        self.answer()
        self.sent()

    def test_stale(self):
        """A request whose old connection ends without an answer is sent once more, over a new one."""
        for method, body in (("GET", None), ("PUT", BytesBody(b"abc"))):
            self.setUp()
            self.kept()
            answered = self.send(method=method, body=body)
            self.connector.made[0].connectionLost(Failure(ConnectionDone()))
            self.assertNoResult(answered)
            self.assertTrue(self.sent(1).startswith(method.encode()))
            self.answer()
            self.assertEqual(self.successResultOf(answered).status, 200)

    def test_once_more_only(self):
        """What fails over a new connection has failed."""
        self.kept()
        answered = self.send()
        for number in (0, 1):
            self.connector.made[number].connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.failureResultOf(answered, Unavailable).value.details, {"reason": "closed"})
        self.assertEqual(len(self.connector.made), 2)

    def test_not_once_more(self):
        """Nothing is sent twice that may do something twice, is written piece by piece, or was answered in part."""
        for method, body, part in (
            ("POST", None, b""),
            ("PUT", WrittenBody(length=None, most_bytes=10), b""),
            ("GET", None, b"HTTP/1.1"),
        ):
            self.setUp()
            self.kept()
            answered = self.send(method=method, body=body)
            if part:
                self.answer(part)
            self.connector.made[0].connectionLost(Failure(ConnectionDone()))
            self.assertEqual(self.failureResultOf(answered, Unavailable).value.details, {"reason": "closed"})
            self.assertEqual(len(self.connector.made), 1)

    def test_many_at_once(self):
        """Connections for many requests at once are made in several turns; for one that is cancelled none is made."""
        self.assertFalse(self.share.used_up)
        self.now = 0.003
        waiting = [self.send() for _ in range(3)]
        waiting[1].cancel()
        self.failureResultOf(waiting[1])
        self.assertEqual(self.connector.made, [])
        self.clock.advance(0)
        self.assertEqual(len(self.connector.made), 2)

    def test_failures(self):
        """What fails is told in the terms of scripts."""
        self.connector.failure = NoRouteError()
        self.assertEqual(self.failureResultOf(self.send(), Unavailable).value.details, {"reason": "connect"})
        self.connector.failure = None
        answered = self.send()
        self.answer(b"nonsense\r\n\r\n")
        self.assertEqual(self.failureResultOf(answered, Unavailable).value.details, {"reason": "protocol"})
        self.client = self.make(max_head_bytes=1024)
        answered = self.send()
        self.answer(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 2000)
        self.assertIn("fetch.max_head_bytes", self.failureResultOf(answered, TooLarge).value.public)

    def test_proxy(self):
        """A proxy is sent whole addresses and its own authorization, and its connections serve all servers."""
        self.client = self.make(proxied=True)
        self.send()
        self.assertEqual(
            self.sent(),
            b"GET http://a.example/x?y HTTP/1.1\r\nhost: a.example\r\nproxy-authorization: Basic abc\r\n\r\n",
        )
        self.answer()
        self.send("http://b.example/")
        self.assertEqual(len(self.connector.made), 1)
        self.send("https://b.example/")
        self.assertEqual(self.sent(), b"GET / HTTP/1.1\r\nhost: b.example\r\n\r\n")

    def test_own_server(self):
        """Connections to this server belong to one request, and go through no proxy."""
        self.client = self.make(proxied=True)
        self.connector.endpoint = object()
        for count in (1, 2):
            self.send()
            self.assertEqual(self.sent(), b"GET /x?y HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n")
            self.answer()
            self.assertTrue(self.connector.made[-1].transport.disconnecting)
            self.assertEqual(len(self.connector.made), count)

    def test_codings(self):
        """Codings of the body are undone only where there can be a body."""
        for decode, body in ((True, b""), (False, b"hi")):
            answered = self.send(decode=decode)
            self.answer(OK.replace(b"Content-Length", b"Content-Encoding: zstd\r\nContent-Length"))
            answer = self.successResultOf(answered)
            if decode:
                self.failureResultOf(Deferred.fromCoroutine(answer.body.read(10)), Unavailable)
            else:
                self.assertEqual(answer.body.take(10), body)

    def test_close(self):
        """At the end connections that wait are closed."""
        self.kept()
        over = self.client.close()
        self.assertTrue(self.connector.made[0].transport.disconnecting)
        self.connector.made[0].connectionLost(Failure(ConnectionDone()))
        self.successResultOf(over)
