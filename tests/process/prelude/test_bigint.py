"""Arithmetic of large integers in the sandbox, held to Python's, and BigInt's values, held to node's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest_twisted
from hypothesis import given
from hypothesis import strategies as st

from aiwebengine.build.builder import BuildResult
from tests.support.examples import examples
from tests.support.javascript.beside import by_node, cases, different, here
from tests.support.javascript.building import build, running_builder, tarball
from tests.support.world import Program, evaluate, run_programs

_MOST_BITS = 43691 * 24
_COMPUTE = """
return given.map(function (one) {
  var a = BigInt(one[1]), b = BigInt(one[2]);
  try {
    if (one[0] === 'asIntN' || one[0] === 'asUintN') return BigInt[one[0]](Number(b), a).toString();
    var value = operators[one[0]](a, b);
    return typeof value === 'boolean' ? value : value.toString();
  } catch (error) {
    return error.name + ': ' + error.message;
  }
});
"""
_OPERATORS = "var operators = BigInt[Symbol.for('aiwebengine.operators')];"


def _computed(body: str, given: Any) -> Any:
    """Run the body of a function that knows `operators` and what it is given."""
    [seen] = evaluate(f"{_OPERATORS} var given = {json.dumps(given)}; {body}")
    return seen


# Of all sizes about the bounds of numbers and limbs, and with long runs of equal bits, where carries go far.
_SIZES = st.sampled_from([8, 23, 24, 25, 31, 32, 53, 54, 64, 240, 255, 256, 264, 288, 384, 521, 576, 600, 900])
_NATURALS = _SIZES.flatmap(
    lambda bits: st.one_of(
        st.integers(0, 2**bits),
        st.builds(lambda high, low: 2**high - 2 ** min(high, low), st.integers(0, bits), st.integers(0, bits)),
        st.builds(lambda high, away: abs(2**high + away), st.integers(0, bits), st.integers(-3, 3)),
    )
)
_INTEGERS = st.builds(lambda value, sign: value * sign, _NATURALS, st.sampled_from([1, -1]))
_COUNTS = st.integers(-80, 700)


def _truncated(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _expected(name: str, a: int, b: int) -> Any:
    simple = {
        "add": a + b, "subtract": a - b, "multiply": a * b, "and": a & b, "or": a | b, "xor": a ^ b,
        "less": a < b, "greaterOrEqual": a >= b, "same": a == b,
    }  # fmt: skip
    if name in simple:
        return simple[name] if isinstance(simple[name], bool) else str(simple[name])
    if name in {"divide", "remainder"}:
        if b == 0:
            return "RangeError: Division by zero"
        quotient = _truncated(a, b)
        return str(quotient if name == "divide" else a - quotient * b)
    if name == "power":
        return "RangeError: Exponent must be non-negative" if b < 0 else str(a**b)
    if name in {"left", "right"}:
        count = b if name == "left" else -b
        return str(a << count if count >= 0 else a >> -count)
    low = a & ((1 << b) - 1)
    return str(low - (1 << b) if name == "asIntN" and b and low >> (b - 1) else low)


_PAIRS = st.tuples(
    st.sampled_from(
        ["add", "subtract", "multiply", "divide", "remainder", "and", "or", "xor", "less", "greaterOrEqual", "same"]
    ),
    _INTEGERS,
    _INTEGERS,
)
_SHIFTS = st.tuples(st.sampled_from(["left", "right"]), _INTEGERS, _COUNTS)
_POWERS = st.tuples(st.just("power"), _INTEGERS, st.integers(-1, 9))
_TRUNCATIONS = st.tuples(st.sampled_from(["asIntN", "asUintN"]), _INTEGERS, st.integers(0, 300))
_CASES = st.one_of(_PAIRS, _PAIRS, _PAIRS, _SHIFTS, _POWERS, _TRUNCATIONS)


@given(st.lists(_CASES, min_size=80, max_size=80))
@examples(8)
def test_operators(cases: list[tuple[str, int, int]]) -> None:
    """Every operator gives for integers of any size what it gives in Python, with a quotient that is truncated."""
    written = [(name, str(a), str(b)) for name, a, b in cases]
    seen = _computed(_COMPUTE, written)
    wrong = [(case, one) for case, one in zip(cases, seen, strict=True) if one != _expected(*case)]
    assert not wrong


@given(
    st.sampled_from([2, 64, 255, 256, 384, 521, 552]).flatmap(
        lambda n: st.tuples(
            st.integers(2 ** (n - 1), 2**n), st.lists(st.integers(0, 2 ** (2 * n)), min_size=40, max_size=40)
        )
    )
)
@examples(8)
def test_one_modulus(case: tuple[int, list[int]]) -> None:
    """Remainders of one modulus, as cryptography takes them, are right when they come from its reciprocal."""
    modulus, values = case
    seen = _computed(
        "var modulus = BigInt(given[0]);"
        "return given[1].map(function (one) { return operators.remainder(BigInt(one), modulus).toString(); });",
        [str(modulus), [str(value) for value in values]],
    )
    assert seen == [str(value % modulus) for value in values]


@given(st.lists(st.tuples(_INTEGERS, st.integers(2, 36)), min_size=60, max_size=60))
@examples(6)
def test_text(cases: list[tuple[int, int]]) -> None:
    """A BigInt is written in any base and read back from those that have a prefix, and becomes the nearest number."""
    written = [[str(value), radix, hex(abs(value)), oct(abs(value)), bin(abs(value))] for value, radix in cases]
    seen = _computed(
        "return given.map(function (one) { var a = BigInt(one[0]); return [a.toString(), a.toString(one[1]), "
        "BigInt(one[2]).toString(), BigInt(one[3]).toString(), BigInt(one[4]).toString(), String(Number(a))]; });",
        written,
    )
    for (value, radix), (plain, based, *read, number) in zip(cases, seen, strict=True):
        assert plain == str(value)
        assert int(based, radix) == value
        assert read == [str(abs(value))] * 3
        assert float(number) == float(value)


def test_largest() -> None:
    """An integer may have about a million bits; what would have more throws a RangeError."""
    cases = [
        ("left", "1", str(_MOST_BITS)), ("left", "1", str(10**20)), ("power", "3", str(10**7)),
        ("power", "2", str(10**7)), ("asUintN", "-1", "9000000000"), ("right", "-5", str(10**20)),
    ]  # fmt: skip
    seen = _computed(_COMPUTE, cases)
    assert seen == ["RangeError: Maximum BigInt size exceeded"] * 5 + ["-1"]
    there_and_back = (
        "var bits = BigInt(given); return operators.right(operators.left(BigInt(1), bits), bits).toString();"
    )
    assert _computed(there_and_back, _MOST_BITS - 1) == "1"


@pytest_twisted.ensureDeferred
async def test_the_same_as_in_node(tmp_path: Path) -> None:
    """Every operator with every kind of operand, and every place where one may stand, tells what it tells in node."""
    programs = cases("bigint.js")
    expected = by_node(programs, ending="js", folder=tmp_path)
    assert not {name: told for name, told in expected.items() if isinstance(told, str)}
    assert not different(expected, await here(programs, entry="main.js"))


def _packed(name: str, text: str) -> bytes:
    manifest = json.dumps({"name": name, "version": "1.0.0", "main": "index.js", "type": "module"})
    return tarball({"package.json": manifest, "index.js": text})


async def _built(main: str, package: str) -> BuildResult:
    manifest = json.dumps({"dependencies": {"mentions": "file:mentions.tgz", "plain": "file:plain.tgz"}})
    files: dict[str, str | bytes] = {
        "main.ts": main,
        "package.json": manifest,
        "mentions.tgz": _packed("mentions", package),
        "plain.tgz": _packed("plain", "export const sum = (a, b) => a + b;\n"),
    }
    async with running_builder() as builder:
        return await build(builder, files)


_MAIN = (
    'import { made } from "mentions";\nimport { sum } from "plain";\n'
    "registerWebHandler('/', () => [String(made(3)), sum(1, 2), ((a, b) => a - b)(5, 2)]);\n"
)


@pytest_twisted.ensureDeferred
async def test_only_who_mentions_it_pays() -> None:
    """A script without BigInt is left alone; a package that converts has one file changed, one that computes all."""
    without = (await _built(_MAIN, "export const made = (a) => a * 2;\n")).source
    assert "operators" not in without
    converts = (await _built(_MAIN, "export const made = (a) => (typeof a === 'bigint' ? a : BigInt(a));\n")).source
    assert "operators" in converts
    assert "return a + b;" in converts
    assert "return a - b;" in converts
    assert "Everywhere" not in converts
    computes = (await _built(_MAIN, "const one = BigInt(1);\nexport const made = (a) => BigInt(a) + one * a;\n")).source
    assert "return a + b;" not in computes
    assert "return a - b;" not in computes
    assert "Everywhere()" in computes
    outcomes = run_programs([Program(source=source) for source in (without, converts)])
    assert [outcome.failure() or outcome.value() for outcome in outcomes] == [["6", 3, 3], ["3", 3, 3]]


def test_what_was_not_lowered_throws() -> None:
    """Code that the build did not see throws where it computes with a BigInt; it never gives something else."""
    outcomes = evaluate(
        *(
            f"var a = BigInt(5), b = BigInt(6); return String({one});"
            for one in (
                "a + b",
                "a + 1",
                "'x' + a",
                "a * 2",
                "a - b",
                "-a",
                "a < b",
                "a == 5",
                "~a",
                "Math.max(a)",
                "a++",
            )
        )
    )
    assert {one["name"] for one in outcomes} == {"TypeError"}
