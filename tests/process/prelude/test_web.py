"""The web standards and built-ins of the sandbox, beyond what test_battery.py holds to node."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.assembly.declared import DECLARED
from tests.support.world import evaluate


class Standards(SynchronousTestCase):
    """Scripts find what they know from elsewhere."""

    def test_nothing_added_is_enumerable(self) -> None:
        """A loop over an array, an object or a text shows only what is its own."""
        seen = evaluate(
            "var keys = []; for (var a in [1]) keys.push(a); for (var b in {x: 1}) keys.push(b); for (var c in 'y') keys.push(c); return keys"
        )
        self.assertEqual(seen, [["0", "x", "0"]])

    def test_named_functions(self) -> None:
        """Built-ins made by the prelude have their names and lengths."""
        seen = evaluate(
            "return [[].map, [].sort, ''.replace, ''.split, JSON.stringify, Promise.all, Promise.prototype.then, Object.keys, structuredClone]"
            ".map(function (f) { return f.name + f.length; })"
        )
        self.assertEqual(
            seen, [["map1", "sort1", "replace2", "split2", "stringify3", "all1", "then2", "keys1", "structuredClone1"]]
        )

    def test_instances_show_no_secrets(self) -> None:
        """What instances keep for themselves is in no list of keys."""
        seen = evaluate(
            "return [Promise.resolve(1), new Headers({a: '1'}), new Response('x'), new Blob(['x']), new AbortController().signal]"
            ".map(function (o) { return Object.keys(o).length; })"
        )
        self.assertEqual(seen, [[0, 0, 0, 0, 0]])


class HeadersThatStay(SynchronousTestCase):
    """Some headers are immutable, as the Fetch standard says."""

    def test_of_errors_and_redirects(self) -> None:
        """Those of Response.error() and Response.redirect() and their clones cannot be changed, copies and all others can."""
        seen = evaluate(
            "function tried(headers) { return ['append', 'set', 'delete'].map(function (name) { try { headers[name]('x-a', '1'); return 'ok'; } catch (e) { return e.name; } }); }"
            "var redirect = Response.redirect('https://a.example/');"
            "return [Response.error(), redirect, redirect.clone(), new Response(''), new Response('').clone(), new Request('https://a.example/')]"
            ".map(function (m) { return tried(m.headers); }).concat([tried(new Headers(redirect.headers)), redirect.headers.get('location')])"
        )
        refused, allowed = ["TypeError"] * 3, ["ok"] * 3
        self.assertEqual(seen, [[refused, refused, refused, allowed, allowed, allowed, allowed, "https://a.example/"]])


class RandomTests(SynchronousTestCase):
    """Random values come from the invocation's seed."""

    def test_repeatable(self) -> None:
        """The same seed gives the same values, and crypto's are not Math.random's."""
        body = "return [Math.random(), crypto.randomUUID(), Array.from(crypto.getRandomValues(new Uint8Array(4)))]"
        first, second = evaluate(body, body)
        self.assertEqual(first, second)
        self.assertTrue(0 <= first[0] < 1)
        (other,) = evaluate("crypto.randomUUID(); Math.random(); return Math.random()")
        self.assertNotEqual(other, first[0])

    def test_showing_random_tells_nothing(self) -> None:
        """How often Math.random was asked changes nothing about crypto."""
        self.assertEqual(
            len({*map(str, evaluate("return crypto.randomUUID()", "Math.random(); return crypto.randomUUID()"))}), 1
        )


class MessageTests(SynchronousTestCase):
    """Errors are told in the words authors know."""

    def test_messages(self) -> None:
        """The engine's own wording never reaches an author."""
        cases = {
            "nope()": "nope is not defined",
            "process.env.X": "process is not defined. " + DECLARED.advice["process"],
            "localStorage.x": "localStorage is not defined. " + DECLARED.advice["localStorage"],
            "var a = {}; a.b.c": "Cannot read properties of undefined (reading 'c')",
            "var a = null; a.b = 1": "Cannot set properties of null (setting 'b')",
            "var a = {}; a.f()": "f is not a function (of an object)",
            "var a = 5; a()": "5 is not a function",
            "var a = {}; new a.B()": "undefined is not a function",
            "(function f() { f(); }())": "Maximum call stack size exceeded",
            "return [1].map(5)": "5 is not a function",
            "return JSON.parse('{\"a\": nope}')": 'Unexpected token "o" in JSON at position 7 (line 1 column 8)',
            "return new RegExp('(?<=a)b')": "look-behind is not supported here",
            "return new Function('return 1')": "new Function is not available",
        }
        for wanted, seen in zip(cases.values(), evaluate(*cases), strict=True):
            self.assertIn(wanted, seen["message"])


