"""Scripts that manage scripts and assets, as older scripts do."""

from __future__ import annotations

from typing import Any

import pytest_twisted

from tests.support.engine import running_engine, shared_engine
from tests.support.waiting import until

MANAGER = """
registerWebHandler('/make', function (req) {
    upsertScript('made', "registerWebHandler('/made', function () { return '" + req.query.text + "'; });");
    if (req.query.fail) throw new Error('too late');
    return { source: getScript('made').length > 0, listed: listScripts().indexOf('made') >= 0 };
}, 'POST');
registerWebHandler('/spoil', function () {
    upsertScript('made', 'this is no program(');
    return getScript('made');
}, 'POST');
registerWebHandler('/take', function () {
    upsertScript('taker', "registerWebHandler('/make', function () {}, 'POST');");
    return listScripts();
}, 'POST');
registerWebHandler('/unmake', function () { return [deleteScript('made'), deleteScript('made')]; }, 'POST');
registerWebHandler('/myself', function () {
    upsertScript('manager', getScript('manager') + '\\n// again');
    return 'ok';
}, 'POST');
registerWebHandler('/asset', function (req) {
    upsertAsset('/a.txt', 'text/plain', btoa(req.body));
    if (req.query.fail) throw httpError(409, 'no');
    return JSON.parse(fetchAsset('/a.txt'));
}, 'POST');
registerWebHandler('/asset', function () { return JSON.parse(fetchAsset('/a.txt')); });
"""


@pytest_twisted.ensureDeferred
async def test_a_script_deploys_scripts() -> None:
    """A script that was granted it deploys, changes and deletes scripts; what cannot be deployed is in its log."""
    async with shared_engine() as engine:
        await engine.deploy("manager", {"main.js": MANAGER}, grants=["scripts"])
        made = await engine.request("POST", "/make?text=one", {}, "")
        assert made.json() == {"source": True, "listed": True}
        assert (await engine.request("GET", "/made")).text == "one"
        assert (await engine.request("POST", "/make?text=two&fail=1", {}, "")).status == 500
        assert (await engine.request("GET", "/made")).text == "one", "a handler that failed has deployed nothing"
        spoilt = await engine.request("POST", "/spoil", {}, "")
        assert "one" in spoilt.text, "the source that cannot be deployed is not seen"
        assert (await engine.request("GET", "/made")).text == "one"
        taken = await engine.request("POST", "/take", {}, "")
        assert "taker" not in taken.json()
        log = "\n".join(line["message"] for line in (await engine.api("GET", "/logs?uri=manager")).json()["lines"])
        assert 'upsertScript: "made" is not deployed' in log
        assert 'upsertScript: "taker" is not deployed' in log
        assert (await engine.request("POST", "/unmake", {}, "")).json() == [True, False]
        assert (await engine.request("GET", "/made")).status == 404


@pytest_twisted.ensureDeferred
async def test_a_script_replaces_itself() -> None:
    """A script may deploy a new version of itself while it runs."""
    async with running_engine() as engine:
        await engine.deploy("manager", {"main.js": MANAGER}, grants=["scripts"])
        assert (await engine.request("POST", "/myself", {}, "")).text == "ok"
        assert (await engine.api("GET", "/script?uri=manager")).json()["version"] == 2
        assert (await engine.request("POST", "/myself", {}, "")).text == "ok", "it has kept its capability"


@pytest_twisted.ensureDeferred
async def test_a_script_without_a_grant_is_denied() -> None:
    """Without the capability the call is refused, and the error says what to do."""
    async with shared_engine() as engine:
        source = """registerWebHandler('/list', function () {
            try { return listScripts(); } catch (error) { return error.code + ': ' + error.message; }
        });"""
        await engine.deploy("curious", {"main.js": source})
        reply = await engine.request("GET", "/list")
        assert reply.text.startswith("denied: ")
        assert "--grant scripts" in reply.text


@pytest_twisted.ensureDeferred
async def test_assets_are_stored_with_the_answer() -> None:
    """An asset is stored if the handler has returned, and not if it has thrown."""
    async with shared_engine() as engine:
        await engine.deploy("manager", {"main.js": MANAGER}, grants=["assets", "scripts"])
        assert (await engine.request("GET", "/asset")).json() is None
        stored = (await engine.request("POST", "/asset", {}, "hello")).json()
        assert stored == {"publicPath": "/a.txt", "mimetype": "text/plain", "content": "aGVsbG8="}
        assert (await engine.request("POST", "/asset?fail=1", {}, "other")).status == 409
        assert (await engine.request("GET", "/asset")).json() == stored


