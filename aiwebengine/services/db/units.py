"""
Units of work: what one part of an invocation makes durable, whole or not at all.

A unit is a function of a `Transaction`.  Units that wait at the same time share one COMMIT
(waiting for the disk is what a commit costs), each in a savepoint of its own, so that one
which is refused takes none of the others with it.  Every unit leaves its id in `units`:
if the connection is lost while COMMIT is under way, the id tells afterwards how it ended.

    reactor  commit(id, work) -> queue            | the caller may still withdraw it
    thread   BEGIN; each: SAVEPOINT, id, work     | nothing stops it any more
             COMMIT
    reactor  each caller is told

What must happen outside the database afterwards (a mail, a message) is written in the same
transaction with `Transaction.publish`, and `services/outbox.py` delivers it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import Cancelled, Conflict, EngineError, OutcomeUnknown, Unavailable
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.services.db.changes import ChangeRecorder
from aiwebengine.services.db.connect import CommitUnderWay, Database
from aiwebengine.services.db.tables import outbox, units

_log = Logger()

T = TypeVar("T")

_MOST_WAITING = 10_000
_MOST_TOGETHER = 256
_KEPT_MILLISECONDS = 24 * 3600 * 1000


class Transaction:
    """
    The database as one unit sees it, while it is written.

    Args:
        connection: In an open transaction; valid until the unit's function returns.
        unit: The unit's id.
        now: Milliseconds since 1970: one time for all that the unit writes.
    """

    def __init__(self, *, connection: Connection, unit: str, now: int) -> None:
        self.connection = connection
        self.unit = unit
        self.now = now
        self.published = 0
        """How many messages wait for the relay because of this unit."""

    def publish(self, kind: str, payload: Any) -> None:
        """
        Have something delivered after the commit, at least once.

        Args:
            kind: Who delivers it: a name that the relay knows.
            payload: What JSON can carry.
        """
        self.connection.execute(
            sa.insert(outbox).values(
                unit=self.unit,
                ordinal=self.published,
                kind=kind,
                payload=json.dumps(payload, separators=(",", ":")),
                created_at=self.now,
                attempts=0,
                next_at=0,
            )
        )
        self.published += 1


Write = Callable[[Transaction], None]
"""Makes something durable; called in a thread of the database, perhaps again if the first attempt was lost."""


class Unfinished(Protocol):
    """A transaction that is open in the database of a script; see `open_transactions.py`."""

    recorder: ChangeRecorder
    """What it has changed so far."""

    @property
    def begun(self) -> bool:
        """Return whether it has something to commit or to undo."""

    def commit(self, unit: str, write: Write | None) -> Deferred[int]:
        """
        Commit it, with what *write* writes.

        Returns:
            How many messages wait for the relay because of it.
        """

    def hold(self, work: Callable[[], Deferred[T]]) -> Deferred[T]:
        """Have *work* end it with `transact`, or leave it undone."""

    def transact(self, work: Callable[[Connection], object]) -> None:
        """Commit it with what *work* writes, in a thread."""

    def roll_back(self) -> None:
        """Undo it; harmless if it is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWrites:
    """What one unit writes into the database of its script."""

    script: str
    """URI of the script."""
    unit: str
    """The unit's id."""
    write: Write | None
    transaction: Unfinished | None = None
    """Where it has written already; None: nowhere."""


@dataclass(eq=False, slots=True, kw_only=True)
class _QueuedUnit:
    id: str
    work: Callable[[Transaction], Any]
    result: Deferred[Any]
    outcome: Any = None
    """What the work gave, or the Failure that only this unit met."""


@dataclass(slots=True, kw_only=True)
class _Figures:
    units: int = 0
    transactions: int = 0
    refused: int = 0
    published: int = field(default=0)


