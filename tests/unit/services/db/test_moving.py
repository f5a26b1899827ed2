"""Moving what scripts have written from the main database into one for each."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from twisted.internet.defer import fail

from aiwebengine.errors import Unavailable
from aiwebengine.features.fetch.migrations import MOVED as DELIVERIES
from aiwebengine.features.idempotency.migrations import MOVED as ANSWERS
from aiwebengine.features.storage.migrations import MOVED as ENTRIES
from aiwebengine.services.db.moving import Moving
from tests.support.fakes.database import CHAINS, open_database
from tests.unit.services.db.test_script_databases import ScriptDatabasesCase

OLD = Path(__file__).parents[3] / "support" / "older" / "one_database.sql"
TABLES = [*ENTRIES, *ANSWERS, *DELIVERIES]
EXPECTED = {"gone": (1, 0, 0), "notes": (61, 0, 0), "shop": (5, 3, 1)}
"""Of each script, how many entries, kept answers and deliveries were in it."""


class MovingTests(ScriptDatabasesCase):
    most_open = 9

    def setUp(self):
        super().setUp()
        self.stop()
        self.successResultOf(self.main.stopService())
        for path in self.folder.glob("main.*"):
            path.unlink()
        with closing(sqlite3.connect(self.folder / "main.sqlite3")) as database:
            database.executescript(OLD.read_text())
        self.main = open_database(self.folder)
        self.databases = self.start()

    def make(self, **named):
        return super().make(chains=CHAINS["script"], **named)

    def moving(self, databases=None):
        return Moving(main=self.main, databases=databases or self.databases, tables=TABLES)

    def counts(self, uri):
        query = "SELECT " + ", ".join(
            f"(SELECT count(*) FROM {table})" for table in ("_entries", "_answers", "_fetch_deliveries")
        )
        return self.successResultOf(
            self.databases.of(uri).read(lambda connection: tuple(connection.exec_driver_sql(query).one()))
        )

    def left(self):
        with closing(sqlite3.connect(self.folder / "main.sqlite3")) as database:
            names = database.execute("SELECT name FROM sqlite_master WHERE name LIKE 'moved%' AND type = 'table'")
            return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in names}

    def check(self):
        self.assertEqual({uri: self.counts(uri) for uri in EXPECTED}, EXPECTED)
        self.assertEqual(self.left(), {})

    def test_moved(self):
        """Everything is in the database of its script, and the tables are gone."""
        self.assertEqual(self.left()["moved_entries"], 67)
        self.successResultOf(self.moving().startService())
        self.check()
        self.successResultOf(self.moving().startService())
        self.check()

    def test_ended_before_each_step(self):
        """Wherever it was ended, the next start goes on, and nothing is lost or there twice."""
        run = self.main.run
        for steps in range(4):
            left = [steps]

            def once(work, left=left):
                if not left[0]:
                    return fail(Unavailable("killed"))
                left[0] -= 1
                return run(work)

            self.patch(self.main, "run", once)
            moving = self.moving()
            # The index of files is written there, too: that is one of the steps.
            self.failureResultOf(moving.startService(), Unavailable)
        self.patch(self.main, "run", run)
        self.successResultOf(self.moving().startService())
        self.check()
