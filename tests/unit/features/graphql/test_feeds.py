"""Tests of aiwebengine.graphql: feeds, sources and topics."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import ScriptFailed
from aiwebengine.features.graphql.execution.operation import Params
from aiwebengine.features.graphql.schema.batches import Caller
from aiwebengine.features.graphql.schema.entries import SchemaPart
from aiwebengine.features.graphql.subscriptions.feeds import Feeds
from aiwebengine.features.graphql.subscriptions.subscribers import SubscribedOperation
from aiwebengine.features.graphql.subscriptions.topics import SubscriptionTopics
from aiwebengine.services.bus import Bus
from aiwebengine.services.topics import Reason
from aiwebengine.settings.schema import LiveSettings
from aiwebengine.values import Answer
from tests.support.fakes.invoking import RunsWith, an_invoker
from tests.support.fakes.turns import endless_turn
from tests.unit.features.graphql.fakes import World, part

TICK = SchemaPart(script="a", version="a@1", kind="subscription", name="tick", sdl="tick(of: Int): Int!")
NOTE = part("subscription", "note", "note: Note type Note { id: ID! tags: [String] }", handler=1)
TAGS = part("field", "Note.tags", handler=0)


class Outlet:
    """Collects what one client is told."""

    def __init__(self) -> None:
        self.busy = False
        self.received: list[Any] = []
        self.joined_after: int | None = None

    def joined(self) -> None:
        self.joined_after = len(self.received)

    def began(self, position: str) -> None:
        self.received.append(position)

    def gap(self, data: str) -> None:
        self.received.append({"gap": json.loads(data)})

    def result(self, text: str, position: str) -> None:
        answer = json.loads(text)
        self.received.append((position, answer["data"]["tick"]) if position else answer)

    def refused(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self.received.append([error["extensions"]["code"] for error in errors])

    def complete(self) -> None:
        self.received.append("complete")


class FeedsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.begin()

    def begin(self, **settings: Any) -> None:
        self.world = World(
            [TICK, NOTE, TAGS], [lambda call: [[f"tag {parent['id']}"] for parent in call["p"]]], **settings
        )
        self.bus = Bus(epoch="e", settings=LiveSettings(), share=endless_turn())
        self.filters: list[Any] = []
        self.topics = SubscriptionTopics(
            bus=self.bus,
            invoker=an_invoker(
                RunsWith(lambda invocation, sink: self.filters.append((json.loads(invocation.payload), sink)))
            ),
            warn=lambda invocation, text: None,
        )
        self.feeds = Feeds(
            execution=self.world.execution, bus=self.bus, topics=self.topics, settings=self.world.settings
        )
        for message in (self.topics.swapped, self.feeds.swapped):
            message(self.world.current.registry)
            self.world.current.on_change(message)

    def subscribe(
        self, query: str = "subscription { tick }", *, after: str | None = None
    ) -> tuple[Outlet, SubscribedOperation]:
        outlet = Outlet()
        prepared = self.world.execution.prepare(Params(query=query, variables={}))
        return outlet, self.feeds.subscribe(prepared, Caller(request="r"), outlet, after=after)

    def keep(self, history: int) -> None:
        """Have results kept for those who come back."""
        self.world.serve([replace(TICK, options={"history": history}), NOTE, TAGS])

    def say(self, result: Any) -> None:
        """Have the resolver that is asked say something."""
        _, sink = self.world.scripts.waiting.pop(0)
        sink.answered(Answer(status=200, headers=(), body=json.dumps(result).encode()))

    def test_shared(self) -> None:
        """Equal subscriptions share a stream, others have their own; each event comes once to each."""
        same = [self.subscribe()[0] for _ in range(3)]
        other = self.subscribe("subscription { tick(of: 1) }")[0]
        self.bus.publish("graphql:tick", "1")
        self.bus.publish("graphql:tick", "2")
        for outlet in (*same, other):
            self.assertEqual(outlet.received, [{"data": {"tick": 1}}, {"data": {"tick": 2}}])
        state = self.feeds.state()
        self.assertEqual(
            (state["subscriptions"], state["responseStreams"], state["events"], state["results"]), (4, 2, 4, 8)
        )

    def test_coming_back(self) -> None:
        """Who comes back gets what was missed, with its ids, and shares the stream of the others again."""
        self.keep(3)
        stays, _ = self.subscribe()
        goes, member = self.subscribe()
        self.publish(1, 2)
        member.cancel()
        self.assertEqual(goes.received, ["e-0", ("e-1", 1), ("e-2", 2)])
        self.publish(3, 4)
        back, member = self.subscribe(after="e-2")
        self.assertEqual(self.feeds.state()["responseStreams"], 1)
        self.publish(5)
        self.assertEqual(back.received, [("e-3", 3), ("e-4", 4), ("e-5", 5)])
        self.assertEqual(stays.received, ["e-0", *((f"e-{number}", number) for number in range(1, 6))])
        nothing, _ = self.subscribe(after="e-5")
        self.assertEqual((nothing.received, self.feeds.state()["responseStreams"]), ([], 1))
        member.cancel()
        late, _ = self.subscribe(after="e-1")
        self.assertIn("gap", late.received[0])
        self.assertEqual(late.received[1:], [("e-3", 3), ("e-4", 4), ("e-5", 5)])
        strange, _ = self.subscribe(after="?")
        self.assertIn("gap", strange.received[0])
        new, _ = self.subscribe()
        self.publish(6)
        for outlet in (stays, back, late, strange, new, nothing):
            self.assertEqual(outlet.received[-1], ("e-6", 6) if outlet is not back else ("e-5", 5))
        self.assertEqual(new.received[0], "e-5")
        self.assertEqual(self.feeds.state()["responseStreams"], 1)

    def test_coming_back_where_nothing_is_kept(self) -> None:
        """Without a history there are no ids, and who comes back begins anew."""
        outlet, _ = self.subscribe(after="e-7")
        self.publish(1)
        self.assertEqual(outlet.received, [{"data": {"tick": 1}}])

    def test_catching_up(self) -> None:
        """While somebody catches up slowly, and after all others have gone, each still gets each result once."""
        self.keep(10)
        first, subscription = self.subscribe()
        self.publish(1)
        subscription.cancel()
        self.publish(2, 3)
        back, two = self.subscribe(after="e-1")
        self.assertEqual(back.received, [("e-2", 2), ("e-3", 3)])
        self.assertEqual(self.feeds.state()["responseStreams"], 1)
        other, _ = self.subscribe()
        self.publish(4)
        self.assertEqual((other.received, back.received[-1]), (["e-3", ("e-4", 4)], ("e-4", 4)))
        self.assertEqual(self.feeds.state()["responseStreams"], 1)
        two.cancel()
        self.publish(5)
        self.assertEqual(other.received[-1], ("e-5", 5))
        self.assertEqual(first.received, ["e-0", ("e-1", 1)])

    @given(st.lists(st.sampled_from(["publish", "cut", "back", "new", "leave"]), max_size=40))
    def test_nothing_lost_or_doubled(self, steps: list[str]) -> None:
        """However often a client is cut off and comes back, and others come and go, it gets each result once."""
        self.begin()
        self.keep(100)
        others: list[SubscribedOperation] = []
        seen: list[int] = []
        outlet, member = self.subscribe()
        last, number, missing = "e-0", 0, False

        def read() -> None:
            nonlocal last
            for message in outlet.received:
                if isinstance(message, tuple):
                    seen.append(message[1])
                    last = message[0]
            outlet.received.clear()

        for step in [*steps, "back", "publish"]:
            if step == "publish":
                number += 1
                self.publish(number)
            elif step == "cut" and not missing:
                read()
                member.cancel()
                missing = True
            elif step == "back" and missing:
                outlet, member = self.subscribe(after=last)
                missing = False
            elif step == "new":
                others.append(self.subscribe()[1])
            elif step == "leave" and others:
                others.pop(0).cancel()
        read()
        self.assertEqual(seen, list(range(1, number + 1)))

    def publish(self, *numbers: int) -> None:
        """Publish ticks."""
        for number in numbers:
            self.bus.publish("graphql:tick", str(number))

    def test_left(self) -> None:
        """Who has gone hears no more; a stream without members ends and listens no longer."""
        outlet, member = self.subscribe()
        other, _ = self.subscribe()
        member.cancel()
        member.cancel()
        self.bus.publish("graphql:tick", "1")
        self.assertEqual((outlet.received, len(other.received)), ([], 1))
        _.cancel()
        self.assertEqual(self.bus.subscribers("graphql:tick"), 0)
        self.assertEqual((self.feeds.state()["subscriptions"], self.feeds.state()["responseStreams"]), (0, 0))

    def test_attributes(self) -> None:
        """The resolver says who a client is; messages with `to` are for those that match."""
        mine, _ = self.subscribe("subscription { note { id tags } }")
        self.assertEqual(self.feeds.state()["opening"], 1)
        self.say({"s": "attributes", "v": {"room": 1}})
        others, _ = self.subscribe("subscription { note { id } }")
        self.say({"s": "attributes", "v": {"room": 2}})
        self.bus.publish("graphql:note", '{"id":7}', to={"room": 1})
        self.world.scripts.answer()
        self.assertEqual(mine.received, [{"data": {"note": {"id": "7", "tags": ["tag 7"]}}}])
        self.assertEqual(others.received, [])

    def test_first(self) -> None:
        """A text is the client's first value, before what is published meanwhile."""
        outlet, _ = self.subscribe("subscription { note { id tags } }")
        self.say({"s": "first", "v": '{"id":"first"}'})
        self.bus.publish("graphql:note", '{"id":"next"}')
        self.world.scripts.answer()
        self.assertEqual([result["data"]["note"]["id"] for result in outlet.received], ["first", "next"])

    def test_filter(self) -> None:
        """A function chooses: its resolver is asked again with each message, once for equal arguments."""
        outlets = [self.subscribe("subscription { note { id } }")[0] for _ in range(2)]
        self.say({"s": "filter"})
        self.say({"s": "filter"})
        all_of_it, _ = self.subscribe("subscription { note { id } }")
        self.say({"s": "all"})
        for bits in (b"0", b"1"):
            self.bus.publish("graphql:note", '{"id":"7"}')
            payload, sink = self.filters.pop()
            self.assertEqual((len(payload["clients"]), payload["message"]), (1, {"id": "7"}))
            sink.answered(Answer(status=200, headers=(), body=bits))
        self.assertEqual([len(outlet.received) for outlet in (*outlets, all_of_it)], [1, 1, 2])

    def test_iterable(self) -> None:
        """A source of the script's own is read at the client's pace, and ends as it ends."""
        outlet, _ = self.subscribe("subscription { note { id } }")
        _, sink = self.world.scripts.waiting.pop(0)
        took: list[int] = []
        sink.started(Answer(status=200, headers=(), body=b""))
        sink.write(b'{"id":"1"}\n', lambda: took.append(1))
        sink.write(b'{"id":"2"}\n', lambda: took.append(2))
        self.assertEqual(took, [1, 2])
        sink.finished()
        self.assertEqual(outlet.received[1:], [{"data": {"note": {"id": "2"}}}, "complete"])
        broken, _ = self.subscribe("subscription { note { id } }")
        _, sink = self.world.scripts.waiting.pop(0)
        sink.started(Answer(status=200, headers=(), body=b""))
        sink.failed(ScriptFailed("It broke."))
        self.assertEqual(broken.received, [["SCRIPT_FAILED"]])

    def test_refused(self) -> None:
        """What the resolver throws refuses the client; so does nonsense, and attributes that are none."""
        for message, code in (
            ([{"e": {"message": "no", "public": True, "status": 403}}], "FORBIDDEN"),
            ([{"e": {"message": "oh", "name": "TypeError"}}], "SCRIPT_FAILED"),
            ({"s": "attributes", "v": {"a": {}}}, "SCRIPT_FAILED"),
            ({"s": "what"}, "SCRIPT_PROTOCOL"),
            (7, "SCRIPT_PROTOCOL"),
        ):
            outlet, _ = self.subscribe("subscription { note { id } }")
            self.say(message)
            self.assertEqual(outlet.received, [[code]], message)
        self.assertEqual(self.feeds.state()["subscriptions"], 0)

    def test_gone_while_opening(self) -> None:
        """A client that goes while its resolver is asked stops that."""
        outlet, member = self.subscribe("subscription { note { id } }")
        member.cancel()
        self.assertEqual(self.world.scripts.cancelled, 1)
        self.assertEqual((outlet.received, self.feeds.state()["opening"]), ([], 0))

    def test_a_few_at_a_time(self) -> None:
        """Resolvers of one script are asked sixteen at a time, in their order; those who go leave their place."""
        made = [self.subscribe("subscription { note { id } }") for _ in range(40)]
        self.assertEqual(len(self.world.scripts.waiting), 16)
        made[20][1].cancel()
        made[3][1].cancel()
        for _ in range(39):
            if self.world.scripts.waiting:
                self.say({"s": "all"})
        self.assertEqual((self.feeds.state()["opening"], self.feeds.state()["subscriptions"]), (0, 38))
        self.bus.publish("graphql:note", '{"id":"7"}')
        self.assertEqual(sum(len(outlet.received) for outlet, _ in made), 38)

    @pytest.mark.setting("graphql.queue_results")
    def test_slow(self) -> None:
        """Results wait for a client that is busy; with too many its subscription ends, and holds up nobody."""
        self.begin(queue_results=2)
        slow, member = self.subscribe()
        quick, _ = self.subscribe()
        slow.busy = True
        for number in range(2):
            self.bus.publish("graphql:tick", str(number))
        slow.busy = False
        member.drained()
        self.assertEqual(len(slow.received), 2)
        slow.busy = True
        for number in range(3):
            self.bus.publish("graphql:tick", str(number))
        self.assertEqual(slow.received[2:], [["SLOW"]])
        self.assertEqual(len(quick.received), 5)

    def test_another_schema(self) -> None:
        """When scripts change a subscription goes on, or ends with an error that says why."""
        goes_on, _ = self.subscribe()
        ends, _ = self.subscribe("subscription { tick(of: 1) }")
        self.world.serve([SchemaPart(script="a", version="a@2", kind="subscription", name="tick", sdl="tick: String!")])
        self.assertEqual(ends.received, [["SCHEMA_CHANGED"]])
        self.bus.publish("graphql:tick", "1")
        self.assertEqual(goes_on.received, [{"data": {"tick": "1"}}])
        self.world.current.swap(self.world.current.registry.without("a"), self.world.current.registry.generation)
        self.assertEqual(goes_on.received[1:], [["GONE"]])

    @pytest.mark.setting("graphql.max_subscriptions")
    def test_limits(self) -> None:
        """One too many is refused, and so is everybody when the server stops."""
        self.begin(max_subscriptions=1)
        self.subscribe()
        refused, _ = self.subscribe()
        self.assertEqual(refused.received, [["TOO_MANY"]])
        self.feeds.end(Reason(code="stopping", message="The server stops."))
        late, _ = self.subscribe()
        self.assertEqual(late.received, [["UNAVAILABLE"]])
