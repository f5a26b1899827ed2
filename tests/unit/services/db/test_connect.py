"""Databases, transactions and what they refuse."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Conflict, OutcomeUnknown, Unavailable
from aiwebengine.services.db import connect
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.migrations.lists import MACHINERY_CHAINS
from aiwebengine.services.db.tables import blobs
from tests.support.fakes.database import open_database
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder


def add(digest, data=b"x"):
    return lambda connection: connection.execute(sa.insert(blobs).values(digest=digest, packing="raw", data=data))


def count(connection):
    return connection.execute(sa.select(sa.func.count()).select_from(blobs)).scalar()


class DatabaseTests(SynchronousTestCase):
    def setUp(self):
        self.folder = temporary_folder(self)
        self.database = open_database(self.folder)
        self.addCleanup(self.database.stopService)

    def test_commit(self):
        """What a transaction wrote is there for the next one, and after a restart."""
        self.successResultOf(self.database.run(add("a")))
        self.assertEqual(self.successResultOf(self.database.read(count)), 1)
        self.successResultOf(self.database.stopService())
        self.successResultOf(self.database.startService())
        self.assertEqual(self.successResultOf(self.database.read(count)), 1)

    def test_failure_changes_nothing(self):
        """A transaction that raises leaves nothing behind."""

        def work(connection):
            add("a")(connection)
            raise KeyError

        self.failureResultOf(self.database.run(work), KeyError)
        self.assertEqual(self.successResultOf(self.database.read(count)), 0)

    def test_last_write(self):
        """Why a write failed is remembered until one changes something; conflicts and reads do not matter."""

        def nothing(connection):
            connection.execute(sa.delete(blobs).where(blobs.c.digest == "none"))

        self.successResultOf(self.database.run(add("a")))
        self.failureResultOf(self.database.run(add("a")), Conflict)
        self.assertEqual(self.database.last_write.problem, "")

        def refused(connection):
            raise OperationalError("INSERT", {}, sqlite3.OperationalError("disk I/O error"))

        self.failureResultOf(self.database.run(refused), Unavailable)
        self.assertIn("cannot write to its disk", self.database.last_write.problem)
        self.successResultOf(self.database.read(count))
        self.successResultOf(self.database.run(nothing))
        self.assertIn("cannot write to its disk", self.database.last_write.problem)
        self.successResultOf(self.database.run(add("b")))
        self.assertEqual(self.database.last_write.problem, "")
        self.failureResultOf(self.database.read(refused), Unavailable)
        self.assertEqual(self.database.last_write.problem, "")

    def test_same_thing_twice(self):
        """Two that store the same key are told that they conflict."""
        self.successResultOf(self.database.run(add("a")))
        self.failureResultOf(self.database.run(add("a")), Conflict)

    def test_disk_full(self):
        """A full disk is told as such, changes nothing, and room makes it work again."""

        def pages(number):
            def work(connection):
                connection.exec_driver_sql(f"PRAGMA max_page_count = {number}")

            return work

        now = self.successResultOf(self.database.read(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar_one()))
        self.successResultOf(self.database.run(pages(now + 2)))
        failure = self.failureResultOf(self.database.run(add("big", b"x" * 100_000)), Unavailable)
        self.assertIn("disk", failure.value.public)
        self.assertIsNotNone(failure.value.retry_seconds)
        self.assertEqual(self.successResultOf(self.database.read(count)), 0)
        self.successResultOf(self.database.run(pages(100_000)))
        self.successResultOf(self.database.run(add("big", b"x" * 100_000)))

    def test_stopped(self):
        """A stopped database says so."""
        self.successResultOf(self.database.stopService())
        self.failureResultOf(self.database.run(count), Unavailable)
        self.failureResultOf(self.database.read(count), Unavailable)

    def test_writers_queue(self):
        """Writers of one file take their turns; a reader does not wait for them."""
        threads = ThreadsInTurn(at_once=False)
        database = Database(
            url=f"sqlite:///{self.folder}/main.sqlite3",
            threads=threads,
            name="main",
            chains=MACHINERY_CHAINS["main"],
            clock=Clock(),
            random=float,
        )
        started = database.startService()
        threads.step()
        self.successResultOf(started)
        first, second = database.run(add("a")), database.run(add("b"))
        reader = database.read(count)
        threads.step()
        self.successResultOf(first)
        self.assertNoResult(second)
        threads.step()
        self.assertEqual(self.successResultOf(reader), 1)
        threads.step()
        self.successResultOf(second)
        stopped = database.stopService()
        threads.step()
        self.successResultOf(stopped)

    def test_pragmas(self):
        """Durable databases wait for the disk, and rows cannot refer to nothing."""
        durable = Database(
            url=f"sqlite:///{self.folder}/durable.sqlite3",
            threads=ThreadsInTurn(),
            name="main",
            chains=MACHINERY_CHAINS["main"],
            clock=Clock(),
            random=float,
        )
        self.successResultOf(durable.startService())
        for name, value in (("synchronous", 2), ("foreign_keys", 1), ("journal_mode", "wal"), ("busy_timeout", 5000)):
            found = self.successResultOf(
                durable.read(lambda c, name=name: c.exec_driver_sql(f"PRAGMA {name}").scalar())
            )
            self.assertEqual((name, found), (name, value))
        self.successResultOf(durable.stopService())

    def test_locked_by_another_program(self):
        """A file that another program keeps locked is unavailable, not a fault."""
        other = sqlite3.connect(self.folder / "main.sqlite3", isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        self.patch(__import__("aiwebengine.services.db.connect", fromlist=["x"]), "BUSY_MILLISECONDS", 1)
        database = open_database(self.folder)
        self.failureResultOf(database.run(add("a")), Unavailable)
        other.execute("ROLLBACK")
        self.successResultOf(database.run(add("a")))
        self.successResultOf(database.stopService())


class GuardedDatabaseTests(SynchronousTestCase):
    """A database that is away or hangs."""

    def setUp(self):
        self.folder = temporary_folder(self)
        open_database(self.folder).stopService()
        self.clock = Clock()
        self.threads = ThreadsInTurn(at_once=False)
        self.database = Database(
            url=f"sqlite:///{self.folder}/main.sqlite3",
            threads=self.threads,
            name="main",
            chains=MACHINERY_CHAINS["main"],
            clock=self.clock,
            random=lambda: 1.0,
        )
        self.database.startService()
        self.work()
        self.addCleanup(self.stop)

    def work(self):
        while self.threads.step():
            pass

    def stop(self):
        self.database.stopService()
        self.work()

    def broken(self, times):
        """Return work that meets a lost connection so often."""
        self.left = times

        def work(connection):
            if self.left:
                self.left -= 1
                raise OperationalError("SELECT", {}, sqlite3.OperationalError("unable to open database file"))
            return count(connection)

        return work

    def test_reads_are_repeated(self):
        """A read that met a lost connection is made again, and its caller notices nothing."""
        read = self.database.read(self.broken(2))
        for _ in range(3):
            self.work()
            self.clock.advance(0.5)
        self.assertEqual(self.successResultOf(read), 0)

    def test_writes_are_not(self):
        """A write that met a lost connection is refused: whoever asked decides."""
        written = self.database.run(self.broken(1))
        self.work()
        self.failureResultOf(written, Unavailable)
        self.clock.advance(60)
        self.assertEqual(self.left, 0)

    def test_given_up_before_commit(self):
        """A write whose time is up before its COMMIT changes nothing, whenever its thread goes on."""
        late = connect.LATE_SECONDS

        def hang(connection):
            add("a")(connection)
            self.clock.advance(late)

        written = self.database.run(hang)
        self.work()
        failure = self.failureResultOf(written, Unavailable)
        self.assertNotIsInstance(failure.value, OutcomeUnknown)
        read = self.database.read(count)
        self.work()
        self.assertEqual(self.successResultOf(read), 0)

    def test_commit_that_hangs(self):
        """When the time is up during COMMIT nobody claims to know how it ended."""
        written = self.database.run(add("a"), done=lambda: self.clock.advance(connect.LATE_SECONDS))
        self.work()
        self.failureResultOf(written, connect.CommitUnderWay)
        read = self.database.read(count)
        self.work()
        self.assertEqual(self.successResultOf(read), 1)

    def test_hanging_writer(self):
        """While one write hangs the others are refused after a while, and reads go on."""
        first, second = self.database.run(add("a")), self.database.run(add("b"))
        self.clock.advance(connect.WAIT_SECONDS)
        self.failureResultOf(second, Unavailable)
        read = self.database.read(count)
        self.work()
        self.successResultOf(first)
        self.successResultOf(read)

    def test_left_alone(self):
        """A database that fails again and again is not called for a while, and says it is not available."""
        self.assertTrue(self.database.available)
        for _ in range(2):
            read = self.database.read(self.broken(100))
            for _ in range(3):
                self.work()
                self.clock.advance(0.1)
            self.failureResultOf(read, Unavailable)
        self.assertFalse(self.database.available)
        ran = self.threads.ran
        refused = self.failureResultOf(self.database.read(count), Unavailable)
        self.assertGreater(refused.value.retry_seconds, 0)
        self.assertEqual(self.threads.ran, ran)
        self.clock.advance(60)
        read = self.database.read(count)
        self.work()
        self.assertEqual(self.successResultOf(read), 0)
        self.assertTrue(self.database.available)

    def test_full_disk_is_tried_again(self):
        """A full disk does not open the breaker: a smaller write may find room, and reads do."""
        for _ in range(10):
            written = self.database.run(self.full)
            self.work()
            self.failureResultOf(written, connect.DiskFull)
        self.assertEqual(str(self.database.writes.state), "closed")

    def full(self, connection):
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))
