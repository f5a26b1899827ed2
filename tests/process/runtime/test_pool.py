"""Scripts beside each other: greedy ones, crashing ones, and those that only wait."""

from __future__ import annotations

import os
import signal

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from aiwebengine.errors import ScriptMemory, Unavailable
from aiwebengine.runtime.processes.crashes import MOST_IN_A_ROW
from aiwebengine.settings.schema import LimitSettings, PoolSettings
from tests.support.runtime import Seen, running_runtime

QUICK = 'registerWebHandler("/", function () { return 1; });'
WORK = (
    'registerWebHandler("/", function () { var end = Date.now() + 1; '
    "for (var i = 0, s = 0; i < 100000; i++) s += i; return s; });"
)
LOOP = 'registerWebHandler("/", function () { for (;;) {} });'
BOMB = (
    'registerWebHandler("/", function () { var text = "x", all = []; for (;;) { text += text; all.push(text); } });'
    'registerWebHandler("/good", function () { return 1; });'
)
BUSY = 'registerWebHandler("/", function () { for (var i = 0, s = 0; i < 8000000; i++) s += i; return s; });'
WAITER = 'registerWebHandler("/", function () { return getScript("later"); });'


@pytest_twisted.ensureDeferred
async def test_many_wait_for_the_host() -> None:
    """Runs that wait for the host do not keep others from running, of the same script either."""
    async with running_runtime(pool=PoolSettings(max_running=1, max_running_all=2, max_parked=20)) as runtime:
        waiting: list[Deferred[str]] = []

        def later(_: object) -> Deferred[str]:
            waiting.append(Deferred())
            return waiting[-1]

        runtime.host.calls["getScript"] = later
        await runtime.load("waiter", WAITER + QUICK.replace('"/"', '"/quick"'))
        await runtime.load("other", QUICK)
        seen = [runtime.start("waiter", wall=20.0)[1] for _ in range(20)]
        await runtime.until(lambda: len(waiting) == 20)
        group = runtime.group("waiter")
        assert (group["parked"], group["busy"]) == (20, 20)
        assert runtime.runner.state()["slots"]["running"] == 0
        assert (await runtime.run("waiter", handler=1)).value == 1
        assert (await runtime.run("other")).value == 1
        for number, answer in enumerate(waiting):
            answer.callback(str(number))
        assert sorted([int((await run.done).value) for run in seen]) == list(range(20))
        assert runtime.group("waiter")["parked"] == 0
        assert runtime.runner.state()["slots"] == {"places": 2, "running": 0, "scriptsWaiting": 0}


@pytest_twisted.ensureDeferred
async def test_greedy_neighbours() -> None:
    """Scripts that loop for ever in all the places they get do not keep another from answering soon."""
    pool = PoolSettings(max_running=4, max_running_all=4, queue_seconds=30)
    async with running_runtime(pool=pool) as runtime:
        await runtime.load("greedy", LOOP)
        await runtime.load("modest", QUICK)
        await runtime.run("modest")
        greedy = [runtime.start("greedy", wall=0.3)[1] for _ in range(24)]
        for _ in range(5):
            assert (await runtime.run("modest")).value == 1
        # Three places for the greedy one, four waves of 0.3 s and more to come.
        assert sum(run.done.called for run in greedy) < 24
        for run in greedy:
            await run.done
        await runtime.until(lambda: runtime.runner.state()["slots"]["running"] == 0)


@pytest_twisted.ensureDeferred
async def test_crash_loop() -> None:
    """A script whose processes die again and again rests, is tried again, and disturbs nobody."""
    limits = LimitSettings(memory_bytes=48 * 1024 * 1024)
    async with running_runtime(limits=limits) as runtime:
        await runtime.load("bomb", BOMB)
        await runtime.load("good", QUICK)
        for _ in range(MOST_IN_A_ROW):
            assert isinstance((await runtime.run("bomb")).error, ScriptMemory)
        error = (await runtime.run("bomb")).error
        assert isinstance(error, Unavailable)
        assert "died 5 times in a row" in error.public
        assert error.retry_seconds is not None
        assert (await runtime.run("good")).value == 1
        seen = Seen()

        def well() -> bool:
            nonlocal seen
            if seen.whole is None and (seen.error is not None or not seen.done.called):
                seen = Seen()
                runtime.start("bomb", seen, handler=1)
            return seen.whole is not None

        await runtime.until(well)
        assert runtime.group("bomb")["crashes"] == 0


@pytest.mark.setting("pool.recycle_memory_bytes")
@pytest_twisted.ensureDeferred
async def test_outgrown() -> None:
    """A process that has grown too much is replaced after its run."""
    source = """
    var kept = [];
    registerWebHandler("/", function () {
      for (var i = 0; i < 400; i++) kept.push("x" + Math.random()); return kept.length; });
    """
    pool = PoolSettings(max_running=1, recycle_memory_bytes=1)
    async with running_runtime(pool=pool) as runtime:
        await runtime.load("one", source)
        counts = [(await runtime.run("one")).value for _ in range(300)]
        assert counts[255] == 256 * 400
        assert counts[256] == 400


@pytest_twisted.ensureDeferred
async def test_long_runs_fall_back() -> None:
    """Processes of scripts stand behind the server, and a run that takes long behind the short ones."""
    async with running_runtime() as runtime:
        await runtime.load("slow", LOOP + QUICK.replace('"/"', '"/quick"'))
        own = os.getpriority(os.PRIO_PROCESS, 0)
        await runtime.run("slow", handler=1)
        (clone,) = runtime.group("slow")["clones"]
        assert os.getpriority(os.PRIO_PROCESS, clone["pid"]) == min(19, own + 5)
        _, seen = runtime.start("slow", wall=20.0)
        await runtime.until(lambda: os.getpriority(os.PRIO_PROCESS, clone["pid"]) == min(19, own + 15))
        os.kill(clone["pid"], signal.SIGTERM)
        await seen.done


@pytest_twisted.ensureDeferred
async def test_short_runs_come_back() -> None:
    """After a long run the process stands where it stood, if the server may put it there."""
    async with running_runtime() as runtime:
        await runtime.load("slow", BUSY)
        own = os.getpriority(os.PRIO_PROCESS, 0)
        _, seen = runtime.start("slow", wall=30.0)
        await runtime.until(lambda: any(clone["pid"] for clone in runtime.group("slow")["clones"]))
        (clone,) = runtime.group("slow")["clones"]
        await runtime.until(lambda: os.getpriority(os.PRIO_PROCESS, clone["pid"]) == min(19, own + 15))
        await seen.done
        expected = min(19, own + (5 if os.geteuid() == 0 else 15))
        assert os.getpriority(os.PRIO_PROCESS, clone["pid"]) == expected
