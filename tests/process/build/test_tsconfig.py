"""What tsconfig.json changes in a build: decorators, JSX, and paths."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest_twisted

from tests.support.javascript.building import build, problems, running_builder
from tests.support.world import Program, run_programs

DECORATED = """
const seen: unknown[] = [];
function note(...given: any[]): any {
  seen.push(given.length, typeof given[1] === "object" ? given[1].kind : given[1]);
  return undefined;
}
function bound(method: any, context: any): any {
  context.addInitializer?.(function (this: any) { this[context.name] = this[context.name].bind(this); });
}
class Counter {
  @note count = 1;
  @note static made = 2;
  @note accessor step = 3;
  @note read(): number { return this.count; }
  @bound tell(): number { return this.count; }
}
const { tell } = new Counter();
"""
LEGACY = """
const seen: unknown[] = [];
function note(target: any, key?: any, at?: any): void { seen.push([key, typeof at]); }
@note class Counter {
  @note count = 1;
  constructor(@note private readonly name: string) {}
  @note read(@note word: string, times: number): boolean { return this.name === word; }
}
"""
METADATA = """
const Reflect = { metadata: (key: string, value: any) => (target: any, name?: string) => { told.push([key, String(name), [value].flat().map((one) => one && one.name)]); } };
const told: unknown[] = [];
class Note {}
const seal: any = () => undefined;
@seal class Service {
  @seal size: number = 1;
  constructor(private note: Note, private word: string) {}
  @seal find(id: number, note: Note): string { return ""; }
}
"""  # noqa: E501  a line of the script is one line


async def answers(files: Mapping[str, str], entry: str = "main.ts") -> Any:
    """Build a script and have its first handler answer."""
    async with running_builder() as builder:
        [outcome] = run_programs([Program(source=(await build(builder, files, entry)).source)])
    assert outcome.failure() is None, outcome.failure()
    return json.loads(outcome.answer()[2])


def tsconfig(**options: Any) -> dict[str, str]:
    """Return a tsconfig.json with compiler options."""
    return {"tsconfig.json": json.dumps({"compilerOptions": options})}


@pytest_twisted.ensureDeferred
async def test_standard_decorators() -> None:
    """Without experimentalDecorators decorators are those of the standard, as in TypeScript."""
    handler = 'registerWebHandler("/", () => [seen, tell(), new Counter().step, Counter.made], "GET");'
    answer = await answers({"main.ts": DECORATED + handler})
    assert answer == [[2, "accessor", 2, "method", 2, "field", 2, "field"], 1, 3, 2]
    assert await answers({"main.ts": DECORATED + handler, **tsconfig(strict=True)}) == answer


@pytest_twisted.ensureDeferred
async def test_legacy_decorators() -> None:
    """With experimentalDecorators they are the older ones, which parameters may have, too."""
    files = {"main.ts": LEGACY + 'registerWebHandler("/", () => seen, "GET");'}
    answer = await answers({**files, **tsconfig(experimentalDecorators=True)})
    assert answer == [
        ["count", "undefined"], ["read", "number"], ["read", "object"], [None, "number"], [None, "undefined"],
    ]  # fmt: skip
    async with running_builder() as builder:
        [problem] = await problems(builder, files)
    assert "experimentalDecorators" in str(problem.hint)


@pytest_twisted.ensureDeferred
async def test_types_for_decorators() -> None:
    """With emitDecoratorMetadata decorators are told the types, by Reflect.metadata."""
    files = {"main.ts": METADATA + 'registerWebHandler("/", () => told, "GET");'}
    options = tsconfig(experimentalDecorators=True, emitDecoratorMetadata=True)
    answer = await answers({**files, **options})
    assert ["design:paramtypes", "find", ["Number", "Note"]] in answer
    assert ["design:paramtypes", "undefined", ["Note", "String"]] in answer
    assert ["design:type", "size", ["Number"]] in answer


@pytest_twisted.ensureDeferred
async def test_jsx() -> None:
    """JSX calls what tsconfig.json names, a comment in the file names another, and without both it calls `h`."""
    handler = 'registerWebHandler("/", () => [(<p id="a">x</p>)].flat(), "GET");\n'
    made = "const make = (tag: any, props: any, ...children: any[]) => [tag, props, children];\n"
    classic = {"main.tsx": made + handler, **tsconfig(jsx="react", jsxFactory="make")}
    assert await answers(classic, "main.tsx") == ["p", {"id": "a"}, ["x"]]
    runtime = "export const jsx = (tag: any, props: any) => [tag, props];\nexport const Fragment = 1, jsxs = jsx;\n"
    automatic = {
        "main.tsx": handler,
        "ui/jsx-runtime.ts": runtime,
        **tsconfig(jsx="react-jsx", jsxImportSource="@ui", paths={"@ui/*": ["./ui/*"]}),
    }
    assert await answers(automatic, "main.tsx") == ["p", {"id": "a", "children": "x"}]
    commented = {**automatic, "main.tsx": "/** @jsxImportSource ./ui */\n" + handler, "tsconfig.json": "{}"}
    assert await answers(commented, "main.tsx") == ["p", {"id": "a", "children": "x"}]
    plain = {"main.tsx": 'registerWebHandler("/", () => [String(<p id="a">x</p>)], "GET");'}
    assert await answers(plain, "main.tsx") == ['<p id="a">x</p>']


@pytest_twisted.ensureDeferred
async def test_paths() -> None:
    """Imports are found by paths and baseUrl, the longest pattern first, in a file that tsconfig.json extends, too."""
    files = {
        "main.ts": "import { a } from '@/a'; import { b } from '@/deep/b';\n"
        "import { c } from 'exact'; import { d } from 'lib/d';\n"
        'registerWebHandler("/", () => [a, b, c, d], "GET");',
        "src/a.ts": "export const a = 'a';",
        "other/b.ts": "export const b = 'b';",
        "src/c.ts": "export const c = 'c';",
        "src/lib/d/index.ts": "export const d = 'd';",
        "tsconfig.json": '{ "extends": "./config/base", /* the rest */ "compilerOptions": { "baseUrl": "src", }, }',
        "config/base.json": json.dumps(
            {
                "compilerOptions": {
                    "paths": {"@/*": ["../none/*", "../src/*"], "@/deep/*": ["../other/*"], "exact": ["../src/c.ts"]}
                }
            }
        ),
    }  # fmt: skip
    assert await answers(files) == ["a", "b", "c", "d"]


@pytest_twisted.ensureDeferred
async def test_wrong_tsconfig() -> None:
    """What cannot be read is told with its place, and what is not there with what to do."""
    main = {"main.ts": 'registerWebHandler("/", () => 1);'}
    async with running_builder() as builder:
        wrong = '{\n  "compilerOptions": {\n    "jsx" "react"\n}}'
        [broken] = await problems(builder, {**main, "tsconfig.json": wrong})
        assert (broken.file, broken.line, broken.code) == ("tsconfig.json", 3, "bad_tsconfig")
        [missing] = await problems(builder, {**main, "tsconfig.json": '{"extends": "@tsconfig/strictest"}'})
        assert "devDependencies" in str(missing.hint)
