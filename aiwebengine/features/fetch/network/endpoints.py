"""How connections are made: a name is resolved, its addresses are checked, and only those are connected to."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from twisted.internet import defer
from twisted.internet import error as neterror
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import (
    IHostnameResolver,
    IHostResolution,
    IOpenSSLClientConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IReactorPluggableNameResolver,
    IReactorTime,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from aiwebengine.errors import Denied
from aiwebengine.features.fetch.network.addresses import AllowedAddresses
from aiwebengine.features.fetch.network.connection import ServerConnection
from aiwebengine.features.fetch.network.failures import NameTooSlow, unavailable
from aiwebengine.features.fetch.network.proxies import Proxy
from aiwebengine.features.fetch.network.targets import TargetUrl
from aiwebengine.features.fetch.network.tls import CheckedHandshake, TrustedServers
from aiwebengine.interfaces import OwnServer
from aiwebengine.services.threads import Runs
from aiwebengine.values import Cause

_MOST_ADDRESSES = 16
_LONGEST_PROXY_HEAD = 16 * 1024


class Resolve(Protocol):
    """Finds the addresses of a host."""

    def __call__(self, host: str, /) -> Deferred[Sequence[str]]:
        """Return its addresses; fails if it has none."""


def resolve_in(threads: Runs) -> Resolve:
    """Return what asks the system's resolver, in a thread."""

    def lookup(host: str) -> Sequence[str]:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        except (OSError, UnicodeError) as error:
            raise neterror.DNSLookupError(str(error)) from None
        return list(dict.fromkeys(str(address[0]) for *_, address in found))[:_MOST_ADDRESSES]

    return lambda host: threads.run(lookup, host)


class _Deadline:
    """When a connection must be there."""

    def __init__(self, clock: Any, seconds: float) -> None:
        self._clock = clock
        self.seconds = seconds
        self._ends: float = clock.seconds() + seconds

    @property
    def left(self) -> float:
        """Return how many seconds are left."""
        left: float = self._ends - self._clock.seconds()
        return max(left, 0.0)

    def hold(self, waiting: Deferred[Any]) -> None:
        """Have something fail if it takes longer."""
        waiting.addTimeout(self.left, self._clock)


