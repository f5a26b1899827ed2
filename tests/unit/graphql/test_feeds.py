"""Tests of aiwebengine.graphql: feeds, sources and topics."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import ScriptFailed
from aiwebengine.graphql.batches import Asker
from aiwebengine.graphql.feeds import Feeds, Member
from aiwebengine.graphql.operation import Params
from aiwebengine.graphql.topics import SubscriptionTopics
from aiwebengine.services.bus import Bus
from aiwebengine.services.topics import Reason
from aiwebengine.settings.schema import LimitSettings, StreamSettings
from aiwebengine.values import Answer, SchemaPart
from tests.unit.graphql.fakes import World, part

TICK = SchemaPart(script="a", version="a@1", kind="subscription", name="tick", sdl="tick(of: Int): Int!")
NOTE = part("subscription", "note", "note: Note type Note { id: ID! tags: [String] }", handler=1)
TAGS = part("field", "Note.tags", handler=0)


class Outlet:
    """Collects what one client is told."""

    def __init__(self) -> None:
        self.busy = False
        self.told: list[Any] = []

    def result(self, text: str) -> None:
        self.told.append(json.loads(text))

    def refused(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self.told.append([one["extensions"]["code"] for one in errors])

    def complete(self) -> None:
        self.told.append("complete")


class FeedsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.begin()

    def begin(self, **settings: Any) -> None:
        self.world = World([TICK, NOTE, TAGS], [lambda call: [[f"tag {one['id']}"] for one in call["p"]]], **settings)
        self.bus = Bus(epoch="e", settings=StreamSettings())
        self.filters: list[Any] = []
        self.topics = SubscriptionTopics(
            bus=self.bus,
            run=lambda invocation, sink: self.filters.append((json.loads(invocation.payload), sink)),  # type: ignore[return-value]
            limits=LimitSettings(),
            new_id=lambda: "id",
            tell=lambda invocation, text: None,
        )
        self.feeds = Feeds(
            execution=self.world.execution, bus=self.bus, topics=self.topics, settings=self.world.settings
        )
        for told in (self.topics.swapped, self.feeds.swapped):
            told(self.world.current.registry)
            self.world.current.tell(told)

    def subscribe(self, query: str = "subscription { tick }") -> tuple[Outlet, Member]:
        outlet = Outlet()
        prepared = self.world.execution.prepare(Params(query=query))
        return outlet, self.feeds.subscribe(prepared, Asker(request="r"), outlet)

    def say(self, told: Any) -> None:
        """Have the resolver that is asked say something."""
        _, sink = self.world.scripts.waiting.pop(0)
        sink.answered(Answer(status=200, headers=(), body=json.dumps(told).encode()))

    def test_shared(self) -> None:
        """Equal subscriptions share a stream, others have their own; each event comes once to each."""
        same = [self.subscribe()[0] for _ in range(3)]
        other = self.subscribe("subscription { tick(of: 1) }")[0]
        self.bus.publish("graphql:tick", "1")
        self.bus.publish("graphql:tick", "2")
        for outlet in (*same, other):
            self.assertEqual(outlet.told, [{"data": {"tick": 1}}, {"data": {"tick": 2}}])
        state = self.feeds.state()
        self.assertEqual(
            (state["subscriptions"], state["responseStreams"], state["events"], state["results"]), (4, 2, 4, 8)
        )

    def test_left(self) -> None:
        """Who has gone hears no more; a stream without members ends and listens no longer."""
        outlet, member = self.subscribe()
        other, _ = self.subscribe()
        member.cancel()
        member.cancel()
        self.bus.publish("graphql:tick", "1")
        self.assertEqual((outlet.told, len(other.told)), ([], 1))
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
        self.assertEqual(mine.told, [{"data": {"note": {"id": "7", "tags": ["tag 7"]}}}])
        self.assertEqual(others.told, [])

    def test_first(self) -> None:
        """A text is the client's first value, before what is published meanwhile."""
        outlet, _ = self.subscribe("subscription { note { id tags } }")
        self.say({"s": "first", "v": '{"id":"first"}'})
        self.bus.publish("graphql:note", '{"id":"next"}')
        self.world.scripts.answer()
        self.assertEqual([one["data"]["note"]["id"] for one in outlet.told], ["first", "next"])

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
        self.assertEqual([len(outlet.told) for outlet in (*outlets, all_of_it)], [1, 1, 2])

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
        self.assertEqual(outlet.told[1:], [{"data": {"note": {"id": "2"}}}, "complete"])
        broken, _ = self.subscribe("subscription { note { id } }")
        _, sink = self.world.scripts.waiting.pop(0)
        sink.started(Answer(status=200, headers=(), body=b""))
        sink.failed(ScriptFailed("It broke."))
        self.assertEqual(broken.told, [["SCRIPT_FAILED"]])

    def test_refused(self) -> None:
        """What the resolver throws refuses the client; so does nonsense, and attributes that are none."""
        for told, code in (
            ([{"e": {"message": "no", "public": True, "status": 403}}], "FORBIDDEN"),
            ([{"e": {"message": "oh", "name": "TypeError"}}], "SCRIPT_FAILED"),
            ({"s": "attributes", "v": {"a": {}}}, "SCRIPT_FAILED"),
            ({"s": "what"}, "SCRIPT_PROTOCOL"),
            (7, "SCRIPT_PROTOCOL"),
        ):
            outlet, _ = self.subscribe("subscription { note { id } }")
            self.say(told)
            self.assertEqual(outlet.told, [[code]], told)
        self.assertEqual(self.feeds.state()["subscriptions"], 0)

    def test_gone_while_opening(self) -> None:
        """A client that goes while its resolver is asked stops that."""
        outlet, member = self.subscribe("subscription { note { id } }")
        member.cancel()
        self.assertEqual(self.world.scripts.cancelled, 1)
        self.assertEqual((outlet.told, self.feeds.state()["opening"]), ([], 0))

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
        self.assertEqual(sum(len(outlet.told) for outlet, _ in made), 38)

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
        self.assertEqual(len(slow.told), 2)
        slow.busy = True
        for number in range(3):
            self.bus.publish("graphql:tick", str(number))
        self.assertEqual(slow.told[2:], [["SLOW"]])
        self.assertEqual(len(quick.told), 5)

    def test_another_schema(self) -> None:
        """When scripts change a subscription goes on, or ends with an error that says why."""
        goes_on, _ = self.subscribe()
        ends, _ = self.subscribe("subscription { tick(of: 1) }")
        self.world.serve([SchemaPart(script="a", version="a@2", kind="subscription", name="tick", sdl="tick: String!")])
        self.assertEqual(ends.told, [["SCHEMA_CHANGED"]])
        self.bus.publish("graphql:tick", "1")
        self.assertEqual(goes_on.told, [{"data": {"tick": "1"}}])
        self.world.current.swap(self.world.current.registry.without("a"), self.world.current.registry.generation)
        self.assertEqual(goes_on.told[1:], [["GONE"]])

    def test_limits(self) -> None:
        """One too many is refused, and so is everybody when the server stops."""
        self.begin(max_subscriptions=1)
        self.subscribe()
        refused, _ = self.subscribe()
        self.assertEqual(refused.told, [["TOO_MANY"]])
        self.feeds.end(Reason(code="stopping", message="The server stops."))
        late, _ = self.subscribe()
        self.assertEqual(late.told, [["UNAVAILABLE"]])
