"""Content codings, undone piece by piece."""

from __future__ import annotations

import gzip
import os
import zlib

import brotli
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from aiwebengine.features.fetch.network.decoding import ACCEPTED, DecodingFailed, Plain, decoder

MOST = 128 * 1024
"""Twice as much as is asked for: Brotli may pass its limit by what one step makes."""


def raw_deflate(data):
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


CODINGS = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": (" X-Gzip ", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "br": ("br", brotli.compress),
    "zstd": ("zstd", zstd.compress),
}
each_coding = pytest.mark.parametrize("name", CODINGS)


def taken(stage):
    """Return all that can be taken, and check that no piece is larger than it may be."""
    pieces = []
    while piece := stage.take():
        assert len(piece) <= MOST
        pieces.append(piece)
    return b"".join(pieces)


def decoded(coding, pieces):
    stage = decoder(coding)
    found = b""
    for piece in pieces:
        stage.feed(piece)
        found += taken(stage)
    stage.finish()
    return found


def split(data, places):
    ends = sorted({place % (len(data) + 1) for place in places})
    return [data[begin:end] for begin, end in zip([0, *ends], [*ends, len(data)], strict=True)]


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(CODINGS)),
    data=st.binary(max_size=3000),
    repeated=st.integers(1, 100),
    places=st.lists(st.integers(0, 10**6), max_size=8),
)
def test_split_anywhere(name, data, repeated, places):
    """Wherever the data is split, decoding returns what was encoded."""
    coding, encode = CODINGS[name]
    body = data * repeated
    assert decoded(coding, split(encode(body), places)) == body


@each_coding
def test_byte_by_byte(name):
    """Data that arrives byte by byte is decoded all the same."""
    coding, encode = CODINGS[name]
    body = os.urandom(300) + b"a" * 1000
    assert decoded(coding, [bytes([byte]) for byte in encode(body)]) == body


@each_coding
def test_bomb(name):
    """Of data that becomes a thousand times larger only a bounded piece is made each time."""
    coding, encode = CODINGS[name]
    packed = encode(bytes(20_000_000))
    assert len(packed) < 30_000
    stage = decoder(coding)
    stage.feed(packed)
    assert 0 < len(stage.take()) <= MOST
    assert len(taken(stage)) > 20_000_000 - 2 * MOST
    stage.finish()


@each_coding
def test_cut_off(name):
    """Data that ends in the middle is decoded as far as it goes, and its end is refused."""
    coding, encode = CODINGS[name]
    body = os.urandom(100_000)
    packed = encode(body)
    stage = decoder(coding)
    stage.feed(packed[: len(packed) // 2])
    assert body.startswith(taken(stage))
    with pytest.raises(DecodingFailed, match="is incomplete"):
        stage.finish()


@each_coding
def test_broken(name):
    """What is no such data is refused."""
    coding, encode = CODINGS[name]
    packed = bytearray(encode(os.urandom(10_000)))
    packed[: len(packed) // 2] = b"\xff\x00not such data at all" * 400
    stage = decoder(coding)
    stage.feed(bytes(packed))
    with pytest.raises(DecodingFailed):  # noqa: PT012  where it is found out depends on the coding
        taken(stage)
        stage.finish()


@each_coding
def test_nothing(name):
    """A body without any data, as answers to HEAD have, is complete."""
    coding, _ = CODINGS[name]
    stage = decoder(coding)
    assert stage.take() == b""
    stage.finish()


@pytest.mark.parametrize(("coding", "encode"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_several_members(coding, encode):
    """Members or frames that follow each other are one body, wherever they are split."""
    packed = encode(b"one ") + encode(b"") + encode(b"two" * 50_000)
    assert decoded(coding, [packed]) == b"one " + b"two" * 50_000
    assert decoded(coding, [bytes([byte]) for byte in packed]) == b"one " + b"two" * 50_000


def test_zeros_after_gzip():
    """Zeros after the last member are ignored; anything else is refused."""
    assert decoded("gzip", [gzip.compress(b"x") + bytes(100)]) == b"x"
    assert decoded("gzip", [gzip.compress(b"x"), bytes(100), bytes(1)]) == b"x"
    with pytest.raises(DecodingFailed):
        decoded("gzip", [gzip.compress(b"x") + b"rubbish"])


def test_unknown():
    """A coding that is not known is left to the script; those that requests accept are known."""
    assert decoder("compress") is None
    assert decoder("") is None
    for coding in ACCEPTED.split(","):
        assert decoder(coding) is not None, coding


def test_plain():
    """A body without a coding is passed on in bounded pieces."""
    stage = Plain()
    stage.feed(b"a" * 65536)
    stage.feed(b"b")
    assert [stage.take(), stage.take(), stage.take()] == [b"a" * 65536, b"b", b""]
    stage.finish()
