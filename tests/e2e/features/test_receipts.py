"""What an answer cost, from the request to the owner."""

from __future__ import annotations

import json
import re

import pytest_twisted

from tests.support.engine import running_engine

SCRIPT = """
registerWebHandler("/work", function (req) {
  var sum = 0;
  for (var i = 0; i < 100000; i++) sum += i;
  listAssets();
  console.log("worked");
  return { headers: req.headers.get("x-aiwebengine-token") };
});
registerWebHandler("/stream", function* () { yield "a"; yield "b"; });
registerWebHandler("/store", async function () {
  await kv.set("a", 1);
  await kv.set("b", 2);
  await kv.get("a");
  return (await kv.list()).entries.length + ((await kv.get("c")) || 0);
});
registerWebHandler("/fail", function () { throw new Error("no"); });
"""


@pytest_twisted.ensureDeferred
async def test_server_timing() -> None:
    """Who sends the administrator token is told what the answer cost; a script never sees that token."""
    async with running_engine() as engine:
        await engine.deploy("work", {"main.js": SCRIPT}, grants=["assets"])
        reply = await engine.request("GET", "/work", {"x-aiwebengine-token": engine.token})
        assert reply.json() == {"headers": None}
        timing = reply.headers["server-timing"]
        durations = {name: float(value) for name, value in re.findall(r"(\w+);dur=([\d.]+)", timing)}
        assert list(durations) == ["total", "queue", "script", "cpu", "host"]
        assert durations["total"] >= durations["script"] > 0
        assert durations["cpu"] > 0
        assert 'desc="1 host calls"' in timing
        streamed = await engine.request("GET", "/stream", {"x-aiwebengine-token": engine.token})
        assert "server-timing" in streamed.headers
        for token in ("wrong", ""):
            reply = await engine.request("GET", "/work", {"x-aiwebengine-token": token} if token else {})
            assert "server-timing" not in reply.headers


@pytest_twisted.ensureDeferred
async def test_rows() -> None:
    """A receipt counts the rows that were read and written, and a budget may bound them."""
    async with running_engine() as engine:
        manifest = {"main": "main.js", "aiwebengine": {"budgets": {"rows": "5/1h"}}}
        await engine.deploy("work", {"main.js": SCRIPT, "package.json": json.dumps(manifest)})
        for _ in range(2):
            assert (await engine.request("GET", "/store")).text == "2"
        told = (await engine.api("GET", "/script/receipts?uri=work")).json()
        # Two writes; the second time the page is read from the table as well.
        assert sorted(one["rows"] for one in told["recent"] if one["label"] == "GET /store") == [2, 4]
        assert next(route["rows"] for route in told["routes"] if route["label"] == "GET /store") == 6
        refused = await engine.request("GET", "/store")
        assert (refused.status, refused.json()["code"]) == (429, "budget")
        assert "rows" in refused.json()["detail"]


@pytest_twisted.ensureDeferred
async def test_receipts() -> None:
    """The owner reads what routes and single invocations cost, and why one was kept."""
    async with running_engine() as engine:
        await engine.deploy("work", {"main.js": SCRIPT}, grants=["assets"])
        for path in ("/work", "/work", "/fail", "/stream"):
            await engine.request("GET", path)
        told = (await engine.api("GET", "/script/receipts?uri=work")).json()
        routes = {route["label"]: route for route in told["routes"]}
        assert {label: route["count"] for label, route in routes.items()} == {
            "GET /work": 2,
            "GET /fail": 1,
            "GET /stream": 1,
            "load": 1,
        }
        assert routes["GET /work"]["hostCalls"] == 2
        assert routes["GET /work"]["logLines"] == 2
        assert routes["GET /work"]["peakBytes"] > 1_000_000
        assert routes["GET /fail"]["errors"] == {"script_failed": 1}
        stream = next(one for one in told["recent"] if one["label"] == "GET /stream")
        assert (stream["outcome"], stream["bytesOut"]) == ("committed", 2)
        (kept,) = told["kept"]
        assert (kept["why"], kept["label"]) == ("failed", "GET /fail")
        work = next(one for one in told["recent"] if one["label"] == "GET /work")
        (name,) = work["hostCalls"]
        assert work["hostCalls"][name]["count"] == 1
        assert work["wallMs"] > 0
        logs = (await engine.api("GET", f"/logs?uri=work&invocation={work['invocation']}")).json()["lines"]
        assert [line["message"] for line in logs] == ["worked"]
