"""What resolvers return becomes values of the schema."""

from __future__ import annotations

from typing import Any, cast

import pytest
from graphql import GraphQLResolveInfo, GraphQLUnionType, build_schema

from aiwebengine.features.graphql.execution.failures import FieldFailed
from aiwebengine.features.graphql.schema.resolvers import member, parsed, reads_json, type_of

SCHEMA = build_schema(
    """
    type Note { id: ID! tags: [String!]! }
    type Book { title: String! }
    union Thing = Note | Book
    type Query { thing: Thing notes: [Note!]! title: String }
    """
)


class Info:
    """The part of what graphql-core tells a resolver that is used here."""

    schema = SCHEMA
    parent_type = SCHEMA.query_type
    field_name = "thing"


INFO = cast("GraphQLResolveInfo[Any]", Info)
THING = cast(GraphQLUnionType, SCHEMA.get_type("Thing"))


@pytest.mark.parametrize(("field", "reads"), [("thing", True), ("notes", True), ("title", False)])
def test_fields_that_read_json(field, reads):
    """A string is read as JSON where an object or a list is expected, never where a string is."""
    assert SCHEMA.query_type is not None
    assert reads_json(SCHEMA.query_type.fields[field].type) is reads


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{"id": "1"}', {"id": "1"}),
        ("[1, 2]", [1, 2]),
        ("{not json", "{not json"),
        ("plain", "plain"),
        ("[" * 100_000, "[" * 100_000),
        (None, None),
        (5, 5),
        ({"id": "1"}, {"id": "1"}),
    ],
)
def test_parsed(value, expected):
    """JSON that older scripts return as a string is read; anything else stays as it is."""
    assert parsed(value) == expected


def test_member():
    """A field without a resolver is the member of its name; what is no object has none."""
    assert member({"thing": 7}, INFO) == 7
    assert member({}, INFO) is None
    assert member("thing", INFO) is None


def test_type_of():
    """An object of a union names its type."""
    assert type_of({"__typename": "Book"}, INFO, THING) == "Book"


@pytest.mark.parametrize("value", [{}, {"__typename": 5}, "Book", None])
def test_type_that_is_missing(value):
    """An object that does not name its type is refused, with the names that it may have."""
    with pytest.raises(FieldFailed, match=r"Query\.thing needs a __typename, .*Note, Book") as raised:
        type_of(value, INFO, THING)
    assert raised.value.extensions == {"code": "SCRIPT_FAILED"}
