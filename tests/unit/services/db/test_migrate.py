"""Bringing databases to the form of this version."""

from __future__ import annotations

import importlib
import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import CannotStart
from aiwebengine.features.all import FEATURES
from aiwebengine.machinery import chains_of
from aiwebengine.services.db.chain import DatabaseName, MigrationChain, Step
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.migrate import upgrade
from aiwebengine.services.db.tables import EVIDENCE, MAIN, outbox, units
from tests.support.fakes.database import CHAINS
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder

MAIN_CHAINS, EVIDENCE_CHAINS = CHAINS["main"], CHAINS["evidence"]
BEFORE_CHAINS = Path(__file__).parent / "before_chains"

LATER_TABLES = {"script_files", "crypto_sealing"}
"""What chains make that did not exist when the fixtures were written."""
OWN_TABLES = {"include_name": lambda name, kind, _: kind != "table" or not name.endswith("_version")}


def table(name, *more):
    """Return a function of a step that makes a table, and then does what else is asked for."""

    def upgrade(op):
        op.create_table(name, sa.Column("id", sa.Integer, primary_key=True))
        for sql in more:
            op.execute(sql)

    return upgrade


def chain(name, *upgrades):
    """Return a chain with the revisions 1, 2 and so on."""
    return MigrationChain(
        name=name, steps=tuple(Step(revision=f"{at:04}", upgrade=upgrade) for at, upgrade in enumerate(upgrades, 1))
    )


ANIMALS = chain("animals", table("cats"), table("dogs"))
PLANTS = chain("plants", table("trees"))


class DatabaseCase(SynchronousTestCase):
    def setUp(self):
        self.folder = temporary_folder(self)
        self.file = self.folder / "main.sqlite3"

    def start(self, chains, *, alone=True, file=None):
        database = Database(
            url=f"sqlite:///{file or self.file}",
            threads=ThreadsInTurn(),
            name="main",
            chains=chains,
            clock=Clock(),
            random=float,
            durable=False,
            alone=alone,
        )
        return database.startService().addCallback(lambda _: database)

    def bring(self, *chains, alone=True, file=None):
        self.successResultOf(self.successResultOf(self.start(chains, alone=alone, file=file)).stopService())

    def refused(self, *chains, alone=True):
        return self.failureResultOf(self.start(chains, alone=alone), CannotStart).value.public

    def query(self, sql, file=None):
        with closing(sqlite3.connect(file or self.file)) as connection, connection:
            return connection.execute(sql).fetchall()

    def schema(self, file=None):
        return self.query("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name", file)

    def revisions(self, file=None):
        names = self.query("SELECT name FROM sqlite_master WHERE name LIKE '%\\_version' ESCAPE '\\'", file)
        return {name: self.query(f"SELECT * FROM {name}", file) for (name,) in names}


class UpgradeTests(DatabaseCase):
    """The one function, on an engine of SQLAlchemy."""

    def setUp(self):
        super().setUp()
        self.engine = sa.create_engine(f"sqlite:///{self.file}")
        self.addCleanup(self.engine.dispose)

    def test_twice(self):
        """What was done is not done again, and no copy is made of what need not change."""
        upgrade(self.engine, [ANIMALS, PLANTS])
        before = self.schema()
        upgrade(self.engine, [ANIMALS, PLANTS])
        self.assertEqual((self.schema(), list(self.folder.glob("*.before-*"))), (before, []))

    def test_two_of_one_name(self):
        """Chains are told apart by their names."""
        with self.assertRaisesRegex(ValueError, "have the same name: animals, animals"):
            upgrade(self.engine, [ANIMALS, ANIMALS])

    def test_while_another_process_serves(self):
        """A new database is made while another process serves; one that has something is left as it is."""
        upgrade(self.engine, [ANIMALS], allowed=False)
        before = self.schema()
        with self.assertRaises(CannotStart) as caught:
            upgrade(self.engine, [ANIMALS, PLANTS], allowed=False)
        self.assertIn("(plants to 0001)", caught.exception.public)
        self.assertEqual(self.schema(), before)


