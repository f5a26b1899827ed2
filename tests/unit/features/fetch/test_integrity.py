"""Hashes of bodies that are expected."""

from __future__ import annotations

import base64
import hashlib

from aiwebengine.features.fetch.integrity import is_expected, read_integrity


def named(algorithm, body=b"hello"):
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, body).digest()).decode()}"


def test_expected():
    """A body with the hash is accepted, another one is not."""
    for algorithm in ("sha256", "sha384", "sha512"):
        hashes = read_integrity(named(algorithm))
        assert is_expected(b"hello", hashes)
        assert not is_expected(b"hellO", hashes)


def test_one_of_several():
    """One of several hashes of the strongest algorithm suffices; weaker ones say nothing then."""
    both = read_integrity(f"{named('sha256')} {named('sha256', b'other')}")
    assert is_expected(b"hello", both)
    assert is_expected(b"other", both)
    strongest = read_integrity(f"{named('sha256')} {named('sha512', b'other')}")
    assert not is_expected(b"hello", strongest)
    assert is_expected(b"other", strongest)


def test_not_understood():
    """Unknown algorithms, options and what is no base64 are ignored, as in browsers."""
    assert read_integrity("") == []
    assert read_integrity("md5-AAAA sha256-! sha1-xx sha256") == []
    assert is_expected(b"hello", read_integrity(named("sha256") + "?option=1 md5-AAAA"))
    urlsafe = named("sha256").replace("+", "-").replace("/", "_")
    assert is_expected(b"hello", read_integrity(urlsafe))


def test_bounded():
    """Of a long list only the beginning is read."""
    assert len(read_integrity(" ".join([named("sha256")] * 1000))) == 20
