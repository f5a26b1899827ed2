"""What the build worker reads: the deployed files and the installed packages, and nothing else of the machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import pytest_twisted

from aiwebengine.build.builder import BuildResult
from aiwebengine.settings.schema import BuildSettings
from tests.support.javascript.building import build, problems, running_builder, tarball

MARKER = "marker-that-is-nobodys-business"
MAIN = "export const a: number = 1;\nregisterWebHandler('/', () => a);\n"


class Outside:
    """A folder that is not the script's, with a file and a pipe that nobody writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secret = folder / "secret.map"
        text = {"version": 3, "sources": [MARKER], "names": [MARKER], "mappings": "AAAAA", "sourcesContent": [MARKER]}
        self.secret.write_text(json.dumps(text))
        (folder / "secret.js").write_text(f"module.exports = '{MARKER}';")
        self.pipe = folder / "pipe.js"
        os.mkfifo(self.pipe)

    def untold(self, built: BuildResult) -> bool:
        """Return whether a program holds nothing of the file, and no path of it."""
        return not any(text in built.source + built.source_map for text in (MARKER, str(self.folder)))


@pytest.fixture(name="outside")
def _outside(tmp_path: Path) -> Outside:
    folder = tmp_path / "outside"
    folder.mkdir()
    return Outside(folder)


@pytest_twisted.ensureDeferred
async def test_source_maps_that_a_script_names(outside: Outside) -> None:
    """A comment that names a source map is no reason to open it: not a file, and not a pipe, which would block."""
    found = [named for path in (outside.secret, outside.pipe) for named in (str(path)[1:], str(path), f"file://{path}")]
    plain = MAIN.replace(": number", "")
    async with running_builder(BuildSettings(build_seconds=20.0)) as builder:
        for comment in [f"//# sourceMappingURL={url}\n" for url in found] + [
            f"/*# sourceMappingURL={url} */\n" for url in found
        ]:
            for name in ("main.ts", "main.js", "main.tsx"):
                built = await build(builder, {name: plain + comment}, name)
                assert outside.untold(built)
                assert json.loads(built.source_map)["sources"] == [name]
            files = {"lib.js": f"export const a = 1;\n{comment}", "words.txt": comment, "look.css": comment}
            text = 'import { a } from "./lib.js";\nimport w from "./words.txt";\nimport c from "./look.css";\n'
            built = await build(builder, {**files, "main.ts": f"{text}console.log(a, w, c);\n{comment}"})
            assert MARKER not in built.source + built.source_map


@pytest_twisted.ensureDeferred
async def test_settings_files_of_tools(outside: Outside) -> None:
    """Settings of build tools in a folder lead to nothing outside of it: not what they extend, nor by paths."""
    extends = json.dumps({"extends": str(outside.pipe), "compilerOptions": {"paths": {"*": [f"{outside.folder}/*"]}}})
    names = ("tsconfig.json", "jsconfig.json", ".babelrc", ".babelrc.json", "babel.config.json", "esbuild.json")
    files = {**dict.fromkeys(names, extends), ".browserslistrc": f"extends {outside.pipe}\n"}
    async with running_builder(BuildSettings(build_seconds=20.0)) as builder:
        assert outside.untold(await build(builder, {**files, "main.ts": MAIN}))
        found = await problems(
            builder, {**files, "main.ts": f"import x from 'secret.js';\nimport y from '{outside.pipe}';x;y;"}
        )
        assert [problem.code for problem in found] == ["tsconfig_extends", "undeclared_package", "missing_file"]


@pytest_twisted.ensureDeferred
async def test_imports_that_lead_out(outside: Outside) -> None:
    """Absolute paths, `..`, addresses and names of packages lead to nothing outside of the script."""
    out = "../" * 20 + str(outside.folder)[1:]
    written = [
        str(outside.secret), str(outside.pipe), f"{out}/secret.js", f"./{out}/pipe.js", f"file://{outside.pipe}",
        f"data:text/javascript,export default '{MARKER}'", "..", "/", "secret/../../x",
    ]  # fmt: skip
    async with running_builder(BuildSettings(build_seconds=20.0)) as builder:
        for specifier in written:
            for text in (
                f'import x from "{specifier}"; x;',
                f'export * from "{specifier}";',
                f'import("{specifier}");',
            ):
                found = await problems(builder, {"main.ts": text})
                assert len(found) == 1, specifier
                assert found[0].hint


def _hostile_package(outside: Outside) -> bytes:
    """Make a package that asks for files outside of itself in every way that bundlers know."""
    up = "../" * 20 + str(outside.folder)[1:]
    manifest = {
        "name": "hostile",
        "version": "1.0.0",
        "main": f"{up}/secret.js",
        "browser": {"./mapped.js": f"{up}/secret.js", "mapped": f"./{up}/secret.js"},
        "imports": {"#out": f"./{up}/secret.js", "#pipe": f"./{up}/pipe.js"},
        "sideEffects": ["**/**/**/**/**/**/*.js"],
    }
    asked = [
        str(outside.folder / "secret.js"), str(outside.pipe), f"{up}/secret.js", f"./{up}/pipe.js", f"{up}/", "#out",
        "#pipe", "mapped", "./mapped.js", f"file://{outside.pipe}", "hostile", "outside", "./link.js", "./pipe.js",
        "linked/secret.js", "linked/pipe.js",
    ]  # fmt: skip
    tried = "\n".join(
        f"try {{ found.push(require({json.dumps(specifier)})); }} catch (error) {{}}" for specifier in asked
    )
    maps = f"//# sourceMappingURL={outside.pipe}\n"
    return tarball(
        {
            "package.json": json.dumps(manifest),
            "index.js": f"var found = [];\n{tried}\nmodule.exports = found;\n{maps}",
            "look.css": f"@import '{outside.pipe}';\n/*# sourceMappingURL={outside.pipe} */",
            "data.json": "{}",
            "tsconfig.json": json.dumps({"extends": str(outside.pipe)}),
        }
    )


