"""
Source maps, version 3: from a line of the bundle to the author's.

Duktape reports lines but no columns, so only the first segment of each line is kept.  The
format is that of ECMA-426: `mappings` holds one group of segments for each line, separated
by `;`, each segment four or five numbers in base64 VLQ, relative to the numbers before.

The build adds one key to its maps, `functions`: for each source the functions that its author wrote, as
`[line, column, line, column, name]`, lines from 1 and columns from 0. A frame is named for the function that contains
its position, since lowering and bundling change names.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_DIGITS = {
    digit: value for value, digit in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_FRAME = re.compile(r"^\s*at (?:(?P<function>.*?) )?\(input:(?P<line>\d{1,9})\)")
_ANY_FRAME = re.compile(r"^\s*at (?:.{0,200} )?\((?:eval|input|compile|native)[:)]")
_STANDS_FOR_STATEMENTS = re.compile(r"__top\d*")
"""The names of functions that the build puts around statements at top level; see `lowering/strict.mjs`."""
_NAMELESS = frozenset({"[anon]", "eval", ""})
_OWN_PREFIX, _PACKAGE_PREFIX = "script:", "package:"
_MOST_FRAMES = 50
_NOT_A_FUNCTION = re.compile(r"\b(?P<member>[A-Za-z_$][\w$]*) is not a function \(of [^()]{1,200}\)")
_REFUSED_WRITES = {
    "Cannot assign to read only property": "Cannot assign to read only property '{}'",
    "Cannot add a property, the object is not extensible": "Cannot add property '{}', the object is not extensible",
    "Cannot set a property that has only a getter": "Cannot set property '{}', which has only a getter",
}
_WRITE = re.compile(
    r"(?:\.([A-Za-z_$][\w$]*)|\[(?:'([^']{1,40})'|\"([^\"]{1,40})\"|(\d{1,9}))\])\s*(?:[-+*/%&|^?<>]{0,3}=(?![=>])|\+\+|--)"
)
_OBJECT = r"(?<![\w$.\])])((?:[A-Za-z_$][\w$]*)(?:\??\.[A-Za-z_$#][\w$]*|\[[^\[\]]{1,40}\])*)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame of a stack in the author's source."""

    file: str | None
    """Path in the script's folder; None for a script without a source map, which has one file."""
    line: int
    """From 1."""
    column: int | None = None
    """From 1; None if it is not known."""
    function: str | None = None
    source_line: str | None = None


class Function(NamedTuple):
    """A function as its author wrote it: lines from 1, columns from 0."""

    line: int
    column: int
    end_line: int
    end_column: int
    name: str
    """As node shows it in stacks; empty if it has none."""


class SourceMap:
    """
    One decoded map: the first segment of each line.

    Args:
        sources: The author's files.
        places: For each line of the bundle three numbers from 0: source, line, column; source is -1 if it has none.
        functions: For each source its functions; empty for a map that has none.
    """

    __slots__ = ("_functions", "_places", "_sources")

    def __init__(
        self, *, sources: tuple[str, ...], places: array[int], functions: Mapping[str, Sequence[Function]]
    ) -> None:
        self._sources = sources
        self._places = places
        self._functions = functions

    @classmethod
    def parse(cls, text: str) -> SourceMap:
        """
        Decode a map; that of a large package takes a tenth of a second.

        Raises:
            ValueError: It is not one.
        """
        document = json.loads(text)
        known: dict[str, tuple[int, ...]] = {}
        places = array("l")
        source = line = column = 0
        for group in document["mappings"].split(";"):
            first = True
            for segment in group.split(",") if group else ():
                numbers = known.get(segment)
                if numbers is None:
                    numbers = known[segment] = tuple(_numbers(segment))
                if len(numbers) < 4:
                    continue
                source += numbers[1]
                line += numbers[2]
                column += numbers[3]
                if first:
                    places.extend((source, line, column))
                    first = False
            if first:
                places.extend((-1, 0, 0))
        sources = tuple(_own(source) for source in document["sources"])
        functions = {
            source: tuple(Function(*row) for row in rows)
            for source, rows in zip(sources, document.get("functions", ()), strict=False)
        }
        return cls(sources=sources, places=places, functions=functions)

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self._places) // 3

    def lookup(self, line: int) -> tuple[str, int, int] | None:
        """
        Find the author's place.

        Args:
            line: Of the bundle, from 1.

        Returns:
            File, line and column, the latter two from 1; None if the line is not the author's.
        """
        if not 0 < line <= len(self):
            return None
        source, found_line, found_column = self._places[line * 3 - 3 : line * 3]
        if not 0 <= source < len(self._sources):
            return None
        return self._sources[source], found_line + 1, found_column + 1

    def start(self, file: str, line: int) -> int:
        """Return the first line of the outermost function that ends in *line*; *line* itself if there is none."""
        return min(
            (function.line for function in self._functions.get(file, ()) if function.end_line == line), default=line
        )

    def function(self, file: str, line: int, column: int, otherwise: str | None) -> str | None:
        """
        Return the name of the function that contains a position.

        Args:
            file: One of the author's.
            line: From 1.
            column: From 1.
            otherwise: What the stack calls it, for a map without functions.

        Returns:
            The name; None for a function that has none, and for what is in no function.
        """
        if not self._functions:
            return otherwise
        place = (line, column - 1)
        inner: Function | None = None
        for function in self._functions.get(file, ()):
            if (function.line, function.column) <= place < (function.end_line, function.end_column) and (
                inner is None or (function.line, function.column) >= (inner.line, inner.column)
            ):
                inner = function
        return (inner.name or None) if inner is not None else None


