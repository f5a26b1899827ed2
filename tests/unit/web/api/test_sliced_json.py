"""JSON that is read piece by piece."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiwebengine.web.api import sliced_json
from aiwebengine.web.api.sliced_json import JsonReader

ANY_TEXT = st.lists(st.sampled_from(["a", '"', "\\", "é", "😀", "\n", "\x7f", "u", "d83d", "/"]), max_size=120).map(
    "".join
)


def string(body: bytes, longest: int = 10_000) -> str:
    """Read a document that is one string."""
    reader = JsonReader(body)
    text = b"".join(reader.string(longest)).decode()
    reader.end()
    return text


@given(ANY_TEXT, st.booleans(), st.integers(16, 40))
def test_strings(text: str, escaped: bool, size: int) -> None:
    """A string is the same however its escapes and characters lie in the pieces."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sliced_json, "SLICE", size)
        assert string(json.dumps(text, ensure_ascii=escaped).encode()) == text


@given(ANY_TEXT, st.integers(0, 1000), st.sampled_from(list(b'"\\u\x01\xe9{')), st.integers(16, 40))
def test_damaged_strings(text: str, at: int, byte: int, size: int) -> None:
    """What the standard library refuses is refused, and what it takes is taken."""
    body = bytearray(json.dumps(text).encode())
    body[at % len(body)] = byte
    try:
        expected = json.loads(bytes(body).decode())
        expected.encode()
    except (ValueError, AttributeError):
        expected = None
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sliced_json, "SLICE", size)
        try:
            seen = string(bytes(body))
        except ValueError:
            seen = None
    assert seen == (expected if isinstance(expected, str) else None)


@given(st.binary(max_size=200), st.integers(16, 40))
def test_base64(content: bytes, size: int) -> None:
    """Base64 is decoded across pieces."""
    body = json.dumps(base64.b64encode(content).decode()).encode()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sliced_json, "SLICE", size)
        assert b"".join(JsonReader(body).base64(1000)) == content


@pytest.mark.parametrize("text", ["QQ", "QQ==QQ==", "Q===", "?", "QQ= ="])
def test_bad_base64(text: str) -> None:
    """What is not base64 is refused."""
    with pytest.raises(ValueError, match=r"adding|base64|characters"):
        b"".join(JsonReader(json.dumps(text).encode()).base64(1000))


def test_object() -> None:
    """Members are read in their order, values of any kind between strings, and spaces do not count."""
    reader = JsonReader(b'\xef\xbb\xbf { "a" : [1, {"x": "\xc3\xa9"}] ,\n"b":"c" } ')
    found: dict[str, object] = {}
    for name in reader.members(10):
        found[name] = reader.value(100) if name == "a" else b"".join(reader.string(10))
    reader.end()
    assert found == {"a": [1, {"x": "é"}], "b": b"c"}
    empty = JsonReader(b"{ }")
    assert list(empty.members(10)) == []
    empty.end()


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"a": 1', ", is missing"),
        (b'{"a" 1}', ": is missing"),
        (b"{a: 1}", '" is missing'),
        (b'{"a": 1} x', "follows"),
        (b'{"a": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}', "more than 20 bytes"),
        (b'{"a": [1,2,3,4,5,6,7,8,9,10,11,12]}', "more than 20 bytes"),
        (b'{"a": nope}', "Expecting value"),
        (b'{"aaaaaaaaaaaaaaaaaaaaaaaaa": 1}', "more than 20 bytes"),
    ],
)
def test_wrong(body: bytes, word: str) -> None:
    """What is wrong is said, with where it is."""
    with pytest.raises(ValueError, match=rf"{word}.*at byte \d+"):
        _read_all(JsonReader(body))


@given(ANY_TEXT, st.integers(1, 60))
def test_too_large_in_the_middle_of_a_character(text: str, longest: int) -> None:
    """A value that is larger than it may be is refused as such, wherever in it the limit lies."""
    body = json.dumps([text], ensure_ascii=False).encode()
    if len(body) <= longest:
        assert JsonReader(body).value(longest) == [text]
    else:
        with pytest.raises(ValueError, match=r"more than|Expecting|delimiter|Unterminated"):
            JsonReader(body + b" ").value(longest)


def test_too_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that is made of too many is refused before it is parsed; commas and brackets in strings do not count."""
    monkeypatch.setattr(sliced_json, "MOST_VALUES", 10)
    monkeypatch.setattr(sliced_json, "SLICE", 16)
    few: tuple[object, ...] = ([0] * 10, {"a": ',[{"' * 50}, [",,,,,,,,,,,,,,,,,,,,,,,,\\", 1], "[" * 100)
    for value in few:
        assert JsonReader(json.dumps(value).encode()).value(1000) == value
    many: tuple[object, ...] = ([0] * 12, [[[]] * 6], {str(n): 1 for n in range(12)}, ["a,b"] * 12)
    for value in many:
        with pytest.raises(ValueError, match="more than 10 values"):
            JsonReader(json.dumps(value).encode()).value(1000)


def _read_all(reader: JsonReader) -> None:
    for _ in reader.members(20):
        reader.value(20)
    reader.end()
