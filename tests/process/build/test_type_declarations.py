"""The type declarations, as TypeScript's own compilers read them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aiwebengine.assembly.declared import DECLARED
from aiwebengine.cli.main import run
from aiwebengine.host.describe import type_declarations
from tests.support.clients.foreign import NODE, NPM_CACHE, client_programs

COMPILERS = ("typescript", "typescript-5")
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "bundler": {},
    "nodenext": {"module": "nodenext", "moduleResolution": "nodenext"},
    "strictest": {
        "exactOptionalPropertyTypes": True,
        "noUncheckedIndexedAccess": True,
        "noImplicitOverride": True,
        "noPropertyAccessFromIndexSignature": True,
        "noUnusedLocals": True,
    },
    "isolated": {"isolatedModules": True, "verbatimModuleSyntax": True},
    "oldest": {"lib": ["ES2020"], "target": "ES2020"},
}

pytestmark = pytest.mark.skipif(
    not (NPM_CACHE / "filled").exists(), reason="the npm packages were not fetched; run make test with a network"
)


class Project:
    """
    A folder with the declarations and the files that are checked against them.

    Args:
        folder: An empty folder.
        installed: Where the compilers are.
    """

    def __init__(self, folder: Path, installed: Path) -> None:
        self._folder = folder
        self._installed = installed

    def check(self, files: Mapping[str, str], *, compiler: str = COMPILERS[0], **options: Any) -> list[str]:
        """Compile *files*; what the compiler finds wrong, a line each."""
        written = {"aiwebengine.d.ts": type_declarations(DECLARED), **files}
        for name, text in written.items():
            (self._folder / name).write_text(text, "utf-8")
        base = {"strict": True, "noEmit": True, "lib": ["ES2023"], "types": [], "target": "ES2022"}
        base |= {"module": "ESNext", "moduleResolution": "bundler", "moduleDetection": "force"}
        (self._folder / "tsconfig.json").write_text(
            json.dumps({"compilerOptions": {**base, **options}, "files": list(written)}), "utf-8"
        )
        program = self._installed / "node_modules" / compiler / "bin" / "tsc"
        done = subprocess.run(
            [NODE, program, "--project", "tsconfig.json", "--pretty", "false"],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode in {0, 1, 2}, done.stderr
        return done.stdout.splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A new project."""
    return Project(tmp_path, client_programs("types"))


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("name", SETTINGS)
def test_declarations_compile(project: Project, compiler: str, name: str) -> None:
    """The declarations have no error under the settings that authors may choose."""
    assert project.check({}, compiler=compiler, **SETTINGS[name]) == []


def test_initialised_folder(project: Project, tmp_path: Path) -> None:
    """What `aiwebengine init` writes takes TSX, modules, JavaScript and equal names in files, and finds mistakes."""
    folder = tmp_path / "initialised"
    assert run(["init", str(folder)]) == 0
    options = json.loads((folder / "tsconfig.json").read_text("utf-8"))["compilerOptions"]
    files = {
        "page.tsx": "export const Page = ({ name }: { name: string }) => <><p>{name}</p></>;\n",
        "main.tsx": 'import { Page } from "./page";\n'
        'const path = "/p/:name";\n'
        "registerWebHandler(path, (req) => <Page name={req.params.name} />);\n"
        'registerWebHandler("/q", async () => new Response(await kv.get<string>("q")));\n',
        "old.js": 'const path = 3;\nregisterWebHandler("/c", () => path);\n',
    }
    assert project.check(files, **options) == []
    [wrong] = project.check({"main.tsx": 'registerWebHandlr("/");\n'}, **options)
    assert "registerWebHandlr" in wrong
    assert (folder / "aiwebengine.d.ts").read_text("utf-8") == type_declarations(DECLARED)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_examples_compile(project: Project, compiler: str) -> None:
    """Every example of the reference is correct, as JavaScript that is checked and as TypeScript."""
    files = {}
    for number, (name, example) in enumerate(DECLARED.examples.items()):
        files[f"{number}-{name}.js"] = example
        files[f"{number}-{name}-typed.ts"] = example
    assert project.check(files, compiler=compiler, allowJs=True, checkJs=True) == []


def test_imports_compile(project: Project) -> None:
    """Every importable name and every named type can be imported, and is the global of that name."""
    names = DECLARED.importable
    values = ", ".join(f"{name} as _{name}" for name in names)
    types = ", ".join(f"{shape.name.partition('<')[0]} as _{shape.name.partition('<')[0]}" for shape in DECLARED.shapes)
    same = "\n".join(f"export const {name}_: typeof {name} = _{name};" for name in names)
    source = f"""
        import {{ {values} }} from "aiwebengine";
        import type {{ {types} }} from "aiwebengine";
        import {{ HostError as Refusal }} from "aiwebengine";
        {same}
        export const handler: _Handler<{{ id: string }}> = (req) => req.params.id;
        export const options: _StreamOptions<{{ room: string }}> = {{
          attributes: (req) => ({{ room: req.params.room }}),
        }};
        export function told(error: unknown): string {{ return error instanceof Refusal ? error.code : ""; }}
        export function code(error: Refusal): HostErrorCode {{ return error.code; }}
    """
    assert project.check({"main.ts": source}) == []


def test_jsx_compiles(project: Project) -> None:
    """TSX is checked with h and Fragment, which are there already."""
    source = """
        function Page(props: { title: string; children?: any }) {
          return <main><h1 className="big">{props.title}</h1>{props.children}</main>;
        }
        registerWebHandler("/", async () => <><Page title="a">text {1} {null} {[<b>c</b>]}</Page></>);
        // @ts-expect-error  the title is missing
        registerWebHandler("/wrong", () => <Page />);
    """
    assert project.check({"main.tsx": source}, jsx="react", jsxFactory="h", jsxFragmentFactory="Fragment") == []


def test_mistakes_are_found(project: Project) -> None:
    """What a call would refuse, or a path does not have, is an error already in the editor."""
    mistakes = (
        'registerWebHandler("/a/:id", (req) => req.params.other);',
        'registerWebHandler("/a", () => 1, { tiemout: "2s" });',
        'registerWebHandler("/a", () => 1, "FETCH");',
        "kv.get(5);",
        'kv.set("a", 1, { ttl: "long" });',
        'kv.put("a", 1);',
        'sharedStorage.setItem("a", { b: 1 });',
        "getScript();",
        "const names: number[] = listScripts(); console.log(names);",
        'registerWebSocket("/a", { opened() {} });',
        'sendStreamMessage("a", { two: {} });',
    )
    source = "\n".join(f"// @ts-expect-error\n{mistake}" for mistake in mistakes)
    assert project.check({"main.ts": source}) == []
