"""The build worker as a process: what it builds, and what happens when it does not."""

from __future__ import annotations

import json
import os
import signal
import socket
import tempfile
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from aiwebengine.assembly.declared import DECLARED
from aiwebengine.build.sourcemap import SourceMap
from aiwebengine.settings.schema import BuildSettings
from tests.support.javascript.building import build, problems, running_builder, tarball
from tests.support.waiting import until
from tests.support.world import Program, run_programs


@pytest_twisted.ensureDeferred
async def test_several_files() -> None:
    """TypeScript, JSON, text and JSX of several files become one ES5 program in ASCII, with a map to each line."""
    async with running_builder() as builder:
        built = await build(
            builder,
            {
                "main.tsx": 'import { twice } from "./lib/twice";\nimport data from "./data.json";\n'
                'import words from "./words.txt";\nregisterWebHandler("/x", () => <p>{twice(data.n)}{words}é</p>);\n',
                "lib/twice.ts": "export function twice(n: number): number {\n  return n * 2;\n}\n",
                "data.json": '{"n": 21}',
                "words.txt": "plain words",
            },
            "main.tsx",
        )
        assert built.source.isascii()
        assert "plain words" in built.source
        assert "=>" not in built.source
        line = next(number for number, text in enumerate(built.source.splitlines(), 1) if "n * 2" in text)
        found = SourceMap.parse(built.source_map).lookup(line)
        assert found is not None
        assert found[:2] == ("lib/twice.ts", 2)


@pytest_twisted.ensureDeferred
async def test_files_as_they_are() -> None:
    """Files reach the build byte by byte: large ones, empty ones, and whatever they are called."""
    async with running_builder() as builder:
        files = {
            "2.txt": "é\n" * 100_000,
            "main.js": 'import large from "./2.txt"; import none from "./1.txt"; import proto from "./__proto__.txt";\n'
            'registerWebHandler("/x", () => large + none + proto);\n',
            "1.txt": "",
            "__proto__.txt": b"\xef\xbb\xbfafter a mark",
            "picture.png": b"\x89PNG\xff",
        }
        for _ in range(2):
            built = await build(builder, files, "main.js")
            assert built.source.count("\\xE9") == 100_000
            assert '"after a mark"' in built.source
        assert builder.state()["built"] == 2


@pytest_twisted.ensureDeferred
async def test_binary_file_is_imported() -> None:
    """An import of a file that is not text says so, and not that there is no such file."""
    async with running_builder() as builder:
        files: dict[str, str | bytes] = {
            "main.js": 'import photo from "./a.png";\nconsole.log(photo);\n',
            "a.png": b"\x89PNG",
        }
        [problem] = await problems(builder, files, "main.js")
        assert (problem.code, problem.file, problem.line) == ("not_text", "main.js", 1)
        assert problem.message == 'The file "./a.png" is not text in UTF-8, so it cannot be imported.'
        assert "public/" in (problem.hint or "")


@pytest_twisted.ensureDeferred
async def test_every_problem_at_once() -> None:
    """Every file's problems are told together, each with its place and what to write instead."""
    async with running_builder() as builder:
        found = await problems(
            builder,
            {
                "main.ts": 'import { a } from "./a";\nimport { b } from "./bb";\n'
                'import fs from "fs";\nconsle.log(a, b, fs);\n',
                "a.ts": "export const a = 10;\nexport const late = /(?<=x)y/;\n",
                "b.ts": "export const b = 1;\n",
            },
        )
        data = {(problem.code, problem.file, problem.line) for problem in found}
        assert ("missing_file", "main.ts", 2) in data
        assert ("node_module", "main.ts", 3) in data
        assert ("unknown_name", "main.ts", 4) in data
        assert ("no_look_behind", "a.ts", 2) in data
        assert all(problem.hint for problem in found)


@pytest_twisted.ensureDeferred
async def test_imports_from_the_engine() -> None:
    """Every name of the engine can be imported, under another name, as a namespace and handed on."""
    names = sorted(DECLARED.importable)
    renamed = ", ".join(f"{name} as _{name}" for name in names)
    async with running_builder() as builder:
        built = await build(
            builder,
            {
                "main.ts": f'import {{ {renamed} }} from "aiwebengine";\n'
                'import type { Duration } from "aiwebengine";\n'
                'import { WebRequest } from "aiwebengine";\nimport * as all from "aiwebengine";\n'
                'import { keep } from "./store";\n'
                "const long: Duration = 5;\n"
                "_registerWebHandler('/', (req: WebRequest) => [keep === kv, keep === all.kv, long, "
                + ", ".join(f"typeof _{name}" for name in names)
                + "]);\n",
                "store.ts": 'export { kv as keep } from "aiwebengine";\n',
            },
        )
        [outcome] = run_programs([Program(source=built.source)])
        same, also, long, *kinds = outcome.failure() or outcome.value()
        assert (same, also, long) == (True, True, 5)
        assert [name for name, kind in zip(names, kinds, strict=True) if kind == "undefined"] == []
        assert (
            "structuredClone" not in (await build(builder, {"main.ts": 'import { kv } from "aiwebengine"; kv;'})).source
        )


