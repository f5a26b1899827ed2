"""
Chunked bodies (RFC 9112, section 7.1), read as they come.

    4;name=value CRLF      a size in hexadecimal, perhaps with extensions, which are ignored
    data CRLF              so many bytes
    0 CRLF                 the last chunk
    field: value CRLF      trailers: checked like header fields, then dropped
    CRLF

Whatever two programs could read in two ways is refused: a bare LF, spaces around a size, a chunk that is
longer than it says.  A size that the body's limit cannot hold is refused before its bytes come.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from aiwebengine.errors import HeadersTooLarge, Invalid
from aiwebengine.web.http.head import parse_fields

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
_LONGEST_LINE = 1024
_FORBIDDEN = frozenset({"content-length", "transfer-encoding", "host", "trailer", "content-encoding", "authorization"})
"""Fields that decide how a request is read or who may send it; a trailer comes too late for that (RFC 9110, 6.5.1)."""


class Chunks:
    """
    The body of one request.

    Args:
        data: Called with each piece of the body.
        end: Called once behind the last trailer, with the bytes that follow the body.
        too_large: Called with a chunk's size when the body would be larger than *most*; raises.
        most: Most bytes of the body.
        most_trailer_bytes: Most bytes of the trailers.
        most_trailers: Most trailers.
    """

    def __init__(
        self,
        *,
        data: Callable[[bytes], None],
        end: Callable[[bytes], None],
        too_large: Callable[[], None],
        most: int,
        most_trailer_bytes: int,
        most_trailers: int,
    ) -> None:
        self._data = data
        self._end = end
        self._too_large = too_large
        self._most = most
        self._most_trailer_bytes = most_trailer_bytes
        self._most_trailers = most_trailers
        self._input = b""
        self._left = 0
        """Bytes of the present chunk that are still to come."""
        self._step: Callable[[], bool] = self._size
        self._ended = False

    def take(self, data: bytes) -> None:
        """
        Take what comes.

        Raises:
            Invalid: It is not a chunked body; the message says why.
            HeadersTooLarge: There are too many trailers.
            TooLarge: From `too_large`.
        """
        self._input += data
        while self._input and not self._ended and self._step():
            pass

    def _size(self) -> bool:
        line = self._line(_LONGEST_LINE, "The size of a chunk")
        if line is None:
            return False
        found = _SIZE.fullmatch(line)
        if found is None:
            raise Invalid("A chunk of the body must begin with its size in hexadecimal digits and CRLF.")
        self._left = int(found[1], 16)
        if self._left > self._most:
            self._too_large()
        self._most -= self._left
        self._step = self._bytes if self._left else self._trailers
        return True

    def _bytes(self) -> bool:
        piece, self._input = self._input[: self._left], self._input[self._left :]
        self._left -= len(piece)
        if not self._left:
            self._step = self._after
        self._data(piece)
        return True

    def _after(self) -> bool:
        if len(self._input) < 2:
            if self._input != b"\r":
                raise Invalid("A chunk of the body is longer than its size says.")
            return False
        if self._input[:2] != b"\r\n":
            raise Invalid("A chunk of the body is longer than its size says.")
        self._input = self._input[2:]
        self._step = self._size
        return True

    def _trailers(self) -> bool:
        if self._input.startswith(b"\r\n"):
            block, size = b"", 2
        else:
            at = self._input.find(b"\r\n\r\n")
            if at > self._most_trailer_bytes or (at < 0 and len(self._input) > self._most_trailer_bytes):
                raise HeadersTooLarge(f"The trailers of a request may have at most {self._most_trailer_bytes:,} bytes.")
            if at < 0:
                return False
            block, size = self._input[:at], at + 4
        if block:
            fields = parse_fields(block, most=self._most_trailers)
            if wrong := sorted(_FORBIDDEN & fields.headers.keys()):
                raise Invalid(f"The field {wrong[0]} cannot be sent as a trailer; send it as a header.")
        rest, self._input = self._input[size:], b""
        self._ended = True
        self._end(rest)
        return True

    def _line(self, longest: int, what: str) -> bytes | None:
        at = self._input.find(b"\r\n")
        if at > longest or (at < 0 and len(self._input) > longest):
            raise Invalid(f"{what} may have at most {longest} characters, with its extensions.")
        if at < 0:
            return None
        line, self._input = self._input[:at], self._input[at + 2 :]
        return line
