"""Bodies of requests and answers."""

from __future__ import annotations

import gzip

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import UNKNOWN_LENGTH

from aiwebengine.errors import Cancelled, Closed, TooLarge, TooSlow, Unavailable
from aiwebengine.features.fetch.network.bodies import AnswerBody, BytesBody, WrittenBody
from aiwebengine.features.fetch.network.decoding import decoder


class Consumer:
    """Takes what is written."""

    def __init__(self):
        self.taken = []

    def write(self, data):
        self.taken.append(data)


class Connection:
    """Says what was done to it."""

    def __init__(self):
        self.done = []

    def pauseProducing(self):
        self.done.append("pause")

    def resumeProducing(self):
        self.done.append("resume")

    def abortConnection(self):
        self.done.append("abort")

    def loseConnection(self):
        self.done.append("lose")


class BytesBodyTests(SynchronousTestCase):
    def test_written_at_once(self):
        """A body that is there is written at once, and again if the request is sent again."""
        body = BytesBody(b"abc")
        for _ in range(2):
            consumer = Consumer()
            self.successResultOf(body.startProducing(consumer))
            self.assertEqual(consumer.taken, [b"abc"])
        self.assertEqual(body.length, 3)


class WrittenBodyTests(SynchronousTestCase):
    def setUp(self):
        self.consumer = Consumer()

    def body(self, length=None, most_bytes=10):
        return WrittenBody(length=length, most_bytes=most_bytes)

    def test_length(self):
        """The length is told if it is known."""
        self.assertEqual(self.body(3).length, 3)
        self.assertIs(self.body().length, UNKNOWN_LENGTH)

    def test_pieces(self):
        """Pieces are written as they come, and the end ends the body."""
        body = self.body()
        finished = body.startProducing(self.consumer)
        self.successResultOf(body.write(b"ab"))
        self.successResultOf(body.write(b"c"))
        self.assertNoResult(finished)
        body.end()
        self.successResultOf(finished)
        self.assertEqual(self.consumer.taken, [b"ab", b"c"])

    def test_before_the_connection(self):
        """One piece waits for the connection, and so does who writes."""
        body = self.body()
        written = body.write(b"ab")
        self.assertNoResult(written)
        with self.assertRaises(Closed):
            body.write(b"c")
        body.startProducing(self.consumer)
        self.successResultOf(written)
        self.assertEqual(self.consumer.taken, [b"ab"])

    def test_ended_before_the_connection(self):
        """A body that ended before there was a connection is written whole."""
        body = self.body()
        body.write(b"ab")
        body.end()
        self.successResultOf(body.startProducing(self.consumer))
        self.assertEqual(self.consumer.taken, [b"ab"])

    def test_back_pressure(self):
        """While the connection takes no more, who writes waits."""
        body = self.body()
        body.startProducing(self.consumer)
        body.pauseProducing()
        written = body.write(b"a")
        self.assertNoResult(written)
        body.resumeProducing()
        self.successResultOf(written)
        self.successResultOf(body.write(b"b"))

    def test_too_much(self):
        """A body that becomes larger than allowed ends the request."""
        body = self.body(most_bytes=3)
        finished = body.startProducing(self.consumer)
        body.write(b"ab")
        with self.assertRaises(TooLarge) as refused:
            body.write(b"cd")
        self.assertIn("at most 3 bytes", refused.exception.public)
        self.failureResultOf(finished, TooLarge)
        with self.assertRaises(TooLarge):
            body.write(b"e")

    def test_more_than_announced(self):
        """A body that is longer than its length ends the request."""
        body = self.body(length=2)
        finished = body.startProducing(self.consumer)
        with self.assertRaises(TooLarge) as refused:
            body.write(b"abc")
        self.assertIn("longer than the length that was given", refused.exception.public)
        self.failureResultOf(finished, TooLarge)

    def test_less_than_announced(self):
        """A body that ends before its length ends the request, and says how much is missing."""
        body = self.body(length=5)
        finished = body.startProducing(self.consumer)
        body.write(b"abc")
        with self.assertRaises(Closed) as refused:
            body.end()
        self.assertIn("ended 2 bytes before", refused.exception.public)
        self.failureResultOf(finished, Closed)
        self.assertIs(body.failed, refused.exception)

    def test_after_the_end(self):
        """Nothing is written after the end; ending it twice is no mistake."""
        body = self.body()
        body.end()
        body.end()
        with self.assertRaises(Closed):
            body.write(b"a")

    def test_taken_no_more(self):
        """If the server takes no more, who writes is told, and is not left waiting."""
        body = self.body()
        body.startProducing(self.consumer)
        body.pauseProducing()
        written = body.write(b"a")
        body.stopProducing()
        self.successResultOf(written)
        with self.assertRaises(Closed) as refused:
            body.write(b"b")
        self.assertIn("accepts no more", refused.exception.public)

    def test_failed_before_the_connection(self):
        """A body that failed before there was a connection fails the request as soon as there is one."""
        body = self.body()
        written = body.write(b"a")
        body.fail(Cancelled("gone"))
        self.successResultOf(written)
        self.failureResultOf(body.startProducing(self.consumer), Cancelled)


class AnswerBodyTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.connection = Connection()

    def body(self, *codings, most_bytes=10_000_000, idle_seconds=5.0):
        body = AnswerBody(
            decoders=[decoder(coding) for coding in codings],
            most_bytes=most_bytes,
            idle_seconds=idle_seconds,
            clock=self.clock,
            server="a.example:80",
        )
        body.makeConnection(self.connection)
        return body

    def read(self, body, most=1000):
        return Deferred.fromCoroutine(body.read(most))

    def ended(self, body, error=None):
        body.connectionLost(Failure(error or ResponseDone()))

    def test_read(self):
        """What has arrived is read at once, otherwise the reader waits for it; the end is an empty piece."""
        body = self.body()
        body.dataReceived(b"ab")
        self.assertEqual(self.successResultOf(self.read(body)), b"ab")
        waiting = self.read(body)
        self.assertNoResult(waiting)
        body.dataReceived(b"c")
        self.assertEqual(self.successResultOf(waiting), b"c")
        self.assertFalse(body.is_complete)
        waiting = self.read(body)
        self.ended(body)
        self.assertEqual(self.successResultOf(waiting), b"")
        self.assertTrue(body.is_complete)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_without_a_length(self):
        """A body without a length ends with its connection."""
        body = self.body()
        body.dataReceived(b"ab")
        self.ended(body, PotentialDataLoss())
        self.assertEqual(self.successResultOf(self.read(body)), b"ab")
        self.assertEqual(self.successResultOf(self.read(body)), b"")

    def test_cut_off(self):
        """What arrived before the connection broke is read; then the reader is told."""
        body = self.body()
        body.dataReceived(b"ab")
        self.ended(body, ConnectionLost())
        self.assertEqual(self.successResultOf(self.read(body)), b"ab")
        failed = self.failureResultOf(self.read(body), Unavailable).value
        self.assertEqual(failed.details, {"reason": "closed"})
        self.assertIn("a.example:80", failed.public)

    def test_back_pressure(self):
        """If nobody reads, nothing more is taken from the connection; it goes on when all was read."""
        body = self.body()
        body.dataReceived(b"a" * 200_000)
        self.assertEqual(self.connection.done, [])
        body.dataReceived(b"a" * 100_000)
        body.dataReceived(b"a" * 10)
        self.assertEqual(self.connection.done, ["pause"])
        self.assertEqual(len(self.successResultOf(self.read(body, 256 * 1024))), 262144)
        self.assertEqual(self.connection.done, ["pause"])
        self.assertEqual(len(self.successResultOf(self.read(body, 256 * 1024))), 300_010 - 262144)
        self.assertEqual(self.connection.done, ["pause", "resume"])

    @pytest.mark.setting("fetch.idle_seconds")
    def test_idle(self):
        """A server that sends nothing for too long while somebody reads is not waited for; each piece begins anew."""
        body = self.body(idle_seconds=5.0)
        self.clock.advance(100)
        for _ in range(3):
            waiting = self.read(body)
            self.clock.advance(4.9)
            body.dataReceived(b"a")
            self.assertEqual(self.successResultOf(waiting), b"a")
        waiting = self.read(body)
        self.clock.advance(5.0)
        failed = self.failureResultOf(waiting, TooSlow).value
        self.assertIn("sent nothing of its answer for 5 s", failed.public)
        self.assertEqual(self.connection.done, ["abort"])
        self.assertEqual(failed.details, {"reason": "timeout"})

    def test_too_large(self):
        """A body that is larger than allowed ends the connection, even if it is only large without its coding."""
        for codings, data in ((), b"a" * 101), (("gzip",), gzip.compress(b"a" * 101)):
            self.connection.done.clear()
            body = self.body(*codings, most_bytes=100)
            body.dataReceived(data)
            failed = self.failureResultOf(self.read(body), TooLarge).value
            self.assertIn("larger than 100 bytes", failed.public)
            self.assertEqual(self.connection.done, ["abort"])
            self.failureResultOf(self.read(body), TooLarge)

    def test_as_large_as_allowed(self):
        """A body that is exactly as large as allowed is read."""
        body = self.body(most_bytes=100)
        body.dataReceived(b"a" * 100)
        self.ended(body)
        self.assertEqual(len(self.successResultOf(self.read(body))), 100)

    def test_codings(self):
        """Codings are undone in their order, the last one first."""
        body = self.body("gzip", "gzip")
        for byte in gzip.compress(gzip.compress(b"hello")):
            body.dataReceived(bytes([byte]))
        self.ended(body)
        self.assertEqual(self.successResultOf(self.read(body)), b"hello")
        self.assertEqual(self.successResultOf(self.read(body)), b"")

    def test_broken_coding(self):
        """A body that does not fit its coding, or ends in the middle, is refused."""
        body = self.body("gzip")
        body.dataReceived(b"not gzip at all")
        failed = self.failureResultOf(self.read(body), Unavailable).value
        self.assertEqual(failed.details, {"reason": "decoding"})
        self.assertEqual(self.connection.done, ["abort"])
        body = self.body("gzip")
        body.dataReceived(gzip.compress(b"hello")[:-4])
        self.ended(body)
        self.assertEqual(self.successResultOf(self.read(body)), b"hello")
        self.assertIn("is incomplete", self.failureResultOf(self.read(body), Unavailable).value.public)

    def test_bomb(self):
        """A small piece that becomes large is read in bounded pieces, and no more of it is held."""
        body = self.body("gzip", most_bytes=200_000_000)
        body.dataReceived(gzip.compress(bytes(50_000_000)))
        self.ended(body)
        sizes = []
        while piece := self.successResultOf(self.read(body, 256 * 1024)):
            sizes.append(len(piece))
        self.assertEqual(sum(sizes), 50_000_000)
        self.assertLessEqual(max(sizes), 256 * 1024 + 64 * 1024)

    def test_one_reader(self):
        """Two cannot read the same body at the same time."""
        body = self.body()
        waiting = self.read(body)
        self.failureResultOf(self.read(body), Closed)
        body.dataReceived(b"a")
        self.assertEqual(self.successResultOf(waiting), b"a")

    def test_abort(self):
        """Whoever waits is told that the request was cancelled, and the connection ends."""
        body = self.body()
        waiting = self.read(body)
        body.abort()
        self.failureResultOf(waiting, Cancelled)
        self.assertEqual(self.connection.done, ["abort"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_abort_of_what_is_complete(self):
        """The connection of a body that is complete may serve others already: it is left alone."""
        body = self.body()
        self.ended(body)
        body.abort()
        self.assertEqual(self.connection.done, [])
