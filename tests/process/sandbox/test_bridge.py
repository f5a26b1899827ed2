"""Tests of attacks on what crosses between a script and the server: arguments, answers, memory, state that is left."""

from __future__ import annotations

import os
import signal
from typing import Any, ClassVar

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import ScriptFailed, ScriptTimeout
from aiwebengine.settings.schema import LimitSettings, PoolSettings
from tests.support.runtime import running_runtime
from tests.support.sandbox import Clone, Seen, Zygote

MEMORY_MIB = 64
OUT_OF_MEMORY = {signal.SIGABRT, signal.SIGSEGV, signal.SIGALRM, signal.SIGPROF}


class Bridge(SynchronousTestCase):
    """Hostile handlers in clones of one zygote."""

    zygote: ClassVar[Zygote]

    @classmethod
    def setUpClass(cls) -> None:
        """Start a zygote."""
        cls.zygote = Zygote()

    @classmethod
    def tearDownClass(cls) -> None:
        """End it, and with it every child."""
        cls.zygote.__exit__()

    def clone(self, body: str, *, before: str = "") -> Clone:
        """Load a script with one handler, and give a clone."""
        source = f"{before}\nregisterWebHandler('/', function (req, ctx) {{ {body}\n}});"
        template = self.zygote.template(source, memory_mib=MEMORY_MIB)
        self.assertEqual(template.loaded.code, "", template.loaded.box)
        clone = template.clone()
        self.addCleanup(clone.close)
        return clone

    def run_to_the_end(self, body: str, **members: Any) -> Seen:
        """Run a handler; a child that died did so for want of memory or time."""
        clone = self.clone(body)
        seen = clone.run(wall_ms=5000, cpu_ms=5000, **members)
        if not seen.box:
            self.assertIn(os.WTERMSIG(clone.end()["status"]), OUT_OF_MEMORY, body)
        return seen

    def test_arguments_of_every_kind(self) -> None:
        """A call with what cannot be converted is refused or converted, ten thousand times over."""
        body = """
        var cycle = []; cycle[0] = cycle;
        var deep = []; for (var i = 0; i < 20000; i++) deep = [deep];
        var thrower = new Proxy({}, { get: function () { throw null; }, ownKeys: function () { throw null; } });
        var given = [new Uint8Array(9), new ArrayBuffer(9), new DataView(new ArrayBuffer(9)), Symbol('s'), cycle, deep,
          function () {}, thrower, new Proxy(function () {}, {}), Object.create(null), new Map([[1, 2]]), /x/, NaN,
          new Date(NaN), undefined, { toJSON: function () { throw null; } }, { toJSON: function () { return cycle; } },
          Object.defineProperty({}, 'a', { enumerable: true, get: function () { throw new Error('x'); } }), BigInt(7)];
        var answered = 0, refused = 0;
        for (var n = 0; n < 10000; n++) {
          try { getScript(given[n % given.length]); answered++; } catch (error) { refused++; }
          if (n === 400) given = [given[0], given[3], given[6], thrower];
        }
        return [answered + refused, refused > 1000, answered > 1000];
        """
        seen = self.run_to_the_end(body)
        self.assertEqual(seen.value, [10000, True, True])

    def test_calls_within_arguments(self) -> None:
        """A call from inside another one's arguments is refused in words; outside it goes through."""
        body = """
        var told = [];
        function ask() { try { return getScript('inner'); } catch (error) { told.push(error.code); return 'no'; } }
        var ways = [
          { toJSON: ask }, Object.defineProperty({}, 'a', { enumerable: true, get: ask }),
          new Proxy({}, { ownKeys: function () { ask(); return []; } }), { a: { toJSON: ask } }
        ];
        for (var i = 0; i < ways.length; i++) getScript(ways[i]);
        told.push(String(getScript(Object.create({ toString: ask, valueOf: ask }))));
        return told;
        """
        seen = self.run_to_the_end(body, host=lambda name, arguments: "fine")
        self.assertEqual(seen.value[-1], "fine")
        self.assertEqual(set(seen.value[:-1]), {"unsupported"})
        self.assertEqual(len(seen.calls), 5)

    def test_large_arguments(self) -> None:
        """Texts of megabytes in ever more calls end for want of memory or not at all, never in confusion."""
        body = """
        var text = 'x'; while (text.length < 6e6) text += text;
        var all = [];
        for (var n = 0; n < 12; n++) {
          all[n] = text + n;
          if (getScript(all[n]).length !== all[n].length) return 'wrong';
        }
        return 'fine';
        """
        seen = self.run_to_the_end(body, host=lambda name, arguments: arguments[0])
        if seen.box:
            self.assertIn(seen.code or seen.body, {"memory", "thrown", "fine"})

    def test_large_answers(self) -> None:
        """So do answers of the host that do not fit, at once or one after the other."""
        for body in (
            "return getScript('one').length;",
            "var all = []; for (;;) all.push(getScript('one') + all.length);",
            "var all = []; for (var n = 0; n < 60; n++) all.push(kv.get('a')); return Promise.all(all);",
        ):
            seen = self.run_to_the_end(body, host=lambda name, arguments: "y" * 20_000_000)
            self.assertIn(seen.code, {"", "memory", "thrown"}, body)
            if seen.code == "thrown":
                self.assertRegex(seen.failure["message"], "memory|too long|alloc")

    def test_setters_in_the_way(self) -> None:
        """Setters on Object.prototype and on the global object are not given the boxes that the server sends."""
        before = """
        var heard = [], armed = false;
        function arm() {
          armed = true;
          'k h i seed now deadline q user script version ok err method path url headers ip id query body params source'
            .split(' ').forEach(function (name) {
              [Object.prototype, globalThis].forEach(function (holder) {
                Object.defineProperty(holder, name, { configurable: true,
                  get: function () { heard[heard.length] = 'read ' + name; },
                  set: function (value) { heard[heard.length] = [name, value]; } });
              });
            });
        }
        """
        clone = self.clone(
            "if (!armed) { arm(); return 1; } return [getScript('x'), req.path, ctx.script.uri, heard];", before=before
        )
        clone.run()
        for _ in range(2):
            *result, heard = clone.run(host=lambda name, arguments: "real").value
            self.assertEqual((result[0], result[2]), ("real", "test"))
            # A request is made as any object is, in front of everybody; the kernel's own boxes are not.
            names = {item[0] for item in heard if isinstance(item, list)}
            self.assertEqual(
                names & {"k", "h", "i", "seed", "t", "now", "deadline", "source", "ok", "err", "user", "q"}, set()
            )

    def test_collecting_under_pressure(self) -> None:
        """A script that lives at the edge of its memory, and so collects all the time, ends at its deadline."""
        body = """
        var kept = [], one = 1;
        try { for (;;) kept.push('text ' + kept.length + ' that is not too short'); } catch (e) { kept.length -= 200; }
        for (;;) { try { kept[kept.length % 1000] = 'again ' + one++; } catch (error) { one = 1; } }
        """
        clone = self.clone(body)
        self.assertIn(clone.run(wall_ms=700, cpu_ms=700).code, {"", "memory"})
        self.assertIn(os.WTERMSIG(clone.end()["status"]), {0, *OUT_OF_MEMORY})

    def test_patterns(self) -> None:
        """Patterns that are deep, wide or endless are errors, or end at the deadline."""
        for body in (
            "return /(x+x+)+y/.test(new Array(60).join('x'));",
            "return /^(([a-z])+.)+[A-Z]([a-z])+$/.test(new Array(60).join('a'));",
            "return new RegExp(new Array(5000).join('(?:') + new Array(5000).join(')*')).test('x');",
            "return new RegExp('(' + new Array(3000).join('a|') + 'b){1,3}', 'i').test(new Array(500).join('a'));",
            "return new RegExp('(?=(' + new Array(50).join('a*') + '))*b').test(new Array(90).join('a'));",
            "return new Array(2e5).join('ab').replace(/(a|b)*$/g, function () { return getScript('x'); }).length;",
            "return new Array(1e5).join('a,').split(new RegExp('(,)|' + new Array(900).join('(b)|') + 'c')).length;",
        ):
            clone = self.clone(body)
            seen = clone.run(wall_ms=400, cpu_ms=400)
            if not seen.box:
                self.assertIn(os.WTERMSIG(clone.end()["status"]), OUT_OF_MEMORY, body)

    def test_native_functions_that_call_back(self) -> None:
        """Lists and buffers that change while a native function goes over them do no harm."""
        body = """
        var big = []; for (var i = 0; i < 3000; i++) big[i] = i;
        big.sort(function (a, b) { big.length = 0; return getRandom() - 0.5; });
        function getRandom() { return Math.random(); }
        var list = [1, 2, 3]; list.map(function () { list.length = 0; list.push.apply(list, new Array(1000)); });
        var bytes = new Uint8Array(64);
        bytes.set({ length: 64, get 0() { bytes = new Uint8Array(1); return 1; } });
        bytes.subarray({ valueOf: function () { bytes = null; return 0; } }, 1);
        new Float64Array({ length: 8, get 3() { return { valueOf: function () { return getScript('x') || 1; } }; } });
        [3, 2, 1].sort(function () { throw null; });
        """
        for source in (
            body,
            body.replace("throw null", "return NaN"),
            body + "return JSON.stringify([1], function () {});",
        ):
            seen = self.run_to_the_end(source)
            self.assertIn(seen.code, {"", "thrown", "invalid_answer"})


