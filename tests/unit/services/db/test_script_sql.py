"""Tests of `services.db.script_sql`, on real connections of SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from aiwebengine.services.db.engines import SqliteEngines, sqlite_url
from aiwebengine.services.db.script_sql import GuardedConnection, Mode, StatementStop, guarded, own_text


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A file with a table of the engine and one of the script."""
    made = SqliteEngines().make(
        sqlite_url(tmp_path / "script.sqlite3"), connections=2, durable=False, busy_milliseconds=100, guarded=True
    )
    with made.execution_options(write=True).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE _outbox (id INTEGER PRIMARY KEY, kind TEXT)")
        connection.exec_driver_sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
        connection.exec_driver_sql("INSERT INTO notes (text) VALUES ('a'), ('b')")
        connection.exec_driver_sql("INSERT INTO _outbox (kind) VALUES ('secret')")
    yield made
    made.dispose()


def _run(engine: Engine, text: str, mode: Mode = "read", *, seconds: float = 5.0) -> list[Any]:
    with engine.execution_options(write=mode != "read").begin() as connection:
        return _execute(connection, text, mode, seconds=seconds)


def _execute(connection: Connection, text: str, mode: Mode, *, seconds: float = 5.0) -> list[Any]:
    with guarded(connection, mode, seconds=seconds):
        result = connection.exec_driver_sql(own_text(text, mode))
        return [tuple(row) for row in result] if result.returns_rows else []


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("SELECT * FROM notes", "read"),
        ("SELECT count(*), upper(text) FROM notes GROUP BY text", "read"),
        ("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 9) SELECT n FROM c", "read"),
        ("SELECT value FROM json_each('[1,2]')", "read"),
        ("INSERT INTO notes (text) VALUES ('c') RETURNING id", "write"),
        ("UPDATE notes SET text = 'x'", "write"),
        ("DELETE FROM notes", "write"),
        ("CREATE INDEX by_text ON notes (text)", "define"),
        ("CREATE VIEW short AS SELECT id FROM notes", "define"),
        ("CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM notes WHERE id = new.id; END", "define"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_allowed(engine: Engine, text: str, mode: Mode) -> None:
    """Scripts may read and write their tables, and while they load make what belongs to them."""
    _run(engine, text, mode)


@pytest.mark.parametrize("mode", ["read", "write", "define"])
@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM _outbox",
        'SELECT kind FROM "_outbox"',
        "SELECT (SELECT kind FROM _outbox) FROM notes",
        "SELECT 1 FROM notes WHERE EXISTS (SELECT 1 FROM _outbox WHERE kind = 'secret')",
        "INSERT INTO _outbox (kind) VALUES ('forged')",
        "UPDATE _outbox SET kind = 'forged'",
        "DELETE FROM _outbox",
        "CREATE INDEX i ON _outbox (kind)",
        "CREATE TRIGGER t AFTER INSERT ON _outbox BEGIN DELETE FROM notes; END",
        "DROP TABLE _outbox",
        "DROP TABLE notes",
        "CREATE TABLE more (id INTEGER)",
        "ALTER TABLE notes ADD COLUMN x TEXT",
        "CREATE TEMP TABLE more (id INTEGER)",
        "CREATE VIRTUAL TABLE v USING fts5(text)",
        "ATTACH ':memory:' AS other",
        "DETACH main",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA writable_schema = ON",
        "PRAGMA table_info(notes)",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT a",
        "RELEASE a",
        "VACUUM",
        "ANALYZE",
        "DELETE FROM sqlite_schema",
        "UPDATE sqlite_schema SET sql = ''",
        "SELECT load_extension('x')",
        "SELECT 'a' GLOB 'a'",
        "SELECT fts3_tokenizer('simple')",
        "SELECT * FROM pragma_table_info('notes')",
    ],
)
def test_refused(engine: Engine, text: str, mode: Mode) -> None:
    """Whatever reaches for more is refused, and nothing is changed."""
    with pytest.raises(DBAPIError):
        _run(engine, text, mode)
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT kind FROM _outbox").scalars().all() == ["secret"]
        assert connection.exec_driver_sql("SELECT count(*) FROM notes").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


@pytest.mark.parametrize(
    "text", ["INSERT INTO notes (text) VALUES ('c')", "UPDATE notes SET text = 'x'", "DELETE FROM notes"]
)
def test_a_reading_statement_does_not_write(engine: Engine, text: str) -> None:
    """What may only read is held to that, also when the same text was run before by one that may write."""
    with engine.execution_options(write=True).connect() as connection, connection.begin() as transaction:
        _execute(connection, text, "write")
        transaction.rollback()
    with pytest.raises(DBAPIError, match="not authorized"):
        _run(engine, text, "read")


def test_the_engine_s_own_statements_lend_nothing(engine: Engine) -> None:
    """A script's statement with the text of one of the engine's, which the driver has prepared, is looked at anew."""
    text = "SELECT kind FROM _outbox"
    with engine.begin() as connection:
        assert connection.exec_driver_sql(text).scalar() == "secret"
        with pytest.raises(DBAPIError, match="prohibited"):
            _execute(connection, text, "read")
        assert connection.exec_driver_sql(text).scalar() == "secret"


