"""
The bytes of files that are served, by their SHA-256.

    small    read from the database, and kept in memory while they are requested
    large    copied once into a folder of files named by their content, and read from there in pieces, in a thread

So a large file is never in memory as a whole for longer than its copy takes, however many clients take it and however
slowly.  A copy gets its name when it is complete; one that was left half made is removed later.  Copies may be removed
at any time: who reads one has it open.
"""

from __future__ import annotations

import os
import zlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.engine import Connection
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from aiwebengine.errors import NotFound, Unavailable
from aiwebengine.features.assets.settings import AssetSettings
from aiwebengine.services.db import blobs
from aiwebengine.services.threads import Runs
from aiwebengine.services.whole_files import write_whole

SMALL_BYTES = 128 * 1024
"""Most bytes of a file that is kept in memory."""

IDENTITY = ""
"""The coding of bytes as they are."""

GZIP = "gzip"

_LEVEL = 6
_UNFINISHED = ".part"
_ABANDONED_SECONDS = 3600.0


class Content(Protocol):
    """Bytes that are ready to be read."""

    size: int

    def read(self, offset: int, length: int) -> Deferred[bytes]:
        """Return at most *length* bytes; raises Unavailable."""

    def close(self) -> None:
        """Read no more."""


class KeptContent:
    """
    A small file, in memory.

    Args:
        data: All declarations of this feature.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read(self, offset: int, length: int) -> Deferred[bytes]:
        """See `Content.read`."""
        return succeed(self.data[offset : offset + length])

    def close(self) -> None:
        """See `Content.close`."""


class CopiedContent:
    """
    A large file, open on the disk.

    Args:
        descriptor: Of the file; closed with this.
        size: Of the file.
        threads: Where it is read.
    """

    def __init__(self, *, descriptor: int, size: int, threads: Runs) -> None:
        self.size = size
        self._descriptor: int | None = descriptor
        self._threads = threads
        self._reading = False
        self._left: int | None = None
        """To be closed when the read that is under way has ended."""

    def read(self, offset: int, length: int) -> Deferred[bytes]:
        """See `Content.read`."""
        if self._descriptor is None:
            raise Unavailable("The file is closed.", retry_seconds=1.0)
        self._reading = True
        done = self._threads.run(os.pread, self._descriptor, length, offset)
        return done.addBoth(self._ended)

    def close(self) -> None:
        """See `Content.close`; a read that is under way ends before."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        if self._reading:
            self._left = descriptor
        else:
            os.close(descriptor)

    def _ended(self, result: Any) -> Any:
        self._reading = False
        left, self._left = self._left, None
        if left is not None:
            os.close(left)
        if isinstance(result, Failure) and result.check(OSError):
            raise Unavailable("The file cannot be read.", private=str(result.value), retry_seconds=1.0)
        return result


