"""
A database for each script: one SQLite file, opened at first use and closed when others need its place.

    uri -> `of(uri)` -> read, run, commit      as with a `Database` and its `Units`
              |
              first use: make the file (a copy of an empty one) or migrate it, open it; when there are too many, the one
              that was used longest ago and has nothing in hand is closed

All engine tables of a script lie in its file, so that one transaction covers all that an
invocation holds back, one script's slow writer is nobody else's, an export is a copy and a
removal an unlink.  `script_index.py` tells which files must be looked into after a start.

A file is in one of four states: absent (nothing is known of it here), opening, open, ending.
Whoever comes while it ends waits and has it opened again.  Uses are counted: what is in use is
not closed.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredLock, gatherResults, maybeDeferred
from twisted.internet.defer import TimeoutError as WaitedTooLong
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError, Unavailable
from aiwebengine.interfaces import Clock
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.services.db import script_files
from aiwebengine.services.db.chain import MigrationChain
from aiwebengine.services.db.connect import WAIT_SECONDS, Database
from aiwebengine.services.db.engines import SqliteEngines, sqlite_url
from aiwebengine.services.db.last_write import LastWrite
from aiwebengine.services.db.open_transactions import OpenTransaction, TransactionTerms
from aiwebengine.services.db.script_file import ScriptFile, open_file, refusal_of
from aiwebengine.services.db.script_index import UNKNOWN, IndexEntry, ScriptIndex, enter_removal
from aiwebengine.services.db.tables import outbox
from aiwebengine.services.db.units import Transaction, Units
from aiwebengine.services.signals import Latch, Pulse
from aiwebengine.services.threads import Runs

_log = Logger()

T = TypeVar("T")

# One for whoever writes, and some for those who read: one that takes long does not keep all others waiting.
_CONNECTIONS = 4


class SqliteScriptDatabase:
    """
    See `per_script.ScriptDatabase`; made by `SqliteScriptDatabases.of`, and opened when it is used.

    Args:
        uri: Of the script.
        databases: Opens it.
    """

    def __init__(self, *, uri: str, databases: SqliteScriptDatabases) -> None:
        self.uri = uri
        self._databases = databases

    def read(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """See `Database.read`."""
        return self._databases.use(self.uri, lambda file: file.database.read(work))

    def run(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """See `Database.run`."""
        return self._databases.use(self.uri, lambda file: file.database.run(work), writes=True)

    def commit(self, unit: str, work: Callable[[Transaction], T]) -> Deferred[T]:
        """See `Units.commit`."""
        return self._databases.use(self.uri, lambda file: file.units.commit(unit, work), writes=True)

    def withdraw(self, unit: str) -> None:
        """See `Units.withdraw`."""
        self._databases.withdraw(self.uri, unit)

    def transaction(self, terms: TransactionTerms) -> OpenTransaction:
        """See `per_script.ScriptDatabase.transaction`."""
        return self._databases.transaction(self.uri, terms)

    def export(self, target: Path) -> Deferred[None]:
        """See `per_script.ScriptDatabase.export`: one SQLite file."""
        return self._databases.export(self.uri, target)

    def remove(self) -> Deferred[None]:
        """See `per_script.ScriptDatabase.remove`."""
        return self._databases.remove(self.uri)


class SqliteScriptDatabases(Service):
    """
    See `per_script.ScriptDatabases`.

    Args:
        folder: Where the files lie; made if missing.
        threads: Where transactions run.
        main: The main database, which holds the index.
        chains: Of the tables in each file.
        clock: Ends waits.
        random: Gives 0 to 1, for waits between attempts.
        milliseconds: The server's clock, since 1970.
        published: Told the script after a commit that left messages in its outbox.
        most_open: Most files that are open at the same time.
        shared: See `share`.
        durable: See `Database`.
        sqlite: The same.
        passed: Told of the points on the way of a unit.
    """

    def __init__(
        self,
        *,
        folder: Path,
        threads: Runs,
        main: Database,
        chains: Sequence[MigrationChain],
        clock: Clock,
        random: Callable[[], float],
        milliseconds: Callable[[], int],
        published: Callable[[str], None],
        most_open: int,
        shared: bool = False,
        durable: bool = True,
        sqlite: SqliteEngines | None = None,
        passed: Passed = unwatched,
    ) -> None:
        self._folder = folder
        self._threads = threads
        self._chains = tuple(chains)
        self._clock = clock
        self._random = random
        self._milliseconds = milliseconds
        self._published = published
        self._most_open = most_open
        self._shared = shared
        self._durable = durable
        self._passed = passed
        self._files: OrderedDict[str, ScriptFile] = OrderedDict()
        """By URI, those not absent; last the one that was used last."""
        self._room = Pulse()
        """Fires when a file was closed, or is not in use any more."""
        self._owed: dict[str, Debt] = {}
        """By URI, what is to be done before the file is used for anything else."""
        self._due: list[Callable[[Connection], int | None]] = [_first_message]
        self._upkeep: list[Callable[[Connection], int]] = []
        self._index = ScriptIndex(main=main)
        self._sqlite = sqlite or SqliteEngines()
        self._new = script_files.NewFiles(migrate=self._migrate, durable=durable)
        self._opened = 0
        self._closed = 0
        self.last_write = LastWrite()
        """Whether the files can be written: the last write to any of them."""

    def startService(self) -> Deferred[None]:
        """
        End the removals that an earlier life of the server began.

        Returns:
            Fails with `Unavailable` if the main database is away.
        """
        super().startService()
        return Deferred.fromCoroutine(self._end_removals())

    def stopService(self) -> Deferred[None]:
        """Take no more work, wait for what is in hand, close all files."""
        super().stopService()
        self._room.fire()
        ending = [Deferred.fromCoroutine(self._close(file)) for file in list(self._files.values())]
        return gatherResults(ending).addCallback(lambda _: None)

    def of(self, uri: str) -> SqliteScriptDatabase:
        """See `per_script.ScriptDatabases.of`; nothing is opened yet."""
        return SqliteScriptDatabase(uri=uri, databases=self)

    def add_due(self, due: Callable[[Connection], int | None]) -> None:
        """See `per_script.ScriptDatabases.add_due`."""
        self._due.append(due)

    def add_upkeep(self, remove: Callable[[Connection], int]) -> None:
        """See `per_script.ScriptDatabases.add_upkeep`; also done whenever a file that was written to is closed."""
        self._upkeep.append(remove)

    def due(self, before: int) -> Deferred[list[str]]:
        """See `per_script.ScriptDatabases.due`; those that are open for writing are always among them."""
        return self._index.due(before)

    def holding(self) -> Deferred[dict[str, int]]:
        """See `per_script.ScriptDatabases.holding`."""

        def when(entries: Mapping[str, IndexEntry]) -> dict[str, int]:
            return {uri: entry.due_at for uri, entry in entries.items() if not entry.deleting}

        return self._index.read().addCallback(when)

    def next_due(self) -> Deferred[int | None]:
        """Return when the first message in the outbox of a file that is closed is due; None if there is none."""
        return self._index.next_due()

    def share(self, shared: bool) -> None:  # noqa: FBT001  it is what it says
        """
        Know whether another process serves from the same folder.

        While one does no file is migrated, and nothing is taken out of the index: what is done with here may be in
        use there.
        """
        self._shared = shared

    async def forget_old(self) -> None:
        """Drop the ids of old units in the files that are open."""
        for file in [file for file in self._files.values() if file.ready and file.entered]:
            await self.use(file.uri, lambda opened: Deferred.fromCoroutine(opened.units.forget_old()), writes=True)

    async def expire(self) -> None:
        """Remove what is over from the files that are open."""
        for file in [file for file in self._files.values() if file.ready and file.entered]:
            await self.use(file.uri, lambda opened: Deferred.fromCoroutine(self._expire(opened)), writes=True)

    def purge(self, connection: Connection, uri: str) -> None:
        """Have a script's file removed if the transaction of *connection*, in the main database, is committed."""
        enter_removal(connection, uri)

    def purged(self, uri: str) -> None:
        """Remove the file of a script whose `purge` was committed; whoever uses it waits for that."""
        self.owe(uri, self._remove)
        Deferred.fromCoroutine(self.settle(uri)).addErrback(_not_removed)

    def owe(self, uri: str, settle: Callable[[str], Awaitable[None]]) -> None:
        """Have *settle* called, until it succeeds, before a file is used for anything else."""
        self._owed.setdefault(uri, Debt()).settling.append(settle)

    async def settle(self, uri: str) -> None:
        """
        Do what is to be done before a file is used.

        Raises:
            Unavailable: It cannot be done.
        """
        debt = self._owed.get(uri)
        if debt is None:
            return

        async def settle() -> None:
            while debt.settling:
                await debt.settling[0](uri)
                del debt.settling[0]
            if self._owed.get(uri) is debt:
                del self._owed[uri]

        await debt.lock.run(lambda: Deferred.fromCoroutine(settle()))

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {
            "open": len(self._files),
            "inUse": sum(file.uses > 0 for file in self._files.values()),
            "waiting": len(self._room),
            "opened": self._opened,
            "closed": self._closed,
        }

    # -- what a SqliteScriptDatabase does -----------------------------------------------------------

    def use(
        self,
        uri: str,
        work: Callable[[ScriptFile], Deferred[T]],
        *,
        writes: bool = False,
        settled: bool = False,
    ) -> Deferred[T]:
        """
        Have the file of a script open while *work* lasts; enter it in the index first if it writes.

        Args:
            settled: This is what others wait for: see `owe`.
        """
        file = self._files.get(uri)
        settled = settled or uri not in self._owed
        if file is not None and file.ready and (file.entered or not writes) and settled and self.running:
            # The usual case: without a coroutine.
            self._begin(file)
            return maybeDeferred(work, file).addBoth(self._end, file)
        return Deferred.fromCoroutine(self._use(uri, work, writes=writes, settled=settled))

    def withdraw(self, uri: str, unit: str) -> None:
        """See `Units.withdraw`; a unit whose file is not open yet goes its way."""
        file = self._files.get(uri)
        if file is not None and file.ready:
            file.units.withdraw(unit)

    def transaction(self, uri: str, terms: TransactionTerms) -> OpenTransaction:
        """See `per_script.ScriptDatabase.transaction`."""

        def hold(work: Callable[[Database], Deferred[None]], late: Callable[[], EngineError]) -> Deferred[None]:
            return self.use(uri, lambda file: file.database.hold(lambda: work(file.database), late=late), writes=True)

        return OpenTransaction(
            hold=hold,
            threads=self._threads,
            terms=terms,
            clock=self._clock,
            milliseconds=self._milliseconds,
            passed=self._passed,
        )

    def export(self, uri: str, target: Path) -> Deferred[None]:
        """See `SqliteScriptDatabase.export`."""

        def failed(failure: Failure) -> Failure:
            failure.trap(OSError, sqlite3.Error)
            why = f"The database of the script {uri} cannot be copied: {failure.getErrorMessage()}."
            return Failure(Unavailable(why, retry_seconds=30.0))

        return self.use(
            uri, lambda opened: self._threads.run(script_files.copy, opened.path, target).addErrback(failed)
        )

    def remove(self, uri: str) -> Deferred[None]:
        """See `SqliteScriptDatabase.remove`."""
        return Deferred.fromCoroutine(self._remove(uri))

    # -- opening and closing ------------------------------------------------------------------

    async def _use(self, uri: str, work: Callable[[ScriptFile], Deferred[T]], *, writes: bool, settled: bool) -> T:
        if not settled:
            await self.settle(uri)
        file = await self._acquire(uri)
        try:
            if writes and not file.entered:
                await self._enter(file)
            return await work(file)
        finally:
            self._end(None, file)

    async def _acquire(self, uri: str) -> ScriptFile:
        """Return the file, open and counted as used."""
        until = self._clock.seconds() + WAIT_SECONDS
        while True:
            if not self.running:
                raise Unavailable("The server is stopping; nothing was changed.", retry_seconds=1.0)
            file = self._files.get(uri)
            if file is None:
                if len(self._files) >= self._most_open:
                    await self._wait(self._make_room(), until)
                    continue
                file = self._files[uri] = ScriptFile(uri=uri, path=script_files.path_of(self._folder, uri))
                self._begin(file)
                Deferred.fromCoroutine(self._open(file)).addErrback(_fault)
            elif file.ending:
                await self._wait(file.ended.wait(), until)
                continue
            else:
                self._begin(file)
            try:
                await file.opened.wait()
            except BaseException:
                self._end(None, file)
                raise
            return file

    async def _open(self, file: ScriptFile) -> None:
        database = self._database(file.path, name=f"script {file.uri}")
        try:
            await self._threads.run(open_file, file.path, database, self._new)
        except BaseException as error:  # noqa: BLE001  everybody who waits for the file is told
            # If it is being closed already, that goes on from here.
            closing, file.ending = file.ending, True
            refusal = refusal_of(file.uri, error)
            if isinstance(error, OSError) and refusal.value is not None:
                self.last_write.failed(refusal.value)
            file.opened.fire(refusal)
            if not closing:
                self._forget(file)
            return
        file.database = database
        file.units = Units(
            database=database,
            milliseconds=self._milliseconds,
            published=partial(self._published, file.uri),
            passed=self._passed,
        )
        file.units.startService()
        file.ready = not file.ending
        self._opened += 1
        file.opened.fire()

    def _database(self, path: Path, *, name: str) -> Database:
        return Database(
            url=sqlite_url(path),
            threads=self._threads,
            name=name,
            chains=self._chains,
            clock=self._clock,
            random=self._random,
            connections=_CONNECTIONS,
            durable=self._durable,
            alone=not self._shared,
            sqlite=self._sqlite,
            last_write=self.last_write,
            guarded=True,
        )

    def _migrate(self, path: Path) -> None:
        database = self._database(path, name="new script")
        database.open()
        database.close()

    async def _enter(self, file: ScriptFile) -> None:
        """Enter the file in the index; once, however many want to write."""
        if file.entering is None:
            entering = file.entering = Latch()

            def entered(result: object) -> None:
                file.entering = None
                file.entered = not isinstance(result, Failure)
                entering.fire(result if isinstance(result, Failure) else None)

            self._index.put(file.uri, IndexEntry(due_at=UNKNOWN)).addBoth(entered)
        else:
            entering = file.entering
        await entering.wait()

    def _begin(self, file: ScriptFile) -> None:
        file.uses += 1
        self._files.move_to_end(file.uri)

    def _end(self, result: Any, file: ScriptFile) -> Any:
        file.uses -= 1
        if file.uses == 0:
            file.idle.fire()
            self._room.fire()
        return result

    def _make_room(self) -> Deferred[None]:
        """Close the file that was used longest ago; return what fires when there may be room."""
        # Before closing: that may be over at once.
        room = self._room.wait()
        idle = next((file for file in self._files.values() if file.ready and not file.uses), None)
        if idle is not None:
            Deferred.fromCoroutine(self._close(idle)).addErrback(_fault)
        return room

    async def _close(self, file: ScriptFile) -> None:
        """Close a file when nothing uses it any more; whoever comes meanwhile waits until it is closed."""
        if file.ending:
            await file.ended.wait()
            return
        file.ending, file.ready = True, False
        try:
            await self._close_now(file)
        finally:
            self._forget(file)

    def _forget(self, file: ScriptFile) -> None:
        del self._files[file.uri]
        file.ended.fire()
        self._room.fire()

    async def _close_now(self, file: ScriptFile) -> None:
        try:
            await file.opened.wait()
        except Exception:  # noqa: BLE001  it was not opened; whoever wanted it is told
            return
        while file.uses:
            await file.idle.wait()
        await file.units.stopService()
        if file.entered:
            try:
                await self._expire(file)
            except EngineError as error:
                _log.warn("the database of {uri} keeps what is over: {why}", uri=file.uri, why=error.public)
        entry = await self._waiting_in(file)
        stopping = file.database.stopService()
        if stopping is not None:
            await stopping
        self._closed += 1
        if file.entered and not self._shared and (entry is None or entry.due_at != UNKNOWN):
            try:
                await self._index.put(file.uri, entry)
            except EngineError as error:
                # It stays entered, and is looked into after the next start.
                _log.warn("the index of script databases cannot be written: {why}", why=error.private or error.public)

    async def _waiting_in(self, file: ScriptFile) -> IndexEntry | None:
        """Return what the index is to say of a file that is being closed."""
        if not file.entered:
            return None
        try:
            found = await file.database.read(lambda connection: [due(connection) for due in self._due])
        except EngineError:
            return IndexEntry(due_at=UNKNOWN)
        times = [due_at for due_at in found if due_at is not None]
        # A message that was never tried is due since the beginning of time.
        return IndexEntry(due_at=max(min(times), UNKNOWN + 1)) if times else None

    async def _expire(self, file: ScriptFile) -> None:
        for remove in self._upkeep:
            while await file.database.run(remove):
                pass

    async def _remove(self, uri: str) -> None:
        until = self._clock.seconds() + WAIT_SECONDS
        while (file := self._files.get(uri)) is not None:
            if not file.ending:
                Deferred.fromCoroutine(self._close(file)).addErrback(_fault)
            await self._wait(file.ended.wait(), until)
        if not self.running:
            raise Unavailable("The server is stopping; nothing was changed.", retry_seconds=1.0)
        # It keeps others from opening the file.
        gone = self._files[uri] = ScriptFile(uri=uri, path=script_files.path_of(self._folder, uri))
        gone.ending = True
        try:
            await self._index.put(uri, IndexEntry(due_at=UNKNOWN, deleting=True))
            await self._unlink(uri)
        finally:
            self._forget(gone)

    async def _unlink(self, uri: str) -> None:
        try:
            await self._threads.run(script_files.remove, script_files.path_of(self._folder, uri))
        except OSError as error:
            why = f"The database of the script {uri} cannot be removed: {error.strerror}."
            raise Unavailable(why, private=str(error), retry_seconds=30.0) from error
        await self._index.put(uri, None)

    async def _end_removals(self) -> None:
        entries = await self._index.read()
        for uri, entry in entries.items():
            if entry.deleting:
                try:
                    await self._unlink(uri)
                except Unavailable as error:
                    _log.error("{why} It is tried again at the next start.", why=error.public)

    def _wait(self, signal: Deferred[None], until: float) -> Awaitable[None]:
        """Wait for a signal, and not too long."""

        def late(failure: Failure) -> None:
            failure.trap(WaitedTooLong)
            raise Unavailable(
                "Too many databases of scripts are in use; nothing was changed. Try again.", retry_seconds=1.0
            )

        left = max(0.0, until - self._clock.seconds())
        return signal.addTimeout(left, cast(Any, self._clock)).addErrback(late)


class Debt:
    """What is to be done before a file is used for anything else."""

    def __init__(self) -> None:
        self.settling: list[Callable[[str], Awaitable[None]]] = []
        self.lock = DeferredLock()


def _first_message(connection: Connection) -> int | None:
    return connection.execute(sa.select(sa.func.min(outbox.c.next_at))).scalar()


def _not_removed(failure: Failure) -> None:
    if isinstance(failure.value, EngineError):
        _log.warn("the database of a purged script is still there: {why}", why=failure.value.public)
    else:
        _fault(failure)


def _fault(failure: Failure) -> None:
    _log.failure("internal error while the database of a script was opened or closed", failure)
