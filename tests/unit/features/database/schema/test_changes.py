"""Tests of `features.database.schema.changes`, with plans that are made of real tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from aiwebengine.errors import Conflict, EngineError, Invalid
from aiwebengine.features.database.schema.changes import carry_out_all, check_references
from tests.support.tables_of_scripts import MemoryDatabase

USERS: dict[str, Any] = {"id": "id", "email": {"type": "string", "unique": True}}
NOTES: dict[str, Any] = {
    "id": "id",
    "text": "text",
    "owner": {"references": "users", "onDelete": "cascade"},
    "created": {"type": "timestamp", "default": "now"},
}


@pytest.fixture
def database() -> Iterator[MemoryDatabase]:
    """Two tables with two rows each."""
    made = MemoryDatabase()
    made.deploy({"users": USERS, "notes": NOTES})
    made.run("INSERT INTO users (email) VALUES ('ada'), ('bob')")
    made.run("INSERT INTO notes (text, owner) VALUES ('a', 1), ('b', 2)")
    yield made
    made.close()


def _notes(database: MemoryDatabase) -> list[Any]:
    return database.run("SELECT text, owner FROM notes ORDER BY id")


def test_nothing_to_do(database: MemoryDatabase) -> None:
    """What there is already is left alone."""
    assert database.deploy({"users": USERS, "notes": NOTES}).steps == ()


def test_new_columns(database: MemoryDatabase) -> None:
    """Rows that there are get the defaults of new columns, also those that are made for each row."""
    users = {**USERS, "age": {"type": "integer", "optional": True}, "key": {"type": "uuid", "default": "random"}}
    done = {"type": "boolean", "default": False, "index": True}
    plan = database.deploy(
        {"users": users, "notes": {**NOTES, "done": done, "seen": {"type": "timestamp", "default": "now"}}}
    )
    assert not plan.losses
    keys = database.run("SELECT key FROM users")
    assert len(set(keys)) == 2
    assert all(len(key) == 36 for (key,) in keys)
    assert database.run("SELECT done, seen IS NULL FROM notes") == [(0, 0), (0, 0)]
    assert len(_notes(database)) == 2
    with pytest.raises(Exception, match="NOT NULL"):
        database.run("INSERT INTO users (email, key) VALUES ('c', NULL)")


def test_changed_columns_keep_rows_that_refer_to_them(database: MemoryDatabase) -> None:
    """A table can be changed while others refer to its rows."""
    database.deploy({"users": {"id": "id", "email": {"type": "text", "optional": True}}, "notes": NOTES})
    assert _notes(database) == [("a", 1), ("b", 2)]
    database.run("INSERT INTO users (email) VALUES (NULL)")
    database.run("DELETE FROM users WHERE id = 1")
    assert _notes(database) == [("b", 2)]
    assert database.run("PRAGMA integrity_check") == [("ok",)]


def test_new_names(database: MemoryDatabase) -> None:
    """Values follow a table and a column to their new names."""
    plan = database.deploy(
        {
            "people": {
                "columns": {"id": "id", "mail": {"type": "string", "unique": True, "renamedFrom": "email"}},
                "renamedFrom": "users",
            },
            "notes": {**NOTES, "owner": {"references": "people", "onDelete": "cascade"}},
        }
    )
    assert [str(step) for step in plan.steps] == ["rename table users to people", "rename column people.email to mail"]
    assert database.run("SELECT mail FROM people") == [("ada",), ("bob",)]
    with pytest.raises(Exception, match="UNIQUE"):
        database.run("INSERT INTO people (mail) VALUES ('ada')")


def test_what_is_not_declared_stays(database: MemoryDatabase) -> None:
    """Tables and columns that are not declared any more keep their values, and stand in nobody's way."""
    plan = database.deploy({"notes": {"id": "id", "created": {"type": "timestamp", "default": "now"}}})
    assert plan.left == ("notes.owner", "notes.text", "users")
    assert not plan.losses
    database.run("INSERT INTO notes (id) VALUES (7)")
    assert database.run("SELECT text FROM notes ORDER BY id") == [("a",), ("b",), (None,)]


def test_drop(database: MemoryDatabase) -> None:
    """What is not declared is dropped when that is asked for; the plan says what is lost."""
    plan = database.deploy({"notes": {"id": "id", "text": "text"}}, drop=True)
    assert set(plan.losses) == {
        "all values of the column notes.owner",
        "all values of the column notes.created",
        "all rows of the table users",
    }
    assert database.run("SELECT * FROM notes") == [(1, "a"), (2, "b")]


