"""The store of a server that is alone: in its memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed

from aiwebengine.errors import Unavailable
from aiwebengine.interfaces import Clock
from aiwebengine.services.redis.cells import MemoryCells
from aiwebengine.services.redis.channels import Channels, SharedChannel
from aiwebengine.services.redis.store import (
    Active,
    ChannelSubscription,
    CommandRefused,
    Deliver,
    Reply,
    Script,
    milliseconds,
)

_MOST_BYTES = 64 * 1024 * 1024

T = TypeVar("T")


class MemoryStore(Service):
    """
    See `store.SharedStore`.

    Answers come at once, messages a moment after they were published.

    Args:
        clock: Ends what expires, and delivers messages.
        most_bytes: Most memory, roughly.
        evicts: When it is full, what was used longest ago goes; otherwise nothing more is stored.
    """

    def __init__(self, *, clock: Clock, most_bytes: int = _MOST_BYTES, evicts: bool = False) -> None:
        self._clock = clock
        self._cells = MemoryCells(seconds=clock.seconds, most_bytes=most_bytes, evicts=evicts)
        self._channels = Channels(clock=clock, opened=self._opened, closed=lambda _: None)
        self._messages: deque[tuple[str, bytes]] = deque()
        self._delivering = False

    def stopService(self) -> None:
        """Forget everything that is stored."""
        super().stopService()
        self._cells.clear()

    def get(self, key: str) -> Deferred[bytes | None]:
        """See `SharedStore.get`."""
        return self._at_once(lambda: self._cells.get(key))

    def get_many(self, keys: Sequence[str]) -> Deferred[list[bytes | None]]:
        """See `SharedStore.get_many`."""
        return self._at_once(lambda: [self._cells.get_or_none(key) for key in keys])

    def set(self, key: str, value: bytes, *, seconds: float | None = None, only: bool | None = None) -> Deferred[bool]:
        """See `SharedStore.set`."""

        def work() -> bool:
            if only is not None and self._cells.has(key) is not only:
                return False
            self._cells.set(key, value, seconds=seconds)
            return True

        return self._at_once(work)

    def delete(self, *keys: str) -> Deferred[int]:
        """See `SharedStore.delete`."""
        return self._at_once(lambda: sum(self._cells.delete(key) for key in keys))

    def expire(self, key: str, seconds: float) -> Deferred[bool]:
        """See `SharedStore.expire`."""
        return self._at_once(lambda: self._cells.expire(key, seconds))

    def remaining(self, key: str) -> Deferred[float | None]:
        """See `SharedStore.remaining`."""
        return self._at_once(lambda: self._cells.remaining(key))

    def increment(self, key: str, by: int = 1, *, seconds: float | None = None) -> Deferred[int]:
        """See `SharedStore.increment`."""

        def work() -> int:
            if seconds is not None:
                milliseconds(seconds)
            new = not self._cells.has(key)
            total = self._cells.increment(key, by)
            if new and seconds is not None:
                self._cells.expire(key, seconds)
            return total

        return self._at_once(work)

    def hash_get(self, key: str) -> Deferred[dict[str, bytes]]:
        """See `SharedStore.hash_get`."""
        return self._at_once(lambda: self._cells.hash_get(key))

    def hash_set(self, key: str, fields: Mapping[str, bytes], *, seconds: float | None = None) -> Deferred[None]:
        """See `SharedStore.hash_set`."""

        def work() -> None:
            if seconds is not None:
                milliseconds(seconds)
            self._cells.hash_set(key, fields)
            if seconds is not None:
                self._cells.expire(key, seconds)

        return self._at_once(work)

    def hash_delete(self, key: str, names: Sequence[str]) -> Deferred[int]:
        """See `SharedStore.hash_delete`."""
        return self._at_once(lambda: self._cells.hash_delete(key, names))

    def hash_increment(self, key: str, name: str, by: int = 1) -> Deferred[int]:
        """See `SharedStore.hash_increment`."""
        return self._at_once(lambda: self._cells.hash_increment(key, name, by))

    def run(self, script: Script, keys: Sequence[str], arguments: Sequence[bytes] = ()) -> Deferred[Reply]:
        """See `SharedStore.run`."""
        return self._at_once(lambda: script.twin(self._cells, keys, arguments))

    def publish(self, channel: str, message: bytes) -> Deferred[int]:
        """See `SharedStore.publish`."""
        listens = self._channels.listens(channel)
        if listens:
            self._messages.append((channel, bytes(message)))
            self._soon()
        return succeed(int(listens))

    def subscribe(self, channel: str, *, deliver: Deliver, active: Active) -> ChannelSubscription:
        """See `SharedStore.subscribe`."""
        return self._channels.add(channel, deliver=deliver, active=active)

    def state(self) -> Mapping[str, object]:
        """See `SharedStore.state`."""
        return {
            "keys": len(self._cells),
            "bytes": self._cells.size_bytes,
            "evicted": self._cells.evicted,
            "channels": len(self._channels),
        }

    def _at_once(self, work: Callable[[], T]) -> Deferred[T]:
        try:
            return succeed(work())
        except (CommandRefused, Unavailable):
            return fail()

    def _opened(self, channel: SharedChannel) -> None:
        self._clock.callLater(0, self._channels.confirm, channel)

    def _soon(self) -> None:
        if not self._delivering:
            self._delivering = True
            self._clock.callLater(0, self._deliver_all)

    def _deliver_all(self) -> None:
        self._delivering = False
        # What is published while this lasts comes after everything else.
        for _ in range(len(self._messages)):
            channel, message = self._messages.popleft()
            self._channels.give(channel, message)
        if self._messages:
            self._soon()
