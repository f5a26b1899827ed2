"""What goes on when processes die: killed children, a killed sandbox, a restarted server."""

from __future__ import annotations

import os
import signal
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest_twisted
from twisted.internet.defer import Deferred

from aiwebengine.settings.schema import BuildSettings, LimitSettings, Settings
from tests.support.engine import EngineUnderTest, running_engine, settings_for
from tests.support.sandbox import is_alive
from tests.support.waiting import until

REQUESTS = 4
PATIENT = LimitSettings(wall_seconds=120.0, cpu_seconds=120.0)
_ATTEMPTS = 10
SLOW = """
registerWebHandler("/slow", function () {
  function look(go) {
    if (go) return { slow: true };
    return new Promise(function (resolve) { setTimeout(resolve, 10); }).then(ask);
  }
  function ask() { return kv.get("go").then(look); }
  return ask();
});
registerWebHandler("/go/:go", function (req) { return kv.set("go", req.params.go === "on").then(String); });
registerWebHandler("/quick", function () { return { quick: true }; });
registerWebHandler("/loop", function () { console.log("into the loop"); for (;;) {} }, { timeout: 200 });
registerWebHandler("/pattern", function () { return /^(a+)+$/.test(new Array(40).join("a") + "b"); }, { timeout: 200 });
registerWebHandler("/join", function () { return new Array(3e8).join("ab").length; }, { timeout: 300 });
registerWebHandler("/hang", function () { return new Promise(function () {}); });
registerWebHandler("/memory", function () { var all = []; for (;;) all.push(new Array(1000).join("x") + all.length); });
"""


def _pids(engine: EngineUnderTest) -> dict[str, int]:
    """Return the pids of what works for the requests in hand, by kind; none before each is known."""
    state: Any = engine.engine.runner.state()
    for version in state["versions"]:
        busy = [clone["pid"] for clone in version["clones"] if clone["busy"]]
        # The pid is 0 until the fork is reported.
        if len(busy) == REQUESTS and all(busy) and version["template"] and state["sandbox"]["pid"]:
            return {"clone": busy[0], "template": version["template"], "sandbox": state["sandbox"]["pid"]}
    return {}


@pytest_twisted.ensureDeferred
async def test_killed_processes(tmp_path: Path) -> None:
    """When a clone, a template or the sandbox is killed from outside, the requests in hand are run again."""
    async with running_engine(settings_for(tmp_path, limits=PATIENT)) as engine:
        await engine.deploy("slow", {"main.js": SLOW})
        for what in ("clone", "template", "sandbox"):
            await engine.request("GET", "/go/off")
            asked = [Deferred.fromCoroutine(engine.request("GET", "/slow")) for _ in range(REQUESTS)]
            pids = await until(lambda: _pids(engine), state=engine.engine.runner.state)
            os.kill(pids[what], signal.SIGKILL)
            await until(lambda pid=pids[what]: not is_alive(pid))
            await engine.request("GET", "/go/on")
            replies = [await request for request in asked]
            assert [reply.status for reply in replies] == [200] * REQUESTS, (what, [reply.text for reply in replies])
            assert (await engine.request("GET", "/quick")).json() == {"quick": True}, what


@pytest_twisted.ensureDeferred
async def test_runaway_scripts() -> None:
    """However a handler runs away, its caller is told how it was ended, and the next one is answered."""
    limits = LimitSettings(memory_bytes=64 * 1024 * 1024)
    with tempfile.TemporaryDirectory() as folder:
        async with running_engine(settings_for(Path(folder), limits=limits)) as engine:
            await engine.deploy("slow", {"main.js": SLOW})
            for path, status, codes in (
                ("/loop", 504, {"script_timeout"}),
                ("/pattern", 504, {"script_timeout"}),
                ("/join", 500, {"script_timeout", "script_memory"}),
                ("/hang", 500, {"script_hung"}),
                ("/memory", 500, {"script_memory", "script_timeout"}),
            ):
                reply = await engine.request("GET", path)
                assert reply.json()["code"] in codes, (path, reply.text)
                assert reply.status in {status, 504}, (path, reply.text)
                assert (await engine.request("GET", "/quick")).status == 200, path
            logs = (await engine.api("GET", "/logs?uri=slow")).json()["lines"]
            kept = [(line["message"], line["outcome"]) for line in logs]
            assert ("into the loop", "script_timeout") in kept


@pytest_twisted.ensureDeferred
async def test_where_it_was() -> None:
    """A handler that is ended at its deadline names function, file and line, in the log and in the answer."""
    files = {
        "main.ts": (
            'import { spin } from "./lib/spin";\n'
            "interface Round { count: number }\n"
            'registerWebHandler("/loop", loops);\n'
            'registerWebHandler("/library", () => {'
            " const round: Round = { count: 1 }; return spin(round.count) + 1; });\n"
            'registerWebHandler("/after", async () => {\n  await null;\n  for (;;) {}\n});\n'
            'registerWebHandler("/pattern", () => {\n  const found = /(a+)+$/.test("a".repeat(40) + "b");\n'
            "  return found;\n});\n"
            'registerWebHandler("/timer", () => new Promise((done) => setTimeout(done, 5000)), { timeout: 600 });\n'
            "\n\n\n"
            "function loops() {\n  let count = 0;\n  while (true) {\n    count += 1;\n  }\n}\n"
        ),
        "lib/spin.ts": "export function spin(count: number): number {\n  while (count > 0) {\n    count = 1;\n  }\n}\n",
    }
    expected = {
        "/loop": ("main.ts", {19, 20, 21}, "loops"),
        "/library": ("lib/spin.ts", {2, 3, 4}, "spin"),
        "/after": ("main.ts", {6, 7, 8}, ""),
        "/pattern": ("main.ts", {10}, ""),
    }
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder), limits=LimitSettings(wall_seconds=1.5))
        await _tell_where(settings, files, expected)


