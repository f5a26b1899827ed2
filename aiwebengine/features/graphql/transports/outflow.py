"""The body of an answer that comes bit by bit: back pressure, and what to stop when the client goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from aiwebengine.features.graphql.execution.loop import Future, ReactorLoop
from aiwebengine.values import Answer
from aiwebengine.web.http.exchange import Exchange


class Outflow:
    """
    See the module; it is an `exchange.Body`.

    Args:
        exchange: The request.
        head: Status and headers.
    """

    def __init__(self, exchange: Exchange, head: Answer) -> None:
        self._exchange = exchange
        self._paused = False
        self._over = False
        self._loop: ReactorLoop | None = None
        self._waiting: Future[Any] | None = None
        self.work: Deferred[Any] | None = None
        """What feeds it; cancelled when the client goes."""
        self.drained: Callable[[], None] = _do_nothing
        """Called when the client takes more."""
        self.left: Callable[[], None] = _do_nothing
        """Called when the client disconnected."""
        exchange.feed(head, self)

    @property
    def busy(self) -> bool:
        """The client does not take what was sent."""
        return self._paused

    def push(self, data: bytes) -> None:
        """Write a piece."""
        if not self._over:
            self._exchange.push(data)

    def finish(self) -> None:
        """End the body."""
        if not self._over:
            self._over = True
            self._exchange.finished()

    async def room(self, loop: ReactorLoop) -> None:
        """Wait until the client takes more."""
        while self._paused and not self._over:
            self._loop = loop
            self._waiting = loop.create_future()
            await self._waiting

    def pauseProducing(self) -> None:
        """See `exchange.Body`."""
        self._paused = True

    def resumeProducing(self) -> None:
        """See `exchange.Body`."""
        self._paused = False
        self._wake()
        self.drained()

    def lost(self) -> None:
        """See `exchange.Body`."""
        self._over = True
        if self.work is not None:
            self.work.cancel()
        self._wake()
        self.left()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and self._loop is not None:
            self._loop.settle(waiting, None)


def _do_nothing() -> None:
    """Do nothing: there is nothing to stop."""
