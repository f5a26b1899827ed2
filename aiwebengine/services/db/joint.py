"""
Units of work that write into more than one database.

Most units write into the file of their script alone.  Some write into the main database too: what deploys
scripts, stores files that are served, or runs while a script is deployed.  Two SQLite files cannot be committed
together, so the main database decides.  What such a unit writes into the files of scripts is kept in the main
database as an *intent*, a row of its outbox, in the same transaction as all else that the unit writes there:

    BEGIN in each file; write; refuse what is stale or too much     nothing is committed
    BEGIN in the main database; write; the intents; COMMIT          from here on the unit is committed, whole
    COMMIT in each file
    the relay removes the intents

All of it runs in one thread, which is the one writer of all these databases.  If the server dies between the
commits, or the disk refuses the second one, an intent is carried out once, known by the unit's id in the file: at
the next start, or before the file is used for anything else.

The main database decides, and not the file of a script, because a deployment has no such file or several: a script
that is deployed may deploy others, and each of them may store something while it loads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError, OutcomeUnknown
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.services.db.changes import ChangeRecorder, repeat
from aiwebengine.services.db.connect import Database, TransactionOutcome
from aiwebengine.services.db.script_databases import SqliteScriptDatabases
from aiwebengine.services.db.script_file import ScriptFile
from aiwebengine.services.db.tables import outbox, units
from aiwebengine.services.db.units import OwnWrites, Transaction, Unfinished, Units, Write
from aiwebengine.services.threads import Runs

_log = Logger()

T = TypeVar("T")

INTENT = "intent"
"""Kind of the rows in the main database's outbox."""

_FIRST_ORDINAL = 1000
"""What a unit publishes in the main database has smaller numbers."""


@dataclass(slots=True)
class _JointOutcome:
    """What has become of a joint commit, as its thread knows."""

    result: Any = None
    committed: bool = False
    """The main database has it."""
    problem: BaseException | None = None
    """Why a file does not have it."""


Transact = Callable[[Callable[[Connection], None]], None]
"""Runs a function in one transaction that it commits, in the thread of the caller."""


@dataclass(slots=True, kw_only=True)
class _Participants:
    """The files that take part, open."""

    files: list[tuple[Transact, Sequence[OwnWrites]]] = field(default_factory=list)