@pytest_twisted.ensureDeferred
async def test_what_a_request_leaves() -> None:
    """What one request did to the world is gone for the next with `isolation: request`; without, it is the script's."""
    source = """
    registerWebHandler("/", function (req) {
      var seen = [{}.isAdmin, globalThis.leak];
      Object.prototype.isAdmin = true;
      globalThis.leak = req.path;
      Array.prototype.map = JSON.parse = function () { return "poisoned"; };
      return seen;
    });
    """
    for isolation, left in (("request", [None, None]), ("shared", [True, "/secret"])):
        async with running_runtime(pool=PoolSettings(max_running=1, isolation=isolation)) as runtime:
            await runtime.load("one", source)
            await runtime.load("other", source)
            assert (await runtime.run("one", path="/secret")).value == [None, None]
            assert (await runtime.run("one")).value == left
            assert (await runtime.run("other")).value == [None, None]


@pytest_twisted.ensureDeferred
async def test_takes_no_refusal() -> None:
    """A script that catches every refusal is ended and told of its budget, in a handler as at top level."""
    stubborn = "for (;;) { try { getScript('x'); } catch (error) {} }"
    async with running_runtime(limits=LimitSettings(host_calls=50)) as runtime:
        runtime.host.calls["getScript"] = lambda given: 1
        await runtime.load("one", f'registerWebHandler("/", function () {{ {stubborn} }});')
        assert isinstance((await runtime.run("one")).error, ScriptFailed)
        with pytest.raises(ScriptFailed, match="after its limit of 50 was reached"):
            await runtime.load("two", stubborn)


