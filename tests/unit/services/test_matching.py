"""Selective delivery: who a message is for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiwebengine.errors import Invalid
from aiwebengine.services.matching import checked, matches


@pytest.mark.parametrize(
    ("to", "attributes", "expected"),
    [
        (None, {}, True),
        ({}, {"room": 1}, True),
        ({"room": 1}, {"room": 1}, True),
        ({"room": 1}, {"room": 1.0}, True),
        ({"room": 1}, {"room": "1"}, False),
        ({"room": 1}, {"room": True}, False),
        ({"room": 0}, {"room": False}, False),
        ({"room": None}, {}, False),
        ({"room": None}, {"room": None}, True),
        ({"room": 1}, {"user": 1}, False),
        ({"room": 1, "user": "ada"}, {"room": 1, "user": "ada"}, True),
        ({"room": 1, "user": "ada"}, {"room": 1, "user": "bob"}, False),
        ({"room": [1, 2]}, {"room": 2}, True),
        ({"room": 2}, {"room": [1, 2]}, True),
        ({"room": [3, 2]}, {"room": [1, 2]}, True),
        ({"room": [3]}, {"room": [1, 2]}, False),
        ({"room": []}, {"room": [1]}, False),
        ({"room": 1}, {"room": []}, False),
    ],
)
def test_every_name_must_be_met(to, attributes, expected) -> None:
    """Values are compared as JSON has them, a list means any, and a missing attribute never matches."""
    assert matches(to, attributes) is expected


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ("room", "must be an object"),
        ({"room": {"id": 1}}, '"room" must be a string'),
        ({"room": [[1]]}, '"room" must be a string'),
        ({str(i): i for i in range(33)}, "at most 32 names; 33"),
        ({"room": [1] * 1001}, "at most 1000 values; 1001"),
        ({"room": "x" * 1025}, "at most 1024 characters"),
    ],
)
def test_what_cannot_be_compared_is_refused(given_, says) -> None:
    """What is no attribute is refused, with the rule and the name."""
    with pytest.raises(Invalid, match=says):
        checked("to", given_)


_plain = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b"])
_attributes = st.dictionaries(st.sampled_from(["x", "y"]), _plain | st.lists(_plain, max_size=3))


@given(_attributes, _attributes)
def test_fewer_wishes_match_more(to, attributes) -> None:
    """Whoever matches still matches when a name is taken out of `to`."""
    if matches(to, attributes):
        for name in to:
            assert matches({key: value for key, value in to.items() if key != name}, attributes)


@given(st.dictionaries(st.sampled_from(["x", "y"]), _plain))
def test_plain_attributes_match_themselves(attributes) -> None:
    """Plain values are for whoever has the same ones, and pass the check as they are."""
    assert matches(attributes, attributes)
    assert checked("to", attributes) == attributes
