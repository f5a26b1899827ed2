"""Strict mode: modules, classes and TypeScript have it, older scripts and modules of CommonJS only if they say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest_twisted

from aiwebengine.build.builder import Builder
from aiwebengine.build.sourcemap import SourceMap, map_stack
from tests.process.build.test_build_packages import package, script
from tests.support.javascript.building import build, problems, running_builder
from tests.support.world import REQUEST, Program, run_programs

_TOLD = (
    "const told = (work) => { try { return String(work()); } catch (error) { return error.constructor.name; } };\n"
    "const frozen = Object.freeze({ a: 1 });\n"
)
_FINDS = "[told(function () { return this === undefined; }), told(() => { frozen.a = 2; return 'silent'; })]"


async def value(builder: Builder, files: Mapping[str, str | bytes], entry: str = "main.ts") -> Any:
    """Build a script, run it and return what it answers."""
    built = await build(builder, files, entry)
    [found] = run_programs([Program(source=built.source)])
    return found.failure() or found.value()


@pytest_twisted.ensureDeferred
async def test_which_files() -> None:
    """Files that import or export are strict, and all of TypeScript; other JavaScript is if it says so."""
    serves = f"{_TOLD}registerWebHandler('/', () => {_FINDS});\n"
    strict, sloppy = ["true", "TypeError"], ["false", "silent"]
    async with running_builder() as builder:
        for entry, source, expected in (
            ("main.ts", serves, strict),
            ("main.mjs", serves, strict),
            ("main.jsx", serves, strict),
            ("main.js", serves + "export {};\n", strict),
            ("main.js", serves + "import './other.js';\n", strict),
            ("main.js", "'use strict';\n" + serves, strict),
            ("main.js", serves, sloppy),
            ("main.cjs", serves, sloppy),
        ):
            assert await value(builder, {entry: source, "other.js": "1;"}, entry) == expected, (entry, source)


@pytest_twisted.ensureDeferred
async def test_older_scripts() -> None:
    """A script that imports and exports nothing runs by the older rules, but for its classes."""
    source = (
        f"{_TOLD}made = 1; this.also = 010; with (frozen) {{ made += a; }} function twice(x, x) {{ return x; }}\n"
        "class K { m() { frozen.a = 2; } }\n"
        "registerWebHandler('/', () => [made, also, this === globalThis, twice(1, 2), told(() => new K().m())]);\n"
    )
    async with running_builder() as builder:
        assert await value(builder, {"main.js": source}, "main.js") == [2, 8, True, 2, "TypeError"]


@pytest_twisted.ensureDeferred
async def test_packages() -> None:
    """In one bundle a module of a package is strict, and a file of CommonJS only if it says so."""
    body = (
        "function told(work) { try { return String(work()); } catch (error) { return error.name; } }\n"
        "var frozen = Object.freeze({ a: 1 });\n"
        "var found = [told(function () { return this === undefined; }),"
        " told(function () { frozen.a = 2; return 'silent'; }),"
        " told(function () { leakedNAME = 1; return 'silent'; })];\n"
        "try { frozen.a = 3; found.push('silent'); } catch (error) { found.push(error.name); }\n"
    )
    own = [body.replace("NAME", name) for name in ("1", "2", "3")]
    packages = {
        "old": package("old", {"main": "i.js"}, i__js=f"{own[0]}module.exports = found;"),
        "said": package("said", {"main": "i.js"}, i__js=f"'use strict';\n{own[1]}module.exports = found;"),
        "fresh": package("fresh", {"main": "i.js", "type": "module"}, i__js=f"{own[2]}export default found;"),
    }
    main = (
        "import old from 'old'; import said from 'said'; import fresh from 'fresh';\n"
        "registerWebHandler('/', () => [old, said, fresh]);\n"
    )
    strict = ["true", "TypeError", "ReferenceError", "TypeError"]
    async with running_builder() as builder:
        assert await value(builder, script(main, **packages)) == [
            ["false", "silent", "silent", "silent"],
            strict,
            strict,
        ]


@pytest_twisted.ensureDeferred
async def test_nothing_remains_for_the_next_request() -> None:
    """A method that is called without its object throws, rather than count on the global object from then on."""
    source = (
        "class Counter { n = 0; next() { this.n++; return this.n; } }\nconst { next } = new Counter();\n"
        "registerWebHandler('/', () => { try { return next(); } catch (error) { return error.name; } });\n"
    )
    async with running_builder() as builder:
        built = await build(builder, {"main.ts": source})
    [found] = run_programs([Program(source=built.source, requests=[REQUEST, REQUEST])])
    assert [found.value(0), found.value(1)] == ["TypeError", "TypeError"]


@pytest_twisted.ensureDeferred
async def test_names_that_are_written() -> None:
    """Writing to a name that no file declares is found by the build, unless some file makes it."""
    source = "import './setup';\ncounter = 1;\n[total, known] = [1, 2];\nregisterWebHandler('/', () => counter);\n"
    async with running_builder() as builder:
        files = {"main.ts": source, "setup.ts": "globalThis.known = 1;"}
        found = await problems(builder, files)
        assert [(one.code, one.line, one.message) for one in found] == [
            ("unknown_name", 2, '"counter" is not defined.'),
            ("unknown_name", 3, '"total" is not defined.'),
        ]
        assert found[0].hint == "Declare it: let counter; or, for all files, write to globalThis.counter."
        files["setup.ts"] += "globalThis.counter = globalThis.total = 0;"
        assert await value(builder, files) == 1


@pytest_twisted.ensureDeferred
async def test_frames() -> None:
    """A statement at top level has one frame in a stack, with its line."""
    source = (
        "const o = { list: [] };\nfunction fail() {\n  throw new Error('x');\n}\n"
        "export const told = [];\ntry {\n  o.a =\n    fail();\n} catch (error) {\n  told.push(error.stack);\n}\n"
        "registerWebHandler('/', () => told[0].split('\\n').slice(1));\nif (o.list) {\n  o.b = fail();\n}\n"
    )
    async with running_builder() as builder:
        built = await build(builder, {"main.ts": source})
        [found] = run_programs([Program(source=built.source)])
        assert found.load.startswith("F")
        failure = found.failure()
        assert failure is not None
        frames = map_stack(failure["stack"], SourceMap.parse(built.source_map), {"main.ts": source})
        assert [(frame.function, frame.line) for frame in frames] == [("fail", 3), (None, 14)]
        shown = await value(builder, {"main.ts": source.replace("o.b = fail()", "o.b = 1")})
    assert shown == ["    at fail (main.ts:3)", "    at (anonymous) (main.ts:7)"]