@pytest_twisted.ensureDeferred
async def test_packages_that_lead_out(outside: Outside, tmp_path: Path) -> None:
    """A package reaches nothing outside of the installed ones: by no field, no import, and no link or pipe in it."""
    files: dict[str, str | bytes] = {
        "main.ts": 'import found from "hostile/index.js";\nimport look from "hostile/look.css";\n'
        "registerWebHandler('/', () => [found, look]);\n",
        "package.json": json.dumps({"dependencies": {"hostile": "file:./deep/hostile.tgz"}}),
        "deep/hostile.tgz": _hostile_package(outside),
    }
    cache = tmp_path / "cache"
    (tmp_path / "node_modules" / "outside").mkdir(parents=True)
    (tmp_path / "node_modules" / "outside" / "index.js").write_text(f"module.exports = '{MARKER}';")
    (tmp_path / "package.json").write_text(
        json.dumps({"name": "above", "browser": {"./index.js": str(outside.secret)}})
    )
    settings = BuildSettings(build_seconds=20.0)
    async with running_builder(settings, cache=cache) as builder:
        await build(builder, files)
    [modules] = cache.glob("packages/*/node_modules")
    (modules / "hostile" / "link.js").symlink_to(outside.folder / "secret.js")
    os.mkfifo(modules / "hostile" / "pipe.js")
    (modules / "linked").symlink_to(outside.folder)
    async with running_builder(settings, cache=cache) as builder:
        built = await build(builder, {**files, "other.txt": "so that it is built again"})
        assert MARKER not in built.source
        assert not any(str(outside.folder) in source for source in json.loads(built.source_map)["sources"])
        for name in ("hostile/link.js", "hostile/pipe.js", "hostile/../../x", "linked", "outside"):
            package = json.dumps({"dependencies": {"hostile": "file:./deep/hostile.tgz"}})
            found = await problems(
                builder, {**files, "main.ts": f'import x from "{name}"; x;', "package.json": package}
            )
            assert [problem.code for problem in found] in (["missing_package"], ["undeclared_package"]), name
            assert not any(str(tmp_path) in problem.message for problem in found)


@pytest_twisted.ensureDeferred
async def test_what_npm_is_asked_for(outside: Outside) -> None:
    """A dependency is no file, folder, link or address of the server: neither in package.json nor in the lock file."""
    async with running_builder() as builder:
        for wanted in (
            f"file:{outside.folder}", f"file:{outside.folder}/x.tgz", "file:../x.tgz", "link:../x", str(outside.folder),
            "./x", "~/x", "git+https://example.org/x.git", "github:a/b", "a/b", "http://127.0.0.1/x.tgz",
            "https://example.org/x.tgz",
        ):  # fmt: skip
            package = json.dumps({"dependencies": {"x": wanted}}, indent=1)
            [problem] = await problems(builder, {"main.ts": MAIN, "package.json": package})
            assert (problem.code, problem.file, problem.line) == ("packages", "package.json", 3), wanted
        for place, entry in (
            ("node_modules/../../x", {}),
            ("../x", {}),
            (f"{outside.folder}", {}),
            ("node_modules/x", {"link": True, "resolved": "../x"}),
            ("node_modules/x", {"resolved": f"file:{outside.folder}/x.tgz"}),
            ("node_modules/x", {"resolved": f"git+file://{outside.folder}"}),
        ):
            lock = json.dumps({"lockfileVersion": 3, "packages": {"": {}, place: {"version": "1.0.0", **entry}}})
            package = json.dumps({"dependencies": {"x": "1.0.0"}})
            files = {"main.ts": MAIN, "package.json": package, "package-lock.json": lock}
            [problem] = await problems(builder, files)
            assert (problem.code, problem.file) == ("packages", "package-lock.json"), place


@pytest_twisted.ensureDeferred
async def test_what_packages_depend_on(outside: Outside) -> None:
    """A package that depends on a folder of the server is refused, with no path in the message."""
    manifest = {"name": "deep", "version": "1.0.0", "dependencies": {"x": f"file:{outside.folder}"}}
    package = tarball({"package.json": json.dumps(manifest), "index.js": "module.exports = 1;"})
    files = {
        "main.ts": 'import x from "deep"; x;',
        "package.json": json.dumps({"dependencies": {"deep": "file:deep.tgz"}}),
        "deep.tgz": package,
    }
    async with running_builder() as builder:
        [problem] = await problems(builder, files)
        assert problem.code == "packages"
        assert str(outside.folder) not in problem.message
        assert '"directory"' in problem.message
