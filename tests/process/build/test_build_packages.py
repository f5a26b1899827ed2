"""Packages as bundlers for browsers and Node.js read them: which file an import means, and what cannot be had."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest_twisted

from aiwebengine.build.builder import Builder
from aiwebengine.build.sourcemap import SourceMap, map_stack
from tests.support.javascript.building import build, problems, running_builder, tarball
from tests.support.world import Outcome, Program, run_programs


def package(name: str, manifest: Mapping[str, Any], **files: str) -> bytes:
    """Pack a package; an underscore in a name stands for a folder, `__` for the dot before the ending."""
    named = {path.replace("__", ".").replace("_", "/"): text for path, text in files.items()}
    return tarball({"package.json": json.dumps({"name": name, "version": "1.0.0", **manifest}), **named})


def script(main: str, **packages: bytes) -> dict[str, str | bytes]:
    """Return the files of a script with packages in it."""
    wanted = {name: f"file:{name}.tgz" for name in packages}
    tarballs = {f"{name}.tgz": content for name, content in packages.items()}
    return {"main.ts": main, "package.json": json.dumps({"dependencies": wanted}), **tarballs}


async def outcome(builder: Builder, files: Mapping[str, str | bytes]) -> Outcome:
    """Build and run a script."""
    built = await build(builder, files)
    [found] = run_programs([Program(source=built.source)])
    return found


@pytest_twisted.ensureDeferred
async def test_the_browser_field() -> None:
    """What a package maps to false is an empty module, and what it maps to a file is that file."""
    manifest = {
        "main": "./lib/main.js",
        "browser": {"fs": False, "./lib/node.js": "./lib/web.js", "far": "./lib/near.js"},
    }
    files = {
        "lib_main__js": "var fs = require('fs'); module.exports = [typeof fs.readFile, Object.keys(fs).length,"
        " require('./node'), require('far')];",
        "lib_node__js": "module.exports = 'node';",
        "lib_web__js": "module.exports = 'web';",
        "lib_near__js": "module.exports = 'near';",
    }
    main = 'import found from "one";\nregisterWebHandler("/", () => found);\n'
    async with running_builder() as builder:
        found = await outcome(builder, script(main, one=package("one", manifest, **files)))
        assert (found.failure() or found.value()) == ["undefined", 0, "web", "near"]


@pytest_twisted.ensureDeferred
async def test_exports() -> None:
    """An import gets what a package exports for imports, require() what it exports for that; subpaths by pattern."""
    exports = {
        ".": {"node": "./node.js", "import": "./esm.mjs", "require": "./cjs.cjs"},
        "./sub/*": "./inside/*.js",
        "./data": "./data.json",
        "./gone": None,
    }
    one = package(
        "one",
        {"exports": exports},
        esm__mjs="export default 'esm'; export const named = 'n';",
        cjs__cjs="module.exports = 'cjs';",
        node__js="module.exports = 'node';",
        inside_deep__js="export const deep = 1;",
        data__json='{"x": 1}',
    )
    two = package("two", {"main": "index.js"}, index__js="module.exports = require('one');")
    main = (
        'import one, { named } from "one";\nimport two from "two";\nimport { deep } from "one/sub/deep";\n'
        'import data from "one/data";\nregisterWebHandler("/", () => [one, named, two, deep, data]);\n'
    )
    async with running_builder() as builder:
        found = await outcome(builder, script(main, one=one, two=two))
        assert (found.failure() or found.value()) == ["esm", "n", "cjs", 1, {"x": 1}]
        for asked, why in (
            ("one/inside/deep.js", "does not export"),
            ("one/gone", "does not export"),
            ("one/sub/none", "that it does not contain"),
        ):
            [problem] = await problems(
                builder, script(f'import x from "{asked}";\nconsole.log(x);\n', one=one, two=two)
            )
            assert (problem.code, problem.file, problem.line, problem.column) == ("missing_package", "main.ts", 1, 15)
            assert why in problem.message


@pytest_twisted.ensureDeferred
async def test_a_module_that_cannot_be_had() -> None:
    """A package that needs one says which, for which import of the author's, and what to do, at that import."""
    inner = package("inner", {}, index__js="var net = require('net');\nmodule.exports = net.connect;")
    outer = package("outer", {}, index__js="module.exports = require('inner');")
    main = '// uses outer\nimport outer from "outer";\nregisterWebHandler("/", () => outer);\n'
    files = script(main, inner=inner, outer=outer)
    async with running_builder() as builder:
        built = await build(builder, files)
        [found] = run_programs([Program(source=built.source)])
    failure = found.failure()
    assert failure is not None
    assert failure["message"].startswith(
        'The package "inner", on which "outer" depends, which main.ts:2 imports, needs "net", a module of Node.js, '
        "which does not exist here. Use a package or a version that runs in browsers or workers. "
    )
    [frame, *_] = map_stack(failure["stack"], SourceMap.parse(built.source_map), {"main.ts": main})
    assert (frame.file, frame.line) == ("main.ts", 2)


