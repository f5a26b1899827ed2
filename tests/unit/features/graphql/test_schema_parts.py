"""Tests of aiwebengine.features.graphql.schema.parts."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Invalid, TooMany
from aiwebengine.features.graphql.schema.entries import SchemaPart, part_of, subscriptions_of
from aiwebengine.features.graphql.schema.parts import read_sdl
from aiwebengine.features.graphql.schema.registration import schema_parts
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.host.registration.book import Registrations
from tests.support.reserved import RESERVED
from tests.unit.host.fakes import invocation

SCHEMA_PARTS = schema_parts(GraphQLSettings())

HANDLER = {"id": 3, "name": "resolver"}


class PartsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.book = Registrations(invocation=invocation(kind="load"), reserved=RESERVED)

    def add(self, kind: str = "query", name: Any = "note", sdl: Any = "note: String", **more: Any) -> None:
        given = {"kind": kind, "name": name, "sdl": sdl, "handler": HANDLER, "options": {}, "stack": "at x", **more}
        self.book.add(SCHEMA_PARTS, given)

    def refused(self, **given: Any) -> str:
        return str(self.assertRaises(Invalid, self.add, **given).public)

    def test_kept(self) -> None:
        """Parts are kept with their places; a later one of the same name takes the place of the earlier."""
        self.add()
        self.add(sdl="type Query { note: Int }", options={"writes": True, "description": None})
        self.add("subscription", "added", "added: Int", handler=None)
        self.add("field", "Note.author", None)
        self.add("scalar", "Date", None, handler=None, options={"parse": 7})
        entries = self.book.placed(lambda stack: f"main.js:{len(stack)}")
        self.assertEqual(
            [entry.key for entry in entries], ["query note", "subscription added", "field Note.author", "scalar Date"]
        )
        placed = [part_of(entry) for entry in entries]
        self.assertEqual((placed[0].kind, placed[0].name, placed[0].place), ("query", "note", "main.js:4"))
        self.assertEqual(placed[0].options, {"writes": True})
        self.assertEqual([field.handler is None for field in placed], [False, True, False, True])
        self.assertEqual(subscriptions_of(entries), ["added"])

    def test_names(self) -> None:
        """A name is one of GraphQL; a handler of a field names type and field."""
        for name in (None, 7, "", "a b", "1a", "__a"):
            self.assertIn("registerQueryHandler: the name must be a GraphQL name", self.refused(name=name))
        for name in ("Note", "Note.", ".a", "a.b.c", None):
            self.assertIn('names a field, such as "Note.author"', self.refused(kind="field", name=name, sdl=None))
        self.assertIn(
            "is a root field; register it with registerQueryHandler",
            self.refused(kind="field", name="Query.a", sdl=None),
        )
        self.assertIn("Int is a scalar of GraphQL itself", self.refused(kind="scalar", name="Int", sdl=None))
        self.assertIn("no parts of the kind", self.refused(kind="nonsense"))

    def test_sdl(self) -> None:
        """SDL that cannot be read, or does not have the field, is told with its place and what may be meant."""
        for sdl, message in (
            (None, "the second argument is SDL"),
            (" ", "the second argument is SDL"),
            ("x" * 300_000, "the SDL may have at most"),
            ("note: ", 'registerQueryHandler("note"): Syntax Error: Expected Name, found <EOF>.'),
            ("note: String }", "line 1, column 14 of the SDL"),
            ("type Query { notes: Int }", "the SDL has Query with notes, but not note; did you mean notes?"),
            ("type Note { id: ID }", "the SDL has no field of Query; write"),
            ("type Mutation { note: Int }", "no field of Query"),
            ("schema { query: Query } type Query { note: Int }", "may not say `schema`"),
            ("query { note }", "has an operation in it"),
            ("note: " + "[" * 5000 + "Int", "nested too deeply"),
        ):
            self.assertIn(message, self.refused(sdl=sdl), sdl)

    def test_options_and_handlers(self) -> None:
        """Options are those that there are, with values that they may have; a resolver is a function."""
        for kind, options, message in (
            ("query", {"write": True}, 'there is no option "write"; did you mean writes?'),
            ("query", {"writes": 1}, "writes is true or false"),
            ("subscription", {"history": -1}, "history is a number from 0"),
            ("subscription", {"history": True}, "history is a number from 0"),
            ("scalar", {"parse": "x"}, "parse must be a function"),
            ("query", {"description": "x" * 3000}, "description is a string of at most"),
        ):
            sdl = None if kind == "scalar" else "note: String"
            self.assertIn(message, self.refused(kind=kind, sdl=sdl, options=options))
        for handler in (None, {}, {"id": -1}, {"id": True}, "name"):
            self.assertIn("the resolver must be a function", self.refused(handler=handler))

    def test_older_names(self) -> None:
        """What is refused is told by the name that the script used."""
        self.assertTrue(self.refused(call="registerGraphQLQuery", sdl="{").startswith("registerGraphQLQuery"))
        self.assertTrue(self.refused(call="nonsense", sdl="{").startswith("registerQueryHandler"))

    def test_too_many(self) -> None:
        """A script adds a thousand parts, no more."""
        for number in range(1000):
            self.add("scalar", f"S{number}", None, handler=None)
        self.assertRaises(TooMany, self.add, "scalar", "More", None, handler=None)

    def test_places_of_definitions(self) -> None:
        """The definitions of a part have places in its SDL, unless they are not wanted."""
        part = SchemaPart(script="s", version="1", kind="query", name="note", sdl="note: Note type Note { id: ID }")
        places = [
            [definition.loc is not None for definition in read_sdl(part, places=places)] for places in (True, False)
        ]
        self.assertEqual(places, [[True, True], [False, False]])
