"""Answers that go on."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.web.api import streams
from aiwebengine.web.api.streams import JsonStream


class FakeRequest:
    def __init__(self):
        self.written = []
        self.gone = Deferred()
        self.finished = False
        self.producer = None

    def setResponseCode(self, code):
        self.code = code

    def setHeader(self, name, value):
        pass

    def notifyFinish(self):
        return self.gone

    def registerProducer(self, producer, streaming):
        self.producer = producer

    def unregisterProducer(self):
        self.producer = None

    def write(self, data):
        assert not self.finished
        self.written.append(data)

    def finish(self):
        self.finished = True


class JsonStreamTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.request = FakeRequest()
        self.stream = JsonStream(request=self.request, clock=self.clock)
        self.stream.begin()
        self.request.written.clear()

    def test_client_disconnects(self):
        """When the client disconnects the answer is over, and the request has no producer any more."""
        self.stream.stopProducing()
        self.assertIsNone(self.request.producer)
        self.successResultOf(self.stream.done)
        self.request.gone.errback(ConnectionError())
        self.stream.send("late")
        self.assertEqual(self.request.written, [])

    def test_slow_client(self):
        """A client that reads too slowly gets what fitted the queue, and is told what did not."""
        self.patch(streams, "MOST_WAITING", 2)
        self.stream.pauseProducing()
        for number in range(5):
            self.stream.send(number)
        self.assertEqual(self.request.written, [])
        self.stream.resumeProducing()
        self.assertEqual(self.request.written, [b"0\n", b"1\n", b'{"dropped":3}\n'])

    def test_pause_while_resuming(self):
        """A client that is slow again at once gets the rest later, in order."""
        self.stream.pauseProducing()
        for number in range(3):
            self.stream.send(number)
        write = self.request.write

        def write_and_pause(data):
            write(data)
            self.stream.pauseProducing()

        self.request.write = write_and_pause
        for _ in range(3):
            self.stream.resumeProducing()
        self.assertEqual(self.request.written, [b"0\n", b"1\n", b"2\n"])

    def test_end_after_what_waits(self):
        """The end waits until the client has taken everything."""
        self.stream.pauseProducing()
        self.stream.send(1)
        self.stream.end()
        self.assertNoResult(self.stream.done)
        self.stream.resumeProducing()
        self.successResultOf(self.stream.done)
        self.assertTrue(self.request.finished)

    def test_client_gone(self):
        """When the client goes, whoever sends is told once, and nothing more is written."""
        received = []
        self.stream.at_end(lambda: received.append(1))
        self.request.gone.errback(ConnectionResetError())
        self.stream.send(1)
        self.stream.end()
        self.stream.stopProducing()
        self.assertEqual((received, self.request.written), ([1], []))
        self.successResultOf(self.stream.done)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_kept_alive(self):
        """An idle connection gets a byte now and then, a paused one does not."""
        self.clock.advance(streams.KEEP_ALIVE_SECONDS)
        self.assertEqual(self.request.written, [b"\n"])
        self.stream.pauseProducing()
        self.clock.advance(streams.KEEP_ALIVE_SECONDS)
        self.assertEqual(self.request.written, [b"\n"])
        self.stream.end()