class Contents:
    """
    Opens files.

    Args:
        read: Reads from the main database.
        threads: Where files are read.
        packing: Where files are copied and compressed.
        folder: For copies; made when it is needed.
        settings: How much is kept.
        now: The time, in seconds since 1970.
    """

    def __init__(
        self,
        *,
        read: Callable[[Callable[[Connection], dict[str, bytes]]], Deferred[dict[str, bytes]]],
        threads: Runs,
        packing: Runs,
        folder: Path,
        settings: AssetSettings,
        now: Callable[[], float],
    ) -> None:
        self._read = read
        self._threads = threads
        self._packing = packing
        self._folder = folder
        self._settings = settings
        self._now = now
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._kept_bytes = 0
        self._under_way: dict[tuple[str, str], list[Deferred[bytes | None]]] = {}
        """By what is made ready, who waits for it; None: it was copied."""
        self._copied = 0

    async def open(self, digest: str, size: int, coding: str = IDENTITY) -> Content:
        """
        Return a file, ready to be read; the caller closes it.

        Args:
            digest: SHA-256 of the file as it was stored.
            size: Of the file as it was stored.
            coding: `IDENTITY` or `GZIP`.

        Raises:
            NotFound: It is not stored any longer.
            Unavailable: The database or the disk does not answer.
        """
        key = (digest, coding)
        cached = self._kept.get(key)
        if cached is not None:
            self._kept.move_to_end(key)
            return KeptContent(cached)
        if size > SMALL_BYTES:
            copy = await self._copy(key)
            if copy is not None:
                return copy
        data = await self._ready(key)
        if data is not None:
            return KeptContent(data)
        copy = await self._copy(key)
        if copy is None:
            raise Unavailable("The file could not be prepared; try again.", retry_seconds=1.0)
        return copy

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"kept": len(self._kept), "keptBytes": self._kept_bytes, "copied": self._copied}

    async def _ready(self, key: tuple[str, str]) -> bytes | None:
        """Make a file ready, once for all who wait; return it if it is small, None if there is a copy."""
        waiting = self._under_way.get(key)
        if waiting is not None:
            made_ready: Deferred[bytes | None] = Deferred()
            waiting.append(made_ready)
            return await made_ready
        self._under_way[key] = waiting = []
        made = Deferred.fromCoroutine(self._make(key))

        def tell(result: bytes | Failure | None) -> bytes | Failure | None:
            del self._under_way[key]
            for waiter in waiting:
                waiter.callback(result)
            return result

        return await made.addBoth(tell)

    async def _make(self, key: tuple[str, str]) -> bytes | None:
        digest, coding = key
        contents = await self._read(lambda connection: blobs.get(connection, [digest]))
        if digest not in contents:
            raise NotFound("The file no longer exists.")
        data = contents[digest]
        if coding == GZIP:
            data = await self._packing.run(_packed, data)
        if len(data) <= SMALL_BYTES:
            self._keep(key, data)
            return data
        try:
            await self._packing.run(self._write, self._path(key), data)
        except OSError as error:
            raise Unavailable(
                "The file cannot be copied into the folder asset-cache of the data folder; is the disk full?",
                private=str(error),
                retry_seconds=5.0,
            ) from error
        self._copied += 1
        return None

    def _keep(self, key: tuple[str, str], data: bytes) -> None:
        self._kept[key] = data
        self._kept_bytes += len(data)
        while self._kept_bytes > self._settings.memory_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._kept_bytes -= len(dropped)

    def _path(self, key: tuple[str, str]) -> Path:
        digest, coding = key
        return self._folder / (f"{digest}.{coding}" if coding else digest)

    async def _copy(self, key: tuple[str, str]) -> Content | None:
        opened = await self._threads.run(_opened, self._path(key))
        if opened is None:
            return None
        descriptor, size = opened
        return CopiedContent(descriptor=descriptor, size=size, threads=self._threads)

    def _write(self, path: Path, data: bytes) -> None:
        """Make a copy; in a thread."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._make_room(len(data))
        # Another process of the server, which is taking over, may write the same copy.
        write_whole(path, data, draft=path.with_name(f"{path.name}.{os.getpid()}{_UNFINISHED}"))

    def _make_room(self, needed: int) -> None:
        """Remove the copies that were opened longest ago, and what was left half made; in a thread."""
        copies: list[tuple[float, int, Path]] = []
        for path in self._folder.iterdir():
            try:
                status = path.stat()
            except FileNotFoundError:
                # Another process of the server, which is taking over, makes room, too.
                continue
            if not path.name.endswith(_UNFINISHED):
                copies.append((status.st_mtime, status.st_size, path))
            elif status.st_mtime < self._now() - _ABANDONED_SECONDS:
                path.unlink(missing_ok=True)
        left = self._settings.cache_bytes - needed - sum(size for _, size, _ in copies)
        for _, size, path in sorted(copies):
            if left >= 0:
                return
            path.unlink(missing_ok=True)
            left += size


def _opened(path: Path) -> tuple[int, int] | None:
    """Open a copy and remember that it was used; None if there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable("The file cannot be opened; try again.", private=str(error), retry_seconds=1.0) from error
    os.utime(descriptor)
    return descriptor, os.fstat(descriptor).st_size


def _packed(data: bytes) -> bytes:
    # 16 + 15: with gzip's head and the largest window.
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()
