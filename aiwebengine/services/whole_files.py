"""
Files that are written whole: a reader finds either all of the old content or all of the new.

The new content is written beside the file, into its draft, which then takes the file's name.  What is `durable` is also
on the disk when that is done, so a power failure leaves the old file or the new one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o600
"""Permissions: for the owner only."""


def write_whole(
    path: Path, content: bytes, *, mode: int = PRIVATE, durable: bool = True, draft: Path | None = None
) -> None:
    """
    Write or replace a file.

    Args:
        mode: See `replacing`.
        durable: See `replacing`.
        draft: See `replacing`.

    Raises:
        OSError: It could not be written; what was there before is still there.
    """
    with replacing(path, mode=mode, durable=durable, draft=draft) as new:
        new.write_bytes(content)


@contextmanager
def replacing(path: Path, *, mode: int = PRIVATE, durable: bool = True, draft: Path | None = None) -> Iterator[Path]:
    """
    Have a file written by the body of a `with` statement, at the path that it gets.

    If the body raises, the draft is removed and *path* is left as it was.

    Args:
        mode: Permissions of the file, from the beginning.
        durable: Wait for the disk.
        draft: Where the new content is written; None: beside the file, with `.new` after its name.  What another
            process may write at the same time needs drafts of different names.

    Raises:
        OSError: The draft could not be made, or could not take the place of the file.
    """
    new = draft or path.with_name(f"{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        _make(new, mode)
        yield new
        if durable:
            _sync(new)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    _sync(folder, os.O_DIRECTORY)


def _make(path: Path, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        # The process's umask may have removed some bits.
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def _sync(path: Path, flags: int = 0) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
