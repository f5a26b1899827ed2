"""
Frames that a client sends, and the messages that they come to (RFC 6455, 5; RFC 7692, 7).

A frame is checked as soon as its first bytes are there, and its payload is taken as it comes:

    81 85 37fa213d 7f9f4d5158        a text of five bytes behind its mask: "Hello"
    01 83 ... 80 82 ...              a text in two fragments, of three and of two bytes
    89 80 ...                        a ping, which may come between two fragments

Of an idle connection there is nothing but the reader itself; a message that has begun has an object of its own.
"""

from __future__ import annotations

import codecs
import zlib
from typing import Protocol

from aiwebengine.settings.schema import WebSocketSettings
from aiwebengine.web.websocket.frames import BINARY, CLOSE, PING, PONG, TEXT

CONTINUATION = 0

PROTOCOL_ERROR = 1002
NO_STATUS = 1005
BAD_PAYLOAD = 1007
TOO_LARGE = 1009

_FINAL = 0x80
_COMPRESSED = 0x40
_UNKNOWN_BITS = 0x30
_MASKED = 0x80
_SIZE = 0x7F
_OPCODES = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
_LONGEST_CONTROL = 125
_TWO_BYTES, _EIGHT_BYTES = 126, 127
_MASK_BYTES = 4
_FLUSH = b"\0\0\xff\xff"
"""What a client leaves out at the end of a compressed message."""
_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})
"""Codes below 3000 that a closing frame may have."""
_OWN_CODES = range(3000, 5000)
_FIRST_SURROGATE = b"\xed\xa0"
"""From here to the end of the lead byte are halves of surrogate pairs, which UTF-8 does not have."""


class FrameEvents(Protocol):
    """Receives what a client has said."""

    def message(self, data: bytes, *, binary: bool) -> None:
        """A message is complete; a text is valid UTF-8."""

    def pinged(self, data: bytes) -> None:
        """The client has sent a ping, and expects the same data back."""

    def closing(self, code: int, reason: str) -> None:
        """The client has sent a closing frame, without a code if it is 1005; nothing follows."""

    def broken(self, code: int, reason: str) -> None:
        """The client has broken the protocol or a limit; nothing that follows is read."""


class BrokenFrame(Exception):
    """What a client sent cannot be accepted; the arguments are the code of a closing frame, and why."""


class FrameReader:
    """
    See the module.

    Args:
        events: Told what came.
        settings: The limits.
        compressed: permessage-deflate was agreed upon.
    """

    __slots__ = ("_compressed", "_events", "_input", "_message", "_settings", "over")

    def __init__(self, *, events: FrameEvents, settings: WebSocketSettings, compressed: bool) -> None:
        self._events = events
        self._settings = settings
        self._compressed = compressed
        self._input = b""
        """The beginning of a frame."""
        self._message: IncomingMessage | None = None
        self.over = False
        """Nothing more is read."""

    @property
    def compressed(self) -> bool:
        """A few bytes may come to a long message."""
        return self._compressed

    @property
    def frame_rest(self) -> int:
        """How many bytes of the payload that has begun are still to come."""
        return self._message.left if self._message is not None else 0

    def take(self, data: bytes) -> None:
        """Take what has come."""
        if self._input:
            data, self._input = self._input + data, b""
        try:
            at = 0
            while at < len(data) and not self.over:
                message = self._message
                if message is not None and message.left:
                    piece = data[at : at + message.left]
                    at += len(piece)
                    self._continue(message, piece)
                    continue
                end = self._begin_frame(data, at)
                if not end:
                    self._input = data[at:]
                    return
                at = end
        except BrokenFrame as error:
            self.stop()
            self._events.broken(*error.args)

    def stop(self) -> None:
        """Read no more."""
        self.over = True
        self._message = None
        self._input = b""

    def _begin_frame(self, data: bytes, at: int) -> int:
        """Take the head of a frame, and all of a control frame; return where that ends, 0 if it is not complete."""
        if len(data) - at < 2:
            return 0
        first, second = data[at], data[at + 1]
        self._check(first, second)
        size, start = second & _SIZE, at + 2
        if size >= _TWO_BYTES:
            start += 2 if size == _TWO_BYTES else 8
            if len(data) < start:
                return 0
            size = _long_size(size, data[at + 2 : start])
        opcode = first & 0x0F
        end = start + _MASK_BYTES
        if opcode >= CLOSE:
            if len(data) < end + size:
                return 0
            self._control(opcode, unmasked(data[end : end + size], data[start:end]))
            return end + size
        if len(data) < end:
            return 0
        message = self._message
        if message is None:
            deflated = bool(first & _COMPRESSED)
            message = self._message = IncomingMessage(
                binary=opcode == BINARY, deflated=deflated, most_bytes=self._settings.max_message_bytes
            )
        if size > self._settings.max_frame_bytes:
            raise BrokenFrame(TOO_LARGE, f"a frame may have at most {self._settings.max_frame_bytes} bytes")
        message.begin_frame(size, mask=data[start:end], final=bool(first & _FINAL))
        if not size:
            self._continue(message, b"")
        return end

    def _check(self, first: int, second: int) -> None:
        opcode = first & 0x0F
        control = opcode >= CLOSE
        if not second & _MASKED:
            raise BrokenFrame(PROTOCOL_ERROR, "a client must mask its frames")
        if opcode not in _OPCODES:
            raise BrokenFrame(PROTOCOL_ERROR, f"the opcode {opcode} is unknown")
        starts_data = opcode in {TEXT, BINARY}
        if first & _UNKNOWN_BITS or (first & _COMPRESSED and not (self._compressed and starts_data)):
            raise BrokenFrame(PROTOCOL_ERROR, "a reserved bit is set")
        if control and (not first & _FINAL or second & _SIZE > _LONGEST_CONTROL):
            raise BrokenFrame(PROTOCOL_ERROR, "a control frame is too long or is fragmented")
        if not control and starts_data == (self._message is not None):
            raise BrokenFrame(
                PROTOCOL_ERROR,
                "a message begins before the last one has ended" if starts_data else "no message is to be continued",
            )

    def _control(self, opcode: int, data: bytes) -> None:
        if opcode == PING:
            self._events.pinged(data)
        elif opcode == CLOSE:
            code, reason = _closing(data)
            self.stop()
            self._events.closing(code, reason)

    def _continue(self, message: IncomingMessage, piece: bytes) -> None:
        message.add(piece)
        if message.complete:
            self._message = None
            data = message.end()
            self._events.message(data, binary=message.binary)


