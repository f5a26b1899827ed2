"""
What is published on a Redis server, delivered to its subscribers here.

One connection of its own listens to all channels. It is pinged now and then: nothing else would show that the server
hangs or a cable is cut. After every loss the channels are subscribed to again, and the subscribers are notified that
messages may be missing: what is published while nobody listens is lost.
"""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiwebengine.interfaces import Clock, DelayedCall
from aiwebengine.services.redis.channels import Channels, SharedChannel
from aiwebengine.services.redis.connection import Wire
from aiwebengine.services.redis.store import Active, ChannelSubscription, Deliver

_LOOK_SECONDS = 5.0


class RemoteChannels:
    """
    The channels of a connection.

    Args:
        prefix: Begins the names of channels on the server.
        clock: Asks whether the connection is still there.
        answer_seconds: Longest wait for the answer to that.
    """

    def __init__(self, *, prefix: str, clock: Clock, answer_seconds: float) -> None:
        self._prefix = prefix
        self._clock = clock
        self._answer_seconds = answer_seconds
        self._channels = Channels(clock=clock, opened=self._open, closed=self._close)
        self._wire: Wire | None = None
        self._look: DelayedCall | None = None
        self.interruptions = 0
        """How often messages may have been lost."""

    def subscribe(self, channel: str, *, deliver: Deliver, active: Active) -> ChannelSubscription:
        """See `store.SharedStore.subscribe`."""
        return self._channels.add(self._prefix + channel, deliver=deliver, active=active)

    def made(self, wire: Wire) -> None:
        """Take a new connection."""
        self._wire = wire
        for channel in self._channels:
            self._open(channel)
        self._look = self._clock.callLater(_LOOK_SECONDS, self._ask, wire)

    def lost(self, _: str) -> None:
        """Have no connection any more."""
        if self._wire is not None:
            self._wire = None
            self.interruptions += 1
            self._channels.interrupt()
        if self._look is not None and self._look.active():
            self._look.cancel()
        self._look = None

    def pushed(self, channel: bytes, message: bytes) -> None:
        """Deliver a message."""
        self._channels.give(channel.decode("utf-8", "surrogatepass"), message)

    def __len__(self) -> int:
        return len(self._channels)

    def _open(self, channel: SharedChannel) -> None:
        wire = self._wire
        if wire is None or wire.ended:
            return
        reply = self._answered(wire, wire.ask("SUBSCRIBE", channel.name))
        reply.addCallback(lambda there: self._channels.confirm(channel) if there and self._wire is wire else None)

    def _close(self, channel: SharedChannel) -> None:
        wire = self._wire
        if wire is not None and not wire.ended:
            self._answered(wire, wire.ask("UNSUBSCRIBE", channel.name))

    def _ask(self, wire: Wire) -> None:
        self._look = None
        reply = self._answered(wire, wire.ask("PING"))

        def again(there: bool) -> None:  # noqa: FBT001  the result of a Deferred
            if there and self._wire is wire:
                self._look = self._clock.callLater(_LOOK_SECONDS, self._ask, wire)

        reply.addCallback(again)

    def _answered(self, wire: Wire, reply: Deferred[Any]) -> Deferred[bool]:
        """Return whether there was an answer; without one in time the connection is of no use."""

        def failed(_: Failure) -> bool:
            wire.abort()
            return False

        reply.addTimeout(self._answer_seconds, cast(Any, self._clock))
        return reply.addCallbacks(lambda _: True, failed)
