"""
Server-sent events: the bytes of `text/event-stream`, and when they are written.

An event leaves at once if nothing was written to its client a moment ago; what follows within
50 ms leaves together (`write_batch.py`), and clients who get the same events share their bytes. If a client does not
receive what is sent, the producer of the stream is notified, and pauses. Heartbeats keep proxies from closing what is
silent; they go round in turns, so that many streams do not beat at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from aiwebengine.interfaces import Clock, DelayedCall
from aiwebengine.services.reactor.turn_share import TurnShare
from aiwebengine.services.topics import TopicMessage
from aiwebengine.values import Answer
from aiwebengine.web.write_batch import PendingWrites, WriteBatch

CONTENT_TYPE = b"text/event-stream; charset=utf-8"

_TOGETHER_SECONDS = 0.05
_TURNS = 10
_LINE_END = re.compile(r"\r\n?")
_MOST_EVENTS = 256
_MOST_EVENT_BYTES = 4 * 1024 * 1024
_HEARTBEAT = b":\n\n"


def event_bytes(data: str, *, id: str | None = None, event: str | None = None) -> bytes:  # noqa: A002  its name in the standard
    """
    Return one event.

    Args:
        data: Any text; its lines become lines of the event.
        id: What a client sends as `Last-Event-ID` when it reconnects; without line breaks.
        event: Its name; without line breaks.
    """
    head = (f"id: {id}\n" if id is not None else "") + (f"event: {event}\n" if event is not None else "")
    if "\r" in data:
        data = _LINE_END.sub("\n", data)
    if "\n" in data:
        data = data.replace("\n", "\ndata: ")
    return f"{head}data: {data}\n\n".encode("utf-8", "replace")


def position_bytes(id: str) -> bytes:  # noqa: A002  its name in the standard
    """Return an event that no listener sees, and that only moves the client's `Last-Event-ID`."""
    return f"id: {id}\n\n".encode("ascii")


def text_of(data: str) -> str:
    """Return what a client reads of a message: a JSON string is sent as the text that it stands for."""
    return str(json.loads(data)) if data.startswith('"') else data


class Encoder:
    """Makes the events of messages; clients that get the same ones share their bytes, including those that get them
    later.
    """

    def __init__(self) -> None:
        self._events: dict[int, tuple[TopicMessage, bytes]] = {}
        """By id of the message, which is referenced so that no other object can have that id; the oldest first."""
        self._size = 0

    def __call__(self, message: TopicMessage) -> bytes:
        """Return the event."""
        known = self._events.get(id(message))
        if known is not None:
            return known[1]
        made = event_bytes(text_of(message.data), id=message.id, event=message.event)
        self._events[id(message)] = (message, made)
        self._size += len(made)
        while len(self._events) > _MOST_EVENTS or self._size > _MOST_EVENT_BYTES:
            _, old = self._events.pop(next(iter(self._events)))
            self._size -= len(old)
        return made


def head(*more: tuple[bytes, bytes]) -> Answer:
    """Return the status and headers of a stream: proxies may not store, change or delay it."""
    return Answer(
        status=200,
        headers=(
            (b"content-type", CONTENT_TYPE),
            (b"cache-control", b"no-store, no-transform"),
            (b"x-accel-buffering", b"no"),
            *more,
        ),
        body=b"",
    )


