"""What a handler may return, and what it is called with."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import base64
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.support.world import REQUEST, Outcome, Program, evaluate, run_programs

_HANDLER = "registerWebHandler('/', function (req, ctx) {%s\n}, { method: 'GET' });"


def _answers(*bodies: str) -> list[Outcome]:
    return run_programs([Program(source=_HANDLER % body) for body in bodies])


def _failures(*bodies: str) -> list[str]:
    failures = [outcome.failure() or {"message": "it did not fail"} for outcome in _answers(*bodies)]
    return [str(failure["message"]) for failure in failures]


class LogLines(SynchronousTestCase):
    """What becomes of what a script logs."""

    def test_fields(self) -> None:
        """An object at the end of a line is its fields and not said twice; a format may still ask for it."""
        (outcome,) = _answers(
            "console.log('paid', 5, { order: 7 }); console.log({ alone: 1 }); console.log('%o', { a: 1 });"
            "console.warn('list', [1]); console.log('text', { nested: { b: [1] } })"
        )
        self.assertEqual(
            list(outcome.logs),
            [
                ["info", "paid 5", {"order": 7}],
                ["info", "{ alone: 1 }", None],
                ["info", "{ a: 1 }", None],
                ["warn", "list [1]", None],
                ["info", "text", {"nested": {"b": [1]}}],
            ],
        )

    def test_words_of_the_engine(self) -> None:
        """A warning of the engine is marked as its own, and nothing that a script logs is."""
        (outcome,) = _answers("setTimeout(function () {}, 100); console.warn('mine', { a: 1 }, true); return 1")
        mine, own = outcome.logs
        self.assertEqual(len(mine), 3)
        self.assertEqual((own[0], own[3]), ("warn", True))
        self.assertIn("1 timer was still set", own[1])


class AnswerFormTests(SynchronousTestCase):
    """Every form of answer becomes a head and a body."""

    def test_data_is_json(self) -> None:
        """Data of any kind is answered as JSON with status 200."""
        bodies = ["return {a: [1, 'x']}", "return null", "return [1]", "return 5", "return false", "return ''"]
        shown = [outcome.answer() for outcome in _answers(*bodies)]
        self.assertEqual(
            [(head["status"], head["type"], body) for head, _, body in shown],
            [
                (200, "application/json", '{"a":[1,"x"]}'),
                (200, "application/json", "null"),
                (200, "application/json", "[1]"),
                (200, "application/json", "5"),
                (200, "application/json", "false"),
                (200, "text/plain; charset=utf-8", ""),
            ],
        )

    def test_plain_json_has_no_head(self) -> None:
        """The commonest answer costs no head and crosses as it is."""
        (outcome,) = _answers("return {ok: true}")
        self.assertEqual(outcome.answers[0], 'D0 a{"ok":true}')

    def test_undefined_is_204(self) -> None:
        """A handler that returns nothing answers 204 without a body."""
        (outcome,) = _answers("")
        self.assertEqual(outcome.answer(), ({"status": 204, "type": None, "headers": []}, "n", ""))

    def test_envelope(self) -> None:
        """An object of envelope keys with a status is the answer itself."""
        first, second, third, fourth = (
            outcome.answer()
            for outcome in _answers(
                "return {status: 201, body: 'hi', contentType: 'text/css', headers: {'X-A': 'b', 'Set-Cookie': ['p=1', 'q=2']}}",
                "return {status: 404}",
                "return {status: 200, body: {a: 1}}",
                "return {status: 200, bodyBase64: 'AQI=', contentType: 'image/png'}",
            )
        )
        self.assertEqual(
            first,
            (
                {
                    "status": 201,
                    "type": "text/css",
                    "headers": [["x-a", "b"], ["set-cookie", "p=1"], ["set-cookie", "q=2"]],
                },
                "a",
                "hi",
            ),
        )
        self.assertEqual(second, ({"status": 404, "type": None, "headers": []}, "n", ""))
        self.assertEqual((second[0]["status"], third[0]["type"], third[2]), (404, "application/json", '{"a":1}'))
        self.assertEqual((fourth[0]["type"], fourth[1], fourth[2]), ("image/png", "b", "AQI="))

    def test_envelope_without_content_type_is_plain_text(self) -> None:
        """Text in an envelope is text/plain unless it says otherwise."""
        (outcome,) = _answers("return {status: 200, body: '<b>'}")
        self.assertEqual(outcome.answer()[0]["type"], "text/plain; charset=utf-8")

    def test_data_with_a_status_is_data(self) -> None:
        """An object with a status and any other key, or a status that is no number, is data."""
        bodies = ["return {status: 600, name: 'x'}", "return {status: 'open', body: 'x'}", "return json({status: 7})"]
        self.assertEqual(
            [outcome.value() for outcome in _answers(*bodies[:2])],
            [{"status": 600, "name": "x"}, {"status": "open", "body": "x"}],
        )
        self.assertEqual([outcome.answer()[2] for outcome in _answers(bodies[2])], ['{"status":7}'])

    def test_status_out_of_range(self) -> None:
        """An envelope with a status that HTTP has not is an error, however far it is off."""
        for status in ("7", "99", "100", "199", "600", "999", "200.5", "NaN"):
            for rest in ("", ", body: 'x'", ", headers: {}"):
                (outcome,) = _answers(f"return {{status: {status}{rest}}}")
                self.assertIn("is not allowed: an integer from 200 to 599", outcome.answers[-1])

    def test_framing_headers_are_dropped(self) -> None:
        """What says how the message is framed is left to the server."""
        (outcome,) = _answers(
            "return {status: 200, body: 'x', headers: {'Content-Length': '99', 'Transfer-Encoding': 'chunked', a: '1'}}"
        )
        self.assertEqual(outcome.answer()[0]["headers"], [["a", "1"]])

    def test_headers_with_letters_beyond_ascii(self) -> None:
        """A header may hold letters of Latin-1 in every form of answer; they travel as ASCII."""
        answers = _answers(
            "return {status: 200, body: 'x', headers: {'x-a': 'caf\\u00e9'}}",
            "return new Response('x', {headers: {'x-a': 'caf\\u00e9'}})",
            "return json({}, {headers: {'x-a': 'caf\\u00e9'}})",
            "return {status: 204, headers: {'x-a': 'caf\\u00e9'}}",
            "throw httpError(404, 'no', {headers: {'x-a': 'caf\\u00e9'}})",
        )
        for outcome in answers:
            head, _, _ = outcome.answer()
            self.assertEqual(head["headers"], [["x-a", "caf\u00e9"]])
            self.assertTrue(outcome.answers[-1].isascii())

    def test_cookies(self) -> None:
        """Cookies are for the whole site and hidden from page scripts unless told otherwise."""
        (outcome,) = _answers(
            "return {status: 200, cookies: {a: '1', b: {value: 'x y', maxAge: 60, sameSite: 'none', httpOnly: false}, gone: null}}"
        )
        self.assertEqual(
            [value for _, value in outcome.answer()[0]["headers"]],
            [
                "a=1; Path=/; HttpOnly; SameSite=Lax",
                "b=x%20y; Path=/; Max-Age=60; Secure; SameSite=None",
                "gone=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
            ],
        )

    def test_helpers(self) -> None:
        """json, redirect and httpError make answers."""
        made, moved, problem = (
            outcome.answer()
            for outcome in _answers(
                "return json({a: 1}, {status: 201, headers: {Location: '/x'}})",
                "return redirect('/m\\u00fcller?x=1', 303)",
                "return httpError(409, 'taken', {code: 'name_taken', name: 'x', status: 1})",
            )
        )
        self.assertEqual(
            made, ({"status": 201, "type": "application/json", "headers": [["location", "/x"]]}, "a", '{"a":1}')
        )
        self.assertEqual((moved[0]["status"], moved[0]["headers"]), (303, [["location", "/m%C3%BCller?x=1"]]))
        self.assertEqual((problem[0]["status"], problem[0]["type"]), (409, "application/problem+json"))
        self.assertNotIn("rollback", problem[0])
        self.assertEqual(
            evaluate("return httpError(409, 'taken', {code: 'name_taken', name: 'x', status: 1})"),
            [
                {
                    "type": "about:blank",
                    "title": "Conflict",
                    "status": 409,
                    "detail": "taken",
                    "code": "name_taken",
                    "requestId": "r1",
                    "name": "x",
                }
            ],
        )

    def test_thrown_http_error_rolls_back(self) -> None:
        """An httpError that is thrown is the answer and undoes the invocation."""
        thrown, later = _answers("throw httpError(403, 'no')", "return Promise.reject(httpError(404))")
        self.assertEqual((thrown.answer()[0]["status"], thrown.answer()[0]["rollback"]), (403, True))
        self.assertEqual((later.answer()[0]["status"], later.answer()[0]["rollback"]), (404, True))

    def test_web_response(self) -> None:
        """A Response of the Fetch standard is an answer."""
        text, none, stream, made = _answers(
            "return new Response('hi', {status: 202, headers: {'x-a': '1', 'content-type': 'text/x'}})",
            "return new Response(null, {status: 304})",
            "return new Response(new Blob([new Uint8Array([1, 255])], {type: 'image/gif'}))",
            "return Response.json({a: 1})",
        )
        self.assertEqual(text.answer(), ({"status": 202, "type": "text/x", "headers": [["x-a", "1"]]}, "a", "hi"))
        self.assertEqual(none.answer(), ({"status": 304, "type": None, "headers": []}, "n", ""))
        self.assertEqual(
            (stream.answer()[0]["type"], stream.answer()[2]), ("image/gif", base64.b64encode(b"\x01\xff").decode())
        )
        self.assertEqual((made.answer()[0]["type"], made.value()), ("application/json", {"a": 1}))

    def test_bytes(self) -> None:
        """Bytes of every kind are sent as they are."""
        bodies = [
            "return new Uint8Array([0, 255])",
            "return new Uint8Array([0, 255]).buffer",
            "return new Uint16Array([65280])",
        ]
        self.assertEqual([outcome.answer()[1:] for outcome in _answers(*bodies)], [("b", "AP8=")] * 3)

    def test_html(self) -> None:
        """Html is escaped, and promises among its children are awaited."""
        page, later, document = _answers(
            "var s = ['<p>', '</p>']; s.raw = s; return html(s, '<b> & \"')",
            "return h('ul', {className: 'x', title: 'a\"b', hidden: true, onclick: null}, [1, 2].map(function (n) { return h('li', {key: n}, n); }), Promise.resolve('<i>'), h(Fragment, null, 'z'))",
            "return h('html', null, h('br'), h(function Card(p) { return h('b', null, p.n, p.children); }, {n: 3}, 'c'))",
        )
        self.assertEqual(page.answer()[2], "<p>&lt;b&gt; &amp; &quot;</p>")
        self.assertEqual(page.answer()[0]["type"], "text/html; charset=utf-8")
        self.assertEqual(
            later.answer()[2], '<ul class="x" title="a&quot;b" hidden=""><li>1</li><li>2</li>&lt;i&gt;z</ul>'
        )
        self.assertEqual(document.answer()[2], "<!doctype html><html><br><b>3c</b></html>")

    def test_text_that_is_not_ascii(self) -> None:
        """Text outside ASCII, NUL and lone surrogates cross unharmed."""
        text, data = _answers(
            "return '\\u00e9\\u0000\\ud83d\\ude00\\ud800'", "return {x: '\\ud83d\\ude00\\u2028\\ud800'}"
        )
        self.assertEqual(text.answer()[1:], ("j", "\u00e9\0\U0001f600\ufffd"))
        self.assertEqual(data.value(), {"x": "\U0001f600\u2028\ud800"})

    def test_stream(self) -> None:
        """An async iterable is sent chunk by chunk, and a ReadableStream too."""
        iterable = (
            "var i = 0, it = {}; it[Symbol.asyncIterator] = function () { return { next: function () {"
            "return Promise.resolve({ value: i ? new Uint8Array([65]) : 'a\\u00e9', done: i++ > 1 }); } }; };"
        )
        for body in (
            iterable + "return it",
            iterable + "return new Response(it, {headers: {'content-type': 'text/x'}})",
        ):
            (outcome,) = _answers(body)
            self.assertEqual(outcome.answer()[0], {"streamed": True})
            self.assertEqual([line[0] for line in outcome.logs], ["answer.start", "answer.write", "answer.write"])
            self.assertEqual([tuple(line[1:]) for line in outcome.logs[1:]], [("j", '"a\\u00e9"'), ("b", "QQ==")])

    def test_iterators(self) -> None:
        """What a generator makes is sent chunk by chunk, too; lists are JSON."""
        for body in (
            "return ['a', 'b'][Symbol.iterator]()",
            "return {status: 200, body: ['a', 'b'][Symbol.iterator]()}",
        ):
            (outcome,) = _answers(body)
            self.assertEqual([tuple(line[1:]) for line in outcome.logs[1:]], [("a", "a"), ("a", "b")])
        (listed,) = _answers("return ['a']")
        self.assertEqual(listed.value(), ["a"])


class WrongAnswers(SynchronousTestCase):
    """An answer that cannot be sent is an error that names the fault."""

    def test_messages(self) -> None:
        """Each says the rule, what was seen, and where."""
        cases = {
            "return function named() {}": "cannot answer with a function (named)",
            "var o = {a: {}}; o.a.self = o; return o": '"a.self" refers back to the answer itself',
            "return {list: [{late: Promise.resolve(1)}]}": 'a Promise at "list.0.late"',
            "return {status: 999, headers: {}}": "Status 999 of the answer is not allowed",
            "return json({}, {status: 42})": "Status 42 in json() is not allowed",
            "return {status: 200, headers: {'bad name': 'x'}}": 'Header name "bad name" is not allowed',
            "return {status: 200, headers: {x: 'a\\r\\nb'}}": 'Header x has the value "a\\r\\nb"',
            "return {status: 200, headers: {x: '\\u2028'}}": "encodeURIComponent(value)",
            "return {status: 200, body: Promise.resolve(1)}": "The body of the answer is a Promise",
            "return {status: 200, cookies: {'a b': '1'}}": 'Cookie name "a b" is not allowed',
            "return {status: 200, cookies: {a: {valeu: 1}}}": 'the unknown option "valeu"',
            "return {status: 200, bodyBase64: '***'}": "bodyBase64 is not base64",
            "return redirect('/x', 200)": "status 200 is not a redirection",
            "return httpError(200)": "status 200 is not an error",
            "return new Response('x', {status: 204})": "status 204 cannot have a body",
            "return new Response('x', {status: 99})": "status 99 is not an integer",
            "return h('div', {onClick: function () {}})": "Attribute onClick of <div> is a function",
            "return h('div', null, {a: 1})": "An object (keys: a) cannot be rendered in <div>",
            "return h(undefined, null)": "JSX element type is undefined",
            "return h('br', null, 'x')": "<br> cannot have children",
            "var it = {}; it[Symbol.asyncIterator] = function () { return { next: function () { return Promise.resolve({ value: 5, done: false }); } }; }; return it": "A streamed answer yielded 5",
        }
        for body, seen, wanted in zip(cases, _failures(*cases), cases.values(), strict=True):
            self.assertIn(wanted, seen, body)

    def test_poisoned_prototypes(self) -> None:
        """A toJSON on Object.prototype or a replaced JSON changes no envelope."""
        outcomes = _answers(
            "JSON.stringify = function () { return 'forged'; }; return json({a: 1})",
            "Array.prototype.push = String.prototype.charCodeAt = function () { throw 1; }; return {status: 201, headers: {a: 'b'}, body: 'x'}",
            "String.prototype.toJSON = function () { return 'forged'; }; return 'text'",
        )
        self.assertEqual([outcome.answer()[2] for outcome in outcomes], ['{"a":1}', "x", "text"])


class Requests(SynchronousTestCase):
    """What a handler is called with."""

    def _handle(self, code: str, /, **members: Any) -> Any:
        request = {**REQUEST, **members}
        (outcome,) = run_programs([Program(source=_HANDLER % code, requests=[request])])
        return outcome.failure() or outcome.value()

    def test_members(self) -> None:
        """Query and form give one text for a key, and all of them as lists."""
        seen = self._handle(
            "return [req.method, req.path, req.params, req.query, req.queryAll, req.cookies, req.ip, req.id, req.form, req.formAll]",
            method="POST",
            params={"id": "7"},
            query=[["a", "1"], ["a", "2"], ["b", ""]],
            cookies={"c": "d"},
            form=[["f", "x"], ["f", "y"]],
        )
        self.assertEqual(
            seen,
            [
                "POST",
                "/",
                {"id": "7"},
                {"a": "1", "b": ""},
                {"a": ["1", "2"], "b": [""]},
                {"c": "d"},
                "::1",
                "r1",
                {"f": "x"},
                {"f": ["x", "y"]},
            ],
        )

    def test_typed_queries(self) -> None:
        """Where a schema made numbers and lists of a query, both of its forms have them."""
        seen = self._handle(
            "req.query.t.push('more'); return [req.query, req.queryAll]", query=[["n", 1], ["t", ["a", 2]], ["n", 3]]
        )
        self.assertEqual(seen, [{"n": 1, "t": ["a", 2, "more"]}, {"n": [1, 3], "t": ["a", 2]}])

    def test_names_from_outside_are_only_keys(self) -> None:
        """A parameter called __proto__ or toString is a parameter."""
        seen = self._handle(
            "return [Object.keys(req.query), Object.getPrototypeOf(req.query) === Object.prototype, req.query.toString, Object.keys(req.queryAll)]",
            query=[["__proto__", "p"], ["toString", "t"]],
        )
        self.assertEqual(seen, [["__proto__", "toString"], True, "t", ["__proto__", "toString"]])

    def test_headers(self) -> None:
        """Headers are a plain object; get and has ask without regard to case, and no client can hide them."""
        seen = self._handle(
            "return [Object.keys(req.headers), req.headers.get('X-One'), req.headers.get('y'), req.headers.has('X-ONE'), req.headers.has('toString')]",
            headers={"x-one": "1", "get": "evil", "has": "evil"},
        )
        self.assertEqual(seen, [["x-one"], "1", None, True, False])

    def test_body(self) -> None:
        """The body is text at once, and JSON, bytes or text when asked for, as often as one likes."""
        body = "return Promise.all([req.json(), req.text(), req.bytes(), req.json()]).then(function (all) { return [req.body, all[0], all[1], all[2].length, all[3]]; })"
        self.assertEqual(
            self._handle(body, body='{"a":"\u00e9"}'),
            ['{"a":"\u00e9"}', {"a": "\u00e9"}, '{"a":"\u00e9"}', 10, {"a": "\u00e9"}],
        )

    def test_binary_body(self) -> None:
        """A body that is not all text is there as bytes, and as text in which U+FFFD stands for what is none."""
        body = "return req.bytes().then(function (b) { return req.text().then(function (t) { return [b[0], b.length, req.body, t, Object.keys(req).indexOf('body') >= 0]; }); })"
        self.assertEqual(
            self._handle(body, bodyBase64=base64.b64encode(b"\xffa").decode()), [255, 2, "\ufffda", "\ufffda", True]
        )
        kind = {"content-type": "application/x-www-form-urlencoded"}
        form = self._handle(
            "return [req.form, req.body]", headers=kind, bodyBase64=base64.b64encode(b"a=1&b=\xff").decode()
        )
        self.assertEqual(form, [{"a": "1", "b": "\ufffd"}, "a=1&b=\ufffd"])

    def test_byte_order_mark(self) -> None:
        """A byte-order mark is no part of JSON or text, but of the bytes."""
        body = "return Promise.all([req.json(), req.text(), req.bytes()]).then(function (all) { return [all[0], all[1], all[2].length]; })"
        self.assertEqual(self._handle(body, body="\ufeff[1]"), [[1], "[1]", 6])

    def test_bad_json_is_the_clients_fault(self) -> None:
        """A body that is not JSON answers 400 and says where."""
        seen = self._handle("return req.json()", body='{"a":\n x}')
        self.assertEqual(seen["status"], 400)
        self.assertIn('Unexpected token "x" in JSON at position 7 (line 2 column 2)', seen["detail"])
        self.assertIn("has no body", self._handle("return req.json()")["detail"])

    def test_form_data(self) -> None:
        """Forms are read in both encodings, with their files."""
        body = "return req.formData().then(function (f) { return Array.from(f.entries()).map(function (e) { return typeof e[1] === 'string' ? e : [e[0], e[1].name, e[1].type, e[1].size]; }); })"
        self.assertEqual(
            self._handle(
                body, headers={"content-type": "application/x-www-form-urlencoded"}, body="a=1&a=b+c&d=%C3%A9%zz"
            ),
            [["a", "1"], ["a", "b c"], ["d", "\u00e9%zz"]],
        )
        multipart = (
            b'--XX\r\nContent-Disposition: form-data; name="t"\r\n\r\nline\r\nline\r\n'
            b'--XX\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\nContent-Type: image/x\r\n\r\n\xff\xfe\r\n--XX--\r\n'
        )
        kind = {"content-type": "multipart/form-data; boundary=XX"}
        self.assertEqual(
            self._handle(body, headers=kind, bodyBase64=base64.b64encode(multipart).decode()),
            [["t", "line\r\nline"], ["f", "a.bin", "image/x", 2]],
        )
        self.assertEqual(self._handle(body, headers=kind, body="--XX\r\nnonsense")["status"], 400)
        at_once = "return Promise.all([req.form, req.formAll, req.files.length && [req.files[0].field, req.files[0].name, req.files[0].size], req.files.length && req.files[0].bytes().then(function (b) { return b[0]; })])"
        self.assertEqual(
            self._handle(at_once, headers=kind, bodyBase64=base64.b64encode(multipart).decode()),
            [{"t": "line\r\nline"}, {"t": ["line\r\nline"]}, ["f", "a.bin", 2], 255],
        )
        self.assertEqual(self._handle(at_once, headers=kind, body="--XX\r\nnonsense"), [{}, {}, 0, 0])

    def test_parts_of_files(self) -> None:
        """A part is a file by its name, however that is written, and is text if it says nothing else."""
        seen = (
            (b'name="f"; filename="a"', ["f", "a", "text/plain"]),
            (b"name=f; filename*=UTF-8''%e2%82%ac%20b.txt", ["f", "\u20ac b.txt", "text/plain"]),
            (b"name=f; filename*=iso-8859-1''%e9", ["f", "\u00e9", "text/plain"]),
            (b"name=f; filename=b; filename*=UTF-8''a", ["f", "b", "text/plain"]),
            (b'name="a%0D%0Ab"; filename="x%0Ay%0Dz%22"', ["a\r\nb", 'x\ny\rz"', "text/plain"]),
            (b'filename="x; name=no"; name="f"', ["f", "x; name=no", "text/plain"]),
            (b'name="f"; filename=""', ["f", "", "text/plain"]),
        )
        body = "return [req.files[0].field, req.files[0].name, req.files[0].type]"
        for head, wanted in seen:
            sent = b"--X\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n1\r\n--X--\r\n"
            kind = {"content-type": "multipart/form-data; boundary=X"}
            self.assertEqual(self._handle(body, headers=kind, bodyBase64=base64.b64encode(sent).decode()), wanted)
        there_and_back = (
            "var f = new FormData(); f.append('a\\nb', new File(['1'], 'x\\ny\\rz\"')); "
            "return new Response(f).formData().then(function (g) { "
            "return Array.from(g.entries()).map(function (e) { return [e[0], e[1].name]; }); })"
        )
        self.assertEqual(self._handle(there_and_back), [["a\r\nb", 'x\ny\rz"']])

    def test_empty_form(self) -> None:
        """An empty body is a form without fields, but not one of several parts."""
        read = "return req.formData().then(function (f) { return Array.from(f.keys()); })"
        for kind in ({}, {"content-type": "application/x-www-form-urlencoded"}):
            self.assertEqual(self._handle(read, headers=kind), [])
        told = self._handle(read, headers={"content-type": "multipart/form-data; boundary=X"})
        self.assertEqual((told["status"], "boundary does not occur" in told["detail"]), (400, True))

    def test_large_files(self) -> None:
        """A file is found whole in a large body, also one that is full of what looks like its end."""
        content = b"\r\n--X\r\n--" * 200_000 + b"\xff"
        sent = b'--XXY\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + content + b"\r\n--XXY--\r\n"
        seen = self._handle(
            "return [req.files[0].size, req.files.length]",
            headers={"content-type": 'multipart/form-data; boundary="XXY"'},
            bodyBase64=base64.b64encode(sent).decode(),
        )
        self.assertEqual(seen, [len(content), 1])
