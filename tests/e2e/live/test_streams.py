"""Streams of messages to clients, over real sockets."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from aiwebengine.settings.schema import LiveSettings
from tests.support.clients.listening import listen
from tests.support.engine import EngineUnderTest, running_engine, settings_for, shared_engine
from tests.support.waiting import until

SCRIPT = """
registerWebStream("/news", { history: 5 });
registerWebStream("/rooms/:room", {
  attributes: (req) => {
    if (req.query.user === "eve") throw httpError(403, "Not eve.");
    return { user: req.query.user ?? "guest", level: Number(req.query.level ?? 0) };
  },
  filter: (message, clients) => {
    if (message.broken) throw new Error("the filter is broken");
    if (message.endless) for (;;);
    if (message.asks) listScripts();
    return clients.map((client) => client.level >= (message.level ?? 0));
  },
});
registerWebStream("/state", { onConnect: async (req) => ({ n: (await kv.get("n")) ?? 0, last: req.headers["last-event-id"] ?? null }) });
registerWebStream("/short", { history: 0 });
registerWebStream("/mine", { auth: "required" });
registerWebHandler("/send", async (req) => {
  for (const [path, data, options] of JSON.parse(req.body)) {
    if (path) sendStreamMessageToPath(path, data, options);
    else sendStreamMessage(data, options);
  }
  await kv.increment("n");
  if (req.query.fail) throw new Error("it failed");
  return "ok";
}, "POST");
"""


async def send(engine: EngineUnderTest, *messages: Any, path: str = "/send") -> int:
    """Have the script send messages: path, data, options."""
    return (await engine.request("POST", path, None, json.dumps(messages))).status


async def state(engine: EngineUnderTest) -> Any:
    """Ask for the bus's figures."""
    return (await engine.api("GET", "/state")).json()["bus"]


@pytest_twisted.ensureDeferred
async def test_messages_reach_clients() -> None:
    """What a script sends reaches the clients of its stream, in order, each with an id of its own and the right headers."""
    async with shared_engine() as engine:
        await engine.deploy("chat", {"main.ts": SCRIPT})
        client = await listen(engine, "/news")
        assert client.status == 200
        assert client.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert client.headers["cache-control"] == "no-store, no-transform"
        assert client.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in client.headers
        assert await send(engine, ["/news", {"n": 1}], ["/news", "two\nlines"], [None, [3]], ["/news", None]) == 200
        assert await send(engine, ["/news", "named", {"event": "note"}]) == 200
        await client.has(5)
        assert [event["data"] for event in client.events] == ['{"n":1}', "two\nlines", "[3]", "null", "named"]
        assert client.events[4]["event"] == "note"
        assert len({event["id"] for event in client.events}) == 5
        assert client.retry == 3000


@pytest_twisted.ensureDeferred
async def test_a_failed_handler_sends_nothing() -> None:
    """Messages of an invocation that fails are sent to nobody, but for immediate ones."""
    async with shared_engine() as engine:
        await engine.deploy("chat", {"main.ts": SCRIPT})
        for path in ("/news", "/short"):
            client = await listen(engine, path)
            assert await send(engine, [path, "lost"], path="/send?fail=1") == 500
            assert (
                await send(engine, [path, "at once", {"immediate": True}], [path, "lost"], path="/send?fail=1") == 500
            )
            assert await send(engine, [path, "kept"]) == 200
            assert await client.has(2) == ["at once", "kept"]


@pytest_twisted.ensureDeferred
async def test_selected_clients() -> None:
    """`to`, the parameters of the path and the filter choose whom a message is for."""
    async with shared_engine() as engine:
        await engine.deploy("chat", {"main.ts": SCRIPT})
        ada = await listen(engine, "/rooms/7?user=ada&level=2")
        bob = await listen(engine, "/rooms/7?user=bob")
        cid = await listen(engine, "/rooms/8?user=cid&level=9")
        await send(
            engine,
            ["/rooms/7", "room 7"],
            ["/rooms/:room", "bob and cid", {"to": {"user": ["bob", "cid"]}}],
            ["/rooms/:room", {"level": 2}],
            ["/rooms/7", "nobody", {"to": {"user": "cid"}}],
            ["/rooms/7", "nobody", {"to": {"other": 1}}],
            [None, "all"],
        )
        assert await ada.has(3) == ["room 7", {"level": 2}, "all"]
        assert await bob.has(3) == ["room 7", "bob and cid", "all"]
        assert await cid.has(3) == ["bob and cid", {"level": 2}, "all"]