@pytest_twisted.ensureDeferred
async def test_wrong_imports_from_the_engine() -> None:
    """What the engine does not have is told by name, also behind the dot of what was imported."""
    async with running_builder() as builder:
        found = await problems(
            builder,
            {
                "main.ts": 'import engine from "aiwebengine";\nimport { registerWebHandlr as on } from "aiwebengine";\n'
                'import { mail, kv as store } from "aiwebengine";\nimport { Kind } from "aiwebengine";\n'
                'on("/", () => [engine, mail, store.put("a", 1), store.get("b")] as Kind);\n'
                'export { nothing } from "aiwebengine";\n'
            },
        )
        received = [(problem.code, problem.line, problem.column, problem.message) for problem in found]
        assert received == [
            ("unknown_name", 1, 8, '"aiwebengine" has no default export.'),
            (
                "unknown_name",
                2,
                10,
                '"aiwebengine" does not export "registerWebHandlr". Did you mean "registerWebHandler"?',
            ),
            ("unknown_name", 3, 10, '"aiwebengine" does not export "mail".'),
            ("unknown_member", 5, 36, "kv.put does not exist."),
            ("unknown_name", 6, 10, '"aiwebengine" does not export "nothing".'),
        ]
        assert all(problem.hint for problem in found)


@pytest_twisted.ensureDeferred
async def test_patterns() -> None:
    """Literals the engine would match wrongly, and properties in known texts, are rewritten."""
    async with running_builder() as builder:
        source = (
            "registerWebHandler('/', function () {\n"
            "  var late = '^\\\\p{Lu}+$', blank = /^(?:[ \\t]*(?:\\n|$))+/g, named = /(?<one>a*)?b/;\n"
            "  return [blank.source, blank.exec('  \\n\\nx')[0], new RegExp(late, 'u').test('\u00c9A'),\n"
            "    named.exec('b').groups.one === undefined, 'a \\nb'.split(/(?:[ \\t]*\\n?)+/)];\n"
            "});\n"
        )
        built = await build(builder, {"main.js": source}, "main.js")
        [outcome] = run_programs([Program(source=built.source)])
        assert (outcome.failure() or outcome.value()) == [
            "^(?:[ \\t]*(?:\\n|$))+", "  \n\n", True, True, ["a", "b"],
        ]  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_what_packages_only_mention() -> None:
    """A package loads that mentions look-behind, which throws where it is used, and BigInt."""
    text = (
        "export const big = 12345678901234567890n, has = typeof BigInt;\n"
        "export const most = BigInt('0xffffffffffffffff');\n"
        "const pattern = /(?<=a)b/g;\n"
        "export const source = String(pattern);\n"
        "export function after(text) { return text.replace(pattern, ''); }\n"
    )
    package = tarball(
        {"package.json": '{"name": "mentions", "version": "1.0.0", "module": "index.js"}', "index.js": text}
    )
    main = (
        'import { after, big, has, most, source } from "mentions";\n'
        "registerWebHandler('/', () => {\n"
        "  try { after('ab'); } catch (error) { return [String(big), has, `${most}`, source, error.message]; }\n"
        "});\n"
    )
    manifest = json.dumps({"dependencies": {"mentions": "file:mentions.tgz"}})
    async with running_builder() as builder:
        built = await build(builder, {"main.ts": main, "package.json": manifest, "mentions.tgz": package})
    assert {warning.code for warning in built.warnings} == {"no_look_behind"}
    assert set(json.loads(built.source_map)["sources"]) == {"main.ts", "node_modules/mentions/index.js"}
    [outcome] = run_programs([Program(source=built.source)])
    assert not outcome.failure()
    big, has, most, source, message = outcome.value()
    assert (big, has, most, source) == ("12345678901234567890", "function", "18446744073709551615", "/(?<=a)b/g")
    assert "look-behind is not supported" in message


@pytest_twisted.ensureDeferred
async def test_plain_es5_is_left_alone() -> None:
    """A plain script runs as it was written, line for line, without a map."""
    async with running_builder() as builder:
        source = 'registerWebHandler("/x", function (req) {\n  return { ok: true };\n});\n'
        built = await build(builder, {"main.js": source}, "main.js")
        assert (built.source, built.source_map) == (source, "")


