"""What the tests of a run share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from tests.support.shared.kept import end_kept
from tests.support.world import stop_worlds


@pytest.fixture(scope="session", autouse=True)
def _worlds() -> Iterator[None]:
    """End the child in which programs were run, and the workers that built them."""
    yield
    stop_worlds()
    pytest_twisted.blockon(Deferred.fromCoroutine(end_kept()))
