"""
Bodies of requests and answers, no further ahead than the other side can take.

    request   bytes that are there, or pieces that a script writes one after the other
    answer    pieces that a script reads, without their content codings; if it does not, nothing more is read from
              the connection
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from zope.interface import implementer

from aiwebengine.errors import Cancelled, Closed, EngineError, TooLarge
from aiwebengine.features.fetch.network.decoding import Decoder, DecodingFailed, Plain
from aiwebengine.features.fetch.network.failures import explained, too_large, too_slow, unavailable
from aiwebengine.interfaces import Clock

_HIGH_BYTES = 256 * 1024
"""More than so much that was not read stops reading from the connection."""


@implementer(IBodyProducer)
class BytesBody:
    """A body that is there."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.length = len(data)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """See `IBodyProducer`."""
        consumer.write(self.data)
        return succeed(None)

    def pauseProducing(self) -> None:
        """See `IBodyProducer`: all of it is written."""

    def resumeProducing(self) -> None:
        """See `IBodyProducer`: all of it is written."""

    def stopProducing(self) -> None:
        """See `IBodyProducer`: all of it is written."""


@implementer(IBodyProducer)
class WrittenBody:
    """
    A body that is written piece by piece.

    Args:
        length: Its size in bytes; None if that is not known.
        most_bytes: Its largest size.
    """

    def __init__(self, *, length: int | None, most_bytes: int) -> None:
        self.length = UNKNOWN_LENGTH if length is None else length
        self._left = most_bytes if length is None else min(length, most_bytes)
        self._exact = length is not None and length <= most_bytes
        self._most_bytes = most_bytes
        self._consumer: Any = None
        self._paused = False
        self._ended = False
        self._failed: EngineError | None = None
        self._waiting: Deferred[None] | None = None
        """Of the writer; fires when more can be accepted."""
        self._finished: Deferred[None] = Deferred(lambda _: None)
        self._held: list[bytes] = []
        """Written before there was a connection."""

    def write(self, data: bytes) -> Deferred[None]:
        """
        Add a piece.

        Returns:
            Fires when the next one can be accepted.

        Raises:
            TooLarge, Closed: It is too much, or the body has ended.
        """
        if self._failed is not None:
            raise self._failed
        if self._ended or self._waiting is not None:
            raise Closed("fetch: the body of this request has ended already.")
        if len(data) > self._left:
            error = self._too_much()
            self.fail(error)
            raise error
        self._left -= len(data)
        if self._consumer is None:
            self._held.append(data)
        else:
            self._consumer.write(data)
        if self._consumer is not None and not self._paused:
            return succeed(None)
        self._waiting = Deferred()
        return self._waiting

    def end(self) -> None:
        """
        End the body.

        Raises:
            Closed: It has fewer bytes than was said.
        """
        if self._ended:
            return
        self._ended = True
        if self._exact and self._left:
            error = Closed(f"fetch: the body ended {self._left} bytes before the length that was given.")
            self.fail(error)
            raise error
        if self._consumer is not None and not self._finished.called:
            self._finished.callback(None)

    def fail(self, error: EngineError) -> None:
        """End the request: its body cannot be completed."""
        self._failed = error
        self._ended = True
        if self._consumer is not None and not self._finished.called:
            self._finished.errback(Failure(error))
        self._tell_writer()

    @property
    def failed(self) -> EngineError | None:
        """Why the body cannot be completed; None if it can."""
        return self._failed

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """See `IBodyProducer`."""
        self._consumer = consumer
        for piece in self._held:
            consumer.write(piece)
        self._held.clear()
        if self._failed is not None:
            self._finished.errback(Failure(self._failed))
        elif self._ended:
            self._finished.callback(None)
        elif not self._paused:
            self._tell_writer()
        return self._finished

    def pauseProducing(self) -> None:
        """See `IBodyProducer`."""
        self._paused = True

    def resumeProducing(self) -> None:
        """See `IBodyProducer`."""
        self._paused = False
        self._tell_writer()

    def stopProducing(self) -> None:
        """See `IBodyProducer`: the rest is not read."""
        self._ended = True
        self._failed = self._failed or Closed("fetch: the server accepts no more of the body of this request.")
        self._tell_writer()

    def _too_much(self) -> TooLarge:
        if self._exact:
            return too_large("fetch: the body is longer than the length that was given.")
        return too_large(f"fetch: the body of a request may have at most {self._most_bytes} bytes.")

    def _tell_writer(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)


class AnswerBody(Protocol):
    """
    The body of an answer.

    Args:
        decoders: Undo its content codings, in this order.
        most_bytes: Its largest size, without codings.
        idle_seconds: Longest time without any data while it is read.
        clock: Measures that.
        server: For people.
    """

    def __init__(
        self, *, decoders: Sequence[Decoder], most_bytes: int, idle_seconds: float, clock: Clock, server: str
    ) -> None:
        self._stages: list[Decoder] = [Plain(), *decoders]
        self._most_bytes = most_bytes
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._server = server
        self._taken = 0
        self._unread = 0
        self._paused = False
        self._complete = False
        self._error: EngineError | None = None
        self._reader: Deferred[None] | None = None

    def dataReceived(self, data: bytes) -> None:
        """Take what arrives."""
        self._stages[0].feed(data)
        self._unread += len(data)
        if self._unread > _HIGH_BYTES and not self._paused:
            self._paused = True
            self._connection().pauseProducing()
        self._wake()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The body is complete, or never will be."""
        error = reason.value if reason is not None else None
        # Without a length a body ends with its connection.
        self._complete = isinstance(error, ResponseDone | PotentialDataLoss)
        if self._complete:
            # Its connection may serve the next request already.
            self._paused = False
        elif self._error is None:
            self._error = explained(error, server=self._server)
        self._wake()

    @property
    def is_complete(self) -> bool:
        """Whether all of it has arrived."""
        return self._complete

    def take(self, most: int) -> bytes:
        """
        Return what can be read at once; empty if there is nothing now, or no more at all.

        Args:
            most: About this many bytes; one piece may pass that.

        Raises:
            EngineError: It fails, or is too large.
        """
        pieces: list[bytes] = []
        size = 0
        try:
            while size < most and (piece := self._pull(len(self._stages) - 1)):
                pieces.append(piece)
                size += len(piece)
            if size < most:
                self._drained()
                if self._complete:
                    for stage in self._stages:
                        stage.finish()
        except DecodingFailed as error:
            self._stop(
                unavailable(
                    "decoding", f"fetch: the answer of {self._server} does not fit its content-encoding: {error}."
                )
            )
        self._taken += size
        if self._taken > self._most_bytes:
            self._stop(
                too_large(
                    f"fetch: the answer of {self._server} is larger than {self._most_bytes} bytes, which are allowed."
                )
            )
        if self._error is not None and (size == 0 or isinstance(self._error, TooLarge)):
            raise self._error
        return b"".join(pieces)

    async def read(self, most: int) -> bytes:
        """
        Return the next piece; empty at the end.

        Raises:
            EngineError: It fails, is too large, or takes too long.
        """
        while True:
            piece = self.take(most)
            if piece or self._complete:
                return piece
            if self._reader is not None:
                raise Closed("fetch: this body is being read already.")
            waiting: Deferred[None] = Deferred(lambda _: None)
            self._reader = waiting
            late = self._clock.callLater(self._idle_seconds, self._too_slow)
            try:
                await waiting
            finally:
                self._reader = None
                if late.active():
                    late.cancel()

    def abort(self) -> None:
        """End the connection: the rest is not read."""
        self._stop(Cancelled("fetch: the request was cancelled."))

    def _pull(self, stage: int) -> bytes:
        piece = self._stages[stage].take()
        while not piece and stage:
            below = self._pull(stage - 1)
            if not below:
                return b""
            self._stages[stage].feed(below)
            piece = self._stages[stage].take()
        return piece

    def _drained(self) -> None:
        self._unread = 0
        if self._paused:
            self._paused = False
            self._connection().resumeProducing()

    def _too_slow(self) -> None:
        self._stop(too_slow(f"fetch: {self._server} sent nothing of its answer for {self._idle_seconds:g} s."))

    def _stop(self, error: EngineError) -> None:
        if self._error is None:
            self._error = error
        if not self._complete and self.transport is not None:
            connection = self._connection()
            # Closing a connection that is paused would wait for what is never read.
            (getattr(connection, "abortConnection", None) or connection.loseConnection)()
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.called:
            self._reader.callback(None)

    def _connection(self) -> Any:
        return self.transport
