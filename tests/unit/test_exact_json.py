"""JSON that comes from anybody."""

from __future__ import annotations

import json

import pytest

from aiwebengine.exact_json import decode, decode_object


@pytest.mark.parametrize(
    "text", ["NaN", "[-Infinity]", "1e999", '{"a":-1e999}', "1" * 5000, b"\xff", b'"\xed\xa0\x80"']
)
def test_what_cannot_be_used(text: str | bytes) -> None:
    """Numbers that JSON cannot hold, or nobody can, and bytes that are no UTF-8 are refused."""
    with pytest.raises(ValueError):  # noqa: PT011  that is all it promises
        decode(text)
    assert decode_object(text) is None


def test_what_is_no_json() -> None:
    """What is no JSON is told with its place; what is nested too deeply has none."""
    with pytest.raises(json.JSONDecodeError) as caught:
        decode('{\n"a": }')
    assert (caught.value.lineno, caught.value.colno) == (2, 6)
    with pytest.raises(RecursionError):
        decode("[" * 100_000)
    assert decode_object("[" * 100_000) is None


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ('["1e999", 1e999]', "1e999 is too large a number", 11),
        ('{"NaN": -1,\t"b": NaN}', "there is no NaN", 18),
        ("[" + "1" * 5000 + "]", "1" * 40 + "… is too large a number", 2),
    ],
)
def test_place_of_a_number(text: str, message: str, column: int) -> None:
    """A number that cannot be used is told with its place."""
    with pytest.raises(json.JSONDecodeError) as caught:
        decode(text)
    assert (caught.value.msg, caught.value.lineno, caught.value.colno) == (message, 1, column)


def test_doubles() -> None:
    """Where numbers are JavaScript's, an integer that a double cannot hold is rounded."""
    given = "[9007199254740993, 123456789012345]"
    assert decode(given, doubles=True) == [9007199254740992.0, 123456789012345]
    assert decode(given) == [9007199254740993, 123456789012345]


def test_what_can() -> None:
    """Everything else is as it stands, in text and in UTF-8."""
    assert decode('[1.5e300, "\\ud800", null]') == [1.5e300, "\ud800", None]
    assert decode('"ü🙂"'.encode()) == "ü🙂"
    assert decode(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
    assert decode_object('{"a": [1]}') == {"a": [1]}
    assert decode_object("[1]") is None
