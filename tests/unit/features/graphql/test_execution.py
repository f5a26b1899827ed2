"""Tests of aiwebengine.graphql: execute, batches, resolvers, prefetch, measure, documents."""

# ruff: noqa: E501 - a line of SDL or of what is told is one line

from __future__ import annotations

import gc
import hashlib
import json
from typing import Any

import pytest
from graphql import GraphQLError
from graphql.language import SourceLocation
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import ScriptTimeout
from aiwebengine.features.graphql.execution.execute import NoSchema, RequestFailed
from aiwebengine.features.graphql.execution.failures import FieldFailed, formatted
from aiwebengine.features.graphql.execution.operation import Params
from aiwebengine.features.graphql.execution.results import next_response
from aiwebengine.features.graphql.transports.wire import encode
from aiwebengine.values import Answer
from tests.unit.features.graphql.fakes import World, part

NOTES = (
    part("query", "hello", 'hello(name: String = "x"): String!', handler=0),
    part("query", "notes", "notes(first: Int): [Note!] type Note { id: ID! author: Author } type Author { name: String! }", handler=1),
    part("field", "Note.author", handler=2),
    part("query", "other", "other: Int", script="b", handler=3),
    part("mutation", "add", "add(n: Int!): Int", handler=4),
    part("query", "written", "written: Int", handler=5, writes=True),
)  # fmt: skip


def notes_world(**settings: Any) -> World:
    """Make a world with notes."""

    def add(call: Any) -> int:
        if call["a"]["n"] < 0:
            raise FieldFailed("too small", {"code": "SMALL"})
        if call["a"]["n"] == 0:
            raise ValueError("a fault")
        return int(call["a"]["n"])

    return World(
        NOTES,
        [
            lambda call: f"Hello {call['a']['name']}",
            lambda call: [{"id": 1, "by": "ada"}, {"id": 2, "by": "bob"}],
            lambda call: [{"name": parent["by"]} for parent in call["p"]],
            lambda call: 7,
            add,
            lambda call: 1,
        ],
        **settings,
    )