class JointCommits(Service):
    """
    Commits units, in whichever databases they write; see `effects.UnitCommits`.

    Args:
        main: The main database.
        threads: Where units are written that write into several databases.
        units: Of the main database.
        databases: Of scripts.
        milliseconds: The server's clock, since 1970.
        published: Told after a commit that left something in the main database's outbox.
        published_for: Told the script after a commit that may have left messages in its own.
        passed: Told of the points on the way.
    """

    def __init__(
        self,
        *,
        main: Database,
        threads: Runs,
        units: Units,
        databases: SqliteScriptDatabases,
        milliseconds: Callable[[], int],
        published: Callable[[], None],
        published_for: Callable[[str], None],
        passed: Passed = unwatched,
    ) -> None:
        self._main = main
        self._threads = threads
        self._units = units
        self._databases = databases
        self._milliseconds = milliseconds
        self._published = published
        self._published_for = published_for
        self._carried_out: set[tuple[str, str]] = set()
        """Scripts and units whose intents wait for the relay to remove them, and for nothing else."""
        self._passed = passed

    def startService(self) -> Deferred[None]:
        """Carry out what an earlier life of the server has left."""
        super().startService()
        return Deferred.fromCoroutine(self._settle_all())

    def own(self, script: str, unit: str, write: Write) -> Deferred[None]:
        """Commit a unit that writes into the database of its script alone."""
        return self._databases.of(script).commit(unit, write)

    def begun(self, script: str, unit: str, transaction: Unfinished, write: Write | None) -> Deferred[None]:
        """Commit a unit that has begun to write into the database of its script."""

        def committed(published: int) -> None:
            if published:
                self._published_for(script)

        return transaction.commit(unit, write).addCallback(committed)

    def main(self, unit: str, write: Write) -> Deferred[None]:
        """Commit a unit that writes into the main database alone."""
        return self._units.commit(unit, write)

    def both(self, own: OwnWrites, write: Write) -> Deferred[None]:
        """Commit a unit that writes into the database of its script and, with *write*, into the main one."""

        def work(connection: Connection) -> None:
            write(Transaction(connection=connection, unit=own.unit, now=self._milliseconds()))

        return self.together(work, [own])

    def withdraw(self, script: str, unit: str) -> None:
        """Have a unit fail with `Cancelled` if it was not begun; one that writes into both goes its way."""
        self._databases.withdraw(script, unit)
        self._units.withdraw(unit)

    def together(self, work: Callable[[Connection], T], own: Sequence[OwnWrites]) -> Deferred[T]:
        """
        Run *work* in a transaction of the main database, and commit *own* with it, whole or not at all.

        Raises:
            EngineError: As `Database.run`, or what one of *own* raised: nothing was changed.
            OutcomeUnknown: It cannot be said whether something was.
        """
        if not own:
            return self._main.run(work)
        return Deferred.fromCoroutine(self._together(work, own))

    def purge(self, connection: Connection, script: str) -> None:
        """Have all that a script has written removed if the transaction of *connection* is committed."""
        query = sa.select(outbox.c.id, outbox.c.payload).where(outbox.c.kind == INTENT)
        left = [row.id for row in connection.execute(query) if json.loads(row.payload)["script"] == script]
        if left:
            connection.execute(sa.delete(outbox).where(outbox.c.id.in_(left)))
        self._carried_out = {entry for entry in self._carried_out if entry[0] != script}
        self._databases.purge(connection, script)

    async def deliver(self, message: Any) -> None:
        """Have the file of a script what an intent says, so that the relay can remove it; see `outbox.Deliver`."""
        script, unit = message.payload["script"], message.payload["unit"]
        if (script, unit) not in self._carried_out:
            await self._settle(script)
        self._carried_out.discard((script, unit))

    async def _together(self, work: Callable[[Connection], T], own: Sequence[OwnWrites]) -> T:
        # In the same order each time: nobody waits for a file while holding one that comes after it.
        scripts = sorted({writes.script for writes in own})
        participants = _Participants()
        fate = TransactionOutcome()

        def write() -> Deferred[tuple[Any]]:
            writing = self._main.hold(
                lambda: self._threads.run(self._write, work, participants.files, fate), late=fate.give_up
            )
            # That something failed elsewhere does not speak against the files.
            return writing.addBoth(lambda result: (result,))

        def hold(at: int) -> Deferred[tuple[Any]]:
            if at == len(scripts):
                return write()

            writing = [writes for writes in own if writes.script == scripts[at]]
            begun = next((writes.transaction for writes in writing if writes.transaction is not None), None)
            if begun is not None:
                participants.files.append((begun.transact, writing))
                return begun.hold(lambda: hold(at + 1))

            def opened(file: ScriptFile) -> Deferred[tuple[Any]]:
                transact = partial(file.database.transact, fate=TransactionOutcome())
                participants.files.append((transact, writing))
                return file.database.hold(lambda: hold(at + 1), late=fate.give_up)

            return self._databases.use(scripts[at], opened, writes=True)

        try:
            (outcome,) = await hold(0)
        except OutcomeUnknown:
            self._owe(scripts)
            raise
        if isinstance(outcome, Failure):
            if outcome.check(OutcomeUnknown):
                self._owe(scripts)
            outcome.raiseException()
        if outcome.problem is not None:
            _log.warn("a unit is committed, and has yet to reach its script: {why}", why=str(outcome.problem))
            self._owe(scripts)
        else:
            self._carried_out.update((writes.script, writes.unit) for writes in own)
        for script in scripts:
            self._published_for(script)
        self._published()
        return outcome.result  # type: ignore[no-any-return]

    def _owe(self, scripts: Sequence[str]) -> None:
        for script in scripts:
            self._databases.owe(script, self._settle)

    # -- in a thread --------------------------------------------------------------------------

    def _write(
        self,
        work: Callable[[Connection], Any],
        files: Sequence[tuple[Transact, Sequence[OwnWrites]]],
        fate: TransactionOutcome,
    ) -> _JointOutcome:
        now = self._milliseconds()
        outcome = _JointOutcome()
        intents: list[tuple[OwnWrites, str]] = []

        def in_main(connection: Connection) -> None:
            outcome.result = work(connection)
            for ordinal, (own, changes) in enumerate(intents, _FIRST_ORDINAL):
                connection.execute(sa.insert(outbox).values(**_intent(own, changes, ordinal=ordinal, now=now)))
            self._passed("joint.written")

        def from_file(at: int) -> None:
            if at == len(files):
                self._main.transact(in_main, fate=fate)
                outcome.committed = True
                self._passed("joint.decided")
                return
            transact, writes = files[at]

            def in_file(connection: Connection) -> None:
                intents.extend((own, _record(connection, own, now)) for own in writes)
                from_file(at + 1)

            transact(in_file)

        self._passed("joint.begun")
        try:
            from_file(0)
        except Exception as error:  # What is committed stays so, whatever a file met.
            if not outcome.committed:
                raise
            outcome.problem = error
        self._passed("joint.done")
        return outcome

    # -- intents ------------------------------------------------------------------------------

    async def _settle_all(self) -> None:
        for script in dict.fromkeys(payload["script"] for payload in await self._main.read(_intents)):
            self._owe([script])
            try:
                await self._databases.settle(script)
            except EngineError as error:
                # Its own requests are refused until it is; those of others need not be.
                _log.error("the database of the script {script} is behind: {why}", script=script, why=error.public)

    async def _settle(self, script: str) -> None:
        """Write into the file of a script what the main database says that it has, in order."""
        intents = [payload for payload in await self._main.read(_intents) if payload["script"] == script]

        def work(connection: Connection) -> None:
            for payload in intents:
                _carry_out(connection, payload)

        if intents:
            await self._databases.use(script, lambda file: file.database.run(work), writes=True, settled=True)
        self._carried_out.update((script, payload["unit"]) for payload in intents)


def _record(connection: Connection, own: OwnWrites, now: int) -> str:
    recorder = ChangeRecorder() if own.transaction is None else own.transaction.recorder
    with recorder.recording(connection):
        connection.execute(sa.insert(units).values(id=own.unit, at=now))
        if own.write is not None:
            own.write(Transaction(connection=connection, unit=own.unit, now=now))
    return recorder.as_json()


def _intent(own: OwnWrites, changes: str, *, ordinal: int, now: int) -> dict[str, Any]:
    payload = {"script": own.script, "unit": own.unit, "changes": changes}
    return {
        "unit": own.unit,
        "ordinal": ordinal,
        "kind": INTENT,
        "payload": json.dumps(payload, separators=(",", ":")),
        "created_at": now,
        "attempts": 0,
        "next_at": 0,
    }


def _intents(connection: Connection) -> list[dict[str, str]]:
    query = sa.select(outbox.c.payload).where(outbox.c.kind == INTENT).order_by(outbox.c.id)
    return [json.loads(payload) for payload in connection.execute(query).scalars()]


def _carry_out(connection: Connection, payload: dict[str, str]) -> None:
    known = sa.select(units.c.id).where(units.c.id == payload["unit"])
    if connection.execute(known).first() is None:
        # Its first statement says that it is there.
        repeat(connection, payload["changes"])
