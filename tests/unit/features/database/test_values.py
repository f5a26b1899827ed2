"""Tests of `features.database.values`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiwebengine.errors import Invalid
from aiwebengine.features.database.values import JsonValue, from_wire, milliseconds, to_wire


@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
        st.binary(max_size=50),
        st.dictionaries(st.text(max_size=3), st.integers(-5, 5), max_size=3).map(JsonValue),
    )
)
def test_there_and_back(value: Any) -> None:
    """What is sent comes back as it was."""
    assert from_wire(to_wire(value)) == value


def test_dates() -> None:
    """A Date has milliseconds."""
    at = datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    assert milliseconds(at) == -1
    assert from_wire({"d": -1}) == at
    assert to_wire(at) == {"d": -1}


def test_a_lookalike_is_not_taken_for_a_date() -> None:
    """An object of the script's own is sent as JSON, whatever its keys are."""
    assert from_wire({"j": {"d": 5}}) == JsonValue({"d": 5})


@pytest.mark.parametrize(
    "value",
    [
        {"d": True}, {"d": 1e300}, {"d": 8e15}, {"n": "5x"}, {"n": "9" * 500}, {"b": "%"}, {"x": 1}, {}, [1],
        {"d": 1, "n": "1"},
    ],
    ids=repr,
)  # fmt: skip
def test_forged(value: Any) -> None:
    """What has another form is refused."""
    with pytest.raises(Invalid):
        from_wire(value)
