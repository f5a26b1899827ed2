"""Two runs in one process's socket: real processes, real signals."""

from __future__ import annotations

import os
import random
import signal
from typing import Any

import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from aiwebengine.settings.schema import PoolSettings
from tests.support.runtime import RuntimeUnderTest, Seen, pause, running_runtime

QUICK = """
registerWebHandler("/", function (req) {
  console.log(req.path);
  return [req.path, getScript(req.path)];
});
registerWebHandler("/long", function (req) {
  for (var i = 0, s = 0; i < 3000000; i++) s += i;
  return [req.path, getScript(req.path)];
});
registerWebHandler("/waits", function (req) { return getScript("later " + req.path); });
registerWebHandler("/bad", function () { for (;;) {} });
"""
ONE = PoolSettings(max_running=1, max_running_all=1, queue_length=1000, queue_seconds=60)


async def started(runtime: RuntimeUnderTest) -> None:
    """Load the script and let it be known as quick."""
    runtime.host.calls["getScript"] = lambda given: given[0]
    await runtime.load("s", QUICK)
    for _ in range(30):
        await runtime.run("s")


def ask(runtime: RuntimeUnderTest, count: int, **members: Any) -> list[Seen]:
    """Begin so many runs."""
    return [runtime.start("s", path=f"/{number}", **members)[1] for number in range(count)]


@pytest_twisted.ensureDeferred
async def test_each_gets_its_own() -> None:
    """Answers, host calls and log lines of two runs in one process never meet."""
    async with running_runtime(pool=ONE) as runtime:
        await started(runtime)
        seen = ask(runtime, 200)
        assert runtime.group("s")["following"] == 1
        pids = runtime.pids("s")
        await gatherResults([one.done for one in seen])
        assert [one.value for one in seen] == [[f"/{number}", f"/{number}"] for number in range(200)]
        assert runtime.pids("s") == pids
        assert runtime.group("s")["following"] == 0
        assert [line.message for line in runtime.host.lines[30:]] == [f"/{number}" for number in range(200)]
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
        assert runtime.group("s")["following"] == 1
        await gatherResults([one.done for one in seen])
        assert [one.value for one in seen] == [[f"/{number}", f"/{number}"] for number in range(50)]
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
        assert runtime.group("s")["following"] == 1
        await gatherResults([one.done for one in (bad, *seen)])
        assert bad.error is not None
        assert bad.error.code == "script_timeout"
        assert [one.value for one in seen] == [[f"/{number}", f"/{number}"] for number in range(5)]


@pytest_twisted.ensureDeferred
async def test_killed() -> None:
    """Whenever the process is killed, both runs are answered once, by the next one."""
    chance = random.Random(7)
    async with running_runtime(pool=ONE) as runtime:
        await started(runtime)
        for _ in range(25):
            seen = ask(runtime, 12, handler=chance.choice((0, 1)))
            await pause(chance.uniform(0, 0.02))
            for pid in runtime.pids("s"):
                os.kill(pid, signal.SIGKILL)
            await gatherResults([one.done for one in seen])
            assert [one.value for one in seen] == [[f"/{number}", f"/{number}"] for number in range(12)]
        committed = [receipt for receipt in runtime.host.receipts if receipt.outcome == "committed"]
        # The load, those that showed how quick it is, and the rest.
        assert len(committed) == 1 + 30 + 25 * 12
        assert {receipt.outcome for receipt in runtime.host.receipts} <= {"committed", "lost"}
