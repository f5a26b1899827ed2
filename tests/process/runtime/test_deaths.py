"""Whatever dies, and whenever: the runtime answers, replaces what died, and names the cause."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest_twisted

from aiwebengine.errors import (
    Cancelled,
    ScriptMemory,
    ScriptTimeout,
    Unavailable,
)
from aiwebengine.settings.schema import LimitSettings, PoolSettings
from tests.support.runtime import RuntimeUnderTest, running_runtime

SCRIPT = """
registerWebHandler("/quick", function () { return { quick: true }; });
registerWebHandler("/slow", function look() {
  if (getScript("go")) return { slow: true };
  return new Promise(function (resolve) { setTimeout(resolve, 5); }).then(look);
});
registerWebHandler("/loop", function () { console.log("before"); for (;;) {} });
registerWebHandler("/memory", function () { var text = "x", all = []; for (;;) { text += text; all.push(text); } });
registerWebHandler("/native", function () { return /^(a+)+$/.test(new Array(40).join("a") + "b"); });
"""
QUICK, SLOW, LOOP, MEMORY, NATIVE = range(5)


class Gate:
    """
    Lets `/slow` answer, or not.

    Args:
        runtime: Where it runs.
    """

    def __init__(self, runtime: RuntimeUnderTest) -> None:
        self.open = False
        runtime.host.calls["getScript"] = lambda _: "go" if self.open else ""


@pytest_twisted.ensureDeferred
async def test_killed_in_hand() -> None:
    """A run whose clone, template or sandbox is killed from outside is run again and answered."""
    async with running_runtime() as runtime:
        gate = Gate(runtime)
        await runtime.load("one", SCRIPT)
        for what in ("clone", "template", "sandbox"):
            gate.open = False
            runs = [runtime.start("one", handler=SLOW, wall=60.0)[1] for _ in range(3)]
            asked = len(runtime.host.asked)
            await runtime.until(lambda: len(runtime.pids("one", busy=True)) == 3)
            await runtime.until(lambda asked=asked: len(runtime.host.asked) > asked)
            pid = {
                "clone": runtime.pids("one", busy=True)[0],
                "template": runtime.group("one")["template"],
                "sandbox": runtime.zygote.pid,
            }[what]
            os.kill(pid, signal.SIGKILL)
            await runtime.until(lambda pid=pid: not _lives(pid))
            gate.open = True
            assert [(await runtime.ended(seen)).value for seen in runs] == [{"slow": True}] * 3, what
            assert (await runtime.run("one", handler=QUICK)).value == {"quick": True}, what
        assert runtime.zygote.restarts == 1


@pytest_twisted.ensureDeferred
async def test_killed_twice() -> None:
    """A run in whose hands two children were killed from outside is not tried for ever; it may come back."""
    async with running_runtime() as runtime:
        Gate(runtime)
        await runtime.load("one", SCRIPT)
        _, seen = runtime.start("one", handler=SLOW, wall=60.0)
        for _ in range(2):
            await runtime.until(lambda: runtime.pids("one", busy=True))
            (pid,) = runtime.pids("one", busy=True)
            os.kill(pid, signal.SIGKILL)
            await runtime.until(lambda pid=pid: pid not in runtime.pids("one"))
        assert isinstance((await runtime.ended(seen)).error, Unavailable)
        assert (await runtime.run("one", handler=QUICK)).value == {"quick": True}


@pytest_twisted.ensureDeferred
async def test_replaced_at_once() -> None:
    """A killed clone is replaced within moments, before anybody asks."""
    async with running_runtime() as runtime:
        await runtime.load("one", SCRIPT)
        _, seen = runtime.start("one", handler=LOOP, wall=0.5)
        await runtime.until(lambda: runtime.pids("one", busy=True))
        [killed] = runtime.pids("one")
        assert isinstance((await runtime.ended(seen)).error, ScriptTimeout)
        # Nobody asks meanwhile.
        await runtime.until(lambda: set(runtime.pids("one")) - {killed})
        replaced = runtime.pids("one")
        assert (await runtime.run("one", handler=QUICK)).value == {"quick": True}
        assert runtime.pids("one") == replaced


@pytest_twisted.ensureDeferred
async def test_runaways() -> None:
    """Endless loops, native ones too, end in time; a memory bomb ends for memory; what was logged before is stored."""
    async with running_runtime(limits=LimitSettings(memory_bytes=48 * 1024 * 1024)) as runtime:
        await runtime.load("one", SCRIPT)
        for handler in (LOOP, NATIVE):
            seen = await runtime.run("one", handler=handler, wall=0.2)
            assert isinstance(seen.error, ScriptTimeout), seen.error
            assert "0.2 s" in seen.error.public
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
        _, seen = runtime.start("one", handler=LOOP, wall=2.0)
        await runtime.until(lambda: runtime.pids("one", busy=True))
        os.kill(runtime.pids("one", busy=True)[0], signal.SIGSTOP)
        assert isinstance((await runtime.ended(seen)).error, ScriptTimeout)


@pytest_twisted.ensureDeferred
async def test_stopped_template() -> None:
    """A template that no longer answers is replaced, and who waits for it is answered."""
    async with running_runtime() as runtime:
        await runtime.load("one", SCRIPT)
        template = runtime.group("one")["template"]
        os.kill(template, signal.SIGSTOP)
        _, seen = runtime.start("one", handler=QUICK, wall=0.2)
        assert isinstance((await runtime.ended(seen)).error, ScriptTimeout | Unavailable)
        assert (await runtime.run("one", handler=QUICK)).value == {"quick": True}
        assert runtime.group("one")["template"] != template


@pytest_twisted.ensureDeferred
async def test_client_gone() -> None:
    """A run whose caller has gone ends: told if it waits, killed if it does not listen, dropped if it has not begun."""
    async with running_runtime(pool=PoolSettings(max_running=1)) as runtime:
        Gate(runtime)
        await runtime.load("one", SCRIPT)
        await runtime.run("one", handler=QUICK)
        # Its template may tell the pid after the run has ended.
        await runtime.until(lambda: runtime.pids("one"))
        (pid,) = runtime.pids("one")
        run, seen = runtime.start("one", handler=SLOW, wall=120.0)
        queued, unheard = runtime.start("one", handler=QUICK, wall=120.0)
        await runtime.until(lambda: runtime.pids("one", busy=True) and runtime.host.asked)
        runtime.runner.cancel(queued)
        assert isinstance((await runtime.ended(unheard)).error, Cancelled)
        runtime.runner.cancel(run)
        assert isinstance((await runtime.ended(seen)).error, Cancelled)
        run, seen = runtime.start("one", handler=LOOP, wall=120.0)
        await runtime.until(lambda: runtime.host.lines)
        runtime.runner.cancel(run)
        # Long before its own time is up.
        assert isinstance((await runtime.ended(seen)).error, Cancelled)
        await runtime.until(lambda: pid not in runtime.pids("one"))
        assert (await runtime.run("one", handler=QUICK)).value == {"quick": True}
        assert "committed" not in {receipt.outcome for receipt in runtime.host.receipts[2:-1]}


@pytest_twisted.ensureDeferred
async def test_stop_with_runs_in_hand() -> None:
    """When the engine stops, what is still in hand or waiting fails at once; no process is left."""
    async with running_runtime(pool=PoolSettings(max_running=1)) as runtime:
        Gate(runtime)
        await runtime.load("one", SCRIPT)
        runs = [runtime.start("one", handler=SLOW, wall=60.0)[1] for _ in range(3)]
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
