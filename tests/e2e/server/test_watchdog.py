"""A server that is held says for whom it worked, and where."""

from __future__ import annotations

import time
from typing import Any

import pytest
import pytest_twisted

from aiwebengine.web.http.payload import payload
from tests.support.engine import running_engine


@pytest_twisted.ensureDeferred
async def test_held_by_a_route(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that holds the reactor is in the state with its route and the place in the engine."""

    def slow(*given: Any, **named: Any) -> str:
        ends = time.monotonic() + 0.2
        while time.monotonic() < ends:
            sum(range(1000))
        return payload(*given, **named)

    monkeypatch.setattr("aiwebengine.web.site.payload", slow)
    async with running_engine() as engine:
        await engine.deploy("slow", {"main.js": 'registerWebHandler("/slow", () => "done");'})
        assert (await engine.request("GET", "/slow")).text == "done"
        state = (await engine.api("GET", "/state")).json()["reactor"]
        assert state["watched"] is True
        assert state["over50ms"] >= 1, state
        # Whatever else takes long on a busy machine is told as well.
        held = [hold for hold in state["last"] if hold["subject"] == 'GET /slow of "slow"' and hold["ms"] >= 200]
        assert "web.site._route" in {hold["phase"] for hold in held}, state
