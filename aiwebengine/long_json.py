"""
JSON of any size, read and written in pieces.

`json` reads and writes a document in one call into C: 20 MB take a quarter of a second, during which nothing else runs.
Here long documents are taken apart, so that each call is short, and a checkpoint lies between any two.
The results are those of `json`, and short documents are left to it.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

Checkpoint = Callable[[], object]
"""Called between two pieces."""


def no_checkpoint() -> None:
    """For short documents."""


WINDOW = 64 * 1024
"""Characters that are read at once, in half a millisecond; at least twice an escape."""
NODES = 4096
"""Values that are written at once."""
_CHARACTERS_OF_A_NODE = 64
"""What a string counts for."""

_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN_STRING = re.compile(r'(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*+')
"""Whole characters and escapes."""
_LONGEST_ESCAPE = 6
_ENDS: dict[tuple[type, type], re.Pattern[str]] = {
    (list, dict): re.compile(r"\}(?=\s*+,\s*+\{)"),
    (list, list): re.compile(r"\](?=\s*+,\s*+\[)"),
    (dict, dict): re.compile(r'\}(?=\s*+,\s*+")'),
    (dict, list): re.compile(r'\](?=\s*+,\s*+")'),
}
"""Where a value may end, by what it is in and its own type."""


class _PieceReader:
    """
    Reads one document.

    Args:
        text: The document.
        decoder: Reads pieces.
        checkpoint: See the module.
        window: Characters that are read at once.
    """

    def __init__(self, text: str, decoder: json.JSONDecoder, checkpoint: Checkpoint, window: int) -> None:
        self._text = text
        self._scan: Callable[[str, int], tuple[Any, int]] = vars(decoder)["scan_once"]
        self._decoder = decoder
        self._checkpoint = checkpoint
        self._size = window
        self._at = 0
        self._begin = 0
        self._window = ""
        self._singly_until = 0
        """Before it, values are read one by one."""

    def document(self) -> Any:
        value, end = self.first()
        if end != len(self._text):
            raise json.JSONDecodeError("Extra data", self._text, end)
        return value

    def first(self) -> tuple[Any, int]:
        """Return the value at the beginning, and where what follows it begins."""
        self._space()
        value = self._value()
        self._space()
        return value, self._at

    def _value(self) -> Any:
        """Return the value that begins here."""
        whole = self._whole()
        if whole is not None:
            return whole[0]
        start = self._text[self._at : self._at + 1]
        if start == "{":
            return self._object()
        if start == "[":
            return self._array()
        if start == '"':
            return self._string()
        # A number as long as a window, or nothing that is a value.
        return self._read(self._text, self._at, 0)

    def _whole(self) -> tuple[Any] | None:
        """Return the value that begins here if it ends within a window."""
        if self._begin < self._at < self._begin + len(self._window) and (scanned := self._scanned()):
            return scanned
        self._checkpoint()
        self._begin, self._window = self._at, self._text[self._at : self._at + self._size]
        return self._scanned()

    def _scanned(self) -> tuple[Any] | None:
        try:
            value, end = self._scan(self._window, self._at - self._begin)
        except (StopIteration, json.JSONDecodeError):
            return None
        if end + len("e+") >= len(self._window) and self._begin + end < len(self._text):
            # Perhaps a number that the window has cut.
            return None
        self._at = self._begin + end
        return (value,)

    def _read(self, text: str, at: int, offset: int) -> Any:
        """Read a value with all errors that it may have."""
        try:
            value, end = self._scan(text, at)
        except StopIteration as stop:
            raise json.JSONDecodeError("Expecting value", self._text, stop.value + offset) from None
        except json.JSONDecodeError as error:
            raise json.JSONDecodeError(error.msg, self._text, error.pos + offset) from None
        self._at = end + offset
        return value

    def _array(self) -> list[Any]:
        values: list[Any] = []
        self._at += 1
        if self._space() == "]":
            self._at += 1
            return values
        while True:
            several = self._several(list, type(values[-1])) if values else None
            if several is None:
                values.append(self._value())
            else:
                values += several
            if not self._goes_on("]"):
                return values
            self._space()

    def _object(self) -> dict[str, Any]:
        members: dict[str, Any] = {}
        value: Any = None
        self._at += 1
        if self._space() == "}":
            self._at += 1
            return members
        while True:
            several = self._several(dict, type(value)) if members else None
            if several is None:
                name = self._name()
                value = members[name] = self._value()
            else:
                members.update(several)
            if not self._goes_on("}"):
                return members
            self._space()

    def _several(self, container: type, kind: type) -> Any:
        """Return many values at once if those of this window are like the last one; None if that cannot be."""
        if self._at < self._singly_until:
            return None
        self._checkpoint()
        window = self._text[self._at : self._at + self._size]
        ends = _ENDS.get((container, kind))
        if ends is None:
            end = window.rfind("," if container is list else ',"')
        else:
            end = max((match.end() for match in ends.finditer(window, len(window) // 2)), default=0)
        if end > 0:
            # Whole values with their commas, and nothing else, can stand between brackets.
            opening, closing = "[]" if container is list else "{}"
            try:
                values = self._decoder.decode(f"{opening}{window[:end]}{closing}")
            except (json.JSONDecodeError, RecursionError):
                pass
            else:
                self._at += end
                return values
        self._singly_until = self._at + self._size
        return None

    def _name(self) -> str:
        if self._text[self._at : self._at + 1] != '"':
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self._text, self._at)
        name = self._value()
        assert isinstance(name, str)
        if self._space() != ":":
            raise json.JSONDecodeError("Expecting ':' delimiter", self._text, self._at)
        self._at += 1
        self._space()
        return name

    def _goes_on(self, closing: str) -> bool:
        """Pass a comma, or the end of an array or an object."""
        mark = self._space()
        if mark not in {",", closing}:
            raise json.JSONDecodeError("Expecting ',' delimiter", self._text, self._at)
        self._at += 1
        return mark == ","

    def _string(self) -> str:
        """Return a string that is longer than a window."""
        begin = self._at
        pieces: list[str] = []
        at = begin + 1
        while True:
            self._checkpoint()
            piece = self._text[at : at + self._size]
            match = _PLAIN_STRING.match(piece)
            assert match is not None
            end = match.end()
            raw = piece[:end]
            text = json.loads(f'"{raw}"') if "\\" in raw else raw
            ended = piece[end : end + 1] == '"'
            if not ended:
                if end + _LONGEST_ESCAPE < len(piece) or end == 0 or at + end == len(self._text):
                    return self._wrong_string(begin, at)
                if "\ud800" <= text[-1:] <= "\udbff" and raw[-1:] != text[-1:]:
                    # The other half of the character may come with the next piece.
                    text, end = text[:-1], end - _LONGEST_ESCAPE
                    if end == 0:
                        # No other half comes, for the document ends here: without this it would be read for ever.
                        return self._wrong_string(begin, at)
            pieces.append(text)
            at += end
            if ended:
                self._at = at + 1
                return "".join(pieces)

    def _wrong_string(self, begin: int, at: int) -> str:
        """Have the usual reader say what is wrong in the piece at *at* of a string; all of it could be too long."""
        try:
            self._scan(f'"{self._text[at : at + self._size]}', 0)
        except json.JSONDecodeError as error:
            # That it does not end is said of its beginning.
            where = at + error.pos - 1 if error.pos else begin
            raise json.JSONDecodeError(error.msg, self._text, where) from None
        return str(self._read(self._text, begin, 0))

    def _space(self) -> str:
        """Go on to what is no space, and return it."""
        while True:
            match = _SPACE.match(self._text, self._at, self._at + self._size)
            assert match is not None
            if match.end() == self._at:
                return self._text[self._at : self._at + 1]
            self._at = match.end()
            if match.end() - match.start() == self._size:
                self._checkpoint()


def decode(text: str, decoder: json.JSONDecoder, checkpoint: Checkpoint, *, window: int = WINDOW) -> Any:
    """
    Read a document.

    Args:
        decoder: Whose results and errors these are.

    Raises:
        json.JSONDecodeError, RecursionError, ValueError: What *decoder* raises.
    """
    if len(text) <= window:
        return decoder.decode(text)
    return _PieceReader(text, decoder, checkpoint, window).document()


def decode_first(
    text: str, decoder: json.JSONDecoder, checkpoint: Checkpoint, *, window: int = WINDOW
) -> tuple[Any, int]:
    """
    Read the value with which *text* begins.

    Returns:
        The value, and where what follows it begins, behind spaces.

    Raises:
        json.JSONDecodeError, RecursionError, ValueError: What *decoder* raises.
    """
    return _PieceReader(text, decoder, checkpoint, window).first()


def decode_utf8(data: bytes, checkpoint: Checkpoint, *, window: int = WINDOW) -> str:
    """
    Decode UTF-8 of any length.

    Raises:
        UnicodeDecodeError: It is not valid.
    """
    if len(data) <= window:
        return data.decode("utf-8")
    decoder = codecs.getincrementaldecoder("utf-8")()
    pieces: list[str] = []
    for at in range(0, len(data), window):
        checkpoint()
        behind = len(decoder.getstate()[0])
        try:
            pieces.append(decoder.decode(data[at : at + window], final=at + window >= len(data)))
        except UnicodeDecodeError as error:
            begin = at - behind
            raise UnicodeDecodeError("utf-8", data, begin + error.start, begin + error.end, error.reason) from None
    return "".join(pieces)


def encode_utf8(text: str, checkpoint: Checkpoint, *, window: int = WINDOW) -> bytes:
    """Encode text of any length, with a question mark for each half of a character."""
    if len(text) <= window:
        return text.encode("utf-8", "replace")
    pieces: list[bytes] = []
    for at in range(0, len(text), window):
        checkpoint()
        pieces.append(text[at : at + window].encode("utf-8", "replace"))
    checkpoint()
    return b"".join(pieces)


def encode(value: Any, encoder: Callable[[Any], str], checkpoint: Checkpoint, *, nodes: int = NODES) -> Iterator[str]:
    """
    Yield the pieces of a document.

    Args:
        value: Of lists, dictionaries with strings for keys, and what has nothing inside.
        encoder: Writes pieces, without spaces.

    Raises:
        ValueError, TypeError, RecursionError: What *encoder* raises.
    """
    return _PieceWriter(encoder, checkpoint, nodes).pieces(value)


class _PieceWriter:
    def __init__(self, encoder: Callable[[Any], str], checkpoint: Checkpoint, nodes: int) -> None:
        self._encoder = encoder
        self._checkpoint = checkpoint
        self._nodes = nodes

    def pieces(self, value: Any) -> Iterator[str]:
        self._checkpoint()
        if weight(value, self._nodes) <= self._nodes:
            yield self._encoder(value)
        elif isinstance(value, dict):
            yield from self._of_container(list(value.items()), dict, "{}")
        elif isinstance(value, list):
            yield from self._of_container(value, list, "[]")
        elif isinstance(value, str):
            yield from self._of_string(value)
        else:
            yield self._encoder(value)

    def _of_container(self, values: list[Any], kind: type, brackets: str) -> Iterator[str]:
        """Write as many values at once as are small enough together."""
        mark, at, count = brackets[0], 0, 1
        while at < len(values):
            self._checkpoint()
            several = kind(values[at : at + count])
            if weight(several, self._nodes) <= self._nodes:
                yield mark + self._encoder(several)[1:-1]
                at += count
                count *= 2
            elif count > 1:
                count = max(1, count // 4)
                continue
            else:
                yield mark
                if kind is dict:
                    name, member = values[at]
                    yield f"{self._encoder(name)}:"
                    yield from self.pieces(member)
                else:
                    yield from self.pieces(values[at])
                at += 1
            mark = ","
        yield brackets[1]

    def _of_string(self, value: str) -> Iterator[str]:
        length = self._nodes * _CHARACTERS_OF_A_NODE
        yield '"'
        for begin in range(0, len(value), length):
            self._checkpoint()
            yield self._encoder(value[begin : begin + length])[1:-1]
        yield '"'


def weight(value: Any, most: int) -> int:
    """Return how many values there are in *value*; one of *most* or more if it has as many."""
    count = 0
    waiting = [value]
    while waiting and count <= most:
        item = waiting.pop()
        count += 1
        if isinstance(item, str):
            count += len(item) // _CHARACTERS_OF_A_NODE
        elif isinstance(item, dict):
            if len(item) > most:
                return most + 1
            count += len(item)
            waiting += item.values()
        elif isinstance(item, list):
            if len(item) > most:
                return most + 1
            waiting += item
    return count
