"""
Answers that go on: progress of a deployment, logs that are followed.

Items are JSON objects, one a line (`application/x-ndjson`), or server-sent events.  A
client that reads too slowly is paused by its transport; what arrives in the meantime waits in a bounded queue, and what
does not fit is counted and reported.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.web.server import Request as WebRequest
from zope.interface import implementer

from aiwebengine.interfaces import Clock, DelayedCall
from aiwebengine.web.api.call import dumps

KEEP_ALIVE_SECONDS = 15.0
MOST_WAITING = 1000


@implementer(IPushProducer)
class JsonStream:
    """
    One open answer.

    Args:
        request: Nothing of its answer may have been written.
        clock: For keeping an idle connection alive.
        events: Server-sent events instead of lines.
    """

    def __init__(self, *, request: WebRequest, clock: Clock, events: bool = False) -> None:
        self._request = request
        self._clock = clock
        self._events = events
        self._waiting: deque[Any] = deque()
        self._dropped = 0
        self._paused = False
        self._ending = False
        self._beat: DelayedCall | None = None
        self.open = True
        self.done: Deferred[None] = Deferred()
        """Fires when the answer has ended, by us or by the client."""
        self._on_end: list[Callable[[], object]] = []

    def begin(self) -> None:
        """Send the head."""
        request: Any = self._request
        request.setResponseCode(200)
        media_type = b"text/event-stream" if self._events else b"application/x-ndjson"
        request.setHeader(b"content-type", media_type)
        request.setHeader(b"cache-control", b"no-store")
        request.setHeader(b"x-accel-buffering", b"no")
        request.notifyFinish().addBoth(lambda _: self._closed())
        request.registerProducer(self, True)
        # A first byte, so that the head is on its way even if nothing happens for long.
        request.write(b": open\n\n" if self._events else b"\n")
        self._beat = self._clock.callLater(KEEP_ALIVE_SECONDS, self._keep_alive)

    def at_end(self, call: Callable[[], object]) -> None:
        """Call this once, when the answer has ended."""
        self._on_end.append(call)

    def send(self, item: Any) -> None:
        """Send one object, or keep it until the client can take it."""
        if not self.open:
            return
        if not self._paused:
            self._write(item)
        elif len(self._waiting) < MOST_WAITING:
            self._waiting.append(item)
        else:
            self._dropped += 1

    def end(self) -> None:
        """End the answer after what waits."""
        self._ending = True
        if self.open and not self._waiting:
            self._finish()

    def pauseProducing(self) -> None:
        """See `IPushProducer`."""
        self._paused = True

    def resumeProducing(self) -> None:
        """See `IPushProducer`."""
        self._paused = False
        while self._waiting and not self._paused:
            self._write(self._waiting.popleft())
        if self._dropped and not self._paused:
            dropped, self._dropped = self._dropped, 0
            self._write({"dropped": dropped})
        if self._ending and not self._waiting and self.open:
            self._finish()

    def stopProducing(self) -> None:
        """See `IPushProducer`: the client has disconnected."""
        if self.open:
            # When the request ends now, there must be no producer.
            request: Any = self._request
            request.unregisterProducer()
        self._closed()

    def _write(self, item: Any) -> None:
        text = dumps(item)
        request: Any = self._request
        request.write(b"data: " + text + b"\n\n" if self._events else text + b"\n")

    def _keep_alive(self) -> None:
        request: Any = self._request
        if not self._paused:
            request.write(b": \n\n" if self._events else b"\n")
        self._beat = self._clock.callLater(KEEP_ALIVE_SECONDS, self._keep_alive)

    def _finish(self) -> None:
        request: Any = self._request
        request.unregisterProducer()
        request.finish()
        self._closed()

    def _closed(self) -> None:
        if not self.open:
            return
        self.open = False
        self._waiting.clear()
        if self._beat is not None and self._beat.active():
            self._beat.cancel()
        calls, self._on_end = self._on_end, []
        for call in calls:
            call()
        self.done.callback(None)
