"""What the tests of one file share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred

from tests.support.engine import stop_shared_engine
from tests.support.shared.kept import end_kept


@pytest.fixture(scope="session", autouse=True)
def _kept() -> Iterator[None]:
    """End what the engines of a run have shared."""
    yield
    pytest_twisted.blockon(Deferred.fromCoroutine(end_kept()))


@pytest_twisted.async_yield_fixture(scope="module", autouse=True)
async def _shared_engine() -> AsyncIterator[None]:
    """Stop the engine that the tests of a file have shared."""
    yield
    await stop_shared_engine()
