"""What people write today: built as when it is deployed, and run in the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest_twisted

from aiwebengine.errors import DeploymentRefused
from tests.support.javascript.building import build, running_builder
from tests.support.world import Program, run_programs

_LEGACY: dict[str, str | bytes] = {"tsconfig.json": b'{"compilerOptions": {"experimentalDecorators": true}}'}
_BATTERY = Path(__file__).parents[2] / "support" / "language_battery.json"

REFUSED = {"regex_lookbehind"}
"""Refused when they are deployed; docs/explain/what-scripts-may-use.md says what to do instead."""

DIFFERENT = {"class_accessor_symbol", "eval_fn_ctor", "regex_d_flag_v_flag", "tdz_error"}
"""Deployed, but not as in node; the same page tells how."""

# Reports what the program says, waits for what it has put off, and gives it all to the first request.
_FRAME = (
    "globalThis.__seen = []; globalThis.__out = function () { for (var i = 0; i < arguments.length; i++) {"
    " var text = JSON.stringify(arguments[i]); __seen.push(text === undefined ? String(arguments[i]) : text); } };"
    " globalThis.init = function () { return new Promise(function (resolve) { setTimeout(resolve, 50); }); };"
    " registerWebHandler('/', function () { return __seen; }, { method: 'GET' });"
)


def _battery() -> list[dict[str, Any]]:
    return list(json.loads(_BATTERY.read_text("utf-8")))


async def _built(programs: list[dict[str, Any]]) -> dict[str, str]:
    sources = {}
    async with running_builder(more_globals=["__out"]) as builder:
        for program in programs:
            entry = f"main.{program['kind']}"
            try:
                legacy = _LEGACY if program["name"].endswith("_legacy") else {}
                built = await build(builder, {entry: program["source"], **legacy}, entry)
            except DeploymentRefused:
                continue
            sources[program["name"]] = built.source
    return sources


@pytest_twisted.ensureDeferred
async def test_language_battery() -> None:
    """All programs but those named in the documentation report what they report in node."""
    programs = _battery()
    sources = await _built(programs)
    assert {program["name"] for program in programs} - set(sources) == REFUSED
    strict = {name: "'use strict';" if "use strict" in source[:20] else "" for name, source in sources.items()}
    outcomes = run_programs([Program(source=strict[name] + _FRAME + source) for name, source in sources.items()])
    seen = {name: outcome.failure() or outcome.value() for name, outcome in zip(sources, outcomes, strict=True)}
    expected = {program["name"]: program["expected"] for program in programs}
    different = {name: (seen[name], expected[name]) for name in seen if seen[name] != expected[name]}
    assert set(different) == DIFFERENT, different


def test_documented() -> None:
    """The page on what scripts may use names each program that does not report the same."""
    page = (Path(__file__).parents[3] / "docs" / "explain" / "what-scripts-may-use.md").read_text("utf-8")
    assert not [name for name in REFUSED | DIFFERENT if f"`{name}`" not in page]