@pytest_twisted.ensureDeferred
async def test_a_filter_that_fails() -> None:
    """A message whose filter throws, asks the server or goes on for ever reaches nobody, and the owner reads why."""
    async with shared_engine() as engine:
        await engine.deploy("chat", {"main.ts": SCRIPT})
        client = await listen(engine, "/rooms/7?level=9")
        for message in ({"broken": 1}, {"asks": 1}, {"endless": 1}, {"fine": 1}):
            assert await send(engine, ["/rooms/7", message]) == 200
        assert await client.has(1) == [{"fine": 1}]
        assert (await state(engine))["sieveFailures"] == 3
        answer = (await engine.api("GET", "/logs?uri=chat")).text
        assert "the filter is broken" in answer
        assert "host calls" in answer
        assert "0.05 s of processor time" in answer


@pytest_twisted.ensureDeferred
async def test_who_comes_back_gets_what_was_missed() -> None:
    """With `Last-Event-ID` a client gets what it missed, in order and once, also behind other clients' messages."""
    async with shared_engine() as engine:
        await engine.deploy("chat", {"main.ts": SCRIPT})
        client = await listen(engine, "/news")
        await client.until(lambda: client.last_id != "")
        client.leave()
        await send(engine, ["/news", 1], ["/news", 2])
        again = await listen(engine, "/news", {"last-event-id": client.last_id})
        assert await again.has(2) == [1, 2]
        third = await listen(engine, "/news", {"last-event-id": again.events[0]["id"]})
        await send(engine, ["/news", 3])
        assert await third.has(2) == [2, 3]


@pytest_twisted.ensureDeferred
async def test_what_is_lost_is_told() -> None:
    """Where history does not reach back, or belongs to another life of the server, a gap is told."""
    async with shared_engine() as engine:
        await engine.deploy("chat", {"main.ts": SCRIPT})
        client = await listen(engine, "/news")
        await send(engine, *(["/news", number] for number in range(8)))
        await client.has(8)
        first = await listen(engine, "/news", {"last-event-id": client.events[0]["id"]})
        assert await first.has(6) == ["gap", 3, 4, 5, 6, 7]
        foreign = await listen(engine, "/news", {"last-event-id": "abc-3"})
        assert (await foreign.has(6))[0] == "gap"
        short = await listen(engine, "/short")
        await send(engine, ["/short", 1])
        await short.has(1)
        await send(engine, ["/short", 2])
        late = await listen(engine, "/short", {"last-event-id": short.events[0]["id"]})
        assert await late.has(1) == ["gap"]


