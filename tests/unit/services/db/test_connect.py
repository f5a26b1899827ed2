"""Databases, transactions and what they refuse."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Conflict, Unavailable
from aiwebengine.services.db.connect import Database
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
        database = Database(url=f"sqlite:///{self.folder}/main.sqlite3", threads=threads, migrations="main")
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
        durable = Database(url=f"sqlite:///{self.folder}/durable.sqlite3", threads=ThreadsInTurn(), migrations="main")
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
