"""`/graphql` over HTTP: what it answers to which method, type and document."""

from __future__ import annotations

import json
from random import Random
from typing import Any, cast
from urllib.parse import quote

from aiwebengine.features.graphql.subscriptions.feeds import Feeds
from aiwebengine.features.graphql.subscriptions.topics import SubscriptionTopics
from aiwebengine.features.graphql.transports.http import GraphQLOverHttp
from aiwebengine.features.graphql.transports.page import GraphiQLPage
from aiwebengine.features.graphql.transports.sse import GraphQLOverSse
from aiwebengine.services.bus import Bus
from aiwebengine.settings.schema import LiveSettings
from aiwebengine.values import Answer, Request
from aiwebengine.web.events.sse import EventStreams
from aiwebengine.web.http.exchange import Exchange
from tests.support.fakes.invoking import RunsWith, an_invoker
from tests.support.fakes.turns import endless_turn
from tests.unit.features.graphql.fakes import World, part
from tests.unit.features.graphql.test_websocket import TICK
from tests.unit.web.support import Reply, WebTestCase, ended, replies

COUNT = part("query", "count", "count: Int!")
ADD = part("mutation", "add", "add: Int!")
JSON = "application/json"
RESPONSE = "application/graphql-response+json"
EVENTS = "text/event-stream"


class FakePage:
    """GraphiQL."""

    def __init__(self) -> None:
        self.shown = 0

    def show(self, exchange: Exchange) -> None:
        self.shown += 1
        exchange.answered(Answer(status=200, headers=(), body=b"a page"))


class GraphQLCase(WebTestCase):
    """Serves a schema at `/graphql` and `/graphql/sse`."""

    def setUp(self) -> None:
        super().setUp()
        self.make()

    def make(self, **settings: Any) -> None:
        """Serve a schema with a query, a mutation and a subscription."""
        self.world = world = World([COUNT, ADD, TICK], [lambda _: 7], **settings)
        self.bus = Bus(epoch="e", settings=LiveSettings(), share=endless_turn())
        topics = SubscriptionTopics(
            bus=self.bus, invoker=an_invoker(RunsWith(lambda _, __: None)), warn=lambda invocation, text: None
        )
        feeds = Feeds(execution=world.execution, bus=self.bus, topics=topics, settings=world.settings)
        for swapped in (topics.swapped, feeds.swapped):
            swapped(world.current.registry)
            world.current.on_change(swapped)
        self.page = FakePage()
        self.streams = EventStreams(clock=self.clock, heartbeat_seconds=15.0, share=endless_turn())
        self.streams.startService()
        self.addCleanup(self.streams.stopService)
        self.events = GraphQLOverSse(
            execution=world.execution,
            feeds=feeds,
            streams=self.streams,
            settings=world.settings,
            clock=self.clock,
            random=Random(1),
        )
        over_http = GraphQLOverHttp(
            execution=world.execution,
            settings=world.settings,
            distinct=self.events.distinct,
            feeds=feeds,
            clock=self.clock,
            heartbeat_seconds=15.0,
            page=cast(GraphiQLPage, self.page),
        )

        def enter(exchange: Exchange, request: Request) -> bool:
            places = {"/graphql": over_http.enter, "/graphql/sse": self.events.enter}
            if request.path not in places:
                return False
            places[request.path](exchange, request)
            return True

        self.site = self.make_site(responders=[enter])

    def begin(self, method: str, target: str, body: Any = None, **headers: str) -> Any:
        """Send a request; return the connection's two sides."""
        channel, transport = self.connect()
        data = b"" if body is None else json.dumps(body).encode()
        given = {"host": "a", "content-type": JSON, "content-length": str(len(data)), "accept": JSON}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        channel.dataReceived("\r\n".join([*lines, "", ""]).encode() + data)
        self.world.scripts.answer()
        self.world.clock.advance(0)
        return channel, transport

    def send(self, method: str, target: str, body: Any = None, **headers: str) -> Reply:
        """Send a request; return its answer."""
        _, transport = self.begin(method, target, body, **headers)
        (reply,) = replies(transport.value(), method)
        return reply


