"""
Connections to a Redis server that are made again when they break.

Commands and answers are txredisapi's; everything else about a connection is here, because
txredisapi's own reconnecting has commands wait without end while the server is away, and
Twisted's `ClientService` raises when a connection breaks while it is being prepared.

    away -> connect -> sign in -> usable -> broken -> wait, ever longer -> connect ...
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import txredisapi
from twisted.application.service import Service
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
    wrapClientTLS,
)
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import CannotStart, Unavailable
from aiwebengine.interfaces import Clock
from aiwebengine.services.redis.store import CommandRefused
from aiwebengine.services.retry import Backoff
from aiwebengine.settings.redis_url import RedisAddress

_log = Logger()

_BACKOFF = Backoff(first_seconds=0.2, longest_seconds=5.0)
_STABLE_SECONDS = 10.0

# What a server says that cannot serve now, or not us; everything else is the fault of who gave the command.
_UNAVAILABLE_REPLIES = frozenset(
    ("LOADING", "MASTERDOWN", "BUSY", "CLUSTERDOWN", "TRYAGAIN", "NOAUTH", "WRONGPASS", "max")
)
_REFUSING = frozenset(("OOM", "READONLY", "MISCONF", "NOREPLICAS", "NOPERM"))


class WriteRefused(Unavailable):
    """The server answers and does not do this: its memory or disk is full, or it may not; other commands may work."""


Pushed = Callable[[bytes, bytes], None]
"""Called with channel and message."""


class Wire(txredisapi.HiredisProtocol):  # type: ignore[misc]  # txredisapi has no types
    """
    One connection while it lasts.

    Args:
        pushed: Called with what is published on subscribed channels.
    """

    def __init__(self, *, pushed: Pushed | None = None) -> None:
        super().__init__(charset=None, convertNumbers=False)
        self._pushed = pushed
        self._waiters: list[Deferred[str]] = []
        self.ended = ""
        """Why the connection has ended; empty while it lasts."""

    def ask(self, *arguments: str | bytes | int) -> Deferred[Any]:
        """
        Send a command.

        Raises:
            Unavailable: The connection broke, or the server cannot serve; the command may have been carried out.
            CommandRefused: The server refused it.
        """
        if self.ended:
            raise Unavailable("The connection to the Redis server has ended.", retry_seconds=1.0)
        sent = tuple(
            argument.encode("utf-8", "surrogatepass") if isinstance(argument, str) else argument
            for argument in arguments
        )
        reply: Deferred[Any] = self.execute_command(*sent)
        return reply.addErrback(self._explain)

    def when_ended(self) -> Deferred[str]:
        """Return what fires with the reason when the connection has ended."""
        waiter: Deferred[str] = Deferred()
        if self.ended:
            waiter.callback(self.ended)
        else:
            self._waiters.append(waiter)
        return waiter

    def end(self) -> Deferred[str]:
        """End the connection at once, and wait until that is done."""
        self.abort()
        return self.when_ended()

    def abort(self) -> None:
        """End the connection at once."""
        if self.transport is not None:
            self.transport.abortConnection()

    def connectionMade(self) -> Any:
        """Send small commands at once, and notice a machine that has disappeared."""
        for option in ("setTcpNoDelay", "setTcpKeepAlive"):
            # A socket of this machine has neither.
            getattr(self.transport, option, lambda _: None)(1)
        return super().connectionMade()

    def connectionLost(self, reason: Failure) -> None:
        """Fail what waits, then say so."""
        self.ended = _words(reason.value)
        super().connectionLost(reason)
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.called:
                waiter.callback(self.ended)

    def replyReceived(self, reply: Any) -> None:
        """Take messages out of the answers."""
        if self._pushed is not None and isinstance(reply, list) and len(reply) == 3 and reply[0] == b"message":
            self._pushed(reply[1], reply[2])
        else:
            super().replyReceived(reply)

    def _explain(self, failure: Failure) -> Failure:
        error = failure.value
        if isinstance(error, txredisapi.ResponseError):
            text = str(error).strip().removeprefix("ERR ")
            word = text.split(" ", 1)[0]
            if word == "READONLY":
                # Another server has become the one that is written to; a new connection finds it.
                self.abort()
            if word in _UNAVAILABLE_REPLIES or word in _REFUSING:
                kind = Unavailable if word in _UNAVAILABLE_REPLIES else WriteRefused
                return Failure(kind(f"The Redis server answers: {text}", retry_seconds=1.0))
            return Failure(CommandRefused(text))
        if isinstance(error, txredisapi.RedisError):
            why = "The connection to the Redis server broke; the command may have been carried out."
            return Failure(Unavailable(why, retry_seconds=1.0))
        return failure


class KeptConnection(Service):
    """
    A connection that is made, and made again.

    Args:
        endpoint: Leads to the server.
        address: The user to sign in as.
        clock: Times attempts and waits.
        random: Returns a number from 0 to 1, for the waits.
        attempt_seconds: Longest attempt, signing in included.
        made: Called with each connection that can be used.
        lost: Called when it can no longer be used, with the reason; also when an attempt has failed.
        pushed: See `Wire`.
    """

    def __init__(
        self,
        *,
        endpoint: IStreamClientEndpoint,
        address: RedisAddress,
        clock: Clock,
        random: Callable[[], float],
        attempt_seconds: float,
        made: Callable[[Wire], None],
        lost: Callable[[str], None],
        pushed: Pushed | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._address = address
        self._clock = clock
        self._random = random
        self._attempt_seconds = attempt_seconds
        self._made = made
        self._lost = lost
        self._pushed = pushed
        self._keeping: Deferred[None] | None = None
        self._life = 0
        self._wire: Wire | None = None

    @property
    def wire(self) -> Wire | None:
        """Return the connection; None if there is none that can be used."""
        return self._wire

    def startService(self) -> None:
        """Connect."""
        super().startService()
        if self._keeping is None:
            self._life += 1
            self._keeping = Deferred.fromCoroutine(self._keep())
            self._keeping.addErrback(_fault)

    def stopService(self) -> Deferred[None] | None:
        """Disconnect, and connect no more; what waits for an answer fails."""
        super().stopService()
        keeping, self._keeping = self._keeping, None
        if keeping is None:
            return None
        self._life += 1
        gone: Deferred[None] = Deferred()
        keeping.addBoth(gone.callback)
        keeping.cancel()
        return gone

    async def _keep(self) -> None:
        life, failures = self._life, 0
        while True:
            began = self._clock.seconds()
            try:
                wire = await self._attempt()
            except CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  whatever hinders it, it is tried again
                why = _words(error)
            else:
                why = await self._use(wire, life)
                if self._clock.seconds() - began >= _STABLE_SECONDS:
                    failures = 0
            self._go_on(life)
            failures += 1
            self._lost(why)
            self._go_on(life)
            await self._pause(_BACKOFF.delay(failures, self._random))

    def _go_on(self, life: int) -> None:
        """
        End here if the service was stopped.

        A connection attempt that is cancelled fails in its own way, and a coroutine that stops the service while it
        runs cannot be cancelled.
        """
        if self._life != life:
            raise CancelledError

    async def _attempt(self) -> Wire:
        attempt = Deferred.fromCoroutine(self._open())
        attempt.addTimeout(self._attempt_seconds, cast(Any, self._clock), self._timed_out)
        return await attempt

    async def _open(self) -> Wire:
        wire = Wire(pushed=self._pushed)
        factory = Factory.forProtocol(lambda: wire)
        factory.noisy = False
        await self._endpoint.connect(factory)
        try:
            await self._sign_in(wire)
        except BaseException:
            if wire.ended:
                # It says more than that there was no answer.
                raise Unavailable(wire.ended) from None
            await wire.end()
            raise
        return wire

    async def _sign_in(self, wire: Wire) -> None:
        address = self._address
        if address.password:
            await wire.ask("AUTH", *([address.username] if address.username else []), address.password)
        if address.database:
            await wire.ask("SELECT", address.database)
        await wire.ask("PING")

    async def _use(self, wire: Wire, life: int) -> str:
        self._wire = wire
        try:
            self._made(wire)
            self._go_on(life)
            return await wire.when_ended()
        except CancelledError:
            await wire.end()
            raise
        finally:
            self._wire = None

    async def _pause(self, seconds: float) -> None:
        over: Deferred[None] = Deferred(lambda _: call.cancel())
        call = self._clock.callLater(seconds, over.callback, None)
        await over

    def _timed_out(self, result: Any, seconds: float) -> Any:
        if isinstance(result, Failure):
            raise Unavailable(f"It did not answer within {seconds:g} s.")
        return result


def endpoint_of(reactor: Any, address: RedisAddress, *, ca_file: str, connect_seconds: float) -> IStreamClientEndpoint:
    """
    Return what leads to a server.

    Raises:
        CannotStart: The file with certificates cannot be read.
    """
    if address.path:
        return UNIXClientEndpoint(reactor, address.path, timeout=connect_seconds)
    # Only a name has to be looked up, which takes a thread.
    kind = TCP6ClientEndpoint if isIPv6Address(address.host) else HostnameEndpoint
    plain = (TCP4ClientEndpoint if isIPAddress(address.host) else kind)(
        reactor, address.host, address.port, timeout=connect_seconds
    )
    if not address.tls:
        return cast(IStreamClientEndpoint, plain)
    trust = _authorities(ca_file) if ca_file else None
    return wrapClientTLS(optionsForClientTLS(address.host, trustRoot=trust), plain)


def _authorities(ca_file: str) -> Any:
    end = b"-----END CERTIFICATE-----\n"
    try:
        parts = Path(ca_file).read_bytes().replace(b"\r\n", b"\n").split(end)[:-1]
        if not parts:
            raise ValueError("the file holds no certificate")  # noqa: TRY301  the message is made below
        return trustRootFromCertificates([Certificate.loadPEM(part + end) for part in parts])
    except Exception as error:  # its types do not say what OpenSSL raises
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise CannotStart(
            f"The certificates in {ca_file} cannot be read: {why}. Name a PEM file with redis.ca_file."
        ) from error


def _words(error: BaseException | None) -> str:
    text = str(getattr(error, "public", "") or error).strip()
    return text or type(error).__name__


def _fault(failure: Failure) -> None:
    if failure.check(CancelledError) is None:
        _log.failure("internal error: a connection to the Redis server will not be renewed", failure)
