"""
AMP boxes without Twisted, bounded.

A box is a sequence of pairs, each a key and a value with a two-byte big-endian length in
front, ended by a key of length zero:

    00 04 _ask 00 01 1  00 08 _command 00 03 run  00 01 v 00 02 {}  00 00

A key has at most 255 bytes (its first length byte is zero) and a value at most 65,535.
A longer value of the key `v` travels ahead in boxes of the command `more`: the receiver
puts what they carry in front of the `v` of the next box that is not one.

    _command=more v=<65,535 bytes>   _command=run _ask=1 v=<the rest>

The format is Twisted's (`twisted.protocols.amp`), so that the server's side may use it.
"""

from __future__ import annotations

from collections.abc import Iterator

MAX_KEY = 255
MAX_VALUE = 65_535
MAX_KEYS = 32

VALUE = b"v"
COMMAND = b"_command"
MORE = b"more"


class BadBox(Exception):
    """The other side broke the format or a bound; the connection is of no use any more."""


def encode(pairs: dict[bytes, bytes]) -> bytes:
    """
    Make the bytes of one box, with `more` boxes in front if `v` is long.

    Raises:
        BadBox: A key or another value is too long.
    """
    value = pairs.get(VALUE, b"")
    if len(value) <= MAX_VALUE:
        return _one(pairs)
    parts: list[bytes] = []
    at = 0
    while len(value) - at > MAX_VALUE:
        parts.append(_one({COMMAND: MORE, VALUE: value[at : at + MAX_VALUE]}))
        at += MAX_VALUE
    parts.append(_one({**pairs, VALUE: value[at:]}))
    return b"".join(parts)


def _one(pairs: dict[bytes, bytes]) -> bytes:
    parts: list[bytes] = []
    for key, value in pairs.items():
        if not 0 < len(key) <= MAX_KEY or len(value) > MAX_VALUE:
            raise BadBox(f"{key[:40]!r}: a key has 1 to {MAX_KEY} bytes, a value at most {MAX_VALUE}")
        parts += (len(key).to_bytes(2, "big"), key, len(value).to_bytes(2, "big"), value)
    parts.append(b"\0\0")
    return b"".join(parts)


class Parser:
    """
    Makes boxes of bytes as they arrive.

    Args:
        max_bytes: Largest `v` of one box with its `more` boxes.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._ahead: list[bytes] = []
        self._ahead_bytes = 0

    def feed(self, data: bytes) -> Iterator[dict[bytes, bytes]]:
        """
        Take *data* and give every box that is complete.

        Raises:
            BadBox: The bytes are not boxes, or a bound is passed.
        """
        self._buffer += data
        while True:
            box, used = _parse(self._buffer)
            if box is None:
                return
            del self._buffer[:used]
            whole = self._joined(box)
            if whole is not None:
                yield whole

    def _joined(self, box: dict[bytes, bytes]) -> dict[bytes, bytes] | None:
        value = box.get(VALUE, b"")
        self._ahead_bytes += len(value)
        if self._ahead_bytes > self._max_bytes:
            raise BadBox(f"a value is longer than {self._max_bytes} bytes")
        if box.get(COMMAND) == MORE:
            self._ahead.append(value)
            return None
        if self._ahead:
            box[VALUE] = b"".join((*self._ahead, value))
            self._ahead.clear()
        self._ahead_bytes = 0
        return box


def _parse(buffer: bytearray) -> tuple[dict[bytes, bytes] | None, int]:
    """Read one box from the start of *buffer*: the box and its length, or None if it is not complete."""
    box: dict[bytes, bytes] = {}
    at, end = 0, len(buffer)
    while True:
        if end - at < 2:
            return None, 0
        if buffer[at]:
            raise BadBox(f"a key is longer than {MAX_KEY} bytes")
        length = buffer[at + 1]
        at += 2
        if not length:
            return box, at
        if end - at < length + 2:
            return None, 0
        key = bytes(buffer[at : at + length])
        at += length
        size = buffer[at] << 8 | buffer[at + 1]
        at += 2
        if end - at < size:
            return None, 0
        box[key] = bytes(buffer[at : at + size])
        if len(box) > MAX_KEYS:
            raise BadBox(f"a box has more than {MAX_KEYS} keys")
        at += size
