"""The cases of the survey, as they stand in `cases/`, with the versions of `versions.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent / "cases"
VERSIONS = Path(__file__).resolve().parent / "versions.json"
_HEAD = re.compile(r"^//// (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A use of packages."""

    packages: tuple[str, ...]
    """The one that the case is about, then those that it needs beside."""
    versions: Mapping[str, str]
    """Of all of them."""
    source: str
    """A module whose default export returns the value, or a promise of it."""
    theme: str
    """The name of its file."""

    @property
    def name(self) -> str:
        """Return the name of the package that it is about."""
        return self.packages[0]

    @property
    def folder(self) -> str:
        """Return its name as a folder and as a path."""
        return re.sub(r"[^a-z0-9]+", "-", self.name).strip("-")


def read_cases() -> list[Case]:
    """Return all cases, in order."""
    versions: Mapping[str, str] = json.loads(VERSIONS.read_text("utf-8"))
    return [case for path in sorted(_FOLDER.glob("*.js")) for case in _of_file(path, versions)]


def _of_file(path: Path, versions: Mapping[str, str]) -> list[Case]:
    parts = _HEAD.split(path.read_text("utf-8"))[1:]
    return [
        Case(
            packages=tuple(head.split()),
            versions={name: versions[name] for name in head.split()},
            source=source.strip() + "\n",
            theme=path.stem,
        )
        for head, source in zip(parts[::2], parts[1::2], strict=True)
    ]
