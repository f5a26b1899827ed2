"""Frozen data about scripts: a version, what it registered, what is done to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from aiwebengine.errors import Problem
from aiwebengine.services.db.units import OwnWrites
from aiwebengine.values import Entry, HandlerRef

_DIGEST_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredEntries:
    """What a version's top level and `init` registered."""

    entries: tuple[Entry, ...] = ()
    """In the order of registration."""
    middleware: tuple[int, ...] = ()
    """Handler ids, in order."""

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {
            "entries": [
                {
                    "kind": entry.kind,
                    "key": entry.key,
                    "handler": None if entry.handler is None else [entry.handler.id, entry.handler.name],
                    "methods": list(entry.methods),
                    "options": dict(entry.options),
                    "place": entry.place,
                }
                for entry in self.entries
            ],
            "middleware": list(self.middleware),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], *, script: str, version: str) -> RegisteredEntries:
        """Read what `as_json` gave."""
        return cls(
            entries=tuple(
                Entry(
                    kind=entry["kind"],
                    key=entry["key"],
                    script=script,
                    version=version,
                    handler=_handler(entry["handler"]),
                    methods=tuple(entry["methods"]),
                    options=entry["options"],
                    place=entry["place"],
                )
                for entry in stored["entries"]
            ),
            middleware=tuple(stored["middleware"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One stored version of one script, without its bytes."""

    uri: str
    number: int
    """Counted for each script from 1; never given twice."""
    id: str
    """`Bundle.version`: `<uri>@<number>-<digest prefix>`."""
    digest: str
    """Content address of files, entry and manifest."""
    entry: str
    manifest: Mapping[str, Any]
    grants: frozenset[str]
    """Capabilities that the administrator granted."""
    registered: RegisteredEntries
    warnings: tuple[Problem, ...]
    toolchain: str
    """What built it."""
    author: str
    message: str
    deployed_at: int
    """Milliseconds since 1970."""
    size_bytes: int
    """Sum of the author's files."""
    origin: str = ""
    """Machine and folder from which it was deployed, as the command line names them; empty if it was not stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """A version that is to be stored, with its bytes."""

    version: Version
    files: Mapping[str, bytes]
    source: str
    source_map: str
    replay: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One of the author's files in a stored version."""

    path: str
    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEvent:
    """Something that was done to a script."""

    at: int
    """Milliseconds since 1970."""
    action: str
    """`deploy`, `rollback` or `delete`."""
    number: int | None
    """The version that serves since."""
    author: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVersion:
    """What the history shows of a version; the members are those of `Version`."""

    number: int
    id: str
    grants: frozenset[str]
    author: str
    message: str
    deployed_at: int
    size_bytes: int
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The stored history of a script, newest first."""

    uri: str
    current: int | None
    """None: the script is deleted."""
    versions: tuple[PastVersion, ...]
    """The newest thousand."""
    events: tuple[HistoryEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PutVersion:
    """Store a version and let it serve."""

    new: NewVersion
    expected: int | None = None
    """The number that must serve now, 0 for none; None for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateVersion:
    """Let a stored version serve again."""

    uri: str
    number: int
    expected: int | None = None
    author: str = ""
    message: str = ""
    version: Version | None = None
    """That version, if it was read already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveScript:
    """Let a script serve no longer."""

    uri: str
    expected: int | None = None
    purge: bool = False
    """Remove its versions and history too."""
    author: str = ""
    message: str = ""


class StoredWith(Protocol):
    """Other work that is stored in the same transaction."""

    @property
    def write(self) -> Callable[[Any], None]:
        """Return what stores it; takes the connection."""

    @property
    def own(self) -> OwnWrites | None:
        """Return what it writes into the database of a script."""

    @property
    def happened(self) -> Callable[[], None]:
        """Return what is to be called after the commit."""


Change = PutVersion | ActivateVersion | RemoveScript | StoredWith
"""What one transaction may be made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a change did."""

    version: Version | None
    """What serves now; None after a deletion."""
    previous: int | None
    """The number that served before."""
    changed: bool = True
    """False: everything was as it should be already."""
    warnings: tuple[Problem, ...] = ()
    steps: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds by step."""
    removed: tuple[Entry, ...] = ()
    """What the script had registered before and has not any more; see `removed_entries`."""


def removed_entries(before: Iterable[Entry], after: Iterable[Entry]) -> tuple[Entry, ...]:
    """Return what is in *before* and not in *after*: an entry with a path only with the methods that were removed."""
    present = {(entry.kind, entry.key, method) for entry in after for method in entry.methods or ("",)}
    gone: list[Entry] = []
    for entry in before:
        lost = tuple(method for method in entry.methods or ("",) if (entry.kind, entry.key, method) not in present)
        if lost:
            gone.append(replace(entry, methods=lost if entry.methods else ()))
    return tuple(gone)


def digest_files(uri: str, files: Mapping[str, bytes], *, entry: str, grants: Sequence[str]) -> str:
    """Return the content address of what an author sent."""
    whole = hashlib.sha256()
    for part in (uri, entry, *sorted(grants)):
        whole.update(json.dumps(part).encode())
    for path in sorted(files):
        whole.update(json.dumps(path).encode())
        whole.update(hashlib.sha256(files[path]).digest())
    return whole.hexdigest()


def version_id(uri: str, number: int, digest: str) -> str:
    """Name a version, unique over all scripts."""
    return f"{uri}@{number}-{digest[:_DIGEST_SHOWN]}"


def _handler(stored: Sequence[Any] | None) -> HandlerRef | None:
    return None if stored is None else HandlerRef(id=stored[0], name=stored[1])


def problem_from_json(stored: Mapping[str, Any]) -> Problem:
    """Read what `Problem.as_json` gave."""
    return Problem(**stored)
