"""A connection to a server, for one request after the other."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from aiwebengine.errors import Cancelled, Closed, Unavailable
from aiwebengine.features.fetch.network.answers import AnswerParser, HeadTooLarge, NotHttp
from aiwebengine.features.fetch.network.bodies import AnswerBody, BytesBody, WrittenBody
from aiwebengine.features.fetch.network.connection import ServerConnection
from aiwebengine.services.reactor.turn_share import TurnShare

HEAD = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc"


class Wire(StringTransport):
    """Ends as connections do: its protocol is told later."""

    aborted = False

    def abortConnection(self):
        self.aborted = self.disconnecting = True


class ServerConnectionTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.freed = []
        self.gone = []
        self.connection = ServerConnection(
            free=self.freed.append, lost=self.gone.append, share=TurnShare(clock=self.clock, now=lambda: 0.0)
        )
        self.wire = Wire()
        self.connection.makeConnection(self.wire)

    def make_body(self, _):
        return AnswerBody(decoders=(), most_bytes=10**7, idle_seconds=30.0, clock=self.clock, server="a:80")

    def send(self, body=None, *, method="GET", most_head_bytes=1000):
        parser = AnswerParser(method=method, most_head_bytes=most_head_bytes)
        return self.connection.send(HEAD, body, parser=parser, make_body=self.make_body)

    def read(self, answer):
        return self.successResultOf(Deferred.fromCoroutine(answer.body.read(1000)))

    def lose(self, reason=None):
        self.connection.connectionLost(Failure(reason or ConnectionDone()))

    def test_interface(self):
        """It is told when the handshake of TLS is over."""
        verifyObject(IHandshakeListener, self.connection)
        self.connection.handshakeCompleted()
        self.connection.handshakeCompleted()
        self.successResultOf(self.connection.secured)

    def test_one_after_the_other(self):
        """A request is sent, its answer is told with what came of the body, and the next request may be sent."""
        for number in range(1, 4):
            answered = self.send()
            self.assertEqual(self.wire.value(), HEAD)
            self.wire.clear()
            self.connection.dataReceived(ANSWER)
            answer = self.successResultOf(answered)
            self.assertEqual((answer.head.status, self.read(answer)), (200, b"abc"))
            self.assertTrue(answer.body.is_complete)
            self.assertEqual(len(self.freed), number)

    def test_free_before_the_answer_is_told(self):
        """Whoever gets an answer that is whole can use its connection at once."""
        answered = self.send()
        answered.addCallback(lambda _: self.assertEqual(self.freed, [self.connection]))
        self.connection.dataReceived(ANSWER)
        self.successResultOf(answered)

    def test_body_after_the_head(self):
        """The answer is told with its head; the connection is free after its body."""
        answered = self.send()
        self.connection.dataReceived(ANSWER[:-2])
        answer = self.successResultOf(answered)
        self.assertEqual((self.read(answer), self.freed), (b"a", []))
        self.connection.dataReceived(b"bc")
        self.assertEqual((self.read(answer), self.freed), (b"bc", [self.connection]))

    def test_closed_by_the_answer(self):
        """A connection that the answer does not keep is closed."""
        self.send()
        self.connection.dataReceived(ANSWER.replace(b"content", b"connection: close\r\ncontent"))
        self.assertTrue(self.wire.disconnecting)
        self.assertEqual(self.freed, [])

    def test_body_without_length(self):
        """The end of the connection ends a body that has no length; if it breaks, the body is not whole."""
        for reason, whole in ((ConnectionDone(), True), (ConnectionLost(), False)):
            self.setUp()
            answered = self.send()
            self.connection.dataReceived(b"HTTP/1.1 200 OK\r\n\r\nabc")
            answer = self.successResultOf(answered)
            self.lose(reason)
            self.assertEqual(self.read(answer), b"abc")
            self.assertEqual(answer.body.is_complete, whole)
            if not whole:
                self.failureResultOf(Deferred.fromCoroutine(answer.body.read(10)), Unavailable)

    def test_closed(self):
        """A connection that ends without an answer fails the request, and says whether anything of it had come."""
        answered = self.send()
        self.lose()
        self.failureResultOf(answered, ConnectionDone)
        self.assertFalse(self.connection.answered)
        self.assertEqual(self.gone, [self.connection])
        self.setUp()
        answered = self.send()
        self.connection.dataReceived(b"HTTP")
        self.lose(ConnectionLost())
        self.failureResultOf(answered, ConnectionLost)
        self.assertTrue(self.connection.answered)

    def test_closed_while_idle(self):
        """The end of a connection that waits is told."""
        self.send()
        self.connection.dataReceived(ANSWER)
        self.lose()
        self.assertEqual(self.gone, [self.connection])

    def test_data_while_idle(self):
        """A server that sends what nobody asked for loses its connection."""
        self.send()
        self.connection.dataReceived(ANSWER)
        self.connection.dataReceived(ANSWER)
        self.assertTrue(self.wire.aborted)

    def test_no_http(self):
        """What is no HTTP, or too large, ends the connection; after the head it fails the body."""
        for data, error in ((b"nonsense\r\n\r\n", NotHttp), (b"HTTP/1.1 200 OK\r\na: " + b"b" * 2000, HeadTooLarge)):
            self.setUp()
            answered = self.send()
            self.connection.dataReceived(data)
            self.failureResultOf(answered, error)
            self.assertTrue(self.wire.aborted)
        self.setUp()
        answered = self.send()
        self.connection.dataReceived(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        answer = self.successResultOf(answered)
        self.connection.dataReceived(b"xyz\r\n")
        failed = self.failureResultOf(Deferred.fromCoroutine(answer.body.read(10)), Unavailable).value
        self.assertEqual(failed.details, {"reason": "protocol"})

    def test_cancelled(self):
        """A request that is cancelled ends its connection."""
        answered = self.send()
        answered.cancel()
        self.failureResultOf(answered, CancelledError)
        self.assertTrue(self.wire.aborted)
        self.lose()

    def test_abort_of_a_body(self):
        """A body that nobody wants ends the connection, unless it is whole: then others may have it already."""
        answered = self.send()
        self.connection.dataReceived(ANSWER[:-1])
        self.successResultOf(answered).body.abort()
        self.assertTrue(self.wire.aborted)
        self.setUp()
        answered = self.send()
        self.connection.dataReceived(ANSWER)
        self.send()
        self.successResultOf(answered).body.abort()
        self.assertFalse(self.wire.disconnecting)

    def test_back_pressure(self):
        """While nobody reads nothing is taken; a connection that is free is read again."""
        answered = self.send()
        self.connection.dataReceived(b"HTTP/1.1 200 OK\r\ncontent-length: 300001\r\n\r\n" + b"x" * 300_000)
        answer = self.successResultOf(answered)
        self.assertEqual(self.wire.producerState, "paused")
        self.connection.dataReceived(b"y")
        self.assertEqual(self.wire.producerState, "producing")
        self.assertEqual(self.freed, [self.connection])
        size = 0
        while not answer.body.is_complete or size < 300_001:
            size += len(self.successResultOf(Deferred.fromCoroutine(answer.body.read(100_000))))
        self.assertEqual(size, 300_001)

    def test_bytes(self):
        """A body that is there is sent behind the head."""
        self.send(BytesBody(b"body"))
        self.assertEqual(self.wire.value(), HEAD + b"body")

    def test_chunks(self):
        """A body of unknown length is sent in chunks; an empty piece does not end it."""
        body = WrittenBody(length=None, most_bytes=100)
        self.send(body)
        for piece in (b"ab", b"", b"c" * 17):
            body.write(piece)
        body.end()
        self.assertEqual(self.wire.value(), HEAD + b"2\r\nab\r\n11\r\n" + b"c" * 17 + b"\r\n0\r\n\r\n")
        self.assertIsNone(self.wire.producer)
        self.connection.dataReceived(ANSWER)
        self.assertEqual(self.freed, [self.connection])

    def test_written_length(self):
        """A body of known length is sent as it is, no faster than the connection takes it."""
        body = WrittenBody(length=3, most_bytes=100)
        self.send(body)
        self.assertIs(self.wire.producer, body)
        body.pauseProducing()
        waiting = body.write(b"ab")
        self.assertNoResult(waiting)
        body.resumeProducing()
        self.successResultOf(waiting)
        body.write(b"c")
        body.end()
        self.assertEqual(self.wire.value(), HEAD + b"abc")

    def test_body_that_fails(self):
        """A body that cannot be completed ends the request with its own error."""
        body = WrittenBody(length=None, most_bytes=100)
        answered = self.send(body)
        body.fail(Cancelled("enough"))
        self.failureResultOf(answered, Cancelled)
        self.assertTrue(self.wire.aborted)

    def test_answer_before_the_body_is_sent(self):
        """A server may answer before it has the body: whoever writes is told, and the connection is not used again."""
        body = WrittenBody(length=None, most_bytes=100)
        answered = self.send(body)
        body.write(b"a")
        self.connection.dataReceived(ANSWER)
        self.assertEqual(self.read(self.successResultOf(answered)), b"abc")
        self.assertEqual(self.freed, [])
        self.assertTrue(self.wire.disconnecting)
        with self.assertRaises(Closed):
            body.write(b"b")

    def test_large_heads_in_turns(self):
        """Answers with many fields are told in several turns if they come together."""
        now = [0.0]
        self.connection._share = share = TurnShare(clock=self.clock, now=lambda: now[0], seconds=0.002)
        self.assertFalse(share.used_up)
        now[0] = 0.003
        answered = self.send()
        self.connection.dataReceived(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 50 + b"content-length: 0\r\n\r\n")
        self.assertNoResult(answered)
        self.assertEqual(self.freed, [self.connection])
        self.clock.advance(0)
        self.successResultOf(answered)

    def busy(self):
        """Use up the share of this turn."""
        now = [0.0]
        self.connection._share = share = TurnShare(clock=self.clock, now=lambda: now[0], seconds=0.002)
        self.assertFalse(share.used_up)
        now[0] = 0.003

    def test_large_heads_are_read_in_turns(self):
        """A large head is not even read while there is no time, and nothing more of its connection; then all is."""
        large = b"HTTP/1.1 200 OK\r\na: " + b"b" * 3000 + b"\r\ncontent-length: 3\r\n\r\nab"
        self.busy()
        answered = self.send(most_head_bytes=10_000)
        self.connection.dataReceived(large)
        self.assertNoResult(answered)
        self.assertEqual(self.wire.producerState, "paused")
        self.clock.advance(0)
        self.assertEqual(self.wire.producerState, "producing")
        answer = self.successResultOf(answered)
        self.connection.dataReceived(b"c")
        self.assertEqual(self.read(answer), b"abc")
        self.assertEqual(self.freed, [self.connection])

    def test_closed_before_a_large_head_is_read(self):
        """What had arrived before the connection ended is read; of a request that was cancelled nothing is."""
        for cancel in (False, True):
            self.setUp()
            self.busy()
            answered = self.send(most_head_bytes=10_000)
            self.connection.dataReceived(b"HTTP/1.1 200 OK\r\na: " + b"b" * 3000 + b"\r\ncontent-length: 3\r\n\r\nabc")
            if cancel:
                answered.cancel()
                self.failureResultOf(answered, CancelledError)
            self.lose()
            if not cancel:
                self.assertEqual(self.read(self.successResultOf(answered)), b"abc")
            self.clock.advance(0)

    def test_cancelled_in_between(self):
        """An answer that waits for its turn and is cancelled leaves the connection to others."""
        now = [0.0]
        self.connection._share = share = TurnShare(clock=self.clock, now=lambda: now[0], seconds=0.002)
        self.assertFalse(share.used_up)
        now[0] = 0.003
        answered = self.send()
        self.connection.dataReceived(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 50 + b"content-length: 0\r\n\r\n")
        answered.cancel()
        self.failureResultOf(answered, CancelledError)
        self.assertFalse(self.wire.disconnecting)
        self.clock.advance(0)
