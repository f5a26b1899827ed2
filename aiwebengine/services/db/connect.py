"""
One database: its connections, its transactions, its pragmas, its errors.

A `Database` runs functions of one connection, each in one transaction and in a thread
of its pool.  What a function does must not depend on which database it is: SQLAlchemy
Core only.  On SQLite, which has one writer, transactions that write queue here in the
order in which they came, so none of them meets "database is locked"; readers see the
last commit and wait for nobody.

A database may be away, and it may hang.  Reads and writes are guarded apart (a full disk
refuses writes and answers reads): nobody waits longer than a while, what fails again and
again is not called: its circuit breaker is open.  Reads that fail are repeated, writes never are.  A write
whose time is up is given up before its COMMIT, or not at all: see `TransactionOutcome`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger

from aiwebengine.errors import Conflict, EngineError, OutcomeUnknown, Unavailable
from aiwebengine.interfaces import Clock
from aiwebengine.services.breaker import State
from aiwebengine.services.db.chain import MigrationChain
from aiwebengine.services.db.engines import SqliteEngines
from aiwebengine.services.db.last_write import LastWrite
from aiwebengine.services.db.migrate import upgrade
from aiwebengine.services.guarded import DependencyTimeout, GuardedDependency, GuardTerms, away
from aiwebengine.services.retry import ONCE, Attempts, Backoff
from aiwebengine.services.threads import Runs

_log = Logger()

T = TypeVar("T")

BUSY_MILLISECONDS = 5000
"""How long SQLite waits for another process, such as a person with the sqlite3 program."""

LATE_SECONDS = 15.0
"""The longest time for one transaction."""

WAIT_SECONDS = 5.0
"""The longest wait for a connection."""

_WAITING = 10_000
_READ_AGAIN = Attempts(most=3, total_seconds=1.0, backoff=Backoff(first_seconds=0.05, longest_seconds=0.5))


class DiskFull(Unavailable):
    """The disk is full or cannot be written; what is stored can still be read."""


class CommitUnderWay(OutcomeUnknown):
    """A COMMIT took longer than the time-out; it may still be made."""


class Database(Service):
    """
    A database with a life: migrated when it starts, closed when it stops.

    Args:
        url: SQLAlchemy's, such as `sqlite:////var/lib/aiwebengine/main.sqlite3`.
        threads: Where transactions run; as many connections as it has threads.
        name: What people call it, such as `main`.
        chains: The migrations of all that lies in it.
        connections: Most open connections.
        durable: Wait for the disk at each commit; False where losing the last moments
            in a power failure is accepted, never their consistency.
        alone: No other process uses it, so that it may be migrated.
        clock: Ends waits.
        random: Gives 0 to 1, for the waits between attempts.
        sqlite: Makes the engine of a SQLite file; shared by several databases, that is done sooner.
        last_write: Told how writes end; None: one of its own.
        guarded: Scripts may run SQL in it; see `script_sql.py`.
    """

    def __init__(
        self,
        *,
        url: str | sa.URL,
        threads: Runs,
        name: str,
        chains: Sequence[MigrationChain],
        clock: Clock,
        random: Callable[[], float],
        connections: int = 4,
        durable: bool = True,
        alone: bool = True,
        sqlite: SqliteEngines | None = None,
        last_write: LastWrite | None = None,
        guarded: bool = False,
    ) -> None:
        self.last_write = last_write if last_write is not None else LastWrite()
        """Whether it can be written."""
        self._url = sa.make_url(url)
        self._threads = threads
        self._chains = tuple(chains)
        self._connections = connections
        self._durable = durable
        self._alone = alone
        self._sqlite = sqlite
        self._guarded = guarded
        self._engine: Engine | None = None
        one_writer = self._url.get_backend_name() == "sqlite"
        self.reads = GuardedDependency(
            name=f"{name} database",
            # One connection is left for who writes: reads that hang do not take all.
            terms=_terms(places=max(1, connections - 1), attempts=_READ_AGAIN),
            clock=clock,
            random=random,
        )
        """The way to it for whoever only reads."""
        self.writes = GuardedDependency(
            name=f"{name} database (writing)",
            terms=_terms(places=1 if one_writer else connections, attempts=ONCE),
            clock=clock,
            random=random,
        )
        """The way to it for whoever writes."""

    def startService(self) -> Deferred[None]:
        """
        Connect and migrate.

        Returns:
            Fires when the database can be used; fails with `CannotStart` if it was written
            by a newer engine or cannot be opened, and then nothing in it was changed.
        """
        super().startService()
        return self._threads.run(self.open)

    def stopService(self) -> Deferred[None] | None:
        """Close all connections."""
        super().stopService()
        engine, self._engine = self._engine, None
        return None if engine is None else self._threads.run(engine.dispose)

    def close(self) -> None:
        """Close all connections at once, in the thread of the caller; see `stopService`."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def run(self, work: Callable[[Connection], T], *, done: Callable[[], None] | None = None) -> Deferred[T]:
        """
        Run *work* in one transaction that may write.

        Args:
            done: Called in the thread as soon as COMMIT has returned.

        Returns:
            What *work* returned, after the commit; if it raised, nothing was changed.

        Raises:
            Unavailable: The database is away, hangs, is locked by another process, or its disk is
                full; nothing was changed.
            Conflict: Another transaction wrote the same thing first.
            OutcomeUnknown: The connection broke while COMMIT was under way, or COMMIT hangs.
        """
        if self._engine is None:
            return fail(_stopped())
        fate = TransactionOutcome()
        return self.writes.run(
            lambda: self._threads.run(self.transact, work, fate=fate, done=done),
            late=fate.give_up,
        )

    def read(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """
        Run *work* in one transaction that only reads: a snapshot.

        Args:
            work: May be called again if the database was away.

        Raises:
            Unavailable: It is away or hangs.
        """
        if self._engine is None:
            return fail(_stopped())
        return self.reads.run(lambda: self._threads.run(self.transact, work), repeatable=True)

    def hold(self, work: Callable[[], Deferred[T]], *, late: Callable[[], EngineError]) -> Deferred[T]:
        """
        Be the one who writes while *work* lasts; it writes with `transact`.

        Args:
            late: Called if it takes too long, gives the error for that.
        """
        if self._engine is None:
            return fail(_stopped())
        return self.writes.run(work, late=late)

    def begin(self) -> Connection:
        """
        Begin a transaction that may write, in the thread of the caller, who holds the database (see `hold`).

        Returns:
            A connection; closing it undoes what was not committed.

        Raises:
            Unavailable: The database is away.
        """
        if self._engine is None:
            raise _stopped()
        try:
            connection = self._engine.connect().execution_options(write=True)
            try:
                connection.begin()
            except BaseException:
                connection.close()
                raise
        except DBAPIError as error:
            raise explain(error) from error
        return connection

    @property
    def available(self) -> bool:
        """Return whether it can be read, as far as is known."""
        return self._engine is not None and self.reads.state is not State.OPEN

    def open(self) -> None:
        """
        Connect and migrate at once, in the thread of the caller; see `startService`.

        Raises:
            CannotStart: As there.
        """
        engine = self._made()
        try:
            upgrade(engine, self._chains, allowed=self._alone)
        except BaseException:
            engine.dispose()
            raise
        self._engine = engine

    def _made(self) -> Engine:
        if self._url.get_backend_name() != "sqlite":
            return sa.create_engine(
                self._url, pool_pre_ping=True, hide_parameters=True, pool_size=self._connections, max_overflow=0
            )
        engines = self._sqlite or SqliteEngines()
        return engines.make(
            self._url,
            connections=self._connections,
            durable=self._durable,
            busy_milliseconds=BUSY_MILLISECONDS,
            guarded=self._guarded,
        )

    def transact(
        self,
        work: Callable[[Connection], T],
        *,
        fate: TransactionOutcome | None = None,
        done: Callable[[], None] | None = None,
    ) -> T:
        """
        Run *work* in one transaction, in the thread of the caller.

        Args:
            fate: Decides whether it is committed, by one who may write: see `run` and `hold`.  None: it only reads.
            done: See `run`.
        """
        write = fate is not None
        engine = self._engine
        if engine is None:
            raise _stopped()
        written = False
        try:
            with engine.connect().execution_options(write=write) as connection, connection.begin():
                before = _changes(connection) if write and self.last_write.problem else None
                result = work(connection)
                if fate is not None and not fate.commit():
                    raise DependencyTimeout(_TIMED_OUT, retry_seconds=1.0)
                written = write
                changed = before is not None and _changes(connection) != before
        except DBAPIError as error:
            if written and error.connection_invalidated:
                raise OutcomeUnknown(
                    "The connection to the database broke during the commit, which may or may not have been made. "
                    "Check before you retry.",
                    private=str(error),
                    retry_seconds=1.0,
                ) from error
            explained = explain(error)
            if write:
                self.last_write.failed(explained)
            raise explained from error
        if changed:
            self.last_write.succeeded()
        if done is not None:
            done()
        return result


def _changes(connection: Connection) -> object:
    """Return what differs after a row was changed; with databases that do not count changes, always."""
    return getattr(connection.connection.dbapi_connection, "total_changes", object())


def explain(error: DBAPIError) -> EngineError | DBAPIError:
    """Return what the database refused as an EngineError; a fault of the engine's own is returned unchanged."""
    text = str(error.orig).lower()
    if "full" in text and isinstance(error, OperationalError):
        return DiskFull(
            "The disk of the database is full; nothing was changed. Make room on the disk of the data folder.",
            private=str(error),
            retry_seconds=30.0,
        )
    if "disk i/o error" in text and isinstance(error, OperationalError):
        return DiskFull(
            "The database cannot write to its disk; nothing was changed. The disk is full or broken, or a limit on "
            "the size of files (ulimit -f) is reached: make room on the disk of the data folder, or lift the limit.",
            private=str(error),
            retry_seconds=30.0,
        )
    if isinstance(error, IntegrityError):
        return Conflict("Conflict: another request changed the same data. Nothing was changed.", private=str(error))
    if "readonly" in text and isinstance(error, OperationalError):
        return Unavailable(
            "The database is read-only at the moment; nothing was changed.", private=str(error), retry_seconds=30.0
        )
    if "malformed" in text or "not a database" in text:
        return Unavailable("The database is damaged; nothing was changed.", private=str(error), retry_seconds=30.0)
    if isinstance(error, OperationalError | InterfaceError):
        return Unavailable(
            "The database is not responding; nothing was changed.", private=str(error), retry_seconds=1.0
        )
    return error


def _stopped() -> Unavailable:
    return Unavailable("The database is stopped.", retry_seconds=1.0)


_TIMED_OUT = "The database did not answer in time; nothing was changed."


class TransactionOutcome:
    """
    What becomes of one transaction: its thread commits it, or the reactor gives it up; never both.

    Whichever takes the one ticket decides.  Taking from a list is atomic, so that neither has to
    wait for the other.
    """

    def __init__(self) -> None:
        self._ticket = [True]

    def commit(self) -> bool:
        """Ask, in the thread, whether to commit."""
        return self._take()

    def give_up(self) -> EngineError:
        """Have it not committed, and give the error for whoever waited."""
        if self._take():
            return DependencyTimeout(_TIMED_OUT, retry_seconds=1.0)
        return CommitUnderWay(
            "The commit takes too long; it may or may not still be made. Check before you retry.",
            retry_seconds=1.0,
        )

    def _take(self) -> bool:
        try:
            return self._ticket.pop()
        except IndexError:
            return False


def _terms(*, places: int, attempts: Attempts) -> GuardTerms:
    return GuardTerms(
        seconds=LATE_SECONDS,
        places=places,
        waiting=_WAITING,
        wait_seconds=WAIT_SECONDS,
        attempts=attempts,
        faulty=lambda error: away(error) and not isinstance(error, DiskFull),
    )
