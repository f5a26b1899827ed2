"""A script that holds secrets says none of them, wherever it got their values; others are not searched."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest_twisted
from twisted.internet.protocol import Protocol

from tests.e2e.features.secrets.test_requests import KEY, engine_with
from tests.support.engine import EngineUnderTest
from tests.support.waiting import until

MARK = "[secret KEY]"
SCRIPT = """
registerWebHandler("/say", (req) => ({ status: 200, headers: { "x-said": req.body }, body: "it is " + req.body }), "POST");
registerWebHandler("/json", (req) => ({ said: req.body }), "POST");
registerWebHandler("/bytes", (req) => new Response(new TextEncoder().encode("\\u00ff" + req.body)), "POST");
registerWebHandler("/base64", (req) => btoa("user:" + req.body), "POST");
registerWebHandler("/logged", (req) => { console.log("it is", { key: req.body }); return "ok"; }, "POST");
registerWebHandler("/thrown", (req) => { throw new Error("it is " + req.body); }, "POST");
registerWebHandler("/pieces", (req) => {
  async function* pieces() { for (const letter of req.body + "!") yield letter; }
  return new Response(ReadableStream.from(pieces()));
}, "POST");
registerWebHandler("/kept", async (req) => { await kv.set("key", req.body); return String((await kv.get("key")).length); }, "POST");
registerWebStream("/news");
registerWebHandler("/tell", (req) => { sendStreamMessage({ key: req.body }); return "told"; }, "POST");
registerQueryHandler("key", "type Query { key(text: String): String }", ({ text }) => text);
"""


class _Reading(Protocol):
    def __init__(self, seen: list[bytes]) -> None:
        self._seen = seen

    def dataReceived(self, data: bytes) -> None:
        self._seen.append(data)


async def say(engine: EngineUnderTest, path: str) -> str:
    return (await engine.request("POST", path, {}, KEY)).text


@pytest_twisted.ensureDeferred
async def test_everywhere(tmp_path: Path) -> None:
    """Answers, headers, streams in pieces, GraphQL, errors, log lines and recordings have the mark in its place."""
    async with engine_with(tmp_path, ["secret:KEY"]) as engine:
        await engine.deploy("says", {"main.js": SCRIPT}, grants=["secret:KEY"])
        await engine.api("PUT", "/recording-rule?uri=says&mode=always")
        reply = await engine.request("POST", "/say", {}, KEY)
        assert (reply.text, reply.headers["x-said"]) == (f"it is {MARK}", MARK)
        assert json.loads(await say(engine, "/json")) == {"said": MARK}
        assert (await say(engine, "/bytes")).endswith(MARK)
        assert MARK in await say(engine, "/base64")
        assert await say(engine, "/pieces") == MARK + "!"
        assert MARK in await say(engine, "/thrown")
        assert await say(engine, "/logged") == "ok"
        assert await say(engine, "/kept") == str(len(KEY))
        query = {"query": "query($t: String) { key(text: $t) }", "variables": {"t": KEY}}
        reply = await engine.request("POST", "/graphql", {"content-type": "application/json"}, json.dumps(query))
        assert reply.json() == {"data": {"key": MARK}}
        logs = (await engine.api("GET", "/logs?uri=says")).text
        assert MARK in logs
        recordings = (await engine.api("GET", "/recordings?uri=says")).json()["recordings"]
        whole = [(await engine.api("GET", f"/recording?id={each['id']}")).text for each in recordings]
        assert any("kv.set" in text for text in whole)
        shown = "".join([logs, *(text for text in whole if "kv.set" in text)])
        calls = [json.dumps(json.loads(text).get("calls", [])) for text in whole]
        assert KEY not in logs + "".join(calls)
        assert base64.b64encode(KEY.encode()).decode()[:-4] not in shown


@pytest_twisted.ensureDeferred
async def test_streams(tmp_path: Path) -> None:
    """An event stream has the mark in its messages."""
    async with engine_with(tmp_path, ["secret:KEY"]) as engine:
        await engine.deploy("says", {"main.js": SCRIPT}, grants=["secret:KEY"])
        response = await engine.open("GET", "/news")
        seen: list[bytes] = []
        response.deliverBody(_Reading(seen))
        await say(engine, "/tell")
        await until(lambda: b"key" in b"".join(seen))
        assert MARK.encode() in b"".join(seen)
        assert KEY.encode() not in b"".join(seen)


@pytest_twisted.ensureDeferred
async def test_others_pay_nothing(tmp_path: Path) -> None:
    """A script without secrets is not searched, and one that loses its grant neither."""
    async with engine_with(tmp_path, ["secret:KEY"]) as engine:
        await engine.deploy("says", {"main.js": SCRIPT})
        assert await say(engine, "/say") == f"it is {KEY}"
        await engine.deploy("says", {"main.js": SCRIPT}, grants=["secret:KEY"])
        assert await say(engine, "/say") == f"it is {MARK}"
        await engine.deploy("says", {"main.js": SCRIPT + " "})
        assert await say(engine, "/say") == f"it is {KEY}"
