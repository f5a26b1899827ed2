"""JSON Schemas in the options of a route, as the sandbox checks them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema
from hypothesis import given, strategies
from twisted.trial.unittest import SynchronousTestCase

from tests.support.examples import examples
from tests.support.world import REQUEST, Outcome, Program, run_programs

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


def script(**options: Any) -> str:
    """Return a script whose one route has these schemas, and answers with what its handler was given."""
    return (
        'registerWebHandler("/:id", function (req) {'
        " return { data: req.data, query: req.query, queryAll: req.queryAll, params: req.params };"
        f" }}, {json.dumps({'method': 'POST', **options})});"
    )


def sent(body: Any = None, **members: Any) -> Mapping[str, Any]:
    """Return a request with *body* as JSON."""
    told = {} if body is None else {"body": body if isinstance(body, str) else json.dumps(body)}
    return {**REQUEST, "method": "POST", **told, **members}


def answers(options: Mapping[str, Any], *requests: Mapping[str, Any]) -> list[Any]:
    """Deploy one route, send it the requests, and return what was answered to each."""
    [outcome] = run_programs([Program(source=script(**options), requests=requests)])
    assert outcome.load.startswith("D"), outcome.load
    return [outcome.value(index) for index in range(len(requests))]


def faults(schema: Any, *values: Any) -> list[dict[str, str]]:
    """Return, for each value, what is wrong at which place of it."""
    return [
        {violation["pointer"]: violation["message"] for violation in told.get("violations", ())}
        for told in answers({"body": schema}, *map(sent, map(json.dumps, values)))
    ]


def refusal(schema: Any) -> str:
    """Return with which words a schema is refused."""
    return _refused(run_programs([Program(source=script(body=schema), requests=())])[0])


def _refused(outcome: Outcome) -> str:
    failure = outcome.failure()
    assert failure is not None
    assert failure["code"] == "invalid"
    return str(failure["message"])


class CheckTests(SynchronousTestCase):
    """What is wrong with a value."""

    def told(self, value: Any, schema: Any = NOTE) -> dict[str, str]:
        [found] = faults(schema, value)
        return found

    def test_lets_a_good_value_through(self) -> None:
        """A value that keeps every rule has no faults."""
        value = {"text": "hello", "tags": ["a"], "stars": 5}
        self.assertEqual(answers({"body": NOTE}, sent(value))[0]["data"], value)

    def test_tells_every_fault_at_its_place(self) -> None:
        """Each broken rule is told with its place, what must be and what was given."""
        told = self.told({"tags": ["a", "c", "a"], "stars": 6.5, "txt": ""})
        self.assertEqual(told["/text"], "is missing.")
        self.assertEqual(told["/txt"], "is not a property that is known here; did you mean text?")
        self.assertEqual(told["/tags"], "may have at most 2 elements; it has 3.")
        self.assertEqual(told["/tags/1"], 'must be one of "a", "b"; "c" was given.')
        self.assertEqual(told["/tags/2"], "must differ from the other elements.")
        self.assertEqual(told["/stars"], "must be a whole number; the number 6.5 was given.")

    def test_every_keyword(self) -> None:
        """What each keyword says of a value that breaks it."""
        for schema, value, at, message in (
            (False, 1, "", "is not allowed here."),
            ({"const": [1, {"a": None}]}, [1], "", "must be a list of 2; a list of 1 was given."),
            ({"type": ["integer", "null"]}, "x", "", 'must be a whole number or null; "x" was given.'),
            ({"minLength": 3}, "ab", "", "must have at least 3 characters; it has 2."),
            ({"maxLength": 1}, "\U0001f600b", "", "may have at most 1 character; it has 2."),
            ({"exclusiveMinimum": 1}, 1, "", "must be more than 1; the number 1 was given."),
            ({"multipleOf": 0.1}, 0.25, "", "must be a multiple of 0.1; the number 0.25 was given."),
            ({"contains": {"const": 1}, "minContains": 2}, [1], "", "must hold at least 2 matching elements."),
            ({"contains": True, "maxContains": 1}, [1, 2], "", "may hold at most 1 matching element; it holds 2."),
            ({"prefixItems": [{"type": "string"}]}, [1, 2], "/0", "must be a string; the number 1 was given."),
            (
                {"uniqueItems": True},
                [{"a": 1, "b": 2}, {"b": 2, "a": 1.0}],
                "/1",
                "must differ from the other elements.",
            ),
            ({"patternProperties": {"^x": False}}, {"xa/b~": 1}, "/xa~1b~0", "is not allowed here."),
            ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, "/ab", "may have at most 1 character; it has 2."),
            ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "/b", 'is missing; "a" needs it.'),
            ({"dependentSchemas": {"a": {"required": ["c"]}}}, {"a": 1}, "/c", "is missing."),
            ({"anyOf": [False, False]}, 1, "", "must match at least one of 2 schemas; it matches none."),
            ({"oneOf": [True, True]}, 1, "", "must match exactly one of 2 schemas; it matches 2."),
            ({"not": True}, 1, "", 'must not match the schema of "not".'),
            ({"if": {"type": "string"}, "then": False, "else": True}, "a", "", "is not allowed here."),
            ({"pattern": "^a+$"}, "b", "", 'must match "^a+$"; "b" was given.'),
        ):
            self.assertEqual(self.told(value, schema), {at: message}, schema)

    def test_never_repeats_a_long_value(self) -> None:
        """A message stays short however large the value is."""
        told = self.told("x" * 1_000_000)
        self.assertEqual(told, {"": "must be an object; a string of 1000000 characters was given."})

    def test_stops_after_twenty(self) -> None:
        """A thousand faults are twenty faults."""
        self.assertEqual(len(self.told([1] * 1000, {"items": {"type": "string"}})), 20)

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
            fine, wrong = faults({"format": name}, good, bad)
            self.assertEqual(fine, {}, name)
            self.assertIn(f"of the format {name}", wrong[""])
        self.assertEqual(self.told("x", {"format": "colour"}), {})

    def test_ends_a_schema_that_asks_for_itself(self) -> None:
        """A schema that refers to itself for the same value is refused for every value."""
        self.assertIn("too deeply nested", self.told(1, {"allOf": [{"$ref": "#"}]})[""])

    def test_follows_references(self) -> None:
        """A schema may be part of itself."""
        tree = {"type": "object", "properties": {"sub": {"items": {"$ref": "#"}}}, "required": ["name"]}
        value = {"name": "a", "sub": [{"name": "b", "sub": [{}]}]}
        self.assertEqual(self.told(value, tree), {"/sub/0/sub/0/name": "is missing."})

    def test_matches_what_javascript_matches(self) -> None:
        """A pattern is one of JavaScript, with its escapes and looking ahead."""
        self.assertEqual(
            faults({"pattern": "^(?=.)\\u00e9$"}, "\u00e9", ""),
            [{}, {"": 'must match "^(?=.)\\\\u00e9$"; "" was given.'}],
        )
        self.assertEqual(self.told("\U0001f600", {"pattern": "^\U0001f600$"}), {})

    @examples(100)
    @given(strategies.lists(strategies.tuples(SCHEMAS, VALUES), min_size=1, max_size=20))
    def test_agrees_with_the_reference(self, cases: Sequence[tuple[Any, Any]]) -> None:
        """Every verdict is that of the reference implementation."""
        usable = [
            (schema, value)
            for schema, value in cases
            if "$ref" not in str(schema) or (isinstance(schema, dict) and "$ref" in schema)
        ]
        outcomes = run_programs([Program(source=script(body=a), requests=[sent(json.dumps(b))]) for a, b in usable])
        for (schema, value), outcome in zip(usable, outcomes, strict=True):
            good = jsonschema.Draft202012Validator(schema).is_valid(value)
            self.assertEqual("data" in outcome.value(), good, (schema, value, outcome.value()))


class SchemaTests(SynchronousTestCase):
    """What is wrong with a schema."""

    def test_refuses_what_is_no_schema(self) -> None:
        """A schema is an object, true or false."""
        schema: Any
        for schema in (5, "x", []):
            self.assertIn("a schema is an object", refusal(schema))

    def test_refuses_misspelt_words(self) -> None:
        """A misspelt keyword or type is refused with the one that was meant."""
        self.assertIn("did you mean required?", refusal({"requierd": []}))
        self.assertIn("did you mean integer?", refusal({"type": "int"}))

    def test_refuses_references_outside(self) -> None:
        """A reference leads inside the schema or is refused."""
        for reference in ("http://127.0.0.1/x", "#/$defs/none", "#anchor", 5, "#"):
            self.assertIn("/$ref", refusal({"$ref": reference}))

    def test_refuses_patterns_that_are_none(self) -> None:
        """A pattern that the engine cannot compile, or that is long, is refused with its place."""
        for pattern in ("(", "(?<=a)b", "a" * 1000):
            self.assertIn("/properties/a/pattern", refusal({"properties": {"a": {"pattern": pattern}}}))

    def test_refuses_too_large_a_schema(self) -> None:
        """A schema has a bound on its size and depth."""
        self.assertIn("at most 65536", refusal({"description": "x" * 70_000}))
        deep: Any = True
        for _ in range(150):
            deep = {"not": deep}
        self.assertIn("100 levels", refusal(deep))

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
            self.assertIn("it must be", refusal(schema))


class TextsTests(SynchronousTestCase):
    """Queries and the parameters of a path: texts that become what their schemas say."""

    def read(self, schema: Any, *pairs: tuple[str, str]) -> Any:
        """Return the query as a handler is given it, or the violations."""
        return answers({"query": schema}, sent(query=pairs))[0]

    def test_kinds(self) -> None:
        """A text becomes what its schema asks for if it is written like one."""
        for schema, text, value in (
            ({"type": "integer"}, "3", 3),
            ({"type": "integer"}, "-30", -30),
            ({"type": "number"}, "3", 3),
            ({"type": "number"}, "-0.5e1", -5),
            ({"type": "boolean"}, "true", True),
            ({"type": "boolean"}, "false", False),
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
            found = self.read({"properties": {"a": schema}}, ("a", text))["query"]["a"]
            self.assertEqual((found, type(found)), (value, type(value)), (schema, text))

    def test_what_is_not_written_like_it(self) -> None:
        """Any other text stays one, and the schema refuses it."""
        for kind, text in (
            ("integer", "3.5"),
            ("integer", "03"),
            ("integer", "x"),
            ("integer", ""),
            ("integer", "\u0663"),
            ("number", "1e999"),
            ("number", "NaN"),
            ("boolean", "1"),
        ):
            [violation] = self.read({"properties": {"a": {"type": kind}}}, ("a", text))["violations"]
            self.assertTrue(violation["message"].endswith(f'; "{text}" was given.'), (kind, text))

    def test_lists(self) -> None:
        """What is a list has all texts of its name, each as its items are; of others the first counts."""
        schema = {
            "properties": {"n": {"type": "array", "items": {"type": "integer"}}, "t": {"type": "array"}},
            "additionalProperties": {"type": "boolean"},
        }
        told = self.read(schema, ("n", "1"), ("x", "true"), ("n", "2"), ("t", "a"), ("x", "?"))
        self.assertEqual(told["query"], {"n": [1, 2], "x": True, "t": ["a"]})
        self.assertEqual(told["queryAll"], {"n": [1, 2], "x": [True, "?"], "t": ["a"]})

    def test_references(self) -> None:
        """References inside the schema count, with what stands beside them."""
        schema = {
            "$defs": {
                "page": {"type": "integer"},
                "all": {"properties": {"p": {"$ref": "#/$defs/page", "minimum": 1}}},
            },
            "$ref": "#/$defs/all",
        }
        self.assertEqual(self.read(schema, ("p", "3"))["query"], {"p": 3})

    def test_every_part(self) -> None:
        """Params, query and body are checked together, and what is wrong is told of all of them."""
        options = {
            "query": {"properties": {"page": {"type": "integer", "minimum": 1}}},
            "params": {"properties": {"id": {"type": "integer"}}},
            "body": NOTE,
        }
        good, bad = answers(
            options,
            sent({"text": "a"}, query=[["page", "2"]], params={"id": "7"}),
            sent({}, query=[["page", "0"]], params={"id": "x"}),
        )
        self.assertEqual((good["params"], good["query"]), ({"id": 7}, {"page": 2}))
        self.assertEqual(
            [(violation["in"], violation["pointer"]) for violation in bad["violations"]],
            [("params", "/id"), ("query", "/page"), ("body", "/text")],
        )
        self.assertIn(
            "The path parameters of the request are not valid at /id: it must be a whole number", bad["detail"]
        )

    def test_bodies_that_are_no_json(self) -> None:
        """An empty body, a form and broken JSON are named."""
        form = {"content-type": "application/x-www-form-urlencoded"}
        empty, broken, of_form = answers({"body": NOTE}, sent(), sent("{"), sent("text=a", headers=form))
        self.assertIn("no body", empty["detail"])
        self.assertIn("not valid JSON", broken["detail"])
        self.assertIn("a form (application/x-www-form-urlencoded)", of_form["detail"])
