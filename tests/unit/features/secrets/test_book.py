"""All secrets, by precedence of their sources."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import CannotStart, NotFound, Unavailable
from aiwebengine.features.secrets.book import SecretBook
from aiwebengine.features.secrets.sources.source import MemorySource
from aiwebengine.features.secrets.values import read_hosts


async def failing():
    raise ZeroDivisionError


class BookTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.first = MemorySource({"A": b"first", "B": b"first"})
        self.second = MemorySource({"B": b"second", "C": b"second"})
        self.book = SecretBook(
            sources=[self.first, self.second], hosts={"C": read_hosts(["c.example"])}, clock=self.clock
        )
        self.changes = 0
        self.book.on_change(self.changed)

    def changed(self):
        self.changes += 1

    def start(self):
        self.successResultOf(self.book.startService())
        self.addCleanup(self.book.stopService)

    def values(self):
        return {name: self.book.get(name).value for name in self.book.names}

    def test_precedence(self):
        """The earlier source counts; hosts of the settings are added."""
        self.start()
        self.assertEqual(self.values(), {"A": b"first", "B": b"first", "C": b"second"})
        self.assertEqual([pattern.name for pattern in self.book.get("C").hosts], ["c.example"])

    def test_read_again(self):
        """Sources are read again; who wants to know is told of changes only."""
        self.start()
        told = self.changes
        self.clock.advance(1)
        self.assertEqual(self.changes, told)
        del self.first.values["B"]
        self.clock.advance(1)
        self.assertEqual((self.values()["B"], self.changes), (b"second", told + 1))

    def test_unreadable_later(self):
        """A source that cannot be read keeps what it had, and the state says why; it is logged once."""
        self.start()
        self.first.unreadable = "It is gone."
        self.clock.pump([1, 1, 2, 3])
        self.assertEqual(self.values()["A"], b"first")
        self.assertEqual(self.book.state()["sources"][0]["problem"], "It is gone.")
        self.first.unreadable = ""
        self.first.values["A"] = b"new"
        self.clock.pump([5, 5])
        self.assertEqual(self.values()["A"], b"new")
        self.assertEqual(self.book.state()["sources"][0]["problem"], None)
        self.flushLoggedErrors()

    def test_unreadable_at_first(self):
        """With a local source that cannot be read the server does not start, and nothing is read any more."""
        self.second.unreadable = "It is gone."
        self.assertIn("It is gone.", str(self.failureResultOf(self.book.startService(), CannotStart).value))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.flushLoggedErrors()

    def test_away_at_first(self):
        """One elsewhere may be away: its secrets are unavailable until it is there."""
        self.second.is_local = False
        self.second.unreadable = "It is away."
        self.start()
        self.assertRaises(Unavailable, self.book.get, "C")
        self.second.unreadable = ""
        self.clock.advance(1)
        self.assertEqual(self.book.get("C").value, b"second")
        self.flushLoggedErrors()

    def test_unknown(self):
        """A name that is not there is told with a similar one."""
        self.book = SecretBook(sources=[MemorySource({"STRIPE_KEY": b"v"})], hosts={}, clock=self.clock)
        self.start()
        error = self.assertRaises(NotFound, self.book.get, "STRIPE_KY")
        self.assertIn("did you mean STRIPE_KEY?", error.public)
        self.assertIsNone(self.book.find("STRIPE_KY"))

    def test_stopped(self):
        """Nothing is read after the end, and what is being read is given up."""
        waiting = Deferred()

        class Slow(MemorySource):
            async def load(self):
                await waiting
                return {}

        self.start()
        self.book.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        slow = SecretBook(sources=[Slow({})], hosts={}, clock=self.clock)
        self.assertNoResult(slow.startService())
        slow.stopService()
        waiting.callback(None)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_faulty_source(self):
        """A source whose code fails is logged, and read again a minute later."""
        self.start()
        loaded = self.first.load
        self.first.load = failing
        self.clock.advance(1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.first.load = loaded
        self.first.values["A"] = b"new"
        self.clock.advance(60)
        self.assertEqual(self.values()["A"], b"new")

    def test_look_again(self):
        """What was just stored is found at once, without reading more often than twice a second."""
        self.start()
        self.clock.advance(0.6)
        self.first.values["NEW"] = b"new"
        self.successResultOf(Deferred.fromCoroutine(self.book.look_again()))
        self.assertEqual(self.book.get("NEW").value, b"new")
        self.first.values["NEWER"] = b"new"
        self.successResultOf(Deferred.fromCoroutine(self.book.look_again()))
        self.assertIsNone(self.book.find("NEWER"))
        self.assertEqual(len(self.clock.getDelayedCalls()), 2)
        self.book.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])
