"""Limits of `fetch`, the settings that name them, and requests that end with their invocation."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import gzip
import os
import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.web.iweb import IResponse

from aiwebengine.features.receipts.settings import BudgetSettings
from tests.e2e.features.fetch.asking import ask, asking, get
from tests.support.burden import QUICK_WORK_SECONDS, fixed_work
from tests.support.clients.bodies import read_body
from tests.support.clients.peer import PeerConnection, Received, peer
from tests.support.waiting import until

reactor: Any = _reactor


def endless(request: Received) -> None:
    """Answer with a body that never ends, as fast as it is taken."""
    request.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n")
    transport: Any = request.connection.transport

    class Pump:
        """Writes when there is room."""

        def resumeProducing(self) -> None:
            transport.write(b"y" * 65536)

        def stopProducing(self) -> None:
            """Nothing is to be done."""

    transport.registerProducer(Pump(), False)


@pytest.mark.setting("fetch.max_answer_bytes")
@pytest_twisted.ensureDeferred
async def test_answer_of_ten_gigabytes(tmp_path: Path) -> None:
    """An answer that is larger than allowed ends, also one that is small until its coding is undone."""
    async with peer() as other, asking(tmp_path, max_answer_bytes=1_000_000) as engine:
        other.on("/endless", endless)
        other.on("/bomb", lambda request: request.reply(gzip.compress(bytes(20_000_000)), content_encoding="gzip"))
        other.on("/fits", lambda request: request.reply(b"x" * 1_000_000))
        for path in ("/endless", "/bomb"):
            told = await ask(engine, other.url + path)
            assert (told["type"], told["code"], told["reason"]) == (True, "too_large", "size"), told
            assert "larger than 1000000 bytes" in told["message"]
        await until(
            lambda: not any(each.peer is other and each is other.received[0].connection for each in other.connections)
        )
        assert len((await ask(engine, other.url + "/fits"))["body"]) == 1_000_000


LARGE = """
registerWebHandler("/large", (req) => told(async () => (await fetch(req.query.url, { method: "POST", body: new Uint8Array(+req.query.size) })).text()));
registerWebHandler("/stream", (req) => told(async () => (await fetch(req.query.url, { method: "POST", duplex: "half", body: (async function* () { for (;;) yield "x".repeat(10000); })() })).text()));
"""


@pytest.mark.setting("fetch.max_request_bytes")
@pytest_twisted.ensureDeferred
async def test_large_request(tmp_path: Path) -> None:
    """A body that is larger than allowed is refused: at once if its length is known, otherwise when it becomes so."""
    async with peer() as other, asking(tmp_path, source=LARGE, max_request_bytes=100_000) as engine:
        other.on("/a", lambda request: request.reply(str(len(request.body)).encode()))
        assert (await engine.request("GET", f"/large?size=100000&url={other.url}/a")).text == "100000"
        for size in (100_001, 2_000_000):
            told = await get(engine, f"/large?size={size}&url={other.url}/a")
            assert (told["code"], told["reason"]) == ("too_large", "size"), told
        assert len(other.received) == 1
        told = await get(engine, f"/stream?url={other.url}/a")
        assert (told["code"], told["reason"]) == ("too_large", "size"), told
        assert len(other.received) == 1


@pytest.mark.setting("fetch.max_head_bytes")
@pytest_twisted.ensureDeferred
async def test_large_head(tmp_path: Path) -> None:
    """Headers that are larger than allowed end the request: one long, many, or a status line without an end."""
    async with peer() as other, asking(tmp_path, max_head_bytes=20_000) as engine:
        head = b"HTTP/1.1 200 OK\r\n"
        other.on("/long", lambda request: request.write(head + b"x-a: " + b"z" * 30_000 + b"\r\n\r\n"))
        other.on("/many", lambda request: request.write(head + b"x-a: zzzzzzzz\r\n" * 3000 + b"\r\n"))
        other.on("/line", lambda request: request.write(b"HTTP/1.1 200 " + b"O" * 100_000))
        other.on("/fits", lambda request: request.reply(b"x", x_a="z" * 10_000))
        for path in ("/long", "/many", "/line"):
            told = await ask(engine, other.url + path)
            assert (told["code"], told["reason"]) == ("too_large", "size"), (path, told)
            assert "fetch.max_head_bytes" in told["message"]
        assert (await ask(engine, other.url + "/fits"))["body"] == "x"


@pytest.mark.setting("fetch.answer_seconds")
@pytest_twisted.ensureDeferred
async def test_no_answer(tmp_path: Path) -> None:
    """A server that takes a request and never answers is given up."""
    async with peer() as other, asking(tmp_path, answer_seconds=0.3) as engine:
        other.on("/never", lambda request: None)
        told = await ask(engine, other.url + "/never")
        assert (told["type"], told["code"], told.get("reason")) == (True, "timeout", "timeout"), told
        assert "did not answer within 0.3 s" in told["message"]
        await other.left()


@pytest.mark.setting("fetch.idle_seconds")
@pytest_twisted.ensureDeferred
async def test_trickle_and_silence(tmp_path: Path) -> None:
    """A server that sends a byte now and then is waited for until the handler's time is over; silence ends it before."""
    async with peer() as other, asking(tmp_path, idle_seconds=0.5) as engine:

        def trickle(request: Received) -> None:
            request.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\na")
            for number in range(4):
                reactor.callLater(0.2 * (number + 1), request.write, b"b")

        other.on("/trickle", trickle)
        other.on("/silence", lambda request: request.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\na"))
        assert (await ask(engine, other.url + "/trickle"))["body"] == "abbbb"
        told = await ask(engine, other.url + "/silence")
        assert (told["code"], told["reason"]) == ("timeout", "timeout"), told
        assert "sent nothing of its answer for 0.5 s" in told["message"]


@pytest.mark.setting("fetch.connect_seconds")
@pytest_twisted.ensureDeferred
async def test_no_connection(tmp_path: Path) -> None:
    """A server that accepts no connection, because too many wait already, is given up."""
    with socket.socket() as full, ExitStack() as fillers:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        async with asking(tmp_path, connect_seconds=0.2, answer_seconds=50.0) as engine:
            told = await ask(engine, f"http://127.0.0.1:{full.getsockname()[1]}/")
    assert (told["code"], told["reason"]) == ("unavailable", "connect"), told
    assert "did not accept the connection in time" in told["message"]


@pytest.mark.setting("fetch.connect_seconds")
@pytest_twisted.ensureDeferred
async def test_no_handshake(tmp_path: Path) -> None:
    """A server that accepts a connection and never answers the handshake of TLS, or closes it, is given up."""
    async with peer() as other, asking(tmp_path, connect_seconds=0.3, answer_seconds=50.0) as engine:
        other.raw = lambda connection, data: None
        told = await ask(engine, f"https://127.0.0.1:{other.port}/")
        assert (told["code"], told["reason"]) == ("unavailable", "tls"), told
        assert "the handshake was not complete 0.3 s after" in told["message"]
        await other.left()

        def close(connection: PeerConnection, _: bytes) -> None:
            assert connection.transport is not None
            connection.transport.loseConnection()

        other.raw = close
        told = await ask(engine, f"https://127.0.0.1:{other.port}/")
        assert (told["code"], told["reason"]) == ("unavailable", "tls"), told
        assert "closed during the handshake" in told["message"]


@pytest.mark.setting("fetch.max_redirects")
@pytest_twisted.ensureDeferred
async def test_redirects(tmp_path: Path) -> None:
    """A request follows so many redirects; 0 allows none."""
    async with peer() as other, asking(tmp_path, max_redirects=0) as engine:
        other.on("/a", lambda request: request.reply(status=302, location="/b"))
        told = await ask(engine, other.url + "/a")
        assert told["reason"] == "redirect"
        assert (await ask(engine, other.url + "/a", redirect="manual"))["status"] == 302
        assert other.paths == ["/a", "/a"]


COUNTS = """
registerWebHandler("/times", async (req) => {
  const out = [];
  for (let n = 0; n < +req.query.n; n++) out.push(await told(async () => (await fetch(req.query.url)).status));
  return out;
});
registerWebHandler("/read", async (req) => {
  const out = [];
  for (let n = 0; n < +req.query.n; n++) out.push(await told(async () => (await (await fetch(req.query.url)).text()).length));
  return out;
});
registerWebHandler("/own", () => "here");
registerWebHandler("/together", async (req) => Promise.all(Array.from({ length: +req.query.n }, () => told(async () => (await fetch(req.query.url)).status))));
"""


@pytest.mark.setting("fetch.per_invocation")
@pytest_twisted.ensureDeferred
async def test_per_invocation(tmp_path: Path) -> None:
    """An invocation may make so many requests; what is more is refused with a HostError."""
    async with peer() as other, asking(tmp_path, source=COUNTS, per_invocation=2) as engine:
        other.on("/a", lambda request: request.reply())
        for _ in range(2):
            *sent, refused = await get(engine, f"/times?n=3&url={other.url}/a")
            assert sent == [200, 200]
            assert (refused["host"], refused["code"]) == (True, "budget")
            assert "fetch.per_invocation" in refused["message"]


@pytest.mark.setting("budgets.fetches", "budgets.fetch_bytes")
@pytest_twisted.ensureDeferred
async def test_budgets(tmp_path: Path) -> None:
    """A script may make so many requests and move so many bytes in a time, in all its invocations; it is warned before."""
    body = "x" * 500_000
    for number, (budgets, path) in enumerate(
        ((BudgetSettings(fetches=("5/31d",)), "/a"), (BudgetSettings(fetch_bytes=("2500000B/31d",)), "/b"))
    ):
        async with peer() as other, asking(tmp_path / str(number), source=COUNTS, budgets=budgets) as engine:
            other.on("/a", lambda request: request.reply())
            other.on("/b", lambda request: request.reply(body.encode()))
            told = [
                *await get(engine, f"/read?n=3&url={other.url}{path}"),
                *await get(engine, f"/read?n=4&url={other.url}{path}"),
            ]
            assert [each for each in told if isinstance(each, int)] == [len(body) * number] * 5
            assert {each["code"] for each in told[5:]} == {"budget"}
            assert all(each["host"] for each in told[5:])
            assert (await engine.request("GET", "/own")).text == "here"
            logs = (await engine.api("GET", "/logs?uri=asks")).text
            assert "of the budget of" in logs
            assert "Further requests to other servers are refused" in logs


@pytest.mark.setting("fetch.max_open", "fetch.max_waiting")
@pytest_twisted.ensureDeferred
async def test_at_the_same_time(tmp_path: Path) -> None:
    """So many requests of a script to one server are under way, so many wait, and further ones fail at once."""
    async with peer() as other, asking(tmp_path, source=COUNTS, max_open=2, max_waiting=1) as engine:
        first: list[Received] = []

        def answer_all() -> None:
            for each in first:
                each.reply()

        def held(request: Received) -> None:
            first.append(request)
            if len(first) == 2:
                # The ones that are refused do not wait for these.
                reactor.callLater(0.2, answer_all)
            elif len(first) > 2:
                request.reply()

        other.on("/a", held)
        told = await get(engine, f"/together?n=5&url={other.url}/a")
        assert told[:3] == [200, 200, 200]
        assert [(each["code"], each["reason"]) for each in told[3:]] == [("unavailable", "busy")] * 2
        assert other.opened == 2


@pytest.mark.setting("fetch.breaker_failures")
@pytest_twisted.ensureDeferred
async def test_breaker(tmp_path: Path) -> None:
    """After so many failures in a row nothing is sent to a server for a while; other servers are not affected."""
    async with (
        peer() as other,
        peer(host="127.0.0.2") as third,
        asking(tmp_path, source=COUNTS, breaker_failures=2) as engine,
    ):
        other.on("/a", lambda request: request.reply(status=503))
        third.on("/a", lambda request: request.reply())
        told = await get(engine, f"/times?n=4&url={other.url}/a")
        assert told[:2] == [503, 503]
        assert [each["reason"] for each in told[2:]] == ["breaker", "breaker"]
        assert "circuit breaker open" in told[2]["message"]
        assert len(other.received) == 2
        assert await get(engine, f"/times?n=1&url={third.url}/a") == [200]
        state = (await engine.api("GET", "/state")).json()["fetch"]["breakers"]
        assert [*state] == [f"asks {other.url}"]


@pytest.mark.setting("fetch.keep_alive_seconds")
@pytest_twisted.ensureDeferred
async def test_no_keep_alive(tmp_path: Path) -> None:
    """0 seconds mean that no connection is kept."""
    async with peer() as other, asking(tmp_path, source=COUNTS, keep_alive_seconds=0) as engine:
        other.on("/a", lambda request: request.reply())
        assert await get(engine, f"/times?n=3&url={other.url}/a") == [200] * 3
        assert other.opened == 3
        await other.left()


@pytest.mark.setting("fetch.keep_alive_connections")
@pytest_twisted.ensureDeferred
async def test_kept_connections(tmp_path: Path) -> None:
    """Only so many idle connections to one server are kept."""
    async with peer() as other, asking(tmp_path, source=COUNTS, keep_alive_connections=1) as engine:
        waiting: list[Received] = []

        def together(request: Received) -> None:
            waiting.append(request)
            if len(waiting) == 5:
                for each in waiting:
                    each.reply()

        other.on("/a", together)
        assert await get(engine, f"/together?n=5&url={other.url}/a") == [200] * 5
        await until(lambda: len(other.connections) == 1, state=lambda: other.connections)


HELD = """
registerWebHandler("/loop", async (req) => { fetch(req.query.url); await new Promise((f) => setTimeout(f, 50)); for (;;); }, { timeout: "1s" });
registerWebHandler("/wait", (req) => fetch(req.query.url).then(() => "never"));
registerWebHandler("/post", (req) => fetch(req.query.url, { method: "POST" }).then(() => "never"));
registerWebHandler("/pass", (req) => fetch(req.query.url));
registerWebHandler("/throw", async (req) => { fetch(req.query.url).catch(() => 0); await new Promise((f) => setTimeout(f, 50)); throw new Error("enough"); });
"""


@pytest_twisted.ensureDeferred
async def test_killed(tmp_path: Path) -> None:
    """An invocation that is killed, or fails, ends its requests: the other server sees the connections close."""
    async with peer() as other, asking(tmp_path, source=HELD) as engine:
        other.on("/never", lambda request: None)
        for path, status in (("/loop", 504), ("/throw", 500)):
            reply = await engine.request("GET", f"{path}?url={other.url}/never")
            assert reply.status == status
            await other.left()
        assert len(other.received) == 2


@pytest_twisted.ensureDeferred
async def test_killed_in_time(tmp_path: Path) -> None:
    """A process that is killed takes its requests with it: within 50 ms, and before its client is answered."""
    async with peer() as other, asking(tmp_path, source=HELD) as engine:
        other.on("/never", lambda request: None)
        seen: list[float] = []
        works: list[float] = []
        # What else the machine does makes it longer, and never shorter.
        while len(seen) < 5 and not any(each < 0.05 for each in seen):
            asked: Deferred[Any] = Deferred.fromCoroutine(engine.request("GET", f"/post?url={other.url}/never"))
            connection: Any = (await other.asked(len(seen) + 1)).connection
            lost: Deferred[float] = Deferred()
            told = connection.connectionLost

            def closed(reason: Any, told: Any = told, lost: Deferred[float] = lost) -> None:
                lost.callback(time.perf_counter())
                told(reason)

            connection.connectionLost = closed
            versions = engine.engine.runner.state()["versions"]
            [pid] = [clone["pid"] for version in versions for clone in version["clones"] if clone["busy"]]
            works.append(fixed_work())
            began = time.perf_counter()
            os.kill(pid, signal.SIGKILL)
            reply = await asked
            assert reply.status == 500
            assert (await engine.api("GET", "/state")).json()["fetch"]["open"] == 0
            seen.append((await lost - began) / max(1.0, min(works) / QUICK_WORK_SECONDS))
        assert min(seen) < 0.05, seen


@pytest_twisted.ensureDeferred
async def test_client_leaves(tmp_path: Path) -> None:
    """When the client disconnects, the requests that its own request had caused end."""
    async with peer() as other, asking(tmp_path, source=HELD) as engine:
        other.on("/never", lambda request: None)
        other.on("/endless", endless)
        asked: Deferred[IResponse] = Deferred.fromCoroutine(engine.open("GET", f"/wait?url={other.url}/never"))
        await other.asked()
        asked.addErrback(lambda failure: failure.trap(CancelledError, Exception) and None)
        asked.cancel()
        await other.left()
        passed = await engine.open("GET", f"/pass?url={other.url}/endless")
        transport: Any = passed._transport  # type: ignore[attr-defined]
        (getattr(transport, "abortConnection", None) or transport.loseConnection)()
        await other.left()


@pytest_twisted.ensureDeferred
async def test_server_stops(tmp_path: Path) -> None:
    """A server that stops ends the requests of its scripts and its idle connections."""
    async with peer() as other:
        async with asking(tmp_path, source=HELD + COUNTS) as engine:
            other.on("/never", lambda request: None)
            other.on("/a", lambda request: request.reply())
            assert await get(engine, f"/times?n=1&url={other.url}/a") == [200]
            asked: Deferred[Any] = Deferred.fromCoroutine(engine.request("GET", f"/wait?url={other.url}/never"))
            asked.addErrback(lambda _: None)
            await other.asked(2)
        await other.left()
        await asked


@pytest_twisted.ensureDeferred
async def test_passed_on_slowly(tmp_path: Path) -> None:
    """A body that is passed on is taken no faster from the other server than the client takes it."""
    async with peer() as other, asking(tmp_path, source=HELD, max_answer_bytes=10**10) as engine:
        other.on("/endless", endless)
        passed = await engine.open("GET", f"/pass?url={other.url}/endless")
        connection: Any = (await other.asked()).connection.transport
        written = [0]
        original = connection.write

        def counted(data: bytes) -> None:
            written[0] += len(data)
            original(data)

        connection.write = counted
        last = -1

        async def settled() -> bool:
            nonlocal last
            before, last = last, written[0]
            await _turns()
            return before == last == written[0]

        await until(settled, state=lambda: written)
        assert written[0] < 64 * 1024 * 1024
        transport: Any = passed._transport  # type: ignore[attr-defined]
        (getattr(transport, "abortConnection", None) or transport.loseConnection)()
        await other.left()


async def _turns() -> None:
    for _ in range(20):
        waiting: Deferred[None] = Deferred()
        reactor.callLater(0.01, waiting.callback, None)
        await waiting


@pytest_twisted.ensureDeferred
async def test_large_bodies_through(tmp_path: Path) -> None:
    """A body of 50 MB is passed on whole."""
    async with peer() as other, asking(tmp_path, source=HELD) as engine:
        other.on("/big", lambda request: request.reply(b"y" * 50_000_000))
        passed = await engine.open("GET", f"/pass?url={other.url}/big")
        assert len(await read_body(passed)) == 50_000_000
