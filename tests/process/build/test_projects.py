"""The settings of a project: what tsconfig.json extends, those of subfolders, and `imports` of package.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import pytest_twisted

from tests.support.javascript.building import build, problems, running_builder, tarball
from tests.support.world import Program, run_programs

PLAIN = {"main.ts": 'registerWebHandler("/", () => 1);'}


async def answers(files: Mapping[str, str | bytes], entry: str = "main.ts") -> Any:
    """Build a script and have its first handler answer."""
    async with running_builder() as builder:
        [outcome] = run_programs([Program(source=(await build(builder, files, entry)).source)])
    assert outcome.failure() is None, outcome.failure()
    return json.loads(outcome.answer()[2])


def package(name: str, files: Mapping[str, Any], **more: Any) -> dict[str, bytes]:
    """Return a deployed tarball of a package, under its name."""
    texts = {path: one if isinstance(one, str) else json.dumps(one) for path, one in files.items()}
    path = f"{name.replace('/', '-').lstrip('@')}.tgz"
    return {path: tarball({"package.json": json.dumps({"name": name, "version": "1.0.0", **more}), **texts})}


def manifest(**more: Any) -> dict[str, str]:
    """Return a package.json."""
    return {"package.json": json.dumps(more, indent=1)}


@pytest.mark.parametrize("name", ["@config/base", "@config/base/tsconfig.json", "@config/base/tsconfig"])
@pytest_twisted.ensureDeferred
async def test_options_of_a_package(name: str) -> None:
    """A tsconfig.json may extend that of a package, which devDependencies name and the script cannot import."""
    files = {
        "main.tsx": 'const make = (tag: string) => tag;\nregisterWebHandler("/", () => [<p/>]);\n',
        "tsconfig.json": json.dumps({"extends": ["./own", name]}),
        "own.json": '{"compilerOptions": {"jsxFactory": "nothing"}}',
        **package(
            "@config/base",
            {
                "tsconfig.json": {"extends": "./deep/more.json"},
                "deep/more.json": {"compilerOptions": {"jsx": "react", "jsxFactory": "make"}},
            },
        ),
        **manifest(devDependencies={"@config/base": "file:config-base.tgz", "other": "file:../nothing"}),
    }
    assert await answers(files, "main.tsx") == ["p"]
    async with running_builder() as builder:
        imported = {**files, "main.ts": f'import x from "{name}"; x;'}
        assert [one.code for one in await problems(builder, imported)] == ["undeclared_package"]


@pytest_twisted.ensureDeferred
async def test_options_of_subfolders() -> None:
    """For a file the nearest tsconfig.json counts, and nothing of those above it that it does not extend."""
    made = "const {0} = (tag: string) => '{0} ' + tag;\nexport default () => <p/>;\n"
    files = {
        "main.ts": 'import a from "@/a"; import b from "./sub/b"; import c from "./sub/deep/c";\n'
        'registerWebHandler("/", () => [a(), b(), c()]);\n',
        "src/a.tsx": made.format("top"),
        "sub/b.tsx": made.format("below"),
        "sub/deep/c.tsx": 'import a from "@/a";\n' + made.format("below").replace("<p/>", "[a(), <p/>]"),
        "sub/deep/a.tsx": made.format("below"),
        "tsconfig.json": '{"compilerOptions": {"jsxFactory": "top", "paths": {"@/*": ["./src/*"]}}}',
        "sub/jsconfig.json": '{"compilerOptions": {"jsxFactory": "below", "paths": {"@/*": ["./deep/*"]}}}',
    }
    assert await answers(files) == ["top p", "below p", ["below p", "below p"]]


@pytest_twisted.ensureDeferred
async def test_imports_of_the_script() -> None:
    """The `imports` of package.json give names with a # to files, patterns of files, JSON and packages."""
    files = {
        "main.ts": 'import a from "#a"; import { b } from "#lib/b.js"; import { deep } from "#lib/deep/c";\n'
        'import data from "#data"; import chosen from "#chosen"; import one from "#one"; import own from "shop/own";\n'
        'import { sub } from "./sub/main";\n'
        'registerWebHandler("/", () => [a, b, deep, data.x, chosen, one, own, sub]);\n',
        "a.ts": "export default 'a';",
        "lib/b.ts": "export const b = 'b';",
        "lib/deep/c/index.ts": "export const deep = 'c';",
        "data.json": '{"x": "json"}',
        "here.ts": "export default 'here';",
        "other.ts": "export default 'elsewhere';",
        "sub/package.json": json.dumps({"imports": {"#a": "./a.ts"}}),
        "sub/main.ts": 'import a from "#a"; export const sub = a;',
        "sub/a.ts": "export default 'sub';",
        **package(
            "one",
            {"index.js": "import x from '#hidden/x'; export default x;", "in/x.js": "export default 'one';"},
            type="module",
            main="index.js",
            imports={"#hidden/*": {"browser": "./in/*.js"}},
        ),
        **manifest(
            name="shop",
            exports={".": "./main.ts", "./own": "./a.ts"},
            imports={
                "#a": "./a.ts", "#lib/*": "./lib/*", "#data": "./data.json", "#one": "one",
                "#chosen": {"node": "./other.ts", "worker": {"require": "./other.ts", "import": "./here.ts"}},
            },
            dependencies={"one": "file:one.tgz"},
        ),
    }  # fmt: skip
    assert await answers(files) == ["a", "b", "c", "json", "here", "one", "a", "sub"]