@pytest_twisted.ensureDeferred
async def test_talkative_top_level() -> None:
    """A top level cannot fill the server's memory with what is kept of it."""
    source = "var t = 'x'; while (t.length < 8e6) t += t; for (;;) { try { upsertScript('a', t); } catch (error) {} }"
    async with running_runtime() as runtime:
        runtime.host.calls["upsertScript"] = lambda given: 1
        with pytest.raises(ScriptFailed, match="128 MiB"):
            # The time is no part of it: a slow machine has as much as it needs.
            await runtime.load("one", source, wall=300.0)


@pytest_twisted.ensureDeferred
async def test_answers_that_come_late() -> None:
    """What the host answers after a run was stopped reaches neither the next run nor anybody else."""
    waiting: list[Deferred[str]] = []

    def ask(given: list[Any]) -> Deferred[str]:
        waiting.append(Deferred())
        return waiting[-1]

    async with running_runtime(pool=PoolSettings(max_running=1)) as runtime:
        runtime.host.calls["getScript"] = ask
        await runtime.load("one", 'registerWebHandler("/", function (req) { return [getScript(req.path)]; });')
        for number in range(5):
            for attempt in range(1, 20):
                _, late = runtime.start("one", path="/late", wall=0.15 * attempt)
                await runtime.until(lambda late=late: waiting or late.done.called)
                if waiting:
                    break
                # On a busy machine its time was over before it asked.
            _, seen = runtime.start("one", path=f"/{number}")
            assert isinstance((await late.done).error, ScriptTimeout)
            stale, waiting[:] = list(waiting), []
            for waiter in stale[:1]:
                waiter.callback("of another")
            waiting.extend(stale[1:])
            await runtime.until(lambda: waiting)
            waiting.pop().callback(f"mine {number}")
            assert (await seen.done).value == [f"mine {number}"]
