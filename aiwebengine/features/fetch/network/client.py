"""
One request to one server, over Twisted's Agent and its pool of connections.

What the Agent does not do is done here: the head of an answer is bounded, and a connection that the server has closed
while it was idle does not fail the request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.client import Agent, HTTPConnectionPool, ProxyAgent
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IAgentEndpointFactory, IBodyProducer, IResponse
from zope.interface import implementer

from aiwebengine.errors import Cancelled, EngineError
from aiwebengine.features.fetch.network.bodies import AnswerBody, BytesBody
from aiwebengine.features.fetch.network.decoding import Decoder, decoder
from aiwebengine.features.fetch.network.endpoints import Connector
from aiwebengine.features.fetch.network.failures import explained, is_closed, is_ended, is_tls, too_large, unavailable
from aiwebengine.features.fetch.network.targets import TargetUrl
from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.values import Cause

IDEMPOTENT = frozenset(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
_HIDDEN = frozenset([b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade", b"trailer"])

_MOST_CODINGS = 3

HeaderPairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """An answer; its body is still to be read."""

    status: int
    phrase: str
    headers: HeaderPairs
    body: AnswerBody

    def header(self, name: str) -> str:
        """Return the first value of a header; empty if there is none."""
        return next((value for key, value in self.headers if key == name), "")


class HttpClient:
    """
    See the module.

    Args:
        reactor: Connects.
        connector: Makes connections.
        settings: Bounds.
        proxied: Whether there is a proxy.
    """

    def __init__(self, *, reactor: Any, connector: Connector, settings: FetchSettings, proxied: bool) -> None:
        self._reactor = reactor
        self._connector = connector
        self._settings = settings
        self._proxied = proxied
        self._pool = cast(Any, HTTPConnectionPool(reactor, persistent=settings.keep_alive_seconds > 0))
        # It would send a request again only if that has no body; `send` decides about it.
        self._pool.retryAutomatically = False
        self._pool.maxPersistentPerHost = settings.keep_alive_connections
        self._pool.cachedConnectionTimeout = settings.keep_alive_seconds
        self._unshared = HTTPConnectionPool(reactor, persistent=False)
        self.sent = 0
        self.connections = 0

    async def send(
        self,
        target: TargetUrl,
        *,
        method: str,
        headers: HeaderPairs,
        body: IBodyProducer | None,
        decode: bool,
        cause: Cause,
    ) -> HttpAnswer:
        """
        Send a request and return the answer when its head has arrived.

        Args:
            headers: Checked names and values.
            decode: Whether to undo content codings.
            cause: Whose request it is, for this server itself.

        Raises:
            EngineError: It failed; see `failures`.
        """
        own = self._connector.own(target, cause)
        while True:
            # Connections to this server belong to one invocation each.
            attempt = _PooledAttempt(self._pool if own is None else self._unshared, self._settings.max_head_bytes)
            try:
                response = await self._request(attempt, target, own, method=method, headers=headers, body=body)
            except Exception as error:  # noqa: BLE001  whatever the network does, scripts get an error of ours
                if attempt.too_large and is_ended(error):
                    raise self._head_too_large(target) from None
                again = method in IDEMPOTENT and (body is None or isinstance(body, BytesBody))
                if attempt.reused and again and is_closed(error):
                    continue
                if is_tls(error):
                    await self._explain_tls(target)
                refusal = explained(error, server=target.authority)
                # Whoever cancels this knows why.
                raise (CancelledError() if isinstance(refusal, Cancelled) else refusal) from None
            reply = self._reply(response, target, decode=decode)
            # A head that arrived whole was not counted.
            if sum(len(name) + len(value) + 4 for name, value in reply.headers) > self._settings.max_head_bytes:
                reply.body.abort()
                raise self._head_too_large(target)
            return reply

    def close(self) -> Deferred[None]:
        """End all idle connections."""
        closed: Deferred[None] = self._pool.closeCachedConnections()
        return closed

    def _request(
        self,
        attempt: _PooledAttempt,
        target: TargetUrl,
        own: IStreamClientEndpoint | None,
        *,
        method: str,
        headers: HeaderPairs,
        body: IBodyProducer | None,
    ) -> Deferred[IResponse]:
        self.sent += 1
        raw = Headers()
        for name, value in [("host", target.host_header), *headers]:
            raw.addRawHeader(name.encode("latin-1"), value.encode("latin-1"))
        endpoint = _MeteredEndpoint(own or self._connector.endpoint(target), self._connected)
        url = f"{target.scheme}://{target.authority}{target.path}".encode("ascii")
        agent: Any
        if self._proxied and own is None and target.scheme == "http":
            agent = ProxyAgent(endpoint, reactor=self._reactor, pool=attempt)
            if self._connector.proxy_authorization:
                raw.addRawHeader(b"proxy-authorization", self._connector.proxy_authorization)
        else:
            agent = Agent.usingEndpointFactory(self._reactor, _Fixed(endpoint), pool=attempt)
        sent: Deferred[IResponse] = agent.request(method.encode("ascii"), url, raw, body)
        return sent.addCallback(attempt.answered)

    def _head_too_large(self, target: TargetUrl) -> EngineError:
        return too_large(
            f"fetch: the headers of {target.authority} have more than {self._settings.max_head_bytes} bytes "
            "(fetch.max_head_bytes)."
        )

    def _connected(self) -> None:
        self.connections += 1

    def _reply(self, response: IResponse, target: TargetUrl, *, decode: bool) -> HttpAnswer:
        headers = [
            (name.lower().decode("latin-1"), value.decode("latin-1"))
            for name, values in response.headers.getAllRawHeaders()
            if name.lower() not in _HIDDEN
            for value in values
        ]
        if response.length is not UNKNOWN_LENGTH and not any(name == "content-length" for name, _ in headers):
            headers.append(("content-length", str(response.length)))
        codings = ",".join(value for name, value in headers if name == "content-encoding")
        body = AnswerBody(
            decoders=_decoders(codings) if decode else (),
            most_bytes=self._settings.max_answer_bytes,
            idle_seconds=self._settings.idle_seconds,
            clock=self._reactor,
            server=target.authority,
        )
        response.deliverBody(body)
        phrase = response.phrase.decode("latin-1")
        return HttpAnswer(status=response.code, phrase=phrase, headers=headers, body=body)

    async def _explain_tls(self, target: TargetUrl) -> None:
        why = await self._connector.certificate_problem(target)
        if why:
            raise unavailable("tls", f"fetch: {target.authority} is not trusted: {why}.") from None


def _decoders(codings: str) -> list[Decoder]:
    """Return what undoes the codings of an answer, the last one first; nothing if one of them is unknown."""
    names = [name for name in map(str.strip, codings.split(",")) if name and name.lower() != "identity"]
    found = [decoder(name) for name in reversed(names)]
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) and len(known) <= _MOST_CODINGS else []


class _PooledAttempt:
    """The pool as one request sees it: which connection it gets, and how much of a head it has read."""

    def __init__(self, pool: Any, most_head_bytes: int) -> None:
        self._pool = pool
        self._most_head_bytes = most_head_bytes
        self._meter: _HeadMeter | None = None
        self.persistent = pool.persistent
        self.reused = False

    def getConnection(self, key: Any, endpoint: IStreamClientEndpoint) -> Deferred[Any]:
        """See `HTTPConnectionPool.getConnection`."""
        connected: Deferred[Any] = self._pool.getConnection(key, endpoint)
        return connected.addCallback(self._got)

    def answered(self, response: IResponse) -> IResponse:
        """The head has arrived."""
        if self._meter is not None:
            self._meter.head_is_over()
        return response

    @property
    def too_large(self) -> bool:
        """Whether the head was too large."""
        return self._meter is not None and self._meter.too_large

    def _got(self, connection: Any) -> Any:
        self._meter = connection.transport
        self.reused = self._meter.begin(self._most_head_bytes)
        return connection


class _HeadMeter(ProtocolWrapper):
    """Counts what arrives on a connection before the head of an answer is complete."""

    too_large = False
    _begun = False
    _left: int | None = None

    def begin(self, most_head_bytes: int) -> bool:
        """Note that a request begins; returns whether there was one before."""
        reused, self._begun = self._begun, True
        self._left = most_head_bytes
        return reused

    def head_is_over(self) -> None:
        """Count no more."""
        self._left = None

    def loseConnection(self) -> None:
        """Note that a line of the head is too long: there is nothing else that ends a connection there."""
        if self._left is not None:
            self.too_large = True
        super().loseConnection()

    def dataReceived(self, data: bytes) -> None:
        """Pass data on; the head is over when what it was passed to says so."""
        super().dataReceived(data)
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                self.too_large = True
                self.abortConnection()


class _HeadMeters(WrappingFactory):
    protocol = _HeadMeter
    noisy = False


@implementer(IStreamClientEndpoint)
class _MeteredEndpoint:
    def __init__(self, endpoint: IStreamClientEndpoint, connected: Callable[[], None]) -> None:
        self._endpoint = endpoint
        self._connected = connected

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:  # noqa: N803  the interface's
        """See `IStreamClientEndpoint.connect`."""
        # It would log a line for each connection.
        protocolFactory.noisy = False  # type: ignore[attr-defined]
        connecting: Deferred[Any] = self._endpoint.connect(_HeadMeters(protocolFactory))

        def connected(meter: Any) -> Any:
            self._connected()
            return meter.wrappedProtocol

        return connecting.addCallback(connected)


@implementer(IAgentEndpointFactory)
class _Fixed:
    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint

    def endpointForURI(self, uri: Any) -> IStreamClientEndpoint:  # noqa: ARG002  the interface's
        """See `IAgentEndpointFactory`."""
        return self._endpoint
