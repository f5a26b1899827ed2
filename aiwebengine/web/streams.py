"""
Opening a stream: from a client's GET to a subscription that feeds its connection.

    auth          somebody is signed in, if the stream asks for that
    ask           middleware, `attributes` and `onConnect` of the script, if there are any
    subscribe     the limits; what the client missed since its `Last-Event-ID`
    head          from here on the answer is a stream of events

The place in the stream is noted before the script is asked, and the subscription begins there:
what is published while `onConnect` reads the present state comes after it, and is not lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from aiwebengine.errors import EngineError, Invalid, ScriptFailed, Unauthenticated, Unavailable
from aiwebengine.exact_json import decode_object
from aiwebengine.host.registration.kinds import RegistrationKind
from aiwebengine.host.stream_options import END, STREAM, STREAM_CALL, check_stream
from aiwebengine.host.stream_topics import topic_of
from aiwebengine.runtime.failure import broken_protocol
from aiwebengine.services.bus import Bus
from aiwebengine.services.matching import checked
from aiwebengine.services.topics import Message, Reason
from aiwebengine.settings.schema import StreamSettings
from aiwebengine.values import Answer, Principal, RouteMatch
from aiwebengine.web.arrival import Arrival
from aiwebengine.web.exchange import Exchange
from aiwebengine.web.read import Sender
from aiwebengine.web.sse import Encoder, EventStream, EventStreams, event_bytes, head, position_bytes, text_of

_OPENING = b"application/vnd.aiwebengine.stream+json"
_LONGEST_ID = 100
_STOPPING = Reason(code="stopping", message="The server stops; come back in a moment.")
_RESTART_MILLISECONDS = (500, 3000)
"""Between these a client that a stopping server sends away is told to come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
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


def streams_of_scripts(door: StreamDoor) -> RegistrationKind:
    """Return the kind of `registerWebStream`; *door* lets clients in."""
    return RegistrationKind(
        name=STREAM,
        functions=(STREAM_CALL,),
        noun="stream",
        nouns="streams",
        check=check_stream,
        takes_path=True,
        opens=door.open,
    )


def usable_id(last_id: str | None) -> str | None:
    """Give the id in a `Last-Event-ID` header; None if there is none, or nothing that was ever one."""
    return last_id if last_id and len(last_id) <= _LONGEST_ID and last_id.isprintable() else None


class StreamDoor:
    """
    See the module.

    Args:
        bus: Has the messages.
        streams: Writes them.
        settings: The retry hint.
        random: Spreads those who come back.
    """

    def __init__(self, *, bus: Bus, streams: EventStreams, settings: StreamSettings, random: Random) -> None:
        self._bus = bus
        self._streams = streams
        self._settings = settings
        self._random = random
        self._encoder = Encoder()
        self._retry = b"retry: %d\n\n" % round(settings.retry_seconds * 1000)
        self._clients: dict[Client, None] = {}
        self._ended = False
        self._nobody = Sender()

    def open(self, arrival: Arrival) -> None:
        """Open a stream, once the script agrees if it wants to be asked; see `RegistrationKind.opens`."""
        opening = self.admit(
            arrival.exchange,
            arrival.match,
            principal=arrival.invocation.principal,
            last_id=arrival.request.headers.get("last-event-id"),
        )
        if not self.asks(arrival.match, middleware=arrival.middleware):
            self.begin(opening, None)
            return
        asked = Asked(door=self, opening=opening, tell=arrival.tell)
        run = arrival.run(arrival.invocation, asked)
        if arrival.exchange.waiting and not asked.over:
            arrival.exchange.run = run

    def admit(self, exchange: Exchange, match: RouteMatch, *, principal: Principal, last_id: str | None) -> Opening:
        """
        Let a client as far as the script.

        Raises:
            Unauthenticated: The stream is for those who are signed in.
        """
        route = match.route
        if route.options["auth"] == "required" and principal.kind == "anonymous":
            raise Unauthenticated("This stream is for those who are signed in.")
        return self.place(
            exchange,
            topic_of(route.script, route.key),
            owner=route.script,
            attributes=match.params,
            last_id=last_id,
        )

    def place(
        self, exchange: Exchange, topic: str, *, owner: str, attributes: Mapping[str, Any], last_id: str | None
    ) -> Opening:
        """Note where on a topic a client comes in."""
        return Opening(
            exchange=exchange,
            topic=topic,
            owner=owner,
            attributes=attributes,
            after=usable_id(last_id),
            position=self._bus.last_id(topic),
        )

    def asks(self, match: RouteMatch, *, middleware: bool) -> bool:
        """Return whether the script has a say in who may connect."""
        options = match.route.options
        return middleware or any(name in options for name in ("attributes", "onConnect", "middleware"))

    def begin(self, opening: Opening, told: Mapping[str, Any] | None) -> None:
        """
        Begin to send.

        Args:
            told: `attributes` and perhaps `first`, as the script gave them; None if it was not asked.

        Raises:
            Invalid: The attributes are none.
            TooManySubscribers: A limit is reached.
            Unavailable: The server stops.
        """
        if self._ended:
            raise Unavailable(_STOPPING.message, retry_seconds=1.0)
        exchange = opening.exchange
        given = told.get("attributes") if told is not None else None
        attributes = {**(checked("attributes", given) if given is not None else {}), **opening.attributes}
        first = json.dumps(told["first"], ensure_ascii=False) if told is not None and "first" in told else None
        if exchange.method == "HEAD":
            exchange.started(head())
            return
        client = Client(door=self, encoder=self._encoder)
        after = opening.after if opening.after is not None else opening.position if told is not None else None
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
        client.go()
        stream.hurry()

    def left(self, client: Client) -> None:
        """A client has gone."""
        self._clients.pop(client, None)

    def end(self) -> None:
        """The server stops: say so, and when to come back."""
        self._ended = True
        for client in list(self._clients):
            client.retry(self._random.randint(*_RESTART_MILLISECONDS))
            client.leave(_STOPPING)


