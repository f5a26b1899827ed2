"""
The relay: delivers what units of work have published.

A message is a row that was written in the same transaction as all else that its unit did,
so it exists if and only if the unit was committed.  The relay reads the rows in order, has
each delivered by the one who knows its kind, and then deletes it: the rows of quick
deliveries together, that of a slow one at once.  If the server dies in between, messages are
delivered again under the same id, by which a receiver knows them.

    committed -> waiting --delivered--> gone
                    | failed: later, at growing distances
                    | Undeliverable: gone, and said in the log
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError
from aiwebengine.interfaces import Clock, DelayedCall
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.tables import outbox

_log = Logger()

T = TypeVar("T")

_AT_ONCE = 100
_FIRST_WAIT_MS = 1_000
_LONGEST_WAIT_MS = 5 * 60 * 1000
_LOOK_SECONDS = 5.0
# So long may a message be delivered and not yet be forgotten.
_TOGETHER_MS = 50


class Undeliverable(Exception):
    """Trying again is of no use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """What is to be delivered."""

    id: str
    """The same each time it is delivered, and never that of another message."""
    payload: Any
    attempts: int
    """How often it was tried before."""


Deliver = Callable[[OutboxMessage], Awaitable[None] | None]
"""Delivers a message; raises `Undeliverable` if it never can, anything else to have it tried again."""


