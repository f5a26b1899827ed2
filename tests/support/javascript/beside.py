"""
Small programs run twice: by node, and as a deployed script in the sandbox.

A file of cases holds programs one after the other, each behind a line `// --- name`.  A program tells
what it finds by `out(...)`, which takes any values; what it puts off is waited for.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aiwebengine.build.builder import TOOLCHAIN
from aiwebengine.build.node import NodeProgram, find_node
from aiwebengine.errors import DeploymentRefused
from tests.support.javascript.building import build, running_builder
from tests.support.world import Program, run_programs

CASES = Path(__file__).parent / "cases"
_NODE_PROGRAM = Path(__file__).parent / "run_in_node.mjs"
_SECONDS = 120

# The same as run_in_node.mjs has: a line for each call, of what JSON says or else of what String says.
_FRAME = (
    "globalThis.__lines = []; globalThis.out = function () { var words = []; for (var i = 0; i < arguments.length; i++)"
    " { var value = arguments[i], text = typeof value === 'string' ? value : JSON.stringify(value);"
    " words.push(text === undefined ? String(value) : text); } __lines.push(words.join(' ')); };"
    " globalThis.init = function () { return new Promise(function (resolve) { setTimeout(resolve, 50); }); };"
    " registerWebHandler('/', function () { return __lines; }, { method: 'GET' }); "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One program."""

    name: str
    source: str


def cases(file: str) -> list[Case]:
    """Read a file of cases."""
    parts = re.split(r"^// --- (.+)$", (CASES / file).read_text("utf-8"), flags=re.MULTILINE)
    return [Case(name=name.strip(), source=source) for name, source in zip(parts[1::2], parts[2::2], strict=True)]


def by_node(
    programs: Sequence[Case],
    *,
    ending: str,
    folder: Path,
    modules: Path | None = None,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """
    Run programs in node, each as a module.

    Args:
        ending: Of their files; what is not JavaScript is compiled by TypeScript, whose package lies in *modules*.
        folder: For the files.
        modules: A `node_modules`.
        options: Compiler options of TypeScript.

    Returns:
        The lines that each told, by name; a string if it could not be run.
    """
    node = find_node("", TOOLCHAIN)
    assert isinstance(node, NodeProgram)
    asked = {
        "folder": str(folder),
        "ending": ending,
        "modules": str(modules or ""),
        "options": dict(options),
        "cases": [{"name": program.name, "source": program.source} for program in programs],
    }
    done = subprocess.run(
        [node.program, _NODE_PROGRAM],
        input=json.dumps(asked).encode(),
        capture_output=True,
        timeout=_SECONDS,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def here(
    programs: Sequence[Case], *, entry: str, options: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """
    Run programs as deployed scripts.

    Args:
        entry: The name of each one's file.
        options: Compiler options of their tsconfig.json; they have none if there are none.

    Returns:
        The lines that each told, by name; the problems if it was refused, the failure if it failed.
    """
    tsconfig = {"tsconfig.json": json.dumps({"compilerOptions": dict(options)})} if options else {}
    found: dict[str, Any] = {}
    sources: dict[str, str] = {}
    async with running_builder(more_globals=["out"]) as builder:
        for program in programs:
            try:
                built = await build(builder, {entry: program.source, **tsconfig}, entry)
            except DeploymentRefused as error:
                found[program.name] = [f"{problem.line}: {problem.message}" for problem in error.problems]
            else:
                sources[program.name] = built.source
    outcomes = run_programs([Program(source=_FRAME + source) for source in sources.values()])
    for name, outcome in zip(sources, outcomes, strict=True):
        found[name] = outcome.failure() or outcome.value()
    return found


def different(expected: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the cases that came to something else, with what node told and what was told here."""
    return {name: (expected[name], seen[name]) for name in expected if expected[name] != seen[name]}
