"""Which servers scripts reach: grants, addresses, certificates, proxies."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.protocol import ClientFactory, Protocol

from aiwebengine.errors import CannotStart
from aiwebengine.features.fetch.settings import FetchSettings
from tests.e2e.features.fetch.asking import ASKING, ask, asking, get
from tests.support.clients.certificates import issue
from tests.support.clients.peer import Peer, PeerConnection, peer
from tests.support.engine import running_engine, settings_for
from tests.support.waiting import until

reactor: Any = _reactor


@pytest.mark.setting("fetch.allow")
@pytest_twisted.ensureDeferred
async def test_not_granted(tmp_path: Path) -> None:
    """Without a grant nothing is sent, and the error names the line of the manifest and the flag."""
    async with peer() as other, asking(tmp_path, allow="granted") as engine:
        other.on("/a", lambda request: request.reply(b"x"))
        told = await ask(engine, other.url + "/a")
        place = f"127.0.0.1:{other.port}"
        assert (told["host"], told["code"], told["details"]) == (True, "denied", {"reason": "host", "host": place})
        assert f'"fetch": ["{place}"]' in told["message"]
        assert f"--grant fetch:{place}" in told["message"]
        assert not other.received
        await engine.deploy("asks", {"main.js": ASKING}, grants=[f"fetch:{place}"])
        assert (await ask(engine, other.url + "/a"))["body"] == "x"
        told = await ask(engine, "http://api.example.com/")
        assert told["details"]["host"] == "api.example.com"
    async with peer() as other, asking(tmp_path / "all", allow="all") as engine:
        other.on("/a", lambda request: request.reply(b"x"))
        assert (await ask(engine, other.url + "/a"))["body"] == "x"


@pytest_twisted.ensureDeferred
async def test_granted_by_manifest(tmp_path: Path) -> None:
    """The manifest names hosts, and a grant of `fetch` allows those; without one the deployment warns."""
    settings = settings_for(tmp_path, fetch=FetchSettings(networks=("127.0.0.0/8",)))
    async with peer() as other, running_engine(settings) as engine:
        other.on("/a", lambda request: request.reply(b"x"))
        manifest = {"main": "main.js", "aiwebengine": {"fetch": [f"127.0.0.1:{other.port}", "*.Example.org"]}}
        files = {"main.js": ASKING, "package.json": json.dumps(manifest)}
        deployed = await engine.deploy("asks", files)
        assert f"fetch:127.0.0.1:{other.port}" in json.dumps(deployed)
        assert (await ask(engine, other.url + "/a"))["code"] == "denied"
        await engine.deploy("asks", files, grants=["fetch"])
        assert (await ask(engine, other.url + "/a"))["body"] == "x"
        assert (await ask(engine, "http://127.0.0.1:9/a"))["message"].startswith("fetch: port 9 is blocked")
        told = await ask(engine, "http://nothing.example.org/")
        assert told["reason"] == "dns"
        assert (await ask(engine, "http://example.org/"))["code"] == "denied"
        manifest["aiwebengine"] = {"fetch": ["https://example.org/"]}
        reply = await engine.api("PUT", "/script?uri=asks", {"files": {**files, "package.json": json.dumps(manifest)}})
        assert reply.status == 422
        assert "the host alone" in reply.text


@pytest.mark.setting("fetch.networks")
@pytest_twisted.ensureDeferred
async def test_addresses(tmp_path: Path) -> None:
    """Only named networks of this machine are reached: by number, by name, and by a redirect."""
    async with peer() as other, peer(host="127.0.0.2") as third, asking(tmp_path, networks=("127.0.0.2/32",)) as engine:
        for server in (other, third):
            server.on("/a", lambda request: request.reply(b"x"))
        third.on("/away", lambda request: request.reply(status=302, location=other.url + "/a"))
        assert (await ask(engine, third.url + "/a"))["body"] == "x"
        for url, shown in (
            (other.url + "/a", "127.0.0.1"),
            (f"http://localhost:{other.port}/a", "localhost (127.0.0.1)"),
            (f"http://2130706433:{other.port}/a", "127.0.0.1"),
            (f"http://0x7f.1:{other.port}/a", "127.0.0.1"),
            (f"http://[::ffff:127.0.0.1]:{other.port}/a", "::ffff:7f00:1"),
            (third.url + "/away", "127.0.0.1"),
            ("http://10.1.2.3/", "10.1.2.3"),
            ("http://169.254.169.254/latest/meta-data/", "169.254.169.254"),
        ):
            told = await ask(engine, url)
            assert (told["code"], told["reason"]) == ("denied", "address"), (url, told)
            assert "is not a public address" in told["message"]
            assert shown.partition(" ")[0] in told["message"]
        assert other.opened == 0
        assert third.paths == ["/a", "/away"]


@pytest_twisted.ensureDeferred
async def test_redirect_to_a_host_that_is_not_granted(tmp_path: Path) -> None:
    """A grant holds for each hop: a server cannot lead a script to a host that it was not granted."""
    async with peer() as other, peer(host="127.0.0.2") as third, asking(tmp_path, allow="granted") as engine:
        await engine.deploy("asks", {"main.js": ASKING}, grants=[f"fetch:127.0.0.1:{other.port}"])
        other.on("/away", lambda request: request.reply(status=302, location=third.url + "/a"))
        told = await ask(engine, other.url + "/away")
        assert (told["code"], told["reason"]) == ("denied", "host")
        assert third.opened == 0


ROUNDS = """
registerWebHandler("/inside", () => "inside");
registerWebHandler("/round", (req) => fetch(req.query.url));
"""


@pytest_twisted.ensureDeferred
async def test_redirect_to_this_server(tmp_path: Path) -> None:
    """A redirect to this server obeys the rules of a call of it: a grant, no network, and a bounded depth."""
    async with peer(host="127.0.0.2") as other, asking(tmp_path, allow="granted", networks=("127.0.0.2/32",)) as engine:
        there, own = f"fetch:127.0.0.2:{other.port}", f"fetch:{engine.address.removeprefix('http://')}"
        other.on("/in", lambda request: request.reply(status=302, location=engine.address + "/inside"))
        for grants in ([there, own], [there]):
            await engine.deploy("asks", {"main.js": ASKING + ROUNDS}, grants=grants)
            told = [await ask(engine, url) for url in (engine.address + "/inside", other.url + "/in")]
            if own in grants:
                assert [each["body"] for each in told] == ["inside"] * 2
            else:
                assert [each["reason"] for each in told] == ["host"] * 2
        await engine.deploy("asks", {"main.js": ASKING + ROUNDS}, grants=[there, own])
        path = f"/round?url={other.url}/again"
        other.on("/again", lambda request: request.reply(status=302, location=engine.address + path))
        other.received.clear()
        reply = await engine.request("GET", path)
        # The innermost one is refused, and that is handed back all the way.
        assert (reply.status, reply.json()["detail"]) == (429, "Invocations may begin others 8 deep, no deeper.")
        assert len(other.received) == 9


@pytest.mark.setting("fetch.ca_file")
@pytest_twisted.ensureDeferred
async def test_certificates(tmp_path: Path) -> None:
    """A server is trusted if a known authority signed its certificate; otherwise the error says what is wrong."""
    authority = issue("Test Authority", authority=True)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    good = issue("a server", "localhost", "127.0.0.1", by=authority)
    async with asking(tmp_path / "data", ca_file=str(tmp_path / "ca.pem")) as engine:
        async with peer(tls=good.server) as other:
            other.on("/a", lambda request: request.reply(b"x"))
            assert (await ask(engine, other.url + "/a"))["body"] == "x"
            assert (await ask(engine, f"https://localhost:{other.port}/a"))["body"] == "x"
            assert all(request.header("host") for request in other.received)
        own = issue("a server", "127.0.0.1")
        for certificate, words in (
            (issue("a server", "127.0.0.1", by=authority, days=(-30, -2)), "its certificate expired on 20"),
            (issue("a server", "127.0.0.1", by=authority, days=(2, 30)), "its certificate is not valid before 20"),
            (issue("a server", "b.example", by=authority), "its certificate is for b.example, and not for 127.0.0.1"),
            (own, "its certificate is signed by itself"),
            (
                issue("a server", "127.0.0.1", by=issue("Another", authority=True)),
                "signed its certificate is not trusted (CN=Another)",
            ),
        ):
            async with peer(tls=certificate.server) as other:
                told = await ask(engine, other.url + "/a")
                assert (told["type"], told["code"], told["reason"]) == (True, "unavailable", "tls"), told
                assert words in told["message"]
                assert f"127.0.0.1:{other.port}" in told["message"]
                assert not other.received
        async with peer() as other:
            other.raw = lambda connection, data: (
                connection.transport.write(b"HTTP/1.1 400 no TLS here\r\n\r\n") if connection.transport else None
            )
            told = await ask(engine, f"https://127.0.0.1:{other.port}/a")
            assert told["reason"] == "tls", told
    async with peer(tls=good.server) as other, asking(tmp_path / "again") as engine:
        assert (await ask(engine, other.url + "/a"))["reason"] == "tls"


@pytest_twisted.ensureDeferred
async def test_no_authorities(tmp_path: Path) -> None:
    """A file of authorities that cannot be used stops the start, which names it."""
    (tmp_path / "ca.pem").write_text("nothing")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(CannotStart, match=name):
            async with asking(tmp_path / "data", ca_file=str(tmp_path / name)):
                pytest.fail("it serves")


class _Piped(Protocol):
    """The other half of a tunnel."""

    def __init__(self, near: Any) -> None:
        self._near = near

    def connectionMade(self) -> None:
        """Let both ends talk."""
        far: Any = self.transport
        self._near.peer_write = far.write
        self._near.transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

    def dataReceived(self, data: bytes) -> None:
        """Pass on."""
        self._near.transport.write(data)


def _proxy(proxy: Peer, password: str) -> list[bytes]:
    """Make a server an HTTP proxy; return the heads that it gets."""
    heads: list[bytes] = []

    def raw(connection: PeerConnection, data: bytes) -> None:
        near: Any = connection
        if hasattr(near, "peer_write"):
            near.peer_write(data)
            return
        heads.append(data.partition(b"\r\n\r\n")[0])
        first = heads[-1].split(b"\r\n")[0].decode()
        wanted = b"proxy-authorization: basic " + base64.b64encode(password.encode()).lower()
        if wanted not in heads[-1].lower():
            near.transport.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
        elif first.startswith("CONNECT "):
            host, _, port = first.split(" ")[1].partition(":")
            factory = ClientFactory()
            factory.noisy = False
            factory.buildProtocol = lambda _: _Piped(near)  # type: ignore[assignment]
            reactor.connectTCP("127.0.0.1", int(port), factory)
            assert host
        else:
            near.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nproxied")

    proxy.raw = raw
    return heads


@pytest.mark.setting("fetch.proxy")
@pytest_twisted.ensureDeferred
async def test_proxy(tmp_path: Path) -> None:
    """With a proxy every request goes through it, with its password; what it resolves is its own matter."""
    authority = issue("Test Authority", authority=True)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    good = issue("a server", "api.example.com", by=authority)
    async with peer() as proxy, peer(tls=good.server) as other:
        heads = _proxy(proxy, "ada:p@ss")
        other.on("/a", lambda request: request.reply(b"through the tunnel"))
        made = {"ca_file": str(tmp_path / "ca.pem"), "networks": ()}
        async with asking(tmp_path / "data", proxy=f"http://ada:p%40ss@127.0.0.1:{proxy.port}", **made) as engine:
            told = await ask(engine, "http://nothing.invalid/path?x=1", headers={"proxy-authorization": "mine"})
            assert told["body"] == "proxied"
            assert heads[0].startswith(b"GET http://nothing.invalid")
            assert b"mine" not in heads[0]
            assert (await ask(engine, f"https://api.example.com:{other.port}/a"))["body"] == "through the tunnel"
            assert heads[-1].startswith(b"CONNECT api.example.com:")
            assert all(request.header("proxy-authorization") is None for request in other.received)
        async with asking(tmp_path / "again", proxy=f"http://127.0.0.1:{proxy.port}", **made) as engine:
            told = await ask(engine, f"https://api.example.com:{other.port}/a")
            assert (told["reason"], told["code"]) == ("proxy", "unavailable")
            assert "407 Proxy Authentication Required" in told["message"]


RECORDED = """
registerWebHandler("/recorded", async (req) => {
  const r = await fetch(req.query.url + "?token=t0ken&plain=yes", { method: "POST", headers: { authorization: "Bearer b3arer", "x-plain": "seen" }, body: JSON.stringify({ password: "pa55", name: "ada" }) });
  const parts = [];
  for await (const part of (await fetch(req.query.large)).body) parts.push(part.length);
  return { status: r.status, cookie: r.headers.get("set-cookie") !== null, body: await r.json(), sum: parts.reduce((a, b) => a + b, 0), at: Date.now() };
});
"""


@pytest_twisted.ensureDeferred
async def test_recorded(tmp_path: Path) -> None:
    """A recorded invocation comes out the same without sending anything, and hides what is secret."""
    async with peer() as other, asking(tmp_path, source=RECORDED) as engine:
        other.on(
            "/a",
            lambda request: request.reply(
                b'{"hello":"world","apiKey":"k3y"}', set_cookie="s=c00kie", content_type="application/json"
            ),
        )
        other.on("/large", lambda request: request.reply(b"y" * 1_000_000))
        assert (await engine.api("PUT", "/recording-rule?uri=asks")).status == 200
        first = await get(engine, f"/recorded?url={other.url}/a&large={other.url}/large")
        assert (first["status"], first["sum"], first["cookie"]) == (200, 1_000_000, True)
        sent = other.received[0]
        assert (sent.header("authorization"), sent.query) == ("Bearer b3arer", "token=t0ken&plain=yes")
        found: list[Any] = []

        async def recorded() -> bool:
            found[:] = (await engine.api("GET", "/recordings")).json()["recordings"]
            return bool(found)

        await until(recorded)
        kept = (await engine.api("GET", f"/recording?id={found[0]['id']}")).text
        for secret in ("b3arer", "c00kie", "pa55", "k3y", "t0ken"):
            assert secret not in kept, secret
        for plain in ("ada", "seen", "world", "plain=yes"):
            assert plain in kept, plain
        count = len(other.received)
        reply = await engine.api("POST", f"/replay?id={found[0]['id']}")
        again = reply.json()
        assert again["same"], again
        assert again["whole"], again
        assert json.loads(again["answer"]["body"])["sum"] == 1_000_000
        assert len(other.received) == count


OWN = """
registerWebHandler("/self", async (req) => (await fetch(new URL("/hello?x=1", req.url), { headers: { "x-own": "1" } })).text());
registerWebHandler("/hello", (req) => "hello " + req.query.x + " " + req.headers["x-own"]);
registerWebHandler("/again", async (req) => { const r = await fetch(req.url); return new Response(await r.text(), { status: r.status }); });
"""


@pytest_twisted.ensureDeferred
async def test_own_server(tmp_path: Path) -> None:
    """A request to the server itself needs no network, and one that calls itself ends."""
    async with asking(tmp_path, source=OWN, networks=()) as engine:
        assert (await engine.request("GET", "/self")).text == "hello 1 1"
        reply = await engine.request("GET", "/again")
        assert reply.status >= 400, reply.text
        assert (await engine.request("GET", "/self")).text == "hello 1 1"
