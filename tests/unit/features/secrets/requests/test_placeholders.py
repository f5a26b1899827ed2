"""Placeholders, and the older ones in source files."""

from __future__ import annotations

import itertools

import pytest

from aiwebengine.features.secrets.requests.placeholders import Placeholders, older_literals


def test_given():
    """A secret has one placeholder in an invocation, another one in the next, and none when it is over."""
    numbers = itertools.count(1)
    placeholders = Placeholders(entropy=lambda size: next(numbers).to_bytes(size, "big"))
    first = placeholders.give("i1", "KEY")
    assert first == "aiwebengine-secret.KEY." + "0" * 31 + "1"
    assert placeholders.give("i1", "KEY") == first
    assert placeholders.give("i2", "KEY") != first
    assert placeholders.of("i1") == {first: "KEY"}
    placeholders.forget("i1")
    assert (placeholders.of("i1"), len(placeholders)) == ({}, 1)


@pytest.mark.parametrize(
    ("source", "literals"),
    [
        ('h = "Bearer {{secret:KEY}}";', ["Bearer {{secret:KEY}}"]),
        ("h = '{{secret:KEY}}'", ["{{secret:KEY}}"]),
        ("h = `a{{secret:K}}b{{secret:L}}`", ["a{{secret:K}}b{{secret:L}}"] * 2),
        ("// {{secret:KEY}}", []),
        ("it's {{secret:KEY}} \"", []),
        ('"{{secret:1}}"', []),
        ('"{{secret:KEY}}\\n"', []),
        ('"' + "x" * 300 + '{{secret:KEY}}"', []),
    ],
)
def test_older_literals(source, literals):
    """Only what stands between quotes, on one line and without escapes, is a literal."""
    assert list(older_literals(source)) == literals


def test_older_literals_of_a_large_file():
    """However many quotes a file has, it is read once."""
    source = "\"'`" * 300_000 + '"{{secret:KEY}}"'
    assert list(older_literals(source)) == ["{{secret:KEY}}"]
