"""One file of a script while it is open, and how it is opened."""

from __future__ import annotations

from pathlib import Path

from twisted.python.failure import Failure

from aiwebengine.errors import CannotStart, Unavailable
from aiwebengine.services.db import script_files
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.units import Units
from aiwebengine.services.signals import Latch, Pulse


class ScriptFile:
    """
    One file that is opening, open or ending.

    Args:
        uri: Of the script.
        path: Of the file.
    """

    database: Database
    """While it is open."""
    units: Units
    """The same."""

    def __init__(self, *, uri: str, path: Path) -> None:
        self.uri = uri
        self.path = path
        self.uses = 0
        """How many have something in hand with it."""
        self.ready = False
        """It is open, and takes more work."""
        self.ending = False
        """It is being closed or removed, or could not be opened."""
        self.opened = Latch()
        """Fails if it could not be opened."""
        self.idle = Pulse()
        self.ended = Latch()
        """It is absent from now on."""
        self.entered = False
        """The index has it."""
        self.entering: Latch | None = None


def open_file(path: Path, database: Database, new: script_files.NewFiles) -> None:
    """Open a file, in the thread of the caller; it is made if it is not there."""
    script_files.make_folder_of(path)
    if not path.exists():
        new.make(path)
    database.open()


def refusal_of(uri: str, error: BaseException) -> Failure:
    """Say why the file of one script cannot be opened: the server goes on."""
    if isinstance(error, CannotStart):
        return Failure(Unavailable(error.public, private=error.private, retry_seconds=30.0))
    if isinstance(error, OSError):
        why = f"The file for the database of the script {uri} cannot be made: {error.strerror}."
        return Failure(Unavailable(why, private=str(error), retry_seconds=30.0))
    return Failure(error)
