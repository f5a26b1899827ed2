"""JSON Schema, with hostile authors on both sides."""

from __future__ import annotations

import time
from typing import Any

import jsonschema
from hypothesis import given, strategies
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Invalid
from aiwebengine.host.schemas import check, check_schema
from tests.support.examples import examples

NOTE = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 10},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2, "uniqueItems": True},
        "stars": {"type": "integer", "minimum": 1, "maximum": 5},
    },
    "required": ["text"],
    "additionalProperties": False,
}

VALUES = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers(-5, 5)
    | strategies.sampled_from(["", "a", "ab", "b1"]),
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.sampled_from("abc"), inner),
    max_leaves=6,
)

LEAVES = strategies.sampled_from(
    [
        True,
        False,
        {"type": "string"},
        {"type": ["integer", "null"]},
        {"minimum": 1},
        {"exclusiveMaximum": 3},
        {"multipleOf": 2},
        {"minLength": 1},
        {"pattern": "^a"},
        {"enum": ["a", 1, None]},
        {"const": []},
        {"required": ["a"]},
        {"maxProperties": 1},
        {"minItems": 1},
        {"uniqueItems": True},
        {"dependentRequired": {"a": ["b"]}},
    ]
)

SCHEMAS = strategies.recursive(
    LEAVES,
    lambda inner: (
        strategies.builds(lambda part: {"items": part}, inner)
        | strategies.builds(lambda a, b: {"properties": {"a": a}, "additionalProperties": b}, inner, inner)
        | strategies.builds(lambda a, b: {"patternProperties": {"^a": a}, "additionalProperties": b}, inner, inner)
        | strategies.builds(lambda a, b: {"prefixItems": [a], "items": b}, inner, inner)
        | strategies.builds(lambda a, b: {"anyOf": [a, b]}, inner, inner)
        | strategies.builds(lambda a, b: {"oneOf": [a, b]}, inner, inner)
        | strategies.builds(lambda a, b: {"allOf": [a, b]}, inner, inner)
        | strategies.builds(lambda a: {"not": a}, inner)
        | strategies.builds(lambda a: {"contains": a}, inner)
        | strategies.builds(lambda a: {"propertyNames": a}, inner)
        | strategies.builds(lambda a, b, c: {"if": a, "then": b, "else": c}, inner, inner, inner)
        | strategies.builds(lambda a: {"$defs": {"x": a}, "$ref": "#/$defs/x"}, LEAVES)
    ),
    max_leaves=5,
)


