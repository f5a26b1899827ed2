"""Frames of clients, and the messages that they come to."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiwebengine.settings.schema import WebSocketSettings
from aiwebengine.web.websocket.frame_parser import AutobahnParsers
from aiwebengine.web.websocket.reading import FrameReader
from tests.support.clients.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame_bytes


class Heard:
    """Keeps what a reader tells."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def message(self, data: bytes, *, binary: bool) -> None:
        self.events.append(("bytes" if binary else "text", data))

    def pinged(self, data: bytes) -> None:
        self.events.append(("ping", data))

    def closing(self, code: int, reason: str) -> None:
        self.events.append(("closing", code, reason))

    def broken(self, code: int, reason: str) -> None:
        assert reason
        self.events.append(("broken", code))


def heard(*pieces: bytes, compressed: bool = False, **limits: int) -> list[tuple[Any, ...]]:
    """Return what comes of *pieces*."""
    events = Heard()
    reader = FrameReader(events=events, parsers=AutobahnParsers(WebSocketSettings(**limits)), compressed=compressed)
    for piece in pieces:
        reader.take(piece)
    return events.events


def packed(data: bytes) -> bytes:
    """Compress a message."""
    deflate = zlib.compressobj(wbits=-15)
    return (deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


def test_an_example_of_the_standard() -> None:
    """The masked text of RFC 6455, section 5.7, is read."""
    assert heard(bytes.fromhex("818537fa213d7f9f4d5158")) == [("text", b"Hello")]


@settings(max_examples=200, deadline=None)
@given(
    messages=st.lists(st.tuples(st.booleans(), st.text(max_size=200), st.integers(1, 5), st.booleans()), max_size=4),
    cuts=st.lists(st.integers(0, 600), max_size=8),
)
def test_pieces(messages: list[tuple[bool, str, int, bool]], cuts: list[int]) -> None:
    """However messages are cut into frames, and frames into pieces, the same comes of them."""
    data, wanted = b"", []
    for binary, text, count, compressed in messages:
        whole = text.encode()
        sent = packed(whole) if compressed else whole
        step = max(1, len(sent) // count)
        parts = [sent[at : at + step] for at in range(0, len(sent), step)] or [b""]
        for number, part in enumerate(parts):
            opcode = CONTINUATION if number else BINARY if binary else TEXT
            last = number == len(parts) - 1
            data += frame_bytes(opcode, part, fin=last, rsv=4 if compressed and not number else 0)
            if not last:
                data += frame_bytes(PING, b"between")
                wanted.append(("ping", b"between"))
        wanted.append(("bytes" if binary else "text", whole))
    data += frame_bytes(PONG, b"unasked") + frame_bytes(CLOSE, b"\x03\xe8bye") + frame_bytes(TEXT, b"late")
    wanted.append(("closing", 1000, "bye"))
    ends = sorted({*(cut for cut in cuts if cut < len(data)), len(data)})
    pieces = [data[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    assert heard(*pieces, compressed=True) == wanted
    assert heard(*(data[at : at + 1] for at in range(len(data))), compressed=True) == wanted


@given(data=st.binary(max_size=100), mask=st.binary(min_size=4, max_size=4), cut=st.integers(0, 100))
def test_masks(data: bytes, mask: bytes, cut: int) -> None:
    """Each byte is combined with one of the four bytes of the mask, in turn, also across pieces."""
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
    head = bytes([0x82, 0x80 | len(data)]) + mask
    assert heard(head + masked[:cut], masked[cut:]) == [("bytes", data)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x00", 1002),
        (b"\x83\x80", 1002),
        (b"\xb1\x80", 1002),
        (b"\xc1\x80", 1002),
        (b"\x09\x80", 1002),
        (b"\x89\xfe", 1002),
        (b"\x80\x80", 1002),
        (frame_bytes(TEXT, b"a", fin=False) + b"\x81\x80", 1002),
        (b"\x81\xfe\x00\x7d" + b"mask", 1002),
        (b"\x81\xff" + b"\0" * 6 + b"\xff\xff" + b"mask", 1002),
        (b"\x81\xff\x80" + b"\0" * 7 + b"mask", 1002),
        (b"\x81\xfe\x08\x01\0\0\0\0", 1009),
        (frame_bytes(TEXT, b"x" * 2000, fin=False) + frame_bytes(CONTINUATION, b"x" * 2000, fin=False), 1009),
        (frame_bytes(TEXT, b"ab\xff", fin=False), 1007),
        (frame_bytes(TEXT, b"\xf4\x90", fin=False), 1007),
        (frame_bytes(TEXT, b"\xed\xa0", fin=False), 1007),
        (frame_bytes(TEXT, b"\xce"), 1007),
        (frame_bytes(CLOSE, b"\x03"), 1002),
        (frame_bytes(CLOSE, b"\x03\xed"), 1002),
        (frame_bytes(CLOSE, b"\x03\xe8\xff"), 1007),
    ],
    # Masks are chosen at random, and processes that run tests beside each other must have the same names for them.
    ids=lambda value: "frames" if isinstance(value, bytes) else None,
)
def test_broken(data: bytes, code: int) -> None:
    """What breaks the protocol or a limit is known as soon as it has come, and nothing behind it is heard."""
    limits = {"max_frame_bytes": 2048, "max_message_bytes": 3000}
    assert heard(data, frame_bytes(TEXT, b"late"), **limits) == [("broken", code)]
    assert heard(*(bytes([byte]) for byte in data), **limits) == [("broken", code)]


def test_compressed() -> None:
    """A bomb, and what is no deflate, is refused; the window of one message is not kept for the next."""
    bomb = frame_bytes(BINARY, packed(b"\0" * 10_000_000), rsv=4)
    assert heard(bomb, compressed=True) == [("broken", 1009)]
    assert heard(frame_bytes(TEXT, b"\xff" * 5, rsv=4), compressed=True) == [("broken", 1007)]
    assert heard(frame_bytes(TEXT, packed(b"\xff"), rsv=4), compressed=True) == [("broken", 1007)]
    exact = frame_bytes(BINARY, packed(b"x" * 3000), rsv=4)
    assert heard(exact, exact, compressed=True, max_message_bytes=3000) == [("bytes", b"x" * 3000)] * 2
    assert heard(exact, compressed=True, max_message_bytes=2999) == [("broken", 1009)]


def test_what_is_just_too_long() -> None:
    """A compressed message of any size above the limit is refused, even if it is cut where the limit is."""
    for size in range(3001, 3300):
        frame = frame_bytes(BINARY, packed(b"x" * size), rsv=4)
        assert heard(frame, compressed=True, max_message_bytes=3000) == [("broken", 1009)]
