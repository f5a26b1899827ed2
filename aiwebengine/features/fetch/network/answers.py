"""
Answers of servers, read by llhttp (`httptools`).

What a server may send without end is bounded here: the head with the interim answers (1xx) before it, and the fields
behind a chunked body.  Pieces of the body are handed on as they come, joined for each time that data arrived: a
server may send chunks of one byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from httptools import HttpParserError, HttpResponseParser

MOST_FIELDS = 500
"""Most header fields of an answer, with those of interim answers and those behind its body."""

_FIELD_BYTES = 4
_END = b"\r\n\r\n"
_INTERIM = range(100, 200)
_SWITCHING = 101


class NotHttp(Exception):
    """What arrived is no answer of HTTP."""


class HeadTooLarge(Exception):
    """The head of an answer has more bytes or fields than are allowed."""


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """The head of an answer."""

    status: int
    phrase: str
    headers: Sequence[tuple[str, str]]
    """Names in lower case."""


class AnswerParser:
    """
    One answer.

    Args:
        method: Of the request: an answer to HEAD has no body.
        most_head_bytes: Largest head.
    """

    def __init__(self, *, method: str, most_head_bytes: int) -> None:
        self.head: AnswerHead | None = None
        """Set when it has arrived."""
        self.complete = False
        """Whether the answer is over."""
        self.ends_with_connection = False
        """Whether only the end of the connection ends the body."""
        self._persistent = False
        self._surplus = False
        self._without_body = method == "HEAD"
        self._most_head_bytes = self._left = most_head_bytes
        self._interim = False
        self._phrase = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._field_count = 0
        self._field_bytes = 0
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append
        self._parser = HttpResponseParser(self)

    @property
    def reusable(self) -> bool:
        """Whether the connection can be used for another request, once the answer is over."""
        return self.complete and self._persistent and not self._surplus

    def feed(self, data: bytes) -> bytes:
        """
        Read what arrived.

        Returns:
            Which part of it belongs to the body.

        Raises:
            NotHttp, HeadTooLarge: See there.
        """
        told = self.complete
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            if isinstance(error.__context__, HeadTooLarge | NotHttp):
                raise error.__context__ from None
            if not self.complete:
                raise NotHttp(str(error)) from None
            self._surplus = True
        if self.head is None:
            self._left -= len(data)
            if self._left < 0:
                raise HeadTooLarge
        if self._without_body and self.complete:
            # Its length may be stated nevertheless, so that the parser waits for it.
            self._surplus = self._surplus or told or bool(self._pieces) or not _END.endswith(data[-len(_END) :])
            self._pieces.clear()
        if not self._pieces:
            return b""
        piece = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        return piece

    def on_message_begin(self) -> None:
        """See `httptools.HTTPProtocol`."""
        if self.complete:
            self._surplus = True

    def on_status(self, status: bytes) -> None:
        """See `httptools.HTTPProtocol`: a piece of the phrase."""
        self._phrase += status

    def on_header(self, name: bytes, value: bytes) -> None:
        """See `httptools.HTTPProtocol`: a field of a head, or one behind the body."""
        self._field_count += 1
        self._field_bytes += len(name) + len(value) + _FIELD_BYTES
        if self._field_count > MOST_FIELDS or self._field_bytes > self._most_head_bytes:
            raise HeadTooLarge
        if self.head is None:
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """See `httptools.HTTPProtocol`."""
        if self.complete:
            return
        status = self._parser.get_status_code()
        self._interim = status in _INTERIM
        if self._interim:
            if status == _SWITCHING:
                raise NotHttp("it changes the protocol, which nobody asked for")
            self._phrase = b""
            self._fields.clear()
            return
        self._persistent = self._parser.should_keep_alive()
        headers = [
            (name.decode("latin-1").lower(), value.rstrip(b"\t ").decode("latin-1")) for name, value in self._fields
        ]
        self.head = AnswerHead(status, self._phrase.decode("latin-1"), headers)
        if self._without_body:
            self.complete = True
            return
        codings = [value for name, value in headers if name == "transfer-encoding"]
        if codings:
            self.ends_with_connection = not codings[-1].lower().endswith("chunked")
        else:
            self.ends_with_connection = not any(name == "content-length" for name, _ in headers)

    def on_message_complete(self) -> None:
        """See `httptools.HTTPProtocol`."""
        if not self._interim:
            self.complete = True