class CheckTests(SynchronousTestCase):
    def told(self, value: Any, schema: Any = NOTE) -> dict[str, str]:
        check_schema(schema, where="body")
        return {fault.path: fault.message for fault in check(schema, value)}

    def test_lets_a_good_value_through(self) -> None:
        """A value that keeps every rule has no faults."""
        self.assertEqual(self.told({"text": "hello", "tags": ["a"], "stars": 5}), {})

    def test_tells_every_fault_at_its_place(self) -> None:
        """Each broken rule is told with its place, what must be and what was given."""
        told = self.told({"tags": ["a", "c", "a"], "stars": 6.5, "txt": ""})
        self.assertEqual(told["/text"], "is missing.")
        self.assertEqual(told["/txt"], "is not a property that is known here; did you mean text?")
        self.assertEqual(told["/tags"], "may have at most 2 elements; it has 3.")
        self.assertEqual(told["/tags/1"], 'must be one of "a", "b"; "c" was given.')
        self.assertEqual(told["/tags/2"], "must differ from the other elements.")
        self.assertEqual(told["/stars"], "must be a whole number; the number 6.5 was given.")

    def test_never_repeats_a_long_value(self) -> None:
        """A message stays short however large the value is."""
        told = self.told("x" * 1_000_000)
        self.assertEqual(told, {"": "must be an object; a string of 1000000 characters was given."})

    def test_stops_after_twenty(self) -> None:
        """A thousand faults are twenty faults."""
        self.assertEqual(len(check({"items": {"type": "string"}}, [1] * 1000)), 20)

    def test_knows_formats(self) -> None:
        """The formats that are known are checked, the others are remarks."""
        cases = {
            "email": ("a@example.org", "a@"),
            "uuid": ("0b7e1d8e-6d0c-4b8e-9a35-1f4f3f9e2c11", "0b7e"),
            "date": ("2026-02-28", "2026-13-01"),
            "date-time": ("2026-02-28T12:00:00Z", "2026-02-28"),
            "ipv4": ("10.0.0.1", "10.0.0.256"),
            "uri": ("https://example.org/a", "example"),
        }
        for name, (good, bad) in cases.items():
            self.assertEqual(self.told(good, {"format": name}), {}, name)
            self.assertIn(f"of the format {name}", self.told(bad, {"format": name})[""])
        self.assertEqual(self.told("x", {"format": "colour"}), {})

    def test_ends_a_check_that_grows_without_end(self) -> None:
        """A schema that doubles its work at every step ends in a refusal, not in a stopped server."""
        bomb: dict[str, Any] = {"$defs": {"d60": False}, "$ref": "#/$defs/d0"}
        for number in range(60):
            bomb["$defs"][f"d{number}"] = {"anyOf": [{"$ref": f"#/$defs/d{number + 1}"}] * 2}
        started = time.monotonic()
        self.assertIn("too large or too deeply nested", self.told(1, bomb)[""])
        self.assertLess(time.monotonic() - started, 5)

    def test_ends_a_schema_that_asks_for_itself(self) -> None:
        """A schema that refers to itself for the same value is refused for every value."""
        self.assertIn("too deeply nested", self.told(1, {"allOf": [{"$ref": "#"}]})[""])

    def test_matches_patterns_in_linear_time(self) -> None:
        """A pattern that would take for ever elsewhere is matched at once."""
        started = time.monotonic()
        self.assertIn("must match", self.told("a" * 100_000 + "b", {"pattern": "^(a+)+$"})[""])
        self.assertLess(time.monotonic() - started, 5)

    def test_matches_javascript_escapes(self) -> None:
        r"""`\u00e9` in a pattern is the letter that JavaScript means."""
        self.assertEqual(self.told("é", {"pattern": "^\\u00e9$"}), {})

    @examples(300)
    @given(SCHEMAS, VALUES)
    def test_agrees_with_the_reference(self, schema: Any, value: Any) -> None:
        """Every verdict is that of the reference implementation."""
        if "$ref" in str(schema) and not (isinstance(schema, dict) and "$ref" in schema):
            return
        check_schema(schema, where="body")
        good = jsonschema.Draft202012Validator(schema).is_valid(value)
        self.assertEqual(not check(schema, value), good)


class SchemaTests(SynchronousTestCase):
    def refusal(self, schema: Any) -> str:
        return str(self.assertRaises(Invalid, check_schema, schema, where="body").public)

    def test_refuses_what_is_no_schema(self) -> None:
        """A schema is an object, true or false."""
        schema: Any
        for schema in (5, "x", [], None):
            self.assertIn("a schema is an object", self.refusal(schema))

    def test_refuses_misspelt_words(self) -> None:
        """A misspelt keyword or type is refused with the one that was meant."""
        self.assertIn("did you mean required?", self.refusal({"requierd": []}))
        self.assertIn("did you mean integer?", self.refusal({"type": "int"}))

    def test_refuses_references_outside(self) -> None:
        """A reference leads inside the schema or is refused."""
        for reference in ("http://127.0.0.1/x", "#/$defs/none", "#anchor", 5, "#"):
            self.assertIn("/$ref", self.refusal({"$ref": reference}))

    def test_refuses_patterns_that_take_time(self) -> None:
        """Look-around and back-references are refused by name."""
        for pattern in ("(?=a)", r"(a)\1", "(", "a" * 1000):
            self.assertIn("/pattern", self.refusal({"pattern": pattern}))

    def test_refuses_too_large_a_schema(self) -> None:
        """A schema has a bound on its size and depth."""
        self.assertIn("at most 65536", self.refusal({"description": "x" * 70_000}))
        deep: Any = True
        for _ in range(150):
            deep = {"not": deep}
        self.assertIn("100 levels", self.refusal(deep))

    def test_refuses_wrong_values(self) -> None:
        """The value of each keyword must be of its kind."""
        schema: Any
        for schema in (
            {"minLength": -1},
            {"maximum": "5"},
            {"multipleOf": 0},
            {"required": "a"},
            {"enum": "a"},
            {"anyOf": []},
            {"properties": []},
            {"uniqueItems": 1},
            {"dependentRequired": {"a": "b"}},
            {"format": 5},
        ):
            self.assertIn("it must be", self.refusal(schema))