class Units(Service):
    """
    Commits units, several at a time.

    Args:
        database: Where; its tables `units` and `outbox` are used.
        milliseconds: The server's clock, since 1970.
        published: Told after a commit that left messages for the relay.
        passed: Told of the points on the way.
    """

    def __init__(
        self,
        *,
        database: Database,
        milliseconds: Callable[[], int],
        published: Callable[[], None],
        passed: Passed = unwatched,
    ) -> None:
        self._database = database
        self._milliseconds = milliseconds
        self._published = published
        self._passed = passed
        self._queue: list[_QueuedUnit] = []
        self._busy = False
        self._idle: list[Deferred[None]] = []
        self._figures = _Figures()

    def stopService(self) -> Deferred[None]:
        """Refuse new units; wait until those that were taken are committed."""
        super().stopService()
        done: Deferred[None] = Deferred()
        if self._busy:
            self._idle.append(done)
        else:
            done.callback(None)
        return done

    def commit(self, unit: str, work: Callable[[Transaction], T]) -> Deferred[T]:
        """
        Make one unit durable.

        Args:
            unit: Its id, never used before.
            work: Writes it, in a thread; what it raises rolls back this unit alone.

        Returns:
            What *work* returned, after COMMIT.  To give up use `withdraw`: cancelling cannot undo a COMMIT.

        Raises:
            Unavailable: Nothing was changed.
            OutcomeUnknown: It cannot be found out whether it was committed.
            EngineError: What *work* raised; nothing was changed.
        """
        if not self.running:
            return _failed(Unavailable("The server is stopping; nothing was changed.", retry_seconds=1.0))
        if len(self._queue) >= _MOST_WAITING:
            return _failed(Unavailable("The database is too busy; nothing was changed.", retry_seconds=1.0))
        result: Deferred[T] = Deferred()
        waiting = _QueuedUnit(id=unit, work=work, result=result)
        self._queue.append(waiting)
        self._passed("commit.queued")
        if not self._busy:
            self._next()
        return result

    def withdraw(self, unit: str) -> None:
        """Have a unit fail with `Cancelled` if it was not begun; one that was goes its way."""
        for waiting in self._queue:
            if waiting.id == unit:
                self._queue.remove(waiting)
                waiting.result.errback(Cancelled("The client disconnected; nothing was changed."))
                return

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        figures = self._figures
        return {
            "units": figures.units,
            "transactions": figures.transactions,
            "refused": figures.refused,
            "waiting": len(self._queue),
        }

    async def forget_old(self) -> None:
        """Drop the ids of units that nobody can ask about any more."""
        before = self._milliseconds() - _KEPT_MILLISECONDS
        await self._database.run(lambda connection: connection.execute(sa.delete(units).where(units.c.at < before)))

    def _next(self) -> None:
        taken, self._queue = self._queue[:_MOST_TOGETHER], self._queue[_MOST_TOGETHER:]
        self._busy = bool(taken)
        if not taken:
            idle, self._idle = self._idle, []
            for done in idle:
                done.callback(None)
            return
        Deferred.fromCoroutine(self._together(taken)).addErrback(_fault)

    async def _together(self, taken: list[_QueuedUnit]) -> None:
        try:
            await self._transact(taken)
        finally:
            self._next()

    async def _transact(self, taken: list[_QueuedUnit]) -> None:
        try:
            published = await self._database.run(lambda connection: self._write(connection, taken), done=self._done)
        except OutcomeUnknown as error:
            await self._look_up(taken, error)
            return
        except EngineError as error:
            if len(taken) > 1:
                # One of them may be what the database cannot take, such as too much for the disk.
                for waiting in taken:
                    waiting.outcome = None
                    await self._transact([waiting])
                return
            self._figures.refused += 1
            _tell(taken[0], Failure(error))
            return
        except BaseException as error:  # noqa: BLE001  every caller is told, whatever a transaction met
            for waiting in taken:
                _tell(waiting, Failure(error))
            return
        self._committed(taken, published)

    def _committed(self, taken: list[_QueuedUnit], published: int) -> None:
        self._passed("commit.told")
        self._figures.transactions += 1
        for waiting in taken:
            if isinstance(waiting.outcome, Failure):
                self._figures.refused += 1
            else:
                self._figures.units += 1
        if published:
            self._published()
        for waiting in taken:
            _tell(waiting, waiting.outcome)

    async def _look_up(self, taken: list[_QueuedUnit], error: OutcomeUnknown) -> None:
        """Find out which units a commit whose connection broke has kept: all of them or none."""
        ids = [waiting.id for waiting in taken if not isinstance(waiting.outcome, Failure)]
        query = sa.select(units.c.id).where(units.c.id.in_(ids))
        try:
            committed = await self._database.read(lambda connection: set(connection.execute(query).scalars()))
        except EngineError:
            for waiting in taken:
                _tell(waiting, Failure(error))
            return
        if committed:
            self._committed(taken, 1)
            return
        if isinstance(error, CommitUnderWay):
            # It is not there, and may be there in a moment.
            for waiting in taken:
                _tell(waiting, Failure(error))
            return
        for waiting in taken:
            _tell(
                waiting,
                Failure(
                    Unavailable("The connection to the database was lost; nothing was changed.", retry_seconds=1.0)
                ),
            )

    # -- in a thread --------------------------------------------------------------------------

    def _write(self, connection: Connection, taken: list[_QueuedUnit]) -> int:
        now = self._milliseconds()
        published = 0
        self._passed("commit.begun")
        for waiting in taken:
            transaction = Transaction(connection=connection, unit=waiting.id, now=now)
            try:
                with connection.begin_nested():
                    connection.execute(sa.insert(units).values(id=waiting.id, at=now))
                    waiting.outcome = waiting.work(transaction)
            except IntegrityError as error:
                conflict = Conflict(
                    "Conflict: another request changed the same data. Nothing was changed.", private=str(error)
                )
                waiting.outcome = Failure(conflict)
            except DBAPIError:
                raise
            except Exception as error:  # noqa: BLE001  the edge of a unit: whatever it met, the others are committed
                waiting.outcome = Failure(error)
            else:
                published += transaction.published
            self._passed("commit.unit_written")
        self._passed("commit.written")
        return published

    def _done(self) -> None:
        self._passed("commit.done")


def _tell(waiting: _QueuedUnit, outcome: Any) -> None:
    if waiting.result.called:
        return
    if isinstance(outcome, Failure):
        waiting.result.errback(outcome)
    else:
        waiting.result.callback(outcome)


def _failed(error: EngineError) -> Deferred[Any]:
    refused: Deferred[Any] = Deferred()
    refused.errback(error)
    return refused


def _fault(failure: Failure) -> None:
    _log.failure("a commit failed in an unexpected way", failure)
