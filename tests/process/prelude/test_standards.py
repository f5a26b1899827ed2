"""The web standards, held to the probes of `bench/standards`: those that need neither the network nor the host."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from bench.standards.program import probes, program, script_ending
from tests.support.javascript.building import build, running_builder
from tests.support.world import Program, run_programs

_WITH_HOST = {"crypto", "fetch", "fetch-network", "streams"}
_FILES = [file for file in probes() if file.topic not in _WITH_HOST]
_ALLOWED = Path(__file__).parents[3] / "bench" / "standards" / "differences.json"


def allowed() -> Mapping[str, Mapping[str, str]]:
    """Read the probes that fail here, and why: topic, name, reason."""
    found: Mapping[str, Mapping[str, str]] = json.loads(_ALLOWED.read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, str]]:
    """Build the files as deployments would, and run them in the sandbox: what each probe failed with, by topic."""
    sources = pytest_twisted.blockon(Deferred.fromCoroutine(_built()))
    outcomes = run_programs([Program(source=source) for source in sources])
    return {
        file.topic: {name: message for name, message in outcome.value()["told"] if message}
        for file, outcome in zip(_FILES, outcomes, strict=True)
    }


async def _built() -> list[str]:
    async with running_builder() as builder:
        return [
            (await build(builder, {"main.js": program(file, script_ending("/"))}, "main.js")).source for file in _FILES
        ]


@pytest.mark.parametrize("topic", [file.topic for file in _FILES])
def test_probes(topic: str, told: dict[str, dict[str, str]]) -> None:
    """Every probe of a standard passes in a script, but for those whose reason is told."""
    assert set(told[topic]) == set(allowed().get(topic, {})), told[topic]
