"""Subscribers: one operation of one client, which gets the results of a response stream at its own pace."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol


class ResponseStream(Protocol):
    """What a subscriber belongs to."""

    def left(self, member: SubscribedOperation) -> None:
        """A subscriber has left."""


class Outlet(Protocol):
    """Where the results of one operation of one client go."""

    @property
    def busy(self) -> bool:
        """The client does not take what was sent."""

    def joined(self) -> None:
        """The client is subscribed: what happens from now on reaches it."""

    def began(self, position: str) -> None:
        """Results are kept for clients that reconnect; up to *position*, an id, this one needs none."""

    def gap(self, data: str) -> None:
        """The client came back too late: not everything is kept any more; *data* says which, as JSON."""

    def result(self, text: str, position: str) -> None:
        """A result, as JSON; *position* is its id if results are kept, or empty."""

    def refused(self, errors: Sequence[Mapping[str, Any]]) -> None:
        """Nothing was executed, or it breaks off; nothing follows."""

    def complete(self) -> None:
        """There are no more results."""


class SubscribedOperation:
    """
    One client's operation; made by `Feeds.subscribe`.

    Args:
        outlet: Gets the results.
        most: Results that may wait.
        on_end: Called once when it has ended.
    """

    __slots__ = ("_held", "_most", "_on_end", "_queue", "_tail", "cancel", "ended", "feed", "outlet")

    def __init__(self, *, outlet: Outlet, most: int, on_end: Callable[[], None]) -> None:
        self.outlet = outlet
        self._on_end = on_end
        self.feed: ResponseStream | None = None
        self.ended = False
        self.cancel: Callable[[], None] = _do_nothing
        """The client has ended it."""
        self._most = most
        self._held = False
        self._queue: deque[tuple[str, str]] | None = None
        self._tail: Callable[[], None] | None = None

    def result(self, text: str, position: str) -> None:
        """Send a result, or keep it while the client is busy."""
        if self.ended or self._tail is not None:
            return
        if not (self._held or self._queue or self.outlet.busy):
            self.outlet.result(text, position)
            return
        if self._queue is None:
            self._queue = deque()
        if len(self._queue) >= self._most:
            message = f"The client was more than {self._most} results behind; subscribe again."
            self._queue = None
            self.end(lambda: self.outlet.refused([{"message": message, "extensions": {"code": "SLOW"}}]))
            return
        self._queue.append((text, position))

    def first(self, text: str | None) -> None:
        """Send the first result, then those that were kept in the meantime."""
        self._held = False
        if text is not None and not self.ended:
            self.outlet.result(text, "")
        self.drained()

    def hold(self) -> None:
        """Keep results until `first`."""
        self._held = True

    def drained(self) -> None:
        """The client takes more."""
        while self._queue and not self._held and not self.outlet.busy and not self.ended:
            self.outlet.result(*self._queue.popleft())
        if not self._queue and self._tail is not None and not self._held:
            tail, self._tail = self._tail, None
            self.end(tail)

    def end(self, tell: Callable[[], None]) -> None:
        """End, once the client has what waits."""
        if self.ended:
            return
        if self._queue or self._held:
            self._tail = tell
            return
        self.leave()
        tell()

    def leave(self) -> None:
        """Belong to no stream any more."""
        if self.ended:
            return
        self.ended = True
        self._on_end()
        self._queue = None
        feed, self.feed = self.feed, None
        if feed is not None:
            feed.left(self)


def _do_nothing() -> None:
    """Cancel nothing yet."""