@pytest_twisted.ensureDeferred
async def test_killed_while_it_builds() -> None:
    """When the worker dies under a build, another one builds it, and nobody notices."""
    async with running_builder() as builder:
        await build(builder, {"main.ts": "export const warm: number = 1;"})
        large = "\n".join(
            f"export const v{number} = (a: number) => ({{ ...{{ a }}, b: [...[a]] }});" for number in range(800)
        )
        building = Deferred.fromCoroutine(build(builder, {"main.ts": large}))
        await until(lambda: builder.state()["busy"], state=builder.state)
        os.kill(int(builder.state()["pid"]), signal.SIGKILL)
        assert "v799" in (await building).source
        assert builder.working.figures()["repeated"] == 1
        assert (await build(builder, {"main.ts": "export const next: number = 1;"})).source


@pytest_twisted.ensureDeferred
async def test_dies_again_and_again() -> None:
    """A worker that always dies is not called: plain scripts pass, others are refused at once."""
    with tempfile.TemporaryDirectory() as folder:
        node = Path(folder) / "node"
        node.write_text("#!/bin/sh\necho no luck >&2\nexit 3\n")
        node.chmod(0o700)
        async with running_builder(BuildSettings(node=str(node))) as builder:
            for _ in range(2):
                [problem] = await problems(builder, {"main.ts": "export const a: number = 1;"})
                assert "no luck" in problem.message
            assert str(builder.working.state) == "open"
            starts = builder.state()["starts"]
            [problem] = await problems(builder, {"main.ts": "export const a: number = 1;"})
            assert problem.code == "no_build"
            assert "failed too often" in problem.message
            built = await build(builder, {"main.js": "var a = 1;"}, "main.js")
            assert built.warnings[0].code == "unchecked"
            assert builder.state()["starts"] == starts == 4


@pytest.mark.setting("build.cache_bytes")
@pytest_twisted.ensureDeferred
async def test_cache_is_bounded(tmp_path: Path) -> None:
    """Lowered files are kept on disk up to the bound of the settings; beyond it the oldest go."""
    most = 1024 * 1024
    async with running_builder(BuildSettings(cache_bytes=most), cache=tmp_path) as builder:
        files = {f"{name}.ts": f'export const {name}: string = "{name * 400_000}";' for name in "abcd"}
        main = "".join(f'import {{ {name} }} from "./{name}"; console.log({name}.length);\n' for name in "abcd")
        await build(builder, {"main.ts": main, **files})
        # The worker tidies up after its answer, before it takes the next request.
        await build(builder, {"main.ts": "export const a: number = 1;"})
        assert 0 < sum(path.stat().st_size for path in tmp_path.glob("lowered/*/*.json")) <= most


@pytest_twisted.ensureDeferred
async def test_registry_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that refuses connections is asked again after pauses, and then its words are the author's."""
    package = '{"dependencies": {"no-such-package-of-ours": "1.0.0"}}'
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{port}/")
    async with running_builder(BuildSettings(install_seconds=5.0)) as builder:
        [problem] = await problems(builder, {"main.js": "1;", "package.json": package}, "main.js")
        assert problem.code == "packages"
        assert "ECONNREFUSED" in problem.message
        assert problem.message == (
            "The packages in package.json cannot be installed: the package registry does not answer (ECONNREFUSED)."
        )
        assert builder.installing.figures()["repeated"] >= 1


@pytest.mark.setting("build.build_seconds")
@pytest_twisted.ensureDeferred
async def test_too_slow() -> None:
    """A build that takes too long is ended, and says which setting ended it; plain scripts still pass."""
    async with running_builder(BuildSettings(build_seconds=0.001)) as builder:
        [problem] = await problems(builder, {"main.ts": "export const a: number = 1;"})
        assert "build.build_seconds" in problem.message
        built = await build(builder, {"main.js": "var a = 1;"}, "main.js")
        assert built.warnings[0].code == "unchecked"


@pytest.mark.setting("build.node")
@pytest_twisted.ensureDeferred
async def test_no_node() -> None:
    """Without node, modern scripts are refused with the reason, and plain ones pass unchecked."""
    async with running_builder(BuildSettings(node="/nonexistent/node")) as builder:
        [problem] = await problems(builder, {"main.ts": "export const a: number = 1;"})
        assert problem.code == "no_build"
        assert "build.node names no program" in problem.message
        assert "/nonexistent/node" not in problem.message
        assert (await build(builder, {"main.js": "var a = 'é';"}, "main.js")).source == "var a = '\\u00e9';"