def test_indexes(database: MemoryDatabase) -> None:
    """Indexes come and go; those that SQL has made stay."""
    database.run("CREATE INDEX by_text ON notes (text)")
    created = {"type": "timestamp", "default": "now", "index": True}
    database.deploy({"users": {"id": "id", "email": "string"}, "notes": {**NOTES, "created": created}})
    names = {name for (name,) in database.run("SELECT name FROM sqlite_schema WHERE type = 'index'")}
    assert names == {"notes_owner_index", "notes_created_index", "by_text"}


def test_numbers_are_not_given_again(database: MemoryDatabase) -> None:
    """The id of a removed row is not that of a new one, also after a change of the table."""
    database.run("INSERT INTO notes (text, owner) VALUES ('c', 1)")
    database.run("DELETE FROM notes WHERE id = 3")
    database.deploy({"users": USERS, "notes": {**NOTES, "text": {"type": "text", "optional": True}}})
    database.run("INSERT INTO notes (text, owner) VALUES ('d', 1)")
    assert database.run("SELECT max(id) FROM notes") == [(4,)]


def test_decimals_get_more_digits(database: MemoryDatabase) -> None:
    """The value stays the same when a decimal gets more digits behind the point."""
    database.deploy({"prices": {"id": "id", "price": "decimal(10,2)"}})
    database.run("INSERT INTO prices (price) VALUES (1250)")
    database.deploy({"prices": {"id": "id", "price": "decimal(12,4)"}})
    assert database.run("SELECT price FROM prices") == [(125000,)]


@pytest.mark.parametrize(
    ("users", "notes", "error", "part"),
    [
        ({**USERS, "age": "integer"}, NOTES, Conflict, "2 rows have no value there"),
        ({"id": "id", "email": "string(2)"}, NOTES, Conflict, "a row has a string of 3 characters"),
        ({"id": "id", "email": "integer"}, NOTES, Invalid, "its values cannot be kept as integer"),
        ({"id": "uuid", "email": {"type": "string", "primaryKey": True}}, NOTES, EngineError, "cannot"),
        (USERS, {**NOTES, "kind": {"type": "string", "default": "x", "unique": True}}, Conflict, "do not allow it"),
    ],
    ids=["required", "shorter", "other type", "primary key", "unique"],
)
def test_refused(database: MemoryDatabase, users: Any, notes: Any, error: type[Exception], part: str) -> None:
    """A change that the rows do not allow is refused, and nothing is changed."""
    before = database.run("SELECT sql FROM sqlite_schema")
    with pytest.raises(error, match=part):
        database.deploy({"users": users, "notes": notes})
    assert database.run("SELECT sql FROM sqlite_schema") == before
    assert _notes(database) == [("a", 1), ("b", 2)]


def test_a_check_is_not_lost(database: MemoryDatabase) -> None:
    """A table with what only SQL can make is not redefined."""
    database.run("CREATE TABLE odd (id INTEGER PRIMARY KEY, n INTEGER NOT NULL CHECK (n > 0))")
    with pytest.raises(Invalid, match="a check or a generated column"):
        database.deploy({"odd": {"id": "id", "n": {"type": "integer", "optional": True}}})


def test_triggers_stay(database: MemoryDatabase) -> None:
    """A trigger works on after a change of its table."""
    database.run(
        "CREATE TRIGGER t AFTER INSERT ON users BEGIN INSERT INTO notes (text, owner) VALUES ('new', new.id); END"
    )
    database.deploy({"users": {"id": "id", "email": {"type": "text", "optional": True}}, "notes": NOTES})
    database.run("INSERT INTO users (email) VALUES ('cid')")
    assert _notes(database)[-1] == ("new", 3)


def test_rows_that_refer_to_nothing(database: MemoryDatabase) -> None:
    """A reference that rows do not keep is refused."""
    database.deploy({"users": USERS, "loose": {"id": "id", "user": "integer"}})
    database.run("INSERT INTO loose (user) VALUES (99)")
    with pytest.raises(Conflict, match="refers to a row of users that does not exist"):
        database.deploy({"users": USERS, "loose": {"id": "id", "user": {"references": "users"}}})


def test_no_steps() -> None:
    """Without steps nothing is asked of the database."""
    carry_out_all([], cast("Any", None))


def test_references_hold(database: MemoryDatabase) -> None:
    """Rows whose references lead somewhere are in order."""
    with database.transaction() as connection:
        check_references(connection)
