"""Tests of the box format."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sandbox.boxes import MAX_KEYS, MAX_VALUE, BadBox, BoxParser, encode_box, encode_pair

KEYS = st.binary(min_size=1, max_size=255)
BOXES = st.dictionaries(KEYS, st.binary(max_size=300), min_size=1, max_size=8)


class Format(SynchronousTestCase):
    """Boxes to bytes and back."""

    def test_bytes(self) -> None:
        """A box is its pairs with two-byte lengths in front and two zeroes at the end."""
        self.assertEqual(
            encode_box({b"_ask": b"1", b"v": b"{}"}),
            b"\x00\x04_ask\x00\x011\x00\x01v\x00\x02{}\x00\x00",
        )

    @given(st.lists(BOXES, max_size=5), st.lists(st.integers(1, 200), min_size=1, max_size=50))
    def test_round_trip_in_pieces(self, boxes: list[dict[bytes, bytes]], sizes: list[int]) -> None:
        """What was encoded is read back, however the bytes are cut."""
        data = b"".join(map(encode_box, boxes))
        parser, seen, at = BoxParser(), [], 0
        while at < len(data):
            size = sizes[at % len(sizes)]
            seen += parser.feed(data[at : at + size])
            at += size
        self.assertEqual(seen, boxes)

    @given(st.lists(st.binary(max_size=200), max_size=20))
    def test_any_bytes(self, pieces: list[bytes]) -> None:
        """Whatever arrives, the parser gives boxes or refuses with its own error."""
        parser = BoxParser()
        try:
            for piece in pieces:
                for box in parser.feed(piece):
                    self.assertTrue(0 < len(box) <= MAX_KEYS)
        except BadBox:
            pass


class Bounds(SynchronousTestCase):
    """What is refused."""

    @given(
        st.lists(
            st.tuples(
                st.binary(min_size=1, max_size=2),
                st.one_of(st.just(b"2000"), st.binary(max_size=3)),
                st.one_of(st.just(b"1"), st.binary(max_size=3)),
                st.binary(max_size=70),
            ),
            min_size=1,
            max_size=4,
        ),
        st.integers(1, 60),
    )
    def test_plain_runs(self, runs: list[tuple[bytes, bytes, bytes, bytes]], piece: int) -> None:
        """The short way for the usual run reads what the general one does, wherever the bytes are cut."""
        boxes = [{b"_ask": tag, b"_command": b"run", b"d": wall, b"c": cpu, b"v": v} for tag, wall, cpu, v in runs]
        data = b"".join(map(encode_box, boxes))
        parser = BoxParser()
        self.assertEqual(
            [box for at in range(0, len(data), piece) for box in parser.feed(data[at : at + piece])], boxes
        )

    def test_long_key(self) -> None:
        """A key of more than 255 bytes is refused before its bytes are awaited."""
        with self.assertRaisesRegex(BadBox, "255"):
            BoxParser().feed(b"\x01\x00")

    def test_many_keys(self) -> None:
        """A box that never ends does not grow for ever."""
        data = b"".join(encode_pair(b"k%d" % number, b"") for number in range(MAX_KEYS + 1))
        with self.assertRaisesRegex(BadBox, "more than"):
            BoxParser().feed(data)

    def test_same_key_twice(self) -> None:
        """A key that stands twice is refused: two readers might take different ones."""
        with self.assertRaisesRegex(BadBox, "twice"):
            BoxParser().feed(encode_pair(b"v", b"1") * 2 + b"\0\0")

    def test_empty(self) -> None:
        """A box without a pair is refused, both ways."""
        with self.assertRaisesRegex(BadBox, "empty"):
            BoxParser().feed(b"\0\0")
        with self.assertRaises(BadBox):
            encode_box({})

    def test_encoding(self) -> None:
        """A key or value that does not fit is refused with its size."""
        with self.assertRaisesRegex(BadBox, "65536 bytes"):
            encode_pair(b"h", b"x" * (MAX_VALUE + 1))
        for key in (b"", b"k" * 256):
            with self.assertRaises(BadBox):
                encode_pair(key, b"")
