"""
Writing requests, checked and made SQL.

Every value is checked against its column before anything is written; a row that says nothing of a column gets its
default.  What is written comes back as the database has it, numbers of new rows included.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from aiwebengine.errors import Invalid
from aiwebengine.features.database.queries.conditions import condition
from aiwebengine.features.database.queries.reads import RowShape
from aiwebengine.features.database.queries.sources import RequestSources, Schema
from aiwebengine.features.database.schema.declared import NOW, Column, Table
from aiwebengine.features.database.values import JsonValue, from_wire
from aiwebengine.host.declare import described, nearest

MOST_ROWS = 1000
"""In one call."""

_INCREMENT = "increment"
_NUMBERS = frozenset({"integer", "bigint", "number", "decimal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """SQL that writes, and the rows that it is run for."""

    sql: Any
    rows: Sequence[Mapping[str, Any]] = ()
    """Parameters, one for each row; empty if it is run once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteQuery:
    """One writing request."""

    statements: tuple[Statement, ...]
    shape: RowShape | None
    """Of the rows that come back; None if only their number does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What is made anew for each row."""

    now: datetime
    new_uuid: Callable[[], uuid.UUID]

    def of(self, column: Column) -> Any:
        """Return the value of a column that has a computed default."""
        if column.default != NOW:
            return str(self.new_uuid())
        return self.now if column.type.name == "timestamp" else self.now.date().isoformat()


def insert_query(
    schema: Schema,
    table_name: Any,
    rows: Any,
    *,
    defaults: Defaults,
    call: str,
    conflict: Mapping[str, Any] | None = None,
) -> WriteQuery:
    """
    Return SQL that adds rows.

    Args:
        rows: A list of objects; not trusted.
        conflict: For rows that there are already: `on`, the columns that tell, and `update`, those that then get the
            new values (None: all that the row says); None: such a row is refused by the database.

    Raises:
        Invalid, NotFound: Something does not fit; the message names the column.
    """
    table = schema.table(table_name, call)
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
        raise Invalid(f"{call}: from 1 to {MOST_ROWS} rows are written at once; {described(rows)} was given.")
    sql = schema.sql(table.name)
    made = [(_new_row(table, row, defaults, call), tuple(row)) for row in rows]
    statements = []
    for (names, said), group in groupby(made, key=lambda row: (tuple(row[0]), row[1])):
        statement: Any = sa.insert(sql)
        if conflict is not None:
            statement = _upsert(sql, table, said, conflict, call)
        parameters = [row for row, _ in group]
        returning = (statement if names else statement.values({})).returning(*_labelled(sql))
        # Without a value there is nothing to run it for: it is run as many times.
        statements += (
            [Statement(sql=returning, rows=parameters)] if names else [Statement(sql=returning) for _ in parameters]
        )
    return WriteQuery(statements=tuple(statements), shape=_shape(table))


def update_query(schema: Schema, request: Mapping[str, Any], values: Any, *, returning: bool, call: str) -> WriteQuery:
    """
    Return SQL that changes rows.

    Args:
        request: `table`, and `where` or `all`; not trusted.
        values: By column; not trusted.  `{ increment: 1 }` for a number adds to it.

    Raises:
        Invalid, NotFound: As `insert_query`; also if neither says which rows.
    """
    table, sql, where = _chosen(schema, request, call, "update")
    if not isinstance(values, dict) or not values:
        raise Invalid(f"{call}: the values must be an object such as {{ done: true }}; {described(values)} was given.")
    changed = {name: _change(table, sql, name, value, call) for name, value in values.items()}
    statement = sa.update(sql).where(where).values(changed)
    if returning:
        return WriteQuery(statements=(Statement(sql=statement.returning(*_labelled(sql))),), shape=_shape(table))
    return WriteQuery(statements=(Statement(sql=statement),), shape=None)


def delete_query(schema: Schema, request: Mapping[str, Any], *, returning: bool, call: str) -> WriteQuery:
    """
    Return SQL that removes rows; see `update_query`.

    Raises:
        Invalid, NotFound: As there.
    """
    table, sql, where = _chosen(schema, request, call, "delete")
    statement = sa.delete(sql).where(where)
    if returning:
        return WriteQuery(statements=(Statement(sql=statement.returning(*_labelled(sql))),), shape=_shape(table))
    return WriteQuery(statements=(Statement(sql=statement),), shape=None)


