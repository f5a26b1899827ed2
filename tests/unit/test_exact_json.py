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


def test_what_can() -> None:
    """Everything else is as it stands, in text and in UTF-8."""
    assert decode('[1.5e300, "\\ud800", null]') == [1.5e300, "\ud800", None]
    assert decode('"ü🙂"'.encode()) == "ü🙂"
    assert decode(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
    assert decode_object('{"a": [1]}') == {"a": [1]}
    assert decode_object("[1]") is None
