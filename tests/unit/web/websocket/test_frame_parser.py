"""Autobahn's protocols, of which there are only as many as connections have half a message."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from autobahn.websocket.utf8validator import Utf8Validator
from hypothesis import example, given
from hypothesis import strategies as st
from twisted.logger import capturedLogs

from aiwebengine.settings.schema import WebSocketSettings
from aiwebengine.web.websocket import frame_parser
from aiwebengine.web.websocket.frame_parser import AutobahnParsers, CodecValidator
from aiwebengine.web.websocket.reading import FrameReader
from tests.support.clients.websocket import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame_bytes
from tests.unit.web.websocket.test_reading import Heard, packed


class Counted:
    """Parsers, with a note of those that were lent."""

    def __init__(self) -> None:
        self.parsers = AutobahnParsers(WebSocketSettings(max_message_bytes=3000))
        self.lent: list[Any] = []

    def lend(self, events: Any, *, compressed: bool) -> Any:
        parser = self.parsers.lend(events, compressed=compressed)
        self.lent.append(parser)
        return parser

    @property
    def made(self) -> int:
        """How many parsers there were."""
        return len(set(map(id, self.lent)))


def a_reader(parsers: Any, *, compressed: bool = False) -> tuple[FrameReader, list[tuple[Any, ...]]]:
    """Return a reader, and what it tells."""
    events = Heard()
    return FrameReader(events=events, parsers=parsers, compressed=compressed), events.events


def test_one_for_all_that_are_complete() -> None:
    """Connections whose messages arrive in one piece share one parser, which keeps nothing of them."""
    counted = Counted()
    readers = [a_reader(counted, compressed=bool(number % 2)) for number in range(4)]
    for _ in range(3):
        for number, (reader, heard) in enumerate(readers):
            data = packed(b"hello") if number % 2 else b"hello"
            reader.take(frame_bytes(TEXT, data, rsv=4 if number % 2 else 0) + frame_bytes(PING, b"there"))
            assert heard[-2:] == [("text", b"hello"), ("ping", b"there")]
            assert (counted.made, counted.parsers.free) == (1, 1)
    parser = counted.lent[0]
    assert (parser._events, parser._perMessageCompress, parser.data, parser.message_data) == (None, None, b"", None)


@pytest.mark.parametrize(
    "pieces",
    [
        [b"\x81"],
        [frame_bytes(TEXT, b"abcdef")[:-2]],
        [frame_bytes(TEXT, b"abc", fin=False)],
        [frame_bytes(TEXT, b"abc", fin=False), frame_bytes(PING, b"between")],
        [frame_bytes(TEXT, b"abc") + b"\x81"],
    ],
)
def test_kept_until_all_is_there(pieces: list[bytes]) -> None:
    """A connection keeps its parser while a frame, a message or only the head of a frame has begun."""
    counted = Counted()
    reader, _ = a_reader(counted)
    for piece in pieces:
        reader.take(piece)
        assert counted.parsers.free == 0
    assert reader._parser is counted.lent[0]


def test_the_next_message_is_as_the_first() -> None:
    """Neither the kind of a message nor its compression nor half a character of it is left for the next connection."""
    counted = Counted()
    plain, plainly = a_reader(counted)
    deflated, inflated = a_reader(counted, compressed=True)
    for _ in range(2):
        deflated.take(frame_bytes(TEXT, packed("\u00e9".encode() * 1000), rsv=4))
        plain.take(frame_bytes(TEXT, b"\xc3", fin=False))
        plain.take(frame_bytes(CONTINUATION, b"\xa9"))
        deflated.take(frame_bytes(BINARY, packed(b"\xff"), rsv=4))
        plain.take(frame_bytes(BINARY, b"\xfe"))
    assert plainly == [("text", b"\xc3\xa9"), ("bytes", b"\xfe")] * 2
    assert inflated == [("text", b"\xc3\xa9" * 1000), ("bytes", b"\xff")] * 2
    plain.take(frame_bytes(TEXT, packed(b"a"), rsv=4))
    assert plainly[-1] == ("broken", 1002)


def test_fragments_of_two_connections() -> None:
    """Messages that arrive in turns on two connections do not mix; then both parsers are free."""
    counted = Counted()
    (one, first), (two, second) = a_reader(counted), a_reader(counted, compressed=True)
    whole = packed(b"second" * 20)
    frames = [
        (frame_bytes(TEXT, b"fi", fin=False), frame_bytes(BINARY, whole[:4], fin=False, rsv=4)),
        (frame_bytes(CONTINUATION, b"r", fin=False), frame_bytes(CONTINUATION, whole[4:9], fin=False)),
        (frame_bytes(CONTINUATION, b"st"), frame_bytes(CONTINUATION, whole[9:])),
    ]
    for pair in frames:
        for cut in (slice(None, 3), slice(3, None)):
            for reader, frame in zip((one, two), pair, strict=True):
                reader.take(frame[cut])
    assert (first, second) == ([("text", b"first")], [("bytes", b"second" * 20)])
    assert (counted.made, counted.parsers.free) == (2, 2)


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (b"\x83\x80", ("broken", 1002)),
        (frame_bytes(TEXT, b"\xff"), ("broken", 1007)),
        (frame_bytes(TEXT, b"x" * 3001), ("broken", 1009)),
        (frame_bytes(TEXT, b"abc", fin=False) + frame_bytes(TEXT, b"abc"), ("broken", 1002)),
        (frame_bytes(CLOSE, b"\x03\xf6"), ("closing", 1014, "")),
    ],
    # Masks are chosen at random, and processes that run tests beside each other must have the same names for them.
    ids=lambda value: "frames" if isinstance(value, bytes) else value[0],
)
def test_one_that_failed_is_not_used_again(data: bytes, event: tuple[Any, ...]) -> None:
    """What has read a broken frame or a closing frame is nobody's any more, and the next connection is well."""
    counted = Counted()
    reader, heard = a_reader(counted)
    reader.take(data)
    reader.take(frame_bytes(TEXT, b"late"))
    assert heard == [event]
    assert (reader.over, reader._parser, reader.frame_rest, counted.parsers.free) == (True, None, 0, 0)
    other, unhurt = a_reader(counted)
    other.take(frame_bytes(TEXT, b"hello"))
    assert unhurt == [("text", b"hello")]
    assert (counted.made, counted.parsers.free) == (2, 1)


