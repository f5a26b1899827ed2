"""
Where the statements of an invocation run: in snapshots until it writes, then in one transaction until it commits.

The transaction is the unit's (`session.transaction`): what else the unit does is written in it, too, and it is
committed with that or not at all.

A load (the top level of a script and `init`, while it is deployed) is different, for it may be a mere check, and it
must not keep the version that serves from writing until the deployment is decided.  What it does is done in a
transaction that is undone at its end; the statements that changed something are kept, and done again in the
deployment's own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Connection
from twisted.internet.defer import Deferred

from aiwebengine.errors import Invalid
from aiwebengine.host.effects import HeldEffect
from aiwebengine.host.session import CallSession
from aiwebengine.services.db.open_transactions import OpenTransaction

GROUP = "tables"
"""Name of the effects."""
LOADED = "loaded"
"""Key of the effect with what a load has changed."""

T = TypeVar("T")


class Snapshots(Protocol):
    """Reads the database of a script."""

    def read(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """See `Database.read`."""


class ScriptTransactions:
    """
    See `calls.SqlTransactions`.

    Args:
        snapshots: Returns what reads the database of a script.
        make: Makes a transaction in the database of a script; nothing is begun yet.
        prepare: Brings the tables to what an invocation that loads has declared so far.
    """

    def __init__(
        self,
        *,
        snapshots: Callable[[str], Snapshots],
        make: Callable[[str], OpenTransaction],
        prepare: Callable[[CallSession, Connection], None],
    ) -> None:
        self._snapshots = snapshots
        self._make = make
        self._prepare = prepare
        self._loading: WeakKeyDictionary[CallSession, OpenTransaction] = WeakKeyDictionary()

    def read(self, session: CallSession, work: Callable[[Connection], T]) -> Awaitable[T]:
        """See `calls.SqlTransactions.read`."""
        transaction = session.transaction
        if isinstance(transaction, OpenTransaction):
            return transaction.run(work, whole=False)
        if session.registrations is not None:
            return self._load(session, work)
        return self._snapshots(session.invocation.script).read(work)

    def write(self, session: CallSession, work: Callable[[Connection], T]) -> Awaitable[T]:
        """See `calls.SqlTransactions.write`."""
        session.require_writing()
        if session.registrations is not None:
            return self._load(session, work)
        return self._open(session).run(work)

    async def savepoint(self, session: CallSession, action: str, level: int) -> None:
        """See `calls.SqlTransactions.savepoint`."""
        session.require_writing()
        transaction = self._open(session) if session.registrations is None else await self._loaded(session)
        if action == "begin":
            await self._begin(transaction, level)
            return
        if transaction.levels[-1:] != [level]:
            raise Invalid("database.transaction: a transaction that is within this one has not ended; await it.")
        transaction.levels.pop()
        name = f"part_{level}"
        texts = [f"RELEASE {name}"] if action == "release" else [f"ROLLBACK TO {name}", f"RELEASE {name}"]
        try:
            await transaction.run(lambda connection: _execute(connection, texts), whole=False)
        finally:
            if level == 1:
                transaction.parts.release()

    async def _begin(self, transaction: OpenTransaction, level: int) -> None:
        if level == 1:
            await transaction.parts.acquire()
        try:
            _refuse_if_ended(transaction, level)
            await transaction.run(lambda connection: _execute(connection, [f"SAVEPOINT part_{level}"]), whole=False)
        except BaseException:
            if level == 1:
                transaction.parts.release()
            raise
        transaction.levels.append(level)

    def _open(self, session: CallSession) -> OpenTransaction:
        transaction = session.transaction
        if not isinstance(transaction, OpenTransaction):
            transaction = session.transaction = self._make(session.invocation.script)
        return transaction

    async def _load(self, session: CallSession, work: Callable[[Connection], T]) -> T:
        transaction = await self._loaded(session)
        return await transaction.run(work)

    async def _loaded(self, session: CallSession) -> OpenTransaction:
        transaction = self._loading.get(session)
        if transaction is None:
            transaction = self._loading[session] = self._make(session.invocation.script)
            session.at_end(transaction.roll_back)
            session.hold(HeldEffect(group=GROUP, key=LOADED, value=transaction.recorder))
        await transaction.run(lambda connection: self._prepare(session, connection))
        return transaction


def _refuse_if_ended(transaction: OpenTransaction, level: int) -> None:
    if level != len(transaction.levels) + 1:
        raise Invalid("database.transaction: the transaction that this one is within has ended.")


def _execute(connection: Connection, texts: list[str]) -> None:
    for text in texts:
        connection.exec_driver_sql(text)