class Outbox(Protocol):
    """A database that holds messages."""

    def read(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """See `Database.read`."""

    def run(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """See `Database.run`."""


class ScriptOutboxes(Protocol):
    """The databases of scripts."""

    def of(self, uri: str) -> Outbox:
        """Return that of a script."""

    def due(self, before: int) -> Deferred[list[str]]:
        """Return the scripts in whose outbox something is or may be due before this time."""


class Relay(Service):
    """
    Delivers published messages, at least once.

    The outbox of the main database is read at each commit that left something there; that of a script as well, and
    those of all scripts now and then, as their index says.

    Args:
        database: The main one.
        clock: For waiting.
        milliseconds: The server's clock, since 1970.
        passed: Is notified of the points on the way.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        milliseconds: Callable[[], int],
        passed: Passed = unwatched,
    ) -> None:
        self._database = database
        self._kinds: dict[str, Deliver] = {}
        self._clock = clock
        self._milliseconds = milliseconds
        self._passed = passed
        self._scripts: ScriptOutboxes | None = None
        self._woken: set[str] = set()
        """Scripts that have committed something since the last round."""
        self._looked = -_LOOK_SECONDS
        """When the scripts' index was read."""
        self._round: Deferred[None] | None = None
        self._again = False
        self._look: DelayedCall | None = None
        self._delivered = 0
        self._failed = 0

    def add(self, kind: str, deliver: Deliver) -> None:
        """Have *deliver* deliver the messages of a kind; before the service starts."""
        self._kinds[kind] = deliver

    def add_script_outboxes(self, scripts: ScriptOutboxes) -> None:
        """Deliver from the databases of scripts too; called before the service starts."""
        self._scripts = scripts

    def wake_for(self, uri: str) -> None:
        """Deliver at once what a committed unit has published in the database of this script."""
        self._woken.add(uri)
        self.wake()

    def startService(self) -> None:
        """Deliver what an earlier life of the server left."""
        super().startService()
        self.wake()

    def stopService(self) -> Deferred[None] | None:
        """Deliver nothing more; what is being delivered may end."""
        super().stopService()
        if self._look is not None and self._look.active():
            self._look.cancel()
        self._look = None
        round_ = self._round
        if round_ is None:
            return None
        done: Deferred[None] = Deferred()
        round_.addBoth(lambda _: done.callback(None))
        return done

    def wake(self) -> None:
        """Deliver at once what a committed unit has published."""
        if not self.running:
            return
        if self._round is not None:
            self._again = True
            return
        self._again = False
        if self._look is not None and self._look.active():
            self._look.cancel()
        self._round = Deferred.fromCoroutine(self._deliver_all())
        self._round.addErrback(_fault)
        self._round.addBoth(lambda _: self._rested())

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"delivered": self._delivered, "failed": self._failed}

    def _rested(self) -> None:
        self._round = None
        if not self.running:
            return
        if self._again:
            self.wake()
            return
        self._look = self._clock.callLater(_LOOK_SECONDS, self.wake)

    async def _deliver_all(self) -> None:
        await self._deliver_from(self._database)
        for uri in await self._due_scripts():
            if self._scripts is not None:
                await self._deliver_from(self._scripts.of(uri))

    async def _due_scripts(self) -> Sequence[str]:
        """Return the scripts whose outboxes are to be read in this round."""
        if self._scripts is None:
            return ()
        woken, self._woken = self._woken, set()
        now = self._clock.seconds()
        if now - self._looked < _LOOK_SECONDS:
            return sorted(woken)
        self._looked = now
        try:
            due = await self._scripts.due(self._milliseconds() + 1)
        except EngineError as error:
            _log.warn("the index of script databases cannot be read: {why}", why=error.private or error.public)
            return sorted(woken)
        return list(dict.fromkeys([*sorted(woken), *due]))

    async def _deliver_from(self, outbox_of: Outbox) -> None:
        while self.running:
            try:
                rows = await outbox_of.read(self._waiting)
            except EngineError as error:
                _log.warn("messages waiting for delivery cannot be read: {why}", why=error.private or error.public)
                return
            if not rows:
                return
            self._passed("relay.taken")
            delivered: list[int] = []
            since = self._milliseconds()
            for row in rows:
                if not self.running:
                    break
                if await self._deliver(outbox_of, row):
                    delivered.append(row.id)
                if delivered and self._milliseconds() - since >= _TOGETHER_MS:
                    await self._forget(outbox_of, delivered)
                    delivered, since = [], self._milliseconds()
            await self._forget(outbox_of, delivered)

    def _waiting(self, connection: Connection) -> Sequence[Any]:
        due = outbox.c.next_at <= self._milliseconds()
        return connection.execute(sa.select(outbox).where(due).order_by(outbox.c.id).limit(_AT_ONCE)).all()

    async def _deliver(self, outbox_of: Outbox, row: Any) -> bool:
        """Deliver one; return whether it is finished, delivered or not."""
        message = OutboxMessage(id=f"{row.unit}/{row.ordinal}", payload=json.loads(row.payload), attempts=row.attempts)
        self._passed("relay.next")
        try:
            delivering = self._deliverer(row.kind)(message)
            if delivering is not None:
                await delivering
        except CancelledError:
            raise
        except Undeliverable as error:
            self._failed += 1
            _log.error("message {id} was discarded as undeliverable: {why}", id=message.id, why=str(error))
        except (Exception, SystemExit):  # noqa: BLE001  the edge of a delivery: whatever it met, the message waits and the others go on
            self._failed += 1
            _log.failure("message {id} of kind {kind} was not delivered", Failure(), id=message.id, kind=row.kind)
            await self._postpone(outbox_of, row)
            return False
        else:
            self._delivered += 1
        self._passed("relay.delivered")
        return True

    async def _forget(self, outbox_of: Outbox, numbers: Sequence[int]) -> None:
        if numbers:
            await outbox_of.run(lambda connection: _delete(connection, numbers))
            self._passed("relay.forgotten")

    def _deliverer(self, kind: str) -> Deliver:
        try:
            return self._kinds[kind]
        except KeyError:
            raise Undeliverable(f"no delivery is registered for messages of the kind {kind!r}") from None

    async def _postpone(self, outbox_of: Outbox, row: Any) -> None:
        wait = min(_LONGEST_WAIT_MS, _FIRST_WAIT_MS * 2 ** min(row.attempts, 20))
        values = {"attempts": row.attempts + 1, "next_at": self._milliseconds() + wait}
        await outbox_of.run(
            lambda connection: connection.execute(sa.update(outbox).where(outbox.c.id == row.id).values(**values))
        )


def _delete(connection: Connection, numbers: Sequence[int]) -> None:
    connection.execute(sa.delete(outbox).where(outbox.c.id.in_(numbers)))


def _fault(failure: Failure) -> None:
    if isinstance(failure.value, EngineError):
        _log.warn("a message was delivered and may be delivered again: {why}", why=failure.value.private)
    else:
        _log.failure("delivery from the outbox failed; the next poll tries again", failure)
