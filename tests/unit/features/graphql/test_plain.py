"""Results that are read off messages, compared with graphql-core's."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.graphql.execution.operation import Params
from aiwebengine.features.graphql.schema.batches import Caller
from aiwebengine.features.graphql.schema.resolvers import RootValue
from aiwebengine.features.graphql.subscriptions.feeds import Feeds
from aiwebengine.features.graphql.subscriptions.plain import ResultShapes
from aiwebengine.features.graphql.subscriptions.topics import SubscriptionTopics
from aiwebengine.services.bus import Bus
from aiwebengine.settings.schema import LiveSettings
from aiwebengine.values import Answer
from tests.support.fakes.invoking import RunsWith, an_invoker
from tests.support.fakes.turns import endless_turn
from tests.unit.features.graphql.fakes import World, part
from tests.unit.features.graphql.test_feeds import Outlet

SDL = """
note(of: Int, by: String = "a"): Note
type Note {
    id: ID! text: String size: Float count: Int! done: Boolean tone: Tone tags: [String!] grid: [[Int]]
    author: Person! above: Note likes(most: Int): Int handled: Int near: Near
}
type Person { name: String! notes: [Note!]! }
type Other { id: ID! }
union Near = Note | Other
enum Tone { LOUD LOW }
"""
PARTS = [
    part("query", "nothing", "nothing: Int"),
    part("subscription", "note", SDL),
    part("subscription", "tick", "tick(of: Int): Int!"),
    part("field", "Note.handled"),
]
PLAIN = (
    "{ note { id } }",
    "{ note(of: 1) { id } }",
    "query Q($a: Int) { note(of: $a) { first: id text second: text } }",
    "{ its: note { __typename id text size count done tone tags grid } }",
    "{ note { author { name notes { id author { name } } } above { above { id } } } }",
    "{ note { ...N above { ... on Note { ...N } ... { count } } } } fragment N on Note { id text }",
)
NOT_PLAIN = (
    "{ note { id @skip(if: false) } }",
    "{ note { ... @include(if: true) { id } } }",
    "{ note { id id } }",
    "{ note { likes(most: 1) } }",
    "{ note { likes } }",
    "{ note { handled } }",
    "{ note { near { __typename } } }",
)

leaves = (
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats() | st.sampled_from(["LOUD", "7", "", "é"])
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3)
    | st.fixed_dictionaries(
        {"id": leaves, "count": st.integers(0, 9)},
        optional={
            "text": leaves, "size": leaves, "done": leaves, "tone": leaves,
            "tags": st.lists(leaves, max_size=2) | leaves,
            "grid": st.lists(st.lists(leaves, max_size=2), max_size=2), "author": inner, "above": inner, "notes": inner,
            "name": leaves,
        },
    ),
    max_leaves=12,
)  # fmt: skip
GOOD = {
    "id": 7, "text": "t", "size": 1.50, "count": 2, "done": False, "tone": "LOW", "tags": ["a"],
    "grid": [[1, None], None],
    "author": {"name": "Ada", "notes": []}, "above": None,
}  # fmt: skip


class PlainTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World(PARTS, [lambda call: [1 for _ in call.get("p", [0])]])
        self.shapes = ResultShapes(json.dumps)

    def prepared(self, document: str) -> Any:
        """Prepare a subscription."""
        query = (
            document.replace("query", "subscription", 1) if document.startswith("query") else f"subscription {document}"
        )
        return self.world.execution.prepare(Params(query, {}))

    def executed(self, prepared: Any, value: Any) -> Any:
        """Return what graphql-core makes of an event."""
        execution = self.world.execution
        operation = execution.operation(prepared, Caller(request="r"))
        executor = execution.executor(prepared, operation, incremental=False)
        return executor.build_per_event_executor(RootValue(value)).execute_operation()

    def test_what_is_plain(self) -> None:
        """Members of a message in any order, under any name and in fragments are; what has to be worked out is not."""
        for document in PLAIN:
            shape = self.shapes.of(self.prepared(document))
            assert shape is not None, document
            value = {**GOOD, "above": GOOD, "author": {"name": "Ada", "notes": [GOOD]}}
            self.assertEqual(shape.data(value), self.executed(self.prepared(document), value).data)
        for document in NOT_PLAIN:
            self.assertIsNone(self.shapes.of(self.prepared(document)), document)

    @given(value=values, document=st.sampled_from(PLAIN))
    def test_the_same_as_executed(self, value: Any, document: str) -> None:
        """Whatever a message holds, a result that is read off it is the one that graphql-core has, without errors."""
        prepared = self.prepared(document)
        shape = self.shapes.of(prepared)
        assert shape is not None
        data = shape.data(value)
        if data is not None:
            result = self.executed(prepared, value)
            self.assertEqual((json.dumps(data), None), (json.dumps(result.data), result.errors))

    def test_equal_shapes(self) -> None:
        """Documents that differ in arguments only have one shape, and one result of each event."""
        first, other = (self.shapes.of(self.prepared(document)) for document in PLAIN[:2])
        assert first is not None
        self.assertIs(first, other)
        self.assertIsNot(first, self.shapes.of(self.prepared(PLAIN[2])))
        event = RootValue(GOOD)
        self.assertIs(self.shapes.text(first, event), self.shapes.text(first, event))
        self.assertEqual(self.shapes.text(first, RootValue({"id": 8})), '{"note": {"id": "8"}}')

    def test_json_in_a_string(self) -> None:
        """An object may come as a string of JSON, as from older scripts."""
        shape = self.shapes.of(self.prepared(PLAIN[0]))
        assert shape is not None
        self.assertEqual(shape.data('{"id":1}'), {"note": {"id": "1"}})

    def test_many_values(self) -> None:
        """A result of many values is left to those who work in slices."""
        shape = self.shapes.of(self.prepared("{ note { grid } }"))
        assert shape is not None
        self.assertIsNotNone(shape.data({"grid": [[None] * 100]}))
        for grid in ([[None] * 1000], [[1] * 1000], [[]] * 1000):
            self.assertIsNone(shape.data({"grid": grid}))
        fields = " ".join(f"f{number}: id" for number in range(199))
        wide = self.shapes.of(self.prepared(f"{{ note {{ {fields} }} }}"))
        self.assertIsNotNone(wide)
        self.assertIsNone(self.shapes.of(self.prepared(f"{{ note {{ {fields} a: id b: id }} }}")))


class TakenTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = world = World(PARTS, [lambda call: [1 for _ in call.get("p", [0])]])
        self.bus = Bus(epoch="e", settings=LiveSettings(), share=endless_turn())
        topics = SubscriptionTopics(
            bus=self.bus, invoker=an_invoker(RunsWith(lambda _, __: None)), warn=lambda invocation, text: None
        )
        self.feeds = Feeds(execution=world.execution, bus=self.bus, topics=topics, settings=world.settings)
        for swapped in (topics.swapped, self.feeds.swapped):
            swapped(world.current.registry)
        self.stretches = 0
        enter = world.execution.loop.enter

        def counted(*args: Any) -> None:
            self.stretches += 1
            enter(*args)

        self.patch(world.execution.loop, "enter", counted)

    def subscribe(self, query: str) -> Outlet:
        outlet = Outlet()
        prepared = self.world.execution.prepare(Params(query, {}))
        self.feeds.subscribe(prepared, Caller(request="r"), outlet)
        while self.world.scripts.waiting:
            _, sink = self.world.scripts.waiting.pop(0)
            sink.answered(Answer(status=200, headers=(), body=b'{"s":"all"}'))
        return outlet

    def test_without_the_loop(self) -> None:
        """A short message reaches subscribers with different queries without the loop of graphql-core."""
        outlets = [self.subscribe(f"subscription {{ tick(of: {number}) }}") for number in range(20)]
        self.stretches = 0
        self.bus.publish("graphql:tick", "5")
        self.assertEqual([outlet.received for outlet in outlets], [[{"data": {"tick": 5}}]] * 20)
        self.assertEqual((self.stretches, self.feeds.state()["results"]), (0, 20))

    def test_with_the_loop(self) -> None:
        """What is wrong, and what is long, takes the usual way, in its place between the others."""
        outlet = self.subscribe("subscription { tick }")
        self.stretches = 0
        for data in ("1", "null", f'"{"x" * 5000}"', "2"):
            self.bus.publish("graphql:tick", data)
        result = outlet.received
        self.assertEqual((result[0], result[3]), ({"data": {"tick": 1}}, {"data": {"tick": 2}}))
        self.assertIn("non-nullable", result[1]["errors"][0]["message"])
        self.assertIn("Int cannot represent", result[2]["errors"][0]["message"])
        self.assertEqual(self.stretches, 2)

    def test_many_of_one_stream(self) -> None:
        """A stream with many members sends in slices."""
        outlets = [self.subscribe("subscription { tick }") for _ in range(17)]
        self.stretches = 0
        self.bus.publish("graphql:tick", "5")
        self.assertEqual([outlet.received for outlet in outlets], [[{"data": {"tick": 5}}]] * 17)
        self.assertEqual(self.stretches, 1)
