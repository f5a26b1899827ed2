"""
Content codings of answers: gzip, deflate, br, zstd, undone piece by piece.

Compressed data may become a thousand times larger, so a decoder makes a bounded piece in each call, and keeps
what it has not read.
"""

from __future__ import annotations

import zlib
from typing import Protocol

import brotli
from backports import zstd

ACCEPTED = "gzip, deflate, br, zstd"
"""What requests say that they accept, unless the script says something else."""

_PIECE_BYTES = 64 * 1024


class DecodingFailed(Exception):
    """The data does not fit its coding."""


class Decoder(Protocol):
    """Undoes one coding."""

    def feed(self, data: bytes) -> None:
        """Add data."""

    def take(self) -> bytes:
        """
        Return the next piece of at most some 64 KiB; empty if more data is needed.

        Raises:
            DecodingFailed: The data does not fit.
        """

    def finish(self) -> None:
        """
        Check that the data was complete; after everything was read.

        Raises:
            DecodingFailed: It was not.
        """


def decoder(coding: str) -> Decoder | None:
    """Return what undoes a `content-encoding`; None if it is to be left to the script."""
    match coding.strip().lower():
        case "gzip" | "x-gzip":
            return _Gzip()
        case "deflate":
            return _Deflate()
        case "br":
            return _Brotli()
        case "zstd":
            return _Zstd()
        case _:
            return None


class Plain:
    """No coding at all."""

    def __init__(self) -> None:
        # It may come in very small pieces.
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """See `Decoder.feed`."""
        self._data += data

    def take(self) -> bytes:
        """See `Decoder.take`."""
        taken = bytes(self._data[:_PIECE_BYTES])
        del self._data[:_PIECE_BYTES]
        return taken

    def finish(self) -> None:
        """See `Decoder.finish`: there is no end in the data."""


class _Gzip:
    """One member after the other (RFC 1952)."""

    def __init__(self) -> None:
        self._rest = b""
        self._member = zlib.decompressobj(wbits=31)
        self._begun = False

    def feed(self, data: bytes) -> None:
        self._rest += data

    def take(self) -> bytes:
        while self._rest:
            if self._member.eof:
                if self._rest[:1] == b"\0":
                    # Some writers fill the last block with zeros.
                    self._rest = self._rest.lstrip(b"\0")
                    continue
                self._member = zlib.decompressobj(wbits=31)
            self._begun = True
            piece = _inflated(self._member, self._rest)
            self._rest = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if piece:
                return piece
        return b"" if self._member.eof else _inflated(self._member, b"")

    def finish(self) -> None:
        if self._begun and not self._member.eof:
            raise DecodingFailed("it is incomplete")


class _Deflate:
    """With the header of zlib, as the standard says, or without, as some servers send it."""

    def __init__(self) -> None:
        self._rest = b""
        self._stream: zlib._Decompress | None = None

    def feed(self, data: bytes) -> None:
        self._rest += data

    def take(self) -> bytes:
        if self._stream is None:
            if len(self._rest) < 2:
                return b""
            with_header = self._rest[0] & 0x0F == 8 and (self._rest[0] << 8 | self._rest[1]) % 31 == 0
            self._stream = zlib.decompressobj(wbits=15 if with_header else -15)
        if self._stream.eof:
            return b""
        piece = _inflated(self._stream, self._rest)
        self._rest = self._stream.unconsumed_tail
        return piece

    def finish(self) -> None:
        if self._stream is not None and not self._stream.eof:
            raise DecodingFailed("it is incomplete")


class _Brotli:
    def __init__(self) -> None:
        self._rest = b""
        self._begun = False
        self._stream = brotli.Decompressor()

    def feed(self, data: bytes) -> None:
        self._rest += data
        self._begun = True

    def take(self) -> bytes:
        if self._stream.is_finished():
            return b""
        data = b""
        if self._stream.can_accept_more_data():
            data, self._rest = self._rest, b""
        try:
            # Without data it returns what it holds back: its own word that it can accept more does not say that it
            # holds nothing.
            return bytes(self._stream.process(data, output_buffer_limit=_PIECE_BYTES))
        except brotli.error as error:
            raise DecodingFailed(str(error)) from None

    def finish(self) -> None:
        if self._begun and not self._stream.is_finished():
            raise DecodingFailed("it is incomplete")


class _Zstd:
    """One frame after the other."""

    def __init__(self) -> None:
        self._rest = b""
        self._frame = zstd.ZstdDecompressor()
        self._begun = False

    def feed(self, data: bytes) -> None:
        self._rest += data

    def take(self) -> bytes:
        while self._rest or not self._frame.needs_input:
            if self._frame.eof:
                if not self._rest:
                    return b""
                self._frame = zstd.ZstdDecompressor()
            rest, self._rest = (self._rest, b"") if self._frame.needs_input else (b"", self._rest)
            self._begun = True
            try:
                piece = self._frame.decompress(rest, max_length=_PIECE_BYTES)
            except zstd.ZstdError as error:
                raise DecodingFailed(str(error)) from None
            if self._frame.eof:
                self._rest = self._frame.unused_data + self._rest
            if piece:
                return piece
        return b""

    def finish(self) -> None:
        if self._begun and not self._frame.eof:
            raise DecodingFailed("it is incomplete")


def _inflated(stream: zlib._Decompress, data: bytes) -> bytes:
    try:
        return stream.decompress(data, _PIECE_BYTES)
    except zlib.error as error:
        raise DecodingFailed(str(error)) from None
