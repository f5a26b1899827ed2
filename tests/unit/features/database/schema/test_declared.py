"""Tests of `features.database.schema.declared`."""

from __future__ import annotations

from typing import Any

import pytest

from aiwebengine.errors import Invalid
from aiwebengine.features.database.schema.declared import Index, Reference, read_schema

USERS = {"id": "id", "name": {"type": "string", "unique": True}}


def test_short_form() -> None:
    """A table is its columns."""
    users, notes = read_schema(
        {
            "users": USERS,
            "notes": {
                "id": "id",
                "text": "text",
                "stars": {"type": "integer", "default": 0},
                "author": {"references": "users", "onDelete": "cascade"},
                "by": {"references": "users.name", "optional": True, "onDelete": "setNull"},
                "created": {"type": "timestamp", "default": "now", "index": True},
            },
        }
    )
    assert users.primary_key == ("id",)
    assert users.indexes == (Index(columns=("name",), unique=True),)
    columns = {column.name: column for column in notes.columns}
    assert columns["author"].references == Reference(table="users", column="id", on_delete="cascade")
    assert columns["author"].type.written == "integer"
    assert columns["by"].type.written == "string"
    assert [name for name, column in columns.items() if column.required] == ["text", "author"]
    assert [name for name, column in columns.items() if column.computed] == ["created"]
    assert {index.columns for index in notes.indexes} == {("author",), ("by",), ("created",)}


def test_long_form() -> None:
    """Beside its columns a table may have a key and indexes of several."""
    [ratings] = read_schema(
        {
            "ratings": {
                "columns": {"note": "integer", "user": "string", "stars": "integer"},
                "primaryKey": ["note", "user"],
                "indexes": [["stars", "note"], {"columns": "user", "unique": True}],
                "renamedFrom": "votes",
            }
        }
    )
    assert ratings.primary_key == ("note", "user")
    assert ratings.indexes == (Index(columns=("stars", "note")), Index(columns=("user",), unique=True))
    assert ratings.renamed_from == "votes"


@pytest.mark.parametrize(
    ("schema", "part"),
    [
        ([], "the schema is an object"),
        ({}, "the schema is an object"),
        ({"_notes": {"id": "id"}}, "a table has a name of at most 60 letters"),
        ({"sqlite_x": {"id": "id"}}, "are reserved"),
        ({"notes": "id"}, "its columns must be an object"),
        ({"notes": {"id": 5}}, "notes.id: a column is a type"),
        ({"notes": {"id": "id", "or": "string"}}, "are words of conditions"),
        ({"notes": {"text": "string"}}, "a table needs a primary key"),
        ({"notes": {"id": "id", "b": {"type": "integer", "primaryKey": True}}}, "the whole primary key"),
        ({"notes": {"id": "id", "t": "txt"}}, 'notes.t: there is no column type "txt"; did you mean "text"?'),
        ({"notes": {"id": "id", "t": {"type": "text", "index": True}}}, "cannot be indexed"),
        ({"notes": {"id": "id", "t": {"type": "string", "defualt": 1}}}, "did you mean default?"),
        ({"notes": {"id": "id", "t": {"type": "integer", "default": "x"}}}, "notes.t: the default is of the type"),
        ({"notes": {"id": {"type": "id", "default": 1}}}, "takes no default"),
        ({"notes": {"id": "id", "o": {"references": "user"}}, "users": USERS}, 'did you mean "users"?'),
        ({"notes": {"id": "id", "o": {"references": "users.nam"}}, "users": USERS}, 'did you mean "users.name"?'),
        ({"notes": {"id": "id", "o": {"references": "users", "onDelete": "no"}}, "users": USERS}, "onDelete must be"),
        (
            {"notes": {"id": "id", "o": {"references": "users", "onDelete": "setNull"}}, "users": USERS},
            "needs optional",
        ),
        ({"notes": {"id": "id", "o": {"type": "string", "onDelete": "cascade"}}}, "onDelete needs references"),
        ({"a": {"b": {"references": "a.b", "unique": True, "primaryKey": True}}}, "lead in a circle"),
        ({"notes": {"id": "id"}, "Notes": {"id": "id"}}, "case alone"),
        ({"notes": {"id": "id", "a": "string", "A": "string"}}, "case alone"),
        ({"notes": {"columns": {"id": "id"}, "indexes": ["nothing"]}}, "there is no column"),
        ({"notes": {"columns": {"id": "id"}, "index": []}}, "did you mean indexes?"),
        ({"notes": {"id": "id", "a": {"type": "string", "renamedFrom": "id"}}}, "which is declared too"),
        ({f"t{n}": {"id": "id"} for n in range(201)}, "at most 200 tables"),
        ({"notes": {f"c{n}": "integer" for n in range(201)}}, "from 1 to 200 columns"),
        ({f"t{m}": {f"c{n}": "integer" for n in range(150)} for m in range(20)}, "at most 2000 columns in all"),
    ],
)
def test_refused(schema: Any, part: str) -> None:
    """A declaration that breaks a rule is refused with its place."""
    with pytest.raises(Invalid) as refused:
        read_schema(schema)
    assert part in refused.value.public
    assert refused.value.public.startswith("database.schema: ")
