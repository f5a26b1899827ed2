"""A database of SQLite in memory, for tests of what scripts do with their tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import StaticPool

from aiwebengine.features.database.schema.changes import carry_out_all
from aiwebengine.features.database.schema.declared import read_schema
from aiwebengine.features.database.schema.inspection import live_tables
from aiwebengine.features.database.schema.planning import SchemaPlan, plan
from aiwebengine.services.db.script_sql import GuardedConnection


class MemoryDatabase:
    """A database that looks after references, and says BEGIN itself, as those of scripts do."""

    def __init__(self) -> None:
        self.engine: Engine = sa.create_engine("sqlite://", creator=self._connect, poolclass=StaticPool)
        event.listen(self.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))

    def close(self) -> None:
        """Forget everything."""
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Commit at the end of the block."""
        with self.engine.begin() as connection:
            yield connection

    def deploy(self, schema: Any, *, drop: bool = False) -> SchemaPlan:
        """Bring the tables to a schema; what then is left to do must be nothing."""
        declared = read_schema(schema)
        with self.transaction() as connection:
            made = plan(self._live(connection), declared, dialect=self.engine.dialect, drop=drop)
            carry_out_all(made.steps, connection)
            again = plan(self._live(connection), declared, dialect=self.engine.dialect, drop=drop)
            assert not again.steps, [str(step) for step in again.steps]
        return made

    def run(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        with self.transaction() as connection:
            result = connection.exec_driver_sql(sql, parameters)
            return [tuple(row) for row in result] if result.returns_rows else []

    @staticmethod
    def _live(connection: Connection) -> Any:
        return live_tables(connection, belongs=lambda _name: True)

    @staticmethod
    def _connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, factory=GuardedConnection
        )
        connection.execute("PRAGMA foreign_keys = ON").close()
        connection.guard()
        return connection