def _chosen(
    schema: Schema, request: Mapping[str, Any], call: str, verb: str
) -> tuple[Table, sa.Table, sa.ColumnElement[bool]]:
    for name in request:
        if name not in {"table", "where", "all"}:
            raise Invalid(f"{call}: rows are chosen by where alone; {name} cannot be used with {verb}.")
    sources = RequestSources(call=call, schema=schema)
    base = sources.add(request.get("table"))
    where = request.get("where")
    if where is None and request.get("all") is not True:
        raise Invalid(
            f"{call}: say which rows with where; to {verb} all rows of {base.table.name} write .all() before it."
        )
    found = sa.true() if where is None else condition(where, sources)
    return base.table, schema.sql(base.table.name), found


def _new_row(table: Table, row: Any, defaults: Defaults, call: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise Invalid(f'{call}: a row must be an object such as {{ text: "..." }}; {described(row)} was given.')
    _refuse_unknown(table, row, call)
    made: dict[str, Any] = {}
    missing: list[str] = []
    for column in table.columns:
        given = from_wire(row[column.name]) if column.name in row else None
        if given is not None:
            made[column.name] = column.type.value(given, f"{call}: {table.name}.{column.name}")
        elif column.computed:
            made[column.name] = defaults.of(column)
        elif column.required:
            missing.append(column.name)
        elif column.name in row and column.optional:
            made[column.name] = None
        elif column.default is not None:
            made[column.name] = column.default
    if missing:
        raise Invalid(
            f"{call}: a row of {table.name} needs {' and '.join(missing)}; columns without a value must be optional or "
            "have a default."
        )
    return made


def _change(table: Table, sql: sa.Table, name: str, value: Any, call: str) -> Any:
    column = _column(table, name, call)
    given = from_wire(value)
    where = f"{call}: {table.name}.{name}"
    if given is None:
        if not column.optional:
            raise Invalid(f"{where} must have a value; it is not optional.")
        return None
    if isinstance(given, JsonValue) and column.type.name in _NUMBERS and _is_increment(given.value):
        step = column.type.value(from_wire(given.value[_INCREMENT]), f"{where}: {_INCREMENT}")
        return sql.c[name] + sa.bindparam(None, step, type_=column.type.sql)
    return column.type.value(given, where)


def _is_increment(value: Any) -> bool:
    return isinstance(value, dict) and list(value) == [_INCREMENT]


def _upsert(sql: sa.Table, table: Table, names: Sequence[str], conflict: Mapping[str, Any], call: str) -> Any:
    on = conflict.get("on")
    keys = list(table.primary_key) if on is None else [on] if isinstance(on, str) else on
    if not isinstance(keys, list) or not keys:
        raise Invalid(f"{call}: on must be a list of columns; {described(on)} was given.")
    for key in keys:
        _column(table, key, call)
    unique = {frozenset(table.primary_key), *(frozenset(index.columns) for index in table.indexes if index.unique)}
    if frozenset(keys) not in unique:
        raise Invalid(
            f"{call}: {', '.join(keys)} does not tell rows of {table.name} apart; on names the primary key or columns "
            "with a unique index."
        )
    update = conflict.get("update")
    if update is not None and not isinstance(update, list):
        raise Invalid(f"{call}: update must be a list of columns; {described(update)} was given.")
    chosen = [name for name in names if name not in keys] if update is None else update
    for name in chosen:
        _column(table, name, call)
    statement = sqlite.insert(sql)
    if not chosen:
        # A row comes back in any case.
        chosen = keys[:1]
    return statement.on_conflict_do_update(
        index_elements=keys, set_={name: statement.excluded[name] for name in chosen}
    )


def _labelled(sql: sa.Table) -> list[sa.ColumnElement[Any]]:
    return [column.label(f"v{number}") for number, column in enumerate(sql.c)]


def _shape(table: Table) -> RowShape:
    names = tuple(column.name for column in table.columns)
    return RowShape(names=names, own=len(names))


def _refuse_unknown(table: Table, row: Mapping[str, Any], call: str) -> None:
    for name in row:
        _column(table, name, call)


def _column(table: Table, name: Any, call: str) -> Column:
    column = table.column(name) if isinstance(name, str) else None
    if column is None:
        names = [column.name for column in table.columns]
        suggestion = nearest(name, names) if isinstance(name, str) else None
        advice = f'; did you mean "{suggestion}"?' if suggestion else f"; {table.name} has {', '.join(names[:20])}."
        raise Invalid(f"{call}: there is no column {described(name)}{advice}")
    return column
