"""
Where the database files of scripts lie, and what is done with whole files.

    data/scripts/3f/3f0a...e1.sqlite3           named for the SHA-256 of the script's URI
    data/scripts/3f/3f0a...e1.sqlite3-wal, -shm  SQLite's own, while it is open
    data/scripts/3f/3f0a...e1.sqlite3.before-*   copies that were kept before a migration

Everything here blocks: it is called in a thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from aiwebengine.services.db.columns import key_of
from aiwebengine.services.whole_files import replacing, sync_folder, write_whole

_AT_ONCE_PAGES = 1000


def path_of(folder: Path, uri: str) -> Path:
    """Return where the file of a script is, or would be."""
    key = key_of(uri)
    return folder / key[:2] / f"{key}.sqlite3"


def make_folder_of(path: Path) -> None:
    """Make the folder of a file, for the owner only."""
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


class NewFiles:
    """
    Makes new files as copies of one that is empty: to run all migrations takes ten times as long.

    Args:
        migrate: Makes an empty file at a path by running all migrations, and closes it.
        durable: Wait for the disk.
    """

    def __init__(self, *, migrate: Callable[[Path], None], durable: bool) -> None:
        self._migrate = migrate
        self._durable = durable
        self._content = b""

    def make(self, path: Path) -> None:
        """
        Make a file, for the owner only; it is whole or not there.

        Raises:
            OSError: It could not be written.
        """
        self._content = self._content or self._empty()
        write_whole(path, self._content, durable=self._durable)

    def _empty(self) -> bytes:
        # Not among the data, where it would stay if the server was killed now.
        with TemporaryDirectory(prefix="aiwebengine-") as apart:
            path = Path(apart) / "empty.sqlite3"
            self._migrate(path)
            return path.read_bytes()


def remove(path: Path) -> None:
    """
    Remove a file that nobody has open, and all that belongs to it.

    The file itself goes last: a log that is left beside a new file of the same name would be played into that.
    """
    for beside in path.parent.glob(f"{path.name}?*"):
        beside.unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync_folder(path.parent)


def copy(path: Path, target: Path) -> None:
    """
    Write a copy of a file that may be in use; it is whole or not there, and for the owner only.

    Raises:
        OSError, sqlite3.Error: It could not be written.
    """
    with (
        replacing(target) as new,
        # SQLite's own backup reads through the write-ahead log; copying the file would not.
        closing(sqlite3.connect(path)) as source,
        closing(sqlite3.connect(new)) as written,
    ):
        source.backup(written, pages=_AT_ONCE_PAGES)
        # The copy is one file: it needs no log beside it.
        written.execute("PRAGMA journal_mode = DELETE").close()