@pytest_twisted.ensureDeferred
async def test_imports_that_are_wrong() -> None:
    """A name with a # that package.json lacks, or that leads to nothing, is refused where it is imported."""
    async with running_builder() as builder:
        for source, config, message, hint in (
            ("#a", {}, 'package.json has no "imports"', '"imports": { "#a"'),
            ("#helprs", {"imports": {"#helpers": "./a.ts"}}, 'does not have it in its "imports"', '"#helpers"'),
            ("#a", {"imports": {"#a": "./nowhere.ts"}}, '"#a" means the file "nowhere.ts"', "folder"),
            ("#a", {"imports": {"#a": "../../out.ts"}}, 'leads to "../../out.ts"', "./"),
            ("#a", {"imports": {"#a": "zod"}}, 'The package "zod" is not in the dependencies', "zod"),
            ("#fs", {"imports": {"#fs": "node:fs"}}, "is part of Node.js", ""),
        ):
            files = {"main.ts": f'import x from "{source}";\nregisterWebHandler("/", () => x);', **manifest(**config)}
            [problem] = await problems(builder, files)
            assert message in problem.message, source
            assert hint in str(problem.hint), source
            assert (problem.file, problem.line) == ("main.ts", 1)


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ('{\n "compilerOptions": {\n  "jsx": "h" }}', 3, '"jsx" of tsconfig.json is "h".', '"react-jsx"'),
        ('{ "compilerOptions": {\n "experimentalDecorators": "yes" }}', 2, 'is "yes".', "true or false"),
        ('{ "compilerOptions": {\n "target": "es2099x" }}', 2, '"target"', '"es2022"'),
        ('{ "compilerOptions": {\n "paths": ["a"] }}', 2, '"paths" of tsconfig.json is ["a"].', '"@/*"'),
        ('{ "compilerOptions": { "paths": {\n "@/*": "src/*" } }}', 2, 'has "src/*", which is no list,', '["./src/*"]'),
        ('{ "compilerOptions": { "paths": {\n "@/*": [] } }}', 2, "an empty list", '["./src/*"]'),
        ('{ "compilerOptions": { "paths": {\n "*/*": ["a"] } }}', 2, "two stars", '["./src/*"]'),
        ('{ "compilerOptions": { "paths": {\n "a": [1] } }}', 2, 'has 1 for "a"', '["./src/*"]'),
        ('{ "compilerOptions": {\n "jsxFactory": "a b" }}', 2, '"jsxFactory"', "React.createElement"),
        ('{\n "compilerOptions": [] }', 2, '"compilerOptions" of tsconfig.json is not an object.', "{ ... }"),
        ("[]", 1, "tsconfig.json is not an object.", "compilerOptions"),
        ('{\n "extends": "./nowhere" }', 2, "not among the script's files", "Deploy that file"),
        ('{\n "extends": [\n"./own", "@none/such"] }', 3, "not among the installed packages", "devDependencies"),
        ('{\n "extends": "./tsconfig" }', 2, "which extends it", "Remove"),
        ('{\n "extends": 1 }', 2, "neither a path nor a package", "./tsconfig.base.json"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_wrong_settings(text: str, line: int, message: str, hint: str) -> None:
    """A setting that cannot be is refused with the file, its line, and what it must be."""
    async with running_builder() as builder:
        [problem] = await problems(builder, {**PLAIN, "tsconfig.json": text, "own.json": "{}"})
    assert (problem.file, problem.line) == ("tsconfig.json", line)
    assert message in problem.message
    assert hint in str(problem.hint)


@pytest_twisted.ensureDeferred
async def test_settings_that_are_warned_of() -> None:
    """A file outside of the script, and an option that is misspelled, are told and do not prevent a deployment."""
    async with running_builder() as builder:
        built = await build(builder, {**PLAIN, "tsconfig.json": '{"extends": "../../tsconfig.base.json"}'})
        [warning] = built.warnings
        assert "outside of the script" in warning.message
        text = '{"compilerOptions": {"experimentalDecorator": true, "emitDeclarationOnly": true, "strict": true}}'
        [warning] = (await build(builder, {**PLAIN, "tsconfig.json": text})).warnings
        assert warning.hint == 'Did you mean "experimentalDecorators"?'


@pytest_twisted.ensureDeferred
async def test_comments_for_jsx() -> None:
    """The comments that TypeScript reads for JSX stand above tsconfig.json for their file."""
    runtime = "export const jsx = (tag: any) => 'automatic ' + tag, jsxs = jsx, Fragment = 'fragment';\n"
    files = {
        "main.tsx": "/** @jsx make */\n/** @jsxFrag Nothing */\nimport automatic from './automatic';\n"
        "import { top } from './top';\nconst Nothing = 'nothing', make = (tag: any) => 'made ' + tag;\n"
        'registerWebHandler("/", () => [<p/>, <></>, automatic, top]);\n',
        "automatic.tsx": "/* @jsxRuntime automatic */\n/** @jsxImportSource ui */\nexport default [<p/>, <></>];\n",
        "top.tsx": "const given = (tag: string) => 'given ' + tag;\nexport const top = <p/>;\n",
        "tsconfig.json": '{"compilerOptions": {"jsxFactory": "given"}}',
        **package("ui", {"jsx-runtime.ts": runtime}, exports={"./jsx-runtime": "./jsx-runtime.ts"}),
        **manifest(dependencies={"ui": "file:ui.tgz"}),
    }
    assert await answers(files, "main.tsx") == [
        "made p", "made nothing", ["automatic p", "automatic fragment"], "given p",
    ]  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_values_of_fields() -> None:
    """What stands in a field's value never means a name of the constructor, wherever fields are assigned."""
    source = (
        "const size = 'outer';\n"
        "class Box { a = size; b = this.size; constructor(public size: number, other: string) {\n"
        "const size2 = other; this.a += size2; } }\n"
        "registerWebHandler('/', () => ({ ...new Box(1, '!') }));\n"
    )
    for fields in (True, False):
        config = json.dumps({"compilerOptions": {"useDefineForClassFields": fields}})
        answer = await answers({"main.ts": source, "tsconfig.json": config})
        assert answer == {"a": "outer!", "size": 1, **({} if fields else {"b": 1})}
    for target, fields in (("ES2021", False), ("es2022", True), ("ESNext", True)):
        config = json.dumps({"compilerOptions": {"target": target}})
        answer = await answers({"main.ts": source, "tsconfig.json": config})
        assert ("b" in answer) != fields
