"""Errors keep their sense: in logs, in fields of log lines, in failures and for the script itself."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

from typing import Any

from tests.support.world import Program, evaluate, run_programs


def _logs(body: str) -> list[Any]:
    source = f"registerWebHandler('/', function () {{ {body}\n return 1; }});"
    [outcome] = run_programs([Program(source=source)])
    assert outcome.failure() is None
    return list(outcome.logs)


def test_in_fields() -> None:
    """An error among the fields is its name, message, members and cause there, and its stack stands in the text."""
    [line] = _logs(
        "var e = new TypeError('x', { cause: new Error('why') }); e.code = 'E1'; console.error('failed', { error: e, n: 1 });"
    )
    assert line[2] == {
        "error": {"name": "TypeError", "message": "x", "cause": {"name": "Error", "message": "why"}, "code": "E1"},
        "n": 1,
    }
    assert line[1].startswith("failed\nerror: TypeError: x\n    at ")
    assert "Caused by: Error: why" in line[1]


def test_members() -> None:
    """What an author has put on an error, its cause and the errors that it gathers are logged and told of a failure."""
    thrown = "var e = new AggregateError([new Error('a1'), new RangeError('a2')], 'all', { cause: new Error('why') }); e.code = 'E1'; e.detail = { id: 7 };"
    [line] = _logs(f"{thrown} console.error(e);")
    [failure] = evaluate(f"{thrown} throw e;")
    for text in (line[1], failure["stack"]):
        for wanted in ('{ code: "E1", detail: { id: 7 } }', "errors[0]: Error: a1", "errors[1]: RangeError: a2"):
            assert wanted in text
        assert "aused by: Error: why" in text


def test_after_a_stack() -> None:
    """What is logged after an error begins a line of its own, so that it is not taken for a part of the stack."""
    for call in ("'a', new Error('x'), 'b', 5", "'a %s', new Error('x'), 'b', 5", "'a %sb %d', new Error('x'), 5"):
        [line] = _logs(f"console.log({call});")
        lines = line[1].split("\n")
        assert lines[0] == "a Error: x"
        assert all(line.startswith("    at ") for line in lines[1:-1])
        assert lines[-1] == "b 5"
    [line] = _logs("console.log('a', 'b', [new Error('x')], 5);")
    assert line[1] == "a b [Error: x] 5"


def test_stack_for_the_script() -> None:
    """A script reads its own frames only, and the message in the words that authors know."""
    [thrown, native] = evaluate(
        "function inner() { return new TypeError('a').stack; } return [inner()]",
        "try { null.x; } catch (error) { return [error.stack]; }",
    )
    assert thrown == ["TypeError: a\n    at inner (line 1)\n    at (anonymous) (line 1)"]
    assert native == ["TypeError: Cannot read properties of null (reading 'x')\n    at (anonymous) (line 1)"]


def test_objects_of_the_web() -> None:
    """The console shows what addresses, headers, answers, forms, bytes and Blobs hold."""
    [line] = _logs(
        "console.log(new URL('https://a.b/c?d=1'), new Headers({ a: '1' }), new URLSearchParams('q=2'), new Response('x', { status: 201 }),"
        " new Request('https://a.b/'), new File(['x'], 'n.txt', { type: 'text/plain' }), new Uint8Array([1, 2]), new WeakMap());"
    )
    assert line[1] == (
        'URL { href: "https://a.b/c?d=1" } Headers { "a" => "1" } URLSearchParams { "q" => "2" } Response { status: 201, headers: Headers'
        ' { "content-type" => "text/plain;charset=UTF-8" }, bodyUsed: false } Request { method: "GET", url: "https://a.b/", headers: Headers {} }'
        ' File { name: "n.txt", size: 1, type: "text/plain" } Uint8Array(2) [1, 2] WeakMap { <items unknown> }'
    )


def test_boxes_html_and_events() -> None:
    """Boxed values, HTML and events show what is in them."""
    [line] = _logs(
        "console.log(new Number(5), new String('a'), [new Boolean(false)], html.raw('<b>x</b>'), new Event('x'));"
    )
    assert line[1] == '[Number: 5] [String: "a"] [[Boolean: false]] Html "<b>x</b>" Event { type: "x" }'
    [line] = _logs(
        "console.log(Object.create(Number.prototype), Object(Symbol('q')), h('p', null, Promise.resolve('x')));"
    )
    assert line[1] == '[object] [Symbol: Symbol(q)] Html "(pending)"'


def test_deep_values() -> None:
    """A value that nests too deeply for JSON says so, not the engine's words."""
    [failed] = evaluate(
        "var deep = []; for (var i = 0; i < 3000; i++) deep = [deep]; return JSON.stringify(deep).length"
    )
    assert failed["name"] == "RangeError"
    assert "nests too deeply" in failed["message"]


def test_endless_recursion() -> None:
    """Endless recursion is a RangeError at once, also through callbacks."""
    seen = evaluate(
        "function f() { f(); } f();",
        "function g(n) { return [1].map(function () { return g(n + 1); }); } g(0);",
    )
    assert [(error["name"], error["message"]) for error in seen] == [
        ("RangeError", "Maximum call stack size exceeded")
    ] * 2


def test_endless_recursion_of_promises() -> None:
    """Endless recursion of async functions is a RangeError too, wherever the stack is full, and no promise is left behind."""
    step = (
        "function step(work, resolve, reject) { try { var value = work(); } catch (error) { reject(error); return; } value.then(resolve, reject); }"
        " function f(n) { return new Promise(function (resolve, reject) { step(function () { return f(n + 1); }, resolve, reject); }); }"
    )
    begun = "function at(depth) { return depth === 0 ? f(0) : at(depth - 1); }"
    seen = evaluate(*(f"{step} {begun} return at({depth});" for depth in range(5)))
    assert [(error["name"], error["message"]) for error in seen] == [
        ("RangeError", "Maximum call stack size exceeded")
    ] * 5
