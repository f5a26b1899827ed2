"""Bringing databases to the form of this version."""

from __future__ import annotations

import sqlite3

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import CannotStart
from aiwebengine.services.db import migrate
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.tables import EVIDENCE, MAIN
from tests.support.fakes.database import open_database
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder

STEP = '''
"""A step that a later version brings."""
import sqlalchemy as sa
from alembic import op
revision = "m9999"
down_revision = "{head}"
def upgrade():
    op.create_table("later", sa.Column("id", sa.Integer, primary_key=True))
    {more}
'''


class MigrateTests(SynchronousTestCase):
    def setUp(self):
        self.folder = temporary_folder(self)
        self.file = self.folder / "main.sqlite3"

    def make(self):
        self.successResultOf(open_database(self.folder).stopService())

    def start(self, *, alone=True):
        return Database(
            url=f"sqlite:///{self.file}",
            threads=ThreadsInTurn(),
            migrations="main",
            clock=Clock(),
            random=float,
            alone=alone,
        ).startService()

    def later(self, more="pass"):
        """Let a second step exist, in a copy of the steps."""
        steps = self.folder / "migrations" / "main"
        steps.mkdir(parents=True)
        for step in (migrate.FOLDER / "main").glob("m*.py"):
            (steps / step.name).write_text(step.read_text())
        self.head = migrate.HEADS["main"]
        (steps / "m9999_later.py").write_text(STEP.format(more=more, head=self.head))
        self.patch(migrate, "FOLDER", self.folder / "migrations")
        self.patch(migrate, "HEADS", {"main": "m9999"})

    def query(self, sql):
        with sqlite3.connect(self.file) as connection:
            return connection.execute(sql).fetchall()

    def test_not_alone(self):
        """While another process serves from it a database is used as it is, or not at all."""
        self.make()
        self.successResultOf(self.start(alone=False))
        self.later()
        self.assertIn("Stop the server", self.failureResultOf(self.start(alone=False), CannotStart).value.public)
        self.successResultOf(self.start())

    def test_steps_make_the_tables(self):
        """The steps make exactly the tables that the code uses, and the newest step is the one it names."""
        for name, tables in (("main", MAIN), ("evidence", EVIDENCE)):
            database = open_database(self.folder, name)
            differences = self.successResultOf(
                database.read(lambda c, tables=tables: compare_metadata(MigrationContext.configure(c), tables))
            )
            self.assertEqual(differences, [])
            scripts = ScriptDirectory(migrate.FOLDER, version_locations=[migrate.FOLDER / name])
            self.assertEqual(scripts.get_heads(), [migrate.HEADS[name]])
            self.successResultOf(database.stopService())

    def test_copy_is_kept(self):
        """An older database is copied before it is changed."""
        self.make()
        self.later()
        self.successResultOf(self.start())
        self.assertEqual(self.query("SELECT version_num FROM alembic_version"), [("m9999",)])
        with sqlite3.connect(f"{self.file}.before-m9999") as copy:
            self.assertEqual(copy.execute("SELECT version_num FROM alembic_version").fetchall(), [(self.head,)])

    def test_failed_step_changes_nothing(self):
        """A step that fails half-way leaves the database as it was, and the server does not start."""
        self.make()
        self.later('op.execute("SELECT nonsense FROM nowhere")')
        failure = self.failureResultOf(self.start(), CannotStart)
        self.assertIn("Nothing was changed", failure.value.public)
        self.assertEqual(self.query("SELECT version_num FROM alembic_version"), [(self.head,)])
        self.assertEqual(self.query("SELECT name FROM sqlite_master WHERE name = 'later'"), [])

    def test_newer_database(self):
        """A database of a newer engine is refused and not touched."""
        self.make()
        with sqlite3.connect(self.file) as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'm9999'")
        before = self.query("SELECT sql FROM sqlite_master ORDER BY name")
        failure = self.failureResultOf(self.start(), CannotStart)
        self.assertIn("newer version", failure.value.public)
        self.assertIn("m9999", failure.value.public)
        self.assertEqual(self.query("SELECT version_num FROM alembic_version"), [("m9999",)])
        self.assertEqual(self.query("SELECT sql FROM sqlite_master ORDER BY name"), before)
        self.assertEqual(list(self.folder.glob("*.before-*")), [])

    def test_not_a_database(self):
        """A file that is no database is refused with its path, and kept."""
        self.file.write_bytes(b"this is not a database, whatever its name says" * 10)
        failure = self.failureResultOf(self.start(), CannotStart)
        self.assertIn(str(self.file), failure.value.public)
        self.assertTrue(self.file.read_bytes().startswith(b"this is not"))

    def test_folder_is_missing(self):
        """A database in a folder that does not exist is refused with a reason."""
        self.file = self.folder / "missing" / "main.sqlite3"
        failure = self.failureResultOf(self.start(), CannotStart)
        self.assertIn("unable to open", failure.value.public)
