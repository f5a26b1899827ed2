"""Serving: many runs at once, streams, isolation, what a version that is loaded again sees, hostile children."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from aiwebengine.errors import (
    Cancelled,
    Conflict,
    NotFound,
    ScriptFailed,
    ScriptHung,
    Unavailable,
)
from aiwebengine.settings.schema import PoolSettings
from tests.support.runtime import Seen, running_runtime
from tests.support.waiting import pause

ECHO = """
var seen = 0;
registerWebHandler("/echo", function (req) { seen += 1; return { path: req.path, seen: seen }; });
registerWebHandler("/slow", function () {
  return new Promise(function (resolve) { setTimeout(function () { resolve(seen); }, 100); });
});
registerWebHandler("/big", function () { return new Array(300001).join("é"); });
registerWebHandler("/throws", function () { throw new TypeError("no such thing"); });
registerWebHandler("/hangs", function () { return new Promise(function () {}); });
"""
ECHO_, SLOW, BIG, THROWS, HANGS = range(5)
STREAM = """
registerWebHandler("/stream", function () {
  var count = 0;
  var all = {};
  all[Symbol.asyncIterator] = function () {
    return { next: function () {
      count += 1;
      return Promise.resolve({ done: count > 5, value: "piece " + count + ";" });
    } };
  };
  return all;
});
"""


@pytest_twisted.ensureDeferred
async def test_hundred_at_once() -> None:
    """A hundred runs at once are all answered, each with its own answer, by no more children than may be."""
    async with running_runtime(pool=PoolSettings(max_running=3)) as runtime:
        await runtime.load("one", ECHO)
        runs = [runtime.start("one", path=f"/echo/{number}")[1] for number in range(100)]
        paths = [(await seen.done).value["path"] for seen in runs]
        assert paths == [f"/echo/{number}" for number in range(100)]
        assert len(runtime.pids("one")) <= 3
        assert runtime.runner.state()["active"] == 0
        assert {receipt.outcome for receipt in runtime.host.receipts} == {"committed"}


@pytest_twisted.ensureDeferred
async def test_failures() -> None:
    """What a handler throws, that it hangs, and a large answer arrive as what they are; the child lives on."""
    async with running_runtime(pool=PoolSettings(max_running=1)) as runtime:
        await runtime.load("one", ECHO)
        thrown = (await runtime.run("one", handler=THROWS)).error
        assert isinstance(thrown, ScriptFailed)
        assert thrown.thrown is not None
        assert (thrown.thrown.name, thrown.thrown.message) == ("TypeError", "no such thing")
        assert isinstance((await runtime.run("one", handler=HANGS)).error, ScriptHung)
        assert (await runtime.run("one", handler=BIG)).answer.body == "é".encode() * 300_000
        assert runtime.group("one")["clones"][0]["runs"] == 3


@pytest_twisted.ensureDeferred
async def test_queue() -> None:
    """Beyond the queue's length runs are refused at once, and those that wait too long are told so."""
    pool = PoolSettings(max_running=1, queue_length=2, queue_seconds=0.01)
    async with running_runtime(pool=pool) as runtime:
        await runtime.load(
            "one",
            'registerWebHandler("/", function () { for (var end = Date.now() + 1; ;) if (end === 0) return; });',
        )
        runs = [runtime.start("one", wall=2.5)[1] for _ in range(4)]
        refused = (await runs[3].done).error
        assert isinstance(refused, Unavailable)
        assert "pool.queue_length" in refused.public
        assert refused.retry_seconds == 1.0
        for seen in runs[1:3]:
            waited = (await seen.done).error
            assert isinstance(waited, Unavailable)
            assert "0.01 s" in waited.public


@pytest_twisted.ensureDeferred
async def test_recycling_and_eviction() -> None:
    """A child is replaced after its number of runs; what is idle ends, children first, and comes back when asked."""
    async with running_runtime(pool=PoolSettings(max_running=1, max_invocations=3, idle_seconds=1.0)) as runtime:
        await runtime.load("one", ECHO)
        seen = [(await runtime.run("one")).value["seen"] for _ in range(7)]
        assert seen == [1, 2, 3, 1, 2, 3, 1]
        await runtime.until(lambda: not runtime.pids("one"))
        assert runtime.group("one")["template"]
        await runtime.until(lambda: not runtime.runner.state()["versions"] or not runtime.group("one")["template"])
        assert (await runtime.run("one")).value["seen"] == 1


@pytest_twisted.ensureDeferred
async def test_fresh_for_each() -> None:
    """With `isolation: request` each run has a process of its own, however many come at once."""
    pool = PoolSettings(max_running=2, isolation="request")
    async with running_runtime(pool=pool) as runtime:
        await runtime.load("one", ECHO)
        runs = [runtime.start("one")[1] for _ in range(20)]
        assert [(await seen.done).value["seen"] for seen in runs] == [1] * 20
        await runtime.until(lambda: len(runtime.pids("one")) <= 3)


@pytest_twisted.ensureDeferred
async def test_slow_reader() -> None:
    """A stream goes at its reader's pace, which costs the script none of its time."""
    taken: list[bytes] = []
    waiting: list[Callable[[], None]] = []

    def take(data: bytes, done: Callable[[], None]) -> None:
        taken.append(data)
        waiting.append(done)

    async with running_runtime() as runtime:
        await runtime.load("one", STREAM)
        _, seen = runtime.start("one", Seen(take), wall=1.0)
        for number in range(1, 6):
            await runtime.until(lambda: waiting)
            assert len(taken) == number
            await pause(0.3)
            waiting.pop()()
        await seen.done
        assert seen.error is None
        assert b"".join(taken) == b"piece 1;piece 2;piece 3;piece 4;piece 5;"


