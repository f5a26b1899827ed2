"""An engine with a Redis server, and one without."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from aiwebengine.services.redis import client
from aiwebengine.settings.schema import RedisSettings
from tests.support.engine import EngineUnderTest, running_engine, settings_for
from tests.support.redis.server import free_port, redis_server
from tests.support.servers import started
from tests.support.waiting import until

HELLO = 'registerWebHandler("/hello", () => "hello");'


async def _figures(engine: EngineUnderTest) -> tuple[Any, Any]:
    state = (await engine.api("GET", "/state")).json()
    return state, (await engine.request("GET", "/health/ready")).json()


@pytest.mark.setting("redis.url")
@pytest_twisted.ensureDeferred
async def test_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """State and health tell of the Redis server; when it dies the engine goes on degraded, and recovers with it."""
    monkeypatch.setattr(client, "_LOOK_SECONDS", 0.05)
    with redis_server() as server, tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder), redis=RedisSettings(url=server.url, command_seconds=5.0))
        async with running_engine(settings) as engine:
            await engine.deploy("hello", {"main.js": HELLO})
            state, health = await _figures(engine)
            assert state["redis"] == {
                "address": f"{server.url}/0", "connections": 3, "channels": 1, "interruptions": 0,
            }  # fmt: skip
            assert state["dependencies"]["Redis server"]["state"] == "closed"
            assert (health["status"], health["breakers"]["Redis server"]) == ("ok", "closed")
            server.kill()
            await _until(engine, "open", "degraded")
            state, _ = await _figures(engine)
            assert "why" in state["redis"]
            assert (await engine.request("GET", "/hello")).text == "hello"
            server.start()
            await _until(engine, "closed", "ok")


async def _until(engine: EngineUnderTest, breaker: str, status: str) -> None:
    seen: list[Any] = []

    async def so() -> bool:
        _, health = await _figures(engine)
        seen.append((health["breakers"]["Redis server"], health["status"]))
        return bool(seen[-1] == (breaker, status))

    await until(so, state=lambda: seen[-1])


@pytest_twisted.ensureDeferred
async def test_without() -> None:
    """Without an address there is nothing of it."""
    async with running_engine() as engine:
        state, health = await _figures(engine)
        assert "redis" not in state
        assert "Redis server" not in {*state["dependencies"], *health["breakers"]}


def test_client_is_not_loaded() -> None:
    """Nor is its client loaded, which would cost every start its time."""
    look = "import sys, aiwebengine.app; sys.exit('txredisapi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0


def test_password_is_not_logged(tmp_path: Path) -> None:
    """A server that cannot reach its Redis server says so without the password, and serves."""
    url = f"redis://:s3cret@127.0.0.1:{free_port()}/0"
    flags = ("--set", f"redis.url={url}", "--set", "redis.connect_seconds=0.3")
    with started(tmp_path, *flags) as server:
        assert server.address
        assert server.status("/health/live") == 200
        assert server.stop() == 0
        assert "there is no connection to the Redis server redis://127.0.0.1" in server.output
        assert "s3cret" not in server.output
