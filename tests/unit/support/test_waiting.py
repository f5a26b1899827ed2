"""How tests wait: for a condition, with a deadline that tells what was there instead."""

from __future__ import annotations

import pytest

from tests.support.waiting import wait_until


def test_first_true_value() -> None:
    """The first true value of the condition is returned."""
    values = iter([0, "", "there", "later"])
    assert wait_until(lambda: next(values)) == "there"


def test_time_is_up() -> None:
    """A condition that does not hold in time fails with the state that is there then."""
    seen: list[str] = []

    def condition() -> bool:
        seen.append("asked")
        return False

    with pytest.raises(AssertionError, match=r"within 0 seconds; the state is \['asked'\]"):
        wait_until(condition, state=lambda: seen, seconds=0)
