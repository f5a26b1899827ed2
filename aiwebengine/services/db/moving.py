"""
Moves what scripts have written from the main database, where all of it lay once, into a database for each script.

A migration of the main database sets the tables aside (`migrations/aside.py`); a copy of the file was kept
before.  Then, at that start, before any script is served:

    for each script    its rows are copied into its database     one transaction there, which replaces what is there
                       they are deleted                          one transaction of the main database
    at the end         the tables are dropped

A server that is killed in between goes on with the script at which it was: nobody has changed what was copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.migrations.aside import aside_name
from aiwebengine.services.db.per_script import ScriptDatabases
from aiwebengine.services.db.tables import scripts

_log = Logger()

_AT_ONCE = 50
"""Rows in memory; one may have megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedTable:
    """A table that lay in the main database, with rows of all scripts, and lies in that of each script now."""

    former: str
    """Its name in the main database."""
    name: str
    """Its name in the database of a script."""
    columns: tuple[str, ...]
    """All that it had; `script` is among them, `key_of` the script's URI."""


class Moving(Service):
    """
    See the module.

    Args:
        main: The main database.
        databases: Those of scripts.
        tables: What is moved.
    """

    def __init__(self, *, main: Database, databases: ScriptDatabases, tables: Sequence[MovedTable]) -> None:
        self._main = main
        self._databases = databases
        self._tables = tuple(tables)

    def startService(self) -> Deferred[None]:
        """
        Move what there is.

        Returns:
            Fails with `Unavailable` if a database cannot be written; the next start goes on.
        """
        super().startService()
        return Deferred.fromCoroutine(self._move())

    async def _move(self) -> None:
        names = {aside_name(table.former) for table in self._tables}
        there = await self._main.read(lambda connection: names & set(sa.inspect(connection).get_table_names()))
        tables = [table for table in self._tables if aside_name(table.former) in there]
        if not tables:
            return
        uris = await self._main.read(lambda connection: _uris(connection, tables))
        if uris:
            _log.info("what {count} scripts have written is moved into databases of their own", count=len(uris))
        for key, uri in uris.items():
            await self._move_script(tables, key, uri)
        await self._main.run(lambda connection: _drop(connection, tables))

    async def _move_script(self, tables: Sequence[MovedTable], key: str, uri: str) -> None:
        def copy(target: Connection) -> None:
            # The other way round: both transactions are open, and only this one writes.
            self._main.transact(lambda source: _copy(source, target, tables, key))

        await self._databases.of(uri).run(copy)
        await self._main.run(lambda connection: _delete(connection, tables, key))


def _uris(connection: Connection, tables: Sequence[MovedTable]) -> dict[str, str]:
    """Return the scripts that have rows: key and URI, in order."""
    keys: set[str] = set()
    for table in tables:
        source, _ = _both(table)
        keys.update(connection.execute(sa.select(source.c.script).distinct()).scalars())
    rows = connection.execute(sa.select(scripts.c.key, scripts.c.uri).order_by(scripts.c.uri))
    return {row.key: row.uri for row in rows if row.key in keys}


def _copy(source: Connection, target: Connection, tables: Sequence[MovedTable], key: str) -> None:
    for table in tables:
        before, now = _both(table)
        target.execute(sa.delete(now).where(now.c.script == key))
        found = source.execute(sa.select(before).where(before.c.script == key))
        for rows in found.mappings().partitions(_AT_ONCE):
            target.execute(sa.insert(now), [dict(row) for row in rows])


def _delete(connection: Connection, tables: Sequence[MovedTable], key: str) -> None:
    for table in tables:
        before, _ = _both(table)
        connection.execute(sa.delete(before).where(before.c.script == key))


def _drop(connection: Connection, tables: Sequence[MovedTable]) -> None:
    for table in tables:
        before, _ = _both(table)
        left = connection.execute(sa.select(sa.func.count()).select_from(before)).scalar_one()
        if left:
            # Kept answers from before they had a script, whose time is long over; anything of a script that is gone.
            _log.warn("{count} rows of {name} belong to no script and are dropped", count=left, name=table.former)
        connection.execute(sa.text(f"DROP TABLE {before.name}"))


def _both(table: MovedTable) -> tuple[sa.TableClause, sa.TableClause]:
    """Return where it lies in the main database, and where in that of a script."""
    return tuple(  # type: ignore[return-value]
        sa.table(name, *(sa.column(column) for column in table.columns))
        for name in (aside_name(table.former), table.name)
    )