def test_endless_statements_end(engine: Engine) -> None:
    """A statement ends when its processor time is used up, and the connection can be used on."""
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
    with engine.begin() as connection:
        with pytest.raises(DBAPIError, match="interrupted"):
            _execute(connection, endless, "read", seconds=0.02)
        assert _execute(connection, "SELECT count(*) FROM notes", "read") == [(2,)]


def test_stopped_from_outside(engine: Engine) -> None:
    """A statement ends when nobody waits for it any more."""
    endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
    stop = StatementStop()
    stop.stop()
    with (
        engine.begin() as connection,
        guarded(connection, "read", seconds=60, stop=stop),
        pytest.raises(DBAPIError, match="interrupted"),
    ):
        connection.exec_driver_sql(own_text(endless, "read"))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT zeroblob(9000000)",
        "SELECT replace(printf('%.7000000c', 'a'), 'a', 'bb')",
        f"SELECT {'(' * 1100}1{')' * 1100}",
        f"SELECT {' UNION ALL SELECT '.join(['1'] * 200)}",
        f"SELECT 1 /* {'x' * 200_000} */",
    ],
    ids=["zeroblob", "replace", "depth", "unions", "text"],
)
def test_bounds(engine: Engine, text: str) -> None:
    """Values and statements have bounds, for scripts alone."""
    with pytest.raises(DBAPIError):
        _run(engine, text)
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT length(zeroblob(9000000))").scalar() == 9000000


def test_guards_within_each_other(engine: Engine) -> None:
    """What was allowed before is allowed again afterwards."""
    with engine.execution_options(write=True).begin() as connection, guarded(connection, "write", seconds=5.0):
        _execute(connection, "SELECT 1", "read")
        connection.exec_driver_sql(own_text("INSERT INTO notes (text) VALUES ('c')", "write"))


def test_other_engines_are_not_guarded(tmp_path: Path) -> None:
    """The engine's own databases have plain connections."""
    made = SqliteEngines().make(
        sqlite_url(tmp_path / "main.sqlite3"), connections=1, durable=False, busy_milliseconds=100
    )
    with made.connect() as connection:
        assert not isinstance(connection.connection.dbapi_connection, GuardedConnection)
    made.dispose()


# -- LIKE ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A connection with our LIKE."""
    path = tmp_path_factory.mktemp("like") / "like.sqlite3"
    connection = sqlite3.connect(path, factory=GuardedConnection)
    connection.guard()
    yield connection
    connection.close()


_TEXT = st.text(st.sampled_from("aAbB%_\\äÄ🙂"), max_size=8)


@given(value=_TEXT, pattern=_TEXT, escaped=st.booleans())
def test_like_is_sqlite_s(like: sqlite3.Connection, value: str, pattern: str, escaped: bool) -> None:
    """Ours says what SQLite's says."""
    plain = sqlite3.connect(":memory:")
    query = "SELECT ? LIKE ? ESCAPE '\\'" if escaped else "SELECT ? LIKE ?"
    if escaped and (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        pattern += "a"
    assert like.execute(query, (value, pattern)).fetchone() == plain.execute(query, (value, pattern)).fetchone()
    plain.close()


@pytest.mark.parametrize(
    ("value", "pattern", "expected"), [(None, "a", None), ("a", None, None), (12, "1%", 1), (b"ab", "a_", 1)]
)
def test_like_of_other_values(like: sqlite3.Connection, value: Any, pattern: Any, expected: Any) -> None:
    """NULL is like nothing; numbers are like their digits."""
    assert like.execute("SELECT ? LIKE ?", (value, pattern)).fetchone() == (expected,)


@pytest.mark.parametrize(
    ("value", "pattern"), [("a" * 1_000_000, "%" + "_" * 900 + "b%"), ("a", "_" * 1001), ("a" * 2_000_000, "a%")]
)
def test_like_has_bounds(like: sqlite3.Connection, value: str, pattern: str) -> None:
    """A pattern that would take long is refused."""
    with pytest.raises(sqlite3.OperationalError):
        like.execute("SELECT ? LIKE ?", (value, pattern)).fetchone()


def test_like_takes_no_time(like: sqlite3.Connection) -> None:
    """A pattern that takes SQLite's own for ever is answered."""
    pattern = "%a" * 100 + "%b"
    assert like.execute("SELECT ? LIKE ?", ("a" * 100_000, pattern)).fetchone() == (0,)


def test_like_with_two_escapes(like: sqlite3.Connection) -> None:
    """ESCAPE takes one character."""
    with pytest.raises(sqlite3.OperationalError):
        like.execute("SELECT 'a' LIKE 'a' ESCAPE 'xy'").fetchone()


def test_the_text_of_scripts() -> None:
    """The same text is another one for each way to run it."""
    assert len({own_text("SELECT 1", "read"), own_text("SELECT 1", "write"), own_text("SELECT 1", "define")}) == 3


def test_engine_is_sqlalchemy_s(engine: Engine) -> None:
    """What is made is an engine as SQLAlchemy knows it."""
    assert isinstance(engine, sa.Engine)
