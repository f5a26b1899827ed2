"""A database for each script: opened when used, closed for others, removed, copied, found after a start."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Cancelled, Conflict, Unavailable
from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.db.migrations.lists import MACHINERY_CHAINS
from aiwebengine.services.db.script_databases import SqliteScriptDatabases
from aiwebengine.services.db.script_files import path_of
from aiwebengine.services.db.tables import outbox
from tests.support.fakes.database import open_database
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder

NOTES = MigrationChain(
    name="notes",
    steps=(Step(revision="0001", upgrade=lambda op: op.create_table("notes", sa.Column("text", sa.String(20)))),),
)


def note(text):
    """Return a unit that writes a note."""
    return lambda transaction: transaction.connection.execute(sa.text("INSERT INTO notes VALUES (:t)"), {"t": text})


def notes(connection):
    """Read all notes."""
    return list(connection.execute(sa.text("SELECT text FROM notes ORDER BY rowid")).scalars())


class AnyThreads:
    """Runs functions in the test's thread, in the order that the test chooses."""

    def __init__(self):
        self.waiting = []

    def run(self, function, /, *args, **kwargs):
        done = Deferred()
        self.waiting.append((done, function, args, kwargs))
        return done

    def step(self, which):
        """Run one of those that wait."""
        done, function, args, kwargs = self.waiting.pop(which % len(self.waiting))
        try:
            result = function(*args, **kwargs)
        except Exception:  # noqa: BLE001  whoever waits is told, as by a real thread
            done.errback(Failure())
        else:
            done.callback(result)