class SynchronousCalls(SynchronousTestCase):
    """A synchronous host call works wherever an author may call a function."""

    def test_inside_callbacks(self) -> None:
        """Callbacks of built-ins, constructors, promises, timers and events may wait for the host."""
        calls = """
            [1].forEach(F); [1].map(F); [1].filter(F); [1, 2].reduce(F); [1, 2].reduceRight(F); [1].some(F); [1].every(F)
            [1].find(F); [1].findIndex(F); [1].findLast(F); [2, 1].sort(F); [2, 1].toSorted(F); [1].flatMap(F); Array.from([1], F)
            'x'.replace(/x/g, F); 'x'.replace('x', F); 'x'.replaceAll('x', F); Array.from('a'.matchAll(/a/g), F)
            new Map([[1, 1]]).forEach(F); new Set([1]).forEach(F); Object.groupBy([1], F); Map.groupBy([1], F)
            new Uint8Array([1]).map(F); new Uint8Array([1]).forEach(F); [1].values().map(F).toArray(); JSON.parse('[1]', F)
            new Promise(F); F.apply(null, []); F.bind(null)(); Reflect.apply(F, null, []); Reflect.construct(F, []); new F()
            new Headers({a: '1'}).forEach(F); new URLSearchParams('a=1').forEach(F); h(F, null); queueMicrotask(F)
            target.addEventListener('x', F), target.dispatchEvent(new Event('x')); Promise.resolve().then(F); setTimeout(F, 1)
        """
        frame = (
            "var n = 0, target = new EventTarget(); function F() { getScript('a'); n++; return 0; } %s; "
            "return new Promise(function (resolve) { setTimeout(function () { resolve(n > 0); }, 5); })"
        )
        bodies = [frame % call.strip() for line in calls.strip().splitlines() for call in line.split("; ")]
        for body, seen in zip(bodies, evaluate(*bodies), strict=True):
            self.assertIs(seen, True, body)

    def test_where_it_cannot(self) -> None:
        """Inside getters, toJSON, toString and Proxy traps it says so."""
        cases = [
            "return ({get a() { return getScript('a'); }}).a",
            "return JSON.stringify({toJSON: function () { return getScript('a'); }})",
            "return '' + {toString: function () { return getScript('a'); }}",
            "return new Proxy({}, {get: function () { return getScript('a'); }}).x",
        ]
        for seen in evaluate(*cases):
            self.assertEqual((seen["name"], seen["code"]), ("HostError", "unsupported"))
            self.assertIn("call it first and keep the value", seen["message"])


class UnhandledRejectionTests(SynchronousTestCase):
    """Promises nobody listens to are errors, and the others are not."""

    def test_lost_rejection_fails(self) -> None:
        """A rejection that nobody handles fails the invocation."""
        lost, handled, late = evaluate(
            "Promise.reject(new Error('lost')); return 1",
            "Promise.reject(new Error('x')).catch(function () {}); return 1",
            "var p = Promise.reject(new Error('x')); return Promise.resolve().then(function () { return p.catch(function () { return 'late'; }); })",
        )
        self.assertEqual((lost["failed"], lost["message"]), ("thrown", "lost"))
        self.assertEqual((handled, late), (1, "late"))

    def test_never_settled_is_hung(self) -> None:
        """Waiting for what cannot come is told at once."""
        (seen,) = evaluate("return new Promise(function () {})")
        self.assertEqual(seen["failed"], "hung")


class RequestTests(SynchronousTestCase):
    """Requests of the Fetch standard."""

    def test_addresses(self) -> None:
        """An address that is taken as it stands is one that the parser of URLs returns as it is; all others are parsed, and refused if they name a user."""
        addresses = [
            f"{scheme}://{host}{port}{path}"
            for scheme in ("http", "https")
            for host in ("a.example", "localhost", "127.0.0.1", "A.example", "1.example", "a.1", "0x7f.1", "xn--nxasmq6b", "a-.example", "a..b", "[::1]", "u@a.example", "é.example")
            for port in ("", ":80", ":443", ":8080", ":18977", ":080", ":65535", ":70000")
            for path in ("", "/", "/a/b;c=1?d=e&f=%20", "/a/./b", "/a/../b", "/%2e%2e/b", "/a b", "/a?b'c", "/a#b", "/a|b", "//x", "/a?x=1?y/z")
        ]  # fmt: skip
        (wrong,) = evaluate(
            f"var wrong = []; {json.dumps(addresses)}.forEach(function (a) {{"
            " var parsed, made; try { parsed = new URL(a); parsed = parsed.username ? 'none' : parsed.href; } catch (e) { parsed = 'none'; }"
            " try { made = new Request(a).url; } catch (e) { made = 'none'; }"
            " if (parsed !== made) wrong.push([a, parsed, made]); }); return wrong"
        )
        self.assertEqual(wrong, [])

    def test_signal(self) -> None:
        """A request has a signal, always the same; a copy follows that of the first."""
        seen = evaluate(
            "var c = new AbortController(), r = new Request('http://a.example/'), s = new Request('http://a.example/', { signal: c.signal }), t = s.clone();"
            "c.abort(); return [r.signal === r.signal, r.signal.aborted, s.signal.aborted, t.signal.aborted]"
        )
        self.assertEqual(seen, [[True, False, True, True]])
