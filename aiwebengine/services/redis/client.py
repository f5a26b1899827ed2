"""
The store on a Redis or Valkey server.

Every command passes one place (`services/guarded.py`) with a deadline and a circuit breaker:
while the server is unreachable it fails at once, and nothing is queued.  A command without
an answer in time takes its connection with it, because all that was sent behind it on the
same connection would wait as well.  No command is repeated: its answer may have been lost and
its effect not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast
from zlib import crc32

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, gatherResults, succeed
from twisted.logger import Logger

from aiwebengine.errors import Unavailable
from aiwebengine.interfaces import DelayedCall
from aiwebengine.services.breaker import Rules
from aiwebengine.services.guarded import DependencyTimeout, GuardedDependency, GuardTerms, away
from aiwebengine.services.redis.connection import KeptConnection, Wire, WriteRefused, endpoint_of
from aiwebengine.services.redis.listening import RemoteChannels
from aiwebengine.services.redis.store import (
    Active,
    ChannelSubscription,
    CommandRefused,
    Deliver,
    Reply,
    Script,
    milliseconds,
)
from aiwebengine.services.retry import Backoff
from aiwebengine.settings.redis_url import parse
from aiwebengine.settings.schema import RedisSettings

_log = Logger()

_PLACES = 256
_LOOK_SECONDS = 5.0
_RULES = Rules(open_for=Backoff(first_seconds=0.5, longest_seconds=5.0))

_INCREMENT = """
local new = redis.call('EXISTS', KEYS[1]) == 0
redis.call('INCRBY', KEYS[1], ARGV[1])
if new then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('GET', KEYS[1])
"""
_HASH_SET = """
for at = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""


