"""A script that uses too much over time is stopped, its author is told why, and others are not harmed."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
import pytest_twisted

from aiwebengine.features.receipts.settings import BudgetSettings
from tests.support.engine import running_engine, settings_for, shared_engine
from tests.support.waiting import until

SCRIPT = """
registerWebHandler("/calls", function () { for (var i = 0; i < 100; i++) listAssets(); return 1; });
registerWebHandler("/lines", function () { for (var i = 0; i < 100; i++) console.log(i); return 1; });
registerWebHandler("/requests", function () { return 1; });
"""
MOST = {
    "calls": ("hostCalls", "host_calls", 250),
    "lines": ("logLines", "log_lines", 250),
    "requests": ("invocations", "invocations", 20),
}


@pytest.mark.parametrize("what", MOST)
@pytest_twisted.ensureDeferred
async def test_runaway(what: str) -> None:
    """A loop of requests, log lines or host calls ends with 429, over a restart too; the log names the budget."""
    word, resource, most = MOST[what]
    manifest = {"aiwebengine": {"entry": "main.js", "budgets": {word: f"{most}/1d"}}}
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        settings = settings_for(Path(folder))
        async with running_engine(settings) as engine:
            files = {"main.js": SCRIPT, "package.json": json.dumps(manifest)}
            await engine.deploy("greedy", files, grants=["assets"])
            await engine.deploy("modest", {"main.js": 'registerWebHandler("/modest", function () { return 1; });'})
            statuses = [(await engine.request("GET", f"/{what}")).status for _ in range(25)]
            assert statuses[0] == 200
            assert statuses[-1] == 429
            assert statuses == sorted(statuses)
            reply = await engine.request("GET", f"/{what}")
            assert reply.json()["code"] == "budget"
            assert 1 <= int(reply.headers["retry-after"]) <= 86_400
            assert (await engine.request("GET", "/modest")).status == 200
            lines = (await engine.api("GET", "/logs?uri=greedy&level=warn")).json()["lines"]
            assert [line["level"] for line in lines] == ["warn", "error"]
            assert all(line["fields"]["budget"] == resource for line in lines)
            answer = (await engine.api("GET", "/script/receipts?uri=greedy")).json()["budgets"]
            (spent,) = [budget for budget in answer if budget["resource"] == resource and budget["most"] == most]
            assert spent["used"] >= most
            assert spent["refused"] >= 1
        async with running_engine(settings) as engine:
            assert (await engine.request("GET", f"/{what}")).status == 429
            # Who has spent all may still deploy.
            await engine.deploy("greedy", {**files, "main.js": SCRIPT + " "}, grants=["assets"])
            assert (await engine.request("GET", f"/{what}")).status == 429
            assert (await engine.api("DELETE", "/script/budgets?uri=greedy")).status == 204
            assert (await engine.request("GET", f"/{what}")).status == 200


@pytest_twisted.ensureDeferred
async def test_processor_time() -> None:
    """Processor time is counted too, that of runs that were killed as well."""
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        settings = settings_for(Path(folder), budgets=BudgetSettings(cpu_time=("150ms/1d",)))
        async with running_engine(settings) as engine:
            source = 'registerWebHandler("/busy", function () { for (;;) {} }, { timeout: "200ms" });'
            await engine.deploy("busy", {"main.js": source})
            statuses: list[int] = []

            async def refused() -> bool:
                statuses.append((await engine.request("GET", "/busy")).status)
                return statuses[-1] == 429

            # How much processor time a run gets in its time depends on what else the machine does.
            await until(refused, state=lambda: statuses)
            assert statuses[0] == 504


OPEN = """
async function together(req): Promise<unknown> {
  const numbers = Array.from({ length: Number(req.query.n) }, (_, n) => n);
  await Promise.all(numbers.map((n) => kv.set("key" + n, n)));
  const read = await Promise.all(numbers.map((n) => kv.get("key" + n)));
  return read.every((one, n) => one === n) ? read.length : read;
}
registerWebHandler("/few", together, { limits: { openHostCalls: 1 } });
registerWebHandler("/more", together, { limits: { openHostCalls: 100 } });
registerWebHandler("/all", together, { limits: { hostCalls: 700 } });
"""


@pytest_twisted.ensureDeferred
async def test_calls_at_the_same_time() -> None:
    """Calls beyond as many as may wait at the same time queue; beyond those of an invocation is the author's fault."""
    async with running_engine() as engine:
        await engine.deploy("open", {"main.ts": OPEN})
        for path in ("/few", "/more", "/all"):
            reply = await engine.request("GET", f"{path}?n=300")
            assert (reply.status, reply.text) == (200, "300"), path
        reply = await engine.request("GET", "/all?n=400")
        assert (reply.status, reply.json()["code"]) == (500, "script_failed")
        assert "at most 700 host calls" in reply.json()["detail"]


@pytest_twisted.ensureDeferred
async def test_what_an_invocation_may_use() -> None:
    """A handler reads what it may use: what the server allows, and the script and the route asked for below it."""
    source = """
    let first: unknown = 0;
    export function init(ctx) { first = ctx.invocation.budget; }
    registerWebHandler("/own", (req, ctx) => [first, ctx.invocation.budget]);
    registerWebHandler("/less", (req, ctx) => ctx.invocation.budget, { timeout: "2s", limits: { hostCalls: 7 } });
    """
    manifest = {"aiwebengine": {"entry": "main.ts", "limits": {"hostCalls": 50, "cpu": "1s", "logSize": "10KB"}}}
    async with shared_engine() as engine:
        await engine.deploy("told", {"main.ts": source, "package.json": json.dumps(manifest)})
        first, own = (await engine.request("GET", "/own")).json()
        assert first is None
        assert own == {
            "timeout": 10_000,
            "cpu": 1000,
            "answer": 20 << 20,
            "stream": 1 << 30,
            "hostCalls": 50,
            "openHostCalls": 256,
            "logLines": 1000,
            "logSize": 10_000,
        }
        less = (await engine.request("GET", "/less")).json()
        assert less == {**own, "timeout": 2000, "hostCalls": 7}
