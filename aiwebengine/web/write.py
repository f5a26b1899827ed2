"""From an answer to bytes on the wire."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from wsgiref.handlers import format_date_time

from aiwebengine.values import Answer

_BODYLESS = frozenset({204, 304})
_STATUS_LINES = {
    status: f"HTTP/1.1 {status} {HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else 'Status'}\r\n".encode()
    for status in range(200, 600)
}


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

    def whole(self, answer: Answer, *, request_id: str, head_only: bool, close: bool) -> bytes:
        """Give a complete answer; *head_only* for HEAD."""
        if answer.status in _BODYLESS:
            length, body = b"", b""
        else:
            length = b"content-length: %d\r\n" % len(answer.body)
            body = b"" if head_only else answer.body
        return b"".join(
            (
                self._start(answer, request_id),
                length,
                b"connection: close\r\n\r\n" if close else b"\r\n",
                body,
            )
        )

    def head(self, answer: Answer, *, request_id: str, chunked: bool, close: bool) -> bytes:
        """Give the head of an answer whose body follows in pieces."""
        return b"".join(
            (
                self._start(answer, request_id),
                b"transfer-encoding: chunked\r\n" if chunked else b"",
                b"connection: close\r\n\r\n" if close else b"\r\n",
            )
        )

    def _start(self, answer: Answer, request_id: str) -> bytes:
        second = int(self._seconds())
        if second != self._second:
            self._second = second
            self._common = b"date: " + format_date_time(second).encode("ascii") + b"\r\nserver: aiwebengine\r\nx-request-id: "
        parts = [_STATUS_LINES[answer.status]]
        for name, value in answer.headers:
            if name != b"x-request-id":
                parts += (name, b": ", value, b"\r\n")
        parts += (self._common, request_id.encode("ascii"), b"\r\n")
        return b"".join(parts)


def chunk(data: bytes) -> bytes:
    """Give one piece of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"