def test_stopped_by_a_message() -> None:
    """If a message has its connection end, nothing behind it is heard, and its parser is nobody's any more."""
    counted = Counted()
    reader, heard = a_reader(counted)
    events: Any = reader._events

    def message(data: bytes, *, binary: bool) -> None:
        heard.append((data, binary))
        reader.stop()

    events.message = message
    reader.take(frame_bytes(TEXT, b"one") + frame_bytes(TEXT, b"two"))
    assert heard == [(b"one", False)]
    assert (reader.over, reader._parser, counted.parsers.free) == (True, None, 0)


def test_few_are_kept() -> None:
    """However many connections have half a message at a time, few parsers are kept when they are complete."""
    parsers = AutobahnParsers(WebSocketSettings())
    readers = [a_reader(parsers) for _ in range(100)]
    for reader, _ in readers:
        reader.take(b"\x81")
    for reader, heard in readers:
        reader.take(b"\x80mask")
        assert heard == [("text", b"")]
    assert parsers.free == 32


def test_without_the_native_part() -> None:
    """Where autobahn has no native part, its own Python reads the same."""
    program = (
        "from tests.unit.web.websocket.test_reading import *;"
        "assert heard(frame_bytes(TEXT, b'\\xc3'), frame_bytes(TEXT, b'x')) == [('broken', 1007)];"
        "assert heard(*[frame_bytes(TEXT, b'\\xc3\\xa9')] * 2) == [('text', b'\\xc3\\xa9')] * 2"
    )
    environment = {**os.environ, "AUTOBAHN_USE_NVX": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


_PIECES = st.lists(
    st.one_of(
        st.binary(max_size=4),
        st.text(max_size=3).map(lambda text: text.encode("utf-8", "replace")),
        st.sampled_from([b"\xed\xa0", b"\xf4\x90", b"\xe2\x82", b"\xac", b"\xf0\x9f", b"\x98\x80", b"\xc0", b"\xf5"]),
    ),
    max_size=4,
)


@given(_PIECES)
@example([b"\xed", b"\xa0"])
@example([b"\xf4", b"\x90"])
@example([b"a\xe2", b"\x82", b"\xac"])
def test_validators(pieces: list[bytes]) -> None:
    """Where autobahn's native part is missing, the same texts are valid, wherever they are cut."""
    ours, autobahns = CodecValidator(), Utf8Validator()
    autobahns.reset()
    for piece in pieces:
        result = ours.validate(piece)
        assert result[:2] == autobahns.validate(piece)[:2]
        if not result[0]:
            break


@pytest.mark.parametrize(("native", "warnings"), [(True, 0), (False, 1)])
def test_native_part(monkeypatch: pytest.MonkeyPatch, native: bool, warnings: int) -> None:
    """If autobahn's native part is missing, the log says so."""
    monkeypatch.setattr(frame_parser, "USES_NVX", native)
    with capturedLogs() as lines:
        AutobahnParsers(WebSocketSettings())
    assert sum("native part" in line["log_format"] for line in lines) == warnings
