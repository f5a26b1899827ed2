"""
Values longer than one box can hold, both ways.

Only the value of the key `v` may be long.  Its beginning travels in boxes of the command
`more`, directly before the box that owns it; the receiver puts what they carry in front of
the `v` of the next box that is not one:

    _command=more v=<65,535 bytes>   _command=more v=<65,535 bytes>   _ask=1 _command=run v=<the rest>
"""

from __future__ import annotations

from sandbox.boxes import END, MAX_VALUE, BadBox, Box, BoxParser, encode_pair

COMMAND = b"_command"
MORE = b"more"
VALUE = b"v"

_LEAST_MORE = 1024
_V = b"\0\1v"
_MORE = encode_pair(COMMAND, MORE) + _V + MAX_VALUE.to_bytes(2, "big")


def encode(head: bytes, value: bytes) -> bytes:
    """
    Make the bytes of one box, with `more` boxes in front if *value* is long.

    Args:
        head: Every pair but `v`, encoded.
        value: Of the key `v`.
    """
    size = len(value)
    if size <= MAX_VALUE:
        return b"%b%b%b%b%b" % (head, _V, size.to_bytes(2, "big"), value, END)
    view = memoryview(value)
    parts: list[bytes | memoryview] = []
    at = 0
    while size - at > MAX_VALUE:
        parts += (_MORE, view[at : at + MAX_VALUE], END)
        at += MAX_VALUE
    parts += (head, _V, (size - at).to_bytes(2, "big"), view[at:], END)
    return b"".join(parts)


class Receiver:
    """
    Makes whole boxes of bytes as they arrive.

    Args:
        max_bytes: Largest `v` of one box together with its `more` boxes.
    """

    __slots__ = ("_ahead", "_ahead_bytes", "_max_bytes", "_parser")

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._parser = BoxParser()
        self._ahead: list[bytes] = []
        self._ahead_bytes = 0

    def feed(self, data: bytes) -> list[Box]:
        """
        Take *data* and return every complete box; none of them is a `more`.

        Raises:
            BadBox: The bytes are not boxes, or a bound is passed.
        """
        whole: list[Box] = []
        for box in self._parser.feed(data):
            if box.get(COMMAND) == MORE:
                part = box.get(VALUE, b"")
                if len(part) < _LEAST_MORE:
                    # Countless crumbs would cost far more than the bytes that are counted.
                    raise BadBox(f"a part of a long value is shorter than {_LEAST_MORE} bytes")
                self._keep(part)
            elif self._ahead:
                self._keep(box.get(VALUE, b""))
                box[VALUE] = b"".join(self._ahead)
                self._ahead.clear()
                self._ahead_bytes = 0
                whole.append(box)
            else:
                whole.append(box)
        return whole

    def _keep(self, part: bytes) -> None:
        self._ahead_bytes += len(part)
        if self._ahead_bytes > self._max_bytes:
            raise BadBox(f"a value is longer than {self._max_bytes} bytes")
        self._ahead.append(part)
