"""
Which tables a script has now.

The database is asked, for SQL may have changed them; that takes as long as reading one number, for SQLite counts
the changes of a schema.  What the database cannot say, such as that a new row gets a random id, is known from what the
script's version declares.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Connection

from aiwebengine.features.database.queries.sources import Schema
from aiwebengine.features.database.schema.declared import Table, read_schema
from aiwebengine.features.database.schema.inspection import live_tables
from aiwebengine.host.session import CallSession

_KEPT = 500


class Schemas:
    """
    Remembers the tables of scripts while they do not change.

    Args:
        declared: Returns what the version of an invocation declares, as `database.schema` was given it; None: nothing.
        belongs: Whether a table of this name is the script's, and not the engine's.
    """

    def __init__(self, *, declared: Callable[[CallSession], Any], belongs: Callable[[str], bool]) -> None:
        self._declared = declared
        self._belongs = belongs
        self._kept: OrderedDict[tuple[str, str], tuple[int, Schema]] = OrderedDict()
        """By script and version: the number that the schema had, and its tables."""

    def of(self, session: CallSession, connection: Connection) -> Schema:
        """Return the tables of the invocation's script; called in a thread."""
        key = (session.invocation.script, session.invocation.version)
        number = int(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())
        kept = self._kept.get(key)
        if kept is not None and kept[0] == number:
            return kept[1]
        live = [table.table for table in live_tables(connection, belongs=self._belongs).values()]
        given = self._declared(session)
        declared = {table.name: table for table in read_schema(given)} if given is not None else {}
        schema = Schema([_completed(table, declared.get(table.name)) for table in live], connection.dialect)
        if not connection.get_execution_options().get("write"):
            # In a transaction that writes they may be undone, and others get the same number.
            self._keep(key, number, schema)
        return schema

    def _keep(self, key: tuple[str, str], number: int, schema: Schema) -> None:
        self._kept[key] = (number, schema)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def _completed(live: Table, declared: Table | None) -> Table:
    """Return a table that there is, with what only its declaration says."""
    if declared is None:
        return live
    columns: Sequence[Any] = [
        replace(column, default=said.default)
        if (said := declared.column(column.name)) is not None and said.computed
        else column
        for column in live.columns
    ]
    return replace(live, columns=tuple(columns))