def map_stack(stack: str, source_map: SourceMap | None, files: Mapping[str, str]) -> list[Frame]:
    """
    Find the author's frames of a raw Duktape stack, innermost first.

    Args:
        stack: A line for the error, then lines such as `at foo (input:12) strict`.
        source_map: None if the author's source runs as it is.
        files: The author's files by path, for the source lines.
    """
    frames: list[Frame] = []
    for text in _without_calls(stack.splitlines()):
        match = _FRAME.match(text)
        if match is None:
            continue
        line, function = int(match["line"]), match["function"]
        if function in _NAMELESS or _stands_for_statements(function):
            function = None
        if source_map is None:
            only = next(iter(files), None) if len(files) == 1 else None
            frames.append(
                Frame(file=only, line=line, function=function, source_line=_line(files.get(only or ""), line))
            )
            continue
        place = source_map.lookup(line)
        if place is not None:
            file, own_line, column = place
            frames.append(
                Frame(
                    file=file,
                    line=own_line,
                    column=column,
                    function=source_map.function(file, own_line, column, function),
                    source_line=_line(files.get(file), own_line),
                )
            )
    return frames


def frame_of_registration(place: str, source_map: SourceMap | None, files: Mapping[str, str]) -> Frame:
    """
    Return the frame of a call that registers a handler.

    Args:
        place: Its `file:line`: the last line of a call that has several.
        source_map: Knows where the handler begins that ends there; None if the author's source runs as it is.
        files: The author's files by path, for the source line.
    """
    file, _, line = place.rpartition(":")
    number = int(line) if line.isdecimal() else 1
    if source_map is not None:
        number = source_map.start(file, number)
    return Frame(file=file or None, line=number, source_line=_line(files.get(file), number))


def with_callee(message: str, source_line: str | None) -> str:
    """
    Return the message of an error with the whole name of what it is about, as other engines say it.

    Of what is not a function the engine knows only the member: `json is not a function (of an object)` becomes
    `res.json is not a function` if the line that failed calls `json` of one object.  Of what cannot be written to it
    knows nothing: `Cannot assign to read only property` becomes that with `'a'` if the line writes to one property.
    """
    if not source_line:
        return message
    match = _NOT_A_FUNCTION.search(message)
    if match is None:
        return _with_property(message, source_line)
    member = match["member"]
    objects = set(re.findall(rf"{_OBJECT}\??\.{re.escape(member)}\s*(?:\?\.)?\(", source_line))
    if len(objects) != 1:
        return message
    return f"{message[: match.start()]}{objects.pop()}.{member} is not a function{message[match.end() :]}"


def _with_property(message: str, source_line: str) -> str:
    for told, shown in _REFUSED_WRITES.items():
        if message.endswith(told):
            names = {name for found in _WRITE.findall(source_line) for name in found if name}
            return message.removesuffix(told) + shown.format(*names) if len(names) == 1 else message
    return message


def readable(text: str, source_map: SourceMap | None, only: str | None) -> str:
    """
    Return a text with the author's places in it, where it shows raw stacks of Duktape.

    Frames of the engine and of what the build has put in are left out; of very many the last ones are, too.

    Args:
        source_map: None if the author's source runs as it is.
        only: The name of the one file, for a script without a map.
    """
    lines: list[str] = []
    shown = 0
    for line in _without_calls(text.split("\n")):
        if _ANY_FRAME.match(line) is None:
            lines.append(line)
            continue
        match = _FRAME.match(line) if shown < _MOST_FRAMES else None
        if match is None:
            continue
        number, function = int(match["line"]), match["function"] or ""
        place = (only, number, 0) if source_map is None else source_map.lookup(number)
        if place is None:
            continue
        file, own_line, column = place
        if source_map is not None and file is not None:
            function = source_map.function(file, own_line, column, function) or ""
        nameless = function in _NAMELESS or _stands_for_statements(function)
        where = f"{file}:{own_line}" if file else f"line {own_line}"
        lines.append(f"    at {'(anonymous)' if nameless else function} ({where})")
        shown += 1
    return "\n".join(lines)


def _stands_for_statements(function: str | None) -> bool:
    return function is not None and _STANDS_FOR_STATEMENTS.fullmatch(function) is not None


def _without_calls(lines: Iterable[str]) -> Iterator[str]:
    """Leave out frames that only call a function that stands for statements, which is where the author's code is."""
    calls = False
    for line in lines:
        match = None if calls else _FRAME.match(line)
        if not calls:
            yield line
        calls = match is not None and _stands_for_statements(match["function"])


def _numbers(segment: str) -> list[int]:
    numbers: list[int] = []
    value = shift = 0
    for character in segment:
        digit = _DIGITS[character]
        value |= (digit & 31) << shift
        if digit & 32:
            shift += 5
            continue
        numbers.append(-(value >> 1) if value & 1 else value >> 1)
        value = shift = 0
    return numbers


def _own(source: str) -> str:
    return source.removeprefix(_OWN_PREFIX).removeprefix(_PACKAGE_PREFIX)


def _line(text: str | None, number: int) -> str | None:
    if text is None:
        return None
    lines = text.splitlines()
    return lines[number - 1].strip()[:400] if 0 < number <= len(lines) else None
