"""
Chunked bodies (RFC 9112, section 7.1), read as they come.

    4;name=value CRLF      a size in hexadecimal, perhaps with extensions, which are ignored
    data CRLF              this many bytes
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
_PLAIN_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
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
        self._at = 0
        """Where the next step reads on in the input."""
        self._pieces: list[bytes] = []
        """What has arrived of the body and was not returned."""
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
        self._input = self._input + data if self._input else data
        self._at = 0
        while self._at < len(self._input) and not self._ended and self._step():
            if self._step == self._size:
                self._whole_chunks()
        if not self._ended:
            self._input = self._input[self._at :]
            self._pass_on()

    def _size(self) -> bool:
        line = self._line(_LONGEST_LINE, "The size of a chunk")
        if line is None:
            return False
        match = _SIZE.fullmatch(line)
        if match is None:
            raise Invalid("A chunk of the body must begin with its size in hexadecimal digits and CRLF.")
        self._left = int(match[1], 16)
        if self._left > self._most:
            self._too_large()
        self._most -= self._left
        self._step = self._bytes if self._left else self._trailers
        return True

    def _whole_chunks(self) -> None:
        """Take the chunks that are here as a whole and without extensions; there may be thousands of a few bytes."""
        data, at, most = self._input, self._at, self._most
        while match := _PLAIN_SIZE.match(data, at):
            begin = match.end()
            end = begin + int(match[1], 16)
            if begin == end or end - begin > most or data[end : end + 2] != b"\r\n":
                break
            self._pieces.append(data[begin:end])
            most -= end - begin
            at = end + 2
        self._at, self._most = at, most

    def _bytes(self) -> bool:
        piece = self._input[self._at : self._at + self._left]
        self._at += len(piece)
        self._left -= len(piece)
        if not self._left:
            self._step = self._after
        self._pieces.append(piece)
        return True

    def _pass_on(self) -> None:
        """Return what has arrived of the body: clients may send it byte by byte."""
        pieces, self._pieces = self._pieces, []
        if pieces:
            self._data(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _after(self) -> bool:
        mark = self._input[self._at : self._at + 2]
        if mark == b"\r":
            return False
        if mark != b"\r\n":
            raise Invalid("A chunk of the body is longer than its size says.")
        self._at += 2
        self._step = self._size
        return True

    def _trailers(self) -> bool:
        data = self._input[self._at :]
        if data.startswith(b"\r\n"):
            block, size = b"", 2
        else:
            at = data.find(b"\r\n\r\n")
            if at > self._most_trailer_bytes or (at < 0 and len(data) > self._most_trailer_bytes):
                raise HeadersTooLarge(f"The trailers of a request may have at most {self._most_trailer_bytes:,} bytes.")
            if at < 0:
                return False
            block, size = data[:at], at + 4
        if block:
            fields = parse_fields(block, most=self._most_trailers)
            if wrong := sorted(_FORBIDDEN & fields.headers.keys()):
                raise Invalid(f"The field {wrong[0]} cannot be a trailer; send it as a header.")
        self._input = b""
        self._ended = True
        self._pass_on()
        self._end(data[size:])
        return True

    def _line(self, longest: int, what: str) -> bytes | None:
        end = self._input.find(b"\r\n", self._at, self._at + longest + 2)
        if end < 0:
            if len(self._input) - self._at > longest + 1:
                raise Invalid(f"{what} may have at most {longest} characters, with its extensions.")
            return None
        line = self._input[self._at : end]
        self._at = end + 2
        return line
