"""
Reading untrusted JSON in a thread, without holding the interpreter's lock for long.

`json.loads` is one call into C: for as long as it takes nothing else runs, whichever thread called it, and what it
makes of 30 MB of `[],[],[]` is a gigabyte.  Here a document is read piece by piece, so that the lock
can be had between any two of them, and a reader that counts stops as soon as there is too much.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Iterator
from json.decoder import JSONDecodeError
from typing import Any, NoReturn

from aiwebengine import long_json

SLICE = 64 * 1024
"""Bytes of a string that are looked at at once: a tenth of a millisecond."""

LONGEST_ESCAPE = 6
"""Bytes that one byte of a string may take as it is written: `\\u0000`."""

_SPACE = re.compile(rb"[ \t\n\r]*+")
_STRING = re.compile(rb'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*+')
"""Whole characters and escapes, up to the end of a string or of what may be looked at."""
_QUOTE, _BACKSLASH = 0x22, 0x5C
MOST_VALUES = 250_000
"""Of which one value of a document may be made: to free those of a few million holds up the reactor."""
_DECODER = json.JSONDecoder()
_BOM = b"\xef\xbb\xbf"


def _marks(body: bytes, at: int, end: int, most: int) -> int:
    """Count what stands before or between values, until there is more than *most*."""
    count = 0
    while at < end and count <= most:
        stop = min(at + SLICE, end)
        count += sum(body.count(mark, at, stop) for mark in (b",", b"[", b"{"))
        at = stop
    return count


def _whole_characters(data: bytes) -> bytes:
    """Return UTF-8 without the beginning of a character at its end."""
    for length in range(1, min(4, len(data)) + 1):
        first = data[-length]
        if first & 0xC0 != 0x80:
            needed = 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
            return data if length >= needed else data[:-length]
    return data


class JsonReader:
    """
    Walks through a document from its beginning to its end.

    Args:
        body: The document, UTF-8.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = len(_BOM) if body.startswith(_BOM) else 0

    def peek(self) -> bytes:
        """Return the next character that is no space; empty at the end of the document."""
        at = self._at
        while True:
            match = _SPACE.match(self._body, at, at + SLICE)
            assert match is not None
            if match.end() == at:
                break
            at = match.end()
        self._at = at
        return self._body[at : at + 1]

    def members(self, longest_name: int) -> Iterator[str]:
        """
        Yield the name of each member of an object; the caller reads its value before the next one.

        Args:
            longest_name: Most bytes of a name, as it is written.

        Raises:
            ValueError: It is not JSON, or a name is longer.
        """
        self._take(b"{")
        if self.peek() == b"}":
            self._at += 1
            return
        while True:
            name = b"".join(self.string(longest_name)).decode("utf-8")
            self._take(b":")
            yield name
            if self.peek() == b"}":
                self._at += 1
                return
            self._take(b",")

    def string(self, longest: int) -> Iterator[bytes]:
        """
        Yield what a string holds, in pieces of UTF-8.

        Args:
            longest: Most bytes of it, as it is written.

        Raises:
            ValueError: It is not JSON, or longer.
            UnicodeEncodeError: It holds a lone surrogate.
        """
        self._take(b'"')
        most = self._at + longest
        while True:
            end, ended = self._piece()
            if end > most:
                self._fail(f"a string has more than {longest:,} bytes")
            raw = self._body[self._at : end]
            text = raw.decode("utf-8")
            if _BACKSLASH in raw:
                text = json.loads(f'"{text}"')
                if not ended and "\ud800" <= text[-1:] <= "\udbff":
                    # The other half of the character comes with the next piece.
                    text, end = text[:-1], end - LONGEST_ESCAPE
            yield text.encode("utf-8")
            self._at = end
            if ended:
                self._at += 1
                return

    def base64(self, longest: int) -> Iterator[bytes]:
        """
        Yield what a string in base64 stands for, in pieces.

        Raises:
            ValueError: It is not JSON, longer than *longest*, or not base64.
        """
        left = b""
        padded = False
        for piece in self.string(longest):
            if padded and piece:
                raise binascii.Error("data after the padding")
            left += piece
            whole = len(left) - len(left) % 4
            now, left = left[:whole], left[whole:]
            padded = now.endswith(b"=")
            yield binascii.a2b_base64(now, strict_mode=True) if now else b""
        if left:
            raise binascii.Error("Incorrect padding")

    def value(self, longest: int) -> Any:
        """
        Return a value of any kind.

        Args:
            longest: Most bytes of it.

        Raises:
            ValueError: It is not JSON, larger, or made of more than `MOST_VALUES` values.
            RecursionError: It is nested too deeply.
        """
        self.peek()
        window = self._body[self._at : self._at + longest]
        complete = self._at + longest >= len(self._body)
        if not complete:
            # A character that the window cuts in two stands at its end, and so in a value that is too large.
            window = _whole_characters(window)
        self._count_values(len(window))
        text = long_json.decode_utf8(window, long_json.no_checkpoint)
        try:
            value, end = long_json.decode_first(text, _DECODER, long_json.no_checkpoint)
        except JSONDecodeError as error:
            wrong = error.msg
            if not complete and (error.pos >= len(text) - LONGEST_ESCAPE or wrong.startswith("Unterminated")):
                wrong = f"the value has more than {longest:,} bytes"
            self._at += len(text[: error.pos].encode("utf-8"))
            self._fail(wrong)
        self._at += end if text.isascii() else len(window) if end == len(text) else len(text[:end].encode("utf-8"))
        return value

    def _count_values(self, size: int) -> None:
        """Fail if there are too many values in what follows; commas and brackets in strings do not count."""
        body, at, end = self._body, self._at, self._at + size
        if _marks(body, at, end, MOST_VALUES) <= MOST_VALUES:
            return
        count = 0
        while at < end:
            quote = body.find(b'"', at, min(at + SLICE, end))
            stop = quote if quote >= 0 else min(at + SLICE, end)
            count += _marks(body, at, stop, MOST_VALUES)
            if count > MOST_VALUES:
                self._fail(f"a value is made of more than {MOST_VALUES:,} values")
            at = stop if quote < 0 else self._end_of_string(quote + 1, end)

    def _end_of_string(self, at: int, end: int) -> int:
        """Return where what follows a string begins; *end* if it does not end."""
        while at < end:
            match = _STRING.match(self._body, at, at + SLICE)
            assert match is not None
            if self._body[match.end() : match.end() + 1] == b'"' or match.end() == at:
                return match.end() + 1
            at = match.end()
        return end

    def end(self) -> None:
        """
        Check that nothing follows.

        Raises:
            ValueError: Something does.
        """
        if self.peek():
            self._fail("something follows the end")

    def _piece(self) -> tuple[int, bool]:
        """Return where the next piece of a string ends, and whether the string does."""
        match = _STRING.match(self._body, self._at, self._at + SLICE)
        assert match is not None
        end = match.end()
        if end < len(self._body) and self._body[end] == _QUOTE and end < self._at + SLICE:
            return end, True
        if end + LONGEST_ESCAPE < self._at + SLICE or end == self._at:
            self._at = end
            self._fail("a string does not end" if end >= len(self._body) else "a string holds what it may not")
        while self._body[end : end + 1] and self._body[end] & 0xC0 == 0x80 and end > self._at:
            end -= 1
        return end, False

    def _take(self, mark: bytes) -> None:
        if self.peek() != mark:
            self._fail(f"{mark.decode()} is missing")
        self._at += 1

    def _fail(self, why: str) -> NoReturn:
        raise ValueError(f"{why} (at byte {self._at:,})")
