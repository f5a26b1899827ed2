"""Top-level await: programs of several modules, in node and as deployed scripts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from aiwebengine.build.builder import TOOLCHAIN
from aiwebengine.build.node import NodeProgram, find_node
from tests.support.javascript.building import build, problems, running_builder, tarball
from tests.support.world import Program, run_programs

SAY = (
    "const say = (word) => { (globalThis.received ||= []).push(word); },"
    " wait = (n) => new Promise((r) => setTimeout(r, n));"
)

PROGRAMS: Mapping[str, Mapping[str, str]] = {
    "one": {
        "main.mjs": "say('a'); const x = await Promise.resolve(1); let y;\ny = await wait(2); say(x); say(typeof y);"
    },
    "forms": {
        "main.mjs": "import d, { a, b, c, f, C, E } from './a.mjs'; import * as all from './a.mjs';\n"
        "say([a, b, c, f(), new C().x, new E().x, d, Object.keys(all).join()].join(' '));",
        "a.mjs": "export const a = await 1, { b, z: [c = 3] } = await { b: 2, z: [] };\n"
        "export function f() { return a + i; } export class C { x = a; } class D extends C { y = 2; }\n"
        "for (var i = 0; i < 3; i++) { await null; } for await (const one of [wait(1), 2]) { say(typeof one); }\n"
        "if (a) { var hidden = await 5; } export { D as E, hidden }; export default await f();\n"
        "label: for (const k of [1, 2]) { if (k === 2) break label; say(k); }\n"
        "try { await Promise.reject(new Error('caught')); } catch (e) { say(e.message); }\n",
    },
    "siblings wait together": {
        "main.mjs": "import './a.mjs'; import './b.mjs'; import './c.mjs'; import './d.mjs'; say('main');",
        "a.mjs": "say('a1'); await wait(20); say('a2');",
        "b.mjs": "say('b1'); await wait(5); say('b2');",
        "c.mjs": "import './a.mjs'; say('c');",
        "d.mjs": "import './b.mjs'; say('d'); await null; say('d2');",
    },
    "values through others": {
        "main.mjs": "import { v, w } from './pass.mjs'; import { late } from './late.mjs'; say(v + w); say(late());",
        "pass.mjs": "export * from './v.mjs'; export { w } from './w.mjs'; say('pass');",
        "v.mjs": "export const v = await wait(3).then(() => 'v');",
        "w.mjs": "export let w = 'w'; await wait(1); w = 'ww';",
        "late.mjs": "import { v } from './v.mjs'; export const late = () => v + '!'; say(late());",
    },
    "a cycle": {
        "main.mjs": "import { a } from './a.mjs'; import './c.mjs'; say(a);",
        "a.mjs": "import { b } from './b.mjs'; say('a');\n"
        "export const a = await wait(2).then(() => b + 1); say('a done');",
        "b.mjs": "import { a } from './a.mjs'; say('b'); export const b = await wait(2).then(() => 1); say('b done');\n"
        "export const later = () => a;",
        "c.mjs": "import { later } from './b.mjs'; say('c ' + later());",
    },
    "imported later": {
        "main.mjs": "say('main'); const { v } = await import('./v.mjs'); say(v);\n"
        "const again = await import('./v.mjs'); say(again.v); await import('./bad.mjs').catch((e) => say(e.message));",
        "v.mjs": "say('v'); await wait(3); export const v = 'later';",
        "bad.mjs": "await null; throw new Error('bad');",
    },
    "imported later by one that does not wait": {
        "main.mjs": "import('./v.mjs').then(({ v }) => { say(v); }); say('main'); await wait(30);",
        "v.mjs": "import { w } from './w.mjs'; export const v = w + 1;",
        "w.mjs": "export const w = await wait(2).then(() => 1);",
    },
    "ticks": {
        "main.mjs": "import './a.mjs'; import './b.mjs'; say('main');",
        "a.mjs": "say('a1'); await null; say('a2'); await null; say('a3');",
        "b.mjs": "say('b1'); await null; say('b2'); await null; say('b3');",
    },
    "one that fails": {
        "main.mjs": "await import('./user.mjs').catch((e) => say('failed ' + e.message)); say('on');",
        "user.mjs": "import './a.mjs'; import './ok.mjs'; say('never');",
        "a.mjs": "await wait(1); throw new TypeError('of a');",
        "ok.mjs": "await wait(10); say('ok');",
    },
}


def by_node(files: Mapping[str, str], folder: Path) -> Any:
    """Run modules in node."""
    node = find_node("", TOOLCHAIN)
    assert isinstance(node, NodeProgram)
    for name, text in files.items():
        (folder / name).write_text(f"{SAY}\n{text}")
    run = "await import('./main.mjs'); process.stdout.write(JSON.stringify(globalThis.received));"
    (folder / "run.mjs").write_text(run)
    done = subprocess.run([node.program, folder / "run.mjs"], capture_output=True, timeout=60, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest_twisted.ensureDeferred
async def test_the_same_as_in_node(name: str, tmp_path: Path) -> None:
    """Modules that wait run in the order in which node runs them."""
    files = {path: f"{SAY}\n{text}" for path, text in PROGRAMS[name].items()}
    files["main.mjs"] += "\nregisterWebHandler('/', () => globalThis.received);"
    async with running_builder() as builder:
        built = await build(builder, files, "main.mjs")
    [outcome] = run_programs([Program(source=built.source)])
    assert outcome.failure() is None, outcome.failure()
    assert json.loads(outcome.answer()[2]) == by_node(PROGRAMS[name], tmp_path)


@pytest_twisted.ensureDeferred
async def test_typescript_and_the_entry() -> None:
    """A script may wait before it registers; names of handlers, `init` and types mean what they mean elsewhere."""
    files = {
        "main.ts": "import { words, type Words } from './words';\n"
        "interface Box { a: number }\nconst made: Box = await Promise.resolve({ a: 1 });\n"
        "let begun = 0;\nexport async function init() { begun = words.length + made.a; }\n"
        "registerWebHandler('/', 'answer');\nconst answer = (): unknown => [begun, words satisfies Words];\n",
        "words.ts": "export type Words = string[];\nexport const words: Words = await Promise.all(['a', 'b']);\n",
    }
    async with running_builder() as builder:
        built = await build(builder, files)
    [outcome] = run_programs([Program(source=built.source)])
    assert json.loads(outcome.answer()[2]) == [3, ["a", "b"]]


@pytest_twisted.ensureDeferred
async def test_packages_that_wait() -> None:
    """A package may wait at its top level, and whoever imports it waits for it."""
    files: dict[str, str | bytes] = {
        "main.ts": "import { made } from 'slow';\nregisterWebHandler('/', () => made);\n",
        "package.json": json.dumps({"dependencies": {"slow": "file:slow.tgz"}}),
        "slow.tgz": tarball(
            {
                "package.json": json.dumps({"name": "slow", "version": "1.0.0", "module": "index.js"}),
                "index.js": "import { value } from './value.js';\nexport const made = value + 1;\n",
                "value.js": "export const value = await new Promise((done) => setTimeout(() => done(1), 2));\n",
            }
        ),
    }
    async with running_builder() as builder:
        built = await build(builder, files)
        [outcome] = run_programs([Program(source=built.source)])
        assert json.loads(outcome.answer()[2]) == 2
        files["main.ts"] = "const a = require('./a');\nregisterWebHandler('/', () => a);\n"
        files["a.ts"] = "import { made } from 'slow';\nexport default made;\n"
        [problem] = await problems(builder, files)
    assert (problem.code, problem.file, problem.line) == ("top_level_await", "main.ts", 1)
    assert 'import("./a")' in str(problem.hint)


@pytest_twisted.ensureDeferred
async def test_waits_that_fail() -> None:
    """What is rejected at the top level is the failure of the load, and so is a wait that can never end."""
    async with running_builder() as builder:
        sources = [
            (await build(builder, {"main.ts": text})).source
            for text in (
                "await null;\nthrow new TypeError('no luck');",
                "await new Promise(() => {});",
                "const p = (async () => { await null; throw new Error('late'); })();\nexport const a = await p;",
            )
        ]
    message = [str(outcome.failure()) for outcome in run_programs([Program(source=source) for source in sources])]
    assert "no luck" in message[0]
    assert "The top level waits for a promise that can never settle" in message[1]
    assert "late" in message[2]
