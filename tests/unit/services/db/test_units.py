"""Units of work: whole or not at all, several in one COMMIT."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Cancelled, Conflict, Invalid, OutcomeUnknown, Unavailable
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.migrations.lists import MACHINERY_CHAINS
from aiwebengine.services.db.tables import blobs, outbox, units
from aiwebengine.services.db.units import Units
from tests.support.fakes.database import open_database
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder


def add(digest):
    """Return the work of a unit that stores something."""

    def work(transaction):
        transaction.connection.execute(sa.insert(blobs).values(digest=digest, packing="raw", data=b"x"))
        return digest

    return work


class UnitsTests(SynchronousTestCase):
    def setUp(self):
        self.folder = temporary_folder(self)
        open_database(self.folder).stopService()
        self.threads = ThreadsInTurn(at_once=False)
        self.database = Database(
            url=f"sqlite:///{self.folder}/main.sqlite3",
            threads=self.threads,
            name="main",
            chains=MACHINERY_CHAINS["main"],
            durable=False,
            clock=Clock(),
            random=float,
        )
        self.database.startService()
        self.work()
        self.published = []
        self.points = []
        self.now = 5
        self.units = Units(
            database=self.database,
            milliseconds=lambda: self.now,
            published=lambda: self.published.append(1),
            passed=self.points.append,
        )
        self.units.startService()
        self.addCleanup(self.close)

    def close(self):
        self.database.stopService()
        self.work()

    def work(self):
        while self.threads.step():
            pass

    def stored(self, column=blobs.c.digest):
        found = self.database.read(lambda c: list(c.execute(sa.select(column)).scalars()))
        self.work()
        return self.successResultOf(found)

    def test_commit(self):
        """A unit is told when it is durable, and its id is kept."""
        done = self.units.commit("i.0", add("a"))
        self.assertNoResult(done)
        self.work()
        self.assertEqual(self.successResultOf(done), "a")
        self.assertEqual((self.stored(), self.stored(units.c.id)), (["a"], ["i.0"]))
        self.assertEqual(
            self.points,
            [f"commit.{point}" for point in ("queued", "begun", "unit_written", "written", "done", "told")],
        )

    def test_together(self):
        """Units that wait at the same time share one COMMIT, and one that is refused takes no other with it."""
        first = self.units.commit("i.0", add("a"))

        def refuse(transaction):
            add("lost")(transaction)
            raise Invalid("No.")

        def fault(transaction):
            add("lost too")(transaction)
            raise KeyError

        others = [self.units.commit(f"j.{number}", add(str(number))) for number in range(3)]
        refused, broken = self.units.commit("k.0", refuse), self.units.commit("l.0", fault)
        twice = self.units.commit("m.0", add("a"))
        self.work()
        self.assertEqual([self.successResultOf(commit) for commit in (first, *others)], ["a", "0", "1", "2"])
        self.failureResultOf(refused, Invalid)
        self.failureResultOf(broken, KeyError)
        self.failureResultOf(twice, Conflict)
        self.assertEqual(sorted(self.stored()), ["0", "1", "2", "a"])
        self.assertEqual(self.units.state(), {"units": 4, "transactions": 2, "refused": 3, "waiting": 0})

    def test_withdrawn(self):
        """A unit can be taken back until its transaction has begun, and not after."""
        first = self.units.commit("i.0", add("a"))
        second = self.units.commit("j.0", add("b"))
        self.units.withdraw("i.0")
        self.units.withdraw("j.0")
        self.failureResultOf(second, Cancelled)
        self.work()
        self.assertEqual(self.successResultOf(first), "a")
        self.assertEqual(self.stored(), ["a"])

    def test_poisonous(self):
        """If the database refuses a transaction of many, each unit is tried alone."""
        first = self.units.commit("i.0", add("a"))

        def too_much(_transaction):
            raise OperationalError("", {}, sqlite3.OperationalError("database or disk is full"))

        big, small = self.units.commit("j.0", too_much), self.units.commit("k.0", add("k"))
        self.work()
        self.successResultOf(first)
        self.assertIn("disk", self.failureResultOf(big, Unavailable).value.public)
        self.assertEqual(self.successResultOf(small), "k")

    def test_published(self):
        """What a unit publishes is in the outbox with it, and the relay is told after the commit."""

        def work(transaction):
            transaction.publish("mail", {"to": "a"})
            transaction.publish("mail", {"to": "b"})

        self.units.commit("i.0", work)
        self.assertEqual(self.published, [])
        self.work()
        self.assertEqual((len(self.published), self.stored(outbox.c.ordinal)), (1, [0, 1]))

    def broken_commit(self, *, found):
        """Let the connection break during COMMIT."""
        lost = OutcomeUnknown("Who knows.")
        self.patch(self.database, "run", lambda work, done: fail(lost))
        self.patch(self.database, "read", lambda work: found)
        return self.units.commit("i.0", add("a"))

    def test_connection_lost_during_commit(self):
        """After a COMMIT whose connection broke the unit's id tells how it ended."""
        self.successResultOf(self.broken_commit(found=succeed({"i.0"})))

    def test_connection_lost_before_commit(self):
        """A unit whose id is not there was not committed."""
        error = self.failureResultOf(self.broken_commit(found=succeed(set())), Unavailable).value
        self.assertNotIsInstance(error, OutcomeUnknown)

    def test_nobody_knows(self):
        """If the database stays away, the caller is told that nobody knows."""
        self.failureResultOf(self.broken_commit(found=fail(Unavailable("Away."))), OutcomeUnknown)

    def test_stopped(self):
        """The service ends when what it has begun is committed, and takes nothing more."""
        done = self.units.commit("i.0", add("a"))
        stopped = self.units.stopService()
        self.assertNoResult(stopped)
        self.failureResultOf(self.units.commit("j.0", add("b")), Unavailable)
        self.work()
        self.successResultOf(stopped)
        self.assertEqual(self.successResultOf(done), "a")

    def test_old_ids(self):
        """Ids are forgotten after a day."""
        self.units.commit("i.0", add("a"))
        self.work()
        self.now += 25 * 3600 * 1000
        Deferred.fromCoroutine(self.units.forget_old())
        self.work()
        self.assertEqual(self.stored(units.c.id), [])