class RedisStore(Service):
    """
    See `store.SharedStore`, and the module.

    Args:
        settings: Address of the server, and how commands are sent; its `url` is not empty.
        reactor: Connects, and times everything.
        random: Returns a number from 0 to 1, for waits.

    Raises:
        CannotStart: The file with certificates cannot be read.
    """

    def __init__(self, *, settings: RedisSettings, reactor: Any, random: Callable[[], float]) -> None:
        self.address = parse(settings.url)
        self._reactor = reactor
        self._prefix = f"{settings.prefix}:"
        self._connect_seconds = settings.connect_seconds
        self.guarded = GuardedDependency(
            name="Redis server",
            terms=GuardTerms(
                seconds=settings.command_seconds,
                places=_PLACES * settings.connections,
                wait_seconds=settings.command_seconds,
                rules=_RULES,
                faulty=lambda error: away(error) and not isinstance(error, WriteRefused),
            ),
            clock=reactor,
            random=random,
        )
        """The way to it."""
        self._listening = RemoteChannels(prefix=self._prefix, clock=reactor, answer_seconds=settings.command_seconds)

        def keep(made: Callable[[Wire], None], lost: Callable[[str], None], pushed: Any = None) -> KeptConnection:
            return KeptConnection(
                endpoint=endpoint_of(
                    reactor, self.address, ca_file=settings.ca_file, connect_seconds=settings.connect_seconds
                ),
                address=self.address,
                clock=reactor,
                random=random,
                attempt_seconds=settings.connect_seconds,
                made=made,
                lost=lost,
                pushed=pushed,
            )

        self._connections = [keep(self._made, self._lost) for _ in range(settings.connections)]
        self._listener = keep(self._listening.made, self._listening.lost, self._listening.pushed)
        self._first: Deferred[None] | None = None
        self._look: DelayedCall | None = None
        self._outage = ""
        """Why there is no connection; empty while there is one."""
        self._scripts = {
            "increment": Script(name="increment", lua=_INCREMENT, twin=_no_memory_version),
            "hash_set": Script(name="hash_set", lua=_HASH_SET, twin=_no_memory_version),
        }

    def startService(self) -> Deferred[None]:
        """
        Connect.

        Returns:
            Fires with the first connection, or without one when that took too long; never fails, for the engine
            does without.
        """
        super().startService()
        self._outage = "connecting"
        first = self._first = Deferred()
        late = cast(DelayedCall, self._reactor.callLater(self._connect_seconds, self._go_on))
        for connection in self._all():
            connection.startService()
        self._look = cast(DelayedCall, self._reactor.callLater(_LOOK_SECONDS, self._ask_whether_there))

        def finished(_: None) -> None:
            self._first = None
            if late.active():
                late.cancel()

        return first.addCallback(finished)

    def stopService(self) -> Deferred[None]:
        """Disconnect."""
        super().stopService()
        self._go_on()
        if self._look is not None and self._look.active():
            self._look.cancel()
        self._outage = "the server is stopping"
        stopping = [stopped for connection in self._all() if (stopped := connection.stopService()) is not None]
        self._listening.lost("")
        return gatherResults(stopping).addCallback(lambda _: None)

    def get(self, key: str) -> Deferred[bytes | None]:
        """See `SharedStore.get`."""
        return self._ask("GET", key)

    def get_many(self, keys: Sequence[str]) -> Deferred[list[bytes | None]]:
        """See `SharedStore.get_many`."""
        if not keys:
            return succeed([])
        return self._ask("MGET", keys[0], *(self._prefix + key for key in keys[1:]))

    def set(self, key: str, value: bytes, *, seconds: float | None = None, only: bool | None = None) -> Deferred[bool]:
        """See `SharedStore.set`."""
        more: list[str | int] = [] if seconds is None else ["PX", milliseconds(seconds)]
        if only is not None:
            more.append("XX" if only else "NX")
        return self._ask("SET", key, value, *more).addCallback(lambda answer: answer is not None)

    def delete(self, *keys: str) -> Deferred[int]:
        """See `SharedStore.delete`."""
        if not keys:
            return succeed(0)
        return self._ask("DEL", keys[0], *(self._prefix + key for key in keys[1:]))

    def expire(self, key: str, seconds: float) -> Deferred[bool]:
        """See `SharedStore.expire`."""
        return self._ask("PEXPIRE", key, milliseconds(seconds)).addCallback(bool)

    def remaining(self, key: str) -> Deferred[float | None]:
        """See `SharedStore.remaining`."""
        return self._ask("PTTL", key).addCallback(_remaining)

    def increment(self, key: str, by: int = 1, *, seconds: float | None = None) -> Deferred[int]:
        """See `SharedStore.increment`."""
        if seconds is None:
            return self._ask("INCRBY", key, by)
        # As a string: the numbers of Lua are exact up to 2 ** 53 only.
        reply = self._run(self._scripts["increment"], [key], [b"%d" % by, b"%d" % milliseconds(seconds)])
        return reply.addCallback(int)

    def hash_get(self, key: str) -> Deferred[dict[str, bytes]]:
        """See `SharedStore.hash_get`."""
        return self._ask("HGETALL", key).addCallback(_pairs)

    def hash_set(self, key: str, fields: Mapping[str, bytes], *, seconds: float | None = None) -> Deferred[None]:
        """See `SharedStore.hash_set`."""
        if not fields:
            return fail(CommandRefused("A hash needs at least one field."))
        flat = [part for name, value in fields.items() for part in (_bytes(name), value)]
        if seconds is None:
            return self._ask("HSET", key, *flat).addCallback(lambda _: None)
        return self._run(self._scripts["hash_set"], [key], [b"%d" % milliseconds(seconds), *flat])

    def hash_delete(self, key: str, names: Sequence[str]) -> Deferred[int]:
        """See `SharedStore.hash_delete`."""
        if not names:
            return succeed(0)
        return self._ask("HDEL", key, *names)

    def hash_increment(self, key: str, name: str, by: int = 1) -> Deferred[int]:
        """See `SharedStore.hash_increment`."""
        return self._ask("HINCRBY", key, name, by)

    def run(self, script: Script, keys: Sequence[str], arguments: Sequence[bytes] = ()) -> Deferred[Reply]:
        """See `SharedStore.run`."""
        return self._run(script, keys, arguments)

    def publish(self, channel: str, message: bytes) -> Deferred[int]:
        """See `SharedStore.publish`."""
        return self._ask("PUBLISH", channel, message)

    def subscribe(self, channel: str, *, deliver: Deliver, active: Active) -> ChannelSubscription:
        """See `SharedStore.subscribe`."""
        return self._listening.subscribe(channel, deliver=deliver, active=active)

    def state(self) -> Mapping[str, object]:
        """See `SharedStore.state`."""
        return {
            "address": str(self.address),
            "connections": sum(connection.wire is not None for connection in self._all()),
            "channels": len(self._listening),
            "interruptions": self._listening.interruptions,
            **({"why": self._outage} if self._outage else {}),
        }

    def _ask_whether_there(self) -> None:
        """Notice an outage and its end even without other commands."""
        self._look = cast(DelayedCall, self._reactor.callLater(_LOOK_SECONDS, self._ask_whether_there))
        self._through("", lambda wire: wire.ask("PING")).addErrback(lambda _: None)

    def _all(self) -> list[KeptConnection]:
        return [*self._connections, self._listener]

    def _made(self, _: Wire) -> None:
        if self._outage:
            _log.info("connected to the Redis server {address}", address=self.address)
        self._outage = ""
        self._go_on()

    def _lost(self, why: str) -> None:
        if any(connection.wire is not None for connection in self._connections):
            return
        if self._outage != why:
            _log.warn("there is no connection to the Redis server {address}: {why}", address=self.address, why=why)
        self._outage = why

    def _go_on(self) -> None:
        if self._first is not None and not self._first.called:
            self._first.callback(None)

    def _wire(self, subject: str) -> Wire:
        """Return the connection for what concerns *subject*, or another one if there is none."""
        connections = self._connections
        first = crc32(_bytes(subject)) % len(connections) if len(connections) > 1 else 0
        for at in range(first, first + len(connections)):
            wire = connections[at % len(connections)].wire
            if wire is not None:
                return wire
        raise Unavailable(
            f"There is no connection to the Redis server at {self.address} ({self._outage}); nothing was changed.",
            retry_seconds=1.0,
        )

    def _ask(self, command: str, subject: str, *arguments: str | bytes | int) -> Deferred[Any]:
        return self._through(subject, lambda wire: wire.ask(command, self._prefix + subject, *arguments))

    def _run(self, script: Script, keys: Sequence[str], arguments: Sequence[bytes]) -> Deferred[Any]:
        rest: tuple[str | bytes | int, ...] = (len(keys), *(self._prefix + key for key in keys), *arguments)

        def work(wire: Wire) -> Deferred[Any]:
            def unknown(failure: Any) -> Any:
                # After a restart it knows none; this makes it known.
                if failure.check(CommandRefused) is None or not str(failure.value).startswith("NOSCRIPT"):
                    return failure
                return wire.ask("EVAL", script.lua, *rest)

            return wire.ask("EVALSHA", script.sha, *rest).addErrback(unknown)

        return self._through(keys[0] if keys else "", work)

    def _through(self, subject: str, work: Callable[[Wire], Deferred[Any]]) -> Deferred[Any]:
        """
        Send a command on one connection.

        Commands for the same key or channel use the same connection, and so keep their order.
        """
        used: list[Wire] = []

        def begin() -> Deferred[Any]:
            used.append(self._wire(subject))
            return work(used[0])

        def late() -> DependencyTimeout:
            for wire in used:
                wire.abort()
            return DependencyTimeout(
                "The Redis server did not answer in time; the command may have been carried out.", retry_seconds=1.0
            )

        return self.guarded.run(begin, late=late)


def _no_memory_version(*_: object) -> Reply:
    raise NotImplementedError("It runs on a Redis server only.")


def _remaining(answer: int) -> float | None:
    return None if answer == -2 else float("inf") if answer == -1 else answer / 1000


def _pairs(answer: Sequence[bytes]) -> dict[str, bytes]:
    rest = iter(answer)
    return {name.decode("utf-8", "surrogatepass"): value for name, value in zip(rest, rest, strict=True)}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
