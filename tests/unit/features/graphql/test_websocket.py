"""The graphql-transport-ws protocol, as a dialogue of messages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.graphql.schema.entries import SchemaPart
from aiwebengine.features.graphql.subscriptions.feeds import Feeds
from aiwebengine.features.graphql.subscriptions.topics import SubscriptionTopics
from aiwebengine.features.graphql.transports.websocket import (
    PROTOCOL,
    ConnectionParts,
    GraphQLOverWebSocket,
    ResultMessages,
)
from aiwebengine.services.bus import Bus
from aiwebengine.settings.schema import LiveSettings
from aiwebengine.values import Request
from tests.support.fakes.invoking import RunsWith, an_invoker
from tests.support.fakes.turns import endless_turn
from tests.unit.features.graphql.fakes import World, part

TICK = SchemaPart(script="a", version="a@1", kind="subscription", name="tick", sdl="tick: Int!")
COUNT = part("query", "count", "count: Int!")
INIT = {"type": "connection_init"}
REQUEST = Request(
    id="r1", method="GET", path="/graphql/ws", query="", headers={}, body=b"", client="127.0.0.1", url="http://a/"
)


class FakeSocket:
    """Keeps what is sent to the client."""

    def __init__(self, protocol: str = PROTOCOL) -> None:
        self.protocol = protocol
        self.buffered = 0
        self.sent: list[Any] = []
        self.messages: list[Any] = []
        self.closed: tuple[int, str] | None = None

    def send(self, message: Any, *, soon: bool = False) -> None:
        assert soon in {True, False}
        self.sent.append(json.loads(message.data))
        self.messages.append(message)

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)


class GraphQLOverWebSocketTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.make()

    def make(self, **settings: Any) -> None:
        """Serve a schema with a query and a subscription."""
        self.world = world = World([COUNT, TICK], [lambda _: 7], **settings)
        self.bus = Bus(epoch="e", settings=LiveSettings(), share=endless_turn())
        topics = SubscriptionTopics(
            bus=self.bus, invoker=an_invoker(RunsWith(lambda _, __: None)), warn=lambda invocation, text: None
        )
        feeds = Feeds(execution=world.execution, bus=self.bus, topics=topics, settings=world.settings)
        for swapped in (topics.swapped, feeds.swapped):
            swapped(world.current.registry)
        self.transport = GraphQLOverWebSocket(
            ConnectionParts(
                execution=world.execution,
                feeds=feeds,
                settings=world.settings,
                clock=world.clock,
                new_id=lambda: "i",
                results=ResultMessages(),
            )
        )

    def open(self, *messages: Any, protocol: str = PROTOCOL) -> FakeSocket:
        """Open a connection, on which the client says *messages*."""
        self.socket: Any = FakeSocket(protocol)
        self.events = self.transport.open(self.socket, REQUEST)
        self.say(*messages)
        return self.socket

    def say(self, *messages: Any) -> None:
        """Let the client send messages."""
        for message in messages:
            self.events.text((message if isinstance(message, str) else json.dumps(message)).encode())

    def subscribe(self, query: str, identity: str = "1") -> dict[str, Any]:
        """Make the message that begins an operation."""
        return {"type": "subscribe", "id": identity, "payload": {"query": query}}

    def test_a_query(self) -> None:
        """A query has one result, and is complete."""
        socket = self.open(INIT, self.subscribe("{ count }"))
        self.world.scripts.answer()
        self.assertEqual(
            socket.sent,
            [
                {"type": "connection_ack"},
                {"type": "next", "id": "1", "payload": {"data": {"count": 7}}},
                {"type": "complete", "id": "1"},
            ],
        )

    def test_a_subscription(self) -> None:
        """A subscription has a result for each event, until the client wants no more."""
        socket = self.open(INIT, self.subscribe("subscription { tick }", "s"))
        self.bus.publish("graphql:tick", "1")
        self.bus.publish("graphql:tick", "2")
        self.say({"type": "complete", "id": "s"})
        self.bus.publish("graphql:tick", "3")
        results = [message["payload"]["data"]["tick"] for message in socket.sent[1:]]
        self.assertEqual(results, [1, 2])

    def test_pings(self) -> None:
        """A ping is answered with what came with it; a pong needs no answer."""
        socket = self.open({"type": "ping"}, {"type": "ping", "payload": {"a": 1}}, {"type": "pong"})
        self.assertEqual(socket.sent, [{"type": "pong"}, {"type": "pong", "payload": {"a": 1}}])

    def test_what_breaks_the_protocol(self) -> None:
        """Each broken rule closes the connection with the code of the protocol."""
        twice = self.subscribe("subscription { tick }")
        for messages, code in (
            (("no json",), 4400),
            (("[]",), 4400),
            (({"type": "unknown"},), 4400),
            (({**INIT, "payload": 7},), 4400),
            (({**INIT, "payload": {"x": "y" * 70_000}},), 4400),
            ((INIT, {"type": "subscribe", "id": 7, "payload": {}}), 4400),
            ((INIT, {"type": "complete"}), 4400),
            ((twice,), 4401),
            ((INIT, twice, twice), 4409),
            ((INIT, INIT), 4429),
        ):
            socket = self.open(*messages)
            assert socket.closed is not None, messages
            self.assertEqual(socket.closed[0], code, messages)
        self.open()
        self.events.binary(b"x")
        self.assertEqual(self.socket.closed[0], 4400)
        other = self.open(protocol="")
        assert other.closed is not None
        self.assertEqual(other.closed[0], 4406)
        self.assertEqual((self.transport.state(), self.bus.state()["subscribers"]), ({"webSockets": 0}, 0))

    @pytest.mark.setting("graphql.init_seconds")
    def test_no_init_in_time(self) -> None:
        """A client that does not begin in time is cut off; one that has begun may be silent."""
        self.make(init_seconds=1.0)
        silent = self.open()
        self.world.clock.advance(1.1)
        assert silent.closed is not None
        self.assertEqual(silent.closed[0], 4408)
        begun = self.open(INIT)
        self.world.clock.advance(1.1)
        self.assertIsNone(begun.closed)

    def test_what_cannot_be_executed(self) -> None:
        """A document that is wrong is an error of its operation, and the connection stays."""
        socket = self.open(INIT, self.subscribe("{ nothing }"), self.subscribe("{"))
        self.assertEqual([message["type"] for message in socket.sent], ["connection_ack", "error", "error"])
        self.assertIsNone(socket.closed)

    def test_too_many_operations(self) -> None:
        """One connection may have only so many operations at once; the next is refused, and the others go on."""
        self.make(max_connection_subscriptions=1)
        first, second = (self.subscribe("subscription { tick }", identity) for identity in "ab")
        socket = self.open(INIT, first, second)
        self.assertEqual(socket.sent[1]["payload"][0]["extensions"]["code"], "TOO_MANY")
        self.bus.publish("graphql:tick", "1")
        self.assertEqual(socket.sent[2]["id"], "a")

    def test_a_client_that_leaves(self) -> None:
        """Whatever a client had open ends with its connection."""
        self.open(INIT, self.subscribe("subscription { tick }"))
        self.assertEqual(self.bus.state()["subscribers"], 1)
        self.events.closed(1001, "")
        self.assertEqual((self.transport.state(), self.bus.state()["subscribers"]), ({"webSockets": 0}, 0))


class ResultMessagesTests(SynchronousTestCase):
    def test_shared(self) -> None:
        """Operations with the same id and result share a message; those that are remembered are bounded."""
        results = ResultMessages()
        message = results.of('"id":"1"', '{"data":1}')
        self.assertEqual(json.loads(message.data), {"type": "next", "id": "1", "payload": {"data": 1}})
        self.assertIs(results.of('"id":"1"', '{"data":1}'), message)
        self.assertIsNot(results.of('"id":"2"', '{"data":1}'), message)
        self.assertIsNot(results.of('"id":"1"', '{"data":2}'), message)
        for number in range(3000):
            results.of('"id":"1"', str(number))
        self.assertLessEqual(len(results._known), 256)
        for number in range(20):
            results.of('"id":"1"', f'"{number}{"x" * 200_000}"')
        self.assertLess(len(results._known), 10)
