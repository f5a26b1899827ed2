"""What files know of themselves, files of CommonJS, and the ways in which files are imported."""

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
from tests.support.javascript.building import build, problems, running_builder
from tests.support.world import Program, run_programs


async def answers(files: Mapping[str, str | bytes], entry: str = "main.ts") -> Any:
    """Build a script and have its first handler answer."""
    async with running_builder() as builder:
        [outcome] = run_programs([Program(source=(await build(builder, files, entry)).source)])
    assert outcome.failure() is None, outcome.failure()
    return json.loads(outcome.answer()[2])


@pytest_twisted.ensureDeferred
async def test_import_meta() -> None:
    """`import.meta` tells the place of a file in the script, whether it is the entry, and the mode."""
    files = {
        "main.ts": "import { there } from './deep/a b';\nconst { url, main } = import.meta;\n"
        "registerWebHandler('/', () => [url, main, there, import.meta.env.MODE, import.meta.env.DEV,\n"
        "  import.meta.env.X, import.meta.resolve('./x.txt'), process.env.NODE_ENV,\n"
        "  self === globalThis, import.meta.hot === undefined]);",
        "deep/a b.ts": "export const there = [import.meta.url, import.meta.filename, import.meta.dirname,\n"
        "  import.meta.main, new URL('../x', import.meta.url).pathname, typeof import.meta.env];\n",
    }
    assert await answers(files) == [
        "file:///main.ts", True,
        ["file:///deep/a%20b.ts", "/deep/a b.ts", "/deep", False, "/x", "object"],
        "production", False, None, "file:///x.txt", "production", True, True,
    ]  # fmt: skip
    async with running_builder() as builder:
        [problem] = await problems(builder, {"main.ts": "const a = 1;\nconsole.log(a, import.meta.dir);\n"})
        assert (problem.code, problem.line) == ("unknown_member", 2)
        assert "dirname" in str(problem.hint)
        [problem] = await problems(builder, {"main.ts": "console.log(process.getuid());\n"})
        assert problem.code == "unknown_member"


COMMONJS: Mapping[str, Mapping[str, str]] = {
    "exports": {
        "main.js": "const { a, b } = require('./a'); const f = require('./f.cjs'); const data = require('./d.json'),\n"
        "  esm = require('./e.mjs'); if (require.main === module) out(a, b, f(2), data.x, esm.default, esm.named);\n"
        "out(typeof module, typeof exports, this === module.exports);",
        "a.js": "exports.a = 1; module.exports.b = 'b'; return; exports.a = 2;",
        "f.cjs": "module.exports = function (n) { return n * require('./a').a; };",
        "d.json": '{"x": [1, 2]}',
        "e.mjs": "export default 'd'; export const named = 'n';",
    },
    "cycles": {
        "main.js": "out(require('./a').name, require('./a').other());",
        "a.js": "exports.name = 'a'; const b = require('./b'); exports.other = () => b.name + b.seen;",
        "b.js": "const a = require('./a'); exports.name = 'b'; exports.seen = a.name;",
    },
    "imported": {
        "main.mjs": "#!/usr/bin/env node\nimport whole, { a } from './a.cjs'; import * as all from './a.cjs';\n"
        "import data from './d.json' with { type: 'json' }; out(whole.a, a, all.default === whole, data);",
        "a.cjs": "exports.a = 1;",
        "d.json": "[1]",
    },
}


@pytest.mark.parametrize("name", COMMONJS)
@pytest_twisted.ensureDeferred
async def test_commonjs(name: str, tmp_path: Path) -> None:
    """Files of CommonJS, alone or with modules, come to the same as in node."""
    node = find_node("", TOOLCHAIN)
    assert isinstance(node, NodeProgram)
    files = dict(COMMONJS[name])
    entry = next(iter(files))
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    (tmp_path / "run.cjs").write_text(
        "const told = []; globalThis.out = (...all) => told.push(all);\n"
        "process.on('exit', () => process.stdout.write(JSON.stringify(told)));\n"
    )
    command = [node.program, "--no-warnings", "--require", tmp_path / "run.cjs", tmp_path / entry]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    files["first.js"] = "globalThis.received = []; globalThis.out = (...all) => { globalThis.received.push(all); };\n"
    load = "import './first.js';" if entry.endswith(".mjs") else "require('./first.js');"
    hashbang, text = files[entry].split("\n", 1) if files[entry].startswith("#!") else ("", files[entry])
    files[entry] = f"{hashbang}\n{load}{text}\nregisterWebHandler('/', () => globalThis.received);".lstrip("\n")
    assert await answers(files, entry) == json.loads(done.stdout)


