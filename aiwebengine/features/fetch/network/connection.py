"""
A connection to a server or a proxy, for one request after the other.

    connection.send(head, body, ...)     fires with the answer when its head has arrived
    answer.body                          takes what follows; nothing more is received while it is not read

A connection is used again if the request was sent whole, the answer was read whole and says so, and nothing came
after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from zope.interface import implementer

from aiwebengine.features.fetch.network.answers import AnswerHead, AnswerParser, HeadTooLarge, NotHttp
from aiwebengine.features.fetch.network.bodies import AnswerBody, BytesBody
from aiwebengine.services.reactor.turn_share import TurnShare
from aiwebengine.web.http.upgraded import send_past_reactor, write_at_once

_MANY_FIELDS = 40
"""With more header fields than this an answer waits for its share of the reactor's turn."""
_LARGE_BYTES = 2048
"""A head that is larger waits for its share before it is read."""
_DONE = Failure(ResponseDone())


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """An answer; its body may still be on its way."""

    head: AnswerHead
    body: AnswerBody


@implementer(IHandshakeListener)
class ServerConnection(Protocol):
    """
    See the module.

    Args:
        free: Called when another request can be sent.
        lost: Called when the connection is over.
        share: How much of a turn large answers may take.
    """

    def __init__(
        self,
        *,
        free: Callable[[ServerConnection], None],
        lost: Callable[[ServerConnection], None],
        share: TurnShare,
    ) -> None:
        self._free = free
        self._lost = lost
        self._share = share
        self.answered = False
        """Whether anything of the answer to the last request has arrived."""
        self.open = False
        self.secured: Deferred[None] = Deferred()
        """Fires when the handshake of TLS is over; for connections with TLS."""
        self._parser: AnswerParser | None = None
        """None while there is no request."""
        self._make_body: Callable[[AnswerHead], AnswerBody] | None = None
        self._waiting: Deferred[ServerAnswer] | None = None
        self._body: AnswerBody | None = None
        self._unsent: IBodyProducer | None = None
        """The body of the request, while it is not sent whole."""
        self._paused = False
        self._held = b""
        """Has arrived and is not read yet."""
        self._send_now: Callable[[bytes], int] | None = None

    def send(
        self,
        head: bytes,
        body: IBodyProducer | None,
        *,
        parser: AnswerParser,
        make_body: Callable[[AnswerHead], AnswerBody],
    ) -> Deferred[ServerAnswer]:
        """
        Send a request; only while no other is under way.

        Args:
            head: Up to and with the empty line.
            parser: Reads the answer.
            make_body: Returns what takes the body of an answer.

        Returns:
            Fires with the answer; cancelling ends the connection.
        """
        self._parser, self._make_body, self._body, self.answered = parser, make_body, None, False

        def cancelled(_: Deferred[ServerAnswer]) -> None:
            # An answer that is complete, but not reported yet, has left its connection to others.
            if self._parser is parser:
                self.abortConnection()

        waiting: Deferred[ServerAnswer] = Deferred(cancelled)
        self._waiting = waiting
        if isinstance(body, BytesBody):
            head += body.data
        write_at_once(self._transport(), self._send_now, head)
        if body is not None and not isinstance(body, BytesBody):
            self._begin_body(body)
        return waiting

    def connectionMade(self) -> None:
        """See `IProtocol`."""
        self.open = True
        self._send_now = send_past_reactor(self._transport())

    def handshakeCompleted(self) -> None:
        """See `IHandshakeListener`."""
        if not self.secured.called:
            self.secured.callback(None)

    def dataReceived(self, data: bytes) -> None:
        """See `IProtocol`."""
        parser = self._parser
        if parser is None:
            # There was no request.
            self.abortConnection()
            return
        self.answered = True
        if parser.head is None and data.find(b"\r\n\r\n", 0, _LARGE_BYTES) < 0 and len(data) > _LARGE_BYTES:
            self._take_later(parser, data)
        else:
            self._take(parser, data)

    def _take_later(self, parser: AnswerParser, data: bytes) -> None:
        """Take the beginning of a large head when there is time; many may come at once."""
        if not self._share.used_up:
            self._take(parser, data)
            return
        self._transport().pauseProducing()
        self._held = data
        self._share.later(self._take_held)

    def _take_held(self) -> None:
        data, self._held = self._held, b""
        if data and self._parser is not None:
            self._take(self._parser, data)
            if self.open and not self._paused:
                self._transport().resumeProducing()

    def _take(self, parser: AnswerParser, data: bytes) -> None:
        try:
            piece = parser.feed(data)
        except (NotHttp, HeadTooLarge) as error:
            self._fail(Failure(error))
            return
        head = parser.head
        if head is None:
            return
        body = self._body
        if body is None:
            assert self._make_body is not None
            body = self._body = self._make_body(head)
            connection: Any = self
            body.makeConnection(connection)
        if piece:
            body.dataReceived(piece)
        waiting, self._waiting = self._waiting, None
        if parser.complete:
            self._complete(parser, body)
        if waiting is not None:
            self._tell(waiting, ServerAnswer(head, body))

    def connectionLost(self, reason: Failure = _DONE) -> None:
        """See `IProtocol`."""
        self.open = False
        self._take_held()
        parser, body, waiting = self._parser, self._body, self._waiting
        self._over()
        if not self.secured.called:
            self.secured.addErrback(lambda _: None)
            self.secured.errback(reason)
        if waiting is not None:
            waiting.errback(reason)
        elif body is not None and parser is not None:
            whole = parser.ends_with_connection and reason.check(ConnectionDone)
            body.connectionLost(_DONE if whole else reason)
        self._lost(self)

    def pauseProducing(self) -> None:
        """Read nothing more."""
        self._paused = True
        self._transport().pauseProducing()

    def resumeProducing(self) -> None:
        """Read on."""
        self._paused = False
        if self.open:
            self._transport().resumeProducing()

    def abortConnection(self) -> None:
        """End the connection, whatever is under way; the caller notifies those that wait."""
        self._over()
        if self.open:
            self._transport().abortConnection()

    def loseConnection(self) -> None:
        """End the connection: nothing is under way."""
        if self.open:
            self._transport().loseConnection()

    def _begin_body(self, body: IBodyProducer) -> None:
        transport: Any = self.transport
        consumer = _Chunks(transport) if body.length is UNKNOWN_LENGTH else transport
        self._unsent = body
        transport.registerProducer(body, True)

        def sent(_: Any) -> None:
            if self._unsent is body:
                self._unsent = None
                transport.unregisterProducer()
                if consumer is not transport:
                    transport.write(b"0\r\n\r\n")

        def failed(failure: Failure) -> None:
            if self._unsent is body:
                self._fail(failure)

        body.startProducing(consumer).addCallbacks(sent, failed)

    def _complete(self, parser: AnswerParser, body: AnswerBody) -> None:
        reusable = parser.reusable and self._unsent is None
        body.connectionLost(_DONE)
        self._over()
        if self._paused:
            self.resumeProducing()
        if reusable and self.open:
            self._free(self)
        else:
            self.loseConnection()

    def _tell(self, waiting: Deferred[ServerAnswer], answer: ServerAnswer) -> None:
        def tell() -> None:
            # It may have been cancelled in between.
            if not waiting.called:
                waiting.callback(answer)

        if len(answer.head.headers) > _MANY_FIELDS:
            self._share.soon(tell)
        else:
            tell()

    def _fail(self, failure: Failure) -> None:
        waiting, body = self._waiting, self._body
        self.abortConnection()
        if waiting is not None:
            waiting.errback(failure)
        elif body is not None:
            body.connectionLost(failure)

    def _over(self) -> None:
        """Forget the request."""
        unsent, self._unsent = self._unsent, None
        self._parser = self._make_body = self._waiting = self._body = None
        self._held = b""
        if unsent is not None:
            self._transport().unregisterProducer()
            unsent.stopProducing()

    def _transport(self) -> Any:
        return self.transport


class _Chunks:
    """Writes the pieces of a body as chunks (RFC 9112, section 7.1)."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Write a piece; an empty one would end the body."""
        if data:
            self._transport.writeSequence((b"%x\r\n" % len(data), data, b"\r\n"))
