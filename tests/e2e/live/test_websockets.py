"""WebSockets of scripts, over real sockets."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from aiwebengine.features.sockets.settings import SocketSettings
from aiwebengine.settings.schema import WebSocketSettings
from tests.support.clients.listening import listen
from tests.support.clients.websocket import BINARY, TEXT, connect
from tests.support.engine import EngineUnderTest, running_engine, settings_for, shared_engine
from tests.support.waiting import until

SCRIPT = """
registerWebSocket("/echo", { message: (ws, data) => ws.send(data) });
registerWebSocket("/rooms/:room", {
  open(ws, req) {
    if (req.query.name === "eve") throw httpError(403, "Not eve.");
    ws.data = { room: req.params.room, name: req.query.name ?? "guest", said: 0 };
    ws.subscribe(ws.data.room);
    ws.send({ hello: ws.data.name, id: typeof ws.id, protocol: ws.protocol });
  },
  async message(ws, data) {
    ws.data.said += 1;
    if (data === "count") ws.send({ said: ws.data.said });
    else if (data === "leave") ws.unsubscribe(ws.data.room);
    else if (data === "bye") ws.close(4001, "as you wish");
    else if (data === "fail") { ws.send("never"); await kv.increment("failed"); throw new Error("it failed"); }
    else if (data === "endless") { for (;;); }
    else if (data === "bytes") ws.publish(ws.data.room, new Uint8Array([1, 2, 255]));
    else if (data instanceof Uint8Array) ws.send({ bytes: Array.from(data) });
    else if (data.startsWith("slow")) { await new Promise((resolve) => setTimeout(resolve, data === "slow 1" ? 150 : 5)); ws.send(data); }
    else { await kv.increment("said"); ws.publish(ws.data.room, { from: ws.data.name, text: data }); }
  },
  close: async (ws, code, reason) => { await kv.set("closed", { name: ws.data.name, code, reason }); },
}, { protocols: ["chat.v2", "chat.v1"] });
registerWebSocket("/mine", {}, { auth: "required" });
registerWebSocket("/open", {}, { origins: ["https://friend.example"] });
registerWebSocket("/guarded", { open: (ws) => ws.send("in") }, { middleware: async (req, ctx, next) => { if (req.query.key !== "k") return json({ error: "no key" }, { status: 401 }); return next(); } });
registerWebHandler("/tell", (req) => { sendSocketMessage(req.query.topic, req.body); if (req.query.fail) throw new Error("no"); return "told"; }, "POST");
registerWebHandler("/kv/:key", async (req) => (await kv.get(req.params.key)) ?? null);
"""


async def kept(engine: EngineUnderTest, key: str, wanted: Any) -> None:
    """Wait until a value is stored."""
    seen: list[Any] = []

    async def stored() -> bool:
        seen.append((await engine.request("GET", f"/kv/{key}")).json())
        return bool(seen[-1] == wanted)

    await until(stored, state=lambda: seen[-1])


@pytest_twisted.ensureDeferred
async def test_a_room() -> None:
    """What one says all in the room get, each with its own data; texts and bytes go both ways; the end is told."""
    async with running_engine() as engine:
        await engine.deploy("rooms", {"main.ts": SCRIPT})
        ada = await connect(engine, "/rooms/7?name=ada", {"sec-websocket-protocol": "other, chat.v1"})
        bob = await connect(engine, "/rooms/7?name=bob")
        eve = await connect(engine, "/rooms/7?name=eve")
        assert (ada.status, bob.status, eve.status) == (101, 101, 403)
        assert "sec-websocket-protocol: chat.v1" in ada.head.lower()
        assert json.loads((await ada.has(1))[0]) == {"hello": "ada", "id": "string", "protocol": "chat.v1"}
        ada.say("hello 🙂")
        for client in (ada, bob):
            assert json.loads((await client.has(2))[1]) == {"from": "ada", "text": "hello 🙂"}
        ada.say("count")
        assert json.loads((await ada.has(3))[2]) == {"said": 2}
        bob.frame(BINARY, b"\0\x01\xfe")
        assert json.loads((await bob.has(3))[2]) == {"bytes": [0, 1, 254]}
        ada.say("bytes")
        await bob.until(lambda: (BINARY, b"\x01\x02\xff") in bob.frames)
        assert (await engine.request("POST", "/tell?topic=7", None, "from outside")).status == 200
        assert (await engine.request("POST", "/tell?topic=7&fail=1", None, "never")).status == 500
        assert (await bob.has(4))[3] == "from outside"
        bob.say("leave")
        bob.say("count")
        await bob.has(5)
        await engine.request("POST", "/tell?topic=7", None, "not for bob")
        assert (await ada.has(5))[4] == "not for bob"
        ada.say("bye")
        await ada.until(lambda: ada.closed_with is not None)
        assert ada.closed_with == 4001
        ada.close(4001)
        await kept(engine, "closed", {"name": "ada", "code": 4001, "reason": ""})
        bob.leave()
        await kept(engine, "closed", {"name": "bob", "code": 1006, "reason": ""})
        assert len(bob.texts) == 5
        state = (await engine.api("GET", "/state")).json()
        assert state["websockets"] == {"open": 0, "opened": 2, "refused": 0}
        assert state["sockets"] == {"sessions": 0}


@pytest_twisted.ensureDeferred
async def test_in_order() -> None:
    """Messages of one socket are handled one after the other, however long each takes; sockets do not wait for each other."""
    async with shared_engine() as engine:
        await engine.deploy("rooms", {"main.ts": SCRIPT})
        client = await connect(engine, "/rooms/1")
        other = await connect(engine, "/rooms/2")
        for number in range(1, 6):
            client.say(f"slow {number}")
        other.say("slow 9")
        assert (await other.has(2))[1] == "slow 9"
        assert (await client.has(6))[1:] == [f"slow {number}" for number in range(1, 6)]


@pytest_twisted.ensureDeferred
async def test_failures() -> None:
    """A handler that fails leaves nothing, and closes its socket with 1011; one that is endless is ended."""
    async with shared_engine() as engine:
        await engine.deploy("rooms", {"main.ts": SCRIPT})
        for said in ("fail", "endless"):
            client = await connect(engine, "/rooms/1")
            client.say(said)
            client.say("count")
            await client.until(lambda client=client: client.closed_with is not None)
            assert client.closed_with == 1011
            client.close(1011)
            assert len(client.texts) == 1
        assert (await engine.request("GET", "/kv/failed")).json() is None
        logs = (await engine.api("GET", "/logs?uri=rooms")).json()["lines"]
        assert any("it failed" in line["message"] for line in logs)


@pytest_twisted.ensureDeferred
async def test_who_may_connect() -> None:
    """Pages of other origins, those without a key, requests that are none and those who must sign in are refused."""
    async with shared_engine() as engine:
        await engine.deploy("rooms", {"main.ts": SCRIPT})
        for path, headers, status in (
            ("/echo", {"origin": "http://localhost"}, 101),
            ("/echo", {"origin": "https://evil.example"}, 403),
            ("/echo", {"origin": "null"}, 403),
            ("/open", {"origin": "https://friend.example"}, 101),
            ("/guarded", {}, 401),
            ("/guarded?key=k", {}, 101),
            ("/mine", {}, 401),
            ("/echo", {"sec-websocket-version": "8"}, 426),
            ("/echo", {"sec-websocket-key": "short"}, 400),
            ("/echo", {"upgrade": "", "connection": ""}, 426),
            ("/nothing", {}, 404),
        ):
            client = await connect(engine, path, headers)
            assert client.status == status, (path, headers, client.head, client.body)
            client.leave()
        plain = await connect(engine, "/echo", {"upgrade": "", "connection": ""})
        assert "upgrade: websocket" in plain.head.lower()
        await plain.until(lambda: b"upgrade_required" in plain.body)


@pytest_twisted.ensureDeferred
async def test_through_a_deployment() -> None:
    """A socket stays open when its script is deployed again and keeps its data; when its path is gone it is closed."""
    async with shared_engine() as engine:
        await engine.deploy("rooms", {"main.ts": SCRIPT})
        client = await connect(engine, "/rooms/1?name=ada")
        client.say("count")
        await client.has(2)
        await engine.deploy("rooms", {"main.ts": SCRIPT.replace("{ said: ws.data.said }", "{ now: ws.data.said }")})
        client.say("count")
        assert json.loads((await client.has(3))[2]) == {"now": 2}
        await engine.request("POST", "/tell?topic=1", None, "still here")
        assert (await client.has(4))[3] == "still here"
        await engine.deploy("rooms", {"main.ts": SCRIPT.replace('"/rooms/:room"', '"/other/:room"')})
        await client.until(lambda: client.closed_with is not None)
        assert client.closed_with == 1001


@pytest.mark.setting("sockets.max_data_bytes")
@pytest_twisted.ensureDeferred
async def test_limits(tmp_path: Path) -> None:
    """Too many, too large, too silent and too slow clients are refused or cut off, with the code that says why."""
    websocket = WebSocketSettings(
        max_connections=2, max_message_bytes=2048, max_frame_bytes=2048, ping_seconds=0.5, pong_seconds=1.0
    )
    sockets = SocketSettings(max_topics=2, max_data_bytes=100)
    script = (
        SCRIPT
        + """
    registerWebSocket("/topics", { message(ws, data) { if (data === "data") ws.data = "x".repeat(200); else for (const one of data.split(",")) { try { ws.subscribe(one); } catch (error) { ws.send(error.code); } } ws.send("done"); } });
    """
    )
    async with running_engine(settings_for(tmp_path, websocket=websocket, sockets=sockets)) as engine:
        await engine.deploy("rooms", {"main.ts": script})
        topics_client, echo_client = [await connect(engine, path) for path in ("/topics", "/echo")]
        topics_client.answers = echo_client.answers = True
        refused_client = await connect(engine, "/echo")
        assert refused_client.status == 429
        topics_client.say("a,b,c")
        assert await topics_client.has(2) == ["too_many", "done"]
        # From now on neither of the two answers pings.
        topics_client.answers = echo_client.answers = False
        await topics_client.until(lambda: topics_client.over)
        await echo_client.until(lambda: echo_client.over)
        large = await connect(engine, "/echo")
        large.say("x" * 3000)
        await large.until(lambda: large.closed_with is not None)
        assert large.closed_with == 1009
        large.leave()
        fat = await connect(engine, "/topics")
        fat.say("data")
        await fat.until(lambda: fat.closed_with is not None)
        assert fat.closed_with == 1011


@pytest_twisted.ensureDeferred
async def test_the_server_stops() -> None:
    """When the server stops it says so, with the code after which clients come back."""
    async with running_engine() as engine:
        await engine.deploy("rooms", {"main.ts": SCRIPT})
        client = await connect(engine, "/echo")
        client.say("x")
        await client.has(1)
    await client.until(lambda: client.over)
    assert client.closed_with == 1012


@pytest_twisted.ensureDeferred
async def test_largest_messages(tmp_path: Path) -> None:
    """Messages of 16 MiB reach the script and come back, whatever they consist of, if the settings allow them."""
    size = 16 * 1024 * 1024
    websocket = WebSocketSettings(max_message_bytes=size, max_frame_bytes=size, buffer_bytes=2 * size)
    async with running_engine(settings_for(tmp_path, websocket=websocket)) as engine:
        await engine.deploy(
            "large", {"main.js": 'registerWebSocket("/large", { message(ws, data) { ws.send(data); } });'}
        )
        client = await connect(engine, "/large")
        for opcode, data in (
            (BINARY, bytes(size)),
            (BINARY, bytes(range(256)) * (size // 256)),
            (TEXT, b"a" * size),
            (TEXT, "\u0444".encode() * (size // 2)),
            (TEXT, b"\xef\xbb\xbf" + b"a" * 1_500_000),
            (TEXT, b"\xef\xbb\xbf" + "\u0444".encode() * 1_500_000),
        ):
            client.frames.clear()
            client.frame(opcode, data)
            await client.until(lambda: bool(client.frames))
            assert client.frames == [(opcode, data)]
        client.leave()


@pytest_twisted.ensureDeferred
async def test_who_is_signed_in() -> None:
    """Until there are users, what asks for somebody who is signed in lets in who sends the administrator token."""
    script = """
    registerWebSocket("/mine", { open: (ws) => ws.send("in") }, { auth: "required" });
    registerWebStream("/stream", { auth: "required" });
    """
    async with shared_engine() as engine:
        await engine.deploy("mine", {"main.js": script})
        for headers, status in (
            ({}, 401),
            ({"authorization": "Bearer wrong"}, 401),
            ({"authorization": f"Bearer {engine.token}"}, 101),
            ({"x-aiwebengine-token": engine.token}, 101),
        ):
            mine = await connect(engine, "/mine", headers)
            assert mine.status == status
            mine.leave()
            if status == 401:
                assert (await engine.request("GET", "/stream", headers)).status == 401
            else:
                client = await listen(engine, "/stream", headers)
                client.leave()