class ScriptDatabasesCase(SynchronousTestCase):
    most_open = 2

    def setUp(self):
        self.folder = temporary_folder(self)
        self.clock = Clock()
        self.now = 1_000_000
        self.main = open_database(self.folder)
        self.published = []
        self.threads: Any = ThreadsInTurn()
        self.databases = self.start()

    def tearDown(self):
        if self.databases is not None:
            self.stop()
        self.successResultOf(self.main.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def make(self, **named):
        return SqliteScriptDatabases(
            **{
                "folder": self.folder / "scripts", "threads": self.threads, "main": self.main,
                "chains": (*MACHINERY_CHAINS["script"], NOTES), "clock": self.clock, "random": float,
                "milliseconds": lambda: self.now, "published": self.published.append, "most_open": self.most_open,
                "durable": False, **named,
            }
        )  # fmt: skip

    def start(self, **named):
        databases = self.make(**named)
        self.successResultOf(databases.startService())
        return databases

    def stop(self):
        databases, self.databases = self.databases, None
        self.successResultOf(databases.stopService())
        self.assertEqual(databases.state()["open"], 0)

    def crash(self):
        """Have a server that was killed: nothing is closed, and nothing more is written."""
        for file in self.databases._files.values():
            self.successResultOf(file.database.stopService())
        self.databases = self.start()

    def write(self, uri, text="x", unit=None, publish=None):
        self.count = getattr(self, "count", 0) + 1

        def work(transaction):
            note(text)(transaction)
            if publish is not None:
                transaction.publish("mail", publish)

        return self.databases.of(uri).commit(unit or f"unit-{self.count}", work)

    def read(self, uri):
        return self.databases.of(uri).read(notes)

    def files(self):
        return sorted(path.name for path in (self.folder / "scripts").rglob("*") if path.is_file())

    def index(self):
        with closing(sqlite3.connect(self.folder / "main.sqlite3")) as connection:
            return dict(connection.execute("SELECT uri, due_at FROM script_files").fetchall())


class ScriptDatabasesTests(ScriptDatabasesCase):
    def test_apart(self):
        """What one script writes is in a file of its own, for the owner only, and is there after a restart."""
        for uri in ("shop", "../../etc/passwd", "ä/Ö", "Shop"):
            self.successResultOf(self.write(uri, uri))
        self.stop()
        self.assertEqual(len(self.files()), 4)
        for path in (self.folder / "scripts").rglob("*"):
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)
        self.databases = self.start()
        for uri in ("shop", "../../etc/passwd", "ä/Ö", "Shop"):
            self.assertEqual(self.successResultOf(self.read(uri)), [uri])

    def test_least_recently_used(self):
        """Only so many are open; for another one the one that was used longest ago is closed."""
        for uri in ("a", "b"):
            self.successResultOf(self.write(uri))
        self.successResultOf(self.read("a"))
        self.successResultOf(self.write("c"))
        self.assertEqual(list(self.databases._files), ["a", "c"])
        self.assertEqual(self.successResultOf(self.read("b")), ["x"])
        self.assertEqual(list(self.databases._files), ["c", "b"])
        self.assertEqual(self.databases.state(), {"open": 2, "inUse": 0, "waiting": 0, "opened": 4, "closed": 2})
        # One that is closed leaves one file, without a log beside it.
        self.assertIn(path_of(self.folder, "a").name, self.files())
        self.assertNotIn(f"{path_of(self.folder, 'a').name}-wal", self.files())

    def test_refused_unit(self):
        """A unit that is refused changes nothing, and the others go on."""

        def refuse(_):
            raise Conflict("no")

        self.failureResultOf(self.databases.of("a").commit("u1", refuse), Conflict)
        self.successResultOf(self.write("a", unit="u2"))
        self.failureResultOf(self.write("a", unit="u2"), Conflict)
        self.assertEqual(self.successResultOf(self.read("a")), ["x"])

    def test_published(self):
        """Who relays is told of the script whose unit left a message, and finds it in its file."""
        self.successResultOf(self.write("a", publish={"to": "ann"}))
        self.successResultOf(self.write("b"))
        self.assertEqual(self.published, ["a"])
        rows = self.databases.of("a").read(lambda connection: connection.execute(sa.select(outbox.c.payload)).all())
        self.assertEqual(self.successResultOf(rows), [('{"to":"ann"}',)])

    def test_due_after_a_start(self):
        """Only scripts in whose outbox something waits are looked into after a start, each when it is due."""
        for uri, publish in (("plain", None), ("waits", 1), ("later", 2)):
            self.successResultOf(self.write(uri, publish=publish))
        later = sa.update(outbox).values(next_at=5000)
        self.successResultOf(self.databases.of("later").run(lambda connection: connection.execute(later)))
        self.successResultOf(self.read("plain"))
        self.stop()
        self.assertEqual(self.index(), {"waits": 1, "later": 5000})
        self.databases = self.start()
        self.assertEqual(self.successResultOf(self.databases.due(5000)), ["waits"])
        self.assertEqual(self.successResultOf(self.databases.due(5001)), ["waits", "later"])
        self.assertEqual(self.successResultOf(self.databases.next_due()), 1)
        self.assertEqual(self.databases.state()["opened"], 0)
        # What was delivered is not looked for again.
        empty = sa.delete(outbox)
        self.successResultOf(self.databases.of("waits").run(lambda connection: connection.execute(empty)))
        self.stop()
        self.assertEqual(self.index(), {"later": 5000})
        self.databases = None

    def test_due_after_a_crash(self):
        """After a crash every file that was open for writing is looked into, and no other."""
        self.successResultOf(self.write("closed"))
        self.successResultOf(self.write("a", publish=1))
        self.successResultOf(self.write("b"))
        self.assertEqual(self.index(), {"a": 0, "b": 0})
        self.crash()
        self.assertEqual(sorted(self.successResultOf(self.databases.due(self.now))), ["a", "b"])

    def test_reading_enters_nothing(self):
        """A file that is only read does not touch the index."""
        self.successResultOf(self.write("a"))
        self.stop()
        self.databases = self.start()
        self.successResultOf(self.read("a"))
        self.assertEqual(self.index(), {})

    def test_index_away(self):
        """Without the main database nothing is written to a file that is not entered, and all is read."""
        self.successResultOf(self.write("a"))
        self.stop()
        self.databases = self.start()
        self.successResultOf(self.main.stopService())
        self.failureResultOf(self.write("a"), Unavailable)
        self.assertEqual(self.successResultOf(self.read("a")), ["x"])
        self.successResultOf(self.main.startService())
        self.successResultOf(self.write("a", "y"))
        self.successResultOf(self.main.stopService())
        self.successResultOf(self.write("a", "z"))
        self.assertEqual(self.successResultOf(self.read("a")), ["x", "y", "z"])
        self.stop()
        self.successResultOf(self.main.startService())
        self.assertEqual(self.index(), {"a": 0})

    def test_successor(self):
        """While two servers use the same files nothing is taken out of the index."""
        self.successResultOf(self.write("a"))
        self.databases.share(True)
        self.stop()
        self.assertEqual(self.index(), {"a": 0})
        self.databases = self.start(shared=True)
        self.successResultOf(self.write("b"))
        self.stop()
        self.assertEqual(self.index(), {"a": 0, "b": 0})

    def test_migrated_once(self):
        """New files are copies of one that was migrated; they have the same form, and only the owner reads them."""
        taken = []

        def step(op):
            taken.append(op)
            op.create_table("counted", sa.Column("at", sa.Integer))

        counted = MigrationChain(name="counted", steps=(Step(revision="0001", upgrade=step),))
        self.stop()
        self.databases = self.start(chains=(*MACHINERY_CHAINS["script"], NOTES, counted), most_open=9)
        for uri in ("a", "b", "c"):
            self.successResultOf(self.write(uri, uri))
            self.assertEqual(self.successResultOf(self.read(uri)), [uri])
        self.assertEqual(len(taken), 1)
        self.stop()
        schemas = set()
        for uri in ("a", "b", "c"):
            path = path_of(self.folder / "scripts", uri)
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            with closing(sqlite3.connect(path)) as connection:
                schemas.add(tuple(connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name")))
        self.assertEqual(len(schemas), 1)
        self.assertEqual(len(self.files()), 3)

    def test_cannot_be_made(self):
        """A file that cannot be made refuses what wants it, with the reason, and is made when there is room."""
        path = path_of(self.folder / "scripts", "a")
        path.with_name(f"{path.name}.new").mkdir(parents=True)
        self.assertIn("cannot be made", self.failureResultOf(self.write("a"), Unavailable).value.public)
        path.with_name(f"{path.name}.new").rmdir()
        self.successResultOf(self.write("a"))

    def test_removed(self):
        """A removed database is gone with all that belongs to it, and the next use makes a new one."""
        self.successResultOf(self.write("a", "old", publish=1))
        path = path_of(self.folder / "scripts", "a")
        path.with_name(f"{path.name}.before-notes-0001").write_text("a copy")
        self.successResultOf(self.databases.of("a").remove())
        self.assertEqual((self.files(), self.index()), ([], {}))
        self.assertEqual(self.successResultOf(self.read("a")), [])
        # One that never was is removed as well.
        self.successResultOf(self.databases.of("never").remove())

    def test_removal_is_cut_short(self):
        """A removal that a crash cut short is ended at the next start."""
        self.successResultOf(self.write("a", "old"))
        self.threads = ThreadsInTurn(at_once=False)
        self.databases._threads = self.threads
        removing = self.databases.of("a").remove()
        while path_of(self.folder / "scripts", "a") and self.index().get("a") is None:
            self.threads.step()
        self.assertNoResult(removing)
        self.threads = ThreadsInTurn()
        again = self.make()
        with closing(sqlite3.connect(self.folder / "main.sqlite3")) as connection, connection:
            connection.execute("UPDATE script_files SET deleting = 1")
        self.successResultOf(again.startService())
        self.assertEqual((self.files(), self.index()), ([], {}))
        self.assertEqual(self.successResultOf(again.of("a").read(notes)), [])
        self.successResultOf(again.stopService())
        while self.databases._threads.step():
            pass
        self.flushLoggedErrors()

    def test_export(self):
        """A copy is one whole file, and leaves out nothing that was committed."""
        self.successResultOf(self.write("a", "one"))
        target = self.folder / "copy.sqlite3"
        self.successResultOf(self.databases.of("a").export(target))
        self.successResultOf(self.write("a", "two"))
        with closing(sqlite3.connect(target)) as connection:
            self.assertEqual(connection.execute("SELECT text FROM notes").fetchall(), [("one",)])
            self.assertEqual(connection.execute("PRAGMA journal_mode").fetchone(), ("delete",))
        self.assertEqual(target.stat().st_mode & 0o777, 0o600)
        missing = self.folder / "missing" / "copy.sqlite3"
        self.assertIn("cannot be copied", self.failureResultOf(self.databases.of("a").export(missing)).value.public)
        self.assertEqual(sorted(self.folder.glob("copy*")), [target])

    def test_damaged(self):
        """A file that is no database, or of a newer engine, is refused with its path; other scripts go on."""
        self.successResultOf(self.write("newer"))
        self.stop()
        path = path_of(self.folder / "scripts", "damaged")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"this is not a database" * 100)
        with closing(sqlite3.connect(path_of(self.folder / "scripts", "newer"))) as connection, connection:
            connection.execute("UPDATE notes_version SET revision = '0002'")
        self.databases = self.start()
        for uri, why in (("damaged", str(path)), ("newer", "notes is at revision 0002")):
            for _ in range(2):
                self.assertIn(why, self.failureResultOf(self.read(uri), Unavailable).value.public)
        self.successResultOf(self.write("good"))
        self.assertEqual(self.databases.state()["open"], 1)

    def test_stopped(self):
        """A stopped service takes no work and holds no file."""
        self.successResultOf(self.write("a"))
        databases = self.databases
        self.stop()
        self.failureResultOf(databases.of("a").read(notes), Unavailable)
        self.failureResultOf(databases.of("a").remove(), Unavailable)


class BusyTests(ScriptDatabasesCase):
    """What waits, with threads that run when the test says so."""

    def setUp(self):
        super().setUp()
        self.stop()
        self.threads = AnyThreads()
        self.databases = self.start()

    def tearDown(self):
        if self.databases is not None:
            stopping = self.databases.stopService()
            self.all()
            self.successResultOf(stopping)
            self.databases = None
        super().tearDown()

    def all(self):
        """Run everything."""
        while self.threads.waiting:
            self.threads.step(0)

    def until(self, deferred):
        """Run until there is a result."""
        while self.threads.waiting and not deferred.called:
            self.threads.step(0)

    def test_opened_once(self):
        """Many who come while a file is opened wait for the same opening."""
        reading = [self.read("a") for _ in range(5)]
        self.all()
        for answer in reading:
            self.assertEqual(self.successResultOf(answer), [])
        self.assertEqual(self.databases.state()["opened"], 1)

    def test_in_use(self):
        """What is in use is not closed; who needs the place waits, and is refused when that lasts too long."""
        for uri in ("a", "b"):
            self.until(self.write(uri))
        self.all()
        busy = [self.read("a"), self.read("b")]
        third = self.read("c")
        fourth = self.read("d")
        self.assertEqual(self.databases.state()["waiting"], 2)
        self.until(busy[0])
        self.successResultOf(busy[0])
        self.until(third)
        self.assertEqual(self.successResultOf(third), [])
        self.all()
        self.assertEqual(self.successResultOf(fourth), [])
        blocked = [self.read("c"), self.read("d")]
        fifth = self.read("e")
        self.clock.advance(5.0)
        self.assertIn("Too many databases", self.failureResultOf(fifth, Unavailable).value.public)
        self.all()
        for answer in blocked:
            self.successResultOf(answer)

    def test_wanted_while_it_is_closed(self):
        """Who wants a file that is just being closed has it opened again, with all that is in it."""
        self.until(self.write("a", "first"))
        self.until(self.write("b"))
        self.all()
        third = self.write("c")
        again = self.write("a", "second")
        self.all()
        self.successResultOf(third)
        self.successResultOf(again)
        reading = self.read("a")
        self.all()
        self.assertEqual(self.successResultOf(reading), ["first", "second"])

    def test_removed_under_use(self):
        """A removal waits for what is in hand; what comes after it finds an empty database."""
        self.until(self.write("a", "old"))
        self.all()
        reading = self.read("a")
        removing = self.databases.of("a").remove()
        after = self.write("a", "new")
        self.assertNoResult(removing)
        self.all()
        self.assertEqual(self.successResultOf(reading), ["old"])
        self.successResultOf(removing)
        self.successResultOf(after)
        last = self.read("a")
        self.all()
        self.assertEqual(self.successResultOf(last), ["new"])

    def test_withdrawn(self):
        """A unit that waits for the one before it can be withdrawn."""
        self.until(self.write("a"))
        self.all()
        first = self.write("a", "1", unit="u1")
        second = self.write("a", "2", unit="u2")
        self.databases.of("a").withdraw("u2")
        self.failureResultOf(second, Cancelled)
        self.databases.of("elsewhere").withdraw("u2")
        self.all()
        self.successResultOf(first)

    def test_stopped_while_opening(self):
        """A service that is stopped while files are opened closes them, and refuses who waits for a place."""
        opening = [self.read(uri) for uri in "abc"]
        stopping = self.databases.stopService()
        self.all()
        self.successResultOf(stopping)
        self.databases = None
        for answer in opening[:2]:
            self.assertEqual(self.successResultOf(answer), [])
        self.failureResultOf(opening[2], Unavailable)


URIS = st.sampled_from("abcd")
ACTIONS = st.one_of(
    st.tuples(st.sampled_from(["write", "write", "read", "remove", "export"]), URIS),
    st.tuples(st.just("step"), st.integers(0, 5)),
    st.tuples(st.just("restart"), st.booleans()),
)


class AnyOrderTests(ScriptDatabasesCase):
    # Long: one history, with what is expected of it beside.
    @settings(max_examples=25)
    @given(st.lists(ACTIONS, max_size=30), st.integers(1, 3))
    def test_any_order(self, actions, most_open):
        """In whatever order things are done and threads run, nothing is lost, doubled or left open."""
        self.tearDown()
        self.setUp()
        self.stop()
        self.most_open = most_open
        self.threads = AnyThreads()
        self.databases = self.start()
        written: dict[str, list[str]] = {uri: [] for uri in "abcd"}
        pending: list[tuple[str, str, str, Deferred[Any]]] = []
        removed: set[str] = set()

        def settle():
            while self.threads.waiting:
                self.threads.step(0)
                self.assertLessEqual(self.databases.state()["opened"] - self.databases.state()["closed"], most_open)
            for kind, uri, text, deferred in pending:
                self.successResultOf(deferred)
                if kind == "write":
                    written[uri].append(text)
            for uri, before in list(written.items()):
                reading = self.read(uri)
                while self.threads.waiting:
                    self.threads.step(0)
                found = self.successResultOf(reading)
                if uri in removed:
                    # What was written beside a removal is there or not; what was written before is gone.
                    fresh = [text for kind, place, text, _ in pending if kind == "write" and place == uri]
                    self.assertEqual(found, [text for text in fresh if text in found])
                    written[uri] = found
                else:
                    self.assertEqual(found, before)
            pending.clear()
            removed.clear()

        for at, (name, which) in enumerate(actions):
            if name == "step":
                if self.threads.waiting:
                    self.threads.step(which)
            elif name == "restart":
                settle()
                if which:
                    stopping = self.databases.stopService()
                    while self.threads.waiting:
                        self.threads.step(0)
                    self.successResultOf(stopping)
                    self.databases = self.start()
            elif name == "write":
                pending.append(("write", which, str(at), self.write(which, str(at), unit=f"u{at}")))
            elif name == "read":
                pending.append(("read", which, "", self.read(which)))
            elif name == "remove":
                removed.add(which)
                pending.append(("remove", which, "", self.databases.of(which).remove()))
            else:
                pending.append(("export", which, "", self.databases.of(which).export(self.folder / "copy")))
        settle()
        stopping = self.databases.stopService()
        while self.threads.waiting:
            self.threads.step(0)
        self.successResultOf(stopping)
        self.assertEqual(self.databases.state()["open"], 0)
        self.assertEqual([name for name in self.files() if not name.endswith(".sqlite3")], [])
        self.assertEqual(self.index(), {})
        self.databases = None