class MigrateTests(DatabaseCase):
    def test_chains_are_remembered_apart(self):
        """Each chain has a version table of its own, and one that comes later makes its tables then."""
        self.bring(ANIMALS)
        self.assertEqual(self.revisions(), {"animals_version": [("0002",)]})
        self.bring(ANIMALS, PLANTS)
        self.assertEqual(self.revisions(), {"animals_version": [("0002",)], "plants_version": [("0001",)]})
        self.assertEqual(self.query("SELECT * FROM trees"), [])

    def test_chain_that_is_left_out(self):
        """Tables of a chain that is not brought are left alone, and found again."""
        self.bring(ANIMALS, PLANTS)
        self.query("INSERT INTO trees VALUES (7)")
        self.bring(chain("animals", table("cats"), table("dogs"), table("cows")))
        self.assertEqual(self.revisions(), {"animals_version": [("0003",)], "plants_version": [("0001",)]})
        self.bring(PLANTS)
        self.assertEqual(self.query("SELECT * FROM trees"), [(7,)])

    def test_a_later_chain_refers_to_an_earlier_one(self):
        """Chains run in the order in which they are given."""
        fruit = chain("fruit", table("apples", "INSERT INTO trees VALUES (1)"))
        self.bring(PLANTS, fruit)
        self.assertEqual(self.query("SELECT * FROM trees"), [(1,)])

    def test_nothing_to_do(self):
        """A database that is up to date is not written."""
        self.bring(ANIMALS, PLANTS)
        before = self.file.read_bytes()
        self.bring(PLANTS, ANIMALS)
        self.assertEqual(self.file.read_bytes(), before)

    def test_not_alone(self):
        """While another process serves from it a database is used as it is, or not at all."""
        self.bring(ANIMALS)
        self.bring(ANIMALS, alone=False)
        self.assertIn("Stop the server", self.refused(ANIMALS, PLANTS, alone=False))
        self.bring(ANIMALS, PLANTS)

    def test_copy_is_kept(self):
        """An older database is copied before it is changed; a new one is not."""
        self.bring(ANIMALS)
        self.assertEqual(list(self.folder.glob("*before*")), [])
        self.bring(chain("animals", table("cats"), table("dogs"), table("cows")), PLANTS)
        copy = self.folder / "main.sqlite3.before-animals-0003"
        self.assertEqual(list(self.folder.glob("*before*")), [copy])
        self.assertEqual(self.revisions(copy), {"animals_version": [("0002",)]})
        self.assertEqual(copy.stat().st_mode & 0o777, 0o600)

    def test_failed_step_changes_nothing(self):
        """A step that fails half-way leaves the database with all its chains as it was; the server does not start."""
        self.bring(ANIMALS)
        before = self.schema()
        public = self.refused(
            chain("animals", table("cats"), table("dogs"), table("cows")),
            chain("plants", table("trees", "SELECT nonsense FROM nowhere")),
        )
        self.assertIn("animals 0002 to 0003, plants to 0001", public)
        self.assertIn("Nothing was changed", public)
        self.assertEqual(self.schema(), before)
        self.assertEqual(self.revisions(), {"animals_version": [("0002",)]})

    def test_step_that_raises(self):
        """A step that fails half-way, with whatever error, changes nothing, and is named with its chain."""
        self.bring(ANIMALS)
        before = self.schema()
        for error in (KeyError("feather"), SystemExit(3)):

            def fails(op, error=error):
                table("birds", "INSERT INTO cats (id) VALUES (7)")(op)
                raise error

            public = self.refused(chain("animals", table("cats"), table("dogs"), fails), PLANTS)
            self.assertIn(f"step 0003 of animals failed: {type(error).__name__}", public)
            self.assertIn("Nothing was changed", public)
            self.assertEqual(len(self.flushLoggedErrors(type(error))), 1)
            self.assertEqual(self.schema(), before)
            self.assertEqual(self.revisions(), {"animals_version": [("0002",)]})
        with closing(sqlite3.connect(self.file)) as connection:
            self.assertEqual(connection.execute("SELECT count(*) FROM cats").fetchone(), (0,))

    def test_newer_database(self):
        """A database of which one chain is newer than the engine is refused and not touched."""
        self.bring(ANIMALS, PLANTS)
        before = self.file.read_bytes()
        public = self.refused(chain("animals", table("cats")), PLANTS)
        self.assertIn("newer version", public)
        self.assertIn("animals is at revision 0002; this one knows up to 0001", public)
        self.assertEqual(self.file.read_bytes(), before)
        self.assertEqual(list(self.folder.glob("*before*")), [])

    def test_not_a_database(self):
        """A file that is no database is refused with its path, and kept."""
        self.file.write_bytes(b"this is not a database, whatever its name says" * 10)
        self.assertIn(str(self.file), self.refused(ANIMALS))
        self.assertTrue(self.file.read_bytes().startswith(b"this is not"))

    def test_folder_is_missing(self):
        """A database in a folder that does not exist is refused with a reason."""
        self.file = self.folder / "missing" / "main.sqlite3"
        self.assertIn("unable to open", self.refused(ANIMALS))

    def test_names_are_unique(self):
        """Two chains of one database cannot have the same name: one would hide the other's tables."""
        self.failureResultOf(self.start([ANIMALS, chain("animals", table("birds"))]), ValueError)

    @settings(max_examples=30)
    @given(st.lists(st.integers(0, 4), min_size=1, max_size=6).map(sorted), st.lists(st.integers(0, 4), max_size=6))
    def test_any_way_leads_to_the_same_form(self, animals, plants):
        """However many versions lie between, and whichever chains were left out, the newest form is the same."""
        file = self.folder / "way.sqlite3"
        for name in self.folder.glob("way*"):
            name.unlink()
        steps = {name: [table(f"{name}{at}") for at in range(5)] for name in ("animals", "plants")}
        for many in animals:
            shown = [chain("animals", *steps["animals"][: many + 1])]
            if plants and plants[0] <= many:
                shown.append(chain("plants", *steps["plants"]))
            self.bring(*shown, file=file)
        whole = [chain(name, *steps[name]) for name in steps]
        self.bring(*whole, file=file)
        straight = self.folder / "way-straight.sqlite3"
        self.bring(*whole, file=straight)
        self.assertEqual(self.schema(file), self.schema(straight))
        self.assertEqual(self.revisions(file), self.revisions(straight))


