"""
A transaction that lasts: from the first statement that an invocation writes until it commits.

    run(work) -> queue of statements; the first one waits for its turn to write, and begins
    commit(unit, write) -> the unit's held effects, its id, COMMIT
    roll_back()

A SQLite file has one writer, and others wait while an invocation is it.  So it may be that only for as long as it
works: if it waits for anything but its database for longer than `wait_seconds`, or lasts longer than `seconds` in all,
its transaction is undone.  Whatever it asks then is refused, and so is its commit: nothing of it is done by halves.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from twisted.internet.defer import Deferred, DeferredLock, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import CallTimeout, EngineError, Unavailable
from aiwebengine.interfaces import Clock, DelayedCall
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.services.db.changes import ChangeRecorder
from aiwebengine.services.db.connect import Database, explain
from aiwebengine.services.db.tables import units
from aiwebengine.services.db.units import Transaction, Write
from aiwebengine.services.threads import Runs

_log = Logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionTerms:
    """How long a transaction may last."""

    wait_seconds: float
    """While nothing is asked of the database."""
    seconds: float
    """In all."""


class OpenTransaction:
    """
    The transaction of one unit of work.

    Args:
        hold: Has a function called with the database while its result, a Deferred, has not fired; nobody else writes
            meanwhile.
        threads: Where statements run.
        terms: How long it may last.
        clock: Ends it.
        milliseconds: The server's clock, since 1970.
        passed: Told of the points on the way.
    """

    def __init__(
        self,
        *,
        hold: Callable[[Callable[[Database], Deferred[None]], Callable[[], EngineError]], Deferred[None]],
        threads: Runs,
        terms: TransactionTerms,
        clock: Clock,
        milliseconds: Callable[[], int],
        passed: Passed = unwatched,
    ) -> None:
        self._hold = hold
        self._threads = threads
        self._terms = terms
        self._clock = clock
        self._milliseconds = milliseconds
        self._passed = passed
        self._turn = DeferredLock()
        """Statements follow each other: there is one connection."""
        self._connection: Connection | None = None
        self._released: Deferred[None] | None = None
        """Lets others write when it fires."""
        self._why: EngineError | None = None
        """Why it is over; None: it is not, or it was committed."""
        self._over = False
        self._timers: list[DelayedCall] = []
        self.recorder = ChangeRecorder()
        """See `units.Unfinished.recorder`."""
        self.parts = DeferredLock()
        """Parts of it that are to be whole follow each other."""
        self.levels: list[int] = []
        """Parts that have begun, each within the one before."""

    @property
    def begun(self) -> bool:
        """Return whether it has something to commit or to undo."""
        return self._connection is not None

    def run(self, work: Callable[[Connection], T], *, whole: bool = True) -> Deferred[T]:
        """
        Run *work* in the transaction.

        Args:
            whole: Undo what it did if it raises.

        Raises:
            CallTimeout: The transaction was undone, for it lasted too long.
            Unavailable: The database is away, or too many wait to write.
            EngineError: What *work* raised; what was done before it is not undone.
        """
        return self._turn.run(lambda: Deferred.fromCoroutine(self._run(work, whole=whole)))

    def commit(self, unit: str, write: Write | None) -> Deferred[int]:
        """
        See `units.Unfinished.commit`.

        Raises:
            EngineError: Nothing was changed.
        """
        published = 0

        def rest(connection: Connection) -> None:
            nonlocal published
            transaction = Transaction(connection=connection, unit=unit, now=self._milliseconds())
            connection.execute(sa.insert(units).values(id=unit, at=transaction.now))
            if write is not None:
                write(transaction)
            published = transaction.published
            self._passed("commit.written")

        def commit() -> Deferred[None]:
            self._passed("commit.begun")
            return self._threads.run(self.transact, rest)

        def done(_: None) -> int:
            self._passed("commit.told")
            return published

        return self.hold(commit).addCallback(done)

    def hold(self, work: Callable[[], Deferred[T]]) -> Deferred[T]:
        """See `units.Unfinished.hold`."""
        return self._turn.run(lambda: Deferred.fromCoroutine(self._held(work)))

    def transact(self, work: Callable[[Connection], object]) -> None:
        """See `units.Unfinished.transact`."""
        connection = self._connection
        assert connection is not None  # It is held.
        try:
            work(connection)
            connection.commit()
        except DBAPIError as error:
            raise explain(error) from error
        self._passed("commit.done")

    def roll_back(self) -> None:
        """Undo it; harmless if it is over."""
        if self._over:
            return
        self._over = True
        self._stop_timers()
        self._turn.run(self._undo).addErrback(_fault)

    async def _run(self, work: Callable[[Connection], T], *, whole: bool) -> T:
        connection = await self._ready()
        self._stop_waiting()
        try:
            return await self._threads.run(_work, connection, work, self.recorder, whole=whole)
        finally:
            self._await_more()

    async def _ready(self) -> Connection:
        """Return the connection; the first time it waits for the turn to write."""
        self._refuse_if_over()
        if self._connection is None:
            begun: Deferred[Connection] = Deferred()

            def hold(database: Database) -> Deferred[None]:
                released: Deferred[None] = Deferred()
                self._released = released
                self._threads.run(database.begin).addCallbacks(begun.callback, begun.errback)
                return released

            self._hold(hold, self._late).addErrback(lambda failure: None if begun.called else begun.errback(failure))
            try:
                self._connection = await begun
            except BaseException:
                self._release()
                raise
            self._passed("transaction.begun")
            self._timers.append(self._clock.callLater(self._terms.seconds, self._too_long))
            self._refuse_if_over()
        return self._connection

    async def _held(self, work: Callable[[], Deferred[T]]) -> T:
        await self._ready()
        self._stop_timers()
        self._over = True
        try:
            return await work()
        finally:
            await (self._undo() or succeed(None))

    def _undo(self) -> Deferred[None] | None:
        connection, self._connection = self._connection, None
        if connection is None:
            self._release()
            return None
        return self._threads.run(connection.close).addBoth(lambda _result: self._release())

    def _release(self) -> None:
        released, self._released = self._released, None
        if released is not None:
            released.callback(None)

    # -- time ---------------------------------------------------------------------------------

    def _await_more(self) -> None:
        if self._connection is not None and not self._over:
            self._timers.append(self._clock.callLater(self._terms.wait_seconds, self._waited))

    def _stop_waiting(self) -> None:
        for timer in self._timers[1:]:
            if timer.active():
                timer.cancel()
        del self._timers[1:]

    def _stop_timers(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._timers.clear()

    def _waited(self) -> None:
        self._end(
            f"The script's transaction was undone: after it had written, the script waited for more than "
            f"{self._terms.wait_seconds:g} s for something else than its database, while nobody else could write. "
            "Wait for other things, such as fetch, before the first write."
        )

    def _too_long(self) -> None:
        self._end(
            f"The script's transaction was undone: it lasted longer than {self._terms.seconds:g} s from its first "
            "write. Write less in one invocation."
        )

    def _late(self) -> EngineError:
        error = CallTimeout("The script's transaction was undone: it lasted too long.")
        self._why = self._why or error
        self.roll_back()
        return error

    def _end(self, why: str) -> None:
        self._why = CallTimeout(why)
        self.roll_back()

    def _refuse_if_over(self) -> None:
        if self._why is not None:
            raise type(self._why)(self._why.public)
        if self._over:
            raise Unavailable("The transaction is over; nothing was changed.", retry_seconds=1.0)


def _work(connection: Connection, work: Callable[[Connection], T], recorder: ChangeRecorder, *, whole: bool) -> T:
    """Run *work*, in a thread."""
    with recorder.recording(connection), connection.begin_nested() if whole else nullcontext():
        return work(connection)


def _fault(failure: Failure) -> Any:
    _log.failure("undoing a transaction failed in an unexpected way", failure)