class Connector:
    """
    Makes connections for requests.

    Args:
        reactor: Connects.
        resolve: Finds addresses.
        addresses: Says which may be reached.
        trusted: Says which certificates are accepted.
        proxy: Where to send requests instead; None: to their servers.
        own: Returns this server itself.
        seconds: Longest time to find a server, to connect to it, and for the handshake of TLS, all together.
    """

    def __init__(
        self,
        *,
        reactor: Any,
        resolve: Resolve,
        addresses: AllowedAddresses,
        trusted: TrustedServers,
        proxy: Proxy | None,
        own: Callable[[], OwnServer],
        seconds: float,
    ) -> None:
        self._reactor = reactor
        self._resolve = resolve
        self._addresses = addresses
        self._trusted = trusted
        self._proxy = proxy
        self._own = own
        self._seconds = seconds

    @property
    def proxy_authorization(self) -> bytes:
        """Return the headers for the proxy with each request; empty if there is none, or it needs none."""
        return self._proxy.authorization if self._proxy is not None else b""

    def own(self, target: TargetUrl, cause: Cause) -> IStreamClientEndpoint | None:
        """Return the endpoint of this server itself, if a request is for it."""
        server = self._own()
        return _OwnEndpoint(server, cause) if server.is_own(*target.origin) else None

    def plain(self, target: TargetUrl) -> IStreamClientEndpoint:
        """Return the endpoint of a server, or of the proxy, without TLS."""
        if self._proxy is None:
            return _CheckedEndpoint(self, target.host, target.port, check=self._refuse)
        return _CheckedEndpoint(self, self._proxy.host, self._proxy.port, check=None)

    def endpoint(
        self, target: TargetUrl, creator: IOpenSSLClientConnectionCreator | None = None
    ) -> IStreamClientEndpoint:
        """
        Return the endpoint to which a request is sent.

        Args:
            creator: Makes the connection of TLS; None: that of the host.
        """
        plain = self.plain(target)
        if target.scheme == "http":
            return plain
        if self._proxy is not None:
            plain = _Tunnel(plain, target, self._proxy, self._deadline())
        return wrapClientTLS(creator or self._trusted.creator(target.host), plain)

    async def open(
        self, target: TargetUrl, own: IStreamClientEndpoint | None, make: Callable[[], ServerConnection]
    ) -> ServerConnection:
        """
        Return a connection to a server that is ready for a request.

        Args:
            own: This server itself, if the request is for it; see `own`.
            make: Makes the protocol of it.

        Raises:
            Exception: There is none; see `failures.explained`.
        """
        made = make()
        factory = Factory()
        factory.noisy = False
        factory.buildProtocol = lambda _: made  # type: ignore[assignment,method-assign]
        if own is not None or target.scheme == "http":
            await (own or self.plain(target)).connect(factory)
            return made
        handshake = self._trusted.handshake(target.host)
        deadline = self._deadline()
        await self.endpoint(target, handshake).connect(factory)
        deadline.hold(made.secured)
        try:
            await made.secured
        except Exception as error:  # noqa: BLE001  what a handshake fails with may be anything
            made.abortConnection()
            raise self._failed_handshake(target, handshake, error) from None
        return made

    def _failed_handshake(self, target: TargetUrl, handshake: CheckedHandshake, error: Exception) -> Exception:
        match error:
            case defer.TimeoutError():
                why = f"the handshake was not complete {self._seconds:g} s after the connection was begun"
            case neterror.ConnectionDone() | neterror.ConnectionLost():
                why = "the connection was closed during the handshake"
            case _:
                problem = handshake.problem(error)
                if problem:
                    return unavailable("tls", f"fetch: {target.authority} is not trusted: {problem}.")
                return error
        return unavailable("tls", f"fetch: TLS with {target.authority} failed: {why}.")

    def connect(
        self,
        host: str,
        port: int,
        factory: IProtocolFactory,
        check: Callable[[str, Sequence[str]], Sequence[str]] | None,
    ) -> Deferred[IProtocol]:
        """Connect to one of the addresses of a host, in time."""
        resolved = False

        async def work() -> IProtocol:
            nonlocal resolved
            found = await self._resolve(host)
            resolved = True
            if check is not None:
                found = check(host, found)
            fixed = _FixedAddresses(self._reactor, found)
            endpoint = HostnameEndpoint(fixed, "checked.invalid", port, timeout=self._seconds)
            connected: IProtocol = await endpoint.connect(factory)
            return connected

        def late(result: Any, _: float) -> Any:
            if isinstance(result, Failure):
                raise neterror.TimeoutError if resolved else NameTooSlow
            return result

        return Deferred.fromCoroutine(work()).addTimeout(self._seconds, self._reactor, onTimeoutCancel=late)

    def _deadline(self) -> _Deadline:
        return _Deadline(self._reactor, self._seconds)

    def _refuse(self, host: str, found: Sequence[str]) -> Sequence[str]:
        allowed = [address for address in found if self._addresses.allows(address)]
        if not allowed and found:
            shown = host if host in found else f"{host} ({found[0]})"
            raise Denied(
                f"fetch: {shown} is not a public address, and scripts may not reach it; "
                "an administrator can allow its network with the setting fetch.networks.",
                details={"reason": "address"},
            )
        return allowed


@implementer(IStreamClientEndpoint)
class _OwnEndpoint:
    """This server itself, for one invocation."""

    def __init__(self, server: OwnServer, cause: Cause) -> None:
        self._server = server
        self._cause = cause

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803  the interface's
        """See `IStreamClientEndpoint.connect`."""
        return succeed(self._server.connect(protocolFactory, cause=self._cause))


@implementer(IStreamClientEndpoint)
class _CheckedEndpoint:
    def __init__(
        self,
        connector: Connector,
        host: str,
        port: int,
        *,
        check: Callable[[str, Sequence[str]], Sequence[str]] | None,
    ) -> None:
        self._connector = connector
        self._host = host
        self._port = port
        self._check = check

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803  the interface's
        """See `IStreamClientEndpoint.connect`."""
        return self._connector.connect(self._host, self._port, protocolFactory, self._check)