class ExecutionTests(SynchronousTestCase):
    def test_one_run_for_each_script(self) -> None:
        """Root fields of one script are one run, and all objects of a moment one call."""
        world = notes_world()
        answer = world.ask('{ hello notes { id author { name } } other again: hello(name: "y") }')
        self.assertEqual(answer["data"]["notes"][1], {"id": "2", "author": {"name": "bob"}})
        self.assertEqual(
            (answer["data"]["hello"], answer["data"]["again"], answer["data"]["other"]), ("Hello x", "Hello y", 7)
        )
        self.assertEqual(
            [(label, len(calls)) for label, _, calls in world.scripts.seen],
            [("query hello, query notes", 3), ("query other", 1), ("field Note.author", 1)],
        )
        self.assertEqual(world.scripts.seen[2][2][0]["p"], [{"id": 1, "by": "ada"}, {"id": 2, "by": "bob"}])

    def test_the_same_without_asking_ahead(self) -> None:
        """What cannot be asked for before execution begins gives the same: fragments, directives, variables."""
        world = notes_world()
        query = "query Q($n: String, $yes: Boolean!) { ...A hello(name: $n) @include(if: $yes) } fragment A on Query { other }"
        self.assertEqual(world.ask(query, {"n": "z", "yes": True})["data"], {"other": 7, "hello": "Hello z"})
        self.assertEqual(world.ask(query, {"n": "z", "yes": False})["data"], {"other": 7})
        result = world.ask("query($n: String) { hello(name: $n) __typename }", {"n": "v"})
        self.assertEqual(result["data"], {"hello": "Hello v", "__typename": "Query"})

    def test_mutations_in_series(self) -> None:
        """Each field of a mutation is a run of its own that may write, and begins when the one before it has ended."""
        world = notes_world()
        results: list[Any] = []
        world.begin("mutation { a: add(n: 1) b: add(n: -1) c: add(n: 0) d: add(n: 2) }", on_result=results.append)
        self.assertEqual(len(world.scripts.seen), 1)
        world.scripts.answer()
        self.assertEqual([read_only for _, read_only, _ in world.scripts.seen], [False] * 4)
        self.assertEqual(results[0].first["data"], {"a": 1, "b": None, "c": None, "d": 2})
        codes = [error["extensions"]["code"] for error in results[0].first["errors"]]
        self.assertEqual(codes, ["SMALL", "SCRIPT_FAILED"])
        self.assertEqual(results[0].first["errors"][0]["path"], ["b"])

    def test_interfaces_and_unions(self) -> None:
        """Objects of interfaces and unions say of which type they are; who says nothing is told what to say."""
        data: dict[str, Any] = {}
        world = World(
            (
                part(
                    "query",
                    "found",
                    "interface Named { name: String! } union Found = Book | Person type Book implements Named { name: String! pages: Int } "
                    "type Person implements Named { name: String! born: Int } type Query { found: [Found] named: [Named!] }",
                    handler=0,
                ),
                part("query", "named", "named: [Named!]", handler=0),
            ),
            [lambda call: data["objects"]],
        )
        data["objects"] = [{"__typename": "Book", "name": "b", "pages": 3}, None, {"__typename": "Person", "name": "p"}]
        query = "{ found { __typename ... on Named { name } ... on Book { pages } ... on Person { born } } }"
        self.assertEqual(
            world.ask(query)["data"]["found"],
            [
                {"__typename": "Book", "name": "b", "pages": 3},
                None,
                {"__typename": "Person", "name": "p", "born": None},
            ],
        )
        for objects, expected in (
            ([{"name": "x"}], "The value of Query.found needs a __typename, since Found has several types: Book, Person."),
            (["x"], "The value of Query.found needs a __typename"),
            ([{"__typename": 5}], "The value of Query.found needs a __typename"),
            ([{"__typename": "Bok"}], "Bok"),
            ([{"__typename": "Query"}], "Query"),
        ):  # fmt: skip
            data["objects"] = objects
            answer = world.ask(query)
            self.assertEqual(answer["data"]["found"], [None])
            self.assertIn(expected, answer["errors"][0]["message"])
            self.assertEqual(answer["errors"][0]["path"], ["found", 0])

    def test_queries_that_write(self) -> None:
        """A query that may write is a unit of its own; others only read."""
        world = notes_world()
        world.ask("{ hello written }")
        self.assertEqual(
            sorted((label, only) for label, only, _ in world.scripts.seen),
            [("query hello", True), ("query written", False)],
        )

    def test_a_run_that_fails(self) -> None:
        """When a run fails all of its fields do, with the code of its end."""
        world = notes_world()
        results: list[Any] = []
        world.begin("{ hello other notes { id } }", on_result=results.append)
        _, sink = world.scripts.waiting.pop(0)
        sink.failed(ScriptTimeout("It took too long."))
        world.scripts.answer()
        self.assertEqual(results[0].first["data"], None)
        self.assertEqual(results[0].first["errors"][0]["extensions"]["code"], "SCRIPT_TIMEOUT")

    def test_nonsense(self) -> None:
        """A process that answers with nonsense fails its fields as one that violated the protocol."""
        deep = b"[" * 100_000
        for body in (
            b"",
            b"{}",
            b"[]",
            b'[{"d":1},{"d":2}]',
            b"[7]",
            b'["x"]',
            b'[{"d":NaN}]',
            b'[{"d":1e999}]',
            deep,
            b"\xff",
        ):
            world = notes_world()
            results: list[Any] = []
            world.begin("{ other }", on_result=results.append)
            _, sink = world.scripts.waiting.pop(0)
            sink.answered(Answer(status=200, headers=(), body=body))
            self.assertEqual(results[0].first["errors"][0]["extensions"]["code"], "SCRIPT_PROTOCOL", body)

    def test_numbers_that_are_none(self) -> None:
        """A number that JSON cannot hold is an error of its field, in documents as in results."""
        world = World([part("query", "any", "any(x: JSON): JSON scalar JSON")], [lambda call: call["a"]["x"]])
        self.assertEqual(world.ask("{ any(x: [1.5, {a: 2}]) }"), {"data": {"any": [1.5, {"a": 2}]}})
        with self.assertRaises(RequestFailed) as refused:
            world.ask("{ any(x: [1, 1e999]) }")
        self.assertEqual(refused.exception.errors[0].locations, [SourceLocation(1, 14)])
        self.assertTrue(str(refused.exception).startswith("The number 1e999 is too large"))
        deep: Any = []
        for _ in range(100_000):
            deep = [deep]
        for value in (float("nan"), deep):
            self.assertIn("cannot be sent as JSON", encode({"data": value}))

    def test_too_few_for_all_objects(self) -> None:
        """A handler that answers for fewer objects than it was given is nonsense, too."""
        world = notes_world()
        world.scripts.handlers[2] = lambda call: []  # type: ignore[index]
        answer = world.ask("{ notes { id author { name } } }")
        self.assertEqual({error["extensions"]["code"] for error in answer["errors"]}, {"SCRIPT_PROTOCOL"})

    def test_one_of_several_that_throws(self) -> None:
        """Of several fields in one run the one that throws has an error, which is kept in the log."""
        world = notes_world()

        def fails(_: Any) -> Any:
            raise ValueError("oh no")

        world.scripts.handlers[0] = fails  # type: ignore[index]
        answer = world.ask("{ notes { id } again: notes { id } }")
        self.assertNotIn("errors", answer)
        answer = world.ask("query { notes { id } hello }")
        self.assertEqual(answer["errors"][0]["message"], "oh no")
        self.assertEqual([str(error) for error in world.scripts.kept], ["The script threw oh no"])

    def test_cancelled(self) -> None:
        """When nobody waits any more what runs is stopped."""
        world = notes_world()
        received: list[Any] = []
        for query in ("{ hello }", "mutation { add(n: 1) }"):
            begun = world.begin(query, on_result=received.append)
            begun.cancel()
            self.assertTrue(begun.ended)
        self.assertEqual(received, [])
        self.assertEqual(world.scripts.cancelled, 2)

    def test_leaves_no_garbage(self) -> None:
        """A query that was answered leaves nothing for the garbage collector, which would stop every other request."""
        world = notes_world()
        world.ask("{ hello }")
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                self.assertEqual(world.ask("{ hello }"), {"data": {"hello": "Hello x"}})
            self.assertEqual(gc.collect(), 0)
        finally:
            gc.enable()

    @pytest.mark.setting("graphql.max_seconds")
    def test_too_long(self) -> None:
        """An operation that takes too long as a whole is ended, and one that began later goes on."""
        world = notes_world(max_seconds=10)
        results: list[Any] = []
        world.begin("{ hello }", on_result=results.append)
        world.clock.advance(6)
        world.begin("mutation { add(n: 1) }", on_result=results.append)
        world.clock.advance(4)
        self.assertEqual(len(results), 1)
        self.assertEqual(results[0].first["errors"][0]["extensions"]["code"], "TIMEOUT")
        world.clock.advance(6)
        self.assertEqual(len(results), 2)
        self.assertEqual(world.clock.getDelayedCalls(), [])

    def test_incremental(self) -> None:
        """What is deferred comes as another part."""
        world = notes_world()
        results: list[Any] = []
        world.begin("{ hello ... @defer { other } }", incremental=True, on_result=results.append)
        world.scripts.answer()
        first = results[0]
        self.assertEqual((first.first["data"], first.first["hasNext"]), ({"hello": "Hello x"}, True))
        parts: list[Any] = []

        async def read() -> None:
            async for result in first.more:
                parts.append(next_response(result, "r", 1_000_000))  # noqa: PERF401

        done = world.execution.loop.run(read())
        world.scripts.answer()
        self.successResultOf(done)
        self.assertEqual(parts[-1]["incremental"][0]["data"], {"other": 7})

    @pytest.mark.setting("graphql.max_response_bytes")
    def test_too_large(self) -> None:
        """A result is bounded: few words can ask for the same large value very often."""
        world = World(
            [part("query", "big", "big: Big type Big { text: String }")],
            [lambda _: {"text": "x" * 400}],
            max_response_bytes=1024,
        )
        self.assertEqual(world.ask("{ big { text a: text } }")["data"]["big"]["a"], "x" * 400)
        answer = world.ask("{ big { text a: text b: text } }")
        self.assertEqual((answer["data"], answer["errors"][0]["extensions"]["code"]), (None, "TOO_LARGE"))

    def test_streamed(self) -> None:
        """The rest of a streamed list comes in a part of its own, as it was selected."""
        world = notes_world()
        results: list[Any] = []
        query = "{ notes @stream(initialCount: 1) { id author { name } } }"
        world.begin(query, incremental=True, on_result=results.append)
        world.scripts.answer()
        self.assertEqual(results[0].first["data"], {"notes": [{"id": "1", "author": {"name": "ada"}}]})
        parts: list[Any] = []

        async def read() -> None:
            async for result in results[0].more:
                parts.append(next_response(result, "r", 1_000_000))  # noqa: PERF401

        done = world.execution.loop.run(read())
        world.scripts.answer()
        self.successResultOf(done)
        self.assertEqual(parts[-1]["incremental"][0]["items"], [{"id": "2", "author": {"name": "bob"}}])
        self.assertEqual(world.ask(query)["data"]["notes"][1]["id"], "2")

    def test_requests_that_fail(self) -> None:
        """What cannot be parsed, does not fit or is not clear is told before anything runs."""
        world = notes_world()
        for query in ("{", "{ nope }", "query A { hello } query B { hello }", "fragment A on Query { hello }"):
            self.assertRaises(RequestFailed, world.begin, query)
        self.assertRaises(RequestFailed, world.begin, "mutation($n: Int!) { add(n: $n) }", {"n": "x"})
        self.assertEqual(world.scripts.seen, [])
        empty = World([])
        self.assertRaises(NoSchema, empty.begin, "{ hello }")


