"""
What commands print: tables, problems like a compiler's, progress.

Text for people goes through `safe`, so that nothing a script logged can move the cursor or
fake a line; with `--json` one document is printed and nothing else on standard output.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SNIPPET = 160
_COLOURS = {"error": "red", "warning": "yellow", "warn": "yellow", "debug": "bright_black"}


def safe(text: object) -> str:
    """Make control characters visible."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", str(text))


def document(value: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def tree(value: Mapping[str, Any], depth: int = 0) -> None:
    """Print a document for people: one value a line, what is inside another indented."""
    for key, item in value.items():
        name = f"{'  ' * depth}{safe(key)}:"
        if isinstance(item, Mapping):
            click.echo(name if item else f"{name} none")
            tree(item, depth + 1)
        elif isinstance(item, list):
            click.echo(name if item else f"{name} none")
            for number, entry in enumerate(item):
                if isinstance(entry, Mapping):
                    click.echo(f"{'  ' * (depth + 1)}{number + 1}")
                    tree(entry, depth + 2)
                else:
                    click.echo(f"{'  ' * (depth + 1)}{safe(entry)}")
        else:
            click.echo(f"{name} {safe('-' if item is None else item)}")


def note(text: str) -> None:
    """Print a message that is not the result."""
    click.echo(safe(text), err=True)


class Progress:
    """
    Steps of something long, on one line of the terminal that the next one overwrites.

    Args:
        wanted: Show them; else nothing is printed.
    """

    def __init__(self, *, enabled: bool) -> None:
        self._wanted = enabled and sys.stderr.isatty()
        self._width = 0

    def step(self, text: str) -> None:
        """Print the step that is under way."""
        if self._wanted:
            line = f"{safe(text)} ..."
            click.echo("\r" + line.ljust(self._width), nl=False, err=True)
            self._width = len(line)

    def done(self) -> None:
        """Take the line away."""
        if self._wanted and self._width:
            click.echo("\r" + " " * self._width + "\r", nl=False, err=True)
            self._width = 0


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print columns as wide as what stands in them."""
    lines = [list(head), *([safe(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.echo(click.style(text, bold=True) if number == 0 else text)


def count(group: Mapping[str, Any]) -> str:
    """Return how many things of one kind a script registers, such as `3 routes`."""
    number = group.get("count", len(group["entries"]))
    return f"{number} {safe(group['noun'] if number == 1 else group['nouns'])}"


def removed(result: Mapping[str, Any]) -> None:
    """Print what a deployment or a rollback took away of what the script had registered."""
    for group in result.get("removed", ()):
        for name in [safe(entry["name"]) for entry in group["entries"]] or [count(group)]:
            click.echo(f"  removes {name}, which it had")


def problems(listed: Iterable[Mapping[str, Any]], *, prefix: str = "") -> None:
    """
    Print problems like a compiler: place, message, the line with a mark, the hint.

    Args:
        prefix: Folder in which the author's files are, so that an editor can open the places.
    """
    for problem in listed:
        severity = safe(problem.get("severity", "error"))
        file = safe(problem.get("file") or "")
        path = f"{prefix}/{file}" if prefix and file else prefix or file
        where = ":".join(safe(part) for part in (path, problem.get("line"), problem.get("column")) if part)
        head = click.style(severity, fg=_COLOURS.get(severity, "red"), bold=True)
        code = f" [{safe(problem['code'])}]" if problem.get("code") else ""
        message = safe(problem.get("message", ""))
        click.echo(f"{where}: {head}: {message}{code}" if where else f"{head}: {message}{code}")
        if problem.get("snippet"):
            click.echo(_snippet(str(problem["snippet"]), problem.get("column")))
        if problem.get("hint"):
            click.echo(f"    hint: {safe(problem['hint'])}")


def _snippet(line: str, column: object) -> str:
    line = line.replace("\t", " ")
    if not isinstance(column, int) or column < 1 or column > len(line) + 1:
        return f"    {safe(line[:_SNIPPET])}"
    start = max(0, column - _SNIPPET // 2)
    before, after = safe(line[start : column - 1]), safe(line[column - 1 : start + _SNIPPET])
    return f"    {before}{after}\n    {' ' * len(before)}^"


def moment(milliseconds: object) -> str:
    """Return a time of the server in the user's time zone."""
    if not isinstance(milliseconds, int | float):
        return "-"
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def size(count: object) -> str:
    """Return bytes for people."""
    number = float(count) if isinstance(count, int | float) else 0.0
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"


def log_line(line: Mapping[str, Any], *, with_script: bool) -> str:
    """Return one line of a script's log; further lines of the message are indented."""
    level = safe(line.get("level", "info"))
    script = f"{safe(line.get('uri', ''))}@{safe(line.get('version', '?'))} " if with_script else ""
    fields = line.get("fields") or {}
    outcome = line.get("outcome")
    first, *rest = (safe(part) for part in str(line.get("message", "")).split("\n"))
    pairs = "".join(
        f" {safe(key)}={safe(json.dumps(value, ensure_ascii=False))}"
        for key, value in fields.items()
        if not _is_repeated(key, value, outcome, rest)
    )
    ended = f" ({safe(outcome)})" if outcome not in {None, "committed"} else ""
    shown = click.style(f"{level:<5}", fg=_COLOURS.get(level))
    return "\n    ".join((f"{moment(line.get('at'))} {shown} {script}{first}{pairs}{ended}", *rest))


def _is_repeated(key: str, value: object, outcome: object, rest: Sequence[str]) -> bool:
    """Return whether a field says what is shown anyway: the outcome of a failure, and the place of its first frame."""
    if key == "code":
        return value == outcome
    return key == "place" and bool(rest) and rest[0].endswith(f"({value})")
