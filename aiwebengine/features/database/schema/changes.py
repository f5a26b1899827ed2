"""Steps of a plan, carried out on SQLite, in a transaction of the caller: all of them or none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.schema import CreateTable as CreateTableSql

from aiwebengine.errors import Conflict, Invalid
from aiwebengine.features.database.schema.declared import Column, Table
from aiwebengine.features.database.schema.planning import (
    AddColumn,
    CreateIndex,
    CreateTable,
    DropColumn,
    DropIndex,
    DropTable,
    RedefineTable,
    RenameColumn,
    RenameTable,
    Step,
)
from aiwebengine.features.database.schema.sql import column_sql, default_sql, index_name, sql_tables

_CHECK = re.compile(r"\bCHECK\s*\(", re.IGNORECASE)


def carry_out(step: Step, connection: Connection) -> None:
    """
    Carry one step out.

    Raises:
        Conflict: The rows that there are do not allow it: two have a value that is to be unique, or one lacks a value
            that is to be required. The transaction must be rolled back.
    """
    try:
        _STEPS[type(step)](step, connection)
    except IntegrityError as error:
        raise Conflict(f"{_sentence(step)} The rows that there are do not allow it: {error.orig}.") from error
    except DBAPIError as error:
        raise Invalid(f"{_sentence(step)} The database refuses it: {error.orig}.") from error


def check_references(connection: Connection) -> None:
    """
    Check that every row refers to rows that there are.

    Raises:
        Conflict: One does not.
    """
    row = connection.execute(sa.text('SELECT "table", "parent" FROM pragma_foreign_key_check LIMIT 1')).first()
    if row is not None:
        raise Conflict(f"A row of {row[0]} refers to a row of {row[1]} that does not exist. Nothing was changed.")


def _create_table(step: CreateTable, connection: Connection) -> None:
    _made(step.table, connection).create(connection)


def _rename_table(step: RenameTable, connection: Connection) -> None:
    _run(connection, f"ALTER TABLE {_quoted(step.old)} RENAME TO {_quoted(step.new)}")


def _drop_table(step: DropTable, connection: Connection) -> None:
    _run(connection, f"DROP TABLE {_quoted(step.table)}")


def _add_column(step: AddColumn, connection: Connection) -> None:
    column = _made(step.table, connection).c[step.column.name]
    _run(connection, f"ALTER TABLE {_quoted(step.table.name)} ADD COLUMN {column_sql(column, connection.dialect)}")


def _rename_column(step: RenameColumn, connection: Connection) -> None:
    names = f"RENAME COLUMN {_quoted(step.old)} TO {_quoted(step.new)}"
    _run(connection, f"ALTER TABLE {_quoted(step.table)} {names}")


def _drop_column(step: DropColumn, connection: Connection) -> None:
    _run(connection, f"ALTER TABLE {_quoted(step.table)} DROP COLUMN {_quoted(step.column)}")


def _create_index(step: CreateIndex, connection: Connection) -> None:
    wanted = index_name(step.table.name, step.index)
    made = _made(step.table, connection)
    for index in made.indexes:
        if index.name == wanted:
            index.create(connection)


def _drop_index(step: DropIndex, connection: Connection) -> None:
    _run(connection, f"DROP INDEX {_quoted(step.name)}")


def _redefine(step: RedefineTable, connection: Connection) -> None:
    live, table = step.live, step.table
    if live.columns_of_sql or _checks(connection, table.name):
        raise Invalid(
            f"{_sentence(step)} SQL has given it a check or a generated column, which would be lost; change the table "
            "with SQL of your own."
        )
    for column in table.columns:
        before = live.table.column(column.name)
        if before is None:
            _add(column, table, connection)
        else:
            _convert(before, column, table, connection)
    there = [column.name for column in live.table.columns]
    ordered = sorted(table.columns, key=lambda column: there.index(column.name) if column.name in there else len(there))
    _define(replace(table, columns=tuple(ordered)), connection)
    for index in table.indexes:
        if index not in live.table.indexes:
            _create_index(CreateIndex(table=table, index=index), connection)


def _add(column: Column, table: Table, connection: Connection) -> None:
    """Add a column that old rows get a value of, which no constant says."""
    bare = replace(column, optional=True, default=None, references=None)
    made = _made(replace(table, columns=(bare,), primary_key=(), indexes=()), connection)
    text = column_sql(made.c[column.name], connection.dialect)
    _run(connection, f"ALTER TABLE {_quoted(table.name)} ADD COLUMN {text}")
    value = default_sql(column, connection.dialect) or (_RANDOM_UUID if column.computed else None)
    if value is not None:
        _run(connection, f"UPDATE {_quoted(table.name)} SET {_quoted(column.name)} = {value}")  # noqa: S608  quoted
    elif not column.optional:
        _refuse_missing(column, table, connection)


def _convert(before: Column, after: Column, table: Table, connection: Connection) -> None:
    name, rows = _quoted(after.name), _quoted(table.name)
    if before.type.name == after.type.name == "decimal" and after.type.digits != before.type.digits:
        _run(connection, f"UPDATE {rows} SET {name} = {name} * {10 ** (after.type.digits - before.type.digits)}")  # noqa: S608  quoted
    if after.type.name == "string" and before.type.most_length > after.type.most_length:
        _refuse_long(after, table, connection)
    if before.optional and not after.optional:
        default = default_sql(after, connection.dialect) or (_RANDOM_UUID if after.computed else None)
        if default is not None:
            _run(connection, f"UPDATE {rows} SET {name} = {default} WHERE {name} IS NULL")  # noqa: S608  quoted
        _refuse_missing(after, table, connection)


def _define(table: Table, connection: Connection) -> None:
    """
    Write down what a table is, where that changes nothing of how its rows are stored.

    That is SQLite's own way to change constraints and defaults: the statement that has made the table is replaced.
    A table that is copied instead would take the rows that refer to it along when it is dropped.
    """
    text = str(CreateTableSql(_made(table, connection)).compile(dialect=connection.dialect)).strip()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    try:
        connection.execute(_DEFINE, {"text": text, "name": table.name})
        connection.exec_driver_sql(f"PRAGMA schema_version = {int(version) + 1}")
    finally:
        connection.exec_driver_sql("PRAGMA writable_schema = RESET")


_DEFINE = sa.text("UPDATE sqlite_schema SET sql = :text WHERE type = 'table' AND name = :name")
_RANDOM_UUID = (
    "(lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2) "
    "|| '-' || substr('89ab', 1 + (abs(random()) % 4), 1) || substr(lower(hex(randomblob(2))), 2) || '-' "
    "|| lower(hex(randomblob(6))))"
)


def _refuse_missing(column: Column, table: Table, connection: Connection) -> None:
    """Refuse to require a value that rows do not have."""
    query = f"SELECT count(*) FROM {_quoted(table.name)} WHERE {_quoted(column.name)} IS NULL"  # noqa: S608  quoted
    many = connection.execute(sa.text(query)).scalar_one()
    if many:
        raise Conflict(
            f"{table.name}.{column.name} is required, and {many} rows have no value there. Give it a default, make it "
            "optional, or give these rows a value first."
        )


def _refuse_long(column: Column, table: Table, connection: Connection) -> None:
    """Refuse to keep strings in a shorter column."""
    query = f"SELECT max(length({_quoted(column.name)})) FROM {_quoted(table.name)}"  # noqa: S608  quoted
    longest = connection.execute(sa.text(query)).scalar()
    if longest is not None and longest > column.type.most_length:
        raise Conflict(
            f"{table.name}.{column.name} is to be {column.type.written}, and a row has a string of {longest} "
            "characters there. Shorten it first."
        )


def _checks(connection: Connection, table: str) -> bool:
    text = connection.execute(
        sa.text("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = :name"), {"name": table}
    ).scalar()
    return _CHECK.search(text or "") is not None


def _made(table: Table, connection: Connection) -> sa.Table:
    """Return a table as SQLAlchemy knows it; what it refers to is known by name alone."""
    others: Mapping[str, Table] = {
        column.references.table: Table(
            name=column.references.table,
            columns=(Column(name=column.references.column, type=column.type),),
            primary_key=(column.references.column,),
        )
        for column in table.columns
        if column.references is not None
    }
    return sql_tables([table, *(other for name, other in others.items() if name != table.name)], connection.dialect)[
        table.name
    ]


def _run(connection: Connection, text: str) -> None:
    connection.exec_driver_sql(text)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _sentence(step: Step) -> str:
    text = str(step)
    return f"The database cannot {text}."


_STEPS: Mapping[type[Any], Callable[[Any, Connection], None]] = {
    CreateTable: _create_table,
    RenameTable: _rename_table,
    DropTable: _drop_table,
    AddColumn: _add_column,
    RenameColumn: _rename_column,
    DropColumn: _drop_column,
    RedefineTable: _redefine,
    CreateIndex: _create_index,
    DropIndex: _drop_index,
}


def carry_out_all(steps: Sequence[Step], connection: Connection) -> None:
    """Carry out the steps of a plan; see `carry_out` and `check_references`."""
    for step in steps:
        carry_out(step, connection)
    if steps:
        check_references(connection)
