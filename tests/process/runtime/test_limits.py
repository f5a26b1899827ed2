"""
Every phase of a script's life ends at its deadline, and what it writes, logs and asks is bounded.

The time from the deadline to the answer is printed (`pytest -s`), not asserted closely: a busy machine is no fault.
"""

from __future__ import annotations

import json
import sys
import time

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from aiwebengine.errors import EngineError, ScriptFailed, ScriptTimeout
from aiwebengine.runtime.allowance import allowance
from aiwebengine.settings.schema import LimitSettings, PoolSettings
from tests.support.runtime import RuntimeUnderTest, Seen, running_runtime

WALL_SECONDS = 0.3
LATE_SECONDS = 5.0
"""How much later than its deadline a phase may end on a busy machine; on a quiet one it is 50 ms."""

ITERABLE = """
function stream(next) { var it = { next: next }; it[Symbol.asyncIterator] = function () { return it; }; return it; }
var n = 0;
"""
LOOP = "for (;;) {}"
NATIVE = "return /^(a+)+$/.test(new Array(40).join('a') + 'b');"

HANDLERS = {
    "handler, loop": f'registerWebHandler("/", function () {{ {LOOP} }});',
    "handler, native loop": f'registerWebHandler("/", function () {{ {NATIVE} }});',
    "handler, after a timer": (
        f'registerWebHandler("/", function () {{ return new Promise(function () {{'
        f" setTimeout(function () {{ {LOOP} }}, 5); }}); }});"
    ),
    "handler, waits for the host": 'registerWebHandler("/", function () { return getScript("never"); });',
    "handler, timers for ever": (
        'registerWebHandler("/", function () { return new Promise(function () { setInterval(function () {}, 5); }); });'
    ),
    "handler, catches everything": (
        'registerWebHandler("/", function () { for (;;) { try { getScript("gone"); } catch (error) {} } });'
    ),
    "middleware": f'use(function (req, ctx, next) {{ {LOOP} }}); registerWebHandler("/", function () {{ return 1; }});',
    "turning the answer into text": (
        f'registerWebHandler("/", function () {{ return {{ toJSON: function () {{ {LOOP} }} }}; }});'
    ),
    "stream, first part": (
        f'{ITERABLE} registerWebHandler("/", function () {{ return stream(function () {{ {LOOP} }}); }});'
    ),
    "stream, later part": (
        f'{ITERABLE} registerWebHandler("/", function () {{ return stream(function () {{'
        f" if (n++) {{ {LOOP} }} return Promise.resolve({{ value: 'x', done: false }}); }}); }});"
    ),
    "stream, waits for the host": (
        f'{ITERABLE} registerWebHandler("/", function () {{ return stream(function () {{'
        f" return n++ ? getScript('never') : Promise.resolve({{ value: 'x', done: false }}); }}); }});"
    ),
    "waitUntil, loop": (
        'registerWebHandler("/", function (req, ctx) { ctx.waitUntil(new Promise(function () {'
        f" setTimeout(function () {{ {LOOP} }}, 5); }})); return 1; }});"
    ),
    "waitUntil, loop without a timer": (
        'registerWebHandler("/", function (req, ctx) { ctx.waitUntil(Promise.resolve().then(function () {'
        f" {LOOP} }})); return 1; }});"
    ),
    "waitUntil, microtasks for ever": (
        'registerWebHandler("/", function (req, ctx) { ctx.waitUntil(new Promise(function () {'
        " (function again() { queueMicrotask(again); })(); })); return 1; });"
    ),
    "waitUntil, loop in a timer that is due with the answer": (
        'registerWebHandler("/", function (req, ctx) {'
        " var answer = new Promise(function (done) { setTimeout(function () { done(1); }, 1); });"
        f" ctx.waitUntil(new Promise(function () {{ setTimeout(function () {{ {LOOP} }}, 1); }})); return answer; }});"
    ),
    "waitUntil, waits for the host": (
        'registerWebHandler("/", function (req, ctx) { ctx.waitUntil(Promise.resolve().then(function () {'
        ' return getScript("never"); })); return 1; });'
    ),
}
LOADS = {
    "top level, loop": LOOP,
    "top level, native loop": f"(function () {{ {NATIVE} }})();",
    "top level, waits for the host": 'getScript("never");',
    "init, loop": f"function init() {{ {LOOP} }}",
    "init, waits for the host": 'function init() { return getScript("never"); }',
}


def host_calls(runtime: RuntimeUnderTest) -> None:
    """Answer `getScript`: never for one name."""
    runtime.host.calls["getScript"] = lambda given: Deferred() if given[0] == "never" else None