class IncomingMessage:
    """
    A message that is being received.

    Args:
        binary: It is no text.
        deflated: It is compressed.
        most_bytes: Largest message.
    """

    __slots__ = ("_final", "_inflate", "_mask", "_most", "_pieces", "_size", "_utf8", "binary", "left")

    def __init__(self, *, binary: bool, deflated: bool, most_bytes: int) -> None:
        self.binary = binary
        self.left = 0
        """How many bytes of the frame in hand are still to come."""
        self._most = most_bytes
        self._mask = b""
        self._final = False
        self._pieces: list[bytes] = []
        self._size = 0
        # The client begins each message anew, so no window is kept.
        self._inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS) if deflated else None
        self._utf8 = None if binary else codecs.getincrementaldecoder("utf-8")()

    @property
    def complete(self) -> bool:
        """Nothing of it is still to come."""
        return self._final and not self.left

    def begin_frame(self, size: int, *, mask: bytes, final: bool) -> None:
        """
        Expect the payload of a frame.

        Raises:
            BrokenFrame: The message becomes too large.
        """
        if self._inflate is None and self._size + size > self._most:
            raise self._too_large()
        self.left, self._mask, self._final = size, mask, final

    def add(self, piece: bytes) -> None:
        """
        Take a piece of a frame's payload.

        Raises:
            BrokenFrame: It is not UTF-8, cannot be decompressed, or makes the message too large.
        """
        data = unmasked(piece, self._mask)
        self.left -= len(piece)
        if self.left:
            turn = len(piece) % _MASK_BYTES
            self._mask = self._mask[turn:] + self._mask[:turn]
        if self._inflate is not None:
            data = self._inflated(data)
        self._keep(data)

    def end(self) -> bytes:
        """
        Return the message, which is complete.

        Raises:
            BrokenFrame: See `add`.
        """
        if self._inflate is not None:
            self._keep(self._inflated(_FLUSH))
        if self._utf8 is not None:
            self._check_text(b"", final=True)
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def _keep(self, data: bytes) -> None:
        if data:
            self._pieces.append(data)
            self._size += len(data)
            if self._utf8 is not None:
                self._check_text(data, final=False)

    def _inflated(self, data: bytes) -> bytes:
        assert self._inflate is not None
        room = self._most - self._size
        try:
            inflated = self._inflate.decompress(data, room + 1)
        except zlib.error:
            raise BrokenFrame(BAD_PAYLOAD, "a message cannot be decompressed") from None
        if len(inflated) > room:
            raise self._too_large()
        return inflated

    def _check_text(self, data: bytes, *, final: bool) -> None:
        assert self._utf8 is not None
        try:
            self._utf8.decode(data, final)
        except UnicodeDecodeError:
            raise BrokenFrame(BAD_PAYLOAD, "a text is not UTF-8") from None
        # Python's decoder waits for the third byte of what can only be half of a surrogate pair.
        begun = self._utf8.getstate()[0]
        if begun[:1] == _FIRST_SURROGATE[:1] and begun >= _FIRST_SURROGATE:
            raise BrokenFrame(BAD_PAYLOAD, "a text is not UTF-8")

    def _too_large(self) -> BrokenFrame:
        return BrokenFrame(TOO_LARGE, f"a message may have at most {self._most} bytes")


def unmasked(data: bytes, mask: bytes) -> bytes:
    """Return *data* without its mask, which repeats every four bytes."""
    size = len(data)
    key = mask * (size // _MASK_BYTES + 1)
    return (int.from_bytes(data, "little") ^ int.from_bytes(key[:size], "little")).to_bytes(size, "little")


def _long_size(kind: int, written: bytes) -> int:
    size = int.from_bytes(written, "big")
    least, most = (_TWO_BYTES, 1 << 16) if kind == _TWO_BYTES else (1 << 16, 1 << 63)
    if not least <= size < most:
        raise BrokenFrame(PROTOCOL_ERROR, "the size of a frame is not in its shortest form")
    return size


def _closing(data: bytes) -> tuple[int, str]:
    """Return the code and the reason of a closing frame."""
    if not data:
        return NO_STATUS, ""
    code = int.from_bytes(data[:2], "big")
    if len(data) < 2 or not (code in _CODES or code in _OWN_CODES):
        raise BrokenFrame(PROTOCOL_ERROR, "a closing frame has a code that must not be sent")
    try:
        return code, data[2:].decode()
    except UnicodeDecodeError:
        raise BrokenFrame(BAD_PAYLOAD, "the reason of a closing frame is not UTF-8") from None
