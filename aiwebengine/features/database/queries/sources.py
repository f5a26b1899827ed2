"""
What a request reads from: one table, and others that are joined to it.

    Source("notes")                   its columns are `text` or `notes.text`; of a json column also `meta.color.dark`
    Source("users", as "author")      its columns are `author.name`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from aiwebengine.errors import Invalid, NotFound
from aiwebengine.features.database.schema.declared import Column, Table
from aiwebengine.features.database.schema.sql import sql_tables
from aiwebengine.features.database.schema.types import ColumnType, plain_type
from aiwebengine.host.declare import described, nearest

_MOST_PATH = 10
_LONGEST_NAME = 200


class Schema:
    """
    The tables that requests may use, as they are now.

    Args:
        tables: Of the script.
        dialect: Of its database.
    """

    def __init__(self, tables: Sequence[Table], dialect: sa.Dialect) -> None:
        self.tables: Mapping[str, Table] = {table.name: table for table in tables}
        self.dialect = dialect
        self._sql = sql_tables(tables, dialect)

    def table(self, name: Any, call: str) -> Table:
        """
        Return a table.

        Raises:
            NotFound: There is none; the message names the nearest.
        """
        found = self.tables.get(name) if isinstance(name, str) else None
        if found is None:
            suggestion = nearest(name, self.tables) if isinstance(name, str) else None
            if suggestion:
                advice = f'; did you mean "{suggestion}"?'
            elif self.tables:
                advice = f"; there are {', '.join(sorted(self.tables)[:20])}."
            else:
                advice = "; the script has no tables: declare them with database.schema({ ... })."
            raise NotFound(f"{call}: there is no table {described(name)}{advice}")
        return found

    def sql(self, name: str) -> sa.Table:
        """Return the SQL of a table that there is."""
        return self._sql[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A table in a request, under its name or another."""

    name: str
    table: Table
    sql: sa.FromClause


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnInUse:
    """A column, or a part of what a json column holds, in a request."""

    source: Source
    column: Column
    sql: sa.ColumnElement[Any]
    path: tuple[str, ...] = ()
    """Of a part of JSON."""

    @property
    def type(self) -> ColumnType:
        """Return the type of its values; of a part of JSON nothing is known."""
        return _PART if self.path else self.column.type

    @property
    def shown(self) -> str:
        """Return what it is called in messages."""
        return ".".join((self.source.table.name, self.column.name, *self.path))

    @property
    def shown_sql(self) -> sa.ColumnElement[Any]:
        """Return the SQL of the value as it is sent to the script: a part of JSON may be an object or an array."""
        if not self.path:
            return self.sql
        return sa.type_coerce(sa.func.json_quote(self.sql), self.column.type.sql)

    def json_arguments(self) -> list[Any]:
        """Return what functions of JSON take to look at it."""
        whole = sa.type_coerce(self.source.sql.c[self.column.name], sa.Text())
        return [whole, _json_path(self.path)] if self.path else [whole]


_PART = plain_type("json")


def _json_path(path: Sequence[str]) -> str:
    return "$" + "".join(
        f"[{step}]" if step.isdigit() else '."' + step.replace("\\", "\\\\").replace('"', '\\"') + '"' for step in path
    )


@dataclass(slots=True, kw_only=True)
class RequestSources:
    """The tables of one request; the first is the one that it is about."""

    call: str
    """With which messages begin."""
    schema: Schema
    listed: list[Source] = field(default_factory=list)

    def add(self, table: Any, name: Any = None) -> Source:
        """
        Add a table.

        Args:
            name: Under which it is used; None for its own.

        Raises:
            NotFound, Invalid: There is no such table, or the name is taken.
        """
        found = self.schema.table(table, self.call)
        used = found.name if name is None else name
        if not isinstance(used, str) or not used.isidentifier() or len(used) > _LONGEST_NAME:
            raise Invalid(f"{self.call}: as must be a name such as author; {described(used)} was given.")
        if any(source.name == used for source in self.listed):
            raise Invalid(f'{self.call}: the name "{used}" stands for two tables; give one of them another with as.')
        sql: sa.FromClause = self.schema.sql(found.name)
        source = Source(name=used, table=found, sql=sql if used == found.name else sql.alias(used))
        self.listed.append(source)
        return source

    def column(self, written: Any) -> ColumnInUse:
        """
        Return a column by what a request calls it.

        Raises:
            Invalid: There is none; the message names the nearest.
        """
        if not isinstance(written, str) or not written or len(written) > _LONGEST_NAME:
            raise Invalid(f"{self.call}: a column must be a string; {described(written)} was given.")
        first, *rest = written.split(".")
        base = self.listed[0]
        for source in self.listed:
            if rest and source.name == first and (source is not base or base.table.column(first) is None):
                return self._in_source(source, rest, written)
        return self._in_source(base, [first, *rest], written)

    def _in_source(self, source: Source, parts: Sequence[str], written: str) -> ColumnInUse:
        column = source.table.column(parts[0])
        if column is None:
            suggestion = nearest(parts[0], [column.name for column in source.table.columns])
            names = ", ".join(column.name for column in source.table.columns[:20])
            advice = f'; did you mean "{suggestion}"?' if suggestion else f"; {source.table.name} has {names}."
            raise Invalid(f"{self.call}: there is no column {described(written)}{advice}")
        sql = source.sql.c[column.name]
        path = tuple(parts[1:])
        if not path:
            return ColumnInUse(source=source, column=column, sql=sql)
        if column.type.name != "json":
            raise Invalid(
                f"{self.call}: {described(written)} names a part of {source.table.name}.{column.name}, which is of the "
                f"type {column.type.written}; only json columns have parts."
            )
        if len(path) > _MOST_PATH or not all(path):
            raise Invalid(f"{self.call}: {described(written)} is no path of at most {_MOST_PATH} keys.")
        part: sa.ColumnElement[Any] = sa.func.json_extract(
            sa.type_coerce(sql, sa.Text()), _json_path(path), type_=sa.types.NullType()
        )
        return ColumnInUse(source=source, column=column, sql=part, path=path)