@pytest_twisted.ensureDeferred
async def test_commonjs_of_typescript() -> None:
    """`import x = require()` and `export =` are what tsc makes of them, and an entry may export `init`."""
    files = {
        "main.cts": "import one = require('./one'); const { two } = require('./two.cjs');\n"
        "let begun = false; module.exports = { init: async () => { begun = true; } };\n"
        "registerWebHandler('/', () => [one.made(1), two, begun]);",
        "one.ts": "import { two } from './two.cjs'; interface Made { n: number }\n"
        "const whole = { made: (n: number): Made => ({ n: n + two }) }; export = whole;",
        "two.cts": "export const two: number = 2;",
    }
    assert await answers(files, "main.cts") == [{"n": 3}, 2, True]


@pytest_twisted.ensureDeferred
async def test_files_as_text() -> None:
    """A file is imported as a string with ?raw or the type "text", and as JSON with `with` or `assert`."""
    files = {
        "main.ts": "import page from './page.html?raw'; import code from './code.ts?raw';\n"
        "import same from './code.ts' with { type: 'text' }; import { size } from './code';\n"
        "import data from './data.json' assert { type: 'json' };\n"
        "import odd from './odd.conf' with { type: 'json' };\n"
        "registerWebHandler('/', async () => [page, code === same, code, size, data, odd,\n"
        "  (await import('./a.txt?raw')).default]);",
        "page.html": "<p>\u00e9</p>",
        "code.ts": "export const size: number = 1;",
        "data.json": '{"a": 1}',
        "odd.conf": "[2]",
        "a.txt": "text",
    }
    source = files["code.ts"]
    assert await answers(files) == ["<p>\u00e9</p>", True, source, 1, {"a": 1}, [2], "text"]
    async with running_builder() as builder:
        for one, message in (("./a.txt?url", '"?url" belongs'), ("./b.txt?raw", 'no file "./b.txt"')):
            [problem] = await problems(builder, {**files, "main.ts": f"import x from '{one}';\nconsole.log(x);"})
            assert message in problem.message
            assert problem.line == 1


@pytest_twisted.ensureDeferred
async def test_patterns_of_files() -> None:
    """`import()` of a pattern and `import.meta.glob` mean the own files that fit it, and nothing else."""
    files = {
        "main.ts": "const page = async (name: string) => (await import(`./pages/${name}.ts`)).default;\n"
        "const data = (name: string) => import('./data/' + name).then((one) => one.default);\n"
        "const lazy = import.meta.glob('./pages/**/*.ts'), eager = import.meta.glob(['./pages/*.ts', '!**/b.ts'],\n"
        "  { eager: true, import: 'default' });\n"
        "const raw = import.meta.glob('/data/*.{json,md}', { query: '?raw', eager: true });\n"
        "registerWebHandler('/', async () => [await page('a'), await data('x.json'), await data('y'),\n"
        "  await page('c/d').catch((error) => error.message), Object.keys(lazy), eager, Object.keys(raw),\n"
        "  (await lazy['./pages/c/d.ts']() as any).default]);",
        "pages/a.ts": "export default 'a';",
        "pages/b.ts": "export default 'b';",
        "pages/c/d.ts": "export default 'd';",
        "data/x.json": '"json"',
        "data/y.ts": "export default 'y';",
    }
    answer = await answers(files)
    assert answer[:3] == ["a", "json", "y"]
    assert 'no file "./pages/c/d.ts"' in answer[3]
    assert answer[4:] == [
        ["./pages/a.ts", "./pages/b.ts", "./pages/c/d.ts"], {"./pages/a.ts": "a"}, ["/data/x.json"], "d",
    ]  # fmt: skip
    async with running_builder() as builder:
        for source, code in (
            ("export const f = (a: string) => import(`./none/${a}.ts`);", "missing_file"),
            ("export const f = (a: string) => import(a);", "dynamic_import"),
            ("export const f = (a: string) => require(a);", "dynamic_import"),
            ("export const f = import.meta.glob('./a', { as: 'url' });", "dynamic_import"),
        ):
            [problem] = await problems(builder, {"main.ts": source})
            assert (problem.code, problem.line) == (code, 1), source
            assert problem.hint
