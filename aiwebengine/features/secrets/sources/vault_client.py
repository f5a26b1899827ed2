"""Requests to Vault: bounded in time and size, over Twisted's Agent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet import defer
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer, IResponse
from zope.interface import implementer

from aiwebengine.errors import Unavailable
from aiwebengine.services.breaker import Breaker, Permit, Rules

_MOST_BYTES = 16 * 1024 * 1024
_MOST_SAID = 200
_FAILURES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultAnswer:
    """One answer."""

    status: int
    document: Mapping[str, Any]
    """Empty if it was no JSON object."""

    def member(self, name: str) -> Mapping[str, Any]:
        """Return an object in it; an empty one if there is none."""
        value = self.document.get(name)
        return value if isinstance(value, Mapping) else {}

    @property
    def why(self) -> str:
        """Return what it says of an error, to be added to a sentence; empty if nothing."""
        errors = self.document.get("errors")
        said = "; ".join(str(error) for error in errors) if isinstance(errors, list) else ""
        return f": {' '.join(said.split())[:_MOST_SAID].rstrip('.')}" if said else ""


class VaultClient:
    """
    See the module.

    Args:
        url: Scheme, host and port.
        namespace: Empty for none.
        authorities: Certificates in PEM form that are trusted; empty: those of the system.
        reactor: Connects.
        seconds: Longest wait for an answer.
    """

    def __init__(self, *, url: str, namespace: str, authorities: bytes, reactor: Any, seconds: float) -> None:
        self.url = url.rstrip("/")
        self._namespace = namespace
        self._authorities = authorities
        self._reactor = reactor
        self._seconds = seconds
        self._agent: Agent | None = None
        self._breaker = Breaker(name="Vault", rules=Rules(failures=_FAILURES), seconds=reactor.seconds)

    async def ask(
        self, method: str, path: str, *, token: str = "", document: Mapping[str, Any] | None = None
    ) -> VaultAnswer:
        """
        Send a request.

        Raises:
            Unavailable: There is no answer, or one that says that the server cannot serve now.
        """
        permit = self._breaker.enter()
        if not isinstance(permit, Permit):
            raise Unavailable(f"it failed repeatedly, the last time: {self._breaker.why}", retry_seconds=permit)
        try:
            answer = await self._sent(method, path, token, document)
        except CancelledError:
            self._breaker.dropped(permit)
            raise
        except Exception as error:  # noqa: BLE001  whatever the network does, it is away
            why = f"{str(error)[:_MOST_SAID].rstrip('.') or type(error).__name__}."
            self._breaker.failed(permit, why)
            raise Unavailable(why) from None
        if answer.status >= 500:
            why = f"it answered with {answer.status}{answer.why}."
            self._breaker.failed(permit, why)
            raise Unavailable(why)
        self._breaker.succeeded(permit)
        return answer

    async def _sent(self, method: str, path: str, token: str, document: Mapping[str, Any] | None) -> VaultAnswer:
        headers = Headers({"x-vault-request": ["true"], "accept": ["application/json"]})
        if token:
            headers.addRawHeader("x-vault-token", token)
        if self._namespace:
            headers.addRawHeader("x-vault-namespace", self._namespace)
        body = _Body(json.dumps(document).encode()) if document is not None else None
        sent = self._connected().request(method.encode(), f"{self.url}{path}".encode(), headers, body)
        asking: Deferred[tuple[int, bytes]] = sent.addCallback(_read)
        asking.addTimeout(self._seconds, self._reactor, onTimeoutCancel=_too_late)
        status, raw = await asking
        try:
            read = json.loads(raw) if raw else {}
        except (ValueError, RecursionError):
            read = {}
        return VaultAnswer(status=status, document=read if isinstance(read, Mapping) else {})

    def _connected(self) -> Agent:
        if self._agent is None:
            pool = HTTPConnectionPool(self._reactor, persistent=False)
            if self._authorities:
                from twisted.internet.ssl import Certificate, trustRootFromCertificates  # noqa: PLC0415  OpenSSL.
                from twisted.web.client import BrowserLikePolicyForHTTPS  # noqa: PLC0415  The same.

                roots = trustRootFromCertificates([Certificate.loadPEM(pem) for pem in _each(self._authorities)])
                self._agent = Agent(self._reactor, BrowserLikePolicyForHTTPS(trustRoot=roots), pool=pool)
            else:
                self._agent = Agent(self._reactor, pool=pool)
        return self._agent


def _each(pems: bytes) -> list[bytes]:
    end = b"-----END CERTIFICATE-----"
    return [part + end for part in pems.split(end) if b"BEGIN CERTIFICATE" in part]


def _too_late(_: Any, seconds: float) -> Any:
    raise defer.TimeoutError(f"it did not answer within {seconds:g} s")


def _read(response: IResponse) -> Deferred[tuple[int, bytes]]:
    reading = _VaultBody(response.code)
    response.deliverBody(reading)
    return reading.done


class _VaultBody(Protocol):
    def __init__(self, status: int) -> None:
        self._status = status
        self._pieces: list[bytes] = []
        self._size = 0
        self.done: Deferred[tuple[int, bytes]] = Deferred(lambda _: self._end())

    def dataReceived(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > _MOST_BYTES:
            self._give(Failure(ValueError(f"its answer has more than {_MOST_BYTES} bytes")))
            self._end()
        else:
            self._pieces.append(data)

    def connectionLost(self, reason: Failure | None = None) -> None:
        if reason is not None and not reason.check(ResponseDone):
            self._give(reason)
        else:
            self._give((self._status, b"".join(self._pieces)))

    def _give(self, result: Any) -> None:
        if not self.done.called:
            (self.done.errback if isinstance(result, Failure) else self.done.callback)(result)

    def _end(self) -> None:
        end: Callable[[], object] | None = getattr(self.transport, "abortConnection", None)
        if end is not None:
            end()


@implementer(IBodyProducer)
class _Body:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.length = len(data)

    def startProducing(self, consumer: Any) -> Deferred[None]:
        consumer.write(self._data)
        return defer.succeed(None)

    def pauseProducing(self) -> None:
        """It is written already."""

    def resumeProducing(self) -> None:
        """It is written already."""

    def stopProducing(self) -> None:
        """It is written already."""
