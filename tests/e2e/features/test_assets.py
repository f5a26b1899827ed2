"""Files of `public/` and stored assets, from a deployment to the client."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import Protocol

from tests.support.engine import EngineUnderTest, Reply, running_engine, settings_for, shared_engine
from tests.support.waiting import until

HONO = 'export default { fetch: (request) => new Response("fetched " + new URL(request.url).pathname) };'
STORE = """
registerWebHandler("/store", async (req) => {
  upsertAsset(req.query.path, req.query.type ?? "text/plain", btoa(await req.text()));
  if (req.query.fail) throw new Error("too late");
  return listAssets();
}, "POST");
registerWebHandler("/read", (req) => JSON.parse(fetchAsset(req.query.path)));
registerWebHandler("/remove", (req) => deleteAsset(req.query.path), "POST");
"""
LARGE = os.urandom(3 * 1024 * 1024)


async def _deploy(
    engine: EngineUnderTest,
    uri: str,
    files: Mapping[str, str | bytes],
    *,
    manifest: str = "",
    grants: Sequence[str] = (),
) -> Any:
    sent: dict[str, Any] = {
        path: content if isinstance(content, str) else {"base64": base64.b64encode(content).decode()}
        for path, content in files.items()
    }
    if manifest:
        sent["package.json"] = f'{{"aiwebengine":{manifest}}}'
    sent.setdefault("main.js", "")
    reply = await engine.api("PUT", f"/script?uri={uri}", {"files": sent, "grants": list(grants)})
    assert reply.status in {200, 201}, reply.text
    return reply.json()


async def _text(engine: EngineUnderTest, path: str, **headers: str) -> str:
    reply = await engine.request("GET", path, headers)
    return reply.text if reply.status == 200 else str(reply.status)


@pytest_twisted.ensureDeferred
async def test_public_files() -> None:
    """Files of `public/` serve with their script's version, change and come back with it, and go with it."""
    async with shared_engine() as engine:
        first = {"main.js": HONO, "public/index.html": "one", "public/only-one.txt": "1", "public/large.bin": LARGE}
        done = await _deploy(engine, "site", first)
        counted = {group["kind"]: group["count"] for group in done["script"]["registered"]}
        assert counted == {"route": 1, "file": 3}
        assert done["warnings"] == []
        assert await _text(engine, "/") == "one"
        assert await _text(engine, "/other") == "fetched /other"
        assert (await engine.request("GET", "/large.bin")).body == LARGE
        assert (await engine.request("GET", "/large.bin", {"range": "bytes=-5"})).body == LARGE[-5:]

        done = await _deploy(engine, "site", {"main.js": HONO, "public/index.html": "two", "public/new.txt": "new"})
        assert [(group["kind"], group["count"]) for group in done["removed"]] == [("file", 2)]
        assert [await _text(engine, path) for path in ("/", "/new.txt")] == ["two", "new"]
        assert await _text(engine, "/only-one.txt") == "fetched /only-one.txt"

        await engine.api("POST", "/script/rollback?uri=site")
        assert [await _text(engine, path) for path in ("/", "/only-one.txt")] == ["one", "1"]
        assert await _text(engine, "/new.txt") == "fetched /new.txt"

        await engine.api("DELETE", "/script?uri=site&purge=true")
        assert [await _text(engine, path) for path in ("/only-one.txt", "/large.bin")] == ["404", "404"]


@pytest_twisted.ensureDeferred
async def test_public_files_only() -> None:
    """A script may consist of files; those of two scripts may not be at the same path, unless they are apart."""
    async with shared_engine() as engine:
        done = await _deploy(engine, "one", {"public/a.txt": "one"})
        assert done["warnings"] == []
        refused = await engine.api(
            "PUT", "/script?uri=two", {"files": {"main.js": "", "public/a.txt": "two"}, "grants": []}
        )
        [problem] = refused.json()["problems"]
        assert 'GET /a.txt of "two" matches the same paths as GET /a.txt of "one" (public/a.txt)' in problem["message"]
        assert problem["file"] == "public/a.txt"
        await _deploy(engine, "two", {"public/a.txt": "two"}, manifest='{"basePath":"/two"}')
        await _deploy(engine, "three", {"public/a.txt": "three"}, manifest='{"hosts":["three.example.org"]}')
        assert await _text(engine, "/a.txt") == "one"
        assert await _text(engine, "/two/a.txt") == "two"
        assert await _text(engine, "/a.txt", host="three.example.org") == "three"
        warned = await _deploy(engine, "four", {"public/metrics": "x", "public/b.txt": "x"})
        assert [warning["code"] for warning in warned["warnings"]] == ["not_served"]


