"""Settings of the server's edge, changed on a whole engine."""

from __future__ import annotations

import io
import json
import socket
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.logger import Logger

from aiwebengine.cli import twistd
from aiwebengine.settings.schema import HttpSettings, LogSettings, Settings
from tests.support.engine import running_engine, settings_for
from tests.support.waiting import until

SCRIPT = """
registerWebHandler("/who", function (req) { return [req.url, req.ip]; });
registerWebHandler("/size", function (req) { return req.body.length; }, "POST");
"""


def free_port(address: str) -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


@pytest.mark.setting(
    "server.listen", "server.port", "server.data_folder", "server.public_url", "server.trusted_proxies"
)
@pytest_twisted.ensureDeferred
async def test_where_it_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It serves at the address, keeps its data in the folder, has the name and believes the proxies that were given."""
    # A data folder that is not the one below would be made here.
    monkeypatch.chdir(tmp_path)
    settings = settings_for(tmp_path / "elsewhere")
    port = free_port("127.0.0.2")
    server = replace(
        settings.server,
        listen="127.0.0.2",
        port=port,
        public_url="https://example.test",
        trusted_proxies=("127.0.0.0/8",),
    )
    async with running_engine(replace(settings, server=server)) as engine:
        assert engine.address == f"http://127.0.0.2:{port}"
        assert (tmp_path / "elsewhere" / "administrator-token").exists()
        await engine.deploy("a", {"main.js": SCRIPT})
        reply = await engine.request("GET", "/who", {"x-forwarded-for": "203.0.113.9"})
        assert reply.json() == ["https://example.test/who", "203.0.113.9"]


@pytest.mark.setting("http.max_body_bytes", "http.max_header_count", "http.max_header_bytes", "http.max_target_bytes")
@pytest_twisted.ensureDeferred
async def test_how_much_it_reads(tmp_path: Path) -> None:
    """A body, a header or a target of more than the settings allow is refused."""
    http = HttpSettings(max_body_bytes=2000, max_header_count=20, max_header_bytes=2048, max_target_bytes=1000)
    async with running_engine(replace(settings_for(tmp_path), http=http)) as engine:
        await engine.deploy("a", {"main.js": SCRIPT})
        asked: list[tuple[int, str, str, dict[str, str], str]] = [
            (200, "POST", "/size", {"x-long": "y" * 1000}, "x" * 2000),
            (413, "POST", "/size", {}, "x" * 2001),
            (431, "GET", "/who", {f"x-{number}": "y" for number in range(20)}, ""),
            (431, "GET", "/who", {"x-long": "y" * 2048}, ""),
            (414, "GET", "/who?" + "y" * 1000, {}, ""),
        ]
        for status, method, path, headers, body in asked:
            assert (await engine.request(method, path, headers, body or None)).status == status


@pytest.mark.setting("http.idle_seconds")
@pytest_twisted.ensureDeferred
async def test_how_long_it_waits_for_a_request(tmp_path: Path) -> None:
    """A connection on which nothing comes is closed after the time that was set."""
    async with running_engine(replace(settings_for(tmp_path), http=HttpSettings(idle_seconds=1.0))) as engine:
        host, port = engine.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as silent:
            silent.setblocking(False)

            def closed() -> bool:
                try:
                    return silent.recv(1000) == b""
                except BlockingIOError:
                    return False

            await until(closed)


@pytest.mark.setting("logs.level", "logs.format")
@pytest.mark.parametrize(("format", "begins"), [("json", "{"), ("text", "2")])
def test_how_it_logs(format: str, begins: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: A002 - the setting's name
    """The server's log has the form that was set, and nothing below the level that was set."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    settings = Settings(logs=LogSettings(format=format, level="error"))
    log: Any = Logger(observer=twistd._observer({"nodaemon": True}, settings))
    log.info("quiet")
    log.error("loud")
    [line] = stream.getvalue().splitlines()
    assert line.startswith(begins)
    if begins == "{":
        assert json.loads(line)["message"] == "loud"
