"""Python's collector around the start of a server."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from aiwebengine.observe import collector


class Knot:
    """A cycle."""

    def __init__(self) -> None:
        self.knot = self


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave the collector of the tests as it was."""
    yield
    gc.unfreeze()
    gc.enable()


def test_rests_and_settles() -> None:
    """While the server starts nothing is collected; then what is there stays, and what comes after it does not."""
    collector.rest()
    assert not gc.isenabled()
    kept = weakref.ref(Knot())
    collector.settle()
    assert gc.isenabled()
    dropped = weakref.ref(Knot())
    gc.collect()
    assert (kept() is None, dropped() is None) == (False, True)
