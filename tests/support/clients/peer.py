"""
Another server, for scripts to call: on a free port of this machine, with answers that may be anything but HTTP.

    async with peer() as other:
        other.on("/hello", lambda request: request.reply(b"hello"))
        await ask(other.url + "/hello")
        assert other.paths == ["/hello"]
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.protocol import Factory, Protocol

from tests.support.waiting import until

reactor: Any = _reactor
PHRASES = {200: "OK", 302: "Found", 503: "Service Unavailable"}


@dataclass(eq=False, kw_only=True)
class Received:
    """A request that was received, and the connection on which it is answered."""

    method: str
    path: str
    """Without the query."""
    query: str
    headers: list[tuple[str, str]]
    """Names in lower case."""
    body: bytes
    connection: PeerConnection

    def header(self, name: str) -> str | None:
        """Return the value of a header; None if there is none."""
        return next((value for key, value in self.headers if key == name), None)

    def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        assert self.connection.transport is not None
        self.connection.transport.write(data)

    def reply(self, body: bytes = b"", *, status: int = 200, **headers: str) -> None:
        """Answer; `_` in the name of a header stands for `-`."""
        lines = [f"HTTP/1.1 {status} {PHRASES.get(status, 'Told')}", f"content-length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def cut(self, data: bytes) -> None:
        """Write bytes as they are, and close the connection when they were sent."""
        self.write(data)
        assert self.connection.transport is not None
        self.connection.transport.loseConnection()


Answers = Callable[[Received], object]


@dataclass(kw_only=True)
class Peer:
    """What the server has seen, and how it answers."""

    scheme: str = "http"
    host: str = "127.0.0.1"
    port: int = 0
    answers: dict[str, Answers] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    opened: int = 0
    """Connections so far."""
    connections: list[PeerConnection] = field(default_factory=list)
    """Those that are open."""
    raw: Callable[[PeerConnection, bytes], object] | None = None
    """Takes all bytes instead, if it is set."""

    def on(self, path: str, answers: Answers) -> None:
        """Answer requests for a path in this way."""
        self.answers[path] = answers

    @property
    def url(self) -> str:
        """Return the address, without a path."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def paths(self) -> list[str]:
        """Return the paths that were asked for."""
        return [request.path for request in self.received]

    async def asked(self, count: int = 1) -> Received:
        """Wait until so many requests have arrived; return the last of them."""
        await until(lambda: len(self.received) >= count, state=lambda: self.paths)
        return self.received[count - 1]

    async def left(self) -> None:
        """Wait until all connections are closed."""
        await until(lambda: not self.connections, state=lambda: self.connections)


class PeerConnection(Protocol):
    """
    One connection.

    Args:
        peer: Whose.
    """

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._data = b""

    def connectionMade(self) -> None:
        """Count it."""
        self.peer.opened += 1
        self.peer.connections.append(self)

    def connectionLost(self, reason: Any = None) -> None:
        """It is open no more."""
        self.peer.connections.remove(self)

    def dataReceived(self, data: bytes) -> None:
        """Read requests, one after the other."""
        if self.peer.raw is not None:
            self.peer.raw(self, data)
            return
        self._data += data
        while (request := self._request()) is not None:
            self.peer.received.append(request)
            answers = self.peer.answers.get(request.path)
            if answers is None:
                request.reply(b"not found", status=404)
            else:
                answers(request)

    def _request(self) -> Received | None:
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if not end:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        body = _body(dict(headers), rest)
        if body is None:
            return None
        content, self._data = body
        method, target, _ = first.split(" ")
        path, _, query = target.partition("?")
        return Received(method=method, path=path, query=query, headers=headers, body=content, connection=self)


def _body(headers: dict[str, str], data: bytes) -> tuple[bytes, bytes] | None:
    """Return the body and what follows it; None if it is not complete."""
    if headers.get("transfer-encoding") != "chunked":
        length = int(headers.get("content-length", 0))
        return (data[:length], data[length:]) if len(data) >= length else None
    content = b""
    while True:
        line, end, rest = data.partition(b"\r\n")
        size = int(line, 16) if end else 0
        if not end or len(rest) < size + 2:
            return None
        content, data = content + rest[:size], rest[size + 2 :]
        if size == 0:
            return content, data


@asynccontextmanager
async def peer(*, host: str = "127.0.0.1", tls: Any = None, port: int = 0) -> AsyncIterator[Peer]:
    """
    Run such a server for the length of a `with` block.

    Args:
        tls: A context factory; None: without TLS.
    """
    made = Peer(scheme="http" if tls is None else "https", host=host)
    factory = Factory.forProtocol(lambda: PeerConnection(made))
    factory.noisy = False
    listening = (
        reactor.listenTCP(port, factory, interface=host)
        if tls is None
        else reactor.listenSSL(port, factory, tls, interface=host)
    )
    made.port = listening.getHost().port
    try:
        yield made
    finally:
        await listening.stopListening()
        for connection in list(made.connections):
            transport: Any = connection.transport
            transport.abortConnection()
        await made.left()
