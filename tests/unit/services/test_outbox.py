"""The relay: what was committed is delivered, at least once, under one id."""

from __future__ import annotations

import sqlalchemy as sa
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Unavailable
from aiwebengine.services.db.tables import outbox
from aiwebengine.services.db.units import Units
from aiwebengine.services.outbox import Relay, Undeliverable
from tests.support.fakes.database import open_database
from tests.support.folders import temporary_folder


class Scripts:
    """The databases of scripts, and what their index says."""

    def __init__(self, folder, names):
        self.databases = {}
        for name in names:
            (folder / name).mkdir()
            self.databases[name] = open_database(folder / name)
        self.entered = []
        self.asked = 0
        self.away = False

    def of(self, uri):
        """See `ScriptOutboxes.of`."""
        return self.databases[uri]

    def due(self, before):
        """See `ScriptOutboxes.due`."""
        self.asked += 1
        return fail(Unavailable("away")) if self.away else succeed(list(self.entered))


class ScriptRelayTests(SynchronousTestCase):
    """Messages in the databases of scripts."""

    def setUp(self):
        folder = temporary_folder(self)
        self.scripts = Scripts(folder, ["a", "b"])
        self.main = open_database(folder)
        for database in (self.main, *self.scripts.databases.values()):
            self.addCleanup(database.stopService)
        self.clock = Clock()
        self.got = []
        self.fails = []
        self.relay = Relay(database=self.main, clock=self.clock, milliseconds=self.milliseconds)
        self.relay.add("test", self.deliver)
        self.relay.add_script_outboxes(self.scripts)

    def milliseconds(self):
        return int(self.clock.seconds() * 1000)

    def deliver(self, message):
        if self.fails:
            raise self.fails.pop(0)
        self.got.append(message.id)

    def publish(self, uri, unit, *, wake=True):
        units = Units(
            database=self.scripts.databases[uri],
            milliseconds=self.milliseconds,
            published=(lambda: self.relay.wake_for(uri)) if wake else lambda: None,
        )
        units.startService()
        self.successResultOf(units.commit(unit, lambda transaction: transaction.publish("test", unit)))

    def test_left_behind(self):
        """At the start the scripts that the index names are looked into, and no others."""
        self.publish("a", "i.0", wake=False)
        self.publish("b", "j.0", wake=False)
        self.scripts.entered = ["b"]
        self.relay.startService()
        self.addCleanup(self.relay.stopService)
        self.assertEqual(self.got, ["j.0/0"])

    def test_at_once(self):
        """What a script's unit has published is delivered after its commit, without reading the index."""
        self.relay.startService()
        self.addCleanup(self.relay.stopService)
        asked = self.scripts.asked
        self.publish("a", "i.0")
        self.assertEqual((self.got, self.scripts.asked), (["i.0/0"], asked))

    def test_tried_again(self):
        """What could not be delivered is tried again, as the index says."""
        self.relay.startService()
        self.addCleanup(self.relay.stopService)
        self.fails = [ValueError("x")]
        self.publish("a", "i.0")
        self.flushLoggedErrors(ValueError)
        self.scripts.entered = ["a"]
        self.assertEqual(self.got, [])
        self.clock.advance(5)
        self.assertEqual(self.got, ["i.0/0"])

    def test_index_is_away(self):
        """While the index cannot be read scripts that commit are served, and the others later."""
        self.scripts.away = True
        self.publish("b", "j.0", wake=False)
        self.scripts.entered = ["b"]
        self.relay.startService()
        self.addCleanup(self.relay.stopService)
        self.publish("a", "i.0")
        self.assertEqual(self.got, ["i.0/0"])
        self.scripts.away = False
        self.clock.advance(5)
        self.assertEqual(self.got, ["i.0/0", "j.0/0"])


class RelayTests(SynchronousTestCase):
    def setUp(self):
        self.database = open_database(temporary_folder(self))
        self.addCleanup(self.database.stopService)
        self.clock = Clock()
        self.got = []
        self.fails = []
        self.make()
        self.relay.startService()

    def make(self):
        self.relay = Relay(
            database=self.database,
            clock=self.clock,
            milliseconds=self.milliseconds,
        )
        self.relay.add("test", self.deliver)
        self.relay.add("slow", self.deliver_slowly)
        self.units = Units(database=self.database, milliseconds=self.milliseconds, published=self.relay.wake)
        self.units.startService()
        self.slow: list[Deferred[None]] = []

    def milliseconds(self):
        return int(self.clock.seconds() * 1000)

    def deliver(self, message):
        self.got.append((message.id, message.payload, message.attempts))
        if self.fails:
            raise self.fails.pop(0)

    def deliver_slowly(self, message):
        self.slow.append(Deferred())
        return self.slow[-1]

    def publish(self, unit, *payloads, kind="test"):
        def work(transaction):
            for payload in payloads:
                transaction.publish(kind, payload)

        self.successResultOf(self.units.commit(unit, work))

    def waiting(self):
        count = sa.select(sa.func.count()).select_from(outbox)
        return self.successResultOf(self.database.read(lambda c: c.execute(count).scalar()))

    def test_delivered(self):
        """What a unit has published is delivered in order after the commit, and forgotten."""
        self.publish("i.0", {"a": 1}, {"b": 2})
        self.assertEqual(self.got, [("i.0/0", {"a": 1}, 0), ("i.0/1", {"b": 2}, 0)])
        self.assertEqual((self.waiting(), self.relay.state()), (0, {"delivered": 2, "failed": 0}))

    def test_left_behind(self):
        """What an earlier life of the server did not deliver is delivered at the start."""
        self.relay.stopService()
        self.publish("i.0", 1)
        self.assertEqual(self.got, [])
        self.make()
        self.relay.startService()
        self.addCleanup(self.relay.stopService)
        self.assertEqual(len(self.got), 1)

    def test_tried_again(self):
        """A delivery that fails is tried again under the same id, later each time, and holds nobody up."""
        self.fails = [ValueError("x"), ValueError("y")]
        self.publish("i.0", 1)
        self.publish("j.0", 2)
        self.assertEqual([id_ for id_, *_ in self.got], ["i.0/0", "j.0/0"])
        self.flushLoggedErrors(ValueError)
        for _ in range(4):
            self.clock.advance(5)
        self.assertEqual(self.got[2:], [("i.0/0", 1, 1), ("j.0/0", 2, 1)])
        self.assertEqual(self.waiting(), 0)

    def test_given_up(self):
        """What can never be delivered is dropped and said in the log."""
        self.fails = [Undeliverable("no such address")]
        self.publish("i.0", 1)
        self.publish("j.0", 1, kind="unknown")
        self.assertEqual((self.waiting(), self.relay.state()["failed"]), (0, 2))

    def test_stopped_in_between(self):
        """A stop waits for the delivery under way."""
        self.publish("i.0", 1, kind="slow")
        stopped = self.relay.stopService()
        self.assertNoResult(stopped)
        self.slow[0].callback(None)
        self.successResultOf(stopped)
        self.assertEqual(self.waiting(), 0)

    def tearDown(self):
        if self.relay.running:
            self.relay.stopService()
