"""GraphQL, asked by clients that others have written."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor

from aiwebengine.features.graphql.settings import GraphQLSettings
from tests.e2e.features.test_graphql import needs_packages, open_subscriptions
from tests.e2e.live.test_stream_clients import Wire
from tests.support.clients.foreign import Program, client_programs
from tests.support.clients.websocket import RawSocket, connect
from tests.support.engine import EngineUnderTest, running_engine, settings_for, shared_engine

SCRIPT = """
registerQueryHandler("hello", "hello(name: String!): String!", (args) => "Hello " + args.name);
registerQueryHandler("later", "later: String", async () => { await new Promise((resolve) => setTimeout(resolve, 50)); return "late"; });
registerMutationHandler("add", "add: Int!", () => kv.increment("n"));
registerSubscriptionHandler("tick", "tick(of: Int): Int!", () => undefined);
registerWebHandler("/tick/:n", (req) => { sendSubscriptionMessage("tick", Number(req.params.n)); return "sent"; }, "POST");
"""


async def ticked(engine: EngineUnderTest, *numbers: int) -> None:
    """Publish numbers."""
    for number in numbers:
        assert (await engine.request("POST", f"/tick/{number}")).status == 200


async def ran(program: Program) -> list[Any]:
    """Let a program come to its end."""
    try:
        await program.ended.addTimeout(60, reactor)
    finally:
        await program.stop()
    assert not program.errors, program.errors.decode()
    return [event.get("value") for event in program.of("tick")]


@needs_packages
@pytest.mark.parametrize("name", ["graphql-ws", "graphql-sse", "graphql-sse-single", "urql", "apollo", "apollo-http"])
@pytest_twisted.ensureDeferred
async def test_clients(name: str) -> None:
    """Each client gets its query, its mutation, what is wrong with a document, and every message once."""
    folder = client_programs("graphql-clients")
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        program = Program(["programs.mjs", name, engine.address], folder)
        try:
            await program.until(lambda: bool(program.of("subscribed")))
            await open_subscriptions(engine, 1)
            await ticked(engine, 1, 2, 3)
            assert await ran(program) == [1, 2, 3]
        finally:
            await program.stop()
        assert program.of("hello")[0]["value"] == "Hello x"
        assert program.of("add")[0]["value"] == 1
        assert program.of("wrong")[0]["value"] == ['Cannot query field "nope" on type "Query".']
        if name.startswith("apollo"):
            last = program.of("deferred")[0]["value"][-1]
            assert (last["hello"], last["later"]) == ("Hello now", "late")


@needs_packages
@pytest_twisted.ensureDeferred
async def test_a_client_that_batches(tmp_path: Path) -> None:
    """Apollo Client sends what it asks within a moment as one array, and each of its operations gets its answer."""
    settings = settings_for(tmp_path, graphql=GraphQLSettings(max_batch=5))
    async with running_engine(settings) as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        program = Program(["programs.mjs", "apollo-batch", engine.address], client_programs("graphql-clients"))
        await ran(program)
        assert program.of("batch")[0]["value"] == [
            "Hello a",
            ['Cannot query field "nope" on type "Query".'],
            "late",
        ]


@needs_packages
@pytest_twisted.ensureDeferred
async def test_a_client_comes_back() -> None:
    """A client whose connection is cut subscribes again by itself; what is sent from then on comes, once."""
    folder = client_programs("graphql-clients")
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        wire = Wire(engine.address)
        program = Program(["programs.mjs", "graphql-ws", wire.address], folder)
        try:
            await program.until(lambda: bool(program.of("subscribed")))
            await open_subscriptions(engine, 1)
            await ticked(engine, 1)
            await program.until(lambda: len(program.of("tick")) == 1)
            wire.cut()
            await program.until(lambda: len(program.of("connected")) == len(program.of("closed")) + 1 > 1)
            await open_subscriptions(engine, 1)
            await ticked(engine, 2, 3)
            assert await ran(program) == [1, 2, 3]
        finally:
            await program.stop()
            await wire.close()


@pytest_twisted.ensureDeferred
async def test_a_thousand_through_a_deployment() -> None:
    """A thousand subscriptions, of ten kinds, go on while their script is deployed again: each message comes once."""
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        sockets: list[RawSocket] = []
        for first in range(0, 100, 20):
            opened = [
                connect(engine, "/graphql/ws", {"sec-websocket-protocol": "graphql-transport-ws"}) for _ in range(20)
            ]
            sockets += [await opening for opening in opened]
            assert first + 20 == len(sockets)
        for socket in sockets:
            socket.say('{"type":"connection_init"}')
        for socket in sockets:
            await socket.has(1)
            for kind in range(10):
                payload = {"query": f"subscription {{ tick(of: {kind}) }}"}
                socket.say(json.dumps({"type": "subscribe", "id": str(kind), "payload": payload}))
        await open_subscriptions(engine, 1000)
        await ticked(engine, 1)
        deployments = [engine.deploy("a", {"main.ts": f"{SCRIPT}// {number}"}) for number in range(3)]
        for number, deployment in enumerate(deployments):
            await deployment
            await ticked(engine, 2 + number)
        for socket in sockets:
            await socket.has(41)
        for socket in sockets:
            got: dict[str, list[int]] = {}
            for text in socket.texts[1:]:
                message = json.loads(text)
                assert message["type"] == "next", message
                got.setdefault(message["id"], []).append(message["payload"]["data"]["tick"])
            assert got == {str(kind): [1, 2, 3, 4] for kind in range(10)}
        state = (await engine.api("GET", "/state")).json()["graphql"]
        assert (state["subscriptions"], state["responseStreams"]) == (1000, 10)
        for socket in sockets:
            socket.leave()
        await open_subscriptions(engine, 0)
