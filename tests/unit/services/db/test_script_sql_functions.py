"""Functions of SQL that no script can have run for minutes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from aiwebengine.services.db.engines import SqliteEngines, sqlite_url
from aiwebengine.services.db.script_sql import guarded, own_text

LONG = "a" * 900_000


@pytest.fixture(name="connection")
def _connection(tmp_path: object) -> Iterator[Connection]:
    """Return one on which scripts may run SQL."""
    url = sqlite_url(tmp_path / "own.sqlite3")  # type: ignore[operator]
    engine = SqliteEngines().make(url, connections=1, durable=False, busy_milliseconds=10, guarded=True)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def run(connection: Connection, text: str, *parameters: object, seconds: float = 5.0) -> sa.Row[tuple[object, ...]]:
    """Run a statement of a script."""
    with guarded(connection, "read", seconds=seconds):
        return connection.exec_driver_sql(own_text(text, "read"), parameters).one()


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("SELECT length(ltrim(?, ?))", (LONG, "b" * 900_000 + "a")),
        ("SELECT length(rtrim(?, ?))", (LONG, "b" * 900_000 + "a")),
        ("SELECT length(trim(?, ?))", (LONG, "b" * 900_000 + "a")),
        ("SELECT instr(?, ?)", (LONG, "a" * 450_000 + "b")),
        ("SELECT length(replace(?, ?, 'x'))", (LONG, "a" * 450_000 + "b")),
    ],
    ids=["ltrim", "rtrim", "trim", "instr", "replace"],
)
def test_in_proportion(connection: Connection, text: str, parameters: tuple[str, ...]) -> None:
    """Large strings take time in proportion to their length."""
    began = time.thread_time()
    run(connection, text, *parameters)
    assert time.thread_time() - began < 5


@pytest.mark.parametrize(
    "text",
    [
        "SELECT printf('%.*c', 1000000000, 'x')",
        "SELECT format('%.*c', 1000000000, 'x')",
        "SELECT json_patch('{}', '{}')",
    ],
    ids=["printf", "format", "json_patch"],
)
def test_refused(connection: Connection, text: str) -> None:
    """What would run for minutes in one step is refused."""
    with pytest.raises(DBAPIError, match="not authorized to use function"):
        run(connection, text)


def test_disk(connection: Connection) -> None:
    """A statement whose sorting fills the disk is ended."""
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
    began = time.thread_time()
    with pytest.raises(DBAPIError, match="interrupted"):
        run(
            connection,
            f"{endless} SELECT length(z) FROM (SELECT zeroblob(900000) AS z FROM c ORDER BY random())",
            seconds=30.0,
        )
    assert time.thread_time() - began < 20


@pytest.mark.parametrize(
    "expressions",
    [
        "trim('xxaxx', 'x'), ltrim('xya', 'yx'), rtrim('axy', 'x'), trim('', 'x'), trim('a', ''), trim(NULL, 'x')",
        "instr('abc', 'c'), instr('abc', 'x'), instr(x'0102', x'02'), instr(12, 2), instr('é€', '€'), instr('a', NULL)",
        "replace('aXbX', 'X', 'yy'), replace('a', '', 'b'), replace(121, 1, 3), replace('a', 'a', NULL)",
    ],
    ids=["trim", "instr", "replace"],
)
def test_the_same(connection: Connection, expressions: str) -> None:
    """They give what SQLite's own give."""
    plain = sqlite3.connect(":memory:")
    expected = plain.execute(f"SELECT {expressions}").fetchone()
    plain.close()
    assert tuple(run(connection, f"SELECT {expressions}")) == expected