@pytest_twisted.ensureDeferred
async def test_progress() -> None:
    """A build that takes long tells how many files are done; the next one takes what has not changed from before."""
    line = (
        "export class C{n} { #a = {n};"
        " async *go(x: number) { for (const y of [x]) yield { ...{ y }, b: this.#a }; } }\n"
    )
    files = {f"f{at}.ts": "".join(line.replace("{n}", str(n)) for n in range(12)) for at in range(60)}
    main = "".join(f'import {{ C1 as c{at} }} from "./f{at}";\nconsole.log(c{at});\n' for at in range(60))
    received: list[str] = []
    given = {path: text.encode() for path, text in {**files, "main.ts": main}.items()}
    async with running_builder() as builder:
        await builder.build(entry="main.ts", files=given, manifest={}, progress=received.append)
        assert received
        assert all(message.endswith(" of 61 files") for message in received)
        again: list[str] = []
        given["main.ts"] += b"// a comment\n"
        await builder.build(entry="main.ts", files=given, manifest={}, progress=again.append)
        assert len(again) < len(received)


@pytest_twisted.ensureDeferred
async def test_undeclared_package() -> None:
    """A package that package.json does not name is refused, and so is a dependency that is no published version."""
    async with running_builder() as builder:
        [problem] = await problems(builder, {"main.ts": 'import zod from "zod";\nconsole.log(zod);\n'})
        assert (problem.code, problem.file, problem.line) == ("undeclared_package", "main.ts", 1)
        package = '{"dependencies": {"mine": "file:../../etc"}}'
        [problem] = await problems(builder, {"main.ts": "console.log(1);", "package.json": package})
        assert problem.code == "packages"
        assert "file:../../etc" in problem.message


@pytest_twisted.ensureDeferred
async def test_endings_of_names() -> None:
    """A file whose text is right and whose name has the wrong ending is refused with the right one."""
    jsx, typed = "const a = () => <p>hi</p>;", "const b: number = 5;"
    async with running_builder() as builder:
        for name, text, hint in (
            ("main.ts", jsx, "This is JSX: name the file main.tsx."),
            ("main.js", typed, "This is TypeScript: name the file main.ts."),
            ("main.mjs", jsx, "This is JSX: name the file main.tsx."),
            ("main.js", f"{typed} {jsx}", "This is TypeScript with JSX: name the file main.tsx."),
            ("main.jsx", f"{typed} {jsx}", "This is TypeScript with JSX: name the file main.tsx."),
            ("main.ts", "const a = {;", None),
        ):
            [problem] = await problems(builder, {name: text}, name)
            assert (problem.code, problem.hint) == ("syntax", hint), (name, text, problem)


@pytest_twisted.ensureDeferred
async def test_package_of_a_single_file() -> None:
    """A package that no package.json names is refused; a single file is told that it needs a folder."""
    files = {"main.ts": 'import { z } from "zod";\nregisterWebHandler("/a", () => z);'}
    async with running_builder() as builder:
        [alone] = await problems(builder, files, "main.ts")
        [folder] = await problems(builder, {**files, "package.json": "{}"}, "main.ts")
        assert (alone.hint or "").startswith("Deploy a folder, with a package.json")
        assert folder.hint == 'Add it: "dependencies": { "zod": "..." }.'


@pytest_twisted.ensureDeferred
async def test_types_of_another_file() -> None:
    """What one file exports as a type says nothing about the next file."""
    async with running_builder() as builder:
        await build(builder, {"main.ts": "export interface Leaked { a: number }\nregisterWebHandler('/x', () => 1);\n"})
        files = {"main.ts": "import * as all from './b';\nregisterWebHandler('/x', () => Object.keys(all));\n"}
        built = await build(builder, {**files, "b.ts": "export const kept = 1;\n"})
    [outcome] = run_programs([Program(source=built.source)])
    assert outcome.value() == ["kept"]


@pytest_twisted.ensureDeferred
async def test_what_has_not_changed(tmp_path: Path) -> None:
    """Of a second deployment only the files that changed are lowered again, also by another worker."""

    def lowered() -> set[Path]:
        return set(tmp_path.rglob("*.json"))

    files = {"main.ts": 'import { a } from "./lib"; console.log(a);', "lib.ts": "export const a: number = 1;"}
    async with running_builder(cache=tmp_path) as builder:
        first = await build(builder, files)
        before = lowered()
        assert (await build(builder, files)).source == first.source
        assert lowered() == before
    async with running_builder(cache=tmp_path) as builder:
        await build(builder, {**files, "main.ts": f"// another comment\n{files['main.ts']}"})
        assert len(lowered() - before) == 1
