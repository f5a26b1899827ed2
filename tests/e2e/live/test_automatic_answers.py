"""What the server answers by itself, and what a script may do about that; base paths."""

from __future__ import annotations

import json

import pytest_twisted

from tests.support.engine import shared_engine

BETWEEN = """
use(async (req, ctx, next) => {
  if (req.headers["access-control-request-method"]) {
    return { status: 204, headers: { "access-control-allow-origin": "*" } };
  }
  const answer = await next();
  if (answer instanceof Response) return answer;
  return { ...answer, headers: { ...answer.headers, "x-seen": String(answer.status) } };
});
registerWebHandler("/a", () => ({ status: 200, body: "a" }));
registerWebHandler("/a/:id", () => ({ status: 200, body: "b" }));
registerWebHandler("/own", () => ({ status: 200, body: "own" }), "OPTIONS");
"""
PREFLIGHT = {"origin": "https://a.example", "access-control-request-method": "GET"}
FETCH = """
export default { fetch: async (request) => new Response(
  request.method + " " + new URL(request.url).pathname + " " + (await request.text()), { headers: { "x-from": "%s" } }
) };
"""


@pytest_twisted.ensureDeferred
async def test_middleware_around_automatic_answers() -> None:
    """Middleware answers a preflight itself, and sees 204, 404 and 405 of its own script before the client does."""
    async with shared_engine() as engine:
        await engine.deploy("one", {"main.js": BETWEEN})
        for path in ("/a", "/a/7"):
            reply = await engine.request("OPTIONS", path, PREFLIGHT)
            assert (reply.status, reply.headers.get("access-control-allow-origin")) == (204, "*")
        reply = await engine.request("OPTIONS", "/a")
        assert (reply.status, reply.headers["allow"], reply.headers["x-seen"]) == (204, "GET, HEAD, OPTIONS", "204")
        assert (await engine.request("OPTIONS", "/own")).text == "own"
        reply = await engine.request("DELETE", "/a")
        assert (reply.status, reply.headers["allow"], reply.headers["x-seen"]) == (405, "GET, HEAD, OPTIONS", "405")
        assert reply.json()["code"] == "method_not_allowed"
        reply = await engine.request("GET", "/nowhere", {"accept": "text/html"})
        assert (reply.status, reply.headers["x-seen"], reply.headers["content-type"]) == (
            404,
            "404",
            "text/html; charset=utf-8",
        )
        # What nobody answers belongs to no script when there are several.
        await engine.deploy("other", {"main.js": 'registerWebHandler("/b", () => "b");'})
        assert "x-seen" not in (await engine.request("GET", "/nowhere")).headers
        assert "x-seen" not in (await engine.request("DELETE", "/b")).headers
        assert "x-seen" in (await engine.request("DELETE", "/a")).headers


@pytest_twisted.ensureDeferred
async def test_base_paths() -> None:
    """Several scripts answer everything, each below its base path, and know their paths without it."""
    async with shared_engine() as engine:
        for name, base in (("shop", "/shop"), ("help", "/shop/help"), ("site", "")):
            manifest = json.dumps({"name": name, "aiwebengine": {"basePath": base}})
            await engine.deploy(name, {"main.js": FETCH % name, "package.json": manifest})
        for path, name, seen in (
            ("/shop", "shop", "/"),
            ("/shop/", "shop", "/"),
            ("/shop/cart/1?q=/x", "shop", "/cart/1"),
            ("/%73hop/cart", "shop", "/cart"),
            ("/shop/help?a", "help", "/"),
            ("/shop/help/me", "help", "/me"),
            ("/shopping", "site", "/shopping"),
        ):
            reply = await engine.request("GET", path)
            assert (reply.headers["x-from"], reply.text) == (name, f"GET {seen} ")
        assert (await engine.request("POST", "/shop/cart", {}, "body")).text == "POST /cart body"
        # A preflight reaches what answers everything.
        assert (await engine.request("OPTIONS", "/shop/cart", PREFLIGHT)).text == "OPTIONS /cart "
        # Where a script has a path of its own, no other is asked about it.
        await engine.deploy("notes", {"main.js": 'registerWebHandler("/notes", () => "notes");'})
        reply = await engine.request("OPTIONS", "/notes", PREFLIGHT)
        assert (reply.status, "x-from" in reply.headers) == (204, False)


@pytest_twisted.ensureDeferred
async def test_middleware_below_a_base_path() -> None:
    """What nobody answers below a base path passes the middleware of its script."""
    async with shared_engine() as engine:
        manifest = json.dumps({"name": "one", "aiwebengine": {"basePath": "/one"}})
        await engine.deploy("one", {"main.js": BETWEEN, "package.json": manifest})
        await engine.deploy("other", {"main.js": 'registerWebHandler("/b", () => "b");'})
        assert (await engine.request("GET", "/one/a")).text == "a"
        assert (await engine.request("GET", "/one/nowhere")).headers["x-seen"] == "404"
        assert (await engine.request("GET", "/one")).headers["x-seen"] == "404"
        for path in ("/onesided", "/a", "/nowhere"):
            assert "x-seen" not in (await engine.request("GET", path)).headers
        wrong = await engine.api(
            "PUT", "/script?uri=two", {"files": {"main.js": "", "package.json": '{"aiwebengine":{"basePath":"/auth"}}'}}
        )
        assert '"basePath" must not begin with "/auth"' in wrong.json()["problems"][0]["message"]


@pytest_twisted.ensureDeferred
async def test_fetch_that_is_no_function() -> None:
    """An export whose fetch cannot be called is refused, for nothing would serve it."""
    async with shared_engine() as engine:
        reply = await engine.api("PUT", "/script?uri=wrong", {"files": {"main.js": "export default { fetch: 5 };"}})
        assert reply.status == 422
        (problem,) = reply.json()["problems"]
        assert "fetch must be a function; 5 was given" in problem["message"]
