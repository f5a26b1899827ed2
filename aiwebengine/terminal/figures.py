"""
Figures of a server for people, from any feature: sections, tables and lines, in words.

    Server
      profile development, started 2026-11-28 19:11:59, scripts 3

    Threads
      pool      size  threads  running
      database  4     2        0

A part whose figures are all zero is only named, in the last line.  What a key says of its value decides how that is
shown: `startedAt` is a moment, `longestMs` a time, `peakBytes` a size.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from aiwebengine.terminal import show

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[0-9])(?=[a-z])|(?<=[0-9])(?=[A-Z])")
_WIDTH = 100
_FEWEST_FLAGS = 3
_EMPTY_VALUES = (None, "", 0, False)


def figures(document: Mapping[str, Any]) -> None:
    """Print a document, each of its members as a section."""
    quiet = []
    for name, value in document.items():
        if _is_quiet(value):
            quiet.append(_words(name))
            continue
        click.echo(click.style(_title(name), bold=True))
        _value(name, value, "  ")
        click.echo()
    if quiet:
        click.echo(f"Nothing to report: {', '.join(quiet)}.")


def _value(name: str, value: Any, margin: str) -> None:
    rows = _rows(value)
    if rows is not None:
        _table(name, rows, margin)
    elif isinstance(value, Mapping) and _are_flags(value):
        _flags(value, margin)
    elif isinstance(value, Mapping):
        _mapping(value, margin)
    elif isinstance(value, list):
        _wrapped([_shown("", item) for item in value] or ["none"], margin)
    else:
        click.echo(f"{margin}{_shown(name, value)}")


def _mapping(value: Mapping[str, Any], margin: str) -> None:
    plain = {key: item for key, item in value.items() if not isinstance(item, Mapping | list)}
    _wrapped([f"{_words(key)} {_shown(key, item)}" for key, item in plain.items()], margin)
    for key, item in value.items():
        if key in plain:
            continue
        if item:
            click.echo(f"{margin}{_words(key)}")
            _value(key, item, f"{margin}  ")
        elif not isinstance(item, Mapping):
            click.echo(f"{margin}{_words(key)} none")


def _rows(value: Any) -> list[tuple[str, Mapping[str, Any]]] | None:
    """Return the rows of what is best shown as a table, each with its name; None if it is no such thing."""
    if isinstance(value, Mapping):
        named = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        named = [("", item) for item in value]
    else:
        return None
    rows = [(key, item) for key, item in named if isinstance(item, Mapping)]
    if len(rows) != len(named) or len({tuple(item) for _, item in rows}) != 1 or not rows[0][1]:
        return None
    if any(isinstance(cell, Mapping) for _, row in rows for cell in row.values()):
        return None
    return rows if len(rows) > 1 or isinstance(value, list) else None


def _table(name: str, rows: Sequence[tuple[str, Mapping[str, Any]]], margin: str) -> None:
    columns = list(rows[0][1])
    head = [*([_words(name)] if rows[0][0] else []), *map(_words, columns)]
    cells = [[*([row_name] if row_name else []), *(_shown(key, row[key]) for key in columns)] for row_name, row in rows]
    show.table([f"{margin}{head[0]}", *head[1:]], [[f"{margin}{line[0]}", *line[1:]] for line in cells])


def _are_flags(value: Mapping[str, Any]) -> bool:
    return sum(isinstance(item, bool) for item in value.values()) >= _FEWEST_FLAGS


def _flags(value: Mapping[str, Any], margin: str) -> None:
    for answer, flag in (("yes", True), ("no", False)):
        if named := [_words(key) for key, item in value.items() if item is flag]:
            _wrapped(named, f"{margin}{answer}: ")
    rest = {key: item for key, item in value.items() if not isinstance(item, bool)}
    _mapping(rest, margin)


def _wrapped(parts: Sequence[str], margin: str) -> None:
    """Print parts with commas between them, in as many lines as they take."""
    line = ""
    for part in parts:
        longer = f"{line}, {part}" if line else part
        if line and len(margin) + len(longer) > _WIDTH:
            click.echo(f"{margin}{line},")
            margin, longer = " " * len(margin), part
        line = longer
    if line:
        click.echo(f"{margin}{line}")


def _shown(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "-"
    if isinstance(value, list):
        if any(isinstance(item, Mapping) for item in value):
            # A cell has no room for more.
            return str(len(value))
        return ", ".join(_shown("", item) for item in value) or "none"
    if isinstance(value, int | float):
        return _number(key, value)
    return show.safe(value)


def _number(key: str, value: float) -> str:
    if key == "at" or key.endswith("At"):
        return f"{show.moment(value)} ({_age(time.time() - value / 1000)})"
    if key.endswith("Bytes"):
        return show.size(value)
    unit = " ms" if key.endswith("Ms") else " s" if key.endswith("Seconds") else ""
    return f"{value:.10g}{unit}"


def _age(seconds: float) -> str:
    """Return how long ago something was, in its largest unit."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(0.0, seconds):.0f} s ago"


def _words(key: str) -> str:
    """Return a key as people say it: `scriptsWaiting` becomes `scripts waiting`."""
    if not key.isascii() or not key.isalnum():
        return show.safe(key)
    bare = re.sub(r"(?<=[a-z])(At|Ms|Bytes|Seconds)$", "", key)
    return _HUMP.sub(" ", bare).lower() if bare else key


def _title(key: str) -> str:
    words = _words(key)
    return words[:1].upper() + words[1:]


def _is_quiet(value: Any) -> bool:
    """Return whether a part has nothing but zeros."""
    return all(item in _EMPTY_VALUES for item in _leaves(value))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value
