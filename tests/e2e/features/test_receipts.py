"""What an answer cost, from the request to the owner."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest_twisted

from tests.support.engine import running_engine, settings_for, shared_engine

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


TRACED = """
registerWebHandler("/a", (req, ctx) => { console.log("traced"); return { trace: ctx.invocation.traceparent }; });
registerWebHandler("/fail", () => { throw new Error("no"); });
registerQueryHandler("trace", "trace: String", (args, ctx) => ctx.invocation.traceparent);
"""


@pytest_twisted.ensureDeferred
async def test_trace() -> None:
    """The trace of a trusted client is seen by the script, and stands in its log and in kept receipts."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    asked = json.dumps({"query": "{ trace }"})
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        settings = settings_for(Path(folder))
        settings = replace(settings, server=replace(settings.server, trusted_proxies=("127.0.0.1",)))
        async with running_engine(settings) as engine:
            await engine.deploy("traced", {"main.js": TRACED})
            assert (await engine.request("GET", "/a", headers)).json() == {"trace": headers["traceparent"]}
            assert (await engine.request("GET", "/a")).json() == {"trace": None}
            reply = await engine.request("POST", "/graphql", {**headers, "content-type": "application/json"}, asked)
            assert reply.json() == {"data": {"trace": headers["traceparent"]}}
            assert (await engine.request("GET", "/fail", headers)).status == 500
            lines = (await engine.api("GET", "/logs?uri=traced")).json()["lines"]
            assert [line["fields"].get("trace") for line in lines] == [trace, None, trace]
            found = (await engine.api("GET", "/script/receipts?uri=traced")).json()
            assert [receipt["trace"] for receipt in found["recent"] if receipt["kind"] != "load"] == [
                trace,
                trace,
                None,
                trace,
            ]
            assert [receipt["trace"] for receipt in found["kept"] if receipt["why"] == "failed"] == [trace]
    async with shared_engine() as engine:
        await engine.deploy("traced", {"main.js": TRACED})
        assert (await engine.request("GET", "/a", headers)).json() == {"trace": None}


@pytest_twisted.ensureDeferred
async def test_rows() -> None:
    """A receipt counts the rows that were read and written, and a budget may bound them."""
    async with running_engine() as engine:
        manifest = {"main": "main.js", "aiwebengine": {"budgets": {"rows": "5/1h"}}}
        await engine.deploy("work", {"main.js": SCRIPT, "package.json": json.dumps(manifest)})
        for _ in range(2):
            assert (await engine.request("GET", "/store")).text == "2"
        answer = (await engine.api("GET", "/script/receipts?uri=work")).json()
        # Two writes; the second time the page is read from the table as well.
        assert sorted(receipt["rows"] for receipt in answer["recent"] if receipt["label"] == "GET /store") == [2, 4]
        assert next(route["rows"] for route in answer["routes"] if route["label"] == "GET /store") == 6
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
        answer = (await engine.api("GET", "/script/receipts?uri=work")).json()
        routes = {route["label"]: route for route in answer["routes"]}
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
        stream = next(receipt for receipt in answer["recent"] if receipt["label"] == "GET /stream")
        assert (stream["outcome"], stream["bytesOut"]) == ("committed", 2)
        (kept,) = answer["kept"]
        assert (kept["why"], kept["label"]) == ("failed", "GET /fail")
        work = next(receipt for receipt in answer["recent"] if receipt["label"] == "GET /work")
        (name,) = work["hostCalls"]
        assert work["hostCalls"][name]["count"] == 1
        assert work["wallMs"] > 0
        logs = (await engine.api("GET", f"/logs?uri=work&invocation={work['invocation']}")).json()["lines"]
        assert [line["message"] for line in logs] == ["worked"]
