"""Who listens to which channel, and since when: what both stores know of their subscribers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twisted.logger import Logger

from aiwebengine.interfaces import Clock
from aiwebengine.services.redis.store import Active, Deliver

_log = Logger()


class ChannelListener:
    """
    One subscriber; see `store.ChannelSubscription`.

    Args:
        deliver: See `store.SharedStore.subscribe`.
        active: The same.
        on_cancelled: Called when it is cancelled.
    """

    def __init__(self, *, deliver: Deliver, active: Active, on_cancelled: Callable[[ChannelListener], None]) -> None:
        self._deliver = deliver
        self._active = active
        self._on_cancelled = on_cancelled
        self._began = False
        self._gone = False

    @property
    def began(self) -> bool:
        """Return whether messages arrive."""
        return self._began

    def cancel(self) -> None:
        """See `store.ChannelSubscription.cancel`."""
        if not self._gone:
            self._gone = True
            self._on_cancelled(self)

    def begin(self) -> None:
        """Report that messages arrive from now on."""
        began, self._began = self._began, True
        self._call(lambda: self._active(began))

    def give(self, message: bytes) -> None:
        """Deliver a message, unless it was published before this one began to listen."""
        if self._began:
            self._call(lambda: self._deliver(message))

    def _call(self, function: Callable[[], None]) -> None:
        if self._gone:
            return
        try:
            function()
        except Exception:  # noqa: BLE001  one subscriber's fault is not the next one's
            _log.failure("a subscriber of a channel failed")


class SharedChannel:
    """All subscribers of one channel."""

    __slots__ = ("confirmed", "listeners", "name")

    def __init__(self, *, name: str) -> None:
        self.name = name
        self.listeners: dict[ChannelListener, None] = {}
        self.confirmed = False
        """Messages arrive."""


class Channels:
    """
    All channels with subscribers.

    Args:
        clock: Lets subscribers begin after `add` has returned.
        opened: Called with a channel that has its first subscriber.
        closed: Called with one whose last subscriber has left.
    """

    def __init__(
        self, *, clock: Clock, opened: Callable[[SharedChannel], None], closed: Callable[[SharedChannel], None]
    ) -> None:
        self._clock = clock
        self._opened = opened
        self._closed = closed
        self._channels: dict[str, SharedChannel] = {}

    def add(self, name: str, *, deliver: Deliver, active: Active) -> ChannelListener:
        """Add a subscriber."""
        channel = self._channels.get(name)
        new = channel is None
        if channel is None:
            channel = self._channels[name] = SharedChannel(name=name)
        listener = ChannelListener(
            deliver=deliver, active=active, on_cancelled=lambda cancelled: self._unsubscribe(channel, cancelled)
        )
        channel.listeners[listener] = None
        if channel.confirmed:
            self._clock.callLater(0, self._join, channel, listener)
        if new:
            self._opened(channel)
        return listener

    def confirm(self, channel: SharedChannel) -> None:
        """Say that messages of *channel* arrive from now on, if it still is what its subscribers listen to."""
        if self._channels.get(channel.name) is channel:
            channel.confirmed = True
            for listener in list(channel.listeners):
                listener.begin()

    def interrupt(self) -> None:
        """Say that no messages arrive, until each channel is confirmed again."""
        for channel in self._channels.values():
            channel.confirmed = False

    def give(self, name: str, message: bytes) -> int:
        """Deliver a message; return to how many."""
        channel = self._channels.get(name)
        if channel is None or not channel.confirmed:
            return 0
        listeners = list(channel.listeners)
        for listener in listeners:
            listener.give(message)
        return len(listeners)

    def listens(self, name: str) -> bool:
        """Return whether messages of a channel arrive."""
        channel = self._channels.get(name)
        return channel is not None and channel.confirmed

    def __iter__(self) -> Iterator[SharedChannel]:
        return iter(list(self._channels.values()))

    def __len__(self) -> int:
        return len(self._channels)

    def _join(self, channel: SharedChannel, listener: ChannelListener) -> None:
        # If it was interrupted in the meantime, it begins when the channel is confirmed again, or has done so already.
        if channel.confirmed and not listener.began:
            listener.begin()

    def _unsubscribe(self, channel: SharedChannel, listener: ChannelListener) -> None:
        del channel.listeners[listener]
        if not channel.listeners:
            del self._channels[channel.name]
            self._closed(channel)
