"""
Processes that have broken out of JavaScript say and do anything on their socket.

Each deed runs through the server beside a good script: it is ended and named, the good script's answers stay right,
and the server's memory does not grow with what it was sent.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from aiwebengine.errors import EngineError
from aiwebengine.runtime.processes import zygote
from aiwebengine.settings.schema import LimitSettings, PoolSettings
from tests.support.runtime import RuntimeUnderTest, running_runtime

SITE = Path(__file__).resolve().parents[2] / "support" / "hostile" / "site"
GOOD = 'registerWebHandler("/", function (req) { return [getScript(req.path)]; });'
MOST_GROWTH = 100 << 20
WALL_SECONDS = 0.5
PATIENT_SECONDS = 30.0
"""For deeds that end by themselves, however busy the machine is."""

ENDINGS = {
    "script_protocol": """
        garbage http endless-garbage a-box-byte-by-byte a-long-value-without-an-end crumbs-of-a-long-value empty-boxes
        a-box-with-ever-new-keys an-unknown-command a-run an-answer-nobody-asked-for the-answer-of-another-call
        an-error-of-another-call a-call-with-a-long-name a-call-that-is-not-ASCII ever-new-names a-huge-argument
        a-part-that-is-none the-end-of-no-stream lines-that-are-none
    """,
    "script_timeout": """
        a-huge-length lines-without-an-end parts-without-a-pause silence silence-without-its-timers
        half-a-box-and-silence places-without-an-end a-place-of-bytes
    """,
    "script_crashed": "half-a-box-and-death exit-at-once exit-with-a-status a-fault abort exit-after-a-call",
    "script_memory": "abort-with-much-memory",
    "script_failed": "a-head-that-is-none a-header-in-two an-error-that-is-none calls-without-an-end",
}
ANSWERS = {
    "deep-arguments": "deep",
    "bulky-arguments": "bulky",
    "a-part-before-the-start": "whole",
    "a-huge-line": "logged",
    "bulky-fields": "fields",
    "exit-after-the-answer": "answered",
    "talk-after-the-answer": "more",
}
LOADS = {
    "script_protocol": """
        garbage, a long value without an end, answers deep nonsense, no JSON on the control socket,
        deep JSON on the control socket, events of impossible processes
    """,
    "script_failed": "answers nonsense, fails with nonsense, calls without an end",
    "script_timeout": """
        lines without an end, silence, silence without its timers, events without an end, claims
    """,
    "script_crashed": "a fault, nothing on the control socket, a closed control socket",
}
GOES = ("exit-after-the-answer",)
LATE = {"two-answers": ("1", "script_protocol"), "exit-in-the-stream": ("", "script_crashed")}
"""Deeds that are told after the answer has begun."""


@asynccontextmanager
async def hostile_runtime(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RuntimeUnderTest]:
    """Run a runtime whose processes do what the path says, with a good script on it."""
    honest = zygote.environment()
    monkeypatch.setattr(
        zygote, "environment", lambda: {**honest, "PYTHONPATH": os.pathsep.join((str(SITE), honest["PYTHONPATH"]))}
    )
    limits = LimitSettings(memory_bytes=64 << 20, host_calls=2000)
    async with running_runtime(limits=limits, pool=PoolSettings(max_running=4)) as runtime:
        runtime.host.calls["getScript"] = lambda given: given[0]
        await runtime.load("good", GOOD)
        await runtime.load("bad", GOOD)
        yield runtime


def resident_bytes() -> int:
    """Return the server's memory, which is this process's."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def beside(runtime: RuntimeUnderTest, deed: str, wall: float = PATIENT_SECONDS) -> tuple[str, str]:
    """Have a deed done with good requests beside it; give its answer and its outcome, as its receipt has it."""
    runtime.host.receipts.clear()
    run, seen = runtime.start("bad", path=f"/{deed}", wall=wall)
    asked = 0
    while not run.ended or asked < 3:
        asked += 1
        assert (await runtime.run("good", path=f"/{asked}")).value == [f"/{asked}"]
    await runtime.until(lambda: seen.done.called)
    clone: Any = run.child
    if deed in GOES:
        # What is handed to it before it is known to be gone fails with it.
        await runtime.until(lambda: clone is None or clone.ended is not None)
    result = seen.whole.body.decode() if seen.whole is not None else ""
    outcomes = [receipt.outcome for receipt in runtime.host.receipts if receipt.invocation == run.invocation.id]
    assert len(outcomes) == 1
    if seen.error is not None:
        assert seen.error.code == outcomes[0]
        # What went wrong inside is for the server's log.
        assert not re.search(r"Traceback|/[a-z]+/.*\.py", seen.error.public)
    return result, outcomes[0]


@pytest_twisted.ensureDeferred
async def test_deeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every deed is ended and named as it should be, and the version that did it serves on."""
    expected = {deed: ("", code) for code, deeds in ENDINGS.items() for deed in deeds.split()}
    expected |= {deed: (f'"{answer}"', "committed") for deed, answer in ANSWERS.items()} | LATE
    async with hostile_runtime(monkeypatch) as runtime:
        await beside(runtime, "bulky-arguments")
        before = resident_bytes()
        data: dict[str, tuple[str, str]] = {}
        for deed, (_, code) in expected.items():
            wall = WALL_SECONDS if code == "script_timeout" else PATIENT_SECONDS
            data[deed] = await beside(runtime, deed, wall)
            assert await beside(runtime, "fine") == ('["/fine"]', "committed"), deed
        assert data == expected
        assert runtime.zygote.restarts == 0
        growth = resident_bytes() - before
        sys.stdout.write(f"{len(expected)} deeds; the server's memory grew by {growth / (1 << 20):.1f} MiB\n")
        assert growth < MOST_GROWTH


@pytest_twisted.ensureDeferred
async def test_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is every top level that has broken out, whose process can also speak for its clones."""
    expected = {deed.strip(): code for code, deeds in LOADS.items() for deed in deeds.split(",")}
    async with hostile_runtime(monkeypatch) as runtime:
        before = resident_bytes()
        data: dict[str, str] = {}
        for deed, code in expected.items():
            wall = WALL_SECONDS if code == "script_timeout" else PATIENT_SECONDS
            with pytest.raises(EngineError) as failed:
                await runtime.load("evil", f"// {deed}", wall=wall)
            data[deed] = failed.value.code
            runtime.host.asked.clear()
            assert (await runtime.run("good", path="/x")).value == ["/x"], deed
        assert data == expected
        assert runtime.zygote.restarts == 0
        assert resident_bytes() - before < MOST_GROWTH
