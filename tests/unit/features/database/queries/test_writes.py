"""Tests of `features.database.queries.writes`, on a real table."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from aiwebengine.errors import EngineError
from aiwebengine.features.database.fetching import Fetcher
from aiwebengine.features.database.queries.sources import Schema
from aiwebengine.features.database.queries.writes import Defaults, WriteQuery, delete_query, insert_query, update_query
from aiwebengine.features.database.schema.declared import read_schema
from aiwebengine.features.database.settings import DatabaseSettings
from tests.support.tables_of_scripts import MemoryDatabase

SCHEMA = {
    "users": {
        "id": "id",
        "name": {"type": "string", "unique": True},
        "seen": {"type": "integer", "default": 0},
        "joined": {"type": "timestamp", "default": "now"},
        "day": {"type": "date", "default": "now"},
        "key": {"type": "uuid", "default": "random"},
        "meta": {"type": "json", "optional": True},
    },
    "counters": {"id": "id"},
}
NOW = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)
KEY = uuid.UUID("6ba7b810-9dad-41d1-80b4-00c04fd430c8")
DEFAULTS = Defaults(now=NOW, new_uuid=lambda: KEY)


class _Writer:
    def __init__(self) -> None:
        self.database = MemoryDatabase()
        self.database.deploy(SCHEMA)
        self.schema = Schema(read_schema(SCHEMA), self.database.engine.dialect)

    def run(self, query: WriteQuery) -> Any:
        with self.database.transaction() as connection:
            answer = Fetcher(DatabaseSettings()).written(connection, query, "database.table").answer
        return answer.get("rows", answer.get("count"))

    def insert(self, *rows: Any, table: str = "users", **conflict: Any) -> Any:
        given = {"conflict": conflict} if conflict else {}
        return self.run(insert_query(self.schema, table, list(rows), defaults=DEFAULTS, call="insert", **given))

    def update(self, values: Any, *, returning: bool = False, **request: Any) -> Any:
        request = {"table": "users", **request}
        return self.run(update_query(self.schema, request, values, returning=returning, call="update"))

    def delete(self, *, returning: bool = False, **request: Any) -> Any:
        return self.run(delete_query(self.schema, {"table": "users", **request}, returning=returning, call="delete"))


@pytest.fixture
def writer() -> Iterator[_Writer]:
    """Empty tables."""
    made = _Writer()
    yield made
    made.database.close()


def test_insert(writer: _Writer) -> None:
    """Rows come back whole, in the order in which they were given, with ids and defaults."""
    rows = writer.insert({"name": "b", "meta": {"j": {"d": 1}}}, {"name": "a", "seen": 2}, {"name": "c"})
    assert rows[0] == [1, "b", 0, {"d": 1795995000000}, "2026-11-29", str(KEY), {"j": {"d": 1}}]
    assert [row[:3] for row in rows] == [[1, "b", 0], [2, "a", 2], [3, "c", 0]]


def test_a_row_of_defaults(writer: _Writer) -> None:
    """A row may say nothing."""
    assert writer.insert({}, {}, table="counters") == [[1], [2]]


def test_update(writer: _Writer) -> None:
    """Chosen rows are changed, and numbers counted up."""
    writer.insert({"name": "a"}, {"name": "b"})
    assert (
        writer.update({"seen": {"j": {"increment": 3}}, "meta": {"j": {"increment": 3}}}, where=["eq", "name", "a"])
        == 1
    )
    assert writer.update({"seen": {"j": {"increment": -1}}}, all=True, returning=True)[0][:3] == [1, "a", 2]
    assert writer.database.run("SELECT seen, meta FROM users ORDER BY id") == [(2, '{"increment":3}'), (-1, None)]


def test_upsert(writer: _Writer) -> None:
    """A row that there is gets what was given, and keeps the rest."""
    writer.insert({"name": "a", "seen": 5})
    [[number, _, seen, *_]] = writer.insert({"name": "a", "meta": {"j": []}}, on="name")
    assert (number, seen) == (1, 5)
    assert writer.insert({"name": "a", "seen": 9}, {"name": "b"}, on=["name"], update=["seen"])[1][1] == "b"
    assert writer.database.run("SELECT name, seen, meta FROM users ORDER BY id") == [("a", 9, "[]"), ("b", 0, None)]


def test_delete(writer: _Writer) -> None:
    """Chosen rows are removed."""
    writer.insert({"name": "a"}, {"name": "b"}, {"name": "c"})
    assert writer.delete(where=["in", "name", ["a", "b"]]) == 2
    assert writer.delete(all=True, returning=True)[0][1] == "c"


@pytest.mark.parametrize(
    ("rows", "part"),
    [
        ([], "from 1 to 1000 rows"),
        ([{}] * 1001, "from 1 to 1000 rows"),
        ([5], "a row must be an object"),
        ([{"seen": 1}], "a row of users needs name"),
        ([{"name": None}], "a row of users needs name"),
        ([{"nam": "a"}], 'there is no column "nam"; did you mean "name"?'),
        ([{"name": "a"}, {"name": "b", "seen": "x"}], "users.seen is of the type integer"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_wrong_rows(writer: _Writer, rows: list[Any], part: str) -> None:
    """A wrong row is refused before any is written."""
    with pytest.raises(EngineError) as refused:
        writer.insert(*rows)
    assert part in refused.value.public
    assert writer.database.run("SELECT count(*) FROM users") == [(0,)]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda writer: writer.update({"seen": 1}), "to update all rows of users write .all()"),
        (lambda writer: writer.delete(), "to delete all rows of users write .all()"),
        (lambda writer: writer.update({}, all=True), "the values must be an object"),
        (lambda writer: writer.update({"name": None}, all=True), "it is not optional"),
        (lambda writer: writer.update({"sen": 1}, all=True), 'did you mean "seen"?'),
        (lambda writer: writer.update({"seen": 1}, all=True, limit=1), "limit cannot be used with update"),
        (lambda writer: writer.update({"name": {"j": {"increment": 1}}}, all=True), "users.name is of the type string"),
        (lambda writer: writer.insert({"name": "a"}, on="seen"), "does not tell rows of users apart"),
        (lambda writer: writer.insert({"name": "a"}, on="nam"), 'did you mean "name"?'),
        (lambda writer: writer.insert({"name": "a"}, on="name", update="seen"), "update must be a list"),
        (lambda writer: writer.insert({"name": "a"}, table="user"), 'did you mean "users"?'),
    ],
)
def test_wrong_changes(writer: _Writer, change: Any, part: str) -> None:
    """A change that says too little, or something wrong, is refused."""
    with pytest.raises(EngineError) as refused:
        change(writer)
    assert part in refused.value.public
