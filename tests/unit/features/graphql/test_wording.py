"""Words and numbers of graphql-js; `tests/e2e/features/test_graphql_words.py` compares them with graphql-js itself."""

from __future__ import annotations

import pytest

from aiwebengine.features.graphql.execution.numbers import number_of, number_text, shortest
from aiwebengine.features.graphql.execution.wording import in_words_of_graphql
from aiwebengine.features.graphql.transports.wire import encode


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ('Cannot query field "nope" on type "Query".', 'Cannot query field "nope" on type "Query".'),
        ("value: {'a': None, 'b c': [True, 'x']}", 'value: { a: null, "b c": [true, "x"] }'),
        ("value: {'a': {'b': False}}.", "value: { a: { b: false } }."),
        ("value: \"it's\"", "value: \"it's\""),
        ("value: 'say \"hi\"'", 'value: "say \\"hi\\""'),
        ("value: 'a\\x07é'", 'value: "a\\u0007é"'),
        ("value: [1e-07, 1e+16, -inf, 2.0]", "value: [1e-7, 10000000000000000, -Infinity, 2]"),
        ("value: [[...], {...}]", "value: [[Array], [Object]]"),
        ("an object doesn't change {a: 1} and 'None'", "an object doesn't change {a: 1} and \"None\""),
        ("value: Value 'it's' does not exist in 'E' enum.", "value: Value \"it's\" does not exist in \"E\" enum."),
        (
            "'$v': Value 'a\"b's' does not exist in 'E' enum. Did you mean the enum value 'A'?",
            "\"$v\": Value \"a\"b's\" does not exist in \"E\" enum. Did you mean the enum value \"A\"?",
        ),
        ("Syntax Error: Invalid escape: '\\q'.", 'Syntax Error: Invalid escape: "\\q".'),
    ],
)  # fmt: skip
def test_words(said: str, meant: str) -> None:
    """Names stand between double quotes, and values are JavaScript's."""
    assert in_words_of_graphql(said) == meant


def test_halves_of_characters() -> None:
    """Half of a surrogate pair goes to the client as the escape that means it, in values and in names."""
    text = encode({"data": {"a": "\ud800x\u00e9", "\udc00": ["\U0001f600"]}})
    assert text.encode() == '{"data":{"a":"\\ud800x\u00e9","\\udc00":["\U0001f600"]}}'.encode()


def test_numbers_in_documents() -> None:
    """A number that a client wrote is told as it stands there."""
    assert in_words_of_graphql("value: 1.0", values=False) == "value: 1.0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"), (3.0, "3"), (-0.0, "0"), (1e16, "10000000000000000"),
        (1.2345678901234568e20, "123456789012345680000"),
        (1e21, "1e+21"), (1.5e300, "1.5e+300"), (0.00001, "0.00001"), (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"), (5e-324, "5e-324"),
        (2**60, "1152921504606847000"), (float("nan"), "NaN"), (float("-inf"), "-Infinity"), (float("inf"), "Infinity"),
    ],
)  # fmt: skip
def test_number_text(value: float, text: str) -> None:
    """A number is printed as JavaScript prints it."""
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 3\n", 3),
        ("0x10", 16),
        ("0b11", 3),
        ("1_000", None),
        ("٣", None),
        ("", 0),
        ("1e400", None),
        (".5", 0.5),
        ("abc", None),
    ],
)
def test_number_of(text: str, value: float | None) -> None:
    """A string is read as JavaScript's `Number` reads it."""
    assert number_of(text) == value


def test_json_of_numbers() -> None:
    """JSON of a result has JavaScript's numbers, and strings are left alone."""
    assert (
        encode({"a": [1e-7, 1.5e-05, "1e-07, 1e-05", 0.5, shortest(4.0)]})
        == '{"a":[1e-7,0.000015,"1e-07, 1e-05",0.5,4]}'
    )
