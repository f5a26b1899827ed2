"""Stores for tests of what servers share, on the real reactor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import random
from typing import Any

from twisted.internet import reactor

from aiwebengine.services.redis.client import RedisStore
from aiwebengine.settings.schema import RedisSettings
from tests.support.redis.server import RedisServer


def store_for(server: RedisServer, **changes: Any) -> RedisStore:
    """Return a store that is not started."""
    settings = replace(RedisSettings(url=server.url, prefix="test", command_seconds=5.0), **changes)
    return RedisStore(settings=settings, reactor=reactor, random=random)


@asynccontextmanager
async def redis_store(server: RedisServer, **changes: Any) -> AsyncIterator[RedisStore]:
    """Start a store, and stop it."""
    store = store_for(server, **changes)
    await store.startService()
    try:
        yield store
    finally:
        await store.stopService()


@dataclass
class RecordingSubscriber:
    """A subscriber that remembers what it was told."""

    messages: list[bytes] = field(default_factory=list)
    active: list[bool] = field(default_factory=list)

    def deliver(self, message: bytes) -> None:
        self.messages.append(message)
