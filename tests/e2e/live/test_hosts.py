"""Several scripts on one server, each on hosts of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest_twisted

from tests.support.engine import EngineUnderTest, Reply, shared_engine

FETCH = """
use(async (req, ctx, next) => {
  const answer = await next();
  return answer instanceof Response ? answer : { ...answer, headers: { ...answer.headers, "x-seen-by": "%s" } };
});
registerWebHandler("/own", () => ({ status: 200, body: "%s" }));
registerWebStream("/live");
"""
EVERYTHING = 'export default { fetch: (request) => new Response("%s " + new URL(request.url).pathname) };'


def _files(source: str, hosts: Sequence[str], base: str = "") -> dict[str, str]:
    return {"main.js": source, "package.json": json.dumps({"aiwebengine": {"hosts": [*hosts], "basePath": base}})}


async def _on(engine: EngineUnderTest, host: str, path: str, method: str = "GET") -> Reply:
    return await engine.request(method, path, {"host": host})


@pytest_twisted.ensureDeferred
async def test_hosts() -> None:
    """Scripts that answer everything share a server by their hosts, and a path on one host is none on another."""
    async with shared_engine() as engine:
        await engine.deploy("site", {"main.js": EVERYTHING % "site"})
        await engine.deploy("shop", _files(EVERYTHING % "shop", ["shop.example.org"]))
        await engine.deploy("tenants", _files(EVERYTHING % "tenants", ["*.example.org"], "/app"))
        for host, path, expected in (
            ("shop.example.org", "/a", "shop /a"),
            ("SHOP.example.org:8080", "/a", "shop /a"),
            ("ann.example.org", "/app/a", "tenants /a"),
            ("ann.example.org", "/a", "site /a"),
            ("example.org", "/a", "site /a"),
        ):
            assert (await _on(engine, host, path)).text == expected
        for host in ("shop.example.org", "ann.example.org"):
            listed = await engine.request(
                "GET", "/engine/api/scripts", {"host": host, "authorization": f"Bearer {engine.token}"}
            )
            shown = {script["uri"]: script["hosts"] for script in listed.json()["scripts"]}
            assert shown == {"site": [], "shop": ["shop.example.org"], "tenants": ["*.example.org"]}
            assert (await _on(engine, host, "/health/live")).status == 200
        # Taken down, a script leaves its host to those that answer everywhere.
        await engine.api("DELETE", "/script?uri=shop")
        assert (await _on(engine, "shop.example.org", "/a")).text == "site /a"
        await engine.api("POST", "/script/rollback?uri=shop")
        assert (await _on(engine, "shop.example.org", "/a")).text == "shop /a"


@pytest_twisted.ensureDeferred
async def test_same_paths_on_two_hosts() -> None:
    """Two scripts have the same paths, streams and middleware, each on its host; on the same host they may not."""
    async with shared_engine() as engine:
        for name in ("one", "two"):
            await engine.deploy(name, _files(FETCH % (name, name), [f"{name}.example.org"]))
        for name in ("one", "two"):
            host = f"{name}.example.org"
            own = await _on(engine, host, "/own")
            assert (own.text, own.headers["x-seen-by"]) == (name, name)
            assert (await _on(engine, host, "/nowhere")).headers["x-seen-by"] == name
            assert (await _on(engine, host, "/own", "DELETE")).headers["x-seen-by"] == name
            assert (await _on(engine, host, "/live", "HEAD")).headers["content-type"].startswith("text/event-stream")
        elsewhere = await _on(engine, "three.example.org", "/own")
        assert (elsewhere.status, "x-seen-by" in elsewhere.headers) == (404, False)
        refused = await _deploy(engine, "three", _files(FETCH % ("x", "x"), ["TWO.example.org"]))
        assert refused.status == 422
        message = refused.json()["problems"][0]["message"]
        assert 'of "two"' in message
        assert "on two.example.org" in message
        wrong = await _deploy(engine, "three", _files("", ["two.example.org:80"]))
        assert '"hosts" must be a name without a scheme, a port or a path' in wrong.json()["problems"][0]["message"]


async def _deploy(engine: EngineUnderTest, uri: str, files: dict[str, Any]) -> Reply:
    return await engine.api("PUT", f"/script?uri={uri}", {"files": files})
