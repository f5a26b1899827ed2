"""Tests of values that are longer than a box."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from sandbox.bodies import Receiver, encode
from sandbox.boxes import MAX_VALUE, BadBox, encode_box, encode_pair
from tests.support.examples import examples

HEAD = encode_pair(b"_ask", b"1")
SIZES = st.sampled_from([0, 1, 100, MAX_VALUE - 1, MAX_VALUE, MAX_VALUE + 1, 2 * MAX_VALUE, 2 * MAX_VALUE + 1, 300_000])


class LongBodyTests(SynchronousTestCase):
    """Values below, at and above the limits of a box."""

    @examples(30)
    @given(st.lists(SIZES, min_size=1, max_size=4), st.integers(1, 100_000))
    def test_round_trip(self, sizes: list[int], cut: int) -> None:
        """Values of any length arrive whole, in order, however the bytes are cut."""
        values = [bytes([65 + number % 26]) * size for number, size in enumerate(sizes)]
        data = b"".join(encode(HEAD, value) for value in values)
        receiver, seen = Receiver(max_bytes=1 << 20), []
        for at in range(0, len(data), cut):
            seen += receiver.feed(data[at : at + cut])
        self.assertEqual(seen, [{b"_ask": b"1", b"v": value} for value in values])

    def test_ahead(self) -> None:
        """The beginning of a long value travels in `more` boxes directly before its owner."""
        value = b"a" * MAX_VALUE + b"b"
        expected = encode_box({b"_command": b"more", b"v": b"a" * MAX_VALUE}) + encode_box({b"_ask": b"1", b"v": b"b"})
        self.assertEqual(encode(HEAD, value), expected)

    def test_bound(self) -> None:
        """A value that passes the bound is refused while it arrives, and the next one begins anew."""
        receiver = Receiver(max_bytes=100_000)
        more = encode_box({b"_command": b"more", b"v": b"x" * 60_000})
        self.assertEqual(receiver.feed(more), [])
        with self.assertRaisesRegex(BadBox, "100000"):
            receiver.feed(more)

    def test_bound_is_for_each_value(self) -> None:
        """Many short values are not one long one."""
        receiver = Receiver(max_bytes=10)
        box = encode(HEAD, b"123456789")
        self.assertEqual(len(receiver.feed(box * 50)), 50)

    def test_empty_parts(self) -> None:
        """A chain of empty parts, which would cost memory and count nothing, is refused."""
        with self.assertRaises(BadBox):
            Receiver(max_bytes=10).feed(encode_box({b"_command": b"more", b"v": b""}))