@pytest.mark.parametrize("phase", HANDLERS)
@pytest_twisted.ensureDeferred
async def test_deadline_of_a_run(phase: str) -> None:
    """Whatever a run does, it is over at its deadline, for lack of time, and the next one is served."""
    async with running_runtime(pool=PoolSettings(max_running=1)) as runtime:
        host_calls(runtime)
        await runtime.load("quick", 'registerWebHandler("/", function () { return 1; });')
        await runtime.load("one", HANDLERS[phase])
        # A process is there, so that its birth is not measured.
        await runtime.run("quick")
        handler = 1 if phase == "middleware" else 0
        invocation = runtime.invocation("one", handler=handler, wall=WALL_SECONDS)._replace(cpu_seconds=5.0)
        if phase == "middleware":
            payload = {**json.loads(invocation.payload), "middleware": [0]}
            invocation = invocation._replace(payload=json.dumps(payload))
        seen = Seen()
        began = time.monotonic()
        run = runtime.runner.run(invocation, seen)
        await runtime.until(lambda: run.ended)
        late = time.monotonic() - began - WALL_SECONDS
        sys.stdout.write(f"{phase}: {late * 1000:+.0f} ms after the deadline\n")
        assert late < LATE_SECONDS
        assert runtime.host.receipts[-1].outcome == "script_timeout", runtime.host.receipts[-1]
        if phase.startswith("waitUntil"):
            assert (await seen.done).value == 1
        else:
            assert isinstance((await seen.done).error, ScriptTimeout), seen.error
        assert (await runtime.run("quick")).value == 1


@pytest.mark.parametrize("phase", LOADS)
@pytest_twisted.ensureDeferred
async def test_deadline_of_a_load(phase: str) -> None:
    """Top level and init are over at the deadline of the load."""
    async with running_runtime() as runtime:
        host_calls(runtime)
        await runtime.load("quick", 'registerWebHandler("/", function () { return 1; });')
        began = time.monotonic()
        with pytest.raises(EngineError) as failed:
            await runtime.load("one", LOADS[phase], wall=WALL_SECONDS)
        late = time.monotonic() - began - WALL_SECONDS
        sys.stdout.write(f"{phase}: {late * 1000:+.0f} ms after the deadline\n")
        assert late < LATE_SECONDS
        assert isinstance(failed.value, ScriptTimeout)


@pytest_twisted.ensureDeferred
async def test_processor_time() -> None:
    """Processor time has a limit of its own, and the receipt tells what was used."""
    async with running_runtime() as runtime:
        await runtime.load("one", HANDLERS["handler, loop"])
        seen = Seen()
        runtime.runner.run(runtime.invocation("one", wall=8.0)._replace(cpu_seconds=0.2), seen)
        error = (await seen.done).error
        assert isinstance(error, ScriptTimeout)
        assert "0.2 s of processor time" in error.public
        assert 0.1 < runtime.host.receipts[-1].cpu_seconds < 2


@pytest_twisted.ensureDeferred
async def test_stack() -> None:
    """Endless recursion, through native functions too, is a RangeError that the script can catch."""
    source = """
    function depth(step) {
      try { step(); } catch (error) { return error instanceof RangeError; }
    }
    registerWebHandler("/", function () {
      var plain = function () { return 1 + plain(); };
      var native = function () { return [1].map(native); };
      var sorted = function () { return [1, 2].sort(sorted); };
      var getter = { get a() { return JSON.stringify(getter); } };
      var nested = [];
      for (var i = 0; i < 100000; i++) nested = [nested];
      var read = function () { return getter.a; }, write = function () { return JSON.stringify(nested); };
      return [plain, native, sorted, read, write].map(depth);
    });
    """
    async with running_runtime() as runtime:
        await runtime.load("one", source)
        assert (await runtime.run("one")).value == [True] * 5
        assert (await runtime.run("one")).value == [True] * 5


@pytest_twisted.ensureDeferred
async def test_amounts() -> None:
    """An answer, a stream and a log end at what the handler may use."""
    source = f"""{ITERABLE}
    registerWebHandler("/answer", function () {{ return new Array(2001).join("x"); }});
    registerWebHandler("/stream", function () {{ return stream(function () {{
      return Promise.resolve({{ value: new Array(501).join("x"), done: false }}); }}); }});
    registerWebHandler("/log", function () {{
      for (var i = 0; i < 50; i++) console.log(new Array(101).join("x")); return 1; }});
    """
    asked = {"answer_bytes": 1000, "stream_bytes": 1200, "log_bytes": 1000}
    async with running_runtime() as runtime:
        await runtime.load("one", source)
        received = []
        for handler in range(3):
            seen = Seen()
            allowed = allowance(LimitSettings(), asked)
            runtime.runner.run(runtime.invocation("one", handler=handler)._replace(allowance=allowed), seen)
            received.append(await seen.done)
        assert isinstance(received[0].error, ScriptFailed)
        assert "at most 1000" in received[0].error.public
        assert isinstance(received[1].error, ScriptFailed)
        assert "limits.stream_bytes" in received[1].error.public
        assert [len(piece) for piece in received[1].pieces] == [500, 500]
        assert received[2].value == 1
        lines = [line.message for line in runtime.host.lines]
        assert len(lines) < 12
        assert "More than 1000 bytes logged" in lines[-1]
        assert runtime.host.receipts[-1].log_bytes > 5000
