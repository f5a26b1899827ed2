"""
Opening a stream: from a client's GET to a subscription that feeds its connection.

    auth          a user is signed in, if the stream requires it
    ask           middleware, `attributes` and `onConnect` of the script, if there are any
    subscribe     the limits; what the client missed since its `Last-Event-ID`
    head          from here on the answer is a stream of events

The position in the stream is noted before the script runs, and the subscription begins there:
what is published while `onConnect` reads the present state comes after it, and is not lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from aiwebengine.errors import Unavailable
from aiwebengine.services.bus import Bus
from aiwebengine.services.matching import checked
from aiwebengine.services.topics import END, Reason, TopicMessage
from aiwebengine.settings.schema import LiveSettings
from aiwebengine.web.events.sse import Encoder, EventStream, EventStreams, event_bytes, head, position_bytes, text_of
from aiwebengine.web.http.exchange import Exchange
from aiwebengine.web.http.read import Sender

_LONGEST_ID = 100
_STOPPING = Reason(code="stopping", message="The server is shutting down; reconnect in a moment.")
_RESTART_MILLISECONDS = (500, 3000)
"""The range of delays after which the clients of a stopping server reconnect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAdmission:
    """A client that is about to be let in."""

    exchange: Exchange
    topic: str
    """What it listens to."""
    owner: str
    """The script's URI."""
    attributes: Mapping[str, Any]
    """What is known of the client beside what the script says: the parameters of the path."""
    after: str | None
    """The client's `Last-Event-ID`."""
    position: str
    """The id of the stream's last message when it came."""


def usable_id(last_id: str | None) -> str | None:
    """Return the id in a `Last-Event-ID` header; None if there is none, or if it was never valid."""
    return last_id if last_id and len(last_id) <= _LONGEST_ID and last_id.isprintable() else None


class StreamServer:
    """
    See the module.

    Args:
        bus: Has the messages.
        streams: Writes them.
        settings: The retry hint.
        random: Spreads reconnecting clients over time.
    """

    def __init__(self, *, bus: Bus, streams: EventStreams, settings: LiveSettings, random: Random) -> None:
        self._bus = bus
        self._streams = streams
        self._settings = settings
        self._random = random
        self._encoder = Encoder()
        self._retry = b"retry: %d\n\n" % round(settings.retry_seconds * 1000)
        self._clients: dict[Client, None] = {}
        self._ended = False
        self._nobody = Sender()

    def place(
        self, exchange: Exchange, topic: str, *, owner: str, attributes: Mapping[str, Any], last_id: str | None
    ) -> StreamAdmission:
        """Note where on a topic a client comes in."""
        return StreamAdmission(
            exchange=exchange,
            topic=topic,
            owner=owner,
            attributes=attributes,
            after=usable_id(last_id),
            position=self._bus.last_id(topic),
        )

    def begin(self, opening: StreamAdmission, accepted: Mapping[str, Any] | None) -> None:
        """
        Begin to send.

        Args:
            accepted: `attributes` and perhaps `first`, as the script gave them; None if it was not called.

        Raises:
            Invalid: The attributes are not valid.
            TooManySubscribers: A limit is reached.
            Unavailable: The server stops.
        """
        if self._ended:
            raise Unavailable(_STOPPING.message, retry_seconds=1.0)
        exchange = opening.exchange
        from_script = accepted.get("attributes") if accepted is not None else None
        attributes = {**(checked("attributes", from_script) if from_script is not None else {}), **opening.attributes}
        first = None
        if accepted is not None and "first" in accepted:
            first = json.dumps(accepted["first"], ensure_ascii=False, separators=(",", ":"))
        if exchange.method == "HEAD":
            exchange.started(head())
            return
        client = Client(server=self, encoder=self._encoder)
        after = opening.after if opening.after is not None else opening.position if accepted is not None else None
        subscription = self._bus.subscribe(
            opening.topic,
            attributes=attributes,
            deliver=client.deliver,
            ended=client.ended,
            after=after,
            owner=opening.owner,
            paused=True,
        )
        stream = self._streams.open(write=exchange.push, finish=exchange.finished)
        client.start(stream, subscription)
        self._clients[client] = None
        exchange.sender = self._nobody
        exchange.feed(head(), client)
        hello = [self._retry]
        if first is not None:
            hello.append(event_bytes(text_of(first), id=None if opening.after is not None else opening.position))
        elif opening.after is None:
            hello.append(position_bytes(opening.position))
        stream.send(b"".join(hello))
        self._streams.share.soon(partial(_go, client, stream))

    def left(self, client: Client) -> None:
        """A client disconnected."""
        self._clients.pop(client, None)

    def end(self) -> None:
        """The server stops: say so, and when to come back."""
        self._ended = True
        for client in list(self._clients):
            client.retry(self._random.randint(*_RESTART_MILLISECONDS))
            client.leave(_STOPPING)


def _go(client: Client, stream: EventStream) -> None:
    """Send what the client has missed; many clients may come back at the same time."""
    client.go()
    stream.hurry()


class Client:
    """
    One connection and its subscription.

    Args:
        server: Called when it is over.
        encoder: Makes bytes of messages.
    """

    __slots__ = ("_encoder", "_held", "_server", "_stream", "_subscription")

    def __init__(self, *, server: StreamServer, encoder: Encoder) -> None:
        self._server = server
        self._encoder = encoder
        self._stream: EventStream | None = None
        self._subscription: Any = None
        self._held = False

    def start(self, stream: EventStream, subscription: Any) -> None:
        """Have both."""
        self._stream, self._subscription = stream, subscription
        stream.position = self._position

    def go(self) -> None:
        """Take what the subscription has."""
        if self._stream is not None and not self._held:
            self._subscription.resume()

    def deliver(self, message: TopicMessage) -> None:
        """See `topics.Deliver`."""
        if self._stream is not None:
            self._stream.send(self._encoder(message))

    def ended(self, reason: Reason) -> None:
        """See `topics.Ended`."""
        self.leave(reason)

    def retry(self, milliseconds: int) -> None:
        """Return when to come back."""
        if self._stream is not None:
            self._stream.retry(milliseconds)

    def leave(self, reason: Reason) -> None:
        """Say why, and end the connection properly."""
        stream = self._forget()
        if stream is not None:
            stream.event(json.dumps({"reason": reason.code, "message": reason.message}), event=END)
            stream.end()

    def pauseProducing(self) -> None:
        """See `exchange.Body`."""
        self._held = True
        if self._stream is not None:
            self._stream.pauseProducing()
            self._subscription.pause()

    def resumeProducing(self) -> None:
        """See `exchange.Body`."""
        self._held = False
        if self._stream is not None:
            self._stream.resumeProducing()
            self._subscription.resume()

    def lost(self) -> None:
        """See `exchange.Body`."""
        stream = self._forget()
        if stream is not None:
            stream.lost()

    def _forget(self) -> EventStream | None:
        stream, self._stream = self._stream, None
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.cancel()
        self._server.left(self)
        return stream

    def _position(self) -> str:
        return str(self._subscription.last_id) if self._subscription is not None else ""
