"""Whatever dies, and whenever: the runtime answers, replaces what died, and names the cause."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest_twisted

from aiwebengine.errors import (
    Cancelled,
    ScriptMemory,
    ScriptTimeout,
    Unavailable,
)
from aiwebengine.settings.schema import LimitSettings, PoolSettings
from tests.support.runtime import pause, running_runtime

SCRIPT = """
registerWebHandler("/quick", function () { return { quick: true }; });
registerWebHandler("/slow", function () {
  return new Promise(function (resolve) { setTimeout(function () { resolve({ slow: true }); }, 250); });
});
registerWebHandler("/loop", function () { console.log("before"); for (;;) {} });
registerWebHandler("/memory", function () { var text = "x", all = []; for (;;) { text += text; all.push(text); } });
registerWebHandler("/native", function () { return /^(a+)+$/.test(new Array(40).join("a") + "b"); });
"""
QUICK, SLOW, LOOP, MEMORY, NATIVE = range(5)


@pytest_twisted.ensureDeferred
async def test_killed_in_hand() -> None:
    """A run whose clone, template or sandbox is killed from outside is run again and answered."""
    async with running_runtime() as runtime:
        await runtime.load("one", SCRIPT)
        for what in ("clone", "template", "sandbox"):
            runs = [runtime.start("one", handler=SLOW)[1] for _ in range(3)]
            await runtime.until(lambda: len(runtime.pids("one", busy=True)) == 3)
            await pause(0.05)
            pid = {
                "clone": runtime.pids("one", busy=True)[0],
                "template": runtime.group("one")["template"],
                "sandbox": runtime.zygote.pid,
            }[what]
            os.kill(pid, signal.SIGKILL)
            assert [(await seen.done).value for seen in runs] == [{"slow": True}] * 3, what
            assert (await runtime.run("one", handler=QUICK)).value == {"quick": True}, what
        assert runtime.zygote.restarts == 1


@pytest_twisted.ensureDeferred
async def test_killed_twice() -> None:
    """A run in whose hands two children were killed from outside is not tried for ever; it may come back."""
    async with running_runtime() as runtime:
        await runtime.load("one", SCRIPT)
        _, seen = runtime.start("one", handler=SLOW)
        for _ in range(2):
            await runtime.until(lambda: runtime.pids("one", busy=True))
            (pid,) = runtime.pids("one", busy=True)
            os.kill(pid, signal.SIGKILL)
            await runtime.until(lambda pid=pid: pid not in runtime.pids("one"))
        assert isinstance((await seen.done).error, Unavailable)
        assert (await runtime.run("one", handler=QUICK)).value == {"quick": True}


@pytest_twisted.ensureDeferred
async def test_replaced_at_once() -> None:
    """A killed clone is replaced within moments, before anybody asks."""
    async with running_runtime() as runtime:
        await runtime.load("one", SCRIPT)
        _, seen = runtime.start("one", handler=LOOP, wall=0.1)
        assert isinstance((await seen.done).error, ScriptTimeout)
        await runtime.until(lambda: runtime.pids("one"))
        began = time.monotonic()
        assert (await runtime.run("one", handler=QUICK)).value == {"quick": True}
        assert time.monotonic() - began < 0.1


@pytest_twisted.ensureDeferred
async def test_runaways() -> None:
    """Endless loops, native ones too, end in time; a memory bomb ends for memory; what was logged before is kept."""
    async with running_runtime(limits=LimitSettings(memory_bytes=48 * 1024 * 1024)) as runtime:
        await runtime.load("one", SCRIPT)
        for handler in (LOOP, NATIVE):
            began = time.monotonic()
            seen = await runtime.run("one", handler=handler, wall=0.2)
            assert isinstance(seen.error, ScriptTimeout), seen.error
            assert "0.2 s" in seen.error.public
            assert time.monotonic() - began < 5
        assert "before" in [line.message for line in runtime.host.lines]
        assert isinstance((await runtime.run("one", handler=MEMORY)).error, ScriptMemory)
        assert (await runtime.run("one", handler=QUICK)).value == {"quick": True}
        outcomes = [receipt.outcome for receipt in runtime.host.receipts]
        assert outcomes == ["committed", "script_timeout", "script_timeout", "script_memory", "committed"]
        loop = runtime.host.receipts[1]
        # On a busy machine it gets little of the time.
        assert loop.cpu_seconds > 0


@pytest_twisted.ensureDeferred
async def test_timers_disarmed() -> None:
    """A stopped child, whose own timer cannot end it, is ended by the server."""
    async with running_runtime() as runtime:
        await runtime.load("one", SCRIPT)
        began = time.monotonic()
        _, seen = runtime.start("one", handler=LOOP, wall=0.4)
        await runtime.until(lambda: runtime.pids("one", busy=True))
        os.kill(runtime.pids("one", busy=True)[0], signal.SIGSTOP)
        error = (await seen.done).error
        assert isinstance(error, ScriptTimeout)
        assert time.monotonic() - began < 0.7


@pytest_twisted.ensureDeferred
async def test_stopped_template() -> None:
    """A template that no longer answers is replaced, and who waits for it is answered."""
    async with running_runtime() as runtime:
        await runtime.load("one", SCRIPT)
        template = runtime.group("one")["template"]
        os.kill(template, signal.SIGSTOP)
        _, seen = runtime.start("one", handler=QUICK, wall=0.2)
        assert isinstance((await seen.done.addTimeout(8, runtime.runner._reactor)).error, ScriptTimeout | Unavailable)
        assert (await runtime.run("one", handler=QUICK)).value == {"quick": True}
        assert runtime.group("one")["template"] != template


@pytest_twisted.ensureDeferred
async def test_client_gone() -> None:
    """A run whose caller has gone ends: told if it waits, killed if it does not listen, dropped if it has not begun."""
    async with running_runtime(pool=PoolSettings(max_running=1)) as runtime:
        await runtime.load("one", SCRIPT)
        await runtime.run("one", handler=QUICK)
        # Its template may tell the pid after the run has ended.
        await runtime.until(lambda: runtime.pids("one"))
        (pid,) = runtime.pids("one")
        run, seen = runtime.start("one", handler=SLOW)
        queued, unheard = runtime.start("one", handler=QUICK)
        await pause(0.05)
        runtime.runner.cancel(queued)
        assert isinstance((await unheard.done).error, Cancelled)
        runtime.runner.cancel(run)
        assert isinstance((await seen.done).error, Cancelled)
        run, seen = runtime.start("one", handler=LOOP)
        await pause(0.1)
        began = time.monotonic()
        runtime.runner.cancel(run)
        assert isinstance((await seen.done).error, Cancelled)
        # Long before its own time is up.
        assert time.monotonic() - began < 5
        assert pid not in runtime.pids("one")
        assert (await runtime.run("one", handler=QUICK)).value == {"quick": True}
        assert "committed" not in {receipt.outcome for receipt in runtime.host.receipts[2:-1]}


@pytest_twisted.ensureDeferred
async def test_stop_with_runs_in_hand() -> None:
    """When the engine stops, what is still in hand or waiting fails at once; no process is left."""
    async with running_runtime(pool=PoolSettings(max_running=1)) as runtime:
        await runtime.load("one", SCRIPT)
        runs = [runtime.start("one", handler=SLOW)[1] for _ in range(3)]
        await runtime.until(lambda: runtime.pids("one", busy=True))
        (pid,) = runtime.pids("one", busy=True)
    for seen in runs:
        assert isinstance((await seen.done).error, Unavailable), seen.error
    await runtime.until(lambda: not _lives(pid))


def _lives(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text("ascii")
    except OSError:
        return False
