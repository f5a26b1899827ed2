"""JSON that is read and written in pieces."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiwebengine.long_json import decode, decode_first, decode_utf8, encode, weight
from tests.support.examples import examples

_DECODER = json.JSONDecoder()
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_TEXT = st.text(st.sampled_from('ab"\\\n\u0000é😀\ud83d\ude00{}[],: '), max_size=40)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(_TEXT, inner, max_size=6),
    max_leaves=60,
)


def _nothing() -> None:
    """A checkpoint at which nothing happens."""


def _read(text: str, window: int) -> Any:
    """Return what is read, or the kind of error and its place."""
    try:
        return decode(text, _DECODER, _nothing, window=window)
    except json.JSONDecodeError as error:
        return error.msg, error.pos


def _expected(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        return error.msg, error.pos


@examples(150)
@given(_VALUES, st.integers(16, 60), st.booleans(), st.sampled_from([None, 1]))
def test_reads_what_json_reads(value: Any, window: int, ascii_only: bool, indent: int | None) -> None:
    """However small the pieces are, the same comes out."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert _read(text, window) == _expected(text)


@pytest.mark.parametrize("end", ["", "\\", "\\u", "\\ud", "\\ude", "\\ude0", "\\ude00", "x", '\\"'])
@pytest.mark.parametrize("length", range(30, 50))
def test_ends_in_half_a_character(length: int, end: str) -> None:
    """A string that ends with the document, after half of a character, is an error as any other."""
    text = '"' + "x" * length + "\\ud83d" + end
    assert _read(text, 16) == _expected(text)


@examples(150)
@given(_VALUES, st.integers(16, 60), st.sampled_from(["", " ", " ,1", "}"]))
def test_reads_the_first_value(value: Any, window: int, rest: str) -> None:
    """The value with which a document begins is read; what follows it is left, but for spaces."""
    text = json.dumps(value)
    found, end = decode_first(f" {text}{rest}", _DECODER, _nothing, window=window)
    assert (found, f" {text}{rest}"[end:]) == (json.loads(text), rest.lstrip())


@examples(150)
@given(
    st.lists(st.sampled_from([b"a", "é".encode(), "😀".encode(), b"\xff", b"\xe2\x82", b"\xed\xa0\x80"]), max_size=30)
)
def test_decodes_utf8(parts: list[bytes]) -> None:
    """However the pieces cut characters, the same string comes out, or the same error at the same place."""
    data = b"".join(parts)

    def decoded(decode_data: Callable[[], str]) -> Any:
        try:
            return decode_data()
        except UnicodeDecodeError as error:
            return error.start, error.end, error.reason

    for window in (1, 2, 5, 7):
        assert decoded(partial(decode_utf8, data, _nothing, window=window)) == decoded(data.decode)


@examples(150)
@given(_VALUES, st.integers(16, 60), st.data())
def test_errors_are_those_of_json(value: Any, window: int, data: st.DataObject) -> None:
    """What is no JSON is refused with the same words and the same place."""
    text = json.dumps(value)
    at = data.draw(st.integers(0, len(text)))
    until = data.draw(st.integers(at, min(len(text), at + 3)))
    wrong = text[:at] + data.draw(st.text(st.sampled_from('[]{},:"\\0-.e x\n'), max_size=3)) + text[until:]
    assert _read(wrong, window) == _expected(wrong)


@examples(150)
@given(_VALUES, st.integers(1, 12))
def test_writes_what_json_writes(value: Any, nodes: int) -> None:
    """However small the pieces are, the same is written."""
    assert "".join(encode(value, _ENCODER, _nothing, nodes=nodes)) == _ENCODER(value)


@pytest.mark.parametrize(
    "value",
    [
        [{"id": number, "name": f"row {number}"} for number in range(50_000)],
        [[number, str(number)] for number in range(50_000)],
        list(range(300_000)),
        {f"k{number}": [number] for number in range(50_000)},
        {f"k{number}": number for number in range(50_000)},
        [item for number in range(50_000) for item in (number, {"a": number})],
        {"rows": [{"cells": list(range(3000))} for _ in range(60)], "text": "ä\n" * 300_000},
    ],
    ids=["objects", "lists", "numbers", "members", "plain members", "by turns", "mixed"],
)
def test_pieces_are_small(value: Any) -> None:
    """Between two checkpoints there is little work, however large a document is."""
    scanned: list[int] = []

    class Decoder(json.JSONDecoder):
        def decode(self, text: str) -> Any:  # type: ignore[override]
            scanned.append(len(text))
            return super().decode(text)

    passed = 0

    def checkpoint() -> None:
        nonlocal passed
        passed += 1

    text = _ENCODER(value)
    assert decode(text, Decoder(), checkpoint) == value
    assert passed >= len(text) // 65_536
    assert max(scanned, default=0) <= 65_538
    pieces = list(encode(value, _ENCODER, checkpoint))
    assert "".join(pieces) == text
    assert max(map(len, pieces)) < 1_000_000


def test_weight() -> None:
    """A value weighs as much as what is in it, long strings more; counting ends where it is too much."""
    assert weight([1, {"a": "b"}, None], 100) == 6
    assert weight("x" * 6400, 1000) == 101
    assert weight([[0] * 1000] * 1000, 50) == 51
