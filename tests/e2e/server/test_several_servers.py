"""Two engines that share one Redis server."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest_twisted

from aiwebengine.settings.schema import RedisSettings
from tests.support.clients.listening import listen
from tests.support.engine import EngineUnderTest, running_engine, settings_for
from tests.support.redis.server import RedisServer, redis_server
from tests.support.waiting import until

SCRIPT = """
registerWebStream("/news", { history: 10 });
registerWebHandler("/send", (req) => { sendStreamMessageToPath("/news", Number(req.query.n)); return "sent"; });
registerWebHandler("/fail", () => { sendStreamMessageToPath("/news", "never"); throw new Error("no"); });
"""


@asynccontextmanager
async def engines(server: RedisServer, prefixes: tuple[str, ...]) -> AsyncIterator[list[EngineUnderTest]]:
    """Run engines with the same script, one for each prefix."""
    async with AsyncExitStack() as stack:
        found = []
        for prefix in prefixes:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            redis = RedisSettings(url=server.url, prefix=prefix, command_seconds=5.0)
            engine = await stack.enter_async_context(running_engine(settings_for(Path(folder), redis=redis)))
            await engine.deploy("news", {"main.js": SCRIPT})
            found.append(engine)
        await until(lambda: b"2" in server.command("PUBSUB", "NUMSUB", "test:bus").split(b"\r\n")[-2])
        yield found


async def send(engine: EngineUnderTest, number: int) -> None:
    """Have the script send a message."""
    assert (await engine.request("GET", f"/send?n={number}")).text == "sent"


@pytest_twisted.ensureDeferred
async def test_message_reaches_the_other_server() -> None:
    """A message reaches clients of both servers, what failed reaches nobody, another prefix is another world."""
    with redis_server() as server:
        async with engines(server, ("test", "test", "other")) as (engine_a, engine_b, other):
            clients = [await listen(engine, "/news") for engine in (engine_a, engine_b, other)]
            await send(engine_a, 1)
            assert (await engine_a.request("GET", "/fail")).status == 500
            await send(engine_b, 2)
            for client in clients[:2]:
                assert await client.has(2) == [1, 2]
            await send(other, 3)
            assert await clients[2].has(1) == [3]
            link = (await engine_a.api("GET", "/state")).json()["link"]
            assert link == {"sent": 1, "unsent": 0, "received": 1, "refused": 0}
            # A client that comes back to the same server gets what it missed, whichever server it came from.
            back = await listen(engine_b, "/news", {"last-event-id": clients[1].events[0]["id"]})
            assert await back.has(1) == [2]


@pytest_twisted.ensureDeferred
async def test_redis_dies() -> None:
    """While the Redis server is gone each server serves its own clients; then all are told of a gap, and it goes on."""
    with redis_server() as server:
        async with engines(server, ("test", "test")) as (engine_a, engine_b):
            first, second = [await listen(engine, "/news") for engine in (engine_a, engine_b)]
            await send(engine_a, 1)
            await second.has(1)
            server.kill()
            await send(engine_a, 2)
            assert await first.has(2) == [1, 2]
            server.start()
            await second.until(lambda: "gap" in second.data)
            assert 2 not in second.data
            await until(lambda: b"2" in server.command("PUBSUB", "NUMSUB", "test:bus").split(b"\r\n")[-2])

            async def arrives() -> bool:
                await send(engine_a, 3)
                return 3 in second.data

            await until(arrives, state=lambda: second.data)
            assert "gap" in first.data
