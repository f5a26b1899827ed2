"""Tests of `features.database.queries.reads`, `conditions`, `cursors` and `sources`, on rows of a real table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiwebengine.errors import EngineError, Invalid, NotFound
from aiwebengine.features.database.queries.conditions import MOST_CONDITIONS
from aiwebengine.features.database.queries.reads import read_query, single_value
from aiwebengine.features.database.queries.sources import Schema
from aiwebengine.features.database.schema.declared import read_schema
from aiwebengine.features.database.values import to_wire
from tests.support.tables_of_scripts import MemoryDatabase

SCHEMA = {
    "users": {
        "id": "id",
        "name": {"type": "string", "unique": True},
        "boss": {"references": "users", "optional": True},
    },
    "notes": {
        "id": "id",
        "text": "text",
        "author": {"references": "users"},
        "stars": {"type": "integer", "optional": True},
        "price": {"type": "decimal(10,2)", "default": "1.50"},
        "at": {"type": "timestamp", "optional": True},
        "meta": {"type": "json", "optional": True},
    },
    "alone": {"id": "id"},
}
CALL = "database.table"


class _Rows:
    def __init__(self) -> None:
        self.database = MemoryDatabase()
        self.database.deploy(SCHEMA)
        self.schema = Schema(read_schema(SCHEMA), self.database.engine.dialect)
        self.database.run("INSERT INTO users (name, boss) VALUES ('ada', NULL), ('bob', 1)")
        self.database.run(
            "INSERT INTO notes (text, author, stars, price, at, meta) VALUES "
            '(\'alpha\', 1, 5, 150, \'2026-01-01T00:00:00.000Z\', \'{"tags":["x","y"],"a b":{"c":7}}\'), '
            "('Beta', 1, NULL, 300, NULL, NULL), "
            "('100% gamma_', 2, 3, 1, '2025-06-01T12:00:00.000Z', '{\"tags\":\"x\"}')"
        )

    def ids(self, **request: Any) -> list[Any]:
        return [row[0] for row in self.rows({"table": "notes", "columns": ["id"], **request})]

    def rows(self, request: Mapping[str, Any]) -> list[list[Any]]:
        with self.database.transaction() as connection:
            found = connection.execute(read_query(self.schema, request, call=CALL).sql)
            return [[to_wire(value) for value in row] for row in found]

    def value(self, function: str, column: Any = None, **request: Any) -> Any:
        query = single_value(self.schema, {"table": "notes", **request}, function=function, column=column, call=CALL)
        with self.database.transaction() as connection:
            return to_wire(connection.execute(query).scalar())


@pytest.fixture(scope="module")
def rows() -> Iterator[_Rows]:
    """Two authors and three notes."""
    made = _Rows()
    yield made
    made.database.close()


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        (["eq", "text", "alpha"], [1]),
        (["eq", "text", "ALPHA"], []),
        (["eq", "notes.author", 1], [1, 2]),
        (["eq", "stars", None], [2]),
        (["ne", "stars", None], [1, 3]),
        (["ne", "stars", 5], [2, 3]),
        (["gt", "stars", 3], [1]),
        (["gte", "stars", 3], [1, 3]),
        (["lt", "price", "1.50"], [3]),
        (["lte", "price", 1.5], [1, 3]),
        (["between", "stars", [3, 4]], [3]),
        (["in", "stars", [5, 3]], [1, 3]),
        (["in", "stars", [5, None]], [1, 2]),
        (["in", "stars", []], []),
        (["notIn", "stars", [5]], [2, 3]),
        (["notIn", "stars", [5, None]], [3]),
        (["contains", "text", "et"], [2]),
        (["contains", "text", "%"], [3]),
        (["icontains", "text", "BETA"], [2]),
        (["startsWith", "text", "al"], [1]),
        (["startsWith", "text", "100%"], [3]),
        (["endsWith", "text", "a_"], [3]),
        (["gt", "at", {"d": 1767225599999}], [1]),
        (["lt", "at", {"d": 1767225600000}], [3]),
        (["eq", "meta.a b.c", 7], [1]),
        (["has", "meta.tags", "y"], [1]),
        (["has", "meta.tags", "x"], [1]),
        (["and"], [1, 2, 3]),
        (["or"], []),
        (["or", ["eq", "id", 1], ["and", ["eq", "author", 2], ["gt", "stars", 1]]], [1, 3]),
        (["not", ["gt", "stars", 3]], [2, 3]),
        (["not", ["not", ["gt", "stars", 3]]], [1]),
    ],
    ids=repr,
)
def test_conditions(rows: _Rows, where: Any, ids: list[int]) -> None:
    """A condition finds the rows that it says, NULL being a value like others."""
    assert sorted(rows.ids(where=where)) == ids


@pytest.mark.parametrize(
    ("where", "part"),
    [
        (["eq", "txt", "a"], 'there is no column "txt"; did you mean "text"?'),
        (["eq", "text", 5], "notes.text is of the type text, which takes a string; the number 5 was given."),
        (["like", "text", "a"], 'there is no operator "like"'),
        (["gt", "meta", {"j": {}}], "whose values have no order"),
        (["gt", "stars", None], "null is neither greater nor less"),
        (["contains", "stars", "5"], "contains is for columns with strings"),
        (["in", "stars", 5], "in takes a list"),
        (["in", "stars", [0] * 1001], "at most 1000 values"),
        (["between", "stars", [1]], "a list of two values"),
        (["eq", "text.x", "a"], "only json columns have parts"),
        (["eq", "users.name", "a"], 'there is no column "users.name"'),
        (["has", "text", "a"], "has is for json columns"),
        (["eq", "text"], "a condition has an unknown form"),
        ([["eq"], "text", "a"], "an unknown form"),
        ("text", "a condition has an unknown form"),
        (["and", *[["eq", "id", 1]] * MOST_CONDITIONS], "at most 500 conditions"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_conditions(rows: _Rows, where: Any, part: str) -> None:
    """A wrong condition is refused with its column, and with what was probably meant."""
    with pytest.raises(Invalid) as refused:
        rows.ids(where=where)
    assert part in refused.value.public
    assert refused.value.public.startswith(CALL)


def test_deep_conditions(rows: _Rows) -> None:
    """Conditions within each other have a bound."""
    where: Any = ["eq", "id", 1]
    for _ in range(25):
        where = ["not", where]
    with pytest.raises(Invalid, match="at most 20 within each other"):
        rows.ids(where=where)


def test_order_and_limits(rows: _Rows) -> None:
    """Rows are sorted with NULL first, or last in the other direction."""
    assert rows.ids(order=[["stars", False]]) == [2, 3, 1]
    assert rows.ids(order=[["stars", True]]) == [1, 3, 2]
    assert rows.ids(order=[["author", True], ["id", True]], limit=2) == [3, 2]
    assert rows.ids(order=[["id", False]], limit=1, offset=1) == [2]
    assert rows.ids(order=[["meta.a b.c", True]])[0] == 1


def test_joins(rows: _Rows) -> None:
    """A reference leads to the row of another table; the shape says where its values are."""
    request = {"table": "notes", "columns": ["text"], "joins": [{"table": "users", "as": "who", "columns": ["name"]}]}
    assert rows.rows({**request, "order": [["who.name", True], ["id", False]]})[0] == ["100% gamma_", "bob", 2]
    shape = read_query(rows.schema, request, call=CALL).shape.to_wire()
    assert shape == {"names": ["text", "name", ""], "own": 1, "nested": [["who", 1, 1, 2]]}
    assert rows.ids(joins=[{"table": "users"}], where=["eq", "users.name", "bob"]) == [3]


def test_a_join_of_a_table_with_itself(rows: _Rows) -> None:
    """A table may be there twice, under two names."""
    request = {
        "table": "users",
        "columns": ["name"],
        "joins": [{"table": "users", "as": "chief", "on": {"boss": "id"}, "columns": ["id", "name"]}],
        "order": [["id", False]],
    }
    assert rows.rows(request) == [["ada", None, None], ["bob", 1, "ada"]]
    inner = {**request, "joins": [{**request["joins"][0], "type": "inner"}]}  # type: ignore[dict-item]
    assert rows.rows(inner) == [["bob", 1, "ada"]]


@pytest.mark.parametrize(
    ("join", "part"),
    [
        ({"table": "user"}, 'there is no table "user"; did you mean "users"?'),
        ({"table": "alone"}, "nothing refers to alone"),
        ({"table": "notes"}, 'the name "notes" stands for two tables'),
        ({"table": "users", "on": {"author": "nam"}}, 'did you mean "name"?'),
        ({"table": "users", "type": "outer"}, "type must be left or inner"),
        ({"table": "users", "columns": []}, "columns must be a list of columns"),
        ({"table": "users", "as": "a-b"}, "as must be a name"),
        ({"table": "users", "only": 1}, "there is no option"),
        (5, "a join has an unknown form"),
    ],
    ids=str,
)
def test_wrong_joins(rows: _Rows, join: Any, part: str) -> None:
    """A join that cannot be is refused with what to write instead."""
    with pytest.raises(EngineError) as refused:
        rows.ids(joins=[join])
    assert part in refused.value.public


def test_values_over_rows(rows: _Rows) -> None:
    """Sums are exact; without rows there is nothing to take the mean of."""
    assert rows.value("count") == 3
    assert rows.value("count", "stars") == 2
    assert rows.value("sum", "price") == "4.51"
    assert rows.value("sum", "stars", where=["eq", "id", 99]) == 0
    assert rows.value("avg", "price") == pytest.approx(4.51 / 3)
    assert rows.value("avg", "stars", where=["eq", "id", 99]) is None
    assert rows.value("max", "at") == {"d": 1767225600000}
    assert rows.value("min", "text") == "100% gamma_"
    assert rows.value("exists", where=["eq", "id", 99]) is False


def test_groups(rows: _Rows) -> None:
    """One row for each group, sorted by what was computed."""
    request = {
        "table": "notes",
        "group": ["author"],
        "aggregates": {"many": ["count", "*"], "total": ["sum", "price"]},
        "order": [["total", True]],
    }
    assert rows.rows(request) == [[1, 2, "4.50"], [2, 1, "0.01"]]


@pytest.mark.parametrize(
    ("request_", "part"),
    [
        ({"table": "note"}, 'there is no table "note"; did you mean "notes"?'),
        ({"table": "notes", "colums": []}, "did you mean columns?"),
        ({"table": "notes", "columns": ["id", 5]}, "a column must be a string"),
        ({"table": "notes", "limit": -1}, "limit must be a whole number"),
        ({"table": "notes", "offset": 1.5}, "offset must be a whole number"),
        ({"table": "notes", "order": [["meta", False]]}, "whose values have no order"),
        ({"table": "notes", "group": ["author"], "aggregates": {"t": ["sum", "text"]}}, "sum is for numbers"),
        ({"table": "notes", "group": ["author"], "aggregates": {"author": ["count", "*"]}}, "choose another"),
        ({"table": "notes", "group": ["author"], "aggregates": {"t": ["median", "stars"]}}, "must be one of count"),
        ({"table": "notes", "aggregates": {"t": ["count", "*"]}, "order": [["x", False]]}, "cannot be sorted"),
    ],
    ids=str,
)
def test_wrong_requests(rows: _Rows, request_: Any, part: str) -> None:
    """A wrong request is refused with its place."""
    with pytest.raises(EngineError) as refused:
        rows.rows(request_)
    assert part in refused.value.public


def test_no_tables() -> None:
    """Who has no tables is told how to get some."""
    database = MemoryDatabase()
    schema = Schema((), database.engine.dialect)
    with pytest.raises(NotFound, match=r"declare them with database\.schema"):
        read_query(schema, {"table": "notes"}, call=CALL)
    database.close()


# -- pages -----------------------------------------------------------------------------------------


@given(
    stars=st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=12),
    descending=st.booleans(),
    limit=st.integers(1, 5),
)
def test_pages_have_every_row_once(stars: list[int | None], descending: bool, limit: int) -> None:
    """Page by page one gets the rows in their order, each once, also where many have the same place."""
    rows = _Rows()
    rows.database.run("DELETE FROM notes")
    for value in stars:
        rows.database.run("INSERT INTO notes (text, author, stars) VALUES ('t', 1, ?)", value)
    request: dict[str, Any] = {"table": "notes", "columns": ["id"], "order": [["stars", descending]]}
    found: list[Any] = []
    ordered = read_query(rows.schema, {**request, "order": [["stars", descending], ["id", descending]]}, call=CALL)
    with rows.database.transaction() as connection:
        whole = [row[0] for row in connection.execute(ordered.sql)]
        after = None
        while True:
            asked = {**request, "limit": limit} if after is None else {**request, "limit": limit, "after": after}
            query = read_query(rows.schema, asked, call=CALL, paged=True)
            page = connection.execute(query.sql).all()
            found += [row[0] for row in page]
            if len(page) < limit:
                break
            assert query.cursor is not None
            after = query.cursor.of(page[-1])
    assert found == whole
    rows.database.close()


@pytest.mark.parametrize("after", [5, "", "!!", "e30", "WyJ4Il0", "a" * 30_000], ids=lambda value: str(value)[:10])
def test_forged_cursors(rows: _Rows, after: Any) -> None:
    """What is no cursor is refused."""
    with pytest.raises(Invalid, match="after"):
        rows.ids(order=[["stars", False]], after=after)


def test_the_cursor_of_another_order(rows: _Rows) -> None:
    """A cursor belongs to the order of its page."""
    query = read_query(rows.schema, {"table": "notes", "columns": ["id"]}, call=CALL, paged=True)
    assert query.cursor is not None
    cursor = query.cursor.of([1, 1])
    assert rows.ids(after=cursor) == [2, 3]
    with pytest.raises(Invalid, match="another order"):
        rows.ids(order=[["stars", False]], after=cursor)
