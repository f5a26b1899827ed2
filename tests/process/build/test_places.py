"""Frames of stacks: the author's functions and lines as node shows them, and nothing that lowering has added."""

from __future__ import annotations

import pytest_twisted

from aiwebengine.build.sourcemap import SourceMap, map_stack
from tests.support.javascript.building import build, problems, running_builder
from tests.support.world import Program, run_programs

Places = list[tuple[str | None, int]]

# What throws, and the frames that are seen of it, innermost first.
FAILING: dict[str, tuple[str, Places]] = {
    "after an await": (
        (
            "function check() {\n  throw new Error('no');\n}\nconst load = async () => {\n  await null;\n"
            "  return check();\n};\nregisterWebHandler('/', async () => await load());"
        ),
        [("check", 2), ("load", 6)],
    ),
    "before an await": (
        (
            "async function load(x) {\n  return bad(x);\n}\nfunction bad(x) {\n  return x.y.z;\n}\n"
            "registerWebHandler('/', () => load({}));"
        ),
        [("bad", 5), ("load", 2)],
    ),
    "generator": (
        (
            "function* gen() {\n  yield 1;\n  throw new Error('g');\n}\nregisterWebHandler('/', () => {\n"
            "  const all = [...gen()];\n  return all;\n});"
        ),
        [("gen", 3), (None, 6)],
    ),
    "generator that waits": (
        (
            "async function* gen() {\n  yield 1;\n  throw new Error('g');\n}\nregisterWebHandler('/', async () => {\n"
            "  for await (const one of gen()) console.log(one);\n});"
        ),
        [("gen", 3)],
    ),
    "class": (
        (
            "class A {\n  constructor() {\n    this.go();\n  }\n  go() {\n    throw new Error('c');\n  }\n}\n"
            "class B extends A {\n  #own = 1;\n}\nregisterWebHandler('/', () => {\n  const made = new B();\n"
            "  return made;\n});"
        ),
        [("A.go", 6), ("new A", 3), (None, 13)],
    ),
    "the same name twice": (
        (
            "registerWebHandler('/', () => {\n  const inner = () => {\n    throw new Error('n');\n  };\n"
            "  const value = inner();\n  return value;\n});\nfunction inner() {}"
        ),
        [("inner", 3), (None, 5)],
    ),
}


@pytest_twisted.ensureDeferred
async def test_frames() -> None:
    """Every failing program shows the author's functions at the author's lines, and no helper."""
    seen = {}
    async with running_builder() as builder:
        for name, (source, _) in FAILING.items():
            built = await build(builder, {"main.js": source}, "main.js")
            assert "_babel" not in built.source
            [outcome] = run_programs([Program(source=built.source)])
            failure = outcome.failure()
            assert failure is not None
            frames = map_stack(failure["stack"], SourceMap.parse(built.source_map), {"main.js": source})
            seen[name] = [(frame.function, frame.line) for frame in frames]
    assert seen == {name: frames for name, (_, frames) in FAILING.items()}


@pytest_twisted.ensureDeferred
async def test_stacks_that_scripts_read() -> None:
    """`error.stack` shows a script its own files, lines and functions, and stays as it was read first."""
    files = {
        "main.ts": "import { load } from './lib/load';\nregisterWebHandler('/', async () => {\n  try {\n"
        "    await load({});\n  } catch (error: any) {\n    const first = error.stack;\n    error.message = 'other';\n"
        "    return [first, error.stack === first];\n  }\n});\n",
        "lib/load.ts": "export const load = async (value: any) => {\n  await null;\n"
        "  const inner = () => value.missing.x;\n  return inner();\n};\n",
    }
    async with running_builder() as builder:
        built = await build(builder, files, "main.ts")
    [outcome] = run_programs([Program(source=built.source)])
    assert outcome.value() == [
        (
            "TypeError: Cannot read properties of undefined (reading 'x')\n"
            "    at inner (lib/load.ts:3)\n    at load (lib/load.ts:4)"
        ),
        True,
    ]


@pytest_twisted.ensureDeferred
async def test_excerpts() -> None:
    """What is found while bundling shows the author's line, not the lowered one."""
    async with running_builder() as builder:
        main = 'import { one, two } from "./lib";\nconsole.log(one, two);\n'
        [problem] = await problems(builder, {"main.ts": main, "lib.ts": "export const once = 1, two = 2;\n"})
        assert (problem.code, problem.file, problem.line, problem.column) == ("missing_export", "main.ts", 1, 10)
        assert problem.message == '"lib.ts" does not export "one".'
        assert problem.hint == 'Did you mean "once"?'
        assert problem.snippet == 'import { one, two } from "./lib";'


@pytest_twisted.ensureDeferred
async def test_names_that_two_files_have() -> None:
    """A function keeps its name if other files have functions of the same name."""
    files = {
        "main.ts": "import { load as one } from './one'; import { load as two, keep } from './two';\n"
        "function load() { return [one, two, load, keep].map((each) => each.name); }\nregisterWebHandler('/', load);\n",
        "one.ts": "export function load() { return 1; }\n",
        "two.ts": "export function load() { return 2; }\nfunction load2() { return 3; }\nexport const keep = load2;\n",
    }
    async with running_builder() as builder:
        built = await build(builder, files)
    [found] = run_programs([Program(source=built.source)])
    assert (found.failure() or found.value()) == ["load", "load", "load", "load2"]
