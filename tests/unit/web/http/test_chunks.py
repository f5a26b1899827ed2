"""Chunked bodies."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import TooLarge
from aiwebengine.web.http.chunks import Chunks


class ReadBody:
    """What a body came to."""

    def __init__(self, most: int = 10_000) -> None:
        self.body = b""
        self.pieces = 0
        self.rest: bytes | None = None
        self.chunks = Chunks(
            data=self._more,
            end=self._over,
            too_large=self._too_large,
            most=most,
            most_trailer_bytes=100,
            most_trailers=3,
        )

    def _more(self, data: bytes) -> None:
        self.body += data
        self.pieces += 1

    def _over(self, rest: bytes) -> None:
        assert self.rest is None
        self.rest = rest

    def _too_large(self) -> None:
        raise TooLarge("Too large.")


def written(pieces: list[bytes], trailers: bytes = b"") -> bytes:
    """Return *pieces* as chunks."""
    chunks = b"".join(b"%x;a=b\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    return chunks + b"0\r\n" + trailers + b"\r\n"


class ChunksTests(SynchronousTestCase):
    @given(
        st.lists(st.binary(max_size=50), max_size=5),
        st.lists(st.integers(1, 7), min_size=1),
        st.sampled_from([b"", b"A: b\r\n", b"A: b\r\nC: d\r\n"]),
    )
    def test_cut_anywhere(self, pieces: list[bytes], cuts: list[int], trailers: bytes) -> None:
        """However it is cut, the body is what was sent, and what follows it is left alone."""
        taken, data = ReadBody(), written(pieces, trailers) + b"GET"
        at = 0
        for number in range(len(data)):
            step = cuts[number % len(cuts)]
            if taken.rest is None:
                taken.chunks.take(data[at : at + step])
                at += step
        self.assertEqual(taken.body, b"".join(pieces))
        assert taken.rest is not None
        self.assertEqual(taken.rest + data[at:], b"GET")

    def test_tiny_chunks(self) -> None:
        """Thousands of chunks that come together are passed on as one piece."""
        taken = ReadBody()
        taken.chunks.take(written([b"x"] * 9000))
        self.assertEqual((taken.body, taken.pieces), (b"x" * 9000, 1))

    def test_most(self) -> None:
        """As many bytes as may be are taken; a chunk with one more is refused before its bytes come."""
        taken = ReadBody(most=5)
        taken.chunks.take(written([b"abc", b"de"]))
        self.assertEqual(taken.body, b"abcde")
        taken = ReadBody(most=5)
        taken.chunks.take(b"3\r\nabc\r\n")
        self.assertRaises(TooLarge, taken.chunks.take, b"3\r\n")
