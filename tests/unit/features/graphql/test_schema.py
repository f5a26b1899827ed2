"""Tests of aiwebengine.features.graphql.schema.assembly."""

# ruff: noqa: E501 - a line of SDL or of what is told is one line

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from graphql import print_schema
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import DeploymentRefused
from aiwebengine.features.graphql.schema.assembly import assemble
from aiwebengine.features.graphql.schema.builder import SchemaBuilder
from aiwebengine.features.graphql.schema.documents import ParsedSdl
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.observe.interpreter import Collector
from tests.unit.features.graphql.fakes import entry, part

BOUNDS = GraphQLSettings()


class UntouchedCollector(Collector):
    """Sets nothing aside."""

    def __init__(self) -> None:
        super().__init__()
        self.aside = 0

    def set_aside(self) -> None:
        self.aside += 1


class ReplacedSchemaTests(SynchronousTestCase):
    def test_no_garbage(self) -> None:
        """A schema that was replaced is freed, and making one leaves little, without the garbage collector."""
        collector = UntouchedCollector()
        builder = SchemaBuilder(settings=GraphQLSettings(), collector=collector)

        def entries(name: str) -> list[Any]:
            types = " ".join(f"type T{n} implements I {{ {name}: I }} enum E{n} {{ A }}" for n in range(200))
            sdl = f"of(a: In): U union U = T1 | T2 interface I {{ {name}: I }} input In {{ a: In }} {types}"
            return [entry(part("query", "of", sdl))]

        built = builder.build(entries("first"))
        gc.collect()
        gc.disable()
        try:
            assert built is not None
            kept = weakref.ref(built.schema.type_map["T7"].fields["first"])  # type: ignore[attr-defined]
            del built
            built = builder.build(entries("second"))
            self.assertIsNotNone(built)
            self.assertIsNone(kept())
            self.assertLess(gc.collect(), 400)
        finally:
            gc.enable()
        self.assertEqual(collector.aside, 2)


class AssemblyTests(SynchronousTestCase):
    def made(self, *parts: Any) -> str:
        return print_schema(assemble(parts).schema)

    def refused(self, *parts: Any) -> list[str]:
        error = self.assertRaises(DeploymentRefused, assemble, parts)
        return [problem.message for problem in error.problems]

    def test_fields_alone_and_types(self) -> None:
        """A field alone, with types after it, and whole definitions give one schema."""
        text = self.made(
            part("query", "note", '"One note." note(id: ID!): Note type Note { id: ID! }'),
            part("query", "notes", "type Query { notes: [Note!]! }", script="b"),
            part("mutation", "add", "add(text: String!): Note"),
            part("subscription", "added", "type Subscription { added: Note }"),
        )
        for line in (
            '"""One note."""',
            "note(id: ID!): Note",
            "notes: [Note!]!",
            "add(text: String!): Note",
            "added: Note",
        ):
            self.assertIn(line, text)

    def test_types_laid_together(self) -> None:
        """Types are laid together field by field, values by value, members by member."""
        text = self.made(
            part("query", "a", "a: U type N { x: Int } enum E { A } union U = N input I { f: Int }"),
            part("query", "b", "b(i: I): E type N { y: Int } enum E { A B } type M { z: E } union U = M", script="b"),
            part("query", "c", "c: N extend type N { w: Int } extend union U = M", script="c"),
        )
        self.assertIn("type N {\n  x: Int\n  y: Int\n  w: Int\n}", text)
        self.assertIn("enum E {\n  A\n  B\n}", text)
        self.assertIn("union U = N | M", text)

    def test_repeated_in_one_script(self) -> None:
        """A script may say the same again, with another description; the field's own registration counts."""
        text = self.made(
            part("query", "a", 'type Query { a: N b: N } "One" type N { x: Int }'),
            part("query", "b", 'type Query { a: N b: N } "Two" type N { "the x" x: Int }'),
        )
        self.assertEqual(text.count("x: Int"), 1)

    def test_conflicts(self) -> None:
        """What two say differently is refused, naming both owners and places."""
        wanted = (
            ((part("query", "x", "x: Int"), part("query", "x", "x: Int", script="b", handler=4)),
             'Query.x is registered by both "a" (main.js:1) and "b" (main.js:5).'),
            ((part("query", "x", "x: N type N { a: Int }"), part("query", "y", "y: N type N { a: ID }", script="b")),
             'The field N.a is defined differently by "a" (main.js:1) and "b" (main.js:1).'),
            ((part("query", "x", "x: N type N { a: Int }"), part("query", "y", "y: N enum N { A }", script="b")),
             'The type N is an object type in one and an enum in the other of "a" (main.js:1) and "b" (main.js:1).'),
            ((part("query", "x", "x: Int directive @d on FIELD"), part("query", "y", "y: Int directive @d on QUERY", script="b")),
             'The directive @d is defined differently by "a" (main.js:1) and "b" (main.js:1).'),
            ((part("query", "x", "x: N type N { a: Int }"), part("field", "N.a"), part("field", "N.a", script="b")),
             'The handler of N.a is registered by both "a" (main.js:1) and "b" (main.js:1).'),
            ((part("scalar", "D"), part("scalar", "D", script="b")), "The scalar D is registered by both"),
        )  # fmt: skip
        for parts, message in wanted:
            self.assertTrue(self.refused(*parts)[0].startswith(message), (message, self.refused(*parts)))

    def test_what_is_missing(self) -> None:
        """A type, a resolver or a field that is not there is named, with its place and what may be meant."""
        wanted = (
            ((part("query", "x", "x: Nott type Note { a: Int }"),), 'Unknown type "Nott". Did you mean "Note"? (line 1, column 4 of the SDL of x)'),
            ((part("query", "x", "type Query { x: Int y: Int }"),), 'Query.y has no resolver; register it too, or take it out of the SDL of "x".'),
            ((part("query", "x", "x: Int"), part("field", "Note.a")), "Note.a: Note is not an object type of the schema."),
            ((part("query", "x", "x: N type N { name: Int }"), part("field", "N.nane")), "N.nane: N has no field nane; did you mean N.name?"),
            ((part("query", "x", "x: Int extend type N { a: Int }"),), 'N is extended, but no script defines it; write "type N"'),
            ((part("query", "x", "x(a: N): Int type N { a: Int }"),), "The type of Query.x(a:) must be Input Type but got: N."),
        )  # fmt: skip
        for parts, message in wanted:
            self.assertTrue(self.refused(*parts)[0].startswith(message), (message, self.refused(*parts)))

    def test_no_query(self) -> None:
        """Without any query the schema has a field that says so, for it needs one."""
        self.assertIn("_empty: Boolean", self.made(part("mutation", "add", "add: Int")))

    def test_options(self) -> None:
        """A description and the address of a scalar's specification are in the schema."""
        text = self.made(
            part("query", "x", "x: D", description="An x."),
            part("scalar", "D", description="A day.", specifiedBy="https://example.org/day"),
        )
        self.assertIn('"""An x."""', text)
        self.assertIn('"""A day."""\nscalar D @specifiedBy(url: "https://example.org/day")', text)

    def test_without_parts(self) -> None:
        """Without parts there is no schema; one that has any gives its fields their resolvers."""
        builder = SchemaBuilder(settings=GraphQLSettings(), collector=Collector())
        self.assertIsNone(builder.build([]))
        assembled = builder.build([entry(part("query", "x", "x: Int"))])
        assert assembled is not None
        assert assembled.schema.query_type is not None
        self.assertIsNotNone(assembled.schema.query_type.fields["x"].resolve)


