"""
AMP's box format without Twisted, bounded.

A box is a sequence of pairs, each a key and a value with a two-byte big-endian length in
front, ended by a key of length zero:

    00 04 _ask 00 01 1   00 08 _command 00 03 run   00 01 v 00 02 {}   00 00

A key has at most 255 bytes (its first length byte is zero) and a value at most 65,535.
The format is that of `twisted.protocols.amp`, which the server's side may use; a contract
test holds the two together.  Longer values: see `bodies`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_KEY = 255
MAX_VALUE = 65_535
MAX_KEYS = 32

Box = dict[bytes, bytes]

END = b"\0\0"

_PLAIN_RUN = re.compile(
    rb"\0\x04_ask\0\x01(.)\0\x08_command\0\x03run\0\x01d\0(.)([0-9]{1,12})\0\x01c\0(.)([0-9]{1,12})\0\x01v(..)",
    re.DOTALL,
)


class BadBox(Exception):
    """The other side broke the format or a bound; the connection is of no use any more."""


def encode_pair(key: bytes, value: bytes) -> bytes:
    """
    Encode one pair.

    Raises:
        BadBox: The key or the value is too long, or the key is empty.
    """
    if not 0 < len(key) <= MAX_KEY:
        raise BadBox(f"the key {key[:40]!r} has {len(key)} bytes; 1 to {MAX_KEY} are allowed")
    if len(value) > MAX_VALUE:
        raise BadBox(f"the value of {key!r} has {len(value)} bytes; {MAX_VALUE} are the most")
    return b"%b%b%b%b" % (len(key).to_bytes(2, "big"), key, len(value).to_bytes(2, "big"), value)


def encode_box(pairs: Mapping[bytes, bytes]) -> bytes:
    """
    Encode one box.

    Raises:
        BadBox: A key or value is too long, or there is no pair.
    """
    if not pairs:
        raise BadBox("a box has at least one pair")
    return b"".join([encode_pair(key, value) for key, value in pairs.items()]) + END


class BoxParser:
    """Makes boxes of bytes as they arrive."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Box]:
        """
        Take *data* and return the complete boxes.

        At most the box itself is buffered of an incomplete box: its lengths are bounded by
        their two bytes, and the number of its keys by `MAX_KEYS`.

        Raises:
            BadBox: The bytes are not boxes, or a bound is passed.
        """
        buffer = self._rest + data if self._rest else data
        boxes: list[Box] = []
        at = 0
        while True:
            box, end = _plain_run(buffer, at) or _parse(buffer, at)
            if box is None:
                break
            boxes.append(box)
            at = end
            if at == len(buffer):
                break
        self._rest = buffer[at:] if at else buffer
        return boxes


def _plain_run(buffer: bytes, at: int) -> tuple[Box, int] | None:
    """Read from *at* what most boxes are, a run; None if it is another box, or not complete."""
    match = _PLAIN_RUN.match(buffer, at)
    if match is None:
        return None
    tag, wall_size, wall, cpu_size, cpu, size = match.groups()
    value_at = match.end()
    end = value_at + (size[0] << 8 | size[1])
    if wall_size[0] != len(wall) or cpu_size[0] != len(cpu) or buffer[end : end + 2] != END:
        return None
    return {b"_ask": tag, b"_command": b"run", b"d": wall, b"c": cpu, b"v": buffer[value_at:end]}, end + 2


def _parse(buffer: bytes, at: int) -> tuple[Box | None, int]:
    """Read one box from *at*: the box and where it ends, or None if it is not complete."""
    box: Box = {}
    end = len(buffer)
    while True:
        if end - at < 2:
            return None, at
        if buffer[at]:
            raise BadBox(f"a key is longer than {MAX_KEY} bytes")
        length = buffer[at + 1]
        at += 2
        if not length:
            if not box:
                raise BadBox("a box is empty")
            return box, at
        if len(box) >= MAX_KEYS:
            raise BadBox(f"a box has more than {MAX_KEYS} keys")
        value_at = at + length + 2
        if end < value_at:
            return None, at
        size = buffer[value_at - 2] << 8 | buffer[value_at - 1]
        if end < value_at + size:
            return None, at
        key = buffer[at : at + length]
        if key in box:
            raise BadBox(f"a box has the key {key[:40]!r} twice")
        box[key] = buffer[value_at : value_at + size]
        at = value_at + size
