"""Results that are written at once, compared with what graphql-core makes of the same values."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from graphql import GraphQLInt, GraphQLString
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.graphql.execution.operation import Params
from aiwebengine.features.graphql.execution.results import Results
from aiwebengine.features.graphql.schema.batches import Caller
from aiwebengine.features.graphql.schema.output import Output, Unwritable, leaf_writer
from aiwebengine.features.graphql.schema.writing import writer_of
from aiwebengine.long_json import no_checkpoint
from tests.unit.features.graphql.fakes import World, part

SDL = """
type Query { all: Thing  things: [Thing!]  found: [Found]!  named(first: Int): Named  deep: [[Thing]]
             text: String  count(n: Int! = 1): Int!  any: JSON  kinds: [Kind!] }
interface Named { name(upper: Boolean! = false): String! kind: Kind }
type Thing implements Named { id: ID! name(upper: Boolean! = false): String! kind: Kind size: Int price: Float!
                              yes: Boolean any: JSON tags(of: [Int!]): [String!]! parent: Thing list: [Thing]
                              found: Found }
type Book implements Named { name(upper: Boolean! = false): String! kind: Kind pages: Int! thing: Thing }
union Found = Thing | Book
enum Kind { LARGE SMALL }
scalar JSON
"""
ROOTS = ("all", "things", "found", "named", "deep", "text", "count", "any", "kinds")
PARTS = [part("query", name, SDL, handler=number) for number, name in enumerate(ROOTS)]
KINDS: dict[str, dict[str, str]] = {
    "Query": {
        "all": "Thing",
        "things": "[Thing!]",
        "found": "[Found]!",
        "named": "Named",
        "deep": "[[Thing]]",
        "text": "String",
        "count": "Int!",
        "any": "JSON",
        "kinds": "[Kind!]",
    },
    "Named": {"name": "String!", "kind": "Kind"},
    "Thing": {
        "id": "ID!",
        "name": "String!",
        "kind": "Kind",
        "size": "Int",
        "price": "Float!",
        "yes": "Boolean",
        "any": "JSON",
        "tags": "[String!]!",
        "parent": "Thing",
        "list": "[Thing]",
        "found": "Found",
    },
    "Book": {"name": "String!", "kind": "Kind", "pages": "Int!", "thing": "Thing"},
    "Found": {},
}
ARGUMENTS = {
    "name": ("", "(upper: true)", "(upper: $given)"),
    "tags": ("", "(of: [1])", "(of: [$number])"),
    "count": ("", "(n: 2)"),
}
GOOD: dict[str, tuple[Any, ...]] = {
    "String": ("", "a", 'quotes " and \\ and \n', "é", "😀", "\ud800", "x" * 300, "\u2028", 5, 1.5, True),
    "ID": ("a", 1, 7.0, 2**40, "é" * 300),
    "Int": (0, 1, -5, 2**31 - 1, -(2**31), 4.0, True, "12"),
    "Float": (0, 1, 1.5, -0.25, 1e-7, 1e21, 1e300, 12345678.9, 0.001, 3.0, 2**60, "1.5", False),
    "Boolean": (True, False, 0, 1, 1.5),
    "Kind": ("LARGE", "SMALL"),
    "JSON": (1, "a", [1, [2, {"a": None}]], {"a": 1e-9, "b": "\udc00"}, False, list(range(40))),
}
BAD: tuple[Any, ...] = (None, "MEDIUM", {}, [], [None], {"a": 1}, "no number", 2**31, 1e308, 10**400, [[]])
TYPES = ("Thing", "Book")


class ValueMaker:
    """Makes what resolvers return: usually what fits, now and then what does not."""

    def __init__(self, random: Random, wrong: float) -> None:
        self._random = random
        self._wrong = wrong

    def value(self, kind: str, depth: int) -> Any:
        random = self._random
        if random.random() < self._wrong:
            return random.choice(BAD)
        if kind.endswith("!"):
            return self._value(kind[:-1], depth)
        return None if random.random() < 0.1 else self._value(kind, depth)

    def _value(self, kind: str, depth: int) -> Any:
        if kind.startswith("["):
            return [self.value(kind[1:-1], depth) for _ in range(self._random.choice((0, 1, 3)))]
        if kind in GOOD:
            return self._random.choice(GOOD[kind])
        name = kind if kind in TYPES else self._random.choice(TYPES)
        made = {
            field: self.value(of, depth - 1)
            for field, of in KINDS[name].items()
            if depth > 0 or of.strip("[]!") in GOOD
        }
        return made if kind in TYPES and self._random.random() < 0.5 else {"__typename": name, **made}


class QueryMaker:
    """Makes valid queries for the schema."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._fragments: list[str] = []
        self._keys = 0

    def query(self) -> str:
        body = self._selection("Query", 3)
        variables = "($given: Boolean! = true, $yes: Boolean!, $no: Boolean = false, $number: Int! = 3)"
        used = body + " ".join(self._fragments)
        needed = [text for text in variables[1:-1].split(", ") if text.partition(":")[0] in used]
        head = f"query ({', '.join(needed)}) " if needed else ""
        return " ".join([head + body, *self._fragments])

    def _selection(self, kind: str, depth: int) -> str:
        random = self._random
        pieces = ["__typename"] if random.random() < 0.3 or kind == "Found" else []
        fields = list(KINDS[kind].items())
        for name, of in random.sample(fields, k=min(len(fields), random.choice((1, 2, 4)))):
            inner = of.strip("[]!")
            if inner not in GOOD and depth == 0:
                continue
            below = "" if inner in GOOD else f" {self._selection(inner, depth - 1)}"
            # Another name, so that nothing conflicts.
            self._keys += 1
            alias = f"k{self._keys}: " if random.random() < 0.4 or name in ARGUMENTS else ""
            pieces.append(f"{alias}{name}{random.choice(ARGUMENTS.get(name, ('',)))}{self._directive()}{below}")
        if kind in {"Found", "Named", "Thing"} and random.random() < 0.7:
            pieces.append(self._fragment(random.choice(TYPES if kind != "Thing" else ("Thing", "Named")), depth))
        return "{ " + " ".join(pieces or ["__typename"]) + " }"

    def _fragment(self, kind: str, depth: int) -> str:
        selection = self._selection(kind, max(0, depth - 1))
        if self._random.random() < 0.5:
            return f"... on {kind}{self._directive()} {selection}"
        name = f"F{len(self._fragments)}"
        self._fragments.append(f"fragment {name} on {kind} {selection}")
        return f"...{name}{self._directive()}"

    def _directive(self) -> str:
        if self._random.random() < 0.85:
            return ""
        return self._random.choice(
            (" @skip(if: false)", " @include(if: $yes)", " @skip(if: $no)", " @include(if: false)")
        )


