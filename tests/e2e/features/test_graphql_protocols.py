"""graphql-transport-ws and graphql-sse, message by message."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred

from aiwebengine.features.graphql.settings import GraphQLSettings
from tests.e2e.features.test_graphql import Events, open_subscriptions, subscribe
from tests.support.clients.websocket import BINARY, RawSocket, connect
from tests.support.engine import EngineUnderTest, running_engine, settings_for, shared_engine
from tests.support.waiting import until

SCRIPT = """
registerQueryHandler("hello", "hello(name: String!): String!", (args) => "Hello " + args.name);
registerQueryHandler("slow", "slow: Int", () => new Promise((resolve) => setTimeout(() => resolve(1), 9000)));
registerMutationHandler("add", "add: Int!", () => kv.increment("n"));
registerSubscriptionHandler("tick", "tick: Int!");
registerSubscriptionHandler("who", "who: String", async function* (args, ctx) { yield ctx.connectionParams?.who ?? "nobody"; });
registerSubscriptionHandler("late", "late(ms: Int!): Int!", ({ ms }) => new Promise((resolve) => setTimeout(() => resolve({}), ms)));
registerSubscriptionHandler("barred", "barred: Int", () => { throw httpError(401, "Sign in."); });
registerWebHandler("/late", () => { sendSubscriptionMessage("late", 1); return "sent"; }, "POST");
registerWebHandler("/tick/:n", (req) => { sendSubscriptionMessage("tick", Number(req.params.n)); return "sent"; }, "POST");
"""
PROTOCOL = {"sec-websocket-protocol": "graphql-transport-ws"}
JSON = {"content-type": "application/json"}


async def talk(engine: EngineUnderTest, *messages: Any, headers: dict[str, str] | None = None) -> RawSocket:
    """Open a WebSocket and say something."""
    socket = await connect(engine, "/graphql/ws", PROTOCOL if headers is None else headers)
    for message in messages:
        socket.say(message if isinstance(message, str) else json.dumps(message))
    return socket


def operation(identity: str, query: str, **more: Any) -> dict[str, Any]:
    """Make a message that subscribes."""
    return {"type": "subscribe", "id": identity, "payload": {"query": query, **more}}


def messages_of(socket: RawSocket) -> list[Any]:
    """Return what the server has said."""
    return [json.loads(text) for text in socket.texts]


INIT: dict[str, Any] = {"type": "connection_init", "payload": {"who": "me"}}


@pytest_twisted.ensureDeferred
async def test_a_conversation() -> None:
    """Acknowledge, ping, a query, a subscription that is ended by the client, one that ends, errors."""
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        socket = await talk(engine, INIT, {"type": "ping", "payload": {"a": 1}}, {"type": "ping"}, {"type": "pong"})
        await socket.has(3)
        assert messages_of(socket) == [
            {"type": "connection_ack"},
            {"type": "pong", "payload": {"a": 1}},
            {"type": "pong"},
        ]
        socket.say(json.dumps(operation("q", "query($n: String!) { hello(name: $n) }", variables={"n": "x"})))
        await socket.has(5)
        assert messages_of(socket)[3:] == [
            {"type": "next", "id": "q", "payload": {"data": {"hello": "Hello x"}}},
            {"type": "complete", "id": "q"},
        ]
        socket.say(json.dumps(operation("w", "subscription { who }")))
        await socket.has(7)
        assert messages_of(socket)[5:] == [
            {"type": "next", "id": "w", "payload": {"data": {"who": "me"}}},
            {"type": "complete", "id": "w"},
        ]
        for identity, query, code in (
            ("1", "{ nope }", "BAD_USER_INPUT"),
            ("2", "{ hello(name: ", "BAD_USER_INPUT"),
            ("3", "subscription { barred }", "UNAUTHENTICATED"),
            ("4", "", "BAD_USER_INPUT"),
        ):
            before = len(socket.texts)
            socket.say(json.dumps(operation(identity, query)))
            await socket.has(before + 1)
            error = messages_of(socket)[before]
            assert (error["type"], error["id"]) == ("error", identity)
            assert error["payload"][0]["extensions"]["code"] == code
        before = len(socket.texts)
        socket.say(json.dumps(operation("t", "subscription { tick }")))
        await open_subscriptions(engine, 1)
        await engine.request("POST", "/tick/7")
        await socket.has(before + 1)
        assert messages_of(socket)[before] == {"type": "next", "id": "t", "payload": {"data": {"tick": 7}}}
        socket.say('{"type":"complete","id":"t"}')
        socket.say('{"type":"complete","id":"unknown"}')
        await open_subscriptions(engine, 0)
        await engine.request("POST", "/tick/8")
        socket.say(json.dumps(operation("t", "mutation { add }")))
        await socket.has(before + 3)
        assert [message["type"] for message in messages_of(socket)[before + 1 :]] == ["next", "complete"]
        socket.leave()


@pytest.mark.setting("graphql.max_connection_subscriptions")
@pytest_twisted.ensureDeferred
async def test_what_breaks_the_protocol(tmp_path: Path) -> None:
    """Each broken rule closes the connection with the code of the protocol."""
    settings = settings_for(tmp_path, graphql=GraphQLSettings(init_seconds=2.0, max_connection_subscriptions=2))
    async with running_engine(settings) as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        twice = operation("1", "subscription { tick }")
        for messages, code in (
            (("no json",), 4400),
            (("[]",), 4400),
            (('{"type":"unknown"}',), 4400),
            (({"type": "connection_init", "payload": 7},), 4400),
            ((INIT, {"type": "subscribe", "id": 7, "payload": {}}), 4400),
            ((INIT, {"type": "subscribe", "id": "7"}), 4400),
            ((INIT, {"type": "complete"}), 4400),
            ((operation("1", "{ __typename }"),), 4401),
            ((), 4408),
            ((INIT, twice, twice), 4409),
            ((INIT, INIT), 4429),
        ):
            socket = await talk(engine, *messages)
            await socket.until(lambda socket=socket: socket.closed_with is not None)
            assert socket.closed_with == code, messages
            socket.close(1000)
            await socket.until(lambda socket=socket: socket.over)
        bare = await talk(engine, headers={})
        await bare.until(lambda: bare.closed_with is not None)
        assert bare.closed_with == 4406
        binary = await talk(engine)
        binary.frame(BINARY, b"{}")
        await binary.until(lambda: binary.closed_with is not None)
        assert binary.closed_with == 4400
        many = await talk(engine, INIT, *(operation(str(number), "subscription { tick }") for number in range(3)))
        await many.has(2)
        assert messages_of(many)[1]["payload"][0]["extensions"]["code"] == "TOO_MANY"
        many.leave()
        await open_subscriptions(engine, 0)


@pytest_twisted.ensureDeferred
async def test_a_single_connection() -> None:
    """A stream is reserved and opened; operations beside it tell their results on it, and are ended by DELETE."""
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        token = (await engine.request("PUT", "/graphql/sse")).text
        assert len(token) > 20

        async def send(identity: Any, query: str, *, of: str = token) -> int:
            body = json.dumps({"query": query, "extensions": {"operationId": identity}})
            headers = {**JSON, "x-graphql-event-stream-token": of}
            return (await engine.request("POST", "/graphql/sse", headers, body)).status

        # What is told before the stream is open waits for that.
        assert await send("early", '{ hello(name: "early") }') == 202
        response = await engine.open("GET", f"/graphql/sse?token={token}", {"accept": "text/event-stream"})
        events = Events()
        response.deliverBody(events)
        await events.until(2)
        assert events.seen == [
            ("next", {"id": "early", "payload": {"data": {"hello": "Hello early"}}}),
            ("complete", {"id": "early"}),
        ]
        again = await engine.request(
            "GET", "/graphql/sse", {"x-graphql-event-stream-token": token, "accept": "text/event-stream"}
        )
        assert again.status == 409
        assert await send("t", "subscription { tick }") == 202
        assert await send("t", "subscription { tick }") == 409
        assert await send(7, "{ __typename }") == 400
        assert await send("x", "{ __typename }", of="unknown") == 404
        assert await send("wrong", "{ nope }") == 202
        await events.until(4)
        assert events.seen[2][1]["payload"]["errors"][0]["message"] == 'Cannot query field "nope" on type "Query".'
        await open_subscriptions(engine, 1)
        await engine.request("POST", "/tick/1")
        await events.until(5)
        assert events.seen[4] == ("next", {"id": "t", "payload": {"data": {"tick": 1}}})
        ended = await engine.request("DELETE", "/graphql/sse?operationId=t", {"x-graphql-event-stream-token": token})
        assert ended.status == 200
        await events.until(6)
        assert events.seen[5] == ("complete", {"id": "t"})
        await open_subscriptions(engine, 0)
        await engine.request("POST", "/tick/2")
        assert (await engine.request("DELETE", "/graphql/sse")).status == 400
        assert (await engine.request("PATCH", "/graphql/sse")).status == 405
        assert (await engine.request("GET", "/graphql/sse?query={__typename}", {"accept": "text/html"})).status == 406
        assert (
            await engine.request("GET", "/graphql/sse?query=mutation{add}", {"accept": "text/event-stream"})
        ).status == 405
        assert len(events.seen) == 6
        transport: Any = events.transport
        transport.loseConnection()
        await open_streams(engine, 0)


async def open_streams(engine: EngineUnderTest, count: int) -> None:
    """Wait until so many streams of events are there."""
    seen: list[int] = []

    async def so() -> bool:
        seen.append((await engine.api("GET", "/state")).json()["graphql"]["eventStreams"])
        return seen[-1] == count

    await until(so, state=lambda: seen[-1])


@pytest_twisted.ensureDeferred
async def test_clients_that_go() -> None:
    """What a client has asked for ends when it goes: its subscriptions, and its operations that still run."""
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        socket = await talk(engine, INIT, operation("1", "subscription { tick }"), operation("2", "{ slow }"))
        await open_subscriptions(engine, 1)
        response = await engine.open("GET", "/graphql/sse?query=subscription{tick}", {"accept": "text/event-stream"})
        await open_subscriptions(engine, 2)
        socket.leave()
        response.deliverBody(events := Events())
        transport: Any = events.transport
        transport.loseConnection()
        await open_subscriptions(engine, 0)
        state = (await engine.api("GET", "/state")).json()
        assert state["graphql"]["webSockets"] == state["graphql"]["eventStreams"] == 0


@pytest_twisted.ensureDeferred
async def test_open_means_subscribed() -> None:
    """A stream of events opens when its client is subscribed: whatever happens from then on reaches it."""
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        events = await subscribe(engine, "subscription { late(ms: 200) }")
        assert (await engine.request("POST", "/late", {}, "")).status == 200
        await events.until(1)
        assert events.seen == [("next", {"data": {"late": 1}})]
        leaving = Deferred.fromCoroutine(
            engine.open("GET", "/graphql/sse?query=subscription{late(ms:9000)}", {"accept": "text/event-stream"})
        )
        await open_streams(engine, 2)
        # Before the answer has begun.
        leaving.addErrback(lambda failure: failure.trap(CancelledError))
        leaving.cancel()
        await open_streams(engine, 1)


@pytest_twisted.ensureDeferred
async def test_the_server_stops() -> None:
    """Clients are sent away in a way after which they come back: 1012, and an end without `complete`."""
    async with running_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        socket = await talk(engine, INIT, operation("1", "subscription { tick }"))
        events = await subscribe(engine, "subscription { tick }")
        await open_subscriptions(engine, 2)
    await socket.until(lambda: socket.over)
    assert socket.closed_with == 1012
    await until(lambda: events.over, state=lambda: events.seen)
    assert events.seen == []
    assert 500 <= events.retry <= 3000
