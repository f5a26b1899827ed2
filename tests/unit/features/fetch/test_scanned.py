"""Answers to requests that carried secrets."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseDone

from aiwebengine.features.fetch.network.bodies import AnswerBody
from aiwebengine.features.fetch.network.client import HttpAnswer
from aiwebengine.features.fetch.scanned import scanned


class WordScan:
    """Replaces a word, also if it arrives in two pieces."""

    def __init__(self, word):
        self.word = word
        self.kept = b""

    def text(self, text):
        return text.replace(self.word, "***")

    def feed(self, piece):
        data = (self.kept + piece).replace(self.word.encode(), b"***")
        cut = max(0, len(data) - len(self.word) + 1)
        self.kept = data[cut:]
        return data[:cut]

    def end(self):
        return self.kept


class ScannedTests(SynchronousTestCase):
    def setUp(self):
        self.body = AnswerBody(decoders=(), most_bytes=10**6, idle_seconds=30.0, clock=Clock(), server="a.example:80")
        self.body.makeConnection(self)
        headers = [("x-a", "1 hidden 2"), ("content-length", "20")]
        self.answer = scanned(
            HttpAnswer(status=200, phrase="hidden", headers=headers, body=self.body), WordScan("hidden")
        )

    def abortConnection(self):
        self.aborted = True

    def complete(self):
        self.body.connectionLost(Failure(ResponseDone()))

    def test_head(self):
        """Values are replaced in the head, and the length is dropped."""
        self.assertEqual((self.answer.phrase, self.answer.headers), ("***", [("x-a", "1 *** 2")]))

    def test_whole(self):
        """A body that is there is given whole, with its end."""
        self.body.dataReceived(b"it is hidd")
        self.body.dataReceived(b"en, is it")
        self.complete()
        self.assertTrue(self.answer.body.is_complete)
        self.assertEqual(self.answer.body.take(1000), b"it is ***, is it")
        self.assertEqual(self.answer.body.take(1000), b"")

    def test_pieces(self):
        """A value that arrives in two pieces is replaced; what is held back is given at the end."""
        self.body.dataReceived(b"it is hidd")
        first = Deferred.fromCoroutine(self.answer.body.read(1000))
        self.assertEqual(self.successResultOf(first), b"it is")
        second = Deferred.fromCoroutine(self.answer.body.read(1000))
        self.assertNoResult(second)
        self.body.dataReceived(b"en")
        self.complete()
        rest = self.successResultOf(second)
        while piece := self.successResultOf(Deferred.fromCoroutine(self.answer.body.read(1000))):
            rest += piece
        self.assertEqual(rest, b" ***")

    def test_abort(self):
        """Whoever ends it ends the connection."""
        self.answer.body.abort()
        self.assertTrue(self.aborted)