class GraphQLOverHttpTests(GraphQLCase):
    def test_a_query(self) -> None:
        """A query comes with POST or GET, and its answer in the type that the client wants."""
        for accept in (JSON, RESPONSE):
            reply = self.send("POST", "/graphql", {"query": "{ count }"}, accept=accept)
            self.assertEqual((reply.status, reply.json()), (200, {"data": {"count": 7}}))
            self.assertTrue(reply.headers["content-type"].startswith(accept))
        self.assertEqual(self.send("GET", "/graphql?query=" + quote("{ count }")).json(), {"data": {"count": 7}})

    def test_a_mutation(self) -> None:
        """What changes things comes with POST only."""
        self.assertEqual(self.send("POST", "/graphql", {"query": "mutation { add }"}).json(), {"data": {"add": 7}})
        reply = self.send("GET", "/graphql?query=" + quote("mutation { add }"))
        self.assertEqual((reply.status, reply.headers["allow"]), (405, "POST"))

    def test_wrong_documents(self) -> None:
        """What cannot be executed is 400 in the newer type and 200 in the older one."""
        for query in ("{", "{ nothing }"):
            for accept, status in ((RESPONSE, 400), (JSON, 200)):
                reply = self.send("POST", "/graphql", {"query": query}, accept=accept)
                self.assertEqual((reply.status, next(iter(reply.json()))), (status, "errors"))

    def test_requests_that_are_none(self) -> None:
        """Methods and types that are not spoken here are refused in the form of GraphQL."""
        for method, headers, status in (
            ("DELETE", {}, 405),
            ("POST", {"accept": "image/png"}, 406),
            ("POST", {"content_type": "text/plain"}, 415),
        ):
            reply = self.send(method, "/graphql", {"query": "{ count }"}, **headers)
            self.assertEqual((reply.status, len(reply.json()["errors"])), (status, 1), method)
        self.assertEqual(self.send("OPTIONS", "/graphql").status, 204)

    def test_several_at_once(self) -> None:
        """An array of operations is answered by an array, if the setting allows it."""
        batch = [{"query": "{ count }"}, {"query": "{ nothing }"}]
        self.assertEqual(self.send("POST", "/graphql", batch).status, 400)
        self.make(max_batch=2)
        first, second = self.send("POST", "/graphql", batch).json()
        self.assertEqual((first, next(iter(second))), ({"data": {"count": 7}}, "errors"))

    def test_the_page(self) -> None:
        """A browser that opens it is shown GraphiQL, unless that is switched off."""
        self.begin("GET", "/graphql", accept="text/html")
        self.assertEqual(self.page.shown, 1)
        self.make(graphiql=False)
        self.begin("GET", "/graphql", accept="text/html")
        self.assertEqual(self.page.shown, 0)

    def test_a_subscription(self) -> None:
        """A subscription is answered by a stream of events or of parts; a client that wants neither is told."""
        document = {"query": "subscription { tick }"}
        self.assertEqual(self.send("POST", "/graphql", document).status, 400)
        for accept in (EVENTS, "multipart/mixed;subscriptionSpec=1.0"):
            channel, transport = self.begin("POST", "/graphql", document, accept=accept)
            self.bus.publish("graphql:tick", "5")
            self.clock.advance(1)
            self.assertIn(b'{"data":{"tick":5}}', transport.value())
            ended(channel)
        self.assertEqual(self.bus.state()["subscribers"], 0)

    def test_a_client_that_leaves(self) -> None:
        """The operation of a client that has gone is cancelled."""
        channel, _ = self.connect()
        channel.dataReceived(b"GET /graphql?query=%7Bcount%7D HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n")
        self.assertEqual(len(self.world.scripts.waiting), 1)
        ended(channel)
        self.assertEqual(self.world.scripts.cancelled, 1)


class GraphQLOverSseTests(GraphQLCase):
    def reserve(self) -> str:
        """Reserve a stream; return its token."""
        reply = self.send("PUT", "/graphql/sse")
        self.assertEqual(reply.status, 201)
        return reply.body.decode()

    def test_distinct_connections(self) -> None:
        """Each operation has a stream of its own, which ends with it."""
        _, transport = self.begin("POST", "/graphql/sse", {"query": "{ count }"}, accept=EVENTS)
        self.clock.advance(1)
        self.assertIn(b'event: next\ndata: {"data":{"count":7}}\n\n', transport.value())
        self.assertIn(b"event: complete\n", transport.value())
        self.assertEqual(self.events.state()["eventStreams"], 0)

    def test_a_document_that_is_wrong(self) -> None:
        """What is wrong with a document clients read as a result."""
        _, transport = self.begin("POST", "/graphql/sse", {"query": "{"}, accept=EVENTS)
        self.clock.advance(1)
        self.assertIn(b'event: next\ndata: {"errors":', transport.value())

    def test_a_single_connection(self) -> None:
        """Operations name a reserved stream by its token and come on it with their ids, until they are stopped."""
        token = self.reserve()
        channel, transport = self.begin("GET", f"/graphql/sse?token={token}", accept=EVENTS)
        operation = {"query": "subscription { tick }", "extensions": {"operationId": "o1"}}
        headers = {"x_graphql_event_stream_token": token}
        self.assertEqual(self.send("POST", "/graphql/sse", operation, **headers).status, 202)
        self.assertEqual(self.send("POST", "/graphql/sse", operation, **headers).status, 409)
        self.bus.publish("graphql:tick", "5")
        self.clock.advance(1)
        self.assertIn(b'data: {"id":"o1","payload":{"data":{"tick":5}}}', transport.value())
        self.assertEqual(self.send("DELETE", "/graphql/sse?operationId=o1", **headers).status, 200)
        self.clock.advance(1)
        self.assertIn(b'event: complete\ndata: {"id":"o1"}', transport.value())
        ended(channel)
        self.assertEqual((self.events.state()["eventStreams"], self.bus.state()["subscribers"]), (0, 0))

    def test_a_token_that_nobody_uses(self) -> None:
        """A reserved stream that is not opened in time is gone."""
        self.make(init_seconds=2.0)
        token = self.reserve()
        self.assertEqual(self.events.state()["reservedStreams"], 1)
        self.clock.advance(2.1)
        self.assertEqual(self.events.state()["reservedStreams"], 0)
        self.assertEqual(self.send("GET", f"/graphql/sse?token={token}", accept=EVENTS).status, 404)

    def test_what_is_refused(self) -> None:
        """Methods, types and tokens that are none are refused with the reason."""
        for method, target, status in (
            ("PATCH", "/graphql/sse", 405),
            ("DELETE", "/graphql/sse", 400),
            ("GET", "/graphql/sse", 406),
            ("POST", "/graphql/sse?token=none", 404),
        ):
            reply = self.send(method, target)
            self.assertEqual((reply.status, len(reply.json()["errors"])), (status, 1), method)
        self.assertEqual(self.send("OPTIONS", "/graphql/sse").status, 204)

    def test_the_server_stops(self) -> None:
        """Clients are told when to come back, and new ones are refused."""
        _, transport = self.begin("POST", "/graphql/sse", {"query": "subscription { tick }"}, accept=EVENTS)
        self.events.end()
        self.clock.advance(1)
        self.assertIn(b"retry: ", transport.value())
        self.assertEqual(self.send("PUT", "/graphql/sse").status, 503)
