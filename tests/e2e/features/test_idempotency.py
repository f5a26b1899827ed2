"""Requests with an `idempotency-key`: done once, however often they come."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from aiwebengine.features.idempotency.settings import IdempotencySettings
from tests.support.engine import EngineUnderTest, Reply, running_engine, settings_for
from tests.support.waiting import until

SCRIPT = """
registerWebHandler("/orders", async (req) => {
  if (req.query.fail && !sharedStorage.getItem("mended")) throw new Error("broken");
  const number = await kv.increment("orders");
  while (req.query.slow && !sharedStorage.getItem("go")) await new Promise((resolve) => setTimeout(resolve, 10));
  if (req.query.large) return "x".repeat(1100000);
  return json({ number, body: req.body }, { status: 201, headers: { "x-order": "n" + number } });
}, { method: "POST", idempotent: true });
registerWebHandler("/strict", () => kv.increment("strict"), { method: "POST", idempotent: "required" });
registerWebHandler("/stream", async function* () {
  await kv.increment("streams");
  yield "a";
  yield "b";
}, { method: "POST", idempotent: true });
registerWebHandler("/later", (req, ctx) => {
  ctx.waitUntil(kv.increment("later"));
  return "soon";
}, { method: "POST", idempotent: true });
registerWebHandler("/mend", () => { sharedStorage.setItem("mended", "1"); return "ok"; }, "POST");
registerWebHandler("/go", () => { sharedStorage.setItem("go", "1"); return "ok"; }, "POST");
registerWebHandler("/counts", () => Promise.all(["orders", "strict", "later"].map(async (key) => (await kv.get(key)) ?? 0)));
"""


async def post(engine: EngineUnderTest, path: str, key: str = "", body: str = "tea", **headers: str) -> Reply:
    """Send a request, with a key if there is one."""
    named = {"idempotency-key": key} if key else {}
    return await engine.request("POST", path, {**named, **headers}, body)


async def counts(engine: EngineUnderTest) -> Any:
    """Return how often each handler has done what it does."""
    return (await engine.request("GET", "/counts")).json()


@pytest_twisted.ensureDeferred
async def test_done_once() -> None:
    """A request that comes again gets the same answer, and nothing is done; without a key it is another request."""
    async with running_engine() as engine:
        await engine.deploy("orders", {"main.ts": SCRIPT})
        first = await post(engine, "/orders", "k1")
        again = await post(engine, "/orders", "k1")
        assert (first.status, first.json(), first.headers["x-order"]) == (201, {"number": 1, "body": "tea"}, "n1")
        assert (again.status, again.body, again.headers["x-order"]) == (first.status, first.body, "n1")
        assert again.headers["content-type"] == first.headers["content-type"]
        assert again.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in first.headers
        assert first.headers["x-request-id"] != again.headers["x-request-id"]
        # Another key, no key, another sender: another request.
        for number, headers in enumerate(({"key": "k2"}, {}, {"key": "k1", "authorization": "Basic eA=="}), 2):
            assert (await post(engine, "/orders", **headers)).json()["number"] == number
        # It holds for every version of the script.
        await engine.deploy("orders", {"main.ts": SCRIPT + "// changed"})
        assert (await post(engine, "/orders", "k1")).json()["number"] == 1
        assert (await counts(engine))[0] == 4


@pytest_twisted.ensureDeferred
async def test_purged() -> None:
    """With a script that is purged its answers go; one that is only deleted has them again when it comes back."""
    async with running_engine() as engine:
        for purge, replayed in (("", "true"), ("&purge=true", None)):
            await engine.deploy("orders", {"main.ts": SCRIPT})
            await post(engine, "/orders", "k1")
            assert (await engine.api("DELETE", f"/script?uri=orders{purge}")).status == 204
            await engine.deploy("orders", {"main.ts": SCRIPT})
            again = await post(engine, "/orders", "k1")
            assert (again.status, again.headers.get("idempotency-replayed")) == (201, replayed)


@pytest_twisted.ensureDeferred
async def test_other_request() -> None:
    """The same key with another body or query is refused, and nothing is done."""
    async with running_engine() as engine:
        await engine.deploy("orders", {"main.ts": SCRIPT})
        await post(engine, "/orders", "k1")
        for path, body in (("/orders", "coffee"), ("/orders?x=1", "tea")):
            refused = await post(engine, path, "k1", body)
            assert (refused.status, refused.json()["code"]) == (400, "invalid")
            assert "another request" in refused.json()["detail"]
        for key in ("a b", "x" * 256, "é".encode().decode("latin-1")):
            assert (await post(engine, "/orders", key)).status == 400
        assert (await counts(engine))[0] == 1


@pytest_twisted.ensureDeferred
async def test_failed() -> None:
    """A request that failed has kept nothing: it is run when it comes again."""
    async with running_engine() as engine:
        await engine.deploy("orders", {"main.ts": SCRIPT})
        assert (await post(engine, "/orders?fail=1", "k1")).status == 500
        assert (await post(engine, "/orders?fail=1", "k1")).status == 500
        await post(engine, "/mend")
        assert (await post(engine, "/orders?fail=1", "k1")).json()["number"] == 1
        assert (await post(engine, "/orders?fail=1", "k1")).json()["number"] == 1


@pytest_twisted.ensureDeferred
async def test_required() -> None:
    """Where a key is demanded a request without one is refused, with what to send."""
    async with running_engine() as engine:
        await engine.deploy("orders", {"main.ts": SCRIPT})
        refused = await post(engine, "/strict")
        assert refused.status == 400
        assert "needs the header idempotency-key" in refused.json()["detail"]
        assert (await post(engine, "/strict", "k")).text == "1"
        assert (await post(engine, "/strict", "k")).text == "1"


@pytest_twisted.ensureDeferred
async def test_not_kept() -> None:
    """What was streamed or is too large was done once all the same; what went on after its answer is stored."""
    async with running_engine() as engine:
        await engine.deploy("orders", {"main.ts": SCRIPT})
        assert (await post(engine, "/stream", "s")).text == "ab"
        again = await post(engine, "/stream", "s")
        assert (again.status, again.json()["code"]) == (409, "conflict")
        assert len((await post(engine, "/orders?large=1", "l")).body) == 1_100_000
        assert (await post(engine, "/orders?large=1", "l")).status == 409
        assert (await post(engine, "/later", "w")).text == "soon"
        assert (await post(engine, "/later", "w")).text == "soon"

        async def all_is_done() -> bool:
            done = await counts(engine)
            assert done in ([1, 0, 0], [1, 0, 1])
            return bool(done == [1, 0, 1])

        # What goes on after an answer may still be going on.
        await until(all_is_done)


@pytest_twisted.ensureDeferred
async def test_in_hand() -> None:
    """While a request is being worked on the same one gets 409, and its answer afterwards."""
    async with running_engine() as engine:
        await engine.deploy("orders", {"main.ts": SCRIPT})
        asked = [Deferred.fromCoroutine(post(engine, "/orders?slow=1", "k1")) for _ in range(4)]
        # All but one of them; that one lasts until then.
        await until(lambda: sum(request.called for request in asked) == 3, state=engine.engine.runner.state)
        await post(engine, "/go")
        replies = await gatherResults(asked)
        assert sorted(reply.status for reply in replies) == [201, 409, 409, 409]
        assert all(int(reply.headers["retry-after"]) >= 1 for reply in replies if reply.status == 409)
        assert (await post(engine, "/orders?slow=1", "k1")).json()["number"] == 1
        assert (await counts(engine))[0] == 1


@pytest_twisted.ensureDeferred
async def test_killed() -> None:
    """A handler whose process is killed has kept nothing, and its request is done once when it comes again."""
    async with running_engine() as engine:
        await engine.deploy("orders", {"main.ts": SCRIPT})
        asked = Deferred.fromCoroutine(post(engine, "/orders?slow=1", "k1"))
        state: Any = engine.engine.runner.state

        def pids() -> list[int]:
            # The pid is 0 until the fork is reported, and 0 would mean everything that runs this test.
            return [
                clone["pid"]
                for each in state()["versions"]
                for clone in each["clones"]
                if clone["busy"] and clone["pid"]
            ]

        [pid] = await until(pids, state=state)
        os.kill(pid, signal.SIGKILL)
        await until(lambda: pid not in pids(), state=state)
        await post(engine, "/go")
        assert (await asked).json()["number"] == 1
        assert (await post(engine, "/orders?slow=1", "k1")).json()["number"] == 1


@pytest.mark.setting("idempotency.keep_seconds")
@pytest_twisted.ensureDeferred
async def test_restart() -> None:
    """Kept answers survive a restart, for as long as the setting says."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with running_engine(settings_for(folder)) as engine:
            await engine.deploy("orders", {"main.ts": SCRIPT})
            await post(engine, "/orders", "k1")
        async with running_engine(settings_for(folder)) as engine:
            assert (await post(engine, "/orders", "k1")).json()["number"] == 1
        settings = settings_for(folder, idempotency=IdempotencySettings(keep_seconds=1.0))
        async with running_engine(settings) as engine:

            async def forgotten() -> bool:
                return bool((await post(engine, "/orders", "k1")).json()["number"] > 1)

            await until(forgotten)
            assert (await counts(engine))[0] >= 2