class ChainTests(SynchronousTestCase):
    def test_rules(self):
        """A chain with a name or revisions that would break a database cannot be made."""
        for name in ("", "Upper", "with space", "a;b", "x" * 32, "9lives"):
            with self.assertRaises(ValueError):
                chain(name, table("t"))
        for revisions in ((), ("2", "1"), ("1", "1"), ("1-a",), ("x" * 33,)):
            with self.assertRaises(ValueError):
                MigrationChain(
                    name="c", steps=tuple(Step(revision=revision, upgrade=table("t")) for revision in revisions)
                )


class EngineChainTests(DatabaseCase):
    def differences(self, chains, tables):
        database = self.successResultOf(self.start(chains))
        found = self.successResultOf(
            database.read(lambda c: compare_metadata(MigrationContext.configure(c, opts=OWN_TABLES), tables))
        )
        self.successResultOf(database.stopService())
        return found

    def test_steps_make_the_tables(self):
        """With or without any of the features, chains make exactly the tables that the code uses."""
        script = sa.MetaData()
        for made in (units, outbox):
            made.to_metadata(script)
        own: dict[DatabaseName, sa.MetaData] = {"main": MAIN, "evidence": EVIDENCE, "script": script}
        for name, machinery in own.items():
            keepers = [feature for feature in FEATURES if name in feature.migrations]
            self.assertTrue(keepers)
            for features in ([], *([feature] for feature in keepers), keepers):
                tables = [
                    importlib.import_module(f"aiwebengine.features.{feature.name}.tables").TABLES
                    for feature in features
                    # What once lay in the main database was made there, and set aside.
                    if name == "script" or "script" not in feature.migrations
                ]
                self.file = self.folder / f"{name}-{'-'.join(feature.name for feature in features)}.sqlite3"
                self.assertEqual(self.differences(chains_of(features)[name], [machinery, *tables]), [])


