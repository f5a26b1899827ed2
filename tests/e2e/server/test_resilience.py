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
from twisted.internet import reactor, task
from twisted.internet.defer import Deferred

from aiwebengine.settings.schema import BuildSettings, LimitSettings
from tests.support.engine import EngineUnderTest, Reply, running_engine, settings_for

SLOW = """
registerWebHandler("/slow", function () {
  return new Promise(function (resolve) { setTimeout(function () { resolve({ slow: true }); }, 300); });
});
registerWebHandler("/quick", function () { return { quick: true }; });
registerWebHandler("/loop", function () { console.log("into the loop"); for (;;) {} }, { timeout: 200 });
registerWebHandler("/pattern", function () { return /^(a+)+$/.test(new Array(40).join("a") + "b"); }, { timeout: 200 });
registerWebHandler("/join", function () { return new Array(3e8).join("ab").length; }, { timeout: 300 });
registerWebHandler("/hang", function () { return new Promise(function () {}); });
registerWebHandler("/memory", function () { var all = []; for (;;) all.push(new Array(1000).join("x") + all.length); });
"""


def _pid(engine: EngineUnderTest, what: str) -> int:
    state: Any = engine.engine.runner.state()
    version = state["versions"][0]
    return int(
        {
            "clone": lambda: next(clone["pid"] for clone in version["clones"] if clone["busy"]),
            "template": lambda: version["template"],
            "sandbox": lambda: state["sandbox"]["pid"],
        }[what]()
    )


async def _asked(engine: EngineUnderTest, path: str, times: int) -> list[Deferred[Reply]]:
    asked = [Deferred.fromCoroutine(engine.request("GET", path)) for _ in range(times)]
    await task.deferLater(reactor, 0.15)
    return asked


@pytest_twisted.ensureDeferred
async def test_killed_processes() -> None:
    """When a clone, a template or the sandbox is killed from outside, the requests in hand are run again."""
    async with running_engine() as engine:
        await engine.deploy("slow", {"main.js": SLOW})
        for what in ("clone", "template", "sandbox"):
            asked = await _asked(engine, "/slow", 4)
            os.kill(_pid(engine, what), signal.SIGKILL)
            replies = [await one for one in asked]
            assert [reply.status for reply in replies] == [200] * 4, (what, [reply.text for reply in replies])
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
async def test_endless_top_level() -> None:
    """A top level that never ends refuses the deployment with a time-out, and nothing changes."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder), limits=LimitSettings(load_seconds=0.5))
        async with running_engine(settings) as engine:
            reply = await engine.api("PUT", "/script?uri=loop", {"files": {"main.js": "for (;;) {}"}})
            assert reply.status == 422
            assert reply.json()["problems"][0]["code"] == "script_timeout"
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
        os.kill(int(engine.engine.builder.state()["pid"]), signal.SIGKILL)
        await task.deferLater(reactor, 0.1)
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
async def test_client_gone() -> None:
    """A client that goes away ends its invocation: the child is free, or killed if it does not listen."""
    source = """
    registerWebHandler("/deaf", function () { for (;;) {} });
    registerWebHandler("/quick", function () { return 1; });
    """
    async with running_engine() as engine:
        await engine.deploy("deaf", {"main.js": source})
        asked = Deferred.fromCoroutine(engine.open("GET", "/deaf"))
        asked.addErrback(lambda _: None)
        await task.deferLater(reactor, 0.2)
        assert engine.engine.runner.state()["active"] == 1
        asked.cancel()
        for _ in range(100):
            await task.deferLater(reactor, 0.02)
            if engine.engine.runner.state()["active"] == 0:
                break
        assert engine.engine.runner.state()["active"] == 0
        assert (await engine.request("GET", "/quick")).json() == 1