@pytest_twisted.ensureDeferred
async def test_the_script_sees_clients_come() -> None:
    """`onConnect` gives the first message; attributes that throw refuse; `auth` asks for a user."""
    async with shared_engine() as engine:
        await engine.deploy("chat", {"main.ts": SCRIPT})
        client = await listen(engine, "/state")
        assert await client.has(1) == [{"n": 0, "last": None}]
        await send(engine, ["/state", "next"])
        assert (await client.has(2))[1] == "next"
        again = await listen(engine, "/state", {"last-event-id": client.events[0]["id"]})
        assert await again.has(2) == [{"n": 1, "last": client.events[0]["id"]}, "next"]
        refused = await engine.request("GET", "/rooms/7?user=eve")
        assert (refused.status, refused.json()["detail"]) == (403, "Not eve.")
        assert (await engine.request("GET", "/mine")).status == 401
        assert (await engine.request("POST", "/news")).status == 405
        looked = await engine.request("HEAD", "/news")
        assert (looked.status, looked.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


@pytest_twisted.ensureDeferred
async def test_middleware_guards_streams() -> None:
    """Middleware runs before a client is let in, and may refuse it; it does not run for filters."""
    script = """
      use((req, ctx, next) => req.query.key === "7" ? next() : httpError(403, "No key."));
      registerWebStream("/guarded", { filter: (message, clients) => clients.map(() => true) });
      registerWebHandler("/say", () => { sendStreamMessage("hello"); return "ok"; });
    """
    async with shared_engine() as engine:
        await engine.deploy("guarded", {"main.ts": script})
        assert (await engine.request("GET", "/guarded")).status == 403
        client = await listen(engine, "/guarded?key=7")
        await engine.request("GET", "/say?key=7")
        assert await client.has(1) == ["hello"]


@pytest_twisted.ensureDeferred
async def test_connections_survive_a_deployment() -> None:
    """A deployment leaves connections and history alone; a stream that is gone ends properly, and then is not found."""
    async with shared_engine() as engine:
        await engine.deploy("chat", {"main.ts": SCRIPT})
        news, room = await listen(engine, "/news"), await listen(engine, "/rooms/7")
        await send(engine, ["/news", 1])
        await news.has(1)
        kept = 'registerWebStream("/news", { history: 5 }); registerWebHandler("/send", (req) => { sendStreamMessage("new"); return "ok"; }, "POST");'
        await engine.deploy("chat", {"main.ts": kept})
        await room.until(lambda: room.over is not None)
        assert room.data == ["end"]
        assert json.loads(room.events[0]["data"])["reason"] == "gone"
        assert (await engine.request("GET", "/rooms/7")).status == 404
        await send(engine)
        assert await news.has(2) == [1, "new"]
        again = await listen(engine, "/news", {"last-event-id": news.events[0]["id"]})
        assert await again.has(1) == ["new"]


class Counter(Protocol):
    """A client that only counts."""

    def __init__(self) -> None:
        self.events = 0
        self.over = False
        self._tail = b""

    def dataReceived(self, data: bytes) -> None:
        seen = self._tail + data
        self.events += seen.count(b"\ndata: ")
        self._tail = seen[-6:]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.over = True


@pytest_twisted.ensureDeferred
async def test_a_thousand_clients_through_a_deployment() -> None:
    """All of a thousand clients stay connected while the script is deployed again and again, and miss nothing."""
    async with shared_engine() as engine:
        await engine.deploy("chat", {"main.ts": SCRIPT})
        clients = []
        for _ in range(1000):
            response = await engine.open("GET", "/news")
            clients.append(Counter())
            response.deliverBody(clients[-1])
        for number in range(3):
            await send(engine, ["/news", number])
            await engine.deploy("chat", {"main.ts": f"{SCRIPT}// {number}"})
        await send(engine, ["/news", "last"])
        await until(
            lambda: all(client.events >= 4 for client in clients),
            state=lambda: {(client.events, client.over) for client in clients},
        )
        assert {(client.events, client.over) for client in clients} == {(4, False)}


@pytest_twisted.ensureDeferred
async def test_a_stopping_server_says_when_to_come_back() -> None:
    """At the end of the server a client is told why and when to come back, and the body ends properly."""
    async with running_engine() as engine:
        await engine.deploy("chat", {"main.ts": SCRIPT})
        client = await listen(engine, "/news")
    await client.until(lambda: client.over is not None)
    assert client.data == ["end"]
    assert json.loads(client.events[0]["data"])["reason"] == "stopping"
    assert 500 <= client.retry <= 3000
    assert client.over is not None
    assert client.over.__name__ == "ResponseDone"


@pytest_twisted.ensureDeferred
async def test_limits_bite() -> None:
    """One client too many is refused with 429 and when to try again; one that leaves makes room."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder), live=LiveSettings(max_topic_subscribers=2))
        async with running_engine(settings) as engine:
            await engine.deploy("chat", {"main.ts": SCRIPT})
            first, _ = await listen(engine, "/news"), await listen(engine, "/news")
            refused = await engine.request("GET", "/news")
            assert refused.status == 429
            assert "at most 2 open subscriptions of this stream" in refused.text
            assert int(refused.headers["retry-after"]) > 0
            first.leave()

            async def left() -> bool:
                return bool((await state(engine))["subscribers"] == 1)

            await until(left)
            assert (await listen(engine, "/news")).status == 200


@pytest_twisted.ensureDeferred
async def test_what_cannot_be_registered_or_sent() -> None:
    """A wrong path, option or message is refused with the rule; another script's stream needs the capability."""
    async with shared_engine() as engine:
        await engine.deploy("other", {"main.js": 'registerWebStream("/theirs");'})
        source = """
          registerWebStream("/own/:id");
          registerWebHandler("/try", (req) => {
            const out = [];
            for (const args of JSON.parse(req.body)) {
              try { sendStreamMessageToPath(...args); out.push("sent"); } catch (error) { out.push(error.code + " " + error.message); }
            }
            return out;
          }, "POST");
        """
        tries = [
            ["/own/1", 1],
            ["/owm/1", 1],
            ["/theirs", 1],
            ["/own/1", 1, {"t": 1}],
            ["/own/1", 1, {"to": {"a": {}}}],
            ["/own/1", 1, {"event": "gap"}],
            ["/own/1", "x" * 300_000],
            ["/own/1"],
        ]
        await engine.deploy("mine", {"main.js": source})
        answers = (await engine.request("POST", "/try", None, json.dumps(tries))).json()
        assert [answer.split(" ")[0] for answer in answers] == [
            "sent", "not_found", "denied", "invalid", "invalid", "invalid", "too_large", "invalid",
        ]  # fmt: skip
        assert "did you mean" in answers[1] or "registerWebStream" in answers[1]
        await engine.deploy("mine", {"main.js": source}, grants=["streams"])
        client = await listen(engine, "/theirs")
        await engine.request("POST", "/try", None, json.dumps([["/theirs", "hi"]]))
        assert await client.has(1) == ["hi"]
        for wrong, says in (
            ('registerWebStream("")', "must begin with"),
            ("registerWebStream()", "must be a string"),
            ('registerWebStream("/a", { histroy: 1 })', "did you mean history?"),
            ('registerWebStream("/a", { history: -1 })', "from 0 to 10000"),
            ('registerWebStream("/a", { slow: "wait" })', "drop-oldest, disconnect"),
            ('registerWebStream("/a", { filter: 7 })', "must be a function"),
            ('registerWebStream("/graphql/a")', "belongs to the engine"),
            ('registerWebStream("/theirs")', "matches the same paths"),
        ):
            reply = await engine.api("PUT", "/script?uri=wrong", {"files": {"main.js": wrong + ";"}})
            assert reply.status == 422, wrong
            assert says in reply.text, (wrong, reply.text)


@pytest_twisted.ensureDeferred
async def test_messages_of_a_deployment() -> None:
    """What the top level sends is sent when the deployment is done, to the streams of the new version."""
    async with shared_engine() as engine:
        await engine.deploy("chat", {"main.js": 'registerWebStream("/news");'})
        client = await listen(engine, "/news")
        await engine.deploy(
            "chat",
            {
                "main.js": 'registerWebStream("/news"); registerWebStream("/more"); sendStreamMessageToPath("/news", "v2");'
            },
        )
        assert await client.has(1) == ["v2"]


@pytest_twisted.ensureDeferred
async def test_a_script_without_streams_is_told() -> None:
    """A message of a script that has no stream reaches nobody, and the log says so."""
    async with shared_engine() as engine:
        await engine.deploy(
            "none", {"main.js": 'registerWebHandler("/a", () => { sendStreamMessage({}); return "ok"; });'}
        )
        assert (await engine.request("GET", "/a")).status == 200
        assert "this script has no stream" in (await engine.api("GET", "/logs?uri=none")).text
