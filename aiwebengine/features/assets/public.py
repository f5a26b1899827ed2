"""
The files of `public/` in a deployed folder, as what a script registers.

    public/logo.svg           GET /logo.svg
    public/index.html         GET /
    public/docs/index.html    GET /docs/, and /docs, which leads there
    public/404.html           what is shown for a page that is not there

They are entries like those of handlers, so they serve from the moment at which the version does, come back with a
rollback, and a path that another script has is a conflict.  A handler that the script itself has registered for the
very path comes before the file.  What begins with a dot is not served.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from aiwebengine.build.paths import PUBLIC_FOLDER
from aiwebengine.errors import Problem
from aiwebengine.features.assets.hashed import names_its_hash
from aiwebengine.features.assets.media_types import type_of
from aiwebengine.features.assets.paths import INDEX
from aiwebengine.features.assets.serve import PackedCopy, ServedFile
from aiwebengine.runtime.reserved import ReservedPaths
from aiwebengine.scripts.prepare import DeployedFiles
from aiwebengine.values import Entry

KIND = "file"
"""The kind of these entries."""

MISSING = "404.html"
"""What is shown for a page that is not there."""

_METHODS = ("GET", "HEAD")
_PACKED = {".br": "br", ".gz": "gzip"}
_LONGEST = 1024


def public_entries(deployed: DeployedFiles, reserved: ReservedPaths) -> tuple[list[Entry], list[Problem]]:
    """Return the entries of the files of a version, and a warning for each that cannot be served."""
    files = {
        path[len(PUBLIC_FOLDER) :]: content
        for path, content in deployed.files.items()
        if path.startswith(PUBLIC_FOLDER)
    }
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    entries: list[Entry] = []
    problems: list[Problem] = []
    for path, content in files.items():
        if why := _why_not(deployed.base, path, reserved):
            problems.append(
                Problem(
                    code="not_served",
                    severity="warning",
                    file=PUBLIC_FOLDER + path,
                    message=f"{PUBLIC_FOLDER}{path} {why}",
                )
            )
            continue
        options = {
            "digest": digests[path],
            "size": len(content),
            "type": type_of(path, content),
            "modified": deployed.at // 1000,
            "immutable": names_its_hash(path),
            "packed": dict(_packed(path, files, digests)),
        }
        entries += [
            Entry(
                kind=KIND,
                key=key,
                script=deployed.script,
                version=deployed.version,
                methods=_METHODS,
                options={**options, **more},
                place=PUBLIC_FOLDER + path,
            )
            for key, more in _keys(path)
        ]
    return entries, problems


def served_file(options: Mapping[str, Any]) -> ServedFile:
    """Return what the options of an entry say."""
    return ServedFile(
        digest=options["digest"],
        size=options["size"],
        type=options["type"],
        modified=float(options["modified"]),
        immutable=options["immutable"],
        packed={coding: PackedCopy(digest=copy[0], size=copy[1]) for coding, copy in options["packed"].items()},
    )


def missing_pages(entries: Sequence[Entry]) -> Mapping[str, Entry]:
    """Return by script what is shown for a page that is not there; see `EntryIndex.build`."""
    return {entry.script: entry for entry in entries if entry.place == PUBLIC_FOLDER + MISSING}


def _keys(path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return the paths at which a file is served, and what is special there."""
    key = "/" + "/".join(quote(part, safe="~-._") for part in path.split("/"))
    yield key, {}
    if path.rpartition("/")[2] == INDEX:
        folder = key[: -len(INDEX)]
        yield folder, {"folder": True}
        if folder != "/":
            yield folder[:-1], {"folder": True}


def _packed(path: str, files: Mapping[str, bytes], digests: Mapping[str, str]) -> Iterator[tuple[str, list[Any]]]:
    for ending, coding in _PACKED.items():
        if path + ending in files:
            yield coding, [digests[path + ending], len(files[path + ending])]


def _why_not(base: str, path: str, reserved: ReservedPaths) -> str | None:
    if any(part.startswith(".") for part in path.split("/")):
        return "is not served: a name that begins with a dot is hidden."
    key = f"{base}/{path}"
    if len(quote(key)) > _LONGEST:
        return f"is not served: its address would have more than {_LONGEST:,} characters."
    if (written := reserved.form(key)) is not None:
        return f"is not served: {written} is reserved for the engine."
    return None
