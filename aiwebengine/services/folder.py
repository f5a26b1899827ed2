"""
The data folder: the engine's database, caches and administrator token.

One server at a time uses it.  That is held by a `flock` on a descriptor of the file
`lock`: the kernel releases the lock when the last process that inherited the descriptor ends,
so a server that was killed leaves nothing to clean up, and a successor that inherits
the descriptor holds the lock without a gap.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from twisted.application.service import Service

from aiwebengine.errors import CannotStart
from aiwebengine.services import lock


class DataFolder(Service):
    """
    The folder, made and locked while the service runs.

    Args:
        path: Made if missing, with its parents, for the owner only.
        lock_descriptor: An inherited descriptor that holds the lock already; None to take it.
    """

    def __init__(self, *, path: Path, lock_descriptor: int | None = None) -> None:
        self.path = path.absolute()
        """The folder, absolute: twistd may change the working directory."""
        self._inherited = lock_descriptor
        self._descriptor: int | None = None

    def startService(self) -> None:
        """
        Make the folder if needed and lock it.

        Raises:
            CannotStart: It cannot be made or written, another server uses it, or the inherited lock is another one's.
        """
        if self._inherited is not None:
            descriptor, self._inherited = self._inherited, None
            if not _is_lock_of(descriptor, self.path):
                os.close(descriptor)
                raise CannotStart(
                    f"The server that is being replaced does not use the data folder {self.path}. "
                    "To use another one (server.data_folder), stop the server and start it again."
                )
            self._descriptor = descriptor
        else:
            self._make()
            self._descriptor = self._lock()
        super().startService()

    def stopService(self) -> None:
        """Release the lock."""
        super().stopService()
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def claim(self) -> None:
        """Name this process as the one that uses the folder; for a successor, once its predecessor has ended."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                lock.sign(self._descriptor)

    @property
    def lock_descriptor(self) -> int | None:
        """Return the descriptor that a successor inherits; None while stopped."""
        return self._descriptor

    def folder(self, name: str) -> Path:
        """Return a folder inside, made for the owner only if missing."""
        path = self.path / name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def _make(self) -> None:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise CannotStart(
                f"The data folder {self.path} cannot be made: a file is in the way. "
                "Move it, or set server.data_folder to another folder."
            ) from error
        except OSError as error:
            raise CannotStart(
                f"The data folder {self.path} cannot be made: {error.strerror}. "
                "Make it by hand for this user, or set server.data_folder to another folder."
            ) from error

    def _lock(self) -> int:
        try:
            descriptor = lock.take(self.path / lock.LOCK_NAME)
        except lock.LockHeld as held:
            raise CannotStart(
                f"Another server{held.owner} uses the data folder {self.path}. "
                "Stop it first, or set server.data_folder to another folder."
            ) from held
        except lock.NotLockable as error:
            raise CannotStart(f"The data folder {self.path} cannot be locked: {error}.") from error
        except OSError as error:
            raise CannotStart(
                f"The data folder {self.path} cannot be written: {_reason(error, self.path)}. "
                "Grant this user write access, or set server.data_folder to another folder."
            ) from error
        # A server that was killed has left its address; another program may listen there now.
        with contextlib.suppress(OSError):
            (self.path / lock.ADDRESS_NAME).unlink()
        return descriptor


def make_private(path: str) -> None:
    """Make a file for the owner only, if there is none; what is wrong with the place shows when it is opened."""
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _is_lock_of(descriptor: int, folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), (folder / lock.LOCK_NAME).stat())
    except OSError:
        return False


def _reason(error: OSError, folder: Path) -> str:
    """Return why a file could not be made, with the folder's owner and mode when they are the reason."""
    if error.errno == errno.EACCES:
        status = folder.stat()
        return f"{error.strerror} (owner {status.st_uid}, mode {stat.S_IMODE(status.st_mode):04o})"
    return error.strerror or str(error)
