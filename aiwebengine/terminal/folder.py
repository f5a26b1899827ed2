"""
The files of a script on the author's machine, ready to be sent.

Left out are `node_modules`, what begins with a dot, the project file, and links: a link in a folder from elsewhere
could point to any file of this machine.
"""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiwebengine.terminal import exits
from aiwebengine.terminal.exits import CommandFailed
from aiwebengine.terminal.project import PROJECT_FILE

_MAX_FILES = 10_000
_MAX_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What is sent."""

    uri: str
    """The default name of the script: the folder's or file's name without ending."""
    root: str
    """Path before the file names, for messages; empty if it is the working directory."""
    files: dict[str, Any]
    """By path inside the folder: text, or `{"base64": ...}`."""
    entry: str | None
    """The file's name if a single file is deployed."""
    links: tuple[str, ...]
    """Links that were left out."""


def read(path: Path) -> Folder:
    """
    Read one file or a folder.

    Raises:
        CommandFailed: It is not there, cannot be read, or is far too large.
    """
    try:
        if path.is_dir():
            return _folder(path)
        content = _content(path)
    except OSError as error:
        text = f"{error.filename or path} cannot be read: {error.strerror}."
        raise CommandFailed(text, code=exits.USAGE) from error
    root = "" if path.parent == Path() else str(path.parent)
    return Folder(uri=path.stem, root=root, files={path.name: content}, entry=path.name, links=())


def origin_of(path: Path) -> str:
    """Return from where a file or folder is sent, for people: this machine's name and the path, `~` for one's home."""
    whole = path.resolve()
    home = Path.home()
    shown = f"~/{whole.relative_to(home).as_posix()}" if whole.is_relative_to(home) else whole.as_posix()
    return f"{socket.gethostname()}:{shown}"


def _folder(path: Path) -> Folder:
    files: dict[str, Any] = {}
    links: list[str] = []
    total = 0
    for name, content in _walk(path):
        if content.is_symlink():
            links.append(name)
            continue
        if not content.is_file():
            continue
        total += content.stat().st_size
        if len(files) >= _MAX_FILES or total > _MAX_BYTES:
            text = f"{path} holds more than {_MAX_FILES:,} files or 100 MiB; is it the folder of one script?"
            raise CommandFailed(text, code=exits.USAGE)
        files[name] = _content(content)
    if not files:
        raise CommandFailed(f"{path} holds no files to deploy.", code=exits.USAGE)
    root = "" if path == Path() else str(path)
    return Folder(uri=path.resolve().name, root=root, files=files, entry=None, links=tuple(links))


def _walk(path: Path) -> Iterator[tuple[str, Path]]:
    for folder, folders, names in os.walk(path):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(
            name for name in folders if name != "node_modules" and not name.startswith(".") and name not in links
        )
        for name in sorted([*names, *links]):
            if not name.startswith(".") and (name != PROJECT_FILE or here != path):
                yield (here / name).relative_to(path).as_posix(), here / name


def _content(path: Path) -> Any:
    with path.open("rb") as stream:
        raw = stream.read(_MAX_BYTES + 1)
    if len(raw) > _MAX_BYTES:
        raise CommandFailed(f"{path} is larger than 100 MiB.", code=exits.USAGE)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        # The server checks that source is text, and names the line that is not.
        return {"base64": base64.b64encode(raw).decode("ascii")}