class BoundTests(SynchronousTestCase):
    """How much SDL there may be, and how much of it is parsed."""

    def refused(self, parts: list[Any], **bounds: int) -> str:
        settings = GraphQLSettings(**bounds)
        return str(self.assertRaises(DeploymentRefused, assemble, parts, settings=settings).public)

    @pytest.mark.setting("graphql.max_script_schema_bytes")
    @pytest.mark.setting("graphql.max_schema_bytes")
    def test_bytes(self) -> None:
        """A script, and all of them together, have so many bytes of SDL at most; the same text counts once."""
        text = "type Query { a: Int b: Int } #" + "x" * 1000
        self.assertIsNotNone(assemble([part("query", "a", text), part("query", "b", text)], settings=BOUNDS))
        long = [part("query", "a", "a: Int #" + "é" * 1000)]
        self.assertIn("graphql.max_script_schema_bytes", self.refused(long, max_script_schema_bytes=1500))
        several = [part("query", name, f"{name}: Int #" + "x" * 1000, script=name) for name in "ab"]
        message = self.refused(several, max_script_schema_bytes=1500, max_schema_bytes=1500)
        self.assertIn("graphql.max_schema_bytes", message)

    @pytest.mark.setting("graphql.max_script_types")
    @pytest.mark.setting("graphql.max_types")
    def test_types(self) -> None:
        """A script, and all of them together, define so many types at most."""
        parts = [
            part("query", name, f"{name}: Int type {name}1 {{ x: Int }} type {name}2 {{ x: Int }}", script=name)
            for name in "ab"
        ]
        self.assertIsNotNone(assemble(parts, settings=BOUNDS))
        self.assertIn("graphql.max_script_types", self.refused(parts, max_script_types=1))
        self.assertIn("graphql.max_types", self.refused(parts, max_script_types=4, max_types=4))

    def test_parsed_once(self) -> None:
        """What has not changed is not parsed again; what is wrong is told with its place all the same."""
        documents = ParsedSdl(max_characters=1000)
        parts = [part("query", name, f"{name}: Int", script=name) for name in "ab"]
        assemble(parts, documents=documents)
        kept = [documents.read(part) for part in parts]
        assemble([*parts, part("query", "c", "c: Int")], documents=documents)
        self.assertTrue(all(documents.read(part) is known for part, known in zip(parts, kept, strict=True)))
        wrong = [*parts, part("query", "c", "c: Nope", script="c")]
        error = self.assertRaises(DeploymentRefused, assemble, wrong, documents=documents)
        self.assertIn("line 1, column 4 of the SDL of c", error.problems[0].message)

    def test_forgotten(self) -> None:
        """Of what was parsed so much is kept as there may be, the latest."""
        documents = ParsedSdl(max_characters=20)
        first, second = part("query", "a", "a: Int #xxxxx"), part("query", "b", "b: Int #xxxxx")
        known = documents.read(first)
        self.assertIs(documents.read(first), known)
        documents.read(second)
        self.assertIsNot(documents.read(first), known)

    def test_same_text_for_many_fields(self) -> None:
        """A script may register each of its fields with the whole SDL; each says what its own field is."""
        text = "type Query { " + " ".join(f"f{n}: T{n}" for n in range(100)) + " }"
        text += " ".join(f"type T{n} {{ x: Int }}" for n in range(100))
        parts = [part("query", f"f{n}", text, description=f"number {n}") for n in range(100)]
        query = assemble(parts).schema.query_type
        assert query is not None
        self.assertEqual([field.description for field in query.fields.values()], [f"number {n}" for n in range(100)])

    def test_few_problems(self) -> None:
        """Of many problems some are told, for each of them looks through all names."""
        unknown = " ".join(f"type T{n} {{ x: Nope{n} }}" for n in range(200))
        error = self.assertRaises(DeploymentRefused, assemble, [part("query", "a", f"a: Int {unknown}")])
        self.assertEqual(len(error.problems), 50)
