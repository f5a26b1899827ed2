"""
The project file `aiwebengine.toml`: which server a folder belongs to.

    server = "staging"                        # a profile of profiles.toml
    server = "https://staging.example.org"    # or an address for which a profile has a token

It is looked for in the folder that is deployed and its parents, and travels with the files of
the project: it comes from the author of the project.  So it holds no token, chooses only among the
servers for which this user has a token in the profile file (see `target.py`), and neither a link,
nor a pipe, nor a file of another user is read.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from aiwebengine.terminal import exits
from aiwebengine.terminal.exits import CommandFailed

PROJECT_FILE = "aiwebengine.toml"

_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What a project file says."""

    path: Path
    server: str
    """An address, or the name of a profile."""


def find(starts: Iterable[Path], *, warn: Callable[[str], None]) -> Project | None:
    """
    Find the project file of the files and folders in *starts*: the nearest one, upwards from each.

    Raises:
        CommandFailed: A project file is wrong, or two of *starts* belong to different servers.
    """
    projects = {start: _nearest(start.absolute(), warn) for start in starts}
    servers = {None if project is None else project.server for project in projects.values()}
    if len(servers) > 1:
        each = "; ".join(f"{start}: {_described(project)}" for start, project in projects.items())
        raise CommandFailed(
            f"These belong to different servers ({each}). Deploy them one at a time, or name one server with --server.",
            code=exits.USAGE,
        )
    return next(iter(projects.values()), None)


def _described(project: Project | None) -> str:
    return f"no {PROJECT_FILE}" if project is None else f"`{project.server}` in {project.path}"


def _nearest(start: Path, warn: Callable[[str], None]) -> Project | None:
    first = start if start.is_dir() else start.parent
    for folder in (first, *first.parents):
        path = folder / PROJECT_FILE
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _wrong(path, f"it cannot be read: {error.strerror}; a link is not followed") from error
        with os.fdopen(descriptor, "rb") as stream:
            about = os.fstat(descriptor)
            if about.st_uid not in {os.geteuid(), 0, first.stat().st_uid}:
                warn(f"{path} belongs to another user and is not used; name the server with --server")
                continue
            raw = stream.read(_MAX_BYTES + 1) if stat.S_ISREG(about.st_mode) else None
        if raw is None or len(raw) > _MAX_BYTES:
            raise _wrong(path, "it is not a file of at most 64 KiB")
        return Project(path=path, server=_server(path, raw))
    return None


def _server(path: Path, raw: bytes) -> str:
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong(path, f"it is not TOML: {error}") from error
    for key in document:
        if key in {"token", "token_file"}:
            raise _wrong(path, f"it must not hold `{key}`: it is shared. Tokens belong in the profile file")
        if key != "server":
            raise _wrong(path, f"the only key is `server`; `{key}` is not known")
    server = document.get("server")
    if not isinstance(server, str) or not server:
        raise _wrong(path, '`server` must be an address or the name of a profile, such as server = "staging"')
    return server


def _wrong(path: Path, why: str) -> CommandFailed:
    return CommandFailed(f"The project file {path}: {why}.", code=exits.USAGE)
