"""What clients do to a real socket, in good faith and in bad."""

from __future__ import annotations

import json
from typing import Any

import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol

from tests.support.engine import EngineUnderTest, shared_engine
from tests.unit.web.support import Reply, replies

SCRIPT = """
registerWebHandler("/hello", function (req) { return { hello: req.query.name || "world" }; });
registerWebHandler("/size", function (req) { return { size: req.body.length }; }, "POST");
registerWebHandler("/large", function () {
  var text = "0123456789abcdef";
  while (text.length < 4000000) text += text;
  return { status: 200, body: text, contentType: "text/plain" };
});
"""


class Client(Protocol):
    """A connection that keeps what comes until its end."""

    def __init__(self) -> None:
        self.data = b""
        self.over: Deferred[bytes] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Any = None) -> None:
        self.over.callback(self.data)


@pytest_twisted.ensureDeferred
async def test_bodies_of_all_lengths() -> None:
    """A body arrives whole, whether it is part of what a run begins with, follows it, or is sent in pieces."""
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.js": SCRIPT})
        for size in (1, 65_536, 65_537, 100_000, 262_143, 262_145, 1_000_000):
            reply = await engine.request("POST", "/size", {"content-type": "text/plain"}, "x" * size)
            assert reply.json() == {"size": size}


async def _client(engine: EngineUnderTest) -> Any:
    host, port = engine.address.removeprefix("http://").split(":")
    return await connectProtocol(TCP4ClientEndpoint(reactor, host, int(port)), Client())


async def _ask(engine: EngineUnderTest, data: bytes) -> list[Reply]:
    """Send bytes, and give the answers when the server has closed the connection."""
    client = await _client(engine)
    client.transport.write(data)
    return replies(await client.over.addTimeout(20, reactor))


@pytest_twisted.ensureDeferred
async def test_bad_requests() -> None:
    """Whatever cannot be read gets an answer that says why, and the server serves on."""
    async with shared_engine() as engine:
        await engine.deploy("hello", {"main.js": SCRIPT})
        for data, status, code in [
            (b"NONSENSE\r\n\r\n", 400, "invalid"),
            (b"GET /hello HTTP/1.1\r\n\r\n", 400, "invalid"),
            (b"GET /hello HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 10_000 + b"\r\n", 431, "headers_too_large"),
            (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "uri_too_long"),
            (b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\na", 415, None),
            (b"POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "invalid"),
            (b"GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400, "invalid"),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "invalid"),
        ]:
            (reply,) = await _ask(engine, data)
            assert (reply.status, reply.headers["content-type"]) == (status, "application/problem+json")
            problem = reply.json()
            assert problem["requestId"] == reply.headers["x-request-id"]
            assert code is None or problem["code"] == code
        assert (await engine.request("GET", "/hello")).json() == {"hello": "world"}


@pytest_twisted.ensureDeferred
async def test_a_hundred_megabytes() -> None:
    """A client that sends all of a body that is too large, without asking, still gets its answer."""
    async with shared_engine() as engine:
        await engine.deploy("hello", {"main.js": SCRIPT})
        client = await _client(engine)
        client.transport.write(b"POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(100):
            client.transport.write(b"a" * 1_000_000)
        (reply,) = replies(await client.over.addTimeout(20, reactor))
        assert (reply.status, reply.json()["code"]) == (413, "too_large")
        chunks = b"fff\r\n" + b"a" * 4095 + b"\r\n"
        (reply,) = await _ask(
            engine, b"POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks * 3000
        )
        assert reply.status == 413


@pytest_twisted.ensureDeferred
async def test_pipelined_requests() -> None:
    """Requests that come at once are answered in order."""
    async with shared_engine() as engine:
        await engine.deploy("hello", {"main.js": SCRIPT})
        data = b"".join(b"GET /hello?name=%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(50))
        found = await _ask(engine, data + b"GET /hello?name=50 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert [reply.json()["hello"] for reply in found] == [str(number) for number in range(51)]


@pytest_twisted.ensureDeferred
async def test_a_client_that_closes_its_side() -> None:
    """A client that ends its side as soon as it has asked gets its answer."""
    async with shared_engine() as engine:
        await engine.deploy("hello", {"main.js": SCRIPT})
        await engine.request("GET", "/hello")
        client = await _client(engine)
        client.transport.write(b"GET /hello HTTP/1.0\r\n\r\n")
        client.transport.loseWriteConnection()
        (reply,) = replies(await client.over.addTimeout(20, reactor))
        assert json.loads(reply.body) == {"hello": "world"}


@pytest_twisted.ensureDeferred
async def test_a_slow_reader() -> None:
    """A client that stops reading for a while gets all of a large answer; others are served meanwhile."""
    async with shared_engine() as engine:
        await engine.deploy("hello", {"main.js": SCRIPT})
        client = await _client(engine)
        client.transport.pauseProducing()
        client.transport.write(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        for _ in range(5):
            assert (await engine.request("GET", "/hello")).status == 200
        client.transport.resumeProducing()
        (reply,) = replies(await client.over.addTimeout(20, reactor))
        assert reply.complete
        assert len(reply.body) == 4_194_304
