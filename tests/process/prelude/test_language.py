"""What people write today: built as when it is deployed, and run in the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet import reactor

from aiwebengine.assembly.declared import DECLARED
from aiwebengine.build.builder import Builder
from aiwebengine.errors import DeploymentRefused
from aiwebengine.host.names import known_globals
from aiwebengine.settings.schema import BuildSettings
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.world import Program, run_programs

_LEGACY = {"tsconfig.json": b'{"compilerOptions": {"experimentalDecorators": true}}'}
_BATTERY = Path(__file__).parents[2] / "support" / "language_battery.json"

REFUSED = {"bigint", "regex_lookbehind"}
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


async def _built(programs: list[dict[str, Any]], cache: Path) -> dict[str, str]:
    known = {**known_globals(DECLARED), "__out": None}
    builder = Builder(
        settings=BuildSettings(),
        cache_folder=cache,
        reactor=reactor,
        threads=ThreadsInTurn(),
        random=float,
        known_globals=known,
        advice=DECLARED.advice,
    )
    builder.startService()
    sources = {}
    try:
        for program in programs:
            entry = f"main.{program['kind']}"
            try:
                files = {entry: program["source"].encode(), **(_LEGACY if program["name"].endswith("_legacy") else {})}
                built = await builder.build(entry=entry, files=files, manifest={})
            except DeploymentRefused:
                continue
            sources[program["name"]] = built.source
    finally:
        await builder.stopService()
    return sources


@pytest_twisted.ensureDeferred
async def test_language_battery(tmp_path: Path) -> None:
    """All programs but those named in the documentation report what they report in node."""
    programs = _battery()
    sources = await _built(programs, tmp_path)
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