class Client:
    """
    One connection and its subscription.

    Args:
        door: Told when it is over.
        encoder: Makes bytes of messages.
    """

    __slots__ = ("_door", "_encoder", "_held", "_stream", "_subscription")

    def __init__(self, *, door: StreamDoor, encoder: Encoder) -> None:
        self._door = door
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

    def deliver(self, message: Message) -> None:
        """See `topics.Deliver`."""
        if self._stream is not None:
            self._stream.send(self._encoder(message))

    def ended(self, reason: Reason) -> None:
        """See `topics.Ended`."""
        self.leave(reason)

    def retry(self, milliseconds: int) -> None:
        """Tell when to come back."""
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
        self._door.left(self)
        return stream

    def _position(self) -> str:
        return str(self._subscription.last_id) if self._subscription is not None else ""


class Asked:
    """
    Takes what a script says of a client; see `runtime.sink.Sink`.

    Args:
        door: Opens the stream if the script agrees.
        opening: Who wants in.
        tell: Answers with an error.
    """

    def __init__(self, *, door: StreamDoor, opening: Opening, tell: Callable[[Exchange, EngineError], None]) -> None:
        self._door = door
        self._opening = opening
        self._tell = tell
        self.over = False
        """The script has said what it has to say."""

    def answered(self, answer: Answer) -> None:
        """Let the client in, or pass the refusal on."""
        exchange = self._opening.exchange
        exchange.run = None
        self.over = True
        if dict(answer.headers).get(b"content-type") != _OPENING:
            exchange.answered(answer)
            return
        if not exchange.waiting:
            return
        said = decode_object(answer.body)
        if said is None:
            self._tell(exchange, broken_protocol(self._opening.owner))
            return
        try:
            self._door.begin(self._opening, said)
        except Invalid as error:
            self._tell(exchange, ScriptFailed(error.public))
        except EngineError as error:
            self._tell(exchange, error)

    def started(self, answer: Answer) -> None:
        """A middleware answers with a stream of its own, in place of this one."""
        self._opening.exchange.started(answer)

    def write(self, data: bytes, done: Callable[[], None]) -> None:
        """See `started`."""
        self._opening.exchange.write(data, done)

    def finished(self) -> None:
        """See `started`."""
        self._opening.exchange.finished()

    def failed(self, error: EngineError) -> None:
        """The script failed."""
        self.over = True
        self._opening.exchange.failed(error)
