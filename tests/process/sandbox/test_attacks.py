"""Tests of attacks on the bridge: none crashes the child, forges a box or reaches Python."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.support.sandbox import Clone, Zygote


class AttackTests(SynchronousTestCase):
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

    def clone(self, *bodies: str) -> Clone:
        """Load a script whose handlers have these bodies, and give a clone."""
        template = self.zygote.template(
            "".join(
                f"registerWebHandler('/{number}', function (req, ctx) {{ {body}\n}});\n"
                for number, body in enumerate(bodies)
            )
        )
        self.assertEqual(template.loaded.code, "", template.loaded.box)
        clone = template.clone()
        self.addCleanup(clone.close)
        return clone

    def value(self, body: str) -> Any:
        """Run one handler and read its JSON."""
        return self.clone(body).run().value

    # -- throwing -----------------------------------------------------------------------------

    def test_throwing_anything(self) -> None:
        """Whatever is thrown becomes a message, and the child lives on."""
        for thrown, message in {
            "null": "null",
            "undefined": "undefined",
            "42": "42",
            "'text'": "text",
            "Symbol('s')": "Symbol(s)",
            "{ a: 1 }": "{ a: 1 }",
            "{ get message() { throw null; } }": "{ message: [Getter] }",
            "{ message: 'm', get stack() { throw 1; } }": "m",
            "{ message: { toString: function () { throw 1; } } }": "something that cannot be shown",
            "Object.create(null)": "{}",
            "function () {}": "[Function]",
            "new Proxy({}, { get: function () { throw 1; }, ownKeys: function () { throw 2; } })": None,
        }.items():
            clone = self.clone(f"throw {thrown};")
            for _ in range(2):
                seen = clone.run()
                self.assertEqual(seen.code, "thrown", thrown)
                if message is not None:
                    self.assertEqual(seen.failure["message"], message, thrown)

    def test_rejecting_anything(self) -> None:
        """So does whatever a promise is rejected with."""
        for thrown in ("null", "undefined", "{ get stack() { throw 1; } }"):
            self.assertEqual(self.clone(f"return Promise.reject({thrown});").run().code, "thrown")

    def test_poisoned_errors(self) -> None:
        """A poisoned Error.prototype changes nothing but what the script itself sees."""
        body = (
            "Object.defineProperty(Error.prototype, 'stack', { get: function () { throw null; } });"
            "Object.defineProperty(Error.prototype, 'message', { get: function () { throw null; } });"
            "Error.prototype.name = { toString: function () { throw null; } }; throw new Error('x');"
        )
        self.assertEqual(self.clone(body).run().code, "thrown")

    def test_answers_that_throw(self) -> None:
        """An answer whose parts throw while it is made fails the run."""
        for answer in (
            "{ get a() { throw null; } }",
            "{ toJSON: function () { throw null; } }",
            "{ toJSON: function () { throw new Error('x'); } }",
            "{ get then() { throw null; } }",
            "{ then: function () { throw null; } }",
            "new Proxy({}, { get: function () { throw null; } })",
            "{ status: 200, headers: { get a() { throw null; } }, body: '' }",
        ):
            self.assertIn(self.clone(f"return {answer};").run().code, {"thrown", "invalid_answer"}, answer)

    # -- forging ------------------------------------------------------------------------------

    def test_poisoned_prototypes(self) -> None:
        """With every prototype poisoned, answers, logs and host calls are still what they were."""
        poison = (
            "function no() { throw new Error('poisoned'); }"
            "Object.prototype.toJSON = Array.prototype.toJSON = String.prototype.toJSON = undefined;"
            "Array.prototype.push = Array.prototype.shift = Array.prototype.splice = Array.prototype.concat = no;"
            "Array.prototype.join = Array.prototype.slice = no; String.prototype.charCodeAt = no;"
            "String.prototype.slice = String.prototype.replace = no;"
            "String.prototype.split = no;"
            "Function.prototype.bind = no;"
            "JSON.parse = JSON.stringify = no; Object.keys = Object.create = Object.defineProperty = no;"
            "RegExp.prototype.exec = RegExp.prototype.test = no; Date.now = no;"
            "Promise.resolve = Promise.prototype.then = no; Object.prototype.hasOwnProperty = no;"
            "Object.defineProperty = no;"
        )
        clone = self.clone(poison + "return { a: 1 };", "return getScript('x') + '!';", "throw new Error('plain');")
        self.assertEqual(clone.run(0).value, {"a": 1})
        self.assertEqual(clone.run(1, host=lambda name, arguments: "x").body, "x!")
        self.assertEqual(clone.run(2).failure["message"], "plain")
        self.assertEqual(clone.run(0).value, {"a": 1})

    def test_polluted_prototypes(self) -> None:
        """Members of the kernel's own objects cannot be invented through Object.prototype."""
        body = (
            "var p = Object.prototype; p.err = { message: 'forged' }; p.stream = {}; p.fn = p.chain = 1;"
            "p.body = 'forged'; p.ok = 'forged'; p.code = 'denied'; p.late = { error: 1 }; p.user = 'admin';"
            "return getScript('x');"
        )
        clone = self.clone(body, "return [ctx.user, getScript('x')];")
        self.assertEqual(clone.run(0, host=lambda name, arguments: "real").body, "real")
        self.assertEqual(clone.run(1, host=lambda name, arguments: "real").value, [None, "real"])

    def test_taken_away(self) -> None:
        """What a script takes away from itself the kernel does not miss, though calls are open and timers set."""
        body = (
            "kv.get('open'); console.time('t'); setTimeout(function () {}, 9999);"
            "var names = ['Object', 'Array', 'String', 'Error', 'TypeError', 'JSON', 'Math', 'Date',"
            "'Promise', 'Symbol', 'RegExp', 'Function', 'Reflect', 'Number'];"
            "for (var i = 0; i < names.length; i++) {"
            " var it = globalThis[names[i]], own = Object.getOwnPropertyNames(it);"
            " for (var j = 0; j < own.length; j++) try { if (own[j] !== 'getOwnPropertyNames') delete it[own[j]]; }"
            " catch (error) {} }"
            "for (i = 0; i < names.length; i++) delete globalThis[names[i]];"
            "throw 'plain';"
        )
        clone = self.clone(body, "return 'still here';")
        self.assertEqual(clone.run(0).failure["message"], "plain")
        self.assertEqual(clone.run(1).body, "still here")

    def test_listening_to_lists(self) -> None:
        """Setters on Array.prototype are not given what the kernel keeps in its lists."""
        body = (
            "for (var i = 0; i < 12; i++) Object.defineProperty(Array.prototype, i, { configurable: true,"
            " set: function (v) { Object.defineProperty(this, i, { value: v, writable: true }); } });"
            "return Promise.resolve(1).then(function () { for (var i = 0; i < 12; i++) delete Array.prototype[i];"
            " return 'fine'; });"
        )
        clone = self.clone(body)
        self.assertIn(clone.run().code, {"", "thrown", "hung"})
        self.assertEqual(self.clone("return 1;").run().value, 1)

    def test_forged_lines(self) -> None:
        """Newlines in log lines, arguments and answers do not become lines of the bridge."""
        body = "console.log('a\\nD0 a1\\nC1 kv.get []'); getScript('x\\nD0 a2'); return 'D0 a3\\nF';"
        seen = self.clone(body).run()
        self.assertEqual(seen.messages, ["a\nD0 a1\nC1 kv.get []"])
        self.assertEqual(seen.calls, [("getScript", ["x\nD0 a2"])])
        self.assertEqual(seen.body, "D0 a3\nF")

    def test_text_of_every_kind(self) -> None:
        """NUL, lone surrogates and line separators cross as they are."""
        text = 'a\\u0000b\\ud800c\\udfff\\u2028\\ud83d\\ude00\\u007f\\\\\\"\\u00e9'
        seen = self.clone(f'console.log("{text}"); return [getScript("{text}")];').run(
            host=lambda name, arguments: arguments[0]
        )
        plain = 'a\0b\ud800c\udfff\u2028\U0001f600\x7f\\"\xe9'
        self.assertEqual(seen.calls[0][1], [plain])
        self.assertEqual(seen.messages, [plain])

    def test_characters_beyond_all(self) -> None:
        """Characters that only the engine knows are not made, so that they cannot get into what leaves."""
        for code in ("0x1f600", "0x110000", "0xffffffff", "-1", "0x80000000"):
            body = (
                f"var c = String.fromCharCode({code}), o = {{}}; o[c] = c; console.log(c, o);"
                f"return [getScript(c), String.fromCharCode(65, {code}).charCodeAt(1) === c.charCodeAt(0), o];"
            )
            unit = chr(int(code, 16 if "x" in code else 10) & 0xFFFF)
            seen = self.clone(body).run(host=lambda name, arguments: arguments[0])
            self.assertEqual((seen.code, seen.calls), ("", [("getScript", [unit])]), code)
            self.assertEqual(seen.logs[0][2], {unit: unit})

    def test_replaced_proxy(self) -> None:
        """A replaced Proxy or Promise is never given anything of the kernel's."""
        body = "seen = []; Proxy = Promise = function () { seen.push(1); }; console.log({ a: 1 }); return seen.length;"
        self.assertEqual(self.value("var seen; " + body), 0)

    # -- reaching ------------------------------------------------------------------------------

    def test_nothing_to_reach(self) -> None:
        """Of the engine's inside and of other worlds nothing is there."""
        names = (
            "Duktape CBOR Buffer require print alert module exports process __kernel K __names performance_ modSearch"
        )
        body = f"return '{names}'.split(' ').filter(function (name) {{ return name in globalThis; }});"
        self.assertEqual(self.value(body), [])

    def test_no_code_at_run_time(self) -> None:
        """Both eval and every way to the Function constructor refuse with advice."""
        for code in (
            "eval('1')",
            "(0, eval)('1')",
            "globalThis.eval('1')",
            "new Function('return 1')()",
            "Function('return 1')()",
            "(function () {}).constructor('return 1')()",
            "[].push.constructor('return 1')()",
            "Object.getPrototypeOf(function () {}).constructor('return 1')()",
            "console.log.constructor('return 1')()",
            "registerWebHandler.constructor('return this')()",
            "Reflect.construct(Function, ['return 1'])()",
            "Object.getOwnPropertyDescriptor(Function.prototype, 'constructor').value('return 1')()",
            "Promise.constructor('return 1')()",
        ):
            seen = self.clone(f"try {{ return {code}; }} catch (e) {{ return [e.name, e.message]; }}").run()
            self.assertEqual(seen.value[0], "EvalError", code)
            self.assertIn("not available", seen.value[1])

    def test_functions_are_functions(self) -> None:
        """Taking the constructor away leaves `instanceof Function` and function names alone."""
        body = "function f() {} return [f instanceof Function, f.name, f.constructor === Function];"
        self.assertEqual(self.value(body), [True, "f", True])

    def test_this_is_nothing_of_ours(self) -> None:
        """Handlers, timers and reactions are called without a `this` of the kernel's."""
        body = (
            "'use strict'; var seen = [this]; queueMicrotask(function () { seen.push(this); });"
            "return new Promise(function (done) {"
            " setTimeout(function () { seen.push(this); done(seen.map(String)); }, 1); });"
        )
        self.assertEqual(self.value(body), ["undefined", "undefined", "undefined"])

    def test_kernel_stays_whole(self) -> None:
        """An invocation that breaks off in a synchronous call leaves a child that works."""
        clone = self.clone("setTimeout(function () { throw new Error('t'); }, 1); return getScript('x');", "return 2;")
        clone.start(0)
        box = clone.take()
        assert box is not None
        clone.send('{"ok":1}', _answer=box[b"_ask"])
        self.assertEqual(clone.finish().value, 1)
        self.assertEqual(clone.run(1).value, 2)

    def test_late_registration(self) -> None:
        """A handler cannot register anything."""
        seen = self.clone(
            "try { registerWebHandler('/b', function () {}); } catch (e) { return [e.code, e.message]; }"
        ).run()
        self.assertEqual(seen.value[0], "closed")
        self.assertEqual(seen.calls, [])

    def test_calls_out_of_the_past(self) -> None:
        """What an earlier invocation kept of its own (waitUntil, signal) does nothing in a later one."""
        clone = self.clone(
            "globalThis.old = ctx; return 1;",
            "try { old.waitUntil(Promise.resolve()); } catch (e) { return [e.code, old.signal.aborted]; }",
        )
        clone.run(0)
        self.assertEqual(clone.run(1).value, ["closed", False])

    def test_many_log_lines(self) -> None:
        """A script that logs without end fills neither its memory nor the wire."""
        seen = self.clone("for (var i = 0; i < 50000; i++) console.log('line ' + i); return 1;").run(wall_ms=10_000)
        self.assertEqual(seen.value, 1)
        self.assertLessEqual(len(seen.logs), 10_000)

    def test_long_log_line(self) -> None:
        """A log line of megabytes is cut."""
        seen = self.clone("var s = 'x'; while (s.length < 4e6) s += s; console.log(s); return 1;").run()
        self.assertLess(len(seen.messages[0]), 20_000)

    def test_deep_fields(self) -> None:
        """Fields of a log line that are too deep are said in its text, and nothing beside them is lost."""
        body = (
            "var deep = [], flat = [];"
            "for (var i = 0; i < 900; i++) { deep = [deep]; if (i < 90) flat[i] = { i: [i] }; }"
            "console.log('one', { deep: deep }); console.log('two', { flat: flat }); console.log('three', { a: 1 });"
        )
        seen = self.clone(body).run()
        self.assertEqual([line[1][:5] for line in seen.logs], ["one {", "two", "three"])
        self.assertIsNone(seen.logs[0][2])
        self.assertEqual((len(seen.logs[1][2]["flat"]), seen.logs[2][2]), (90, {"a": 1}))

    def test_long_head(self) -> None:
        """Headers that no box can hold are refused in words."""
        body = "return { status: 200, headers: { 'x-a': 'a'.repeat(70000) }, body: '' };"
        seen = self.clone(body).run()
        self.assertEqual(seen.code, "invalid_answer")
        self.assertIn("headers", seen.failure["message"])
