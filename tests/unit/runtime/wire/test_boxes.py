"""The server's boxes are Twisted's, bounded."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from twisted.protocols.amp import parseString
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.runtime.wire.boxes import MAX_VALUE, BadBox, Parser, boxes_of, encode, encode_pair

HEAD = encode_pair(b"_ask", b"1") + encode_pair(b"_command", b"run")


class BoxTests(SynchronousTestCase):
    """Encoding and decoding."""

    def test_as_twisted_reads_it(self) -> None:
        """Twisted reads what is encoded here."""
        self.assertEqual(parseString(encode(HEAD, b"{}")), [{b"_ask": b"1", b"_command": b"run", b"v": b"{}"}])

    @given(st.binary(max_size=200_000), st.integers(1, 70_000))
    def test_round_trip(self, value: bytes, piece: int) -> None:
        """A value of any length arrives whole, however the bytes are cut."""
        data = encode(HEAD, value)
        parser = Parser(max_bytes=1 << 20)
        boxes = [box for at in range(0, len(data), piece) for box in parser.feed(data[at : at + piece])]
        self.assertEqual(boxes, [{b"_ask": b"1", b"_command": b"run", b"v": value}])

    @given(st.lists(st.sampled_from([0, 1, 100, MAX_VALUE - 1, MAX_VALUE, MAX_VALUE + 1, 150_000]), max_size=3))
    def test_box_by_box(self, sizes: list[int]) -> None:
        """Box by box a value of several parts is what it is in one piece."""
        parts = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
        self.assertEqual(b"".join(boxes_of(HEAD, *parts)), encode(HEAD, b"".join(parts)))

    def test_bounds(self) -> None:
        """A long key, many keys and a long value are refused before they are kept."""
        for data in (
            b"\x01\x00",
            b"".join(encode_pair(b"k%d" % number, b"") for number in range(20)) + b"\0\0",
            encode(b"", b"x" * 200_000),
        ):
            with self.assertRaises(BadBox):
                Parser(max_bytes=100_000).feed(data)

    @given(st.binary(max_size=300))
    def test_noise(self, data: bytes) -> None:
        """Noise gives boxes, nothing, or BadBox: never another error."""
        with contextlib.suppress(BadBox):
            Parser(max_bytes=1000).feed(data)

    @given(
        st.lists(
            st.tuples(st.binary(min_size=1, max_size=2), st.binary(max_size=2), st.binary(max_size=70)),
            min_size=1,
            max_size=4,
        ),
        st.integers(1, 60),
    )
    def test_plain_answers(self, answers: list[tuple[bytes, bytes, bytes]], piece: int) -> None:
        """The short way for the usual answer reads what the general one does, wherever the bytes are cut."""
        data = b"".join(
            encode(encode_pair(b"_answer", tag) + encode_pair(b"h", head), value) for tag, head, value in answers
        )
        parser = Parser(max_bytes=1000)
        found = [box for at in range(0, len(data), piece) for box in parser.feed(data[at : at + piece])]
        self.assertEqual(
            found,
            [{b"_answer": tag, b"h": head, b"v": value} for tag, head, value in answers],
        )
