"""Engines of SQLite files, and what they share."""

from __future__ import annotations

import sqlalchemy as sa
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.engines import SqliteEngines, sqlite_url
from aiwebengine.services.db.migrations.lists import MACHINERY_CHAINS
from aiwebengine.services.db.tables import blobs
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder


class SqliteEngineTests(SynchronousTestCase):
    def setUp(self):
        self.folder = temporary_folder(self)
        self.engines = SqliteEngines()

    def start(self, name):
        database = Database(
            url=sqlite_url(self.folder / name), threads=ThreadsInTurn(), name=name, chains=MACHINERY_CHAINS["main"],
            clock=Clock(), random=float, sqlite=self.engines,
        )  # fmt: skip
        self.successResultOf(database.startService())
        self.addCleanup(database.stopService)
        return database

    def test_compiled_once(self):
        """A statement is compiled for the first file that needs it, and each file has its own rows all the same."""
        grown = []
        for name in ("one", "two"):
            database = self.start(name)
            before = len(self.engines._compiled)
            self.successResultOf(
                database.run(
                    lambda c, name=name: c.execute(sa.insert(blobs).values(digest=name, packing="raw", data=b"x"))
                )
            )
            rows = self.successResultOf(database.read(lambda c: c.execute(sa.select(blobs.c.digest)).scalars().all()))
            self.assertEqual(rows, [name])
            grown.append(len(self.engines._compiled) - before)
        self.assertEqual(grown, [2, 0])

    def test_migrations_are_not_kept(self):
        """What is compiled to migrate a file, which is done once, takes nobody's place."""
        self.start("one")
        before = len(self.engines._compiled)
        self.start("two")
        self.assertEqual(len(self.engines._compiled), before)

    def test_any_path(self):
        """A path is the name of a file, whatever characters are in it."""
        for name in ("what?mode=ro", "a%20b", "ä#1", "a'b"):
            self.successResultOf(self.start(name).read(lambda c: c.execute(sa.select(blobs)).all()))
            self.assertEqual((self.folder / name).stat().st_mode & 0o777, 0o600)