@pytest_twisted.ensureDeferred
async def test_a_module_that_a_package_does_without() -> None:
    """A module that is tried for, or imported and not used, is no reason to refuse a package."""
    one = package(
        "one",
        {},
        index__js="var found; try { found = require('child_process'); } catch (error) { found = 'none'; }\n"
        "module.exports = found;",
    )
    two = package(
        "two",
        {"module": "index.mjs"},
        index__mjs="import fs from 'fs';\nexport const plain = 1;\n"
        "export function read() { return fs.readFileSync('x'); }\n",
    )
    main = 'import one from "one";\nimport { plain } from "two";\nregisterWebHandler("/", () => [one, plain]);\n'
    async with running_builder() as builder:
        found = await outcome(builder, script(main, one=one, two=two))
        assert (found.failure() or found.value()) == ["none", 1]


@pytest_twisted.ensureDeferred
async def test_imports_that_are_addresses() -> None:
    """Imports as other systems write them are answered with what to write here."""
    asked = {
        "npm:zod@3/v3": 'Write import ... from "zod/v3", and in package.json "dependencies": { "zod": "3" }.',
        "npm:@a/b": 'Write import ... from "@a/b", and in package.json "dependencies": { "@a/b": "..." }.',
        "https://esm.sh/zod@3.1": 'Write import ... from "zod", and in package.json "dependencies": { "zod": "3.1" }.',
        "https://example.org/x.js": "Deploy the file with the script and import it by its path, "
        "or add the package to the dependencies of package.json.",
        "data:text/javascript,1": "Put the content into a file of the script and import that.",
    }
    async with running_builder() as builder:
        for written, hint in asked.items():
            [problem] = await problems(builder, {"main.ts": f'import x from "{written}";\nconsole.log(x);\n'})
            assert (problem.code, problem.line, problem.hint) == ("not_importable", 1, hint)


@pytest_twisted.ensureDeferred
async def test_the_nearest_file() -> None:
    """A relative import that is wrong is answered with the file that was meant, as that place would write it."""
    files: dict[str, str | bytes] = {
        "lib/store.ts": "export const a = 1;",
        "data/items.json": "{}",
        "view.tsx": "export {};",
    }
    async with running_builder() as builder:
        for written, meant in (
            ("./lib/stor", "./lib/store"),
            ("./lib/sotre", "./lib/store"),
            ("./store", "./lib/store"),
            ("../lib/store", "./lib/store"),
            ("./data/item.json", "./data/items.json"),
            ("./viw", "./view"),
        ):
            [problem] = await problems(builder, {**files, "main.ts": f'import x from "{written}";\nconsole.log(x);\n'})
            assert problem.hint == f'Did you mean "{meant}"?', written


@pytest_twisted.ensureDeferred
async def test_builds_for_workers() -> None:
    """A build for workers or edge servers comes before that for pages, and a module is one for import and require."""
    exports = {
        "./near": {"edge-light": "./edge.js", "browser": "./page.js"},
        "./far": {"workerd": "./edge.js", "worker": "./page.js", "browser": "./page.js"},
        "./page": {"node": "./edge.js", "browser": "./page.js"},
        "./both": {"module": "./both.js", "require": "./page.js", "default": "./page.js"},
    }
    files = {
        "edge__js": "module.exports = 'edge';",
        "page__js": "module.exports = 'page';",
        "both__js": "export const both = {};",
        "old__cjs": "module.exports = require('one/both').both;",
    }
    main = (
        'import near from "one/near";\nimport far from "one/far";\nimport page from "one/page";\n'
        'import old from "one/old";\nimport { both } from "one/both";\n'
        'registerWebHandler("/", () => [near, far, page, old === both]);\n'
    )
    manifest = {"exports": {**exports, "./old": "./old.cjs"}}
    async with running_builder() as builder:
        found = await outcome(builder, script(main, one=package("one", manifest, **files)))
        assert (found.failure() or found.value()) == ["edge", "edge", "page", True]
