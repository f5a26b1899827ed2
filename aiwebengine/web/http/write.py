"""From an answer to bytes on the wire."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from wsgiref.handlers import format_date_time

from aiwebengine.values import Answer

_BODYLESS = frozenset({204, 304})
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_STATUS_LINES = {
    status: f"HTTP/1.1 {status} {_PHRASES.get(status, 'Status')}\r\n".encode("ascii") for status in range(200, 600)
}
_OURS = frozenset({b"x-request-id", b"date", b"server"})
_MAX_HEADS = 256
_MAX_HEAD = 1024

LAST_CHUNK = b"0\r\n\r\n"
"""Ends a chunked body."""


class Writer:
    """
    Makes the bytes of answers.

    Args:
        seconds: The time, since 1970, for the Date header.
    """

    def __init__(self, *, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._second = 0
        self._common = b""
        self._heads: dict[tuple[int, tuple[tuple[bytes, bytes], ...]], bytes] = {}

    def whole(self, answer: Answer, *, request_id: str, head_only: bool, close: bool) -> bytes:
        """Return a complete answer; *head_only* for HEAD."""
        status, headers, body, _ = answer
        start = self._start(status, headers)
        end = b"connection: close\r\n\r\n" if close else b"\r\n"
        if status in _BODYLESS:
            return b"%b%b\r\n%b" % (start, request_id.encode("ascii"), end)
        return b"%b%b\r\ncontent-length: %d\r\n%b%b" % (
            start,
            request_id.encode("ascii"),
            len(body),
            end,
            b"" if head_only else body,
        )

    def head(self, answer: Answer, *, request_id: str, chunked: bool, close: bool, length: int | None = None) -> bytes:
        """Return the head of an answer whose body follows in pieces; *length* is that of the body, if it is known."""
        return b"".join(
            (
                self._start(answer.status, answer.headers),
                request_id.encode("ascii"),
                b"\r\ntransfer-encoding: chunked\r\n" if chunked else b"\r\n",
                b"" if length is None else b"content-length: %d\r\n" % length,
                b"connection: close\r\n\r\n" if close else b"\r\n",
            )
        )

    def _start(self, status: int, headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
        """Return status line and headers up to the value of x-request-id."""
        second = int(self._seconds())
        if second != self._second:
            self._second = second
            self._common = (
                b"date: " + format_date_time(second).encode("ascii") + b"\r\nserver: aiwebengine\r\nx-request-id: "
            )
        # Most answers of a server say the same as some before.
        return (self._heads.get((status, headers)) or self._given(status, headers)) + self._common

    def _given(self, status: int, headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
        """Return what the answer itself says."""
        pairs = [b"%b: %b\r\n" % pair for pair in headers if pair[0] not in _OURS]
        head = b"".join([_STATUS_LINES[status], *pairs])
        if len(self._heads) >= _MAX_HEADS:
            self._heads.clear()
        if len(head) <= _MAX_HEAD:
            self._heads[status, headers] = head
        return head


def chunk(data: bytes) -> bytes:
    """Return one piece of a chunked body; *data* must not be empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)
