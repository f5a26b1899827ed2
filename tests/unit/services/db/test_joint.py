"""Units that write into more than one database."""

from __future__ import annotations

import sqlalchemy as sa
from twisted.internet.defer import Deferred

from aiwebengine.errors import Conflict, Unavailable
from aiwebengine.features.storage import store as entry_rows
from aiwebengine.features.storage.store import EntryPlace, StoredEntry
from aiwebengine.services.db.joint import INTENT, JointCommits
from aiwebengine.services.db.tables import outbox, scripts
from aiwebengine.services.db.units import OwnWrites, Units
from aiwebengine.services.outbox import OutboxMessage
from tests.support.fakes.database import CHAINS
from tests.unit.services.db.test_script_databases import ScriptDatabasesCase


def put(script, name, value="v"):
    """Return what writes an entry of a script."""

    def write(transaction):
        entry = StoredEntry(name=name, value=value, version=transaction.unit)
        entry_rows.write(
            transaction.connection, EntryPlace(script=script, area="kv"), put=[entry], remove=(), now=transaction.now
        )

    return write


def deploy(uri):
    """Return what writes into the main database."""

    def work(connection):
        values = {"key": uri, "uri": uri, "current": 1, "last_number": 1, "changed_at": 0}
        connection.execute(sa.insert(scripts).values(**values))
        return uri

    return work


class JointCase(ScriptDatabasesCase):
    most_open = 9

    def setUp(self):
        super().setUp()
        self.points = []
        self.fails_at = ""
        self.joint = self.joined()

    def make(self, **named):
        return super().make(chains=CHAINS["script"], **named)

    def joined(self):
        units = Units(database=self.main, milliseconds=lambda: self.now, published=lambda: None)
        units.startService()
        return JointCommits(
            main=self.main,
            threads=self.threads,
            units=units,
            databases=self.databases,
            milliseconds=lambda: self.now,
            published=lambda: None,
            published_for=self.published.append,
            passed=self.passed,
        )

    def passed(self, point):
        self.points.append(point)
        if point == self.fails_at:
            raise OSError("the disk is gone")

    def own(self, script, name, unit="u1", write=None):
        return OwnWrites(script=script, unit=unit, write=write or put(script, name))

    def names(self, script):
        place = EntryPlace(script=script, area="kv")
        found = self.databases.of(script).read(
            lambda connection: entry_rows.names_after(connection, place, prefix="", after="", limit=100, now=self.now)
        )
        return [entry.name for entry in self.successResultOf(found)]

    def deployed(self):
        query = sa.select(scripts.c.uri)
        return self.successResultOf(self.main.read(lambda connection: connection.execute(query).scalars().all()))

    def intents(self):
        query = sa.select(outbox.c.id).where(outbox.c.kind == INTENT)
        return len(self.successResultOf(self.main.read(lambda connection: connection.execute(query).all())))

    def restart(self):
        """Have a server that was killed, and started again."""
        self.crash()
        self.joint = self.joined()
        self.successResultOf(self.joint.startService())


class JointCommitsTests(JointCase):
    def test_both(self):
        """What a unit writes into two databases is in both, and the intent is left for the relay."""
        result = self.successResultOf(self.joint.together(deploy("new"), [self.own("a", "x")]))
        self.assertEqual((result, self.names("a"), self.deployed(), self.intents()), ("new", ["x"], ["new"], 1))
        self.assertEqual(self.points, ["joint.begun", "joint.written", "joint.decided", "joint.done"])
        self.assertEqual(self.published, ["a"])
        message = OutboxMessage(id="u1/1000", payload={"script": "a", "unit": "u1"}, attempts=0)
        self.successResultOf(Deferred.fromCoroutine(self.joint.deliver(message)))
        self.assertEqual(self.names("a"), ["x"])

    def test_several_scripts(self):
        """A deployment may write into the databases of several scripts, and several times into one."""
        own = [self.own("b", "y"), self.own("a", "x"), self.own("b", "z", unit="u2")]
        self.successResultOf(self.joint.together(deploy("new"), own))
        self.assertEqual((self.names("a"), self.names("b"), self.intents()), (["x"], ["y", "z"], 3))

    def test_refused_by_the_script(self):
        """If a write of the script is refused, nothing is written anywhere."""

        def refuse(transaction):
            put("b", "y")(transaction)
            raise Conflict("Stale.")

        own = [self.own("a", "x"), self.own("b", "y", write=refuse)]
        self.failureResultOf(self.joint.together(deploy("new"), own), Conflict)
        self.assertEqual((self.names("a"), self.names("b"), self.deployed(), self.intents()), ([], [], [], 0))

    def test_refused_by_the_main_database(self):
        """If a write into the main database is refused, the database of the script is as it was."""

        def refuse(connection):
            deploy("new")(connection)
            raise Conflict("Another version serves.")

        self.failureResultOf(self.joint.together(refuse, [self.own("a", "x")]), Conflict)
        self.assertEqual((self.names("a"), self.deployed(), self.intents()), ([], [], 0))

    def test_killed_between_the_commits(self):
        """What the main database has committed reaches the script at the next start, once."""
        self.fails_at = "joint.decided"
        self.successResultOf(self.joint.together(deploy("new"), [self.own("a", "x")]))
        self.fails_at = ""
        self.restart()
        self.assertEqual((self.names("a"), self.deployed()), (["x"], ["new"]))
        self.successResultOf(self.databases.of("a").commit("u2", put("a", "x", "later")))
        self.restart()
        place = EntryPlace(script="a", area="kv")
        entry = self.databases.of("a").read(lambda c: entry_rows.get(c, place, ["x"], self.now)["x"].value)
        self.assertEqual(self.successResultOf(entry), "later")

    def test_nothing_overtakes(self):
        """What the main database has committed is in the database of the script before that is used again."""
        self.fails_at = "joint.decided"
        self.successResultOf(self.joint.together(deploy("new"), [self.own("a", "x")]))
        self.fails_at = ""
        self.assertEqual(self.names("a"), ["x"])

    def test_behind(self):
        """A script whose database cannot be brought up to date is refused, and others are served."""
        self.fails_at = "joint.decided"
        self.successResultOf(self.joint.together(deploy("new"), [self.own("a", "x")]))
        self.successResultOf(self.main.stopService())
        self.failureResultOf(self.databases.of("a").read(lambda _: None), Unavailable)
        self.successResultOf(self.databases.of("b").read(lambda _: None))
        self.successResultOf(self.main.startService())
        self.assertEqual(self.names("a"), ["x"])

    def test_purged(self):
        """With a script that is purged goes its database, and what was still to come there."""
        self.fails_at = "joint.decided"
        own = [self.own("a", "x"), self.own("b", "y")]
        self.successResultOf(self.joint.together(deploy("new"), own))
        self.successResultOf(self.main.run(lambda connection: self.joint.purge(connection, "a")))
        self.assertEqual(self.intents(), 1)
        self.databases.purged("a")
        self.assertEqual((self.names("a"), self.names("b")), ([], ["y"]))

    def test_purged_and_killed(self):
        """A script whose purge was committed when the server was killed has no database after the next start."""
        self.successResultOf(self.databases.of("a").commit("u1", put("a", "x")))
        self.successResultOf(self.main.run(lambda connection: self.joint.purge(connection, "a")))
        self.restart()
        self.assertEqual(self.files(), [])
