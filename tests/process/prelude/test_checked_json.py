"""A value that JSON cannot hold is refused wherever values leave a script, with its path and a remedy."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import Program, evaluate, run_programs

NOT_SERIALIZABLE = {
    "Promise.resolve(1)": "a Promise",
    "new Error('x')": "an Error",
    "Object.assign(new TypeError('x'), { code: 5 })": "an Error",
    "new Map([[1, 2]])": "a Map",
    "new Set([1])": "a Set",
    "/x/": "a RegExp",
    "new Uint8Array([1, 2])": "bytes",
    "new ArrayBuffer(2)": "bytes",
    "new Blob(['x'])": "a Blob",
    "new File(['x'], 'a.txt')": "a Blob",
    "new Headers({ a: '1' })": "a list of names and values",
    "new URLSearchParams('a=1')": "a list of names and values",
    "new Map([[1, 2]]).keys()": "an iterator",
    "[1][Symbol.iterator]()": "an iterator",
    "Object.defineProperty({ next: function () {} }, Symbol.asyncIterator, { value: function () {} })": "an iterator",
    "{ then: function (done) { done(1); } }": "a Promise",
    "{ toJSON: function () { return Promise.resolve(1); } }": "a Promise",
    "{ toJSON: function () { return new Map([[1, 2]]); } }": "a Map",
    "new Response('x')": "a body that is still to be read",
}
WAYS = (
    "return { deep: [0, VALUE] }",
    "return json({ deep: [0, VALUE] })",
    "return kv.set('a', { deep: [0, VALUE] })",
    "sendStreamMessage({ deep: [0, VALUE] })",
    "sendStreamMessageToPath('/p', { deep: [0, VALUE] })",
    "sendSubscriptionMessage('s', { deep: [0, VALUE] })",
    "sendSocketMessage('t', { deep: [0, VALUE] })",
)


@pytest.mark.parametrize("value", NOT_SERIALIZABLE)
def test_refused(value: str) -> None:
    """An answer, a stored value and every kind of message names what it has, and where."""
    for way, seen in zip(WAYS, evaluate(*(way.replace("VALUE", value) for way in WAYS)), strict=True):
        assert NOT_SERIALIZABLE[value] in seen["message"], (way, seen)
        assert '"deep.1"' in seen["message"], (way, seen)


def test_no_functions() -> None:
    """A function or symbol among the arguments of a host call is refused by name, however deep; an answer leaves it out."""
    bodies = {
        "sendStreamMessageToPath('/p', 1, { filter: function () {} })": ("sendStreamMessageToPath", '"filter"'),
        "sendStreamMessage({ deep: [0, function () {}] })": ("sendStreamMessage", '"deep.1"'),
        "sendStreamMessage(1, function () {})": ("sendStreamMessage", "at its top"),
        "sendSubscriptionMessage('s', { f: function () {} })": ("sendSubscriptionMessage", '"f"'),
        "return kv.set('a', { deep: [0, function () {}] })": ("kv.set", '"deep.1"'),
        "return kv.set('a', 1, { ttl: function () {} })": ("kv.set", "ttl"),
    }
    for (body, (call, place)), seen in zip(bodies.items(), evaluate(*bodies), strict=True):
        assert seen["message"].startswith(f"{call}: what was given has a function"), (body, seen)
        assert place in seen["message"], (body, seen)
    (kept,) = evaluate(
        "return JSON.stringify({ a: 1, f: function () {}, list: [function () {}] }) + JSON.stringify(function () {})"
    )
    assert kept == '{"a":1,"list":[null]}undefined'


def test_no_numbers() -> None:
    """NaN and Infinity are stored and sent nowhere, nor given as options."""
    bodies = (
        "return kv.set('a', { deep: [NaN] })",
        "return kv.set('a', -Infinity)",
        "return kv.set('a', 1, { ttl: NaN })",
        "return kv.increment('a', NaN)",
        "sendStreamMessage([1, Infinity])",
        "return kv.set('a', [new Number(NaN)])",
        "sendSocketMessage('t', { n: NaN })",
    )
    for seen in evaluate(*bodies):
        assert "give a finite number" in seen["message"]


def test_invalid_dates() -> None:
    """A Date that is invalid is stored and sent nowhere, with its place; an answer has null for it, as JSON.stringify."""
    bodies = (
        "return kv.set('a', { at: new Date('soon') })",
        "return kv.set('a', new Date(NaN))",
        "sendStreamMessage(new Date(NaN))",
        "sendStreamMessage({ at: new Date(NaN) })",
        "sendSocketMessage('t', [{ at: new Date(NaN) }])",
    )
    for seen in evaluate(*bodies):
        assert "an invalid Date" in seen["message"], seen
    assert evaluate("return { at: new Date(NaN) }") == [{"at": None}]


def test_what_stays() -> None:
    """Values that JSON holds, empty objects, nulls and what has a toJSON of its own are as they were."""
    bodies = (
        "return { a: {}, b: null, c: [null, {}], d: new Date(0), e: new URL('https://a.b/'), f: NaN, g: undefined, h: function () {} }",
        "return { a: { toJSON: function () { return [5, {}]; } } }",
        "var own = { a: 1, toJSON: function () { return this; } }; return { own: own, e: {}, next: { next: null }, then: 1 }",
        "return [JSON.stringify({ p: Promise.resolve(1), e: new Error('x'), m: new Map(), n: NaN }), JSON.stringify(new Uint8Array([7]))]",
    )
    assert evaluate(*bodies) == [
        {"a": {}, "b": None, "c": [None, {}], "d": "1970-01-01T00:00:00.000Z", "e": "https://a.b/", "f": None},
        {"a": [5, {}]},
        {"own": {"a": 1}, "e": {}, "next": {"next": None}, "then": 1},
        ['{"p":{},"e":{},"m":{},"n":null}', '{"0":7}'],
    ]


def test_place() -> None:
    """An answer that cannot be sent tells where its handler was registered."""
    source = "\n\n\nregisterWebHandler('/', function () { return { a: Promise.resolve(1) }; });"
    [outcome] = run_programs([Program(source=source)])
    failure: Any = outcome.failure()
    assert failure["failed"] == "invalid_answer"
    assert "(input:4)" in failure["stack"]


def test_bytes_to_sockets() -> None:
    """Bytes and Blobs go to sockets as binary frames."""
    sent = "sendSocketMessage('t', new Blob(['hi'])); sendSocketMessage('t', new Uint8Array([104])); return 1"
    assert evaluate(sent) == [1]


def test_no_objects_as_keys() -> None:
    """An object is no key: as a string it would be the same as any other one."""
    ways = (
        "kv.get({})",
        "kv.set([1], 2)",
        "kv.getWithVersion({})",
        "kv.update({}, function () {})",
        "sharedStorage.getItem({})",
    )
    for way, seen in zip(ways, evaluate(*(f"return {way}" for way in ways)), strict=True):
        assert "key must be a string" in seen["message"], (way, seen)
