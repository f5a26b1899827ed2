"""Secrets from the encrypted file, which `aiwebengine secrets` writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aiwebengine.errors import Invalid
from aiwebengine.features.secrets.sources.files import InThread
from aiwebengine.features.secrets.sources.sealed_file import find_keys, read_file, unseal
from aiwebengine.features.secrets.sources.source import SourceUnreadable
from aiwebengine.features.secrets.values import Secret, read_hosts


class EncryptedSource:
    """
    See `SecretSource`.

    Args:
        path: The encrypted file; if there is none, it has no secrets.
        key_file: Where its key is, unless that is in the environment.
        environ: Variables.
        in_thread: Calls a function in a thread.
        seconds: How often the file is looked at.
    """

    name = "encrypted file"
    is_local = True

    def __init__(
        self, *, path: Path, key_file: Path, environ: Mapping[str, str], in_thread: InThread, seconds: float
    ) -> None:
        self._path = path
        self._key_file = key_file
        self._environ = environ
        self._in_thread = in_thread
        self.seconds = seconds
        self._stamp: tuple[object, ...] | None = None
        self._secrets: Mapping[str, Secret] = {}

    @property
    def shown(self) -> str:
        """See `SecretSource.shown`."""
        return f"the encrypted file {self._path}"

    async def load(self) -> Mapping[str, Secret]:
        """See `SecretSource.load`."""
        self._stamp, self._secrets = await self._in_thread(self._read, self._stamp, self._secrets)
        return self._secrets

    def _read(
        self, stamp: tuple[object, ...] | None, before: Mapping[str, Secret]
    ) -> tuple[tuple[object, ...], Mapping[str, Secret]]:
        """Read again what has changed since *stamp*; in a thread."""
        now = (_look(self._path), _look(self._key_file))
        if now == stamp:
            return now, before
        content = read_file(self._path)
        if content is None:
            return now, {}
        sealed = unseal(content, find_keys(environ=self._environ, path=self._key_file), where=f"The file {self._path}")
        try:
            return now, {
                name: Secret(name=name, value=item.value, source=self.shown, hosts=read_hosts(item.hosts))
                for name, item in sealed.items()
            }
        except Invalid as error:
            raise SourceUnreadable(f"The file {self._path} binds a secret to no host: {error.public}") from None


def _look(path: Path) -> object:
    """Return what changes when a file does."""
    try:
        status = path.stat()
    except OSError as error:
        return error.errno
    return status.st_ino, status.st_mtime_ns, status.st_size
