"""Tests of runs in real children: what a handler may do, and what comes back."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.support.sandbox import HostRefusal, Seen, Template, Zygote


class Runs(SynchronousTestCase):
    """Handlers in clones of one zygote."""

    zygote: ClassVar[Zygote]

    @classmethod
    def setUpClass(cls) -> None:
        """Start a zygote."""
        cls.zygote = Zygote()

    @classmethod
    def tearDownClass(cls) -> None:
        """End it, and with it every child."""
        cls.zygote.__exit__()

    def load(self, *bodies: str, before: str = "", **more: Any) -> Template:
        """Load a script whose handlers have these bodies."""
        source = before + "".join(
            f"registerWebHandler('/{number}', function (req, ctx) {{ {body}\n}});\n"
            for number, body in enumerate(bodies)
        )
        return self.zygote.template(source, **more)

    def run_body(self, body: str, *, before: str = "", host: Any = None, **more: Any) -> Seen:
        """Run one handler in a fresh clone."""
        clone = self.load(body, before=before).clone()
        self.addCleanup(clone.close)
        return clone.run(**({"host": host} if host else {}), **more)

    # -- plain ------------------------------------------------------------------------------------

    def test_answer(self) -> None:
        """What a handler returns is its answer."""
        seen = self.run_body("return { hello: req.path };", path="/bob")
        self.assertEqual((seen.head["status"], seen.value), (200, {"hello": "/bob"}))

    def test_one_clone_serves_many(self) -> None:
        """A clone answers one run after another, and module variables stay."""
        clone = self.load("n = n + 1; return n;", before="var n = 0;").clone()
        self.assertEqual([clone.run().value for _ in range(3)], [1, 2, 3])

    def test_clones_share_nothing(self) -> None:
        """What one clone changes another does not see."""
        template = self.load("n = n + 1; return n;", before="var n = 0;")
        self.assertEqual([template.clone().run().value for _ in range(2)], [1, 1])

    def test_once(self) -> None:
        """A clone for one request ends after it."""
        clone = self.load("return 1;").clone(once=True)
        self.assertEqual(clone.run().value, 1)
        self.assertEqual(clone.end()["status"], 0)

    def test_queued_runs(self) -> None:
        """Runs that come while one is open are answered in their order."""
        clone = self.load("return getScript('a') + req.id;").clone()
        for tag in ("1", "2", "3"):
            clone.start(tag=tag, id=tag)
        answers = [clone.finish(lambda name, arguments: "x") for _ in range(3)]
        self.assertEqual(
            [(seen.box[b"_answer"], seen.body) for seen in answers], [(b"1", "x1"), (b"2", "x2"), (b"3", "x3")]
        )

    def test_huge_bodies(self) -> None:
        """Bodies of megabytes cross both ways, and so does text that is not ASCII."""
        text = "a\xe9\u20ac\U0001f600" * 300_000
        clone = self.load("return req.body + '!';").clone()
        seen = clone.run(body=text)
        self.assertEqual(seen.body, text + "!")

    def test_context(self) -> None:
        """The second argument tells of user, script and invocation."""
        seen = self.run_body(
            "return [ctx.user, ctx.script, ctx.invocation.id, ctx.request === req, ctx.signal.aborted];"
        )
        self.assertEqual(seen.value, [None, {"uri": "test", "version": "v1"}, "i1", True, False])

    # -- host calls -------------------------------------------------------------------------------

    def test_synchronous_call(self) -> None:
        """A synchronous call gives the host's answer where it stands, also within callbacks."""
        seen = self.run_body(
            "return [1, 2].map(function (n) { return getScript('s' + n); });",
            host=lambda name, arguments: f"{name}:{arguments[0]}",
        )
        self.assertEqual(seen.value, ["getScript:s1", "getScript:s2"])

    def test_synchronous_call_in_a_reaction(self) -> None:
        """A synchronous call works in promise reactions and timers."""
        body = (
            "return Promise.resolve(1).then(function () { return getScript('a'); }).then(function (a) {"
            " return new Promise(function (done) { setTimeout(function () { done(a + getScript('b')); }, 1); }); });"
        )
        self.assertEqual(self.run_body(body, host=lambda name, arguments: arguments[0]).body, "ab")

    def test_refused_call(self) -> None:
        """What the host refuses is thrown as a HostError with its code."""

        def refuse(name: str, arguments: list[Any]) -> Any:
            raise HostRefusal(code="denied", message="not yours", call=name, hint="ask")

        body = (
            "try { getScript('a'); } catch (e) {"
            " return [e instanceof HostError, e instanceof Error, e.code, e.message, e.hint]; }"
        )
        self.assertEqual(self.run_body(body, host=refuse).value, [True, True, "denied", "not yours", "ask"])

    def test_uncaught_refusal(self) -> None:
        """A refusal that nobody catches fails the run with the host's code."""

        def refuse(name: str, arguments: list[Any]) -> Any:
            raise HostRefusal(code="too_many", message="slow down", call=name, retryAfter=3)

        seen = self.run_body("getScript('a');", host=refuse)
        self.assertEqual(seen.code, "thrown")
        self.assertEqual(
            {key: seen.failure[key] for key in ("name", "code", "call", "retryAfter")},
            {"name": "HostError", "code": "too_many", "call": "getScript", "retryAfter": 3},
        )

    def test_below_a_native_frame(self) -> None:
        """Where the engine cannot wait, a synchronous call says so and what to do."""
        for place in (
            "JSON.stringify({ toJSON: function () { return getScript('a'); } })",
            "'' + { toString: function () { return getScript('a'); } }",
        ):
            seen = self.run_body(f"try {{ {place}; }} catch (e) {{ return [e.code, e.message]; }}")
            self.assertEqual(
                seen.value,
                [
                    "unsupported",
                    (
                        "getScript cannot run inside a getter, toJSON, toString or Proxy trap; "
                        "call it first and keep the value"
                    ),
                ],
            )

    # -- time -------------------------------------------------------------------------------------

    def test_timers(self) -> None:
        """Timers fire in order, and a cleared one never does."""
        body = (
            "var seen = [];"
            "return new Promise(function (done) {"
            " var third = setTimeout(function () { seen.push('never'); }, 2);"
            " setTimeout(function (a) { seen.push(a); }, 2, 'b');"
            " setTimeout(function () { seen.push('a'); clearTimeout(third); }, 1);"
            " var n = 0, every = setInterval(function () {"
            "  seen.push(++n); if (n === 2) { clearInterval(every); done(seen); } }, 4);"
            "});"
        )
        self.assertEqual(self.run_body(body).value, ["a", "b", 1, 2])

    def test_timer_cleared_by_one_due_with_it(self) -> None:
        """A timer that is due at the same moment is still cleared in time."""
        body = (
            "var seen = [], second;"
            "setTimeout(function () { seen.push(1); clearTimeout(second); }, 1);"
            "second = setTimeout(function () { seen.push(2); }, 1);"
            "return new Promise(function (done) { setTimeout(function () { done(seen); }, 5); });"
        )
        self.assertEqual(self.run_body(body).value, [1])

    def test_microtasks_before_timers(self) -> None:
        """Microtasks of one timer run before the next timer."""
        body = (
            "var seen = [];"
            "setTimeout(function () { queueMicrotask(function () { seen.push('m'); }); seen.push(1); }, 1);"
            "setTimeout(function () { seen.push(2); }, 1);"
            "return new Promise(function (done) { setTimeout(function () { done(seen); }, 5); });"
        )
        self.assertEqual(self.run_body(body).value, [1, "m", 2])

    def test_clock_and_chance(self) -> None:
        """Time and chance come from the run box: equal boxes see equal values, clones do not repeat by accident."""
        template = self.load("return [Date.now(), Math.random(), crypto.randomUUID()];")
        first, second = template.clone().run().value, template.clone().run().value
        self.assertEqual(first, second)
        self.assertEqual(first[0], 1_700_000_000_000)

    # -- ends -------------------------------------------------------------------------------------

    def test_hung(self) -> None:
        """A handler that waits for what can never come is told so at once."""
        seen = self.run_body("return new Promise(function () {});")
        self.assertEqual(seen.code, "hung")
        self.assertIn("can never settle", seen.failure["message"])

    def test_promise_of_an_earlier_run(self) -> None:
        """A promise kept from an earlier invocation never settles, and does not act in a later one."""
        clone = self.load(
            "kept = new Promise(function (done) { setTimeout(done, 50); }); return 1;",
            "return kept.then(function () { return 2; });",
            before="var kept;",
        ).clone()
        first = clone.run(0)
        self.assertEqual(first.value, 1)
        self.assertIn("1 timer was still set", first.messages[0])
        self.assertEqual(clone.run(1).code, "hung")

    def test_late_settling_of_an_earlier_run(self) -> None:
        """Settling what an earlier invocation waited for gives that one no second answer."""
        clone = self.load(
            "return new Promise(function (done) { settle = done; });",
            "settle('late'); return 'mine';",
            before="var settle;",
        ).clone()
        self.assertEqual(clone.run(0).code, "hung")
        self.assertEqual(clone.run(1).body, "mine")

    def test_unhandled_rejection(self) -> None:
        """A rejection that nobody handles fails the run; one that is handled later does not."""
        seen = self.run_body("Promise.reject(new Error('lost')); return 1;")
        self.assertEqual((seen.code, seen.failure["message"]), ("thrown", "lost"))
        late = "var p = Promise.reject(new Error('x')); setTimeout(function () { p.catch(function () {}); }, 1);"
        late += "return new Promise(function (done) { setTimeout(function () { done(1); }, 5); });"
        self.assertEqual(self.run_body(late).value, 1)

    def test_wait_until(self) -> None:
        """The answer leaves while waitUntil goes on; a failure in it still fails the run."""
        body = (
            "ctx.waitUntil(new Promise(function (done) { setTimeout(done, 2); })"
            ".then(function () { getScript('after'); })); return 'now';"
        )
        seen = self.run_body(body)
        self.assertEqual([name for name, _ in seen.calls], ["answer.send", "getScript"])
        self.assertEqual(seen.calls[0][1][1], b"now")
        self.assertEqual((seen.head, seen.body), ({"streamed": True}, ""))
        seen = self.run_body("ctx.waitUntil(Promise.reject(new Error('later'))); return 1;")
        self.assertEqual((seen.calls[0][0], seen.failure["message"]), ("answer.send", "later"))

    def test_wait_until_goes_on_at_once(self) -> None:
        """The answer leaves before waitUntil takes its next step, with what the handler did before it and no more."""
        body = (
            "kv.set('a', 1); ctx.waitUntil(Promise.resolve().then(function () { return kv.set('b', 2); })); return 1;"
        )
        seen = self.run_body(body)
        self.assertEqual([name for name, _ in seen.calls], ["kv.set", "answer.send", "kv.set"])
        self.assertEqual((seen.head, seen.body), ({"streamed": True}, ""))
        seen = self.run_body(
            "ctx.waitUntil(Promise.resolve().then(function () { throw new Error('later'); })); return 1;"
        )
        self.assertEqual((seen.calls[0][0], seen.failure["message"]), ("answer.send", "later"))

    def test_wait_until_and_a_lost_rejection(self) -> None:
        """What the handler rejected and nobody caught fails the run before its answer leaves, also beside waitUntil."""
        seen = self.run_body("Promise.reject(new Error('lost')); ctx.waitUntil(Promise.resolve()); return 1;")
        self.assertEqual((seen.calls, seen.failure["message"]), ([], "lost"))
        caught = "var p = Promise.reject(new Error('x')); ctx.waitUntil(Promise.resolve().then(function () {"
        self.assertEqual(self.run_body(caught + " p.catch(function () {}); })); return 1;").value, 1)

    def test_cancel(self) -> None:
        """When the client has gone, the signal fires, open and further calls fail, and the child lives on."""
        body = (
            "var seen = []; ctx.signal.addEventListener('abort', function () { seen.push('abort'); });"
            "try { getScript('a'); } catch (e) { seen.push(e.code); }"
            "try { getScript('b'); } catch (e) { seen.push(e.code); }"
            "return new Promise(function (done) { setTimeout(function () { done(seen); }, 1); });"
        )
        clone = self.load(body).clone()
        clone.start()
        box = clone.take()
        assert box is not None
        self.assertEqual(box[b"n"], b"getScript")
        clone.send(_command="cancel", t="r1")
        self.assertEqual(clone.finish().value, ["closed", "closed", "abort"])
        # The answer that comes too late belongs to no call.
        clone.send('{"ok":"late"}', _answer=box[b"_ask"])
        clone.send(_command="cancel", t="r1")
        self.assertEqual(clone.run(tag="r2", host=lambda name, arguments: "x").value, [])

    # -- streamed ---------------------------------------------------------------------------------

    STREAM = (
        "function stream(list, log) { var i = 0, it = { next: function () {"
        " return Promise.resolve(i < list.length ? { value: list[i++], done: false } : { done: true }); },"
        " 'return': function () { console.log('closed'); return Promise.resolve({ done: true }); } };"
        " it[Symbol.asyncIterator] = function () { return it; }; return it; }\n"
    )

    def test_stream(self) -> None:
        """An async iterable is sent part by part; the answer tells only that it is over."""
        seen = self.run_body("return stream(['a', '\\u00e9', new Uint8Array([255])]);", before=self.STREAM)
        self.assertEqual(seen.calls[0][0], "answer.start")
        self.assertEqual(json.loads(seen.calls[0][1][0])["status"], 200)
        self.assertEqual([body for _, (_, body) in seen.calls[1:]], [b"a", "\u00e9".encode(), b"\xff"])
        self.assertEqual(seen.head, {"streamed": True})

    def test_stream_cancelled(self) -> None:
        """When the client disconnects, a stream that waits for its source is cancelled at once, and the run ends."""
        body = (
            "return new Response(new ReadableStream({ start: function (c) { c.enqueue('first'); },"
            " cancel: function (reason) { console.log('cancelled ' + reason.name); } }));"
        )
        seen = self.disconnected(body)
        self.assertEqual(seen.messages, ["cancelled AbortError"])
        self.assertEqual(seen.code, "thrown")
        self.assertEqual(seen.failure["code"], "closed")

    def test_generator_returned(self) -> None:
        """When the client disconnects, return() of an async iterable is called while its next() is open."""
        waiting = (
            "var it = { i: 0, next: function () {"
            " return this.i++ ? new Promise(function () {}) : { value: 'first', done: false }; },"
            " 'return': function () { console.log('returned'); return {}; } };"
            " it[Symbol.asyncIterator] = function () { return it; }; return it;"
        )
        seen = self.disconnected(waiting)
        self.assertEqual((seen.messages, seen.code), (["returned"], "thrown"))

    def disconnected(self, body: str) -> Seen:
        """Run a streamed answer whose client takes the first part and disconnects while the second is waited for."""
        clone = self.load("setInterval(function () {}, 60000); " + body).clone()
        clone.start()
        for name in (b"answer.start", b"answer.write"):
            box = clone.take()
            assert box is not None
            self.assertEqual(box[b"n"], name)
            clone.send('{"ok":null}', _answer=box[b"_ask"])
        clone.send(_command="cancel", t="r1")
        return clone.finish()

    def test_stream_refused(self) -> None:
        """When a part cannot be written, the author's iterable is closed and the run fails."""

        def refuse(name: str, arguments: list[Any]) -> Any:
            if name == "answer.write":
                raise HostRefusal(code="closed", message="gone")

        seen = self.run_body("return stream(['a', 'b']);", before=self.STREAM, host=refuse)
        self.assertEqual((seen.failure["code"], seen.messages), ("closed", ["closed"]))

    def test_stream_and_wait_until(self) -> None:
        """A streamed answer with waitUntil is not sent a second time."""
        body = "ctx.waitUntil(new Promise(function (done) { setTimeout(done, 2); })); return stream(['a']);"
        seen = self.run_body(body, before=self.STREAM)
        self.assertEqual([name for name, _ in seen.calls], ["answer.start", "answer.write"])
        self.assertEqual(seen.head, {"streamed": True})

    # -- middleware -------------------------------------------------------------------------------

    def test_middleware(self) -> None:
        """Middleware of the script runs before that of the route, in order, and sees what comes after it."""
        before = (
            "function wrap(name, req, next) { req.trace = (req.trace || []).concat(name);"
            " return next().then(function (list) { return list.concat(name.toUpperCase()); }); }"
            "use(function (req, ctx, next) { return wrap('a', req, next); });"
            "function b(req, ctx, next) { return wrap('b', req, next); }"
            "registerWebHandler('/m', function (req) { return req.trace.concat('h'); }, { middleware: [b] });"
        )
        template = self.zygote.template(before)
        names = [(name, arguments[0].get("options")) for name, arguments in template.loaded.calls]
        self.assertEqual(names, [("register.middleware", None), ("register.route", {"middleware": [2]})])
        self.assertEqual(template.loaded.value["middleware"], [0])
        self.assertEqual(template.clone().run(1).value, ["a", "b", "h", "B", "A"])

    def test_middleware_ends_it(self) -> None:
        """Middleware that does not call next() answers itself."""
        clone = self.load("return 'never';", before="use(function () { return 'stop'; });").clone()
        self.assertEqual(clone.run(1).body, "stop")

    def test_next_twice(self) -> None:
        """Calling next() twice is an error that says so."""
        before = "use(function (req, ctx, next) { return next().then(next); });"
        clone = self.load("return 1;", before=before).clone()
        self.assertIn("next() was called twice", clone.run(1).failure["message"])