@pytest_twisted.ensureDeferred
async def test_stored_assets_have_owners() -> None:
    """What a script stores is served, and no other script reads, replaces or removes it."""
    async with shared_engine() as engine:
        await _deploy(engine, "ann", {"main.js": STORE}, manifest='{"basePath":"/ann"}', grants=["assets"])
        await _deploy(engine, "bob", {"main.js": STORE}, manifest='{"basePath":"/bob"}', grants=["assets"])
        stored = await engine.request("POST", "/ann/store?path=/a.svg&type=image/svg%2Bxml", {}, "<svg/>")
        assert stored.json() == ["/a.svg"]
        served = await engine.request("GET", "/ann/a.svg")
        assert (served.text, served.headers["content-type"]) == ("<svg/>", "image/svg+xml")
        assert (await engine.request("POST", "/ann/store?path=/b.txt&fail=1", {}, "b")).status == 500
        assert [await _text(engine, path) for path in ("/a.svg", "/bob/a.svg", "/ann/b.txt")] == ["404"] * 3

        assert (await engine.request("GET", "/bob/read?path=/a.svg")).json() is None
        assert (await engine.request("POST", "/bob/remove?path=/a.svg", {}, "")).text == "false"
        assert (await engine.request("POST", "/bob/store?path=/a.svg", {}, "bob's")).json() == ["/a.svg"]
        assert [await _text(engine, path) for path in ("/ann/a.svg", "/bob/a.svg")] == ["<svg/>", "bob's"]

        await engine.request("POST", "/ann/store?path=private.txt", {}, "secret")
        assert (await engine.request("GET", "/ann/read?path=private.txt")).json()["publicPath"] == "private.txt"
        assert [await _text(engine, path) for path in ("/ann/private.txt", "/private.txt")] == ["404", "404"]

        listed = (await engine.api("GET", "/assets")).json()["assets"]
        assert [(asset["script"], asset["path"]) for asset in listed] == [
            ("ann", "/a.svg"),
            ("bob", "/a.svg"),
            ("ann", "private.txt"),
        ]
        assert (await engine.request("POST", "/ann/remove?path=/a.svg", {}, "")).text == "true"
        assert [await _text(engine, path) for path in ("/ann/a.svg", "/bob/a.svg")] == ["404", "bob's"]
        await engine.api("DELETE", "/script?uri=bob")
        assert await _text(engine, "/bob/a.svg") == "404"
        await engine.api("POST", "/script/rollback?uri=bob")
        assert await _text(engine, "/bob/a.svg") == "bob's"
        await engine.api("DELETE", "/script?uri=bob&purge=true")
        await engine.api("DELETE", "/script?uri=ann&purge=true")
        assert (await engine.api("GET", "/assets")).json()["assets"] == []


@pytest_twisted.ensureDeferred
async def test_the_same_address() -> None:
    """Two scripts cannot store assets at the same address; the error names the other one."""
    async with shared_engine() as engine:
        await _deploy(engine, "ann", {"main.js": STORE.replace('"/', '"/ann-')}, grants=["assets"])
        await _deploy(engine, "bob", {"main.js": STORE.replace('"/', '"/bob-')}, grants=["assets"])
        assert (await engine.request("POST", "/ann-store?path=/a.txt", {}, "ann's")).status == 200
        refused = await engine.request("POST", "/bob-store?path=/a.txt", {}, "bob's")
        assert refused.status == 409, refused.text
        assert await _text(engine, "/a.txt") == "ann's"
        replies: Sequence[Reply] = await gatherResults(
            [
                Deferred.fromCoroutine(engine.request("POST", f"/{name}-store?path=/race.txt", {}, name))
                for name in ("ann", "bob") * 4
            ]
        )
        winner = await _text(engine, "/race.txt")
        for reply, name in zip(replies, ("ann", "bob") * 4, strict=True):
            assert reply.status == (200 if name == winner else 409)


@pytest_twisted.ensureDeferred
async def test_after_a_restart(tmp_path: Path) -> None:
    """Files and stored assets are there when the server starts again, and what people store is served, too."""
    settings = settings_for(tmp_path)
    async with running_engine(settings) as engine:
        files = {"main.js": STORE, "public/a.txt": "public", "public/large.bin": LARGE}
        await _deploy(engine, "ann", files, grants=["assets"])
        await engine.request("POST", "/store?path=/stored.txt", {}, "stored")
        for query, text in (("path=/nobody.txt", "nobody's"), ("path=/given.txt&uri=ann", "given")):
            headers = {"authorization": f"Bearer {engine.token}", "content-type": "text/plain"}
            assert (await engine.request("PUT", f"/engine/api/asset?{query}", headers, text)).status == 201
        assert (await engine.request("GET", "/large.bin")).status == 200
    async with running_engine(settings) as engine:
        for path, text in (
            ("/a.txt", "public"),
            ("/stored.txt", "stored"),
            ("/nobody.txt", "nobody's"),
            ("/given.txt", "given"),
        ):
            assert await _text(engine, path) == text
        assert (await engine.request("GET", "/large.bin")).body == LARGE
        state = (await engine.api("GET", "/state")).json()["assets"]
        assert state["paths"] == 3
        missing = await engine.request("PUT", "/engine/api/asset?path=/a&uri=no", headers, "x")
        assert missing.status == 404


class _SlowReader(Protocol):
    """Reads the beginning of an answer, and the rest when it is told to."""

    def __init__(self) -> None:
        self.data = b""
        self.done: Deferred[bytes] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        if not self.data:
            transport: Any = self.transport
            transport.pauseProducing()
        self.data += data

    def go_on(self) -> None:
        """Read the rest."""
        transport: Any = self.transport
        transport.resumeProducing()

    def connectionLost(self, reason: Any = None) -> None:
        self.done.callback(self.data)


@pytest_twisted.ensureDeferred
async def test_download_while_deploying() -> None:
    """A download that is under way gets the file that it began with, whatever is deployed meanwhile."""
    async with shared_engine() as engine:
        await _deploy(engine, "site", {"public/large.bin": LARGE})
        response = await engine.open("GET", "/large.bin")
        slowly = _SlowReader()
        response.deliverBody(slowly)
        await until(lambda: slowly.data)
        for number in range(3):
            await _deploy(engine, "site", {"public/large.bin": os.urandom(1024 * 1024) + bytes([number])})
            assert (await engine.request("GET", "/large.bin")).body[-1] == number
        await engine.api("DELETE", "/script?uri=site&purge=true")
        assert len(slowly.data) < len(LARGE)
        slowly.go_on()
        assert (await slowly.done) == LARGE
