"""A script that sends the requests that it is told to, and tells what came of them."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.settings.schema import LimitSettings
from tests.support.engine import EngineUnderTest, running_engine, settings_for

ASKING = """
async function told(work) {
  try { return await work(); } catch (e) {
    return { error: e.name, message: e.message, code: e.code, details: e.details, reason: e.details && e.details.reason, type: e instanceof TypeError, host: e instanceof HostError };
  }
}
registerWebHandler("/ask", (req) => told(async () => {
  const { url, init } = JSON.parse(req.body);
  const r = await fetch(url, init);
  return { status: r.status, statusText: r.statusText, ok: r.ok, url: r.url, redirected: r.redirected, type: r.type, headers: Object.fromEntries(r.headers), body: await r.text() };
}), "POST");
"""
_LIMITS = LimitSettings(wall_seconds=60.0)
"""A busy machine takes long, which says nothing of what is tested."""
LOOPBACK = ("127.0.0.0/8",)


@asynccontextmanager
async def asking(
    folder: Path, *, source: str = "", grants: Sequence[str] = (), **settings: Any
) -> AsyncIterator[EngineUnderTest]:
    """Run an engine with the script and more of it; all hosts and this machine may be called unless told otherwise."""
    sections = {"budgets": settings.pop("budgets")} if "budgets" in settings else {}
    made = FetchSettings(**{"allow": "all", "networks": LOOPBACK, **settings})
    async with running_engine(settings_for(folder, fetch=made, limits=_LIMITS, **sections)) as engine:
        await engine.deploy("asks", {"main.js": ASKING + source}, grants=grants)
        yield engine


async def ask(engine: EngineUnderTest, url: str, **init: Any) -> Any:
    """Have the script send a request; what it says of the answer, or of the error."""
    reply = await engine.request("POST", "/ask", {}, json.dumps({"url": url, "init": init}))
    assert reply.status == 200, reply.text
    return reply.json()


async def get(engine: EngineUnderTest, path: str) -> Any:
    """Return what a route of the script answers, as JSON."""
    reply = await engine.request("GET", path)
    assert reply.status == 200, reply.text
    return reply.json()
