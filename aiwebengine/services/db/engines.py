"""
SQLAlchemy's engines of SQLite files, and what all of them share.

Opening a file takes half a millisecond.  Making an engine for it as `create_engine` does takes longer: at its first
connection SQLAlchemy asks what this SQLite can do, and each statement is compiled once for each engine.  The answers
are the same for all files, so they are found once: the engines share one dialect and one cache of compiled statements.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import LRUCache

from aiwebengine.services.db.script_sql import GuardedConnection
from aiwebengine.services.folder import make_private

_COMPILED = 1000


class SqliteEngines:
    """Makes engines of SQLite files."""

    def __init__(self) -> None:
        first = sa.create_engine("sqlite://")
        # It asks what the library can do; this database is in memory, and gone at once.
        first.connect().close()
        first.dispose()
        self._dialect = first.dialect
        self._compiled: LRUCache[Any, Any] = LRUCache(_COMPILED)

    def make(
        self, url: sa.URL, *, connections: int, durable: bool, busy_milliseconds: int, guarded: bool = False
    ) -> Engine:
        """
        Make the engine of one file; nothing is opened before its first use.

        Args:
            url: With the path of the file, which is made for the owner only if there is none.
            connections: Most open connections.
            durable: Wait for the disk at each commit.
            busy_milliseconds: How long to wait for another process that has it locked.
            guarded: Scripts may run SQL on it; see `script_sql.py`.
        """
        path = url.database or ""
        # SQLite gives its journals the mode of the file.
        make_private(path)
        pool = QueuePool(
            _connect(path, durable=durable, busy_milliseconds=busy_milliseconds, guarded=guarded),
            pool_size=connections,
            max_overflow=0,
            dialect=self._dialect,
        )
        # `create_engine` has no way to hand a dialect in.
        engine = Engine(
            pool, self._dialect, url, hide_parameters=True, execution_options={"compiled_cache": self._compiled}
        )
        event.listen(engine, "begin", _begin)
        return engine


def sqlite_url(path: Path) -> sa.URL:
    """Return the URL of a file, whatever characters its path has."""
    return sa.URL.create("sqlite", database=str(path))


def _connect(path: str, *, durable: bool, busy_milliseconds: int, guarded: bool) -> Callable[[], Any]:
    pragmas = ("journal_mode = WAL", f"synchronous = {'FULL' if durable else 'NORMAL'}", "foreign_keys = ON")

    def connect() -> sqlite3.Connection:
        # The module's own idea of transactions commits before DDL; we say BEGIN ourselves.
        connection = sqlite3.connect(
            path,
            timeout=busy_milliseconds / 1000,
            check_same_thread=False,
            isolation_level=None,
            factory=GuardedConnection if guarded else sqlite3.Connection,
        )
        try:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}").close()
            if isinstance(connection, GuardedConnection):
                connection.guard()
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later cannot wait for the writer: it would fail.
    immediate = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
