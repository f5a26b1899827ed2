"""
Source maps, version 3: from a line of the bundle to the author's.

Duktape tells lines and no columns, so a lookup without a column takes the first segment
of the line.  The format is that of ECMA-426: `mappings` holds one group of segments for
each line, separated by `;`, each segment four or five numbers in base64 VLQ, relative to
the numbers before.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

_DIGITS = {
    digit: value for value, digit in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_FRAME = re.compile(r"^\s*at (?:(?P<function>.*?) )?\(input:(?P<line>\d+)\)")
_OWN_PREFIX = "script:"


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


@dataclass(frozen=True, slots=True)
class SourceMap:
    """One decoded map."""

    sources: tuple[str, ...]
    lines: tuple[tuple[tuple[int, int, int, int], ...], ...]
    """For each line of the bundle its segments: column, source, line, column, all from 0."""

    @classmethod
    def parse(cls, text: str) -> SourceMap:
        """
        Decode a map.

        Raises:
            ValueError: It is not one.
        """
        told = json.loads(text)
        sources = tuple(_own(source) for source in told["sources"])
        lines: list[tuple[tuple[int, int, int, int], ...]] = []
        source = line = column = 0
        for group in told["mappings"].split(";"):
            segments: list[tuple[int, int, int, int]] = []
            generated = 0
            for segment in filter(None, group.split(",")):
                numbers = _numbers(segment)
                generated += numbers[0]
                if len(numbers) > 1:
                    source += numbers[1]
                    line += numbers[2]
                    column += numbers[3]
                    segments.append((generated, source, line, column))
            lines.append(tuple(segments))
        return cls(sources=sources, lines=tuple(lines))

    def lookup(self, line: int, column: int = 0) -> tuple[str, int, int] | None:
        """
        Find the author's place.

        Args:
            line: Of the bundle, from 1.
            column: Of the bundle, from 0.

        Returns:
            File, line and column, the latter two from 1; None if the line is not the author's.
        """
        if not 0 < line <= len(self.lines):
            return None
        segments = self.lines[line - 1]
        if not segments:
            return None
        at = max(0, bisect_right(segments, (column, 1 << 60, 0, 0)) - 1)
        _, source, found_line, found_column = segments[at]
        if source >= len(self.sources):
            return None
        return self.sources[source], found_line + 1, found_column + 1


def map_stack(stack: str, source_map: SourceMap | None, files: Mapping[str, str]) -> list[Frame]:
    """
    Find the author's frames of a raw Duktape stack, innermost first.

    Args:
        stack: A line for the error, then lines such as `at foo (input:12) strict`.
        source_map: None if the author's source runs as it is.
        files: The author's files by path, for the source lines.
    """
    frames: list[Frame] = []
    for text in stack.splitlines():
        found = _FRAME.match(text)
        if found is None:
            continue
        line, function = int(found["line"]), found["function"]
        if function in {"[anon]", "eval"}:
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
                    function=function,
                    source_line=_line(files.get(file), own_line),
                )
            )
    return frames


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
    return source.removeprefix(_OWN_PREFIX)


def _line(text: str | None, number: int) -> str | None:
    if text is None:
        return None
    lines = text.splitlines()
    return lines[number - 1].strip()[:400] if 0 < number <= len(lines) else None