async def _tell_where(
    settings: Settings, files: dict[str, str], expected: dict[str, tuple[str, set[int], str]]
) -> None:
    async with running_engine(settings) as engine:
        await engine.deploy("where", files)
        for path, (file, lines, function) in expected.items():
            for _ in range(_ATTEMPTS):
                reply = await engine.request("GET", path)
                answer = reply.json()
                assert answer["code"] == "script_timeout", reply.text
                innermost = answer["stack"][0]
                # On a busy machine it may be ended before it has said where it is.
                if innermost["line"] in lines and innermost["function"] == function:
                    break
            assert (innermost["file"], innermost["function"]) == (file, function), (path, reply.text)
            assert innermost["line"] in lines, (path, reply.text)
            assert innermost["source"], (path, reply.text)
        assert "It was in test, which is not written in JavaScript." in answer["detail"]
        details = [(await engine.request("GET", "/timer")).json()["detail"] for _ in range(3)]
        assert any("It waited for a timer." in detail for detail in details), details
        logs = (await engine.api("GET", "/logs?uri=where")).json()["lines"]
        line = [line["message"] for line in logs if "GET /library" in line["message"]][-1]
        assert "    at spin (lib/spin.ts:" in line, line


@pytest_twisted.ensureDeferred
async def test_endless_top_level() -> None:
    """A top level that never ends refuses the deployment with a time-out, and nothing changes."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder), limits=LimitSettings(load_seconds=0.5))
        async with running_engine(settings) as engine:
            reply = await engine.api("PUT", "/script?uri=loop", {"files": {"main.js": "for (;;) {}"}})
            assert reply.status == 422
            (problem,) = reply.json()["problems"]
            assert problem["code"] == "script_timeout"
            assert (problem["file"], problem["line"], problem["snippet"]) == ("main.js", 1, "for (;;) {}")
            assert (await engine.api("GET", "/scripts")).json()["scripts"] == []


@pytest_twisted.ensureDeferred
async def test_restart_without_node() -> None:
    """A restarted server serves every script again, without node and without building."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder))
        source = (
            "const greet = (name: string) => `hello ${name}`;\n"
            "registerWebHandler('/ts/:name', (req) => greet(req.params.name));"
        )
        async with running_engine(settings) as engine:
            await engine.deploy("ts", {"main.ts": source})
            await engine.deploy("slow", {"main.js": SLOW})
        without = replace(settings, build=BuildSettings(node="/nonexistent/node"))
        async with running_engine(without) as engine:
            assert (await engine.request("GET", "/ts/Ada")).text == "hello Ada"
            assert (await engine.request("GET", "/quick")).json() == {"quick": True}
            refused = await engine.api("PUT", "/script?uri=" + quote("new"), {"files": {"main.ts": source}})
            assert refused.status == 422
            assert refused.json()["problems"][0]["code"] == "no_build"
            plain = "registerWebHandler('/plain', function () { return '\\u00e9' + 'é'; });"
            accepted = await engine.api("PUT", "/script?uri=plain", {"files": {"main.js": plain}})
            assert accepted.status == 201
            assert accepted.json()["warnings"][0]["code"] == "unchecked"
            assert (await engine.request("GET", "/plain")).text == "éé"


@pytest_twisted.ensureDeferred
async def test_build_worker_killed() -> None:
    """A killed build worker is started again for the next deployment."""
    async with running_engine() as engine:
        await engine.deploy("one", {"main.ts": "registerWebHandler('/one', () => 1 as number);"})
        pid = int(engine.engine.builder.state()["pid"])
        os.kill(pid, signal.SIGKILL)
        await until(lambda: engine.engine.builder.state()["pid"] != pid, state=engine.engine.builder.state)
        await engine.deploy("two", {"main.ts": "registerWebHandler('/two', () => 2 as number);"})
        assert (await engine.request("GET", "/two")).json() == 2


@pytest_twisted.ensureDeferred
async def test_isolation_by_request() -> None:
    """With `isolation: request` no invocation sees what another left in module scope."""
    async with running_engine() as engine:
        package = '{"aiwebengine": {"isolation": "request", "entry": "main.js"}}'
        source = "var seen = 0; registerWebHandler('/count', function () { seen += 1; return seen; });"
        await engine.deploy("fresh", {"package.json": package, "main.js": source})
        assert [(await engine.request("GET", "/count")).json() for _ in range(6)] == [1] * 6


@pytest_twisted.ensureDeferred
async def test_client_gone(tmp_path: Path) -> None:
    """A client that goes away ends its invocation: the child is free, or killed if it does not listen."""
    source = """
    registerWebHandler("/deaf", function () { for (;;) {} });
    registerWebHandler("/quick", function () { return 1; });
    """
    async with running_engine(settings_for(tmp_path, limits=PATIENT)) as engine:
        await engine.deploy("deaf", {"main.js": source})
        asked = Deferred.fromCoroutine(engine.open("GET", "/deaf"))
        asked.addErrback(lambda _: None)
        await until(lambda: engine.engine.runner.state()["active"] == 1, state=engine.engine.runner.state)
        asked.cancel()
        # Long before its own time is up.
        await until(lambda: engine.engine.runner.state()["active"] == 0, state=engine.engine.runner.state, seconds=30)
        assert (await engine.request("GET", "/quick")).json() == 1