class ScalarTests(SynchronousTestCase):
    def world(self) -> World:
        def parse(call: Any) -> Any:
            if not str(call["p"]).startswith("s"):
                raise ValueError("begins with s")
            return int(call["p"][1:])

        return World(
            [
                part("query", "at", "at(one: Stamp, more: [Stamp!], in: In): [Stamp] input In { when: Stamp, all: [[Stamp]] }", handler=0),
                part("scalar", "Stamp", parse=1, serialize=2),
            ],
            [lambda call: json.loads(json.dumps([call["a"].get("one"), *call["a"].get("more", []), *(item for some in call["a"].get("in", {}).get("all", []) for item in some)])),
             parse,
             lambda call: f"s{call['p']}"],
        )  # fmt: skip

    def test_both_ways(self) -> None:
        """Values are parsed wherever they stand in arguments, and serialized wherever they stand in results."""
        answer = self.world().ask('{ at(one: "s1", more: ["s2"], in: { when: "s9", all: [["s3", null], ["s4"]] }) }')
        self.assertEqual(answer, {"data": {"at": ["s1", "s2", "s3", None, "s4"]}})
        self.assertEqual(self.world().ask("{ at }"), {"data": {"at": [None]}})

    def test_refused(self) -> None:
        """A value that is refused is named by its place, and the resolver is not asked."""
        world = self.world()
        answer = world.ask('{ at(in: { all: [["s1"], ["x"]] }) }')
        self.assertEqual(answer["errors"][0]["message"], "The argument in.all.1.0 is not valid: begins with s")
        self.assertEqual(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT")
        self.assertEqual([label for label, _, _ in world.scripts.seen], ["scalar Stamp.parse"])


class DocumentTests(SynchronousTestCase):
    def code(self, world: World, query: str, variables: Any = None) -> str:
        error = self.assertRaises(RequestFailed, world.begin, query, variables)
        return str(error.errors[0].extensions["code"])

    @pytest.mark.setting("graphql.max_depth", "graphql.max_complexity")
    def test_limits(self) -> None:
        """What is too deep or too large is refused, fragments and variables counted; circles, too."""
        world = notes_world(max_depth=3, max_complexity=40)
        self.assertNotIn("errors", world.ask("{ notes(first: 2) { author { name } } }"))
        for query, variables in (
            ("{ notes(first: 30) { id author { name } } }", None),
            ("query($n: Int) { notes(first: $n) { id } }", {"n": 100}),
            ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", None),
            ("{ " + "hello " * 51 + "}", None),
            ("{ " + " ".join(f"a{number}: hello" for number in range(41)) + " }", None),
        ):
            self.assertEqual(self.code(world, query, variables), "TOO_LARGE", query[:60])
        self.assertNotIn("errors", world.ask("query($n: Int) { notes(first: $n) { id } }", {"n": 5}))
        deep = notes_world(max_depth=2)
        self.assertEqual(self.code(deep, "{ notes { author { name } } }"), "TOO_LARGE")

    @pytest.mark.setting("graphql.max_document_bytes")
    def test_long_words(self) -> None:
        """A document has so many bytes, in whatever letters, and is refused before it is read."""
        world = notes_world(max_document_bytes=2000)
        self.assertNotIn("errors", world.ask("{ hello" + " " * 1900 + "}"))
        for filling in (" " * 2000, "#" + "\u00e9" * 1000 + "\n", "a" * 3000):
            self.assertEqual(self.code(world, "{ hello " + filling + "}"), "TOO_LARGE")

    def test_excerpts(self) -> None:
        """A message repeats the beginning and the end of what is long."""
        error = self.assertRaises(RequestFailed, notes_world().begin, "{ " + "a" * 20_000 + " }")
        [result] = formatted(error.errors, request="r")
        self.assertLess(len(result["message"]), 1000)
        self.assertTrue(result["message"].startswith('Cannot query field "aaa'), result["message"])
        self.assertTrue(result["message"].endswith('on type "Query".'), result["message"])

    def test_kept(self) -> None:
        """Documents are read once for each schema."""
        world = notes_world()
        for _ in range(3):
            world.ask("{ hello }")
        self.assertEqual(world.execution.state()["documentMisses"], 1)
        world.serve([part("query", "hello", "hello: String", script="a", handler=0)])
        world.execution.prepare(Params(query="{ hello }", variables={}))
        self.assertEqual(world.execution.state()["documentMisses"], 2)

    @pytest.mark.setting("graphql.persisted_bytes")
    def test_persisted(self) -> None:
        """Documents are kept by their digest, the oldest forgotten when there are too many; a wrong digest is refused."""
        documents = notes_world(persisted_bytes=30).execution.documents
        texts = ["{ hello }", "{ a: hello }", "{ b: hello }"]
        digests = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        for text, digest in zip(texts, digests, strict=True):
            documents.persist(text, digest)
        self.assertEqual([documents.persisted(digest) for digest in digests], [None, *texts[1:]])
        self.assertRaises(GraphQLError, documents.persist, "{ hello }", digests[1])