class WritingTests(SynchronousTestCase):
    def results(self, world: World, query: str, variables: dict[str, Any]) -> tuple[str, str, bool]:
        """Return a result as it is written at once, and as graphql-core executes it; and whether the former was."""
        texts: list[str] = []
        at_once = False
        for written in (True, False):
            results: list[Results] = []
            prepared = world.execution.prepare(Params(query=query, variables=variables))
            world.execution.execute(prepared, Caller(request="r"), results.append, written=written)
            world.scripts.answer()
            at_once = at_once or bool(results[0].written)
            texts.append(results[0].text(no_checkpoint))
        return texts[0], texts[1], at_once

    def test_like_graphql_core(self) -> None:
        """Whatever a query asks for and resolvers return, the result is exactly that of graphql-core."""
        world = World(PARTS, [])
        counts = {True: 0, False: 0}
        for seed in range(250):
            random = Random(seed)
            make = ValueMaker(random, wrong=random.choice((0, 0, 0.02)))
            values = {name: make.value(of, 2) for name, of in KINDS["Query"].items()}
            world.scripts.handlers = [lambda _, value=values[name]: value for name in ROOTS]
            query = QueryMaker(random).query()
            variables = {"yes": random.random() < 0.5}
            if random.random() < 0.3:
                variables |= {"no": random.choice((True, False))}
            first, second, at_once = self.results(world, query, variables)
            self.assertEqual(first, second, f"seed {seed}: {query}")
            counts[at_once] += 1
        self.assertGreater(min(counts.values()), 40, counts)

    def test_the_same_document_again(self) -> None:
        """A document whose directives depend on variables is written according to them each time."""
        world = World(PARTS, [lambda _: {"id": 1, "name": "a", "price": 2}])
        query = "query ($yes: Boolean!) { all { id name @include(if: $yes) } }"
        for yes, data in ((True, '{"id":"1","name":"a"}'), (False, '{"id":"1"}'), (True, '{"id":"1","name":"a"}')):
            first, _, at_once = self.results(world, query, {"yes": yes})
            self.assertEqual((first, at_once), (f'{{"data":{{"all":{data}}}}}', True))

    def test_arguments_that_do_not_fit(self) -> None:
        """An argument that is null where it may not be is an error, even of a field that no script is asked for."""
        world = World(PARTS, [lambda _: {"name": "a"}])
        query = "query ($upper: Boolean) { all { name(upper: $upper) } }"
        first, _, at_once = self.results(world, query, {})
        self.assertEqual((first, at_once), ('{"data":{"all":{"name":"a"}}}', True))
        first, second, at_once = self.results(world, query, {"upper": None})
        self.assertEqual((first, at_once), (second, False))
        self.assertIn('"errors"', first)

    def test_too_large(self) -> None:
        """A result that a short document makes large is refused before all of it is written."""
        world = World(
            PARTS, [lambda _: None, lambda _: [{"id": 1, "name": "x" * 200, "price": 1}] * 10], max_response_bytes=4096
        )
        query = "{ " + " ".join(f"k{n}: things {{ id name }}" for n in range(40)) + " }"
        first, second, at_once = self.results(world, query, {})
        self.assertEqual((first, at_once), (second, False))
        self.assertIn("max_response_bytes", first)

    def test_in_slices(self) -> None:
        """A long result is written in slices; when its client has left, the rest of it is not written."""
        rows = [{"id": number, "name": "a", "price": 1} for number in range(3000)]
        world = World(PARTS, [lambda _: None, lambda _: rows])
        for leaves in (False, True):
            results: list[Results] = []
            prepared = world.execution.prepare(Params(query="{ things { id name price } }", variables={}))
            begun = world.execution.execute(prepared, Caller(request="r"), results.append, written=True)
            world.ticks.step = 0.3
            world.scripts.answer()
            self.assertEqual(world.tasks.paused, 1)
            if leaves:
                begun.cancel()
            began = world.ticks()
            while world.tasks.paused:
                world.clock.advance(0)
            slices = world.ticks() - began
            world.ticks.step = 0.0
            if leaves:
                self.assertLess(slices, 3)
                self.assertEqual(results, [])
            else:
                self.assertGreater(slices, 10)
                self.assertEqual(len(json.loads(results[0].written)["data"]["things"]), 3000)

    def test_writers_are_kept(self) -> None:
        """A document has one writer for all values of variables, but for those in its directives."""
        world = World(PARTS, [])
        query = "query ($yes: Boolean!, $number: Int!) { all { id @include(if: $yes) tags(of: [$number]) } }"
        writers = []
        for yes, number in ((True, 1), (True, 2), (False, 2)):
            prepared = world.execution.prepare(Params(query=query, variables={"yes": yes, "number": number}))
            variables = world.execution.variables(prepared)
            writers.append(
                writer_of(prepared.assembled.schema, prepared.document, prepared.node, variables, no_checkpoint)
            )
        self.assertIs(writers[0], writers[1])
        self.assertIsNot(writers[1], writers[2])

    def test_leaves(self) -> None:
        """A value that does not fit, is null and may not be, or is too long is left to graphql-core."""
        self.assertEqual(leaf_writer(GraphQLInt, nullable=True)(None, Output(10, no_checkpoint)), "null")
        self.assertEqual(leaf_writer(GraphQLString, nullable=True)(5, Output(10, no_checkpoint)), '"5"')
        for kind, value in ((GraphQLInt, None), (GraphQLInt, 2**31), (GraphQLString, {}), (GraphQLString, "x" * 300)):
            with self.assertRaises(Unwritable):
                leaf_writer(kind, nullable=False)(value, Output(100, no_checkpoint))
