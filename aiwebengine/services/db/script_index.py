"""
Which scripts' database files must be looked into after a start: an index in the main database.

Two SQLite files cannot be committed together, so the index is cautious.  A script is entered
before its file is first written to after it was opened, and leaves when the file is closed and
nothing waits in its outbox.  After a crash the entries of those that were open at that moment
are all there, and a start that looks into them misses nothing.  A script whose file is being
removed is entered as such, so that a removal which was cut short is ended at the next start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiwebengine.services.db.columns import key_of
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.tables import script_files

UNKNOWN = 0
"""When something is due in a file that may be written to at this moment: look."""

NEVER = 2**62
"""When something is due in a file that holds what somebody is to look at, and nothing to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """What is known of one script's file."""

    due_at: int
    """When the first message in its outbox is due, in milliseconds since 1970; or `UNKNOWN`."""
    deleting: bool = False
    """It is being removed."""


class ScriptIndex:
    """
    The index.

    Changes that wait at the same time share one transaction.

    Args:
        main: The main database.
    """

    def __init__(self, *, main: Database) -> None:
        self._main = main
        self._changes: dict[str, IndexEntry | None] = {}
        self._waiting: list[Deferred[None]] = []
        self._busy = False

    def put(self, uri: str, entry: IndexEntry | None) -> Deferred[None]:
        """
        Enter a script, or take it out with None.

        Returns:
            Fires after the commit.

        Raises:
            Unavailable: The main database is away; nothing was changed.
        """
        written: Deferred[None] = Deferred()
        self._changes[uri] = entry
        self._waiting.append(written)
        if not self._busy:
            self._write()
        return written

    def read(self) -> Deferred[Mapping[str, IndexEntry]]:
        """Return all entries, by URI."""

        def work(connection: Connection) -> Mapping[str, IndexEntry]:
            rows = connection.execute(sa.select(script_files)).all()
            return {row.uri: IndexEntry(due_at=row.due_at, deleting=row.deleting) for row in rows}

        return self._main.read(work)

    def due(self, before: int) -> Deferred[list[str]]:
        """Return the scripts in whose files something is or may be due before this time, the oldest first."""
        query = (
            sa.select(script_files.c.uri)
            .where(script_files.c.due_at < before, script_files.c.deleting.is_(False))
            .order_by(script_files.c.due_at, script_files.c.key)
        )
        return self._main.read(lambda connection: list(connection.execute(query).scalars()))

    def next_due(self) -> Deferred[int | None]:
        """Return when the first message is due in a file that is closed; None if there is none."""
        query = sa.select(sa.func.min(script_files.c.due_at)).where(
            script_files.c.due_at > UNKNOWN, script_files.c.due_at < NEVER, script_files.c.deleting.is_(False)
        )
        return self._main.read(lambda connection: connection.execute(query).scalar())

    def _write(self) -> None:
        changes, self._changes = self._changes, {}
        waiting, self._waiting = self._waiting, []
        self._busy = True

        def ended(result: object) -> None:
            self._busy = False
            if self._changes:
                self._write()
            for written in waiting:
                if isinstance(result, Failure):
                    written.errback(result)
                else:
                    written.callback(None)

        self._main.run(lambda connection: _change(connection, changes)).addBoth(ended)


def enter_removal(connection: Connection, uri: str) -> None:
    """Say that the file of a script is being removed, in a transaction of the caller."""
    _change(connection, {uri: IndexEntry(due_at=UNKNOWN, deleting=True)})


def _change(connection: Connection, changes: Mapping[str, IndexEntry | None]) -> None:
    connection.execute(sa.delete(script_files).where(script_files.c.key.in_([key_of(uri) for uri in changes])))
    rows = [
        {"key": key_of(uri), "uri": uri, "due_at": entry.due_at, "deleting": entry.deleting}
        for uri, entry in changes.items()
        if entry is not None
    ]
    if rows:
        connection.execute(sa.insert(script_files), rows)
