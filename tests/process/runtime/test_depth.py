"""Two runs in one process's socket: real processes, real signals."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from dataclasses import replace
from typing import Any

import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from aiwebengine.settings.schema import PoolSettings
from aiwebengine.values import LogLine
from tests.support.examples import scaled
from tests.support.runtime import RuntimeUnderTest, Seen, running_runtime
from tests.support.waiting import pause

QUICK = """
registerWebHandler("/", function (req) {
  console.log(req.path);
  return [req.path, getScript(req.path)];
});
registerWebHandler("/long", function (req) {
  console.log(req.path);
  for (var i = 0, s = 0; i < 3000000; i++) s += i;
  return [req.path, getScript(req.path)];
});
registerWebHandler("/waits", function (req) { return getScript("later " + req.path); });
registerWebHandler("/bad", function () { for (;;) {} });
registerWebHandler("/longer", function (req) {
  console.log(req.path);
  for (var i = 0, s = 0; i < 20000000; i++) s += i;
  return [req.path];
});
registerWebHandler("/soon", function (req) {
  return new Promise(function (done) { setTimeout(done, Math.random() * 3); }).then(function () {
    return [req.path, getScript("later " + req.path)];
  });
});
"""
ONE = PoolSettings(max_running=1, max_running_all=1, queue_length=1000, queue_seconds=60)


async def started(runtime: RuntimeUnderTest) -> None:
    """Load the script and let it be known as quick."""
    runtime.host.calls["getScript"] = lambda given: given[0]
    await runtime.load("s", QUICK)
    await seen_as_quick(runtime)
    runtime.host.lines.clear()
    runtime.host.receipts.clear()


async def seen_as_quick(runtime: RuntimeUnderTest) -> None:
    """Let runs of it be known as quick, on a machine that is busy too."""
    for _ in range(200):
        for _ in range(30):
            await runtime.run("s")
        # Two of them run at once in some tests.
        seen = ask(runtime, 3)
        followed = runtime.group("s")["following"]
        await gatherResults([run.done for run in seen])
        if followed:
            return
    raise AssertionError("no second run ever followed")


def ask(runtime: RuntimeUnderTest, count: int, **members: Any) -> list[Seen]:
    """Begin so many runs."""
    return [runtime.start("s", path=f"/{number}", **members)[1] for number in range(count)]


@pytest_twisted.ensureDeferred
async def test_each_gets_its_own() -> None:
    """Answers, host calls and log lines of two runs in one process never meet."""
    async with running_runtime(pool=ONE) as runtime:
        await started(runtime)
        seen = ask(runtime, 200)
        assert runtime.group("s")["following"] >= 1
        pids = runtime.pids("s")
        await gatherResults([run.done for run in seen])
        assert [run.value for run in seen] == [[f"/{number}", f"/{number}"] for number in range(200)]
        assert runtime.pids("s") == pids
        assert runtime.group("s")["following"] == 0
        assert [line.message for line in runtime.host.lines] == [f"/{number}" for number in range(200)]
        assert {receipt.outcome for receipt in runtime.host.receipts} == {"committed"}


@pytest_twisted.ensureDeferred
async def test_taken_back() -> None:
    """Behind a run that turns out to wait for the host nobody has to wait."""
    async with running_runtime(pool=ONE) as runtime:
        await started(runtime)
        later: Deferred[str] = Deferred()
        runtime.host.calls["getScript"] = lambda given: later if given[0].startswith("later") else given[0]
        (waiting,) = ask(runtime, 1, handler=2)
        seen = ask(runtime, 50)
        assert runtime.group("s")["following"] >= 1
        await gatherResults([run.done for run in seen])
        assert [run.value for run in seen] == [[f"/{number}", f"/{number}"] for number in range(50)]
        assert waiting.whole is None
        later.callback("now")
        await waiting.done
        assert waiting.answer.body == b"now"


@pytest_twisted.ensureDeferred
async def test_behind_a_loop() -> None:
    """A run behind one that is killed at its deadline is answered by another process."""
    async with running_runtime(pool=ONE) as runtime:
        await started(runtime)
        (bad,) = ask(runtime, 1, handler=3, wall=0.3)
        seen = ask(runtime, 5)
        assert runtime.group("s")["following"] >= 1
        await gatherResults([run.done for run in (bad, *seen)])
        assert bad.error is not None
        assert bad.error.code == "script_timeout"
        assert [run.value for run in seen] == [[f"/{number}", f"/{number}"] for number in range(5)]


def kill_at(runtime: RuntimeUnderTest, message: str) -> list[int]:
    """Kill the process that says *message* when it does, once; gives its pid, when it is known."""
    killed: list[int] = []

    def heard(line: LogLine) -> None:
        if line.message == message and not killed:
            killed.extend(runtime.pids("s", busy=True))
            os.kill(killed[0], signal.SIGKILL)

    runtime.host.lines.clear()
    runtime.host.receipts.clear()
    runtime.host.heard = heard
    return killed


async def two(runtime: RuntimeUnderTest, first: int, second: int) -> list[Seen]:
    """Begin two runs, until the second lies behind the first."""
    for _ in range(100):
        seen = [
            runtime.start("s", path="/a", handler=first)[1],
            runtime.start("s", path="/b", handler=second)[1],
        ]
        if runtime.group("s")["following"] == 1:
            return seen
        # The machine was busy with something else, and runs seem to take long now.
        await gatherResults([run.done for run in seen])
        await seen_as_quick(runtime)
    raise AssertionError("the second run never followed")


@pytest_twisted.ensureDeferred
async def test_behind_a_long_one() -> None:
    """A run is taken from behind one that takes long and never hears of it, and is done once."""
    async with running_runtime(pool=ONE) as runtime:
        await started(runtime)
        first, second = await two(runtime, 4, 0)
        (pid,) = runtime.pids("s", busy=True)
        runtime.host.receipts.clear()
        await runtime.until(lambda: runtime.group("s")["following"] == 0)
        assert (runtime.group("s")["waiting"], second.whole) == (1, None)
        await gatherResults([first.done, second.done])
        assert (first.value, second.value) == (["/a"], ["/b", "/b"])
        assert [line.message for line in runtime.host.lines[-2:]] == ["/a", "/b"]
        assert [receipt.outcome for receipt in runtime.host.receipts] == ["committed"] * 2
        # The process which still had it did nothing more.
        await runtime.until(lambda: pid not in runtime.pids("s"))


@pytest_twisted.ensureDeferred
async def test_killed_with_the_first() -> None:
    """A process that is killed while the first run is in it: both are answered, and only the first counts as lost."""
    async with running_runtime(pool=ONE) as runtime:
        await started(runtime)
        first, second = await two(runtime, 1, 0)
        killed = kill_at(runtime, "/a")
        await gatherResults([first.done, second.done])
        assert len(killed) == 1
        assert (first.value[0], second.value[0]) == ("/a", "/b")
        assert sorted(receipt.outcome for receipt in runtime.host.receipts) == ["committed", "committed", "lost"]
        assert sorted(line.message for line in runtime.host.lines) == ["/a", "/a", "/b"]


@pytest_twisted.ensureDeferred
async def test_killed_with_the_second() -> None:
    """A process that is killed when the second run is in it has answered the first, which is not run again."""
    async with running_runtime(pool=ONE) as runtime:
        await started(runtime)
        first, second = await two(runtime, 0, 1)
        killed = kill_at(runtime, "/b")
        await gatherResults([first.done, second.done])
        assert len(killed) == 1
        assert (first.value[0], second.value[0]) == ("/a", "/b")
        assert [receipt.outcome for receipt in runtime.host.receipts] == ["committed", "lost", "committed"]
        assert [line.message for line in runtime.host.lines] == ["/a", "/b", "/b"]


@pytest_twisted.ensureDeferred
async def test_taken_back_at_any_moment() -> None:
    """Whenever a run is taken back or its client goes, each that is still wanted gets its own answer, once."""
    chance = random.Random(11)
    async with running_runtime(pool=replace(ONE, max_running=2, max_running_all=2)) as runtime:
        await started(runtime)
        runtime.host.calls["getScript"] = lambda given: (
            deferLater(reactor, chance.uniform(0, 0.002), lambda: given[0]) if "later" in given[0] else given[0]
        )
        followed = 0
        for number in range(scaled(40)):
            begun = [
                runtime.start("s", path=f"/{number}.{place}", handler=chance.choice((0, 0, 0, 0, 0, 5)))
                for place in range(12)
            ]
            followed += runtime.group("s")["following"]
            await pause(chance.uniform(0, 0.003))
            gone = [pair for pair in begun if chance.random() < 0.2]
            for run, _ in gone:
                runtime.runner.cancel(run)
            await gatherResults([seen.done for _, seen in begun])
            for place, (run, seen) in enumerate(begun):
                if seen.error is None:
                    assert seen.value[0] == f"/{number}.{place}"
                    assert seen.value[1].endswith(f"/{number}.{place}")
                else:
                    assert seen.error.code == "cancelled"
                    assert run in [begun_run for begun_run, _ in gone]
        assert followed > 0
        state = runtime.group("s")
        assert (state["following"], state["busy"], state["waiting"], state["parked"]) == (0, 0, 0, 0)
        assert {receipt.outcome for receipt in runtime.host.receipts} <= {"committed", "cancelled"}


@pytest_twisted.ensureDeferred
async def test_killed() -> None:
    """Whenever the process is killed, both runs are answered once, by the next one."""
    chance = random.Random(7)
    async with running_runtime(pool=ONE) as runtime:
        await started(runtime)
        rounds = scaled(25)
        for _ in range(rounds):
            seen = ask(runtime, 12, handler=chance.choice((0, 1)))
            await pause(chance.uniform(0, 0.02))
            killed = runtime.pids("s")
            for pid in killed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await gatherResults([run.done for run in seen])
            assert [run.value for run in seen] == [[f"/{number}", f"/{number}"] for number in range(12)]
            # Whoever begins with a process that is dead by now would lose a second one in the next round.
            await runtime.until(lambda gone=killed: not set(gone) & set(runtime.pids("s")))
        committed = [receipt for receipt in runtime.host.receipts if receipt.outcome == "committed"]
        assert len(committed) == rounds * 12
        assert {receipt.outcome for receipt in runtime.host.receipts} <= {"committed", "lost"}
