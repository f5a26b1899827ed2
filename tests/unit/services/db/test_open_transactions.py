"""A transaction that lasts: it commits with the rest of its unit, or is undone."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import CallTimeout, Unavailable
from aiwebengine.services.db.open_transactions import OpenTransaction, TransactionTerms
from aiwebengine.services.db.tables import units
from tests.support.fakes.database import open_database
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder

TERMS = TransactionTerms(wait_seconds=1.0, seconds=10.0)


def add(text: str) -> Any:
    """Return what writes a word."""
    return lambda connection: connection.execute(sa.text("INSERT INTO words VALUES (:t)"), {"t": text}) and None


def words(connection: Any) -> list[str]:
    """Read all words."""
    return list(connection.execute(sa.text("SELECT text FROM words ORDER BY rowid")).scalars())


class OpenTransactionCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.database = open_database(temporary_folder(self))
        self.successResultOf(
            self.database.run(
                lambda connection: connection.execute(sa.text("CREATE TABLE words (text TEXT UNIQUE)")) and None
            )
        )

    def tearDown(self) -> None:
        self.successResultOf(self.database.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def open(self) -> OpenTransaction:
        """Return a transaction that has not begun."""
        return OpenTransaction(
            hold=lambda work, late: self.database.hold(lambda: work(self.database), late=late),
            threads=ThreadsInTurn(),
            terms=TERMS,
            clock=self.clock,
            milliseconds=lambda: 5,
        )

    def stored(self) -> list[str]:
        """Return what is committed."""
        return self.successResultOf(self.database.read(words))

    def test_commits_with_the_rest(self) -> None:
        """What was written and what is still to be written become visible together, with the unit's id."""
        transaction = self.open()
        self.assertFalse(transaction.begun)
        self.successResultOf(transaction.run(add("a")))
        self.assertEqual(self.successResultOf(transaction.run(words)), ["a"])
        self.assertEqual((transaction.begun, self.stored()), (True, []))

        def rest(written: Any) -> None:
            add("b")(written.connection)
            written.publish("mail", {})

        self.assertEqual(self.successResultOf(transaction.commit("unit", rest)), 1)
        self.assertEqual(self.stored(), ["a", "b"])
        ids = self.successResultOf(self.database.read(lambda c: list(c.execute(sa.select(units.c.id)).scalars())))
        self.assertEqual(ids, ["unit"])
        self.failureResultOf(transaction.run(words), Unavailable)

    def test_undone(self) -> None:
        """Rolled back it leaves nothing, and others can write."""
        transaction = self.open()
        self.successResultOf(transaction.run(add("a")))
        transaction.roll_back()
        transaction.roll_back()
        self.successResultOf(self.database.run(add("other")))
        self.assertEqual(self.stored(), ["other"])

    def test_a_failed_statement_is_undone_alone(self) -> None:
        """What raises is undone; what was done before it is not."""

        def twice(connection: Any) -> None:
            add("b")(connection)
            add("a")(connection)

        transaction = self.open()
        self.successResultOf(transaction.run(add("a")))
        self.failureResultOf(transaction.run(twice))
        self.successResultOf(transaction.commit("unit", None))
        self.assertEqual(self.stored(), ["a"])

    def test_others_wait(self) -> None:
        """Nobody else writes meanwhile."""
        transaction = self.open()
        self.successResultOf(transaction.run(add("a")))
        other = self.database.run(add("b"))
        self.assertNoResult(other)
        self.successResultOf(transaction.commit("unit", None))
        self.successResultOf(other)
        self.assertEqual(self.stored(), ["a", "b"])

    def test_waits_too_long(self) -> None:
        """Who keeps others from writing without doing anything is undone, and told so when it asks again."""
        transaction = self.open()
        self.successResultOf(transaction.run(add("a")))
        self.clock.advance(0.9)
        self.successResultOf(transaction.run(add("b")))
        self.clock.advance(0.9)
        self.assertTrue(transaction.begun)
        self.clock.advance(0.2)
        why = self.failureResultOf(transaction.run(add("c")), CallTimeout).value
        self.assertIn("waited for more than 1 s", why.public)
        self.failureResultOf(transaction.commit("unit", None), CallTimeout)
        self.successResultOf(self.database.run(add("other")))
        self.assertEqual(self.stored(), ["other"])

    def test_lasts_too_long(self) -> None:
        """It ends after its whole time, however busy it is."""
        transaction = self.open()
        for number in range(13):
            done = transaction.run(add(str(number)))
            self.clock.advance(0.9)
            if number < 12:
                self.successResultOf(done)
            else:
                self.assertIn("lasted longer than 10 s", self.failureResultOf(done, CallTimeout).value.public)
        self.assertEqual(self.stored(), [])

    def test_a_refused_rest_undoes_all(self) -> None:
        """If the rest cannot be written nothing is committed."""

        def refuse(_written: Any) -> None:
            raise Unavailable("no")

        transaction = self.open()
        self.successResultOf(transaction.run(add("a")))
        self.failureResultOf(transaction.commit("unit", refuse), Unavailable)
        self.successResultOf(self.database.run(add("other")))
        self.assertEqual(self.stored(), ["other"])

    def test_ended_by_others(self) -> None:
        """Whoever holds it may commit it with work of their own."""
        transaction = self.open()
        self.successResultOf(transaction.run(add("a")))

        def end() -> Deferred[None]:
            done: Deferred[None] = Deferred()
            transaction.transact(add("b"))
            done.callback(None)
            return done

        self.successResultOf(transaction.hold(end))
        self.assertEqual(self.stored(), ["a", "b"])

    def test_no_database(self) -> None:
        """If the database cannot be had everything is refused."""
        transaction = OpenTransaction(
            hold=lambda _work, _late: fail(Unavailable("It is away.")),
            threads=ThreadsInTurn(),
            terms=TERMS,
            clock=self.clock,
            milliseconds=lambda: 5,
        )
        self.failureResultOf(transaction.run(words), Unavailable)
        self.assertFalse(transaction.begun)
