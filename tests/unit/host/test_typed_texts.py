"""Tests of aiwebengine.host.typed_texts."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.host.schemas import check_schema
from aiwebengine.host.typed_texts import TypedTexts


def read(schema: Any, *pairs: tuple[str, str]) -> list[tuple[str, Any]]:
    """Read *pairs* by a schema that is one."""
    check_schema(schema, where="test")
    return TypedTexts(schema).read(pairs)


def one(schema: Any, text: str) -> Any:
    """Read one text of a property."""
    [(_, value)] = read({"properties": {"a": schema}}, ("a", text))
    return value


class TypedTextsTests(SynchronousTestCase):
    """`TypedTexts`."""

    def test_kinds(self) -> None:
        """A text becomes what its schema asks for if it is written like one, and stays a text if it is not."""
        for schema, text, value in (
            ({"type": "integer"}, "3", 3),
            ({"type": "integer"}, "-30", -30),
            ({"type": "integer"}, "3.5", "3.5"),
            ({"type": "integer"}, "03", "03"),
            ({"type": "integer"}, "x", "x"),
            ({"type": "integer"}, "", ""),
            ({"type": "integer"}, "\u0663", "\u0663"),
            ({"type": "number"}, "3", 3),
            ({"type": "number"}, "-0.5e1", -5.0),
            ({"type": "number"}, "1e999", "1e999"),
            ({"type": "number"}, "NaN", "NaN"),
            ({"type": "boolean"}, "true", True),
            ({"type": "boolean"}, "false", False),
            ({"type": "boolean"}, "1", "1"),
            ({"type": ["integer", "null"]}, "null", None),
            ({"type": ["integer", "string"]}, "3", "3"),
            ({"type": "string"}, "3", "3"),
            ({"pattern": "^[0-9]+$"}, "3", "3"),
            ({"enum": [1, 2, True]}, "2", 2),
            ({"enum": [1, 2, True]}, "true", True),
            ({"enum": [1, "1"]}, "1", "1"),
            ({"const": 5}, "5", 5),
            ({"const": None}, "null", None),
            ({"anyOf": [{"const": "all"}, {"type": "integer"}]}, "7", 7),
            ({"anyOf": [{"const": "all"}, {"type": "integer"}]}, "all", "all"),
            (True, "3", "3"),
        ):
            found = one(schema, text)
            self.assertEqual((found, type(found)), (value, type(value)), (schema, text))

    def test_lists(self) -> None:
        """What is a list has all texts of its name, each as its items are; of others the texts stand one by one."""
        schema = {
            "properties": {"n": {"type": "array", "items": {"type": "integer"}}, "t": {"type": "array"}},
            "additionalProperties": {"type": "boolean"},
        }
        pairs = [("n", "1"), ("x", "true"), ("n", "2"), ("t", "a"), ("x", "?"), ("n", "c")]
        self.assertEqual(read(schema, *pairs), [("n", [1, 2, "c"]), ("x", True), ("t", ["a"]), ("x", "?")])

    def test_references(self) -> None:
        """References inside the schema count, with what stands beside them."""
        schema = {
            "$defs": {
                "page": {"type": "integer"},
                "all": {"properties": {"p": {"$ref": "#/$defs/page", "minimum": 1}}},
            },
            "$ref": "#/$defs/all",
        }
        self.assertEqual(read(schema, ("p", "3")), [("p", 3)])

    def test_hostile_schemas(self) -> None:
        """A schema that leads back to itself, or is large, takes bounded time."""
        round_about = {
            "properties": {"a": {"$ref": "#/$defs/x"}},
            "$defs": {"x": {"anyOf": [{"$ref": "#/$defs/x"}] * 50}},
        }
        self.assertEqual(TypedTexts(round_about).read([("a", "1")] * 1000), [("a", "1")] * 1000)
        large = {"properties": {"a": {"enum": list(range(10_000))}}}
        told = TypedTexts(large).read([("a", "9999")] * 1000)
        self.assertEqual((told[0], told[-1]), (("a", 9999), ("a", "9999")))
