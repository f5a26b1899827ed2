"""What the tests of one file share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted

from tests.support.engine import stop_shared_engine


@pytest_twisted.async_yield_fixture(scope="module", autouse=True)
async def _shared_engine() -> AsyncIterator[None]:
    """Stop the engine that the tests of a file have shared."""
    yield
    await stop_shared_engine()
