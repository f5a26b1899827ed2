"""From held effects to one transaction and what follows it."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Conflict, Stale
from aiwebengine.host.effects import UNSEEN, Commits, HeldEffect, StaleRead, Unit
from aiwebengine.host.turns import Turns
from tests.support.fakes.script_databases import UnitsAlone
from tests.unit.host.fakes import Everything, invocation


class Box:
    """A group whose effects are kept in a list; versions count up."""

    def __init__(self, name, result, database="script"):
        self.name = name
        self.database = database
        self.events = result
        self.version = 0
        self.durable = True

    def write(self, unit, effects):
        def write(transaction):
            stale = [effect.key for effect in effects if effect.seen is not UNSEEN and effect.seen != self.version]
            if stale:
                raise StaleRead(stale)
            self.version += 1
            self.events.append((self.name, "write", [effect.value for effect in effects]))

        return write if self.durable else None

    def happen(self, unit, effects):
        self.events.append((self.name, "happen", [effect.value for effect in effects]))
        if effects[0].value == "fault":
            raise KeyError


class CommitsTests(SynchronousTestCase):
    def setUp(self):
        self.events = []
        self.behind = Everything()
        self.boxes = {name: Box(name, self.events) for name in ("a", "b", "scripts")}
        self.turns = Turns(clock=Clock(), longest_seconds=5)
        self.points = []
        self.units = UnitsAlone(self.behind.transact, self.behind.withdrawn.append)
        self.commits = Commits(
            units=self.units,
            published=lambda: self.events.append("published"),
            milliseconds=lambda: 0,
            turns=self.turns,
            passed=self.points.append,
        )
        for name, box in self.boxes.items():
            self.commits.add(name, box)
        self.commits.deploys(self.deploy, group="scripts")

    async def deploy(self, invocation, effects, work):
        self.events.append(("deploy", [effect.value for effect in effects]))
        work.write(None)
        if work.own is not None:
            self.events.append(("own", work.own.script, work.own.unit))
            work.own.write(None)
        work.happened()

    def commit(self, *held, owner="i1", kind="http"):
        return self.commits.commit(Unit(id=f"{owner}.0", invocation=invocation(kind, identity=owner)), held)

    def test_order(self):
        """All groups write in one transaction; what follows the commit happens after it."""
        effects = [HeldEffect(group=group, key=key, value=key) for group, key in (("a", "1"), ("b", "2"), ("a", "3"))]
        self.successResultOf(self.commit(*effects))
        self.assertEqual(self.behind.units, ["i1.0"])
        self.assertEqual(
            self.events,
            [("a", "write", ["1", "3"]), ("b", "write", ["2"]), ("a", "happen", ["1", "3"]), ("b", "happen", ["2"])],
        )
        self.assertEqual(self.points, ["commit.asked", "volatile.next", "volatile.done"])

    def test_nothing_durable(self):
        """Effects that are not durable need no transaction."""
        self.boxes["a"].durable = False
        self.successResultOf(self.commit(HeldEffect(group="a", key="1", value=1)))
        self.assertEqual((self.behind.units, self.events), ([], [("a", "happen", [1])]))

    def test_fault_after_the_commit(self):
        """A fault in what follows the commit does not make it look undone."""
        effects = [HeldEffect(group="a", key="1", value="fault"), HeldEffect(group="b", key="1", value=1)]
        self.successResultOf(self.commit(*effects))
        self.assertIn(("b", "happen", [1]), self.events)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_with_a_deployment(self):
        """What a unit stores goes into the transaction of what it deploys."""
        effects = [HeldEffect(group="scripts", key="s", value="s"), HeldEffect(group="a", key="1", value=1)]
        self.successResultOf(self.commit(*effects))
        self.assertEqual(self.behind.units, [])
        self.assertEqual(
            self.events,
            [
                ("deploy", ["s"]),
                ("own", "me", "i1.0"),
                ("a", "write", [1]),
                ("scripts", "happen", ["s"]),
                ("a", "happen", [1]),
            ],
        )

    def test_in_both_databases(self):
        """What belongs to the script is written into its database, and the rest into the main one, as one unit."""
        self.boxes["b"].database = "main"

        def told(what):
            self.events.append(what)
            return succeed(None)

        self.patch(self.units, "both", lambda own, write: told((own.script, own.unit)))
        self.successResultOf(
            self.commit(HeldEffect(group="a", key="1", value=1), HeldEffect(group="b", key="1", value=2))
        )
        self.assertEqual(self.events, [("me", "i1.0"), ("a", "happen", [1]), ("b", "happen", [2])])
        self.patch(self.units, "main", lambda unit, write: told(unit))
        self.successResultOf(self.commit(HeldEffect(group="b", key="1", value=2)))
        self.assertEqual(self.events[3:], ["i1.0", ("b", "happen", [2])])

    def test_while_loading(self):
        """What a script does while it is deployed is stored with its deployment."""
        self.successResultOf(self.commit(HeldEffect(group="a", key="1", value=1), kind="load"))
        self.assertEqual(self.events[0], ("deploy", []))

    def test_stale(self):
        """Who has read what was changed is told to run again, and has its turn first."""
        self.boxes["a"].version = 3
        effect = HeldEffect(group="a", key="1", value=1, seen=2)
        error = self.failureResultOf(self.commit(effect), Stale).value
        assert error.turn is not None
        release = self.successResultOf(error.turn())
        self.assertEqual(self.events, [])
        other = self.commit(HeldEffect(group="a", key="1", value=2), owner="i2")
        reader = self.commit(HeldEffect(group="a", key="1", value=3, seen=3), owner="i3")
        self.assertNoResult(other)
        self.failureResultOf(reader, Stale)
        self.successResultOf(self.commit(HeldEffect(group="a", key="1", value=1, seen=3)))
        release()
        self.successResultOf(other)
        self.assertEqual([event[2] for event in self.events if event[1] == "write"], [[1], [2]])

    def test_refused(self):
        """If the transaction fails nothing follows."""

        def away(script, unit, write):
            failed: Deferred[None] = Deferred()
            failed.errback(Conflict("No."))
            return failed

        self.patch(self.units, "own", away)
        self.failureResultOf(self.commit(HeldEffect(group="a", key="1", value=1)), Conflict)
        self.assertEqual(self.events, [])

    def test_withdrawn(self):
        """A unit that waits for the database can be taken back."""
        self.commits.withdraw(Unit(id="i9.0", invocation=invocation()))
        self.assertEqual(self.behind.withdrawn, ["i9.0"])
