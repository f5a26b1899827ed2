"""Bodies of answers, as the engine gives them."""

from __future__ import annotations

import pytest

from sandbox.answers import body_bytes, part_value


@pytest.mark.parametrize(
    ("encoding", "text", "body"),
    [
        ("a", "plain", b"plain"),
        ("j", '"\\u00e9\\ud83d\\ude00"', "é😀".encode()),
        ("j", '"a\\ud83d"', b"a?"),
        ("b", "/w==", b"\xff"),
        ("n", "", b""),
    ],
)
def test_encodings(encoding: str, text: str, body: bytes) -> None:
    """Each encoding gives the bytes that it stands for."""
    assert body_bytes(encoding, text) == body


@pytest.mark.parametrize(("encoding", "text"), [("a", "\u00e9"), ("j", "{"), ("b", "a"), ("?", '"')])
def test_refused(encoding: str, text: str) -> None:
    """What is not what its encoding says is an error of the engine."""
    with pytest.raises(UnicodeError):
        body_bytes(encoding, text)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ('["{}"]', b"{}\0"),
        ('["b","/w=="]', b"\0\xff"),
        ('["a",""]', b"\0"),
        ('["","j","\\"\\\\u00e9\\""]', b"\0\xc3\xa9"),
        ('["{}","n",""]', b"{}\0"),
    ],
)
def test_parts(arguments: str, value: bytes) -> None:
    """A part of an answer is its head and its body, of which one may be missing."""
    assert part_value(arguments) == value
