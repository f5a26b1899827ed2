"""
Where values of settings come from: YAML and TOML files, the environment, flags.

Each reader returns a flat list of `RawValue`: the key's path, the raw value and the place, so
that what is wrong can be shown where it was written.  Nothing is decided about keys and types here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PREFIX = "AIWEBENGINE__"
"""Of environment variables that are settings: `AIWEBENGINE__SERVER__PORT`."""

_MAX_FILE_BYTES = 1024 * 1024
_TOML_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlace:
    """Where a value was written."""

    source: str
    """Path of a file, `environment variable NAME` or `flag --name`."""
    line: int | None = None
    """From 1; None outside of files."""
    column: int | None = None
    """From 1."""
    snippet: str | None = None
    """The line itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawValue:
    """One value as it was written."""

    path: tuple[str, ...]
    """Section and key; for environment variables in lower case."""
    value: Any
    """A Python value from a file, text from the environment or a flag."""
    place: SourcePlace
    is_text: bool = False
    """The value is text that stands for a value of the setting's type: environment and flags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableSettings:
    """A file that cannot be read as settings at all, or one of its entries."""

    message: str
    place: SourcePlace


def from_file(path: Path) -> Iterator[RawValue | UnreadableSettings]:
    """Read one file; `.toml` is TOML, everything else YAML."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        yield UnreadableSettings(
            message=f"The file cannot be read: {error.strerror}. Name an existing file with --config.",
            place=SourcePlace(source=str(path)),
        )
        return
    if len(raw) > _MAX_FILE_BYTES:
        yield UnreadableSettings(
            message="The settings file is larger than 1 MiB, which is the limit.", place=SourcePlace(source=str(path))
        )
        return
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        yield UnreadableSettings(
            message=f"The file is not UTF-8: byte 0x{raw[error.start]:02x}. Save it as UTF-8.",
            place=SourcePlace(source=str(path), line=line),
        )
        return
    yield from _from_toml(text, str(path)) if path.suffix == ".toml" else _from_yaml(text, str(path))


def from_environment(environ: Mapping[str, str]) -> Iterator[RawValue]:
    """Read the variables that begin with `AIWEBENGINE__`."""
    for name in sorted(environ):
        if name.startswith(PREFIX):
            path = tuple(part.lower() for part in name[len(PREFIX) :].split("__"))
            place = SourcePlace(source=f"environment variable {name}")
            yield RawValue(path=path, value=environ[name], place=place, is_text=True)


def from_flags(flags: Iterable[tuple[str, str, str]]) -> Iterator[RawValue]:
    """
    Read flags.

    Args:
        flags: `(flag as written, dotted key, value)`, such as `("--port", "server.port", "9000")`.
    """
    for name, key, value in flags:
        yield RawValue(path=tuple(key.split(".")), value=value, place=SourcePlace(source=f"flag {name}"), is_text=True)


def _from_yaml(text: str, source: str) -> Iterator[RawValue | UnreadableSettings]:
    lines = text.splitlines()
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is not None:
            yield from _walk(loader, root, (), source, lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"This is not YAML: {error.problem or error.context}."
        yield UnreadableSettings(
            message=message, place=_place_at(source, lines, mark) if mark else SourcePlace(source=source)
        )
    except (yaml.YAMLError, RecursionError) as error:
        yield UnreadableSettings(message=f"This is not YAML: {error}.", place=SourcePlace(source=source))
    finally:
        loader.dispose()


def _walk(
    loader: yaml.SafeLoader, node: yaml.Node, path: tuple[str, ...], source: str, lines: list[str]
) -> Iterator[RawValue | UnreadableSettings]:
    if not isinstance(node, yaml.MappingNode):
        if path:
            value = loader.construct_object(node, deep=True)
            yield RawValue(path=path, value=value, place=_place_at(source, lines, node.start_mark))
        else:
            message = "Settings are sections with keys, such as `server:` and below it `  port: 8080`."
            yield UnreadableSettings(message=message, place=_place_at(source, lines, node.start_mark))
        return
    if path and not node.value:
        return
    seen: dict[str, int] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
        if key in seen:
            message = f"`{'.'.join((*path, key))}` stands here a second time; the first is in line {seen[key]}."
            yield UnreadableSettings(message=message, place=_place_at(source, lines, key_node.start_mark))
            continue
        seen[key] = key_node.start_mark.line + 1
        inner = (*path, key)
        empty = isinstance(value_node, yaml.ScalarNode) and value_node.tag == "tag:yaml.org,2002:null"
        if empty and not path:
            continue  # A section without keys, such as one whose lines are all comments.
        if isinstance(value_node, yaml.MappingNode) and len(inner) < 3:
            yield from _walk(loader, value_node, inner, source, lines)
        else:
            value = None if empty else loader.construct_object(value_node, deep=True)
            yield RawValue(path=inner, value=value, place=_place_at(source, lines, key_node.start_mark))


def _place_at(source: str, lines: list[str], mark: yaml.Mark) -> SourcePlace:
    snippet = lines[mark.line] if mark.line < len(lines) else None
    return SourcePlace(source=source, line=mark.line + 1, column=mark.column + 1, snippet=snippet)


def _from_toml(text: str, source: str) -> Iterator[RawValue | UnreadableSettings]:
    lines = text.splitlines()
    try:
        root = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        match = _TOML_PLACE.search(str(error))
        line = int(match[1]) if match and match[1] else len(lines) or 1
        column = int(match[2]) if match and match[2] else 1
        message = f"This is not TOML: {_TOML_PLACE.sub('', str(error))}."
        snippet = lines[line - 1] if line <= len(lines) else None
        yield UnreadableSettings(
            message=message, place=SourcePlace(source=source, line=line, column=column, snippet=snippet)
        )
        return
    for section, value in root.items():
        pairs = value.items() if isinstance(value, dict) else [(None, value)]
        for key, item in pairs:
            path = (section,) if key is None else (section, key)
            yield RawValue(path=path, value=item, place=_toml_place(lines, path, source))


def _toml_place(lines: list[str], path: tuple[str, ...], source: str) -> SourcePlace:
    """Find the line of a key; tomllib does not report it.  Falls back to the file alone."""
    section, keys = "", {path[-1], ".".join(path)}
    for number, line in enumerate(lines, start=1):
        head = line.split("#", 1)[0].strip()
        if head.startswith("["):
            section = head.strip("[] ")
        name = head.split("=", 1)[0].strip().replace('"', "").replace(" ", "")
        inside = section == path[0] if len(path) > 1 and name == path[-1] else not section
        if "=" in head and name in keys and inside:
            return SourcePlace(source=source, line=number, column=len(line) - len(line.lstrip()) + 1, snippet=line)
    return SourcePlace(source=source)
