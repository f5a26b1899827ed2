"""
HTTP/1.1 connections: twisted.web's channel with another way of reading.

twisted.web reads a head line by line, answers all that it refuses with a bare 400, and parses
forms and uploads itself, all in memory.  Here a head is read in one piece by `head.py`, a refusal
says what is wrong, and a body is bounded before any of it is stored.  What is inherited is what
comes after: the queue of requests, producers on both sides, and everything that the engine's own
requests, which are twisted.web's, ask of their channel.

A connection is in one of four states:

    head      bytes are kept until an empty line has come
    body      bytes belong to the request that was begun
    answering the request is complete; what arrives in the meantime belongs to the next one, and waits
    refused   an answer was sent to what could not be read; what comes is thrown away

Times, all `idle_seconds`: a connection may be silent between requests, a head may take from its
first byte to its last, a body may take for each 16 KiB, and an answer may wait for the client to receive more.

A client that ends its side while it waits may have disconnected, or may only have nothing more to send (`nc -N`). These
cannot be distinguished, so the answer has a moment to get ready; then the client counts as disconnected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall, IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web import http
from zope.interface import implementer

from aiwebengine.errors import (
    EngineError,
    HeadersTooLarge,
    Invalid,
    NotImplementedByServer,
    TargetTooLong,
    TooSlow,
    UnsupportedMedia,
)
from aiwebengine.host.registration.paths import METHODS
from aiwebengine.settings.schema import HttpSettings
from aiwebengine.values import Cause
from aiwebengine.web.http.body_limits import too_large
from aiwebengine.web.http.chunks import Chunks
from aiwebengine.web.http.engine_request import EngineRequest
from aiwebengine.web.http.exchange import Exchange, ExchangeSite
from aiwebengine.web.http.head import (
    Fields,
    check_fields,
    check_path,
    early_fault,
    parse_fields,
    parse_line,
    split_target,
    with_host,
)
from aiwebengine.web.http.idle import IdleTimeout
from aiwebengine.web.http.read import Sender
from aiwebengine.web.http.upgraded import SiteConnection, UpgradedConnection, send_past_reactor, write_at_once

_EAGER_BYTES = 16 * 1024
"""So much of later requests is read while one is answered."""
_BODY_STEP = 16 * 1024
_HEADS_AT_ONCE = 32
"""Most requests, and empty lines before them, of one turn; only those that are answered at once reach this number."""
_LINGER_SECONDS = 5
_LINGER_TOTAL_SECONDS = 30
_HALF_CLOSED_SECONDS = 0.25
_KEPT_BLOCK = 8 * 1024


class ConnectionSite(ExchangeSite, Protocol):
    """What a connection asks of the site."""

    settings: HttpSettings
    own_body_bytes: int
    """Largest body for the engine's own paths."""

    def seconds(self) -> float:
        """Return the time of the clock that times connections."""

    def opened(self, connection: SiteConnection) -> None:
        """There is a new connection."""

    def closed(self, connection: SiteConnection) -> None:
        """A connection has ended."""

    def is_own(self, target: str) -> bool:
        """Return whether the engine answers a target itself."""

    def expected(self, method: str, target: str, host: str) -> None:
        """
        Check whether anything answers a request whose body is still to come.

        Args:
            host: Its `Host` header; empty if it has none.

        Raises:
            NotFound, WrongMethod: Nothing does.
        """

    def sender(self, fields: Fields, *, peer: str, secure: bool) -> Sender:
        """See `Reader.sender`."""

    def refused(self, error: EngineError, *, method: str, sender: Sender | None) -> bytes:
        """Return the answer to a request that could not be read."""


