"""`fetch` as the Fetch standard says it, against a server on a real socket."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

import brotli
import pytest_twisted
from backports import zstd
from twisted.internet import reactor as _reactor

from tests.e2e.features.fetch.asking import ask, asking, get
from tests.support.clients.peer import Received, peer
from tests.support.waiting import until

reactor: Any = _reactor
ENCODERS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}


def echo(request: Received) -> None:
    """Answer with what was received."""
    told = {"method": request.method, "headers": dict(request.headers), "size": len(request.body)}
    request.reply(
        json.dumps({**told, "body": request.body[:200].decode("latin-1")}).encode(), content_type="application/json"
    )


@pytest_twisted.ensureDeferred
async def test_answers(tmp_path: Path) -> None:
    """An answer has its status, headers, address and body, whatever its status is."""
    async with peer() as other, asking(tmp_path) as engine:
        other.on(
            "/json", lambda request: request.reply('{"a":"wörld"}'.encode(), content_type="application/json", x_own="1")
        )
        other.on("/teapot", lambda request: request.reply(b"short and stout", status=418))
        other.on("/none", lambda request: request.write(b"HTTP/1.1 204 No Content\r\n\r\n"))
        other.on(
            "/same",
            lambda request: request.write(
                b"HTTP/1.1 200 OK\r\nx-a: 1\r\nx-a: 2\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 0\r\n\r\n"
            ),
        )
        told = await ask(engine, other.url + "/json?x=1#fragment")
        assert (told["status"], told["statusText"], told["ok"], told["body"]) == (200, "OK", True, '{"a":"wörld"}')
        assert (told["url"], told["redirected"], told["type"]) == (other.url + "/json?x=1", False, "basic")
        assert told["headers"]["content-type"] == "application/json"
        assert told["headers"]["x-own"] == "1"
        assert "connection" not in told["headers"]
        told = await ask(engine, other.url + "/teapot")
        assert (told["status"], told["ok"], told["body"]) == (418, False, "short and stout")
        assert (await ask(engine, other.url + "/none"))["status"] == 204
        assert (await ask(engine, other.url + "/same"))["headers"]["x-a"] == "1, 2"
        first = other.received[0]
        assert (first.method, first.query, first.body) == ("GET", "x=1", b"")
        assert first.header("host") == f"127.0.0.1:{other.port}"
        assert first.header("accept-encoding") == "gzip, deflate, br, zstd"
        assert first.header("user-agent") == "aiwebengine"


BODIES = """
const send = async (url, body, more) => (await fetch(url, { method: "POST", body, ...more })).json();
registerWebHandler("/bodies", async (req) => {
  const url = req.query.url, form = new FormData(), out = {};
  form.append("a", "b");
  out.text = await send(url, "héllo");
  out.json = await send(url, JSON.stringify({ a: 1 }), { headers: { "content-type": "application/json" } });
  out.query = await send(url, new URLSearchParams({ a: "1 2" }));
  out.form = await send(url, form);
  out.blob = await send(url, new Blob(["ab", "c"], { type: "text/x-own" }));
  out.bytes = await send(url, new Uint8Array([1, 2, 3]));
  out.large = await send(url, new Uint8Array(2000000));
  out.long = await send(url, "é".repeat(600000));
  out.request = await (await fetch(new Request(url, { method: "PUT", body: "r", headers: { "x-a": "1" } }), { headers: { "x-b": "2" } })).json();
  out.stream = await send(url, new ReadableStream({ pull(c) { this.n = (this.n || 0) + 1; if (this.n > 5) c.close(); else c.enqueue(new TextEncoder().encode("piece" + this.n)); } }), { duplex: "half" });
  out.iterator = await send(url, (async function* () { yield "a"; yield "b"; })(), { duplex: "half" });
  out.empty = await send(url, "");
  return out;
});
"""


@pytest_twisted.ensureDeferred
async def test_bodies(tmp_path: Path) -> None:
    """A body may be a string, bytes, a form, a Blob or a stream; its type is told, and its length if it is known."""
    async with peer() as other, asking(tmp_path, source=BODIES) as engine:
        other.on("/echo", echo)
        told = await get(engine, f"/bodies?url={other.url}/echo")
    assert (told["text"]["size"], told["text"]["headers"]["content-type"]) == (6, "text/plain;charset=UTF-8")
    assert (told["json"]["body"], told["json"]["headers"]["content-type"]) == ('{"a":1}', "application/json")
    assert told["query"]["body"] == "a=1+2"
    assert told["query"]["headers"]["content-type"].startswith("application/x-www-form-urlencoded")
    assert told["form"]["headers"]["content-type"].startswith("multipart/form-data; boundary=")
    assert 'name="a"' in told["form"]["body"]
    assert (told["blob"]["body"], told["blob"]["headers"]["content-type"]) == ("abc", "text/x-own")
    assert told["bytes"]["body"] == "\x01\x02\x03"
    assert (told["large"]["size"], told["large"]["headers"]["content-length"]) == (2_000_000, "2000000")
    assert told["long"]["size"] == 1_200_000
    assert (told["request"]["method"], told["request"]["body"]) == ("PUT", "r")
    assert told["request"]["headers"]["x-b"] == "2"
    assert told["stream"]["body"] == "piece1piece2piece3piece4piece5"
    assert told["stream"]["headers"]["transfer-encoding"] == "chunked"
    assert told["iterator"]["body"] == "ab"
    assert (told["empty"]["size"], told["empty"]["headers"]["content-length"]) == (0, "0")


READERS = """
registerWebHandler("/readers", async (req) => {
  const url = req.query.url, out = {};
  out.json = await (await fetch(url)).json();
  out.bytes = [...(await (await fetch(url)).bytes())].length;
  out.buffer = (await (await fetch(url)).arrayBuffer()).byteLength;
  out.blob = (await (await fetch(url)).blob()).type;
  const r = await fetch(url), c = r.clone();
  out.clone = [await r.text() === await c.text(), r.bodyUsed];
  out.twice = await r.text().catch((e) => e.name);
  const parts = [];
  for await (const part of (await fetch(req.query.slow)).body) parts.push(new TextDecoder().decode(part));
  out.parts = parts;
  return out;
});
registerWebHandler("/pass", (req) => fetch(req.query.url));
registerWebHandler("/changed", async (req) => {
  const r = await fetch(req.query.url);
  return new Response(r.body.pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream({ transform(part, c) { c.enqueue(part.toUpperCase()); } })).pipeThrough(new TextEncoderStream()), { status: r.status });
});
registerWebHandler("/up", async (req) => (await fetch(req.query.url, { method: "POST", body: req.body })).json(), "POST");
"""


@pytest_twisted.ensureDeferred
async def test_readers(tmp_path: Path) -> None:
    """A body is read in all ways of the standard, once, also while it arrives; and it is passed on as a stream."""
    async with peer() as other, asking(tmp_path, source=READERS) as engine:
        other.on("/json", lambda request: request.reply(b'{"a":1}', content_type="application/json"))
        other.on("/large", lambda request: request.reply(b"y" * 3_000_000, content_type="text/x-large"))
        other.on("/echo", echo)

        def slow(request: Received) -> None:
            request.write(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\na")
            for number, part in enumerate((b"b", b"c"), 1):
                reactor.callLater(0.05 * number, request.write, part)

        other.on("/slow", slow)
        told = await get(engine, f"/readers?url={other.url}/json&slow={other.url}/slow")
        assert told == {
            "json": {"a": 1}, "bytes": 7, "buffer": 7, "blob": "application/json", "clone": [True, True],
            "twice": "TypeError", "parts": ["a", "b", "c"],
        }  # fmt: skip
        passed = await engine.request("GET", f"/pass?url={other.url}/large")
        assert (passed.status, passed.body, passed.headers["content-type"]) == (200, b"y" * 3_000_000, "text/x-large")
        assert (await engine.request("GET", f"/changed?url={other.url}/large")).body == b"Y" * 3_000_000
        sent = await engine.request("POST", f"/up?url={other.url}/echo", {}, b"z" * 1_000_000)
        assert sent.json()["size"] == 1_000_000


@pytest_twisted.ensureDeferred
async def test_codings(tmp_path: Path) -> None:
    """Codings are undone, also two; what does not fit is an error, and an unknown one is left to the script."""
    async with peer() as other, asking(tmp_path) as engine:
        for name, encode in ENCODERS.items():
            other.on(
                f"/{name}",
                lambda request, name=name, encode=encode: request.reply(encode(b"x" * 500_000), content_encoding=name),
            )
        other.on(
            "/two", lambda request: request.reply(brotli.compress(gzip.compress(b"hello")), content_encoding="gzip, br")
        )
        other.on("/other", lambda request: request.reply(b"as it is", content_encoding="compress"))
        other.on("/broken", lambda request: request.reply(b"not gzip at all", content_encoding="gzip"))
        other.on("/cut", lambda request: request.reply(gzip.compress(b"x" * 1000)[:-6], content_encoding="gzip"))
        for name in ENCODERS:
            assert (await ask(engine, f"{other.url}/{name}"))["body"] == "x" * 500_000, name
        assert (await ask(engine, other.url + "/two"))["body"] == "hello"
        assert (await ask(engine, other.url + "/other"))["body"] == "as it is"
        for path in ("/broken", "/cut"):
            told = await ask(engine, other.url + path)
            assert (told["error"], told["code"], told["reason"]) == ("TypeError", "unavailable", "decoding"), told
            assert "content-encoding" in told["message"]
        assert (await ask(engine, other.url + "/gzip", method="HEAD"))["status"] == 200


@pytest_twisted.ensureDeferred
async def test_redirects(tmp_path: Path) -> None:
    """Redirects are followed, shown or refused as the request says; to another server without what is secret."""
    async with peer() as other, peer(host="127.0.0.2") as third, asking(tmp_path) as engine:
        for server in (other, third):
            server.on("/echo", echo)
        for status in (301, 302, 303, 307, 308):
            other.on(f"/r{status}", lambda request, status=status: request.reply(status=status, location="/echo"))
        other.on("/away", lambda request: request.reply(status=302, location=third.url + "/echo"))
        other.on("/endless", lambda request: request.reply(status=302, location="/endless"))
        other.on("/ftp", lambda request: request.reply(status=302, location="ftp://x/"))
        for status in (301, 302, 303, 307, 308):
            told = await ask(
                engine, f"{other.url}/r{status}", method="POST", body="abc", headers={"authorization": "Bearer x"}
            )
            assert (told["status"], told["redirected"], told["url"]) == (200, True, other.url + "/echo")
            received = json.loads(told["body"])
            assert (received["method"], received["size"]) == (("GET", 0) if status < 304 else ("POST", 3))
            assert received["headers"]["authorization"] == "Bearer x"
        told = await ask(
            engine, other.url + "/away", headers={"authorization": "Bearer x", "cookie": "a=b", "x-own": "1"}
        )
        received = json.loads(told["body"])
        assert told["url"] == third.url + "/echo"
        assert received["headers"]["x-own"] == "1"
        assert not {"authorization", "cookie"} & received["headers"].keys()
        told = await ask(engine, other.url + "/r302", redirect="manual")
        assert (told["status"], told["headers"]["location"], told["redirected"]) == (302, "/echo", False)
        for path, init, words in (
            ("/r302", {"redirect": "error"}, "does not allow that"),
            ("/endless", {}, "more than 20 redirects"),
            ("/ftp", {}, "ftp://x/"),
        ):
            told = await ask(engine, other.url + path, **init)
            assert (told["error"], told["reason"]) == ("TypeError", "redirect")
            assert words in told["message"]
        assert other.paths.count("/endless") == 21


@pytest_twisted.ensureDeferred
async def test_failures(tmp_path: Path) -> None:
    """What fails is told apart: a TypeError as the standard says, with code and reason."""
    async with peer() as other, asking(tmp_path) as engine:
        head = b"HTTP/1.1 200 OK\r\n"
        other.on("/cut", lambda request: request.cut(head + b"content-length: 100\r\n\r\nabc"))
        other.on("/chunk", lambda request: request.cut(head + b"transfer-encoding: chunked\r\n\r\n5\r\nab"))
        other.on("/nothing", lambda request: request.cut(b""))
        other.on("/noise", lambda request: request.cut(b"\x00\x01 this is no HTTP\r\n\r\n"))
        for path, reason in (("/cut", "closed"), ("/chunk", "closed"), ("/nothing", "closed"), ("/noise", "protocol")):
            told = await ask(engine, other.url + path)
            assert (told["error"], told["type"], told["code"], told["reason"]) == (
                "TypeError",
                True,
                "unavailable",
                reason,
            ), (path, told)
            assert f"127.0.0.1:{other.port}" in told["message"]
        closed = other.port
    async with asking(tmp_path / "again") as engine:
        for url, reason, words in (
            (f"http://127.0.0.1:{closed}/", "connect", "nothing listens there"),
            ("http://nothing.invalid/", "dns", "nothing.invalid:80 cannot be resolved"),
        ):
            told = await ask(engine, url)
            assert (told["type"], told["code"], told["reason"]) == (True, "unavailable", reason)
            assert words in told["message"]


WRONG = """
registerWebHandler("/wrong", async () => {
  const out = [];
  for (const [url, init] of [["ftp://x/"], ["/x"], ["http://a:b@127.0.0.1/"], ["http://127.0.0.1:22/"], ["http://127.0.0.1/", { method: "CONNECT" }], ["http://127.0.0.1/", { method: "GET", body: "x" }], ["http://127.0.0.1/", { headers: { "a b": "c" } }], ["http://127.0.0.1/", { retry: 11 }], ["http://127.0.0.1/", { redirect: "perhaps" }], [undefined]])
    out.push(await told(() => fetch(url, init)));
  out.push(await told(() => fetch()));
  return out;
});
registerWebHandler("/uncaught", () => fetch("http://nothing.invalid/"));
registerWebHandler("/ignored", async (req) => (await fetch(req.query.url, { cache: "no-store", mode: "cors", credentials: "include", keepalive: true, referrer: "http://x/", referrerPolicy: "no-referrer", priority: "high" })).status);
"""


@pytest_twisted.ensureDeferred
async def test_wrong(tmp_path: Path) -> None:
    """A request that cannot be sent is refused with a TypeError that says why; an uncaught failure is logged with it."""
    async with peer() as other, asking(tmp_path, source=WRONG) as engine:
        other.on("/json", echo)
        for told in await get(engine, "/wrong"):
            assert told["type"], told
            assert told["message"], told
        assert await get(engine, f"/ignored?url={other.url}/json") == 200
        uncaught = await engine.request("GET", "/uncaught")
        assert uncaught.status == 503, uncaught.text
        assert "nothing.invalid" in uncaught.text
        assert other.paths == ["/json"]


SIGNALS = """
registerWebHandler("/timeout", (req) => told(() => fetch(req.query.url, { signal: AbortSignal.timeout(50) })));
registerWebHandler("/abort", (req) => told(async () => {
  const c = new AbortController();
  const r = await fetch(req.query.url, { signal: c.signal });
  setTimeout(() => c.abort(new RangeError("enough")), 20);
  return r.text();
}));
registerWebHandler("/before", (req) => told(() => fetch(req.query.url, { signal: AbortSignal.abort() })));
registerWebHandler("/leave", async (req) => { const r = await fetch(req.query.url); await r.body.cancel(); return "left"; });
registerWebHandler("/race", async (req) => { await Promise.race([fetch(req.query.url), new Promise((f) => setTimeout(f, 20))]); return "over"; });
"""


@pytest_twisted.ensureDeferred
async def test_signals(tmp_path: Path) -> None:
    """A signal ends a request at any time with its reason, and the other server sees the connection close."""
    async with peer() as other, asking(tmp_path, source=SIGNALS) as engine:
        other.on("/never", lambda request: None)
        other.on("/half", lambda request: request.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc"))
        told = await get(engine, f"/timeout?url={other.url}/never")
        assert told["error"] == "TimeoutError"
        await other.left()
        told = await get(engine, f"/abort?url={other.url}/half")
        assert (told["error"], told["message"]) == ("RangeError", "enough")
        await other.left()
        assert (await get(engine, f"/before?url={other.url}/never"))["error"] == "AbortError"
        assert (await engine.request("GET", f"/leave?url={other.url}/half")).text == "left"
        await other.left()
        assert other.paths == ["/never", "/half", "/half"]


@pytest_twisted.ensureDeferred
async def test_retry(tmp_path: Path) -> None:
    """With `retry` a request is sent again after failures and 503, as the server asks, but no POST."""
    async with peer() as other, asking(tmp_path) as engine:

        def flaky(request: Received) -> None:
            if len(other.received) % 3:
                request.reply(b"no", status=503, retry_after="0")
            else:
                request.reply(b"yes")

        other.on("/flaky", flaky)
        told = await ask(engine, other.url + "/flaky", retry=3)
        assert (told["status"], told["body"], len(other.received)) == (200, "yes", 3)
        assert (await ask(engine, other.url + "/flaky", retry=3, method="POST"))["status"] == 503
        assert len(other.received) == 4


@pytest_twisted.ensureDeferred
async def test_integrity(tmp_path: Path) -> None:
    """With `integrity` the script gets the expected body or none."""
    async with peer() as other, asking(tmp_path) as engine:
        other.on("/good", lambda request: request.reply(b"good"))
        digest = base64.b64encode(hashlib.sha384(b"good").digest()).decode()
        assert (await ask(engine, other.url + "/good", integrity=f"sha384-{digest}"))["body"] == "good"
        told = await ask(engine, other.url + "/good", integrity="sha384-" + "A" * 64)
        assert (told["type"], told["reason"]) == (True, "integrity")


MANY = """
registerWebHandler("/many", async (req) => (await Promise.all(Array.from({ length: 20 }, (_, n) => fetch(req.query.url + "?" + n).then((r) => r.text())))).join());
registerWebHandler("/turns", async (req) => { const out = []; for (let n = 0; n < 5; n++) out.push(await (await fetch(req.query.url)).text()); return out.join(); });
"""


@pytest_twisted.ensureDeferred
async def test_many_and_connections(tmp_path: Path) -> None:
    """Twenty at once are twenty under way; what follows uses their connections again."""
    async with peer() as other, asking(tmp_path, source=MANY) as engine:
        waiting: list[Received] = []

        def together(request: Received) -> None:
            waiting.append(request)
            if len(waiting) == 20:
                for each in waiting:
                    each.reply(each.query.encode())

        other.on("/together", together)
        other.on("/plain", lambda request: request.reply(b"x"))
        reply = await engine.request("GET", f"/many?url={other.url}/together")
        assert reply.text == ",".join(map(str, range(20)))
        assert other.opened == 20
        await until(lambda: len(other.connections) == 16, state=lambda: other.connections)
        assert (await engine.request("GET", f"/turns?url={other.url}/plain")).text == "x,x,x,x,x"
        assert other.opened == 20
        state = (await engine.api("GET", "/state")).json()
        assert (state["fetch"]["sent"], state["fetch"]["connections"], state["fetch"]["open"]) == (25, 20, 0)


@pytest_twisted.ensureDeferred
async def test_stale_connection(tmp_path: Path) -> None:
    """A connection that the server closes as the next request comes does not fail it; a POST is not sent twice."""
    async with peer() as other, asking(tmp_path) as engine:
        used: set[object] = set()

        def once(request: Received) -> None:
            if request.connection in used:
                request.cut(b"")
            else:
                used.add(request.connection)
                request.reply(b"x")

        other.on("/once", once)
        assert (await ask(engine, other.url + "/once"))["body"] == "x"
        assert (await ask(engine, other.url + "/once", method="PUT", body="a"))["body"] == "x"
        assert [request.method for request in other.received] == ["GET", "PUT", "PUT"]
        told = await ask(engine, other.url + "/once", method="POST", body="a")
        assert told["reason"] == "closed"
        assert [request.method for request in other.received] == ["GET", "PUT", "PUT", "POST"]


@pytest_twisted.ensureDeferred
async def test_keys(tmp_path: Path) -> None:
    """Each unsafe request has an idempotency key of its own, a safe one has none."""
    source = 'registerWebHandler("/two", async (req) => { for (const method of ["POST", "POST", "GET"]) await fetch(req.query.url, { method }); return "ok"; });'
    async with peer() as other, asking(tmp_path, source=source) as engine:
        other.on("/a", lambda request: request.reply())
        await engine.request("GET", f"/two?url={other.url}/a")
        keys = [request.header("idempotency-key") for request in other.received]
        assert keys[0]
        assert keys[1]
        assert keys[0] != keys[1]
        assert keys[2] is None


GUARDS = """
registerWebHandler("/guards", async (req) => {
  const tried = (headers) => ["append", "set", "delete"].map((name) => { try { headers[name]("x-a", "1"); return "ok"; } catch (e) { return e.name; } });
  const r = await fetch(req.query.url), out = [tried(r.headers), tried(r.clone().headers)];
  const copy = new Response(r.body, r);
  copy.headers.set("x-own", "yes");
  return [...out, tried(new Request(req.query.url, { headers: { cookie: "a=b", host: "x", "content-length": "1" } }).headers), copy.headers.get("x-own"), r.headers.get("x-own")];
});
"""


@pytest_twisted.ensureDeferred
async def test_immutable_headers(tmp_path: Path) -> None:
    """The headers of an answer cannot be changed, a copy's can; a request may have any headers."""
    async with peer() as other, asking(tmp_path, source=GUARDS) as engine:
        other.on("/a", lambda request: request.reply(b"x", x_own="no"))
        refused, allowed = ["TypeError"] * 3, ["ok"] * 3
        assert await get(engine, f"/guards?url={other.url}/a") == [refused, refused, allowed, "yes", "no"]