class BeforeChainsTests(DatabaseCase):
    """Data folders that were written when Alembic kept one revision for a whole database."""

    def restore(self, name):
        file = self.folder / f"{name}.sqlite3"
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript((BEFORE_CHAINS / f"{name}.sql").read_text("utf-8"))
        return file

    def content(self, file):
        names = [name for kind, name, *_ in self.schema(file) if kind == "table" and not name.endswith("_version")]
        content = {
            name.removeprefix("moved_").removeprefix("_"): self.query(f"SELECT * FROM {name}", file)
            for name in names
            if name not in LATER_TABLES
        }
        if "versions" in content:
            # What they register has another form since; `test_entries_step.py` looks at it.
            content["versions"] = self.query("SELECT id, script, number, version, manifest, size FROM versions", file)
            # Journals name calls otherwise since; `test_calls_step.py` looks at them.
            files = "SELECT {} FROM version_files WHERE role != 'replay'"
            content["version_files"] = self.query(files.format("*"), file)
            content["blobs"] = self.query(f"SELECT * FROM blobs WHERE digest IN ({files.format('digest')})", file)
        if "assets" in content:
            # They have owners since; a test of the feature looks at them.
            content["assets"] = self.query("SELECT id, path, type, digest, size, updated_at FROM assets", file)
        if "answers" in content:
            # A later step adds a column.
            answers = next(name for name in names if name.endswith("answers"))
            content["answers"] = self.query(f"SELECT key, request, at, status, headers, body FROM {answers}", file)
        if "recordings" in content:
            content["recordings"] = self.query("SELECT id, invocation, uri, outcome FROM recordings", file)
        if "receipts" in content:
            # A later step adds a column.
            earlier = ", ".join(row[1] for row in self.query("PRAGMA table_info(receipts)", file) if row[1] != "trace")
            content["receipts"] = self.query(f"SELECT {earlier} FROM receipts", file)
        return content

    def test_taken_over(self):
        """Everything in it is kept, its form is that of a new one, and nothing is left to do the next time."""
        for name, chains in (("main", MAIN_CHAINS), ("evidence", EVIDENCE_CHAINS)):
            file = self.restore(name)
            before = self.content(file)
            self.bring(*chains, file=file)
            self.assertEqual(self.content(file), before)
            fresh = self.folder / f"fresh-{name}.sqlite3"
            self.bring(*chains, file=fresh)
            # What is set aside is moved at the same start; `test_moving.py` looks at it.
            kept = [row for row in self.schema(file) if row[2] != "alembic_version" and not row[2].startswith("moved_")]
            self.assertEqual(kept, self.schema(fresh))
            revisions = self.revisions(file)
            del revisions["alembic_version"]
            self.assertEqual(revisions, self.revisions(fresh))
            after = file.read_bytes()
            self.bring(*chains, file=file)
            self.assertEqual(file.read_bytes(), after)
        copies = [copy.name for copy in self.folder.glob("*before*")]
        self.assertCountEqual(copies, ["main.sqlite3.before-scripts-0004", "evidence.sqlite3.before-receipts-0003"])

    def test_from_every_revision(self):
        """One that was written by a still older engine is copied, and gets what is missing."""
        self.restore("main")
        self.query("DROP TABLE answers")
        self.query("UPDATE alembic_version SET version_num = 'm0002'")
        self.bring(*MAIN_CHAINS)
        self.assertEqual(self.revisions()["idempotency_version"], [("0003",)])
        copy = self.folder / "main.sqlite3.before-scripts-0004"
        self.assertEqual(self.revisions(copy), {"alembic_version": [("m0002",)]})

    def test_column_of_a_later_step(self):
        """A chain takes over as many of its steps as were done."""
        file = self.restore("evidence")
        rows = self.query("SELECT invocation FROM receipts ORDER BY id", file)
        self.query("ALTER TABLE receipts DROP COLUMN row_count", file)
        self.query("UPDATE alembic_version SET version_num = 'e0003'", file)
        self.bring(*EVIDENCE_CHAINS, file=file)
        self.assertEqual(self.query("SELECT invocation FROM receipts WHERE row_count = 0 ORDER BY id", file), rows)

    def test_chain_that_comes_later(self):
        """A chain that was left out when the others took over finds its tables when it comes."""
        self.restore("main")
        self.bring(*MAIN_CHAINS[:3])
        kept = self.content(self.file)
        self.bring(*MAIN_CHAINS)
        self.assertEqual(self.content(self.file), kept)
        self.assertEqual(self.revisions()["storage_version"], [("0002",)])

    def test_older_engine(self):
        """An engine from before finds a revision that it does not know, and refuses."""
        self.restore("main")
        self.bring(*MAIN_CHAINS)
        self.assertEqual(self.revisions()["alembic_version"], [("m0003+chains",)])

    def test_newer_than_known(self):
        """A revision of Alembic's that was never published is refused, and nothing is touched."""
        self.restore("main")
        self.query("UPDATE alembic_version SET version_num = 'm9999'")
        before = self.file.read_bytes()
        self.assertIn("m9999", self.refused(*MAIN_CHAINS))
        self.assertEqual(self.file.read_bytes(), before)

    def test_not_alone(self):
        """While the engine from before still serves from it, what has the same form since is read as it is."""
        file = self.restore("evidence")
        same = [chain for chain in EVIDENCE_CHAINS if chain.name in {"logs", "budgets"}]
        self.bring(*same, alone=False, file=file)
        self.assertEqual(self.revisions(file), {"alembic_version": [("e0004",)]})

    def test_not_alone_with_steps(self):
        """What has another form since cannot be brought to it while that engine serves from it."""
        self.restore("main")
        self.assertIn("scripts 0001 to 0004", self.refused(*MAIN_CHAINS, alone=False))
        self.assertEqual(self.revisions(), {"alembic_version": [("m0003",)]})