@pytest_twisted.ensureDeferred
async def test_the_top_level_may_deploy() -> None:
    """What the top level deploys is carried out with the deployment, and not by a check."""
    source = """upsertScript('child', "registerWebHandler('/child', function () { return 'hi'; });");
        registerWebHandler('/parent', function () { return 'hello'; });"""
    async with shared_engine() as engine:
        checked = await engine.api("POST", "/check?uri=parent", {"files": {"main.js": source}, "grants": ["scripts"]})
        assert checked.json()["ok"], checked.text
        assert (await engine.request("GET", "/child")).status == 404
        await engine.deploy("parent", {"main.js": source}, grants=["scripts"])
        assert (await engine.request("GET", "/parent")).text == "hello"
        assert (await engine.request("GET", "/child")).text == "hi"


@pytest_twisted.ensureDeferred
async def test_failures_are_in_the_log() -> None:
    """What a handler threw is in the script's log, with the author's file and line."""
    async with shared_engine() as engine:
        source = "interface Nothing { deep?: { down: number } }\nregisterWebHandler('/boom', boom);\n"
        source += "function boom() {\n  const o: Nothing = {};\n  return o.deep!.down;\n}\n"
        await engine.deploy("boom", {"main.ts": source})
        reply = await engine.request("GET", "/boom")
        assert reply.status == 500

        async def lines() -> Any:
            return (await engine.api("GET", "/logs?uri=boom&level=error")).json()["lines"]

        [line] = await until(lines)
        assert "TypeError" in line["message"]
        assert "boom (main.ts:5)" in line["message"]
        assert line["fields"]["place"] == "main.ts:5"
        assert line["outcome"] == "script_failed"
        assert line["invocation"] == reply.headers["x-request-id"]


@pytest_twisted.ensureDeferred
async def test_cookies_come_back() -> None:
    """A cookie's value is read as it was set, percent signs and all."""
    source = """
    registerWebHandler("/set", function () { return { status: 200, cookies: { a: "50%25 of é" } }; });
    registerWebHandler("/get", function (req) { return req.cookies.a; });
    """
    async with shared_engine() as engine:
        await engine.deploy("cookies", {"main.js": source})
        cookie = (await engine.request("GET", "/set")).headers["set-cookie"].split(";")[0]
        assert (await engine.request("GET", "/get", {"cookie": cookie})).text == "50%25 of é"


@pytest_twisted.ensureDeferred
async def test_stacks_in_the_log() -> None:
    """Stacks that a script logs show its own files, also those of causes, of `trace` and of the top level."""
    main = """import { inner } from "./lib";
console.error(new Error("at top"));
registerWebHandler("/logs", async () => {
  try {
    inner({ x: 1 });
  } catch (error) {
    console.error("failed", error);
    console.warn(new Error("outer", { cause: error }));
  }
  await kv.get("a");
  console.trace("here");
  return 1;
});
"""
    lib = """interface Given { x: number }

export function inner(given: Given): never {
  throw new TypeError("inner " + given.x);
}
"""
    async with shared_engine() as engine:
        await engine.deploy("traces", {"main.ts": main, "lib.ts": lib})
        await engine.deploy("plain", {"main.js": 'registerWebHandler("/plain", function () {\n  console.trace(); });'})
        assert (await engine.request("GET", "/logs")).status == 200
        assert (await engine.request("GET", "/plain")).status == 204
        top, failed, outer, here = [
            line["message"] for line in (await engine.api("GET", "/logs?uri=traces")).json()["lines"]
        ]
        assert top == "Error: at top\n    at (anonymous) (main.ts:2)"
        thrown = "TypeError: inner 1\n    at inner (lib.ts:4)\n    at (anonymous) (main.ts:5)"
        assert failed == f"failed {thrown}"
        assert outer == f"Error: outer\n    at (anonymous) (main.ts:8)\nCaused by: {thrown}"
        assert here == "here\n    at (anonymous) (main.ts:11)"
        [plain] = [line["message"] for line in (await engine.api("GET", "/logs?uri=plain")).json()["lines"]]
        assert plain == "Trace\n    at (anonymous) (main.js:2)"