@pytest_twisted.ensureDeferred
async def test_reader_gone() -> None:
    """When the reader of a stream goes away the script is told, and its child lives on."""
    async with running_runtime(pool=PoolSettings(max_running=1)) as runtime:
        await runtime.load("one", STREAM)
        run, seen = runtime.start("one", Seen(lambda _data, _done: None))
        await runtime.until(lambda: seen.pieces)
        runtime.runner.cancel(run)
        assert isinstance((await seen.done).error, Cancelled)
        await runtime.until(lambda: not runtime.pids("one", busy=True))
        again = await runtime.run("one")
        assert len(again.pieces) == 5


@pytest_twisted.ensureDeferred
async def test_commit() -> None:
    """The answer is told after the commit, and not at all if that fails; a client that goes meanwhile harms nobody."""
    async with running_runtime(pool=PoolSettings(max_running=1)) as runtime:
        # Who says nothing has nothing to commit.
        await runtime.load(
            "one",
            ECHO.replace("function (req) {", "function (req) { console.log(1);").replace(
                "setTimeout(f", "console.log(1); setTimeout(f"
            ),
        )
        commits: list[Deferred[None]] = []

        def commit() -> Deferred[None]:
            commits.append(Deferred())
            return commits[-1]

        runtime.host.commit = commit
        run, first = runtime.start("one", path="/first")
        await runtime.until(lambda: len(commits) == 1)
        assert not first.done.called
        # Its child is free, and has the next run in hand.
        _, second = runtime.start("one", handler=SLOW)
        await runtime.until(lambda: runtime.pids("one", busy=True))
        runtime.runner.cancel(run)
        commits[0].callback(None)
        assert first.value["path"] == "/first"
        await runtime.until(lambda: len(commits) == 2)
        commits[1].errback(Conflict("Somebody else was faster."))
        assert isinstance((await second.done).error, Conflict)


@pytest_twisted.ensureDeferred
async def test_loaded_again() -> None:
    """A version that is loaded again is answered from its journal, in the same order, and the host is not asked."""
    source = """
    var order = [];
    var first = listAssets();
    registerWebHandler("/", function () { return { order: order, first: first, seed: seed }; });
    var seed = Math.random();
    function init() {
      return Promise.resolve().then(function () { order.push(fetchAsset("/a")); });
    }
    """
    async with running_runtime() as runtime:
        runtime.host.calls["listAssets"] = lambda _: ["/a"]
        runtime.host.calls["fetchAsset"] = lambda given: f"text of {given[0]}"
        await runtime.load("one", source)
        before = (await runtime.run("one")).value
        assert before["first"] == ["/a"]
        asked = len(runtime.host.asked)
        runtime.runner.forget("one")
        assert (await runtime.run("one")).value == before
        assert len(runtime.host.asked) == asked


@pytest_twisted.ensureDeferred
async def test_rests() -> None:
    """A version that was replaced serves again from the template that it had, in a new process."""
    async with running_runtime() as runtime:
        await runtime.load("one", ECHO)
        assert (await runtime.run("one")).value["seen"] == 1
        template = runtime.group("one")["template"]
        runtime.runner.rest("one")
        await runtime.until(lambda: not runtime.group("one")["clones"])
        assert (await runtime.run("one")).value["seen"] == 1
        assert runtime.group("one")["template"] == template


@pytest_twisted.ensureDeferred
async def test_differs_from_journal() -> None:
    """A version that asks for something else than it did is refused, named, and tried again only after a while."""
    async with running_runtime() as runtime:
        runtime.host.calls["listAssets"] = lambda _: []
        await runtime.load("one", 'listAssets(); registerWebHandler("/", function () { return 1; });')
        bundle = runtime.source.bundles["one"]
        for source, words in (
            ('registerWebHandler("/", function () { return 1; });', "asked for register.route"),
            ("listAssets();", "did not ask for register.route"),
            ('listAssets(); registerWebHandler("/other", function () { return 1; });', "asked for register.route"),
        ):
            version = f"changed {words} {len(source)}"
            runtime.source.bundles[version] = replace(bundle, version=version, script="one", source=source)
            error = (await runtime.run(version)).error
            assert isinstance(error, ScriptFailed)
            assert words in error.public
            assert runtime.group(version)["failure"] == error.public
            assert runtime.group(version)["retrySeconds"] > 0


@pytest_twisted.ensureDeferred
async def test_failing_starts() -> None:
    """A version that cannot be read or loaded fails its own requests, at once, and nobody else's."""
    async with running_runtime() as runtime:
        await runtime.load("good", ECHO)
        assert isinstance((await runtime.run("gone")).error, NotFound)
        with pytest.raises(ScriptFailed) as raised:
            await runtime.load("bad", "throw new Error('not today')")
        assert "not today" in raised.value.public
        assert [version["version"] for version in runtime.runner.state()["versions"] if version["clones"]] == []
        assert (await runtime.run("good")).value["seen"] == 1


@pytest_twisted.ensureDeferred
async def test_replaced_while_waiting() -> None:
    """Requests that wait for a version when it is replaced are still answered by it."""
    async with running_runtime(pool=PoolSettings(max_running=1)) as runtime:
        await runtime.load("one", ECHO)
        runtime.runner.forget("one")
        runs = [runtime.start("one", handler=SLOW)[1] for _ in range(3)]
        runtime.runner.forget("one")
        assert [(await seen.done).value for seen in runs] == [0, 0, 0]
        await runtime.until(lambda: not runtime.runner.state()["versions"])
