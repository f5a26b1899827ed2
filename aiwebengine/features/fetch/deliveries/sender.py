"""
Sends requests that wait, at least once, until they are accepted.

A status from 200 to 299 accepts a request.  Everything else is tried again, at growing distances, so often as
`fetch.delivery_attempts` says; then it has failed, and waits for an administrator.  Each attempt has the same
idempotency key.  A few are sent at a time, so that a server that hangs does not delay the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.engine import Connection
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError
from aiwebengine.features.fetch.deliveries import store
from aiwebengine.features.fetch.deliveries.store import Delivery
from aiwebengine.features.fetch.exchange import Fetch, Outside
from aiwebengine.features.fetch.network.targets import TargetUrl
from aiwebengine.features.fetch.requests import read_wanted, with_defaults
from aiwebengine.interfaces import DelayedCall, Secrets
from aiwebengine.services.db.per_script import ScriptDatabases
from aiwebengine.services.db.script_index import NEVER
from aiwebengine.services.retry import Backoff
from aiwebengine.values import Cause

_log = Logger()

_AT_ONCE = 16
_OF_SCRIPT = 4
_LOOK_SECONDS = 30.0
_BACKOFF = Backoff(first_seconds=10.0, longest_seconds=6 * 3600.0)


class DeliverySender(Service):
    """
    See the module.

    Args:
        outside: What all requests share.
        databases: Of scripts.
        milliseconds: The server's clock, since 1970.
        check: Refuses hosts that a script, named by its URI, may not reach now.
        secrets: Returns what fills secrets in; None without it.
        failed: Called with a request that has failed for good, and the reason.
        alone: Whether no other server sends from the same data.
    """

    def __init__(
        self,
        *,
        outside: Outside,
        databases: ScriptDatabases,
        milliseconds: Callable[[], int],
        check: Callable[[str, TargetUrl], None],
        failed: Callable[[Delivery, str], None],
        alone: bool,
        secrets: Callable[[], Secrets | None] = lambda: None,
    ) -> None:
        self._outside = outside
        self._databases = databases
        self._times: dict[str, int] = {}
        """By script, when its next request is due, or may be: 0 to look."""
        self._known = False
        """The scripts of which something waited at the start are among them."""
        self._milliseconds = milliseconds
        self._check = check
        self._secrets = secrets
        self._failed = failed
        self._resting = not alone
        self._sending: dict[str, tuple[str, Fetch]] = {}
        """By id: the script, and the request under way."""
        self._looking: Deferred[None] | None = None
        self._again = False
        self._next: DelayedCall | None = None
        self._sent = 0
        self._given_up = 0

    def startService(self) -> None:
        """Send what waits."""
        super().startService()
        self.wake()

    def stopService(self) -> Deferred[None] | None:
        """End what is under way: it is sent again by the next server."""
        super().stopService()
        self._stop_timer()
        for _, exchange in list(self._sending.values()):
            exchange.cancel()
        looking = self._looking
        if looking is None:
            return None
        done: Deferred[None] = Deferred()
        looking.addBoth(lambda _: done.callback(None))
        return done

    def rest(self, resting: bool) -> None:  # noqa: FBT001  what a hand-over calls
        """Send nothing more, or go on."""
        self._resting = resting
        if not resting:
            # The other server has left something, perhaps.
            self._known = False
            self.wake()

    def wake_for(self, script: str) -> None:
        """Look at once for what is due of one script."""
        self._times[script] = 0
        self.wake()

    def wake(self) -> None:
        """Look for what is due at once."""
        if not self.running or self._resting:
            return
        if self._looking is not None:
            self._again = True
            return
        self._stop_timer()
        self._again = False
        self._looking = Deferred.fromCoroutine(self._look())
        self._looking.addErrback(self._cannot_look)
        self._looking.addBoth(lambda _: self._looked())

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"sending": len(self._sending), "sent": self._sent, "failed": self._given_up}

    async def _look(self) -> None:
        """Begin to send what is due, as far as there is room."""
        if not self._known:
            holding = await self._databases.holding()
            self._times = {script: at for script, at in holding.items() if at != NEVER} | self._times
            self._known = True
        now = self._milliseconds()
        for script in sorted((script for script, at in self._times.items() if at <= now), key=self._times.__getitem__):
            room = min(_AT_ONCE - len(self._sending), _OF_SCRIPT - len(self._under_way(script)))
            if not self.running or self._resting:
                return
            if room > 0:
                await self._look_into(script, now, room)
        if self._sending or not self._times or not self.running:
            # Each that ends looks again.
            return
        seconds = (min(self._times.values()) - self._milliseconds()) / 1000
        self._next = self._outside.reactor.callLater(min(max(seconds, 0.1), _LOOK_SECONDS), self._time)

    async def _look_into(self, script: str, now: int, room: int) -> None:
        """Begin to send what is due of one script, and find out when the next is."""
        under_way = self._under_way(script)

        def work(connection: Connection) -> tuple[Sequence[Delivery], int | None]:
            rows = store.due(connection, now=now, limit=room, without=under_way)
            return rows, store.next_due(connection, without=[*under_way, *(row.id for row in rows)])

        # What is told meanwhile stays.
        del self._times[script]
        try:
            rows, moment = await self._databases.of(script).read(work)
        except EngineError as error:
            _log.warn("requests that wait to be sent cannot be read: {why}", why=error.public)
            moment, rows = now + int(_LOOK_SECONDS * 1000), ()
        for delivery in rows:
            if self.running and not self._resting:
                self._begin(delivery)
            else:
                moment = 0
        if moment is not None:
            self._times[script] = min(moment, self._times.get(script, moment))

    def _under_way(self, script: str) -> list[str]:
        return [identity for identity, (uri, _) in self._sending.items() if uri == script]

    def _looked(self) -> None:
        self._looking = None
        if self._again:
            self.wake()

    def _cannot_look(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        if isinstance(failure.value, EngineError):
            _log.warn("requests that wait to be sent cannot be read: {why}", why=failure.value.public)
        else:
            _log.failure("requests that wait to be sent cannot be read", failure)
        self._look_later()

    def _look_later(self) -> None:
        if self.running and self._next is None:
            self._next = self._outside.reactor.callLater(_LOOK_SECONDS, self._time)

    def _time(self) -> None:
        self._next = None
        self.wake()

    def _stop_timer(self) -> None:
        timer, self._next = self._next, None
        if timer is not None and timer.active():
            timer.cancel()

    def _begin(self, delivery: Delivery) -> None:
        kept, secrets = delivery.request.get("secrets"), self._secrets()
        wanted = read_wanted(delivery.request, self._outside.settings)
        exchange = Fetch(
            outside=self._outside,
            script=delivery.uri,
            cause=Cause(ancestors=(delivery.id.partition(".")[0],)),
            wanted=wanted,
            headers=with_defaults(wanted.headers, key=delivery.id, trace=""),
            check=lambda target: self._check(delivery.uri, target),
            secrets=secrets.of_later(delivery.uri, kept) if kept and secrets is not None else None,
        )
        self._sending[delivery.id] = delivery.uri, exchange
        sending = Deferred.fromCoroutine(self._send(delivery, exchange))
        sending.addCallbacks(lambda _: self._ended(delivery), lambda failure: self._cannot_keep(delivery, failure))

    async def _send(self, delivery: Delivery, exchange: Fetch) -> None:
        try:
            answer = await exchange.begin()
            status: int = answer["status"]
            error = "" if 200 <= status < 300 else f"it was answered with {status}."
        except EngineError as refusal:
            error = refusal.public
        except Exception:  # noqa: BLE001  the edge of a delivery: whatever it met, it waits and the others go on
            _log.failure("the request {id}, which waited, could not be sent", id=delivery.id)
            error = "internal server error; the server log has the details."
        exchange.cancel()
        if not self.running:
            return
        database = self._databases.of(delivery.uri)
        if not error:
            self._sent += 1
            await database.run(lambda connection: store.remove(connection, delivery.id))
            return
        attempts = delivery.attempts + 1
        next_at: int | None = None
        if attempts < self._outside.settings.delivery_attempts:
            wait = _BACKOFF.ceiling(attempts) * (0.5 + self._outside.random() / 2)
            next_at = self._milliseconds() + int(wait * 1000)
        await database.run(lambda connection: store.postpone(connection, delivery.id, error=error, next_at=next_at))
        if next_at is None:
            self._given_up += 1
            self._failed(delivery, error)

    def _cannot_keep(self, delivery: Delivery, failure: Failure) -> None:
        """Look again later: what a request came to is not stored, so it would be sent again at once."""
        self._sending.pop(delivery.id, None)
        self._times[delivery.uri] = self._milliseconds() + int(_LOOK_SECONDS * 1000)
        if isinstance(failure.value, EngineError):
            _log.warn("a request was sent and may be sent again: {why}", why=failure.value.public)
        else:
            _log.failure("a request was sent and may be sent again", failure)
        self._look_later()

    def _ended(self, delivery: Delivery) -> None:
        self._sending.pop(delivery.id, None)
        self.wake_for(delivery.uri)
