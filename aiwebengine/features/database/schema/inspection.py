"""
The tables that there are, as the database itself tells.

The truth is in the database and nowhere else: what SQL of an author has changed is seen, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aiwebengine.errors import Invalid
from aiwebengine.features.database.schema.declared import Column, Index, OnDelete, Reference, Table
from aiwebengine.features.database.schema.types import ColumnType, column_type, plain_type

_SQLITE_WORDS = {
    "INTEGER": "integer",
    "INT": "integer",
    "BIGINT": "bigint",
    "REAL": "number",
    "DOUBLE": "number",
    "FLOAT": "number",
    "TEXT": "text",
    "BLOB": "bytes",
    "TEXT_UUID": "uuid",
    "TEXT_TIMESTAMP": "timestamp",
    "TEXT_DATE": "date",
    "TEXT_JSON": "json",
    "BOOLEAN_INT": "boolean",
}
_SQLITE_NUMBERED = {"VARCHAR": "string", "DECIMAL_INT": "decimal"}
_TYPE = re.compile(r"(\w+)(?: ?\(([\d, ]+)\))?")
_ON_DELETE: dict[str, OnDelete] = {"CASCADE": "cascade", "SET NULL": "setNull"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTable:
    """A table that there is."""

    table: Table
    index_names: dict[Index, str]
    """Of indexes that were made by CREATE INDEX."""
    columns_of_sql: frozenset[str] = field(default_factory=frozenset)
    """Columns that are computed (GENERATED ALWAYS)."""


def live_tables(connection: Connection, *, belongs: Callable[[str], bool]) -> dict[str, LiveTable]:
    """
    Return the tables of a database by name.

    Args:
        belongs: Whether a table of this name is the script's and not the engine's.
    """
    query = sa.text(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    return {
        row.name: _live_table(connection, row.name, row.sql or "")
        for row in connection.execute(query).all()
        if belongs(row.name)
    }


def _live_table(connection: Connection, name: str, sql: str) -> LiveTable:
    rows = connection.execute(
        sa.text('SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(:name)'), {"name": name}
    ).all()
    key = tuple(row.name for row in sorted(rows, key=lambda row: row.pk) if row.pk)
    references = _references(connection, name)
    counted = len(key) == 1 and "WITHOUT ROWID" not in sql.upper()
    columns = tuple(
        Column(
            name=row.name,
            type=column_type("id") if counted and row.pk and row.type.upper() == "INTEGER" else _sqlite_type(row.type),
            optional=not row.notnull and not row.pk,
            default_sql=row.dflt_value,
            references=references.get(row.name),
        )
        for row in rows
    )
    indexes, names = _indexes(connection, name)
    return LiveTable(
        table=Table(name=name, columns=columns, primary_key=key, indexes=indexes),
        index_names=names,
        columns_of_sql=frozenset(row.name for row in rows if row.hidden),
    )


def _references(connection: Connection, name: str) -> dict[str, Reference]:
    rows = connection.execute(sa.text("SELECT * FROM pragma_foreign_key_list(:name)"), {"name": name}).mappings().all()
    by_key: dict[int, list[Any]] = {}
    for row in rows:
        by_key.setdefault(row["id"], []).append(row)
    found = {}
    for key in by_key.values():
        # Those of several columns can be made by SQL alone, and are left as they are.
        if len(key) == 1:
            row = key[0]
            target = row["to"] or _primary_key(connection, row["table"])
            on_delete = _ON_DELETE.get(row["on_delete"], "restrict")
            found[row["from"]] = Reference(table=row["table"], column=target, on_delete=on_delete)
    return found


def _primary_key(connection: Connection, table: str) -> str:
    query = sa.text("SELECT name FROM pragma_table_info(:name) WHERE pk = 1")
    return connection.execute(query, {"name": table}).scalar() or "rowid"


def _indexes(connection: Connection, name: str) -> tuple[tuple[Index, ...], dict[Index, str]]:
    query = sa.text('SELECT name, "unique", origin, partial FROM pragma_index_list(:name) ORDER BY seq DESC')
    indexes: list[Index] = []
    names: dict[Index, str] = {}
    for row in connection.execute(query, {"name": name}).all():
        if row.origin == "pk":
            continue
        columns = connection.execute(
            sa.text("SELECT name FROM pragma_index_info(:name) ORDER BY seqno"), {"name": row.name}
        ).scalars()
        named = tuple(columns)
        if row.partial or None in named:
            # Made by SQL of the author, and left alone.
            continue
        index = Index(columns=named, unique=bool(row.unique))
        indexes.append(index)
        if row.origin == "c":
            names[index] = row.name
    return tuple(dict.fromkeys(indexes)), names


def _sqlite_type(word: str) -> ColumnType:
    match = _TYPE.fullmatch(word.upper().strip())
    if match is not None:
        if match[1] in _SQLITE_WORDS:
            return column_type(_SQLITE_WORDS[match[1]])
        numbered = _SQLITE_NUMBERED.get(match[1])
        if numbered is not None and match[2]:
            try:
                return column_type(f"{numbered}({match[2].replace(' ', '')})")
            except Invalid:
                pass
    return plain_type(word or "any")