@implementer(IPushProducer)
class EventStream(PendingWrites):
    """
    The events of one connection; made by `EventStreams.open`.

    It is a push producer: the owner of the connection registers it there.

    Args:
        streams: All of them.
        write: Writes bytes of the body.
        finish: Ends the body.
        turn: When its heartbeat is due.
    """

    __slots__ = ("_finish", "_streams", "flow", "paused", "position", "turn")

    def __init__(
        self, *, streams: EventStreams, write: Callable[[bytes], object], finish: Callable[[], object], turn: int
    ) -> None:
        super().__init__(together=streams.together, write=write)
        self._streams: EventStreams | None = streams
        self._finish = finish
        self.turn = turn
        self.paused = False
        """The client does not take what was sent."""
        self.flow: Callable[[bool], object] | None = None
        """Called with True when it is time to pause, with False when it is time to continue."""
        self.position: Callable[[], str] | None = None
        """Returns the id up to which the client has everything, for heartbeats; an empty string if it is not known."""

    def event(self, data: str, *, id: str | None = None, event: str | None = None) -> None:  # noqa: A002  see event_bytes
        """Send one event."""
        self.send(event_bytes(data, id=id, event=event))

    def comment(self, text: str = "") -> None:
        """Send what no listener sees."""
        self.send(f":{text}\n\n".encode())

    def retry(self, milliseconds: int) -> None:
        """Send the client the time to wait before it reconnects."""
        self.send(b"retry: %d\n\n" % milliseconds)

    def end(self) -> None:
        """End properly: what was sent is written, then the body ends."""
        streams = self._streams
        if streams is None:
            return
        rest = self.take()
        self.lost()
        if rest:
            self._write(rest)
        self._finish()

    def lost(self) -> None:
        """The client disconnected."""
        streams, self._streams = self._streams, None
        self.close()
        self.flow = None
        self.position = None
        if streams is not None:
            streams.closed(self)

    def beat(self) -> None:
        """Write a heartbeat, unless the client is behind anyway."""
        if self.paused or self.waiting or self._streams is None:
            return
        position = self.position() if self.position is not None else ""
        self._write(position_bytes(position) if position else _HEARTBEAT)

    def pauseProducing(self) -> None:
        """See `IPushProducer`."""
        if not self.paused:
            self.paused = True
            if self.flow is not None:
                self.flow(True)

    def resumeProducing(self) -> None:
        """See `IPushProducer`."""
        if self.paused:
            self.paused = False
            if self.flow is not None:
                self.flow(False)

    def stopProducing(self) -> None:
        """See `IPushProducer`; the owner of the connection calls `lost`."""


class EventStreams(Service):
    """
    All streams of events.

    Args:
        clock: Times writes and heartbeats.
        heartbeat_seconds: A stream is written to at least so often.
        share: How much is written in one turn of the reactor.
    """

    def __init__(self, *, clock: Clock, heartbeat_seconds: float, share: TurnShare) -> None:
        self._clock = clock
        self._heartbeat_seconds = heartbeat_seconds
        self._turns: list[dict[EventStream, None]] = [{} for _ in range(_TURNS)]
        self._turn = 0
        self.together = WriteBatch(clock=clock, seconds=_TOGETHER_SECONDS, share=share)
        self._beating: DelayedCall | None = None
        self._opened = 0
        self.share = share

    def startService(self) -> None:
        """Begin to beat."""
        super().startService()
        self._beating = self._clock.callLater(self._heartbeat_seconds / _TURNS, self._heartbeat)

    def stopService(self) -> None:
        """Write and beat no more."""
        super().stopService()
        self.together.stop()
        if self._beating is not None and self._beating.active():
            self._beating.cancel()
        self._beating = None

    def open(self, *, write: Callable[[bytes], object], finish: Callable[[], object]) -> EventStream:
        """Make a stream on a connection whose head was written."""
        self._opened += 1
        turn = self._opened % _TURNS
        stream = EventStream(streams=self, write=write, finish=finish, turn=turn)
        self._turns[turn][stream] = None
        return stream

    def closed(self, stream: EventStream) -> None:
        """A stream has ended."""
        self._turns[stream.turn].pop(stream, None)

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""
        return {
            "open": sum(len(turn) for turn in self._turns),
            "opened": self._opened,
            "writesTogether": self.together.count,
        }

    def _heartbeat(self) -> None:
        self._turn = (self._turn + 1) % _TURNS
        for stream in list(self._turns[self._turn]):
            self.share.soon(stream.beat)
        self._beating = self._clock.callLater(self._heartbeat_seconds / _TURNS, self._heartbeat)