@implementer(IReactorPluggableNameResolver, IReactorTime, IHostnameResolver)
class _FixedAddresses:
    """A reactor for one endpoint, whose names have these addresses and no others."""

    def __init__(self, reactor: Any, addresses: Sequence[str]) -> None:
        self._addresses = frozenset(addresses)
        self._ordered = addresses
        self._reactor = reactor
        self.nameResolver = self
        self.seconds = reactor.seconds
        self.callLater = reactor.callLater
        self.getDelayedCalls = reactor.getDelayedCalls

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        """See `IReactorPluggableNameResolver`: there is no other."""
        raise NotImplementedError

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,  # noqa: N803  the interface's
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        addressTypes: Any = None,  # noqa: ARG002, N803
        transportSemantics: str = "TCP",  # noqa: ARG002, N803
    ) -> IHostResolution:
        """See `IHostnameResolver.resolveHostName`."""
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        for address in self._ordered:
            kind = IPv6Address if ":" in address else IPv4Address
            resolutionReceiver.addressResolved(kind("TCP", address, portNumber))
        resolutionReceiver.resolutionComplete()
        return resolution

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None) -> Any:  # noqa: N803
        """See `IReactorTCP.connectTCP`; connects to no other address than those that were checked."""
        if host not in self._addresses:
            raise ValueError(f"{host} was not checked")
        return self._reactor.connectTCP(host, port, factory, timeout, bindAddress)


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """See `IHostResolution.cancel`: it is over already."""


@implementer(IStreamClientEndpoint)
class _Tunnel:
    """A connection to a server through a proxy, by CONNECT."""

    def __init__(
        self, proxy_endpoint: IStreamClientEndpoint, target: TargetUrl, proxy: Proxy, deadline: _Deadline
    ) -> None:
        self._endpoint = proxy_endpoint
        self._target = target
        self._proxy = proxy
        self._deadline = deadline

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803  the interface's
        """See `IStreamClientEndpoint.connect`."""
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        knock = _Knock(self._target.authority, self._proxy.authorization)
        await self._endpoint.connect(Factory.forProtocol(lambda: knock))
        self._deadline.hold(knock.opened)
        try:
            rest = await knock.opened
        except defer.TimeoutError:
            raise unavailable(
                "proxy",
                f"fetch: the proxy did not connect to {self._target.authority} within {self._deadline.seconds:g} s.",
            ) from None
        inner = factory.buildProtocol(knock.transport.getPeer())  # type: ignore[union-attr]
        if inner is None:
            raise neterror.ConnectError(string="no protocol")
        knock.hand_over(inner, rest)
        return inner


class _Knock(TwistedProtocol):
    """Asks a proxy for a tunnel, then passes everything on."""

    def __init__(self, authority: str, authorization: bytes) -> None:
        lines = [f"CONNECT {authority} HTTP/1.1".encode(), b"Host: " + authority.encode()]
        if authorization:
            lines.append(b"Proxy-Authorization: " + authorization)
        self._head = b"\r\n".join(lines) + b"\r\n\r\n"
        self._received = b""
        self._inner: Any = None
        self.opened: Deferred[bytes] = Deferred(lambda _: self._abort())

    def connectionMade(self) -> None:
        """Ask."""
        assert self.transport is not None
        self.transport.write(self._head)

    def dataReceived(self, data: bytes) -> None:
        """Read the proxy's answer, then pass everything on."""
        if self._inner is not None:
            self._inner.dataReceived(data)
            return
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            if len(self._received) > _LONGEST_PROXY_HEAD:
                self._refuse("its answer is too long")
            return
        status = head.split(b"\r\n", 1)[0].decode("latin-1")
        if status.split(" ")[1:2] != ["200"]:
            self._refuse(f'it answers "{status[:100]}"')
        elif not self.opened.called:
            self.opened.callback(rest)

    def hand_over(self, inner: Any, rest: bytes) -> None:
        """Let *inner* have the connection from now on."""
        self._inner = inner
        inner.makeConnection(self.transport)
        if rest:
            inner.dataReceived(rest)

    def connectionLost(self, reason: Any = None) -> None:
        """The connection is over."""
        if self._inner is not None:
            self._inner.connectionLost(reason)
        elif not self.opened.called:
            self.opened.errback(reason)

    def _refuse(self, why: str) -> None:
        if not self.opened.called:
            self.opened.errback(unavailable("proxy", f"fetch: the proxy does not connect to the server: {why}."))
        self._abort()

    def _abort(self) -> None:
        connection: Any = self.transport
        if connection is not None:
            connection.abortConnection()
