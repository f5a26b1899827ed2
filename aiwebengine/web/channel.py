"""
HTTP/1.1 connections: twisted.web's, with refusals that say what is wrong.

twisted.web answers everything it refuses with a bare 400 and parses forms and uploads
itself, all in memory.  Here a refusal is a proper problem, a body that is too large is
refused before any of it is kept, and bodies are left alone.

A refused client may still be sending.  Closing at once would reset the connection and lose
the answer, so what comes is thrown away for a moment first.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from twisted.web import http, server

from aiwebengine.errors import EngineError, HeadersTooLarge, Invalid, TooLarge
from aiwebengine.settings.schema import HttpSettings

_LINGER_SECONDS = 2.0
_LINGER_BYTES = 64 * 1024 * 1024


class Channel(http.HTTPChannel):
    """One connection.  `make_channel` gives the class its settings."""

    settings: HttpSettings
    refused: Callable[[EngineError, bytes, str], bytes]
    """Makes the bytes of the answer to a refusal: error, method, `accept`."""
    body_limit: Callable[[bytes], int]
    """Gives the largest body for a request target."""

    _reason: EngineError | None = None
    _thrown_away = -1
    _lingering: IDelayedCall | None = None

    def lineReceived(self, line: bytes) -> None:
        """See `HTTPChannel.lineReceived`: here only to know why a header is refused."""
        if self._receivedHeaderSize + len(line) > self.totalHeadersSize:
            self._reason = HeadersTooLarge(
                f"The request's headers may have at most {self.totalHeadersSize:,} bytes; send fewer or shorter ones."
            )
        super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """A single line is longer than any that is taken."""
        self._reason = HeadersTooLarge(
            f"A line of the request's head may have at most {self.MAX_LENGTH:,} bytes; send a shorter address or header."
        )
        self._respondToBadRequestAndDisconnect()

    def headerReceived(self, line: bytes) -> bool:
        """See `HTTPChannel.headerReceived`: here only to know why a header is refused."""
        if self._receivedHeaderCount >= self.maxHeaders:
            self._reason = HeadersTooLarge(f"A request may have at most {self.maxHeaders} headers; send fewer.")
        elif line[:18].lower() == b"transfer-encoding:":
            self._reason = Invalid("The transfer-encoding of the request is not chunked, or it also has a length.")
        elif line[:15].lower() == b"content-length:":
            self._reason = Invalid("The content-length of the request is not one number.")
        else:
            self._reason = Invalid("A header of the request is not a name, a colon and a value.")
        return bool(super().headerReceived(line))

    def allHeadersReceived(self) -> None:
        """Refuse a body that is too large before any of it is read."""
        limit = self.body_limit(self._path)
        if self.length is not None and self.length > limit:
            self._refuse(too_large(limit, self.length))
            return
        self._reason = Invalid("The body of the request is not what its head announced.")
        request = self.requests[-1]
        request.body_limit = limit
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        """See `HTTPChannel.rawDataReceived`; what a refused client goes on sending is thrown away."""
        if self._thrown_away < 0:
            super().rawDataReceived(data)

    def dataReceived(self, data: bytes) -> None:
        """Take what comes, or throw it away once the client was refused."""
        if self._thrown_away < 0:
            super().dataReceived(data)
            return
        self._thrown_away += len(data)
        if self._thrown_away > _LINGER_BYTES:
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  twisted gives it a default
        """End what waits for this connection."""
        if self._lingering is not None and self._lingering.active():
            self._lingering.cancel()
        super().connectionLost(reason)

    def refuse(self, error: EngineError) -> None:
        """Answer *error* in place of the request that is being read, and close."""
        self._refuse(error)

    def _respondToBadRequestAndDisconnect(self) -> None:
        # twisted.web calls this for everything it cannot read.
        self._refuse(self._reason or Invalid("The request's first line is not a method, a target and HTTP/1.1."))

    def _refuse(self, error: EngineError) -> None:
        if self._thrown_away >= 0:
            return
        self._thrown_away = 0
        method, accept = getattr(self, "_command", b""), ""
        if self.requests:
            values = self.requests[-1].requestHeaders.getRawHeaders(b"accept", [b""])
            accept = values[0].decode("latin-1")
        self.setRawMode()
        self.setTimeout(None)
        self.transport.write(self.refused(error, method, accept))
        half_close = getattr(self.transport, "loseWriteConnection", None)
        if half_close is not None:
            half_close()
        self._lingering = self.callLater(_LINGER_SECONDS, self.transport.abortConnection)


class EdgeRequest(server.Request):
    """
    One request: the engine's own go on to twisted.web's site, scripts' go straight to the edge.

    `make_channel` gives the class its two callables.
    """

    is_own: Callable[[bytes], bool]
    """Tells whether a path belongs to the engine."""
    enter: Callable[[EdgeRequest], None]
    """Takes a request for scripts."""

    body_limit = 0
    gone: Callable[[], None] | None = None
    """Told when the client has gone before the answer was complete."""

    def gotLength(self, length: int | None) -> None:
        """Keep the body in memory: it is bounded already."""
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        """Keep a piece of the body, unless that makes it too large."""
        content: Any = self.content
        if content.tell() + len(data) > self.body_limit:
            self.channel.refuse(too_large(self.body_limit, None))
            return
        content.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """The request is complete."""
        if self.channel._thrown_away >= 0:  # noqa: SLF001  it was refused while its body came
            return
        if self.is_own(path):
            super().requestReceived(command, path, version)
            return
        self.method, self.uri, self.clientproto = command, path, version
        self.enter()

    def connectionLost(self, reason: Failure) -> None:
        """Tell who works on the answer."""
        gone, self.gone = self.gone, None
        super().connectionLost(reason)
        if gone is not None:
            gone()

    def complete(self) -> None:
        """Be done: the answer has been written; the next request of the connection may come."""
        self.gone = None
        self.finished = 1
        self._cleanup()


def too_large(limit: int, length: int | None) -> TooLarge:
    """Say that a body is too large."""
    told = f"this one has {length:,}" if length is not None else "this one has more"
    return TooLarge(f"The request's body may have at most {limit:,} bytes; {told}.")
