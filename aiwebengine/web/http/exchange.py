"""
One request for a script and its answer, on the connection that brought it.

The connection gives it the body, `enter` hands it to the site, and the runtime answers through
it: it is the `runtime.runs.sink.Sink` of the invocation.  It is not one of twisted.web's requests,
which are made for far more than this and cost as much again as everything else here.

A whole answer is sent in one piece if it is small. A large one is sent in pieces, each when the client has received the
one before, so that a slow client holds little memory and a client that reads nothing is noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from aiwebengine.errors import EngineError
from aiwebengine.runtime.runs.run import Run
from aiwebengine.values import Answer
from aiwebengine.web.http.conditions import met
from aiwebengine.web.http.read import Sender
from aiwebengine.web.http.timing import server_timing
from aiwebengine.web.http.write import LAST_CHUNK, Writer, chunk

_PIECE = 128 * 1024
_BODYLESS = frozenset({204, 304})
_NOTHING = memoryview(b"")


class ExchangeSite(Protocol):
    """What an exchange asks of the site."""

    writer: Writer
    stopping: bool
    """Answers are the last of their connections."""

    def identify(self, sender: Sender | None) -> str:
        """See `Reader.identify`."""

    def enter(self, exchange: Exchange) -> None:
        """Answer a request that is complete."""

    def tell(self, exchange: Exchange, error: EngineError) -> None:
        """Answer with an error."""

    def page(self, exchange: Exchange, answer: Answer) -> Answer:
        """Return a problem document as what its client shows."""

    def abandon(self, run: Run) -> None:
        """Cancel a run whose client disconnected."""


class ClientConnection(Protocol):
    """What an exchange asks of its connection."""

    persistent: Any
    transport: Any

    @property
    def congested(self) -> bool:
        """The client has not received what was sent."""

    def send(self, data: bytes) -> None:
        """Write *data*."""

    def stay(self) -> None:
        """Keep little, for the present answer may take long."""

    def requestDone(self, request: Any) -> None:
        """The answer is complete."""

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: FBT001  Twisted's
        """See `IConsumer`."""

    def unregisterProducer(self) -> None:
        """See `IConsumer`."""

    def loseConnection(self) -> None:
        """See `ITransport`."""


class Body(Protocol):
    """The body of an answer that the server itself feeds, such as a stream of events."""

    def pauseProducing(self) -> None:
        """The client does not take what was sent."""

    def resumeProducing(self) -> None:
        """The client takes more."""

    def lost(self) -> None:
        """The client disconnected."""


@implementer(IPushProducer)
class Exchange:
    """
    A request and its answer.

    Args:
        channel: The connection.
        edge: The site.
        method: As it came.
        target: As it came; begins with `/`, or is `*`.
        modern: HTTP/1.1, not HTTP/1.0.
        sender: What the header fields say.
    """

    __slots__ = (
        "_body", "_channel", "_chunked", "_edge", "_mute", "_paused", "_pieces", "_producing", "_rest", "_started",
        "_waiting", "id", "method", "modern", "on_disconnect", "run", "sender", "target", "timed", "version",
    )  # fmt: skip

    def __init__(
        self, *, channel: ClientConnection, edge: ExchangeSite, method: str, target: str, modern: bool, sender: Sender
    ) -> None:
        self._channel: ClientConnection | None = channel
        self._edge = edge
        self.method = method
        self.target = target
        self.modern = modern
        self.sender = sender
        self.id = ""
        """The request's id, once it has one."""
        self.version = ""
        """Of the script that answers; empty for none."""
        self.run: Run | None = None
        """What works on the answer."""
        self.on_disconnect: Callable[[], object] | None = None
        """Stops what else works on the answer."""
        self.timed = False
        """The answer reports what it cost."""
        self._pieces: list[bytes] | None = None
        self._started = False
        self._chunked = False
        self._mute = False
        self._producing = False
        self._paused = False
        self._rest = _NOTHING
        self._waiting: Callable[[], None] | None = None
        self._body: Body | None = None

    # -- from the connection ------------------------------------------------------------------

    def handleContentChunk(self, data: bytes) -> None:
        """Take a piece of the body; it is counted already."""
        if self._pieces is None:
            self._pieces = []
        self._pieces.append(data)

    def enter(self) -> None:
        """The request is complete: have the site answer it."""
        self._edge.enter(self)

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002  how it was lost does not matter
        """The client disconnected."""
        self._channel = None
        self._waiting = None
        self._rest = memoryview(b"")
        body, self._body = self._body, None
        if body is not None:
            body.lost()
        run, self.run = self.run, None
        if run is not None:
            self._edge.abandon(run)
        self._client_disconnected()

    def give_up(self, error: EngineError) -> None:
        """Answer with *error*, or break off an answer that has begun; what works on it is stopped."""
        run = self.run
        self.failed(error)
        if run is not None:
            self._edge.abandon(run)
        self._client_disconnected()

    # -- to the site --------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """The client is there and has no complete answer."""
        return self._channel is not None

    @property
    def begun(self) -> bool:
        """A part of the answer was sent, or is on its way."""
        return self._started or bool(self._rest)

    @property
    def leaving(self) -> bool:
        """The whole answer is known and on its way."""
        return bool(self._rest)

    def take_body(self) -> bytes:
        """Return the body, once."""
        pieces, self._pieces = self._pieces, None
        if pieces is None:
            return b""
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def feed(self, answer: Answer, body: Body, *, length: int | None = None) -> None:
        """Begin an answer whose body the server feeds, with `push`, until `finished`; of *length* bytes if known."""
        self._body = body
        if self._channel is not None:
            # It may stay for days, and there may be many of them.
            self._channel.stay()
        self._begin(answer, length)
        if self._paused and self._body is not None:
            body.pauseProducing()

    def push(self, data: bytes) -> None:
        """Write a piece of the body."""
        if self._channel is not None and data and not self._mute:
            self._channel.send(chunk(data) if self._chunked else data)

    def upgrade(self) -> Any:
        """Return the connection for other use; there will be no answer; None if the client disconnected."""
        channel, self._channel = self._channel, None
        return channel

    # -- from the runtime ---------------------------------------------------------------------

    def answered(self, answer: Answer, *, checked: bool = False) -> None:
        """See `Sink.answered`; *checked*: the conditions of the request were looked at already."""
        run, self.run = self.run, None
        channel = self._channel
        if channel is None:
            return
        if self.timed and run is not None:
            answer = _timed(answer, run)
        if answer.problem:
            answer = self._edge.page(self, answer)
        if self.sender.conditional and not checked and self.method in {"GET", "HEAD"}:
            answer = met(answer, self.sender.headers)
        head_only = self.method == "HEAD"
        large = len(answer.body) > _PIECE and not head_only and answer.status not in _BODYLESS
        edge = self._edge
        if edge.stopping:
            channel.persistent = False
        channel.send(
            edge.writer.whole(answer, request_id=self.id, head_only=head_only or large, close=not channel.persistent)
        )
        if not large:
            self._channel = None
            channel.requestDone(self)
            return
        self._rest = memoryview(answer.body)
        self._produce(channel)
        self._flow()

    def started(self, answer: Answer) -> None:
        """See `Sink.started`."""
        self._begin(answer, None)

    def _begin(self, answer: Answer, length: int | None) -> None:
        channel = self._channel
        if channel is None:
            return
        if not self.modern:
            channel.persistent = False
        if self.timed and self.run is not None:
            answer = _timed(answer, self.run)
        self._started = True
        self._mute = self.method == "HEAD" or answer.status in _BODYLESS
        self._chunked = self.modern and answer.status not in _BODYLESS and length is None
        channel.send(
            self._edge.writer.head(
                answer, request_id=self.id, chunked=self._chunked, close=self._closes(channel), length=length
            )
        )
        if self.method == "HEAD":
            # Everything that was requested has been written; the body might never end.
            run, self.run = self.run, None
            body, self._body = self._body, None
            self._done()
            if run is not None:
                self._edge.abandon(run)
            if body is not None:
                body.lost()
            return
        self._produce(channel)

    def write(self, data: bytes, done: Callable[[], None]) -> None:
        """See `Sink.write`."""
        channel = self._channel
        if channel is None:
            return
        if data and not self._mute:
            channel.send(chunk(data) if self._chunked else data)
        if self._paused:
            self._waiting = done
        else:
            done()

    def finished(self) -> None:
        """See `Sink.finished`."""
        self.run = self._body = None
        if self._channel is None:
            return
        if self._chunked and not self._mute:
            self._channel.send(LAST_CHUNK)
        self._done()

    def failed(self, error: EngineError) -> None:
        """See `Sink.failed`."""
        self.run = None
        channel = self._channel
        if channel is None:
            return
        if not self._started:
            self._edge.tell(self, error)
            return
        body, self._body = self._body, None
        if body is not None:
            body.lost()
        # Without a last chunk the client knows that something is missing; HTTP/1.0 has only a reset to say so.
        self._release(channel)
        channel.persistent = False
        if self.modern:
            channel.loseConnection()
        else:
            channel.transport.abortConnection()

    # -- from the transport -------------------------------------------------------------------

    def pauseProducing(self) -> None:
        """The client does not take what was sent."""
        self._paused = True
        if self._body is not None:
            self._body.pauseProducing()

    def resumeProducing(self) -> None:
        """The client takes more."""
        self._paused = False
        if self._rest:
            self._flow()
            return
        if self._body is not None:
            self._body.resumeProducing()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting()

    def stopProducing(self) -> None:
        """The connection ends; `connectionLost` tells."""

    def _client_disconnected(self) -> None:
        on_disconnect, self.on_disconnect = self.on_disconnect, None
        if on_disconnect is not None:
            on_disconnect()

    # -- private ------------------------------------------------------------------------------

    def _closes(self, channel: ClientConnection) -> bool:
        if self._edge.stopping:
            channel.persistent = False
        return not channel.persistent

    def _produce(self, channel: ClientConnection) -> None:
        self._producing = True
        self._paused = channel.congested
        channel.registerProducer(self, True)

    def _flow(self) -> None:
        """Write the rest of a large answer as far as the client takes it."""
        while self._rest and not self._paused and self._channel is not None:
            piece, self._rest = self._rest[:_PIECE], self._rest[_PIECE:]
            self._channel.send(bytes(piece))
        if not self._rest:
            self._done()

    def _release(self, channel: ClientConnection) -> None:
        if self._producing:
            self._producing = False
            channel.unregisterProducer()

    def _done(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            self._release(channel)
            channel.requestDone(self)


def _timed(answer: Answer, run: Run) -> Answer:
    cost = (b"server-timing", server_timing(run.receipt("")).encode("ascii"))
    return answer._replace(headers=(*(pair for pair in answer.headers if pair[0] != cost[0]), cost))
