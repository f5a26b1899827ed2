"""
Secrets from files: single ones, and a folder of them.

Kubernetes mounts a folder of links, which lead through a link `..data` to a folder that is replaced whole, so a look at
the files behind the links shows every change.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from aiwebengine.features.secrets.names import is_name
from aiwebengine.features.secrets.sources.source import SourceUnreadable
from aiwebengine.features.secrets.values import Secret, without_line_end

_log = Logger()

InThread = Callable[..., Deferred[Any]]
"""Calls a function in a thread."""
_Stamp = tuple[tuple[str, int, int, int], ...]
_ATTEMPTS = 3


class FileSource:
    """
    See `SecretSource`: files that are named one by one.

    Args:
        paths: By name of the secret.
        in_thread: Calls a function in a thread.
        most_bytes: Of one.
        seconds: How often they are looked at.
    """

    name = "files"
    is_local = True

    def __init__(self, *, paths: Mapping[str, Path], in_thread: InThread, most_bytes: int, seconds: float) -> None:
        self._paths = paths
        self._in_thread = in_thread
        self._most_bytes = most_bytes
        self.seconds = seconds
        self._stamp: _Stamp | None = None
        self._secrets: Mapping[str, Secret] = {}

    @property
    def shown(self) -> str:
        """See `SecretSource.shown`."""
        return "the files of secrets.files"

    async def load(self) -> Mapping[str, Secret]:
        """See `SecretSource.load`."""
        self._stamp, self._secrets = await self._in_thread(self._read, self._stamp, self._secrets)
        return self._secrets

    def _read(self, stamp: _Stamp | None, before: Mapping[str, Secret]) -> tuple[_Stamp, Mapping[str, Secret]]:
        """Read again what has changed since *stamp*; in a thread."""
        for _ in range(_ATTEMPTS):
            paths = dict(self._found())
            now = _stamp_of(paths)
            if now == stamp:
                return now, before
            secrets = {name: self._secret(name, path) for name, path in paths.items()}
            # Read while they were replaced, they may be some of the old and some of the new.
            if now == _stamp_of(paths):
                return now, secrets
        raise SourceUnreadable(f"The secrets of {self.shown} change while they are read.")

    def _found(self) -> Iterator[tuple[str, Path]]:
        yield from self._paths.items()

    def _secret(self, name: str, path: Path) -> Secret:
        try:
            with path.open("rb") as file:
                value = file.read(self._most_bytes + 3)
        except OSError as error:
            raise _unreadable(path, error) from None
        value = without_line_end(value)
        if len(value) > self._most_bytes:
            raise SourceUnreadable(
                f"The secret {path} has more than {self._most_bytes} bytes (secrets.max_value_bytes)."
            )
        return Secret(name=name, value=value, source=self.shown)


class FolderSource(FileSource):
    """
    See `SecretSource`: a folder in which each file is a secret.

    Args:
        folder: The folder.
        in_thread: Calls a function in a thread.
        most_bytes: Of one.
        most: Secrets.
        seconds: How often it is looked at.
    """

    name = "folder"

    def __init__(self, *, folder: Path, in_thread: InThread, most_bytes: int, most: int, seconds: float) -> None:
        super().__init__(paths={}, in_thread=in_thread, most_bytes=most_bytes, seconds=seconds)
        self._folder = folder
        self._most = most
        self._strange: set[str] = set()

    @property
    def shown(self) -> str:
        """See `SecretSource.shown`."""
        return f"the folder {self._folder}"

    def _found(self) -> Iterator[tuple[str, Path]]:
        found = 0
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or not entry.is_file():
                        continue
                    if not is_name(entry.name):
                        self._warn(entry.name)
                        continue
                    found += 1
                    if found > self._most:
                        raise SourceUnreadable(
                            f"The folder {self._folder} has more than {self._most} secrets (secrets.max_secrets)."
                        )
                    yield entry.name, Path(entry.path)
        except OSError as error:
            raise _unreadable(self._folder, error) from None

    def _warn(self, name: str) -> None:
        if name not in self._strange and len(self._strange) < self._most:
            self._strange.add(name)
            _log.warn("the file {name} of {folder} cannot be a secret by its name", name=name, folder=self._folder)


def _stamp_of(paths: Mapping[str, Path]) -> _Stamp:
    """Return what changes when one of the files does."""
    stamps = []
    for name, path in sorted(paths.items()):
        try:
            status = path.stat()
        except OSError as error:
            raise _unreadable(path, error) from None
        stamps.append((name, status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(stamps)


def _unreadable(path: Path, error: OSError) -> SourceUnreadable:
    return SourceUnreadable(f"The secrets in {path} cannot be read: {error.strerror}.")