@implementer(IHalfCloseableProtocol)
class Channel(IdleTimeout, http.HTTPChannel):
    """
    One connection.

    Args:
        edge: The site.
    """

    # With these in its dictionary that would be four times as large: Python shares the keys of small ones only.
    __slots__ = (
        "_block", "_counted", "_decoder", "_edge", "_ending", "_fields", "_half_closed", "_input", "_left", "_limit",
        "_longest_target", "_looping", "_method", "_most_bytes", "_own", "_patience", "_paused_reading", "_peer",
        "_received", "_refused", "_searched", "_secure", "_send_now", "_sender", "_taker", "seconds",
    )  # fmt: skip
    transport: Any
    site: Any
    """The engine's own requests look for their resource there."""
    cause: Cause | None = None
    """The invocation that sends requests over this connection; None for clients outside."""

    def __init__(self, edge: ConnectionSite) -> None:
        super().__init__()
        self.seconds = edge.seconds
        self._edge = edge
        self._most_bytes = edge.settings.max_header_bytes
        self._longest_target = edge.settings.max_target_bytes
        self._input = b""
        self._searched = 0
        """How much of the input is known to hold no end of a head."""
        self._looping = False
        self._paused_reading = False
        self._block: bytes | None = None
        self._fields: Fields | None = None
        self._sender: Sender | None = None
        """What the last head's fields came to: clients repeat them."""
        self._method = ""
        self._left = 0
        self._decoder: Any = None
        self._received = 0
        self._counted = 0
        self._limit = 0
        self._own = False
        self._refused = False
        self._taker: UpgradedConnection | None = None
        """What is in this one's place, where the transport did not take it itself."""
        self._ending = False
        self._half_closed = False
        self._patience: IDelayedCall | None = None
        self._send_now: Callable[[bytes], int] | None = None
        """See `upgraded.send_past_reactor`."""

    def connectionMade(self) -> None:
        """See `HTTPChannel.connectionMade`."""
        super().connectionMade()
        self._peer = str(getattr(self.transport.getPeer(), "host", "") or "")
        self._secure = bool(self.isSecure())
        self._send_now = send_past_reactor(self.transport)
        self._edge.opened(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See `HTTPChannel.connectionLost`."""
        self._edge.closed(self)
        if self._patience is not None and self._patience.active():
            self._patience.cancel()
        self._input = b""
        self._refused = True
        super().connectionLost(reason)
        if self._taker is not None:
            self._taker.connectionLost(reason)

    # -- another protocol ---------------------------------------------------------------------

    def upgrade(self) -> tuple[UpgradedConnection, bytes]:
        """
        Leave the connection to another protocol, in place of the request for it.

        Returns:
            The connection, and what has come for the other protocol already.
        """
        transport = self.transport
        self.setTimeout(None)
        self.requests.clear()
        self.forget_head()
        self._refused = True
        rest, self._input = self._input, b""
        upgraded = UpgradedConnection(transport=transport, send_now=self._send_now, closed=self._edge.closed)
        self._edge.opened(upgraded)
        self._edge.closed(self)
        if self._paused_reading:
            self._paused_reading = False
            self._networkProducer.resumeProducing()
        if getattr(transport, "protocol", None) is self:
            self._networkProducer.unregisterProducer()
            transport.protocol = upgraded
            transport.registerProducer(upgraded, True)
        else:
            self._taker = upgraded
        return upgraded, rest

    # -- reading ------------------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """Take received data."""
        if self._refused:
            if self._taker is None:
                self.resetTimeout()
            else:
                self._taker.dataReceived(data)
            return
        self._input = self._input + data if self._input else data
        if self._handlingRequest:
            if len(self._input) > _EAGER_BYTES and not self._paused_reading:
                self._paused_reading = True
                self._networkProducer.pauseProducing()
        elif not self._looping:
            self._advance()

    def _advance(self) -> None:
        """Go on with the input as far as it reaches, in turns if it holds many requests."""
        self._looping = True
        left = _HEADS_AT_ONCE
        try:
            while self._input and not (self._handlingRequest or self._refused or self._waitingForTransport):
                if self._left:
                    self._take_counted()
                elif self._decoder is not None:
                    self._take_chunked()
                elif not left:
                    self._advance_later()
                    break
                elif self._take_head():
                    left -= 1
                else:
                    break
        finally:
            self._looping = False

    def _advance_later(self) -> None:
        """Go on in a later turn; read no more until then."""
        if not self._paused_reading:
            self._paused_reading = True
            self._networkProducer.pauseProducing()
        self.callLater(0, self._advance_now)

    def _advance_now(self) -> None:
        if self._refused or self._handlingRequest:
            # The end of the current request continues here.
            return
        if self._paused_reading and not self._waitingForTransport:
            self._paused_reading = False
            self._networkProducer.resumeProducing()
        if self._input and not self._looping:
            self._advance()

    def _take_head(self) -> bool:
        """Begin a request if its head is complete."""
        data = self._input
        if data[0] == 13 and b"\r\n".startswith(data[:2]):
            if len(data) == 1:
                return False
            self._input = data[2:]
            return True
        end = data.find(b"\r\n\r\n", self._searched)
        if end > self._most_bytes or (end < 0 and len(data) > self._most_bytes):
            # If not even the first line has ended, it is the target that is so long.
            self.refuse(
                HeadersTooLarge(f"The head of a request may have at most {self._most_bytes:,} bytes; send less.")
                if b"\r\n" in data[: self._most_bytes]
                else self._target_too_long()
            )
            return False
        if end < 0:
            if not self._searched:
                # From here the clock runs: a head that trickles in does not set it back.
                self.resetTimeout()
            self._searched = max(1, len(data) - 3)
            if fault := early_fault(data):
                self.refuse(Invalid(fault))
            return False
        self._searched = 0
        self._input = data[end + 4 :]
        line, _, block = data[:end].partition(b"\r\n")
        self._method = ""
        sender = None
        try:
            self._method, target, minor = parse_line(line)
            if len(target) > self._longest_target:
                raise self._target_too_long()
            if self._method not in METHODS:
                raise NotImplementedByServer(
                    f"This server does not implement the method {self._method}; it knows {', '.join(METHODS)}."
                )
            if block != self._block or self._fields is None:
                self._keep(block)
            fields, sender = self._fields, self._sender
            assert fields is not None
            if not target.startswith("/"):
                host, target = split_target(target)
                if host is not None:
                    fields, sender = with_host(fields, host), None
            check_fields(fields, minor)
            if sender is None:
                sender = self._edge.sender(fields, peer=self._peer, secure=self._secure)
                sender.cause = self.cause
                if fields is self._fields:
                    self._sender = sender
            self._begin(target, minor, fields, sender)
        except EngineError as error:
            self.refuse(error, sender)
        return True

    def _target_too_long(self) -> TargetTooLong:
        return TargetTooLong(
            f"The path of a request and its query may have at most {self._longest_target:,} bytes; "
            "send less, or have the server's setting `http.max_target_bytes` raised."
        )

    def _keep(self, block: bytes) -> None:
        self._block = self._sender = None
        self._fields = parse_fields(block, most=self._edge.settings.max_header_count)
        if len(block) <= _KEPT_BLOCK:
            self._block = block

    def _begin(self, target: str, minor: int, fields: Fields, sender: Sender) -> None:
        """Begin a request whose head was read."""
        edge = self._edge
        self.persistent = bool(minor) and not fields.close and not edge.stopping
        own = edge.is_own(target)
        length = fields.length
        if fields.continues and minor and not own:
            # The client waits to learn whether it should send its body.
            edge.expected(self._method, target, fields.headers.get("host", ""))
        if length != 0:
            self._limit = edge.own_body_bytes if own else edge.settings.max_body_bytes
            self._own = own
            if length is not None and length > self._limit:
                raise too_large(self._limit, length, own=own)
            if not own and fields.encoding.lower() not in {"", "identity"}:
                raise UnsupportedMedia(
                    "A request's body must not have a content-encoding; send it uncompressed.",
                    codings=["identity"],
                )
        request: EngineRequest | Exchange
        if own:
            path = target.partition("?")[0]
            if "%" in path or "#" in path:
                check_path(path)
            request = EngineRequest(self)
            request.begin(
                fields, method=self._method, target=target, minor=minor, identity=edge.identify(sender), sender=sender
            )
        else:
            request = Exchange(
                channel=self, edge=edge, method=self._method, target=target, modern=bool(minor), sender=sender
            )
        self.requests.append(request)
        if length == 0:
            self._complete()
            return
        self._received = self._counted = 0
        if length is None:
            self._decoder = Chunks(
                data=self._piece,
                end=self._chunks_end,
                too_large=self._chunks_too_large,
                most=self._limit,
                most_trailer_bytes=self._most_bytes,
                most_trailers=edge.settings.max_header_count,
            )
        else:
            self._left = length
        self.resetTimeout()
        if fields.continues and minor and not self._input:
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _take_counted(self) -> None:
        data, self._input = self._input[: self._left], self._input[self._left :]
        self._left -= len(data)
        self._piece(data)
        if not self._left:
            self._complete()

    def _take_chunked(self) -> None:
        data, self._input = self._input, b""
        try:
            self._decoder.take(data)
        except EngineError as error:
            self.refuse(error, self._sender)

    def _chunks_too_large(self) -> None:
        raise too_large(self._limit, None, own=self._own)

    def _chunks_end(self, rest: bytes) -> None:
        if not self._refused:
            self._input = rest
            self._complete()

    def _piece(self, data: bytes) -> None:
        if self._refused:
            return
        self._received += len(data)
        if self._received > self._limit:
            self.refuse(too_large(self._limit, None, own=self._own), self._sender)
            return
        if self._received - self._counted >= _BODY_STEP:
            self._counted = self._received
            self.resetTimeout()
        self.requests[-1].handleContentChunk(data)

    def _complete(self) -> None:
        self._decoder = None
        self._handlingRequest = True
        self.requests[-1].enter()

    # -- answering ----------------------------------------------------------------------------

    @property
    def congested(self) -> bool:
        """The client has not received what was sent."""
        return bool(self._waitingForTransport)

    def send(self, data: bytes) -> None:
        """See `upgraded.write_at_once`."""
        write_at_once(self.transport, self._send_now, data)

    def forget_head(self) -> None:
        """Keep no longer what was read of the last head, though the next may be the same."""
        self._block = self._fields = self._sender = None

    def stay(self) -> None:
        """Keep little, for the present answer may take days; no time runs while the client takes what is sent."""
        self.forget_head()
        self.setTimeout(None)

    def _time(self) -> None:
        """Have time run from now on."""
        if self.timeOut is None:
            self.setTimeout(self._edge.settings.idle_seconds)
        else:
            self.resetTimeout()

    def requestDone(self, request: Any) -> None:
        """The answer was written: the next request may come, or the connection ends."""
        assert request is self.requests[0]
        del self.requests[0]
        self._handlingRequest = False
        if not self.persistent or self._edge.stopping:
            self.loseConnection()
            return
        if self._paused_reading and not self._waitingForTransport:
            self._paused_reading = False
            self._networkProducer.resumeProducing()
        # As `resetTimeout`, for every request.
        self._since = self.seconds()
        if self.timeOut is None:
            self._time()
        if self._input and not self._looping:
            self._advance()

    def pauseProducing(self) -> None:
        """The client does not take what was sent: from here the clock runs."""
        if self._taker is not None:
            self._taker.pauseProducing()
            return
        super().pauseProducing()
        if not self._handlingRequest:
            self._paused_reading = True
        self._time()

    def resumeProducing(self) -> None:
        """The client takes more."""
        if self._taker is not None:
            self._taker.resumeProducing()
            return
        self._waitingForTransport = False
        self.resetTimeout()
        if self._requestProducer is not None:
            self._requestProducer.resumeProducing()
        if not self._handlingRequest:
            if self._paused_reading:
                self._paused_reading = False
                self._networkProducer.resumeProducing()
            if self._input and not self._looping:
                self._advance()

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Any) -> None:
        """See `HTTPChannel.writeHeaders`; for the engine's own answers."""
        headers.setRawHeaders(b"server", [b"aiwebengine"])
        if not self.persistent or self._edge.stopping:
            headers.setRawHeaders(b"connection", [b"close"])
        super().writeHeaders(version, code, reason, headers)

    # -- refusing and ending ------------------------------------------------------------------

    def refuse(self, error: EngineError, sender: Sender | None = None) -> None:
        """
        Answer *error* in place of the request that is being read, and end the connection.

        The client may still be sending.  Closing at once would reset the connection, and it would
        lose the answer; so only this side is closed, and what comes is thrown away for a while.
        """
        if self._refused:
            return
        self._refused = True
        self.persistent = False
        self._input = b""
        self.requests.clear()
        self.send(self._edge.refused(error, method=self._method, sender=sender))
        half_close = getattr(self.transport, "loseWriteConnection", None)
        if half_close is None or self._half_closed:
            self.loseConnection()
            return
        half_close()
        self.setTimeout(_LINGER_SECONDS)
        self._abortingCall = self.callLater(_LINGER_TOTAL_SECONDS, self.forceAbortClient)

    def _respondToBadRequestAndDisconnect(self) -> None:
        # twisted.web's own requests call this.
        self.refuse(Invalid("The request cannot be read."), self._sender)

    def readConnectionLost(self) -> None:
        """See `IHalfCloseableProtocol`; the client sends no more."""
        self._half_closed = True
        self.persistent = False
        if self._handlingRequest and not self._refused:
            self._patience = self.callLater(_HALF_CLOSED_SECONDS, self._give_up)
        elif not self._refused and (self._input or self.requests):
            self.refuse(Invalid("The request ended before it was complete."), self._sender)
        else:
            self.loseConnection()

    def _give_up(self) -> None:
        # An answer that was sent by now leaves at the client's pace.
        if self.requests and not self.requests[0].leaving:
            self.transport.abortConnection()

    def writeConnectionLost(self) -> None:
        """See `IHalfCloseableProtocol`: `refuse` asked for it."""

    def timed_out(self) -> None:
        """Something took too long."""
        if self._refused or (self._handlingRequest and self._waitingForTransport):
            self.transport.abortConnection()
        elif self._handlingRequest:
            # How long an answer may take is not decided here.
            self.setTimeout(self.timeOut)
        elif self._input or self.requests:
            self.refuse(TooSlow("The request did not arrive in time; send it without pauses."), self._sender)
        else:
            self.end()

    def end(self) -> None:
        """End a connection on which nothing is in progress; one that cannot be ended in time is cut."""
        if self._abortingCall is None:
            self._abortingCall = self.callLater(self.abortTimeout, self.forceAbortClient)
        self.loseConnection()

    def give_up(self, error: EngineError) -> None:
        """End now: a script's answer that has not begun is *error*, what has begun breaks off."""
        request = self.requests[0] if self._handlingRequest and self.requests else None
        if isinstance(request, Exchange) and not request.leaving:
            request.give_up(error)
        self.end()

    def loseConnection(self) -> None:
        """See `ITransport.loseConnection`; once is enough."""
        if not self._ending:
            self._ending = True
            super().loseConnection()

    @property
    def idle(self) -> bool:
        """No request is in progress, not even the beginning of one."""
        return not (self._handlingRequest or self._input or self.requests or self._refused)
