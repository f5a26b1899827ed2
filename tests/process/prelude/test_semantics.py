"""What the language says: programs that come to the same in node and in a deployed script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from tests.support.clients.foreign import NPM_CACHE, client_programs
from tests.support.javascript.beside import by_node, cases, different, here
from tests.support.javascript.building import build, problems, running_builder


@pytest.mark.parametrize("file", ["builtins.js", "functions.js", "names.js", "objects.js", "strict.js"])
@pytest_twisted.ensureDeferred
async def test_the_same_as_in_node(file: str, tmp_path: Path) -> None:
    """Every case of a file tells here what it tells in node."""
    programs = cases(file)
    expected = by_node(programs, ending="js", folder=tmp_path)
    assert not {name: told for name, told in expected.items() if isinstance(told, str)}
    assert not different(expected, await here(programs, entry="main.js"))


@pytest.mark.parametrize(
    ("file", "options"),
    [
        ("typescript.ts", {"experimentalDecorators": True}),
        ("decorators.ts", {}),
        ("fields.ts", {"useDefineForClassFields": True}),
        ("fields.ts", {"useDefineForClassFields": False}),
        ("observed.ts", {"useDefineForClassFields": False, "experimentalDecorators": True}),
    ],
)
@pytest.mark.skipif(
    not (NPM_CACHE / "filled").exists(), reason="the npm packages were not fetched; run make test with a network"
)
@pytest_twisted.ensureDeferred
async def test_the_same_as_by_typescript(file: str, options: Mapping[str, Any], tmp_path: Path) -> None:
    """Every form of TypeScript that its handbook has tells here what it tells when tsc compiles it and node runs it."""
    programs, modules = cases(file), client_programs("types") / "node_modules"
    expected = by_node(programs, ending="ts", folder=tmp_path, modules=modules, options=options)
    assert not {name: told for name, told in expected.items() if isinstance(told, str)}
    assert not different(expected, await here(programs, entry="main.ts", options=options))


@pytest_twisted.ensureDeferred
async def test_types_of_other_files() -> None:
    """A type is imported and handed on like a value, whether or not it is marked as one."""
    files = {
        "main.ts": "import { T, v } from './index';\nimport D, { type F } from './other';\n"
        "const d: D = { a: v }; const t: T = 1; const f: F = t;\n"
        "registerWebHandler('/', () => [d, f]);\nexport { T };\n",
        "index.ts": "export { T, I, v } from './types'; import { U } from './types'; export { U };\n"
        "export * as all from './types';\n",
        "types.ts": "export type T = number; export interface I {} type U = 1; export type { U };\n"
        "export const v = 2;\n",
        "other.ts": "interface D { a: number }\nexport default D;\nexport type F = number;\n",
    }
    async with running_builder() as builder:
        assert (await build(builder, files)).source


@pytest_twisted.ensureDeferred
async def test_unknown_names_in_typescript() -> None:
    """A name that is nobody's is found wherever it is a value, and nowhere where it is a type."""
    source = (
        "enum E { A = missing1 }\nclass C extends missing2<T1> implements I1 { constructor(public x = missing3) {} }\n"
        "namespace N { export const a = missing4; }\nconst y = missing5 as T2, z: typeof nothing = missing6!;\n"
        "type Q = keyof T3; function f(this: T4): asserts y is T5 {}\n"
    )
    async with running_builder() as builder:
        found = await problems(builder, {"main.ts": source})
    assert [(problem.code, problem.line, problem.message) for problem in found] == [
        ("unknown_name", line, f'"missing{number}" is not defined.')
        for number, line in ((1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4))
    ]


@pytest_twisted.ensureDeferred
async def test_names_on_the_global_object() -> None:
    """A name that any file puts on globalThis may be used in every file; others are told as before."""
    files = {
        "main.ts": "import './setup';\nregisterWebHandler('/', () => [one, two, three, nope]);\n",
        "setup.ts": "globalThis.one = 1;\nObject.assign(globalThis, { two: 2 });\n"
        "Object.defineProperty(globalThis, 'three', { value: 3 });\n",
    }
    async with running_builder() as builder:
        found = await problems(builder, files)
        assert [problem.message for problem in found] == ['"nope" is not defined.']
        assert (await build(builder, {**files, "main.ts": files["main.ts"].replace(", nope", "")})).source
