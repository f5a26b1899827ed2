"""Connections that are made again when they break, without a server: time and bytes are the test's."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectingCancelledError, ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Unavailable
from aiwebengine.services.redis.connection import KeptConnection, Wire
from aiwebengine.services.redis.store import CommandRefused
from aiwebengine.settings.redis_url import RedisAddress

PONG = b"+PONG\r\n"


class Transport(StringTransport):
    """One that tells its protocol when it is aborted, as a real one does."""

    aborted = False
    protocol: Any = None

    def abortConnection(self):
        if not self.aborted:
            self.aborted = True
            self.protocol.connectionLost(Failure(ConnectionDone()))


class Endpoint:
    """Leads nowhere until the test says so."""

    def __init__(self):
        self.attempts = []

    def connect(self, factory):
        attempt = Deferred(lambda attempt: attempt.errback(ConnectingCancelledError(None)))
        attempt.addCallback(lambda _: self._build(factory))
        self.attempts.append(attempt)
        return attempt

    def _build(self, factory):
        self.transport = Transport()
        protocol = factory.buildProtocol(None)
        self.transport.protocol = protocol
        protocol.makeConnection(self.transport)
        return protocol


class KeptConnectionTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.endpoint = Endpoint()
        self.events = []

    def kept(self, address=None):
        self.connection = KeptConnection(
            endpoint=self.endpoint,
            address=address or RedisAddress(host="h"),
            clock=self.clock,
            random=lambda: 1.0,
            attempt_seconds=3.0,
            made=lambda _: self.events.append("made"),
            lost=self.events.append,
        )
        return self.connection

    def connect(self):
        self.endpoint.attempts[-1].callback(None)

    def answer(self, data):
        self.endpoint.transport.protocol.dataReceived(data)

    def break_(self):
        self.endpoint.transport.protocol.connectionLost(Failure(ConnectionDone()))

    def stop(self):
        stopped = self.connection.stopService()
        if stopped is not None:
            self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_signs_in(self):
        """It is usable when the server has taken name, password and number, and not before."""
        self.kept(RedisAddress(host="h", username="ann", password="pw", database=3)).startService()
        self.connect()
        self.assertEqual(self.endpoint.transport.value(), b"*3\r\n$4\r\nAUTH\r\n$3\r\nann\r\n$2\r\npw\r\n")
        for answer in (b"+OK\r\n", b"+OK\r\n"):
            self.assertIsNone(self.connection.wire)
            self.answer(answer)
        self.assertIn(b"SELECT", self.endpoint.transport.value())
        self.answer(PONG)
        self.assertIsNotNone(self.connection.wire)
        self.assertEqual(self.events, ["made"])
        self.stop()
        self.assertIsNone(self.connection.wire)

    def test_refused(self):
        """What is refused again and again is tried at growing distances, up to five seconds."""
        self.kept().startService()
        for wait in (0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0):
            self.endpoint.attempts[-1].errback(ConnectError(string="refused"))
            before = len(self.endpoint.attempts)
            self.clock.advance(wait - 0.01)
            self.assertEqual(len(self.endpoint.attempts), before)
            self.clock.advance(0.01)
            self.assertEqual(len(self.endpoint.attempts), before + 1)
        self.assertIn("refused", self.events[-1])
        self.stop()

    def test_short_lived(self):
        """A server that takes every connection and ends it soon is not asked ever faster; one that lasted is."""
        self.kept().startService()
        for wait in (0.2, 0.4, 0.8):
            self.connect()
            self.answer(PONG)
            self.break_()
            self.clock.advance(wait - 0.01)
            attempts = len(self.endpoint.attempts)
            self.clock.advance(0.01)
            self.assertEqual(len(self.endpoint.attempts), attempts + 1)
        self.connect()
        self.answer(PONG)
        self.clock.advance(10)
        self.break_()
        self.clock.advance(0.2)
        self.assertEqual(len(self.endpoint.attempts), attempts + 2)
        self.stop()

    def test_silent(self):
        """A server that takes the connection and says nothing is given up after a while, and so is one that hangs."""
        self.kept().startService()
        self.clock.advance(3.0)
        self.assertEqual(self.events, ["It did not answer within 3 s."])
        self.clock.advance(0.2)
        self.connect()
        self.clock.advance(3.0)
        self.assertTrue(self.endpoint.transport.aborted)
        self.assertEqual(self.events, ["It did not answer within 3 s."] * 2)
        self.stop()

    def test_still_loading(self):
        """A server that says it is not ready yet is asked again."""
        self.kept().startService()
        self.connect()
        self.answer(b"-LOADING Redis is loading the dataset in memory\r\n")
        self.assertIn("LOADING", self.events[-1])
        self.assertTrue(self.endpoint.transport.aborted)
        self.clock.advance(0.2)
        self.connect()
        self.answer(PONG)
        self.assertIsNotNone(self.connection.wire)
        self.stop()

    def test_nonsense(self):
        """What speaks another protocol is left alone, and tried again."""
        self.kept().startService()
        self.connect()
        with self.assertRaises(Exception):  # noqa: B017  Twisted closes the connection for it
            self.answer(b"HTTP/1.1 400 Bad Request\r\n")
        self.break_()
        self.assertIsNone(self.connection.wire)
        self.clock.advance(0.2)
        self.assertEqual(len(self.endpoint.attempts), 2)
        self.stop()

    @given(st.integers(0, 5))
    def test_stopped_at_any_moment(self, steps):
        """It can be stopped whatever it is doing, leaves nothing behind, and starts again."""
        self.setUp()
        self.kept().startService()
        moments = [
            self.connect, lambda: self.answer(PONG), self.break_, lambda: self.clock.advance(0.2), self.connect,
        ]  # fmt: skip
        for moment in moments[:steps]:
            moment()
        self.stop()
        attempts = len(self.endpoint.attempts)
        self.clock.advance(100)
        self.assertEqual(len(self.endpoint.attempts), attempts)
        self.connection.startService()
        self.connect()
        self.answer(PONG)
        self.assertIsNotNone(self.connection.wire)
        self.stop()

    def test_stopped_by_whom_it_tells(self):
        """It can be stopped in the moment in which it says that it is usable."""
        stopped = []
        connection = KeptConnection(
            endpoint=self.endpoint, address=RedisAddress(host="h"), clock=self.clock, random=float, attempt_seconds=3.0,
            made=lambda _: stopped.append(connection.stopService()), lost=self.events.append,
        )  # fmt: skip
        connection.startService()
        self.connect()
        self.answer(PONG)
        self.successResultOf(stopped[0])
        self.assertTrue(self.endpoint.transport.aborted)
        self.assertEqual(self.events, [])


class WireTests(SynchronousTestCase):
    def setUp(self):
        self.pushed = []
        self.wire = Wire(pushed=lambda channel, message: self.pushed.append((channel, message)))
        self.transport = Transport()
        self.transport.protocol = self.wire
        self.wire.makeConnection(self.transport)

    def test_answers_in_order(self):
        """Answers belong to commands in the order in which these were sent, whatever they are and however they come."""
        asked = [self.wire.ask("GET", b"k") for _ in range(6)]
        data = b"$-1\r\n:7\r\n$5\r\n1_000\r\n-ERR no\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n-OOM command not allowed\r\n"
        for at in range(len(data)):
            self.wire.dataReceived(data[at : at + 1])
        self.assertEqual([self.successResultOf(asked[at]) for at in (0, 1, 2, 4)], [None, 7, b"1_000", [b"a", [1]]])
        self.assertEqual(str(self.failureResultOf(asked[3], CommandRefused).value), "no")
        self.failureResultOf(asked[5], Unavailable)

    def test_messages_between_answers(self):
        """Messages are told apart from answers that look like them."""
        asked = [self.wire.ask("SUBSCRIBE", "c"), self.wire.ask("PING")]
        self.wire.dataReceived(
            b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n"
        )
        self.wire.dataReceived(b"*2\r\n$4\r\npong\r\n$0\r\n\r\n")
        self.assertEqual(self.successResultOf(asked[0]), [b"subscribe", b"c", 1])
        self.assertEqual(self.successResultOf(asked[1]), [b"pong", b""])
        self.assertEqual(self.pushed, [(b"c", b"hi")])

    def test_lost(self):
        """When it breaks all that waits fails, and whatever is asked afterwards."""
        asked = self.wire.ask("GET", "k")
        ended = self.wire.when_ended()
        self.wire.abort()
        self.failureResultOf(asked, Unavailable)
        self.assertIn("closed", self.successResultOf(ended))
        self.assertIn("closed", self.successResultOf(self.wire.when_ended()))
        with self.assertRaises(Unavailable):
            self.wire.ask("GET", "k")

    def test_too_many_connections(self):
        """A server that takes no more connections counts as away, not as having refused a command."""
        asked = self.wire.ask("PING")
        self.wire.dataReceived(b"-ERR max number of clients reached\r\n")
        self.failureResultOf(asked, Unavailable)

    def test_demoted(self):
        """A server that is not written to any more is left, so that the next connection finds the one that is."""
        asked = self.wire.ask("SET", "k", b"v")
        self.wire.dataReceived(b"-READONLY You can't write against a read only replica.\r\n")
        self.failureResultOf(asked, Unavailable)
        self.assertTrue(self.transport.aborted)
