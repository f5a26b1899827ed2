"""
What a script's `package.json` and `package-lock.json` ask npm for, and what they may ask for.

Of `devDependencies` only those count that a `tsconfig.json` extends.

Deployers are not trusted with the server's disk: a dependency is a version or a range of a
published package, or a tarball among the deployed files.  A lock file says where npm
puts each package and what it takes for it, so its entries are held to the same rule: every path is below
`node_modules`, and nothing is a link or a file of the machine.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiwebengine.errors import DeploymentRefused, Problem
from aiwebengine.exact_json import python_decoder

PACKAGE_FILE = "package.json"
LOCK_FILE = "package-lock.json"

_NAME = r"(?:@[A-Za-z0-9._~-]+/)?[A-Za-z0-9_~-][A-Za-z0-9._~-]*"
_PLACE = re.compile(rf"node_modules/{_NAME}(?:/node_modules/{_NAME})*")
_ELSEWHERE = re.compile(r"(?:[^/]*:|[/.]|~/|[^@/]+/[^/]+$)")
"""What is no version, range, tag or alias: an address, a path, or a repository such as `user/name`."""
_LOCK_VERSIONS = (2, 3)
_CONFIGURATION = re.compile(r"(?:ts|js)config(?:[._-].*)?\.json")
_QUOTED_PACKAGE = re.compile(rb'"(' + _NAME.encode() + rb')(?:/[^"]*)?"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """What is to be installed."""

    ranges: Mapping[str, str]
    """Name to version, range or `file:` and the path of a deployed tarball."""
    lock: bytes = b""
    """The lock file; empty if none was deployed."""
    tarballs: Mapping[str, bytes] = field(default_factory=dict)
    """Deployed packages, by path."""
    importable: tuple[str, ...] = ()
    """The names that scripts may import: those of `dependencies`."""

    def digest(self) -> str:
        """Return a name for what is installed: the same for the same dependencies, lock file and tarballs."""
        document = [
            sorted(self.ranges.items()),
            self.lock.decode("utf-8", "replace"),
            sorted((path, hashlib.sha256(content).hexdigest()) for path, content in self.tarballs.items()),
        ]
        return hashlib.sha256(json.dumps(document).encode()).hexdigest()[:40]


def read(files: Mapping[str, bytes]) -> Dependencies:
    """
    Read the dependencies of a script; a lock file may be large, so this is called in a thread.

    Args:
        files: The script's, by path.

    Raises:
        DeploymentRefused: They ask for something else than published packages and deployed tarballs.
    """
    raw = files.get(PACKAGE_FILE)
    document = _json(raw) if raw is not None else None
    if raw is None or not isinstance(document, dict):
        return Dependencies(ranges={})
    dependencies = _table(document, "dependencies", raw)
    wanted = {**_only(_table(document, "devDependencies", raw), _extended(files)), **dependencies}
    tarballs: dict[str, bytes] = {}
    for name, spec in wanted.items():
        if not re.fullmatch(_NAME, name):
            raise refused(f'"{name[:100]}" is not the name of a package.', raw, name)
        if spec.startswith("file:"):
            path = _deployed(name, spec, files, raw)
            tarballs[path] = files[path]
        elif _ELSEWHERE.match(spec) and not spec.startswith("npm:"):
            raise refused(
                f'"{name}" is "{spec[:100]}"; dependencies are versions or ranges of published packages, '
                "or file: and the path of a .tgz file among the script's.",
                raw,
                name,
            )
    lock = files.get(LOCK_FILE, b"")
    if wanted and lock:
        _check_lock(lock, tarballs)
    return Dependencies(ranges=wanted, lock=lock, tarballs=tarballs, importable=tuple(dependencies))


def _table(document: Mapping[str, Any], key: str, package: bytes) -> dict[str, str]:
    table = document.get(key)
    if table is None:
        return {}
    if not isinstance(table, dict) or not all(
        isinstance(name, str) and isinstance(spec, str) for name, spec in table.items()
    ):
        raise refused(f'The "{key}" of package.json must be an object of names and version ranges.', package)
    return table


def _only(table: Mapping[str, str], names: set[str]) -> dict[str, str]:
    return {name: spec for name, spec in table.items() if name in names}


def _extended(files: Mapping[str, bytes]) -> set[str]:
    """Return the packages that compiler options name, as in `"extends": "@tsconfig/node20/tsconfig.json"`."""
    found: set[str] = set()
    for path, content in files.items():
        if _CONFIGURATION.fullmatch(posixpath.basename(path)) and b'"extends"' in content:
            found.update(match[1].decode() for match in _QUOTED_PACKAGE.finditer(content))
    return found


def refused(message: str, package: bytes, name: str | None = None) -> DeploymentRefused:
    """Make the refusal of a package file, at the line that names the dependency *name*."""
    line = None
    if name is not None:
        for number, text in enumerate(package.decode("utf-8", "replace").splitlines(), 1):
            if f'"{name}"' in text:
                line = number
    return DeploymentRefused(
        message, problems=[Problem(code="packages", message=message, file=PACKAGE_FILE, line=line)]
    )


def _deployed(name: str, spec: str, files: Mapping[str, bytes], package: bytes) -> str:
    path = posixpath.normpath(spec.removeprefix("file:"))
    if path.startswith(("/", "..")) or not path.endswith((".tgz", ".tar.gz")) or path not in files:
        raise refused(
            f'"{name}" is "{spec[:100]}"; only a .tgz file that is deployed with the script can be installed so.',
            package,
            name,
        )
    return path


def _check_lock(lock: bytes, tarballs: Mapping[str, bytes]) -> None:
    document = _json(lock)
    packages = document.get("packages") if isinstance(document, dict) else None
    if (
        not isinstance(document, dict)
        or document.get("lockfileVersion") not in _LOCK_VERSIONS
        or not isinstance(packages, dict)
    ):
        raise _lock_refused("it was not written by npm 7 or later; run npm install and deploy the new one")
    for place, entry in packages.items():
        if not isinstance(entry, dict) or (place != "" and not _PLACE.fullmatch(place)):
            raise _lock_refused(f'"{place[:100]}" is not the path of a package')
        if entry.get("link") or entry.get("workspaces"):
            raise _lock_refused(f'"{place}" is a link to a folder; only packages of a registry can be installed')
        resolved = entry.get("resolved", "")
        if not isinstance(resolved, str) or not _may_be_fetched(resolved, tarballs):
            raise _lock_refused(f'"{place}" would be downloaded from "{str(resolved)[:100]}", which is not a registry')


def _may_be_fetched(resolved: str, tarballs: Mapping[str, bytes]) -> bool:
    if resolved.startswith("file:"):
        return posixpath.normpath(resolved.removeprefix("file:")) in tarballs
    return not resolved or resolved.startswith(("https://", "http://"))


def _lock_refused(why: str) -> DeploymentRefused:
    message = f"package-lock.json cannot be used: {why}."
    return DeploymentRefused(message, problems=[Problem(code="packages", message=message, file=LOCK_FILE)])


def _json(raw: bytes) -> Any:
    try:
        return python_decoder().decode(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
