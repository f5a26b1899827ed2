"""
Who uses a data folder: its lock file, and the file in which the server notes its address.

The lock is a `flock` on a descriptor of the file `lock`, which names the process that serves.
A server takes it exclusively.  Commands only look whether it is held: they take it shared for
an instant, so a server that starts must not give up when it meets one of them.

The file `address` belongs to the server that holds the lock.  One that takes the lock removes
what an earlier server has left, so an address that is there while the lock is held is the holder's.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from pathlib import Path

LOCK_NAME = "lock"
ADDRESS_NAME = "address"
_MOST_ATTEMPTS = 100
_PAUSE_SECONDS = 0.005


def take(path: Path) -> int:
    """
    Lock a file for this process, and write the process's number into it.

    Returns:
        The descriptor that holds the lock.

    Raises:
        Held: Another process holds it.
        NotLockable: The file system has no locks.
        OSError: The file cannot be made or written.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _lock(descriptor)
        sign(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


class LockHeld(Exception):
    """
    Another process holds a lock.

    Args:
        owner: Who it is, as `locked_by` names it.
    """

    def __init__(self, owner: str) -> None:
        super().__init__(f"the lock is held{owner}")
        self.owner = owner


class NotLockable(Exception):
    """A file system refuses to lock; says why."""


def sign(descriptor: int) -> None:
    """Write the number of this process into its lock file."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)


def locked_by(path: Path) -> str:
    """
    Name who holds a lock file, such as ` (process 4711)`; empty if nobody does.

    Raises:
        PermissionError: This user may not read the file, so it is not known.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except PermissionError:
        raise
    except OSError:
        return ""
    try:
        return "" if _free(descriptor, fcntl.LOCK_SH) else _owner(descriptor) or " (another process)"
    except NotLockable:
        return ""
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    for _ in range(_MOST_ATTEMPTS):
        if _free(descriptor, fcntl.LOCK_EX):
            return
        if not _free(descriptor, fcntl.LOCK_SH):
            break
        # Only commands hold it, each for an instant.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        time.sleep(_PAUSE_SECONDS)  # noqa: TID251  The server has not started: nothing waits for the reactor yet.
    raise LockHeld(_owner(descriptor))


def _free(descriptor: int, kind: int) -> bool:
    """Lock *descriptor* if that is possible now; return whether it was."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise NotLockable(error.strerror or str(error)) from error
    return True


def _owner(descriptor: int) -> str:
    """Name the process that wrote the lock file, if it says one."""
    with contextlib.suppress(OSError):
        text = os.pread(descriptor, 32, 0).strip()
        if text.isdigit():
            return f" (process {text.decode()})"
    return ""
