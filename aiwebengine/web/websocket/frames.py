"""
Messages of WebSockets, and the one frame that each is sent in (RFC 6455, 5.2; RFC 7692).

A message to many clients is put into a frame once, and compressed once: nothing of one message
is needed for the next, and the frames of a server have no mask.
"""

from __future__ import annotations

import zlib

TEXT = 1
BINARY = 2
CLOSE = 8
PING = 9
PONG = 10

_FINAL = 0x80
_COMPRESSED = 0x40
_NO_STATUS = 1005
_LONGEST_REASON = 123
_TAIL = 4
"""Bytes at the end of what is compressed that stand for nothing."""


class OutgoingMessage:
    """
    A message that is sent to one client or to many.

    Args:
        data: Its bytes; UTF-8 of a text.
        binary: It is no text.
    """

    __slots__ = ("_frame", "_packed", "binary", "data")

    def __init__(self, data: bytes, *, binary: bool = False) -> None:
        self.data = data
        self.binary = binary
        self._frame: bytes | None = None
        self._packed: dict[int, bytes] | None = None

    @property
    def frame(self) -> bytes:
        """Return its frame."""
        if self._frame is None:
            self._frame = frame(BINARY if self.binary else TEXT, self.data)
        return self._frame

    def packed(self, window_bits: int) -> bytes:
        """
        Return its frame with the message compressed.

        Args:
            window_bits: How far back the client can look, as was agreed.
        """
        if self._packed is None:
            self._packed = {}
        known = self._packed.get(window_bits)
        if known is None:
            deflate = zlib.compressobj(wbits=-window_bits)
            data = (deflate.compress(self.data) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-_TAIL]
            known = self._packed[window_bits] = frame((BINARY if self.binary else TEXT) | _COMPRESSED, data)
        return known


def text_message(text: str) -> OutgoingMessage:
    """Return the message of a text; half of a surrogate pair, which UTF-8 cannot say, is replaced."""
    return OutgoingMessage(text.encode("utf-8", "replace"))


def closing_frame(code: int, reason: str) -> bytes:
    """
    Return a closing frame.

    Args:
        code: 1005 for none.
        reason: Cut to what there is room for.
    """
    if code == _NO_STATUS:
        return frame(CLOSE, b"")
    cut = reason.encode("utf-8", "replace")[:_LONGEST_REASON].decode("utf-8", "ignore")
    return frame(CLOSE, code.to_bytes(2, "big") + cut.encode())


def frame(opcode: int, data: bytes) -> bytes:
    """Return the one frame of a message, or a control frame."""
    first, size = _FINAL | opcode, len(data)
    if size < 126:
        return b"%c%c%b" % (first, size, data)
    if size < 65_536:
        return b"%c\x7e%b%b" % (first, size.to_bytes(2, "big"), data)
    return b"%c\x7f%b%b" % (first, size.to_bytes(8, "big"), data)
