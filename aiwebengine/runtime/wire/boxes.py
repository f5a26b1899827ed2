"""
AMP boxes on the hot path: encoded and decoded by hand, bounded against a hostile child.

The format is that of `twisted.protocols.amp`.  A value of the key `v` that is longer than
65,535 bytes travels ahead in boxes of the command `more`, whose `v` is put in front of the
`v` of the next box that is not one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_VALUE = 65_535
MAX_KEYS = 16
MAX_BOX = 256 * 1024
"""Longest box that may be incomplete: a head and a value of full length and short things beside them are less."""
_LEAST_MORE = 1024

Box = dict[bytes, bytes]


class BadBox(Exception):
    """The child broke the format or a bound."""


def encode_pair(key: bytes, value: bytes) -> bytes:
    """Encode one pair whose value is known to be short."""
    return b"\0" + bytes((len(key),)) + key + len(value).to_bytes(2, "big") + value


_MORE = encode_pair(b"_command", b"more") + b"\0\x01v\xff\xff"
_V = b"\0\x01v"
_PLAIN_ANSWER = re.compile(rb"\0\x07_answer\0\x01(.)\0\x01h\0\0\0\x01v(..)", re.DOTALL)


def encode(head: bytes, value: bytes) -> bytes:
    """
    Make the bytes of one box, with `more` boxes in front if *value* is long.

    Args:
        head: Every pair but `v`, encoded.
        value: Of the key `v`.
    """
    size = len(value)
    if size <= MAX_VALUE:
        return b"".join((head, _V, size.to_bytes(2, "big"), value, b"\0\0"))
    parts: list[bytes] = []
    at = 0
    while size - at > MAX_VALUE:
        parts += (_MORE, value[at : at + MAX_VALUE], b"\0\0")
        at += MAX_VALUE
    rest = value[at:]
    parts += (head, _V, len(rest).to_bytes(2, "big"), rest, b"\0\0")
    return b"".join(parts)


def boxes_of(head: bytes, *parts: bytes) -> Iterator[bytes]:
    """
    Yield what `encode` makes of *parts* joined, box by box, so that a long value is never copied as a whole.

    Args:
        head: Every pair but `v`, encoded.
        parts: What the value is made of.
    """
    held = b""
    for part in parts:
        at = MAX_VALUE - len(held)
        held += part[:at]
        while at < len(part):
            yield b"".join((_MORE, held, b"\0\0"))
            held = part[at : at + MAX_VALUE]
            at += MAX_VALUE
    yield b"".join((head, _V, len(held).to_bytes(2, "big"), held, b"\0\0"))


class Parser:
    """
    Makes boxes of bytes as they arrive.

    Args:
        max_bytes: Largest `v` of one box with its `more` boxes.
    """

    __slots__ = ("_ahead", "_ahead_bytes", "_max_bytes", "_rest")

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = b""
        self._ahead: list[bytes] = []
        self._ahead_bytes = 0

    def feed(self, data: bytes) -> list[Box]:
        """
        Take *data* and return every box that is complete.

        Raises:
            BadBox: The bytes are not boxes, or a bound is passed.
        """
        buffer = self._rest + data if self._rest else data
        boxes: list[Box] = []
        at = 0
        while True:
            box, end = _plain_answer(buffer, at) or _parse(buffer, at)
            if box is None:
                break
            at = end
            if box.get(b"_command") == b"more":
                piece = box.get(b"v", b"")
                if len(piece) < _LEAST_MORE:
                    # Countless crumbs would cost far more than the bytes that are counted.
                    raise BadBox(f"a piece of a long value is shorter than {_LEAST_MORE} bytes")
                self._ahead.append(self._counted(piece))
                continue
            if self._ahead:
                box[b"v"] = b"".join((*self._ahead, self._counted(box.get(b"v", b""))))
                self._ahead.clear()
                self._ahead_bytes = 0
            boxes.append(box)
            if at == len(buffer):
                self._rest = b""
                return boxes
        self._rest = buffer[at:] if at else buffer
        if len(self._rest) > MAX_BOX:
            raise BadBox(f"a box is longer than {MAX_BOX} bytes")
        return boxes

    def _counted(self, value: bytes) -> bytes:
        self._ahead_bytes += len(value)
        if self._ahead_bytes > self._max_bytes:
            raise BadBox(f"a value is longer than {self._max_bytes} bytes")
        return value


def _plain_answer(buffer: bytes, at: int) -> tuple[Box, int] | None:
    """Read from *at* what most boxes are, an answer of 200 with JSON; None if it is another box, or not complete."""
    match = _PLAIN_ANSWER.match(buffer, at)
    if match is None:
        return None
    tag, size = match.groups()
    value_at = match.end()
    end = value_at + (size[0] << 8 | size[1])
    if buffer[end : end + 2] != b"\0\0":
        return None
    return {b"_answer": tag, b"h": b"", b"v": buffer[value_at:end]}, end + 2


def _parse(buffer: bytes, at: int) -> tuple[Box | None, int]:
    """Read one box from *at*: the box and where it ends, or None if it is not complete."""
    box: Box = {}
    end = len(buffer)
    while True:
        if end - at < 2:
            return None, at
        if buffer[at]:
            raise BadBox("a key is longer than 255 bytes")
        length = buffer[at + 1]
        at += 2
        if not length:
            return box, at
        if end - at < length + 2:
            return None, at
        value_at = at + length + 2
        size = buffer[value_at - 2] << 8 | buffer[value_at - 1]
        if end < value_at + size:
            return None, at
        if len(box) >= MAX_KEYS:
            raise BadBox(f"a box has more than {MAX_KEYS} keys")
        box[buffer[at : at + length]] = buffer[value_at : value_at + size]
        at = value_at + size
