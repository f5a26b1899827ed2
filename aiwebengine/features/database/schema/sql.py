"""Tables as SQLAlchemy knows them: made of what is declared or of what there is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn

from aiwebengine.features.database.schema.declared import NOW, Column, Index, OnDelete, Reference, Table

_ON_DELETE: dict[OnDelete, str] = {"restrict": "RESTRICT", "cascade": "CASCADE", "setNull": "SET NULL"}
_MOST_NAME = 60
_NOW = {
    "sqlite": {
        "timestamp": "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
        "date": "(strftime('%Y-%m-%d', 'now'))",
    },
    "postgresql": {"timestamp": "CURRENT_TIMESTAMP", "date": "CURRENT_DATE"},
    "mysql": {"timestamp": "(UTC_TIMESTAMP(3))", "date": "(UTC_DATE())"},
}


def sql_tables(tables: Iterable[Table], dialect: sa.Dialect) -> dict[str, sa.Table]:
    """Return all *tables* by name, as they are created on the database of *dialect*."""
    metadata = sa.MetaData()
    return {table.name: _sql_table(table, metadata, dialect) for table in tables}


def index_name(table: str, index: Index) -> str:
    """Return the name of an index: it says what it is of, and is the same at each deployment."""
    name = f"{table}_{'_'.join(index.columns)}_{'key' if index.unique else 'index'}"
    if len(name) <= _MOST_NAME:
        return name
    digest = sa.util.md5_hex(name)[:8]
    return f"{name[: _MOST_NAME - 9]}_{digest}"


def default_sql(column: Column, dialect: sa.Dialect) -> str | None:
    """Return what stands behind DEFAULT; None if nothing does."""
    if column.default is None:
        # SQLite tells an expression without its parentheses.
        return None if column.default_sql is None else f"({column.default_sql})"
    if column.computed:
        family = "mysql" if dialect.name == "mariadb" else dialect.name
        return _NOW[family][column.type.name] if column.default == NOW else None
    process = column.type.sql.dialect_impl(dialect).bind_processor(dialect)
    value = process(column.default) if process is not None else column.default
    return _literal(value)


def column_sql(column: sa.Column[Any], dialect: sa.Dialect) -> str:
    """Return a column as it stands in CREATE TABLE and behind ADD COLUMN."""
    return str(CreateColumn(column).compile(dialect=dialect))


def _sql_table(table: Table, metadata: sa.MetaData, dialect: sa.Dialect) -> sa.Table:
    keys = [_foreign_key(column, column.references) for column in table.columns if column.references is not None]
    made = sa.Table(
        table.name,
        metadata,
        *(_sql_column(column, table, dialect) for column in table.columns),
        sa.PrimaryKeyConstraint(*table.primary_key),
        *keys,
        sqlite_autoincrement=any(column.type.name == "id" for column in table.columns),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )
    for index in table.indexes:
        sa.Index(index_name(table.name, index), *(made.c[name] for name in index.columns), unique=index.unique)
    return made


def _sql_column(column: Column, table: Table, dialect: sa.Dialect) -> sa.Column[Any]:
    default = default_sql(column, dialect)
    return sa.Column(
        column.name,
        column.type.sql,
        nullable=column.optional,
        server_default=None if default is None else sa.text(default.replace(":", r"\:")),
        autoincrement=column.type.name == "id" and table.primary_key == (column.name,),
    )


def _foreign_key(column: Column, reference: Reference) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column.name],
        [f"{reference.table}.{reference.column}"],
        ondelete=_ON_DELETE[reference.on_delete],
        # Its table may be made later, or be the same.
        link_to_name=True,
    )


def _literal(value: Any) -> str:
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
