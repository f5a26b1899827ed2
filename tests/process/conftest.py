"""What the tests of a run share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.world import stop_worlds


@pytest.fixture(scope="session", autouse=True)
def _worlds() -> Iterator[None]:
    """End the child in which programs were run."""
    yield
    stop_worlds()
