"""Requests that are sent after the commit: kept with everything else that the handler did, and sent until accepted."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from tests.e2e.features.fetch.asking import asking
from tests.support.clients.peer import Peer, peer
from tests.support.engine import EngineUnderTest
from tests.support.waiting import until

SOURCE = """
registerWebHandler("/later", (req) => told(async () => {
  const { url, init, fails } = JSON.parse(req.body);
  sharedStorage.setItem("sent", url);
  const r = await fetch(url, { method: "POST", afterCommit: true, ...init });
  if (fails) throw httpError(500, "no");
  return { answered: r.status, text: await r.text() };
}), "POST");
registerWebHandler("/thrown", async (req) => {
  await fetch(JSON.parse(req.body).url, { method: "POST", body: "x", afterCommit: true });
  throw new Error("no");
}, "POST");
"""


async def later(engine: EngineUnderTest, url: str, path: str = "/later", **init: Any) -> Any:
    reply = await engine.request("POST", path, {}, json.dumps({"url": url, "init": init}))
    assert reply.text, (reply.status, reply.headers)
    return reply.json()


async def listed(engine: EngineUnderTest, query: str = "") -> list[dict[str, Any]]:
    return (await engine.api("GET", f"/deliveries{query}")).json()["deliveries"]  # type: ignore[no-any-return]


async def until_failed(engine: EngineUnderTest) -> dict[str, Any]:
    """Wait until a request has failed for good."""
    found: list[dict[str, Any]] = []
    while not found:
        found = await listed(engine, "?state=failed")
    return found[0]


def key(other: Peer, number: int) -> str | None:
    return other.received[number].header("idempotency-key")


@pytest_twisted.ensureDeferred
async def test_sent_after_the_commit(tmp_path: Path) -> None:
    """The handler gets 202, the server the request, with its headers and a key; then nothing waits any more."""
    async with peer() as other, asking(tmp_path, source=SOURCE) as engine:
        other.on("/hook", lambda request: request.reply(b"thanks"))
        answer = await later(engine, other.url + "/hook?x=1", body="héllo", headers={"x-sign": "abc"})
        assert answer == {"answered": 202, "text": ""}
        await until(lambda: other.received)
        (request,) = other.received
        assert (request.method, request.body, request.header("x-sign")) == ("POST", "héllo".encode(), "abc")
        assert request.header("idempotency-key")
        while await listed(engine):
            pass


@pytest_twisted.ensureDeferred
async def test_dropped_with_the_rest(tmp_path: Path) -> None:
    """What a handler that throws wanted to be sent is never sent."""
    async with peer() as other, asking(tmp_path, source=SOURCE) as engine:
        other.on("/hook", lambda request: request.reply(b"thanks"))
        reply = await engine.request("POST", "/thrown", {}, json.dumps({"url": other.url + "/hook"}))
        assert reply.status == 500
        assert await listed(engine) == []
        await later(engine, other.url + "/hook", body="kept")
        await until(lambda: other.received)
        assert [request.body for request in other.received] == [b"kept"]


@pytest.mark.setting("fetch.delivery_attempts")
@pytest_twisted.ensureDeferred
async def test_failed_listed_and_sent_again(tmp_path: Path) -> None:
    """A request that is not accepted is listed with the reason, and can be sent again, with the same key, or removed."""
    async with peer() as other, asking(tmp_path, source=SOURCE, delivery_attempts=1) as engine:
        other.on("/hook", lambda request: request.reply(b"no", status=503))
        await later(engine, other.url + "/hook?token=hidden", body="x")
        failed = await until_failed(engine)
        assert (failed["state"], failed["attempts"], failed["error"]) == ("failed", 1, "it was answered with 503.")
        assert failed["url"] == other.url + "/hook"
        logs = (await engine.api("GET", "/logs?uri=asks")).text
        assert "was not accepted in 1 attempts" in logs
        assert "hidden" not in logs

        other.on("/hook", lambda request: request.reply(b"yes"))
        retried = await engine.api("POST", "/deliveries/retry?uri=asks")
        assert retried.json() == {"count": 1}
        await until(lambda: len(other.received) == 2)
        assert key(other, 0) == key(other, 1)

        other.on("/hook", lambda request: request.reply(b"no", status=410))
        await later(engine, other.url + "/hook", body="y")
        failed = await until_failed(engine)
        assert (await engine.api("DELETE", f"/delivery?id={failed['id']}")).status == 204
        assert (await engine.api("DELETE", f"/delivery?id={failed['id']}")).status == 404
        assert await listed(engine) == []
        assert (await engine.api("POST", "/deliveries/retry?id=none")).status == 404
        assert (await engine.api("GET", "/deliveries?state=odd")).status == 400


@pytest_twisted.ensureDeferred
async def test_sent_by_the_next_server(tmp_path: Path) -> None:
    """What waits when a server stops is sent by the next one, with the same key."""
    async with peer() as other:
        async with asking(tmp_path, source=SOURCE) as engine:
            # The first answer never comes: the server stops while the request is under way.
            other.on("/hook", lambda _: None)
            await later(engine, other.url + "/hook", body="x")
            await until(lambda: other.received)
        other.on("/hook", lambda request: request.reply(b"yes"))
        async with asking(tmp_path, source=SOURCE):
            await until(lambda: len(other.received) == 2)
            assert key(other, 0) == key(other, 1)


@pytest.mark.setting("fetch.max_delivery_bytes")
@pytest_twisted.ensureDeferred
async def test_refused(tmp_path: Path) -> None:
    """What cannot wait is refused at the call: streams, retries, large bodies, hosts that were not granted."""
    async with asking(tmp_path, source=SOURCE, max_delivery_bytes=2000) as engine:
        url = "http://127.0.0.1:8080/"
        assert (await later(engine, url, body="x" * 3000))["reason"] == "size"
        assert "no integrity, retry or redirect" in (await later(engine, url, body="x", retry=1))["message"]
        assert (await later(engine, "ftp://x/", body="x"))["type"] is True
    async with asking(tmp_path / "granted", source=SOURCE, allow="granted") as engine:
        assert (await later(engine, url, body="x"))["code"] == "denied"


@pytest.mark.setting("fetch.max_deliveries")
@pytest_twisted.ensureDeferred
async def test_too_many_wait(tmp_path: Path) -> None:
    """So many may wait; the invocation that would add one more keeps nothing."""
    async with peer() as other, asking(tmp_path, source=SOURCE, max_deliveries=1) as engine:
        other.on("/hook", lambda _: None)
        await later(engine, other.url + "/hook", body="x")
        reply = await engine.request("POST", "/later", {}, json.dumps({"url": other.url + "/hook", "init": {}}))
        assert reply.status == 429
        assert "fetch.max_deliveries" in reply.text
        assert len(await listed(engine)) == 1
