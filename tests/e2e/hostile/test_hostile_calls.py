"""Host calls with any arguments, through the whole engine: each is answered in words, and nobody else is touched."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.logger import LogEvent, globalLogPublisher

from aiwebengine.assembly import running
from aiwebengine.host.dispatch import Host
from aiwebengine.runtime.processes import zygote
from tests.support.engine import EngineUnderTest, running_engine

SITE = Path(__file__).resolve().parents[2] / "support" / "hostile" / "site"
SEEDS = range(40)
GOOD = """
registerWebHandler("/set", async () => {
  await kv.set("mine", { by: "good" });
  sharedStorage.setItem("mine", "good");
  return 1;
});
registerWebHandler("/get", async (req) => [await kv.get("mine"), sharedStorage.getItem("mine"), req.query.n]);
"""
BAD = 'registerWebHandler("/calls-by-chance", () => 0);'


def _kept_host(monkeypatch: pytest.MonkeyPatch) -> list[Host]:
    """Have the engine's host put into a list when it is made."""
    hosts: list[Host] = []

    def make(**members: Any) -> Host:
        hosts.append(Host(**members))
        return hosts[-1]

    monkeypatch.setattr(running, "Host", make)
    return hosts


def _observed(failures: list[str]) -> Callable[[LogEvent], None]:
    def observe(event: LogEvent) -> None:
        if "log_failure" in event:
            failures.append(event["log_failure"].getTraceback())

    return observe


@pytest_twisted.ensureDeferred
async def test_calls_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is asked for the server fails on none of it, and another script's data stays as it was."""
    honest = zygote.environment()
    hosts = _kept_host(monkeypatch)
    hostile = {**honest, "PYTHONPATH": os.pathsep.join((str(SITE), honest["PYTHONPATH"]))}

    def environment() -> dict[str, str]:
        calls = [[call.name, len(call.arguments)] for call in hosts[0].calls]
        return {**hostile, "HOSTILE_CALLS": json.dumps(calls)}

    monkeypatch.setattr(zygote, "environment", environment)
    failures: list[str] = []
    observe = _observed(failures)
    globalLogPublisher.addObserver(observe)
    try:
        async with running_engine() as engine:
            await engine.deploy("good", {"main.ts": GOOD})
            await engine.deploy("bad", {"main.ts": BAD})
            assert (await engine.request("GET", "/set")).status == 200
            for seed in SEEDS:
                await _beside(engine, seed)
    finally:
        globalLogPublisher.removeObserver(observe)
    assert not failures, "\n".join(failures[:3])


async def _beside(engine: EngineUnderTest, seed: int) -> None:
    reply = await engine.request("GET", f"/calls-by-chance?seed={seed}")
    # Two that change the same thing, or one too many of a thing, is refused as a whole.
    assert reply.status in {200, 409, 413, 429}, (seed, reply.text)
    answer = (await engine.request("GET", f"/get?n={seed}")).json()
    assert answer == [{"by": "good"}, "good", str(seed)]
