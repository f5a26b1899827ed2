"""Streams, read by clients that others have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.protocols.portforward import ProxyFactory, ProxyServer

from aiwebengine.settings.schema import LiveSettings
from tests.e2e.scripts.test_examples import deployed
from tests.support.clients.foreign import CHROMIUM, NPM_CACHE, Program, client_programs
from tests.support.engine import running_engine, settings_for

SCRIPT = """
registerWebStream("/news", { history: 200 });
registerWebStream("/state", { onConnect: () => "hello" });
registerWebHandler("/send/:number", (req) => {
  sendStreamMessage(Number(req.params.number), req.query.event ? { event: req.query.event } : {});
  return "sent";
}, "POST");
"""

pytestmark = pytest.mark.skipif(
    not (NPM_CACHE / "filled").exists(), reason="the npm packages were not fetched; run make test with a network"
)


class Wire:
    """A way to the server that can be cut."""

    def __init__(self, address: str) -> None:
        host, _, port = address.removeprefix("http://").partition(":")
        self._open: list[Any] = []
        factory = ProxyFactory(host, int(port))
        factory.noisy = False
        wire = self

        class Server(ProxyServer):
            def connectionMade(self) -> None:
                wire._open.append(self)
                super().connectionMade()

        factory.protocol = Server
        self._port: Any = reactor.listenTCP(0, factory, interface="127.0.0.1")
        where: Any = self._port.getHost()
        self.address = f"http://127.0.0.1:{where.port}"

    def cut(self) -> None:
        """Break every connection, as a network does."""
        for connection in self._open:
            connection.transport.abortConnection()
        self._open.clear()

    async def close(self) -> None:
        """Listen no longer."""
        self.cut()
        await self._port.stopListening()


@pytest_twisted.ensureDeferred
async def test_eventsource_comes_back(tmp_path: Path) -> None:
    """The package eventsource loses nothing and hears nothing twice, however often its connection is cut."""
    clients = client_programs()
    settings = settings_for(tmp_path / "data", live=LiveSettings(retry_seconds=0.1))
    async with running_engine(settings) as engine:
        await engine.deploy("news", {"main.ts": SCRIPT})
        wire = Wire(engine.address)
        program = Program(["eventsource.mjs", f"{wire.address}/news"], clients)
        try:
            await program.until(lambda: bool(program.of("open")))
            for number in range(120):
                await engine.request("POST", f"/send/{number}")
                if number == 0:
                    await program.until(lambda: bool(program.of("message")))
                elif number % 20 == 10:
                    wire.cut()
            await program.until(lambda: len(program.of("message")) >= 120)
            await engine.request("POST", "/send/120?event=note")
            await program.until(lambda: bool(program.of("note")))
            assert [json.loads(event["data"]) for event in program.of("message")] == list(range(120)), program.errors
            assert not program.of("gap")
            assert len(program.of("open")) > 1
            ids = [event["id"] for event in program.of("message")]
            assert len(ids) == len(set(ids))
            # The stream goes away: the client is told, comes back once, and stops.
            await engine.deploy("news", {"main.ts": 'registerWebHandler("/", () => "no more streams");'})
            await program.until(lambda: any(error["closed"] for error in program.of("error")))
            assert json.loads(program.of("end")[0]["data"])["reason"] == "gone"
            assert [error["code"] for error in program.of("error") if error["closed"]] == [404]
        finally:
            await program.stop()
            await wire.close()


@pytest_twisted.ensureDeferred
async def test_the_chat_in_a_browser(tmp_path: Path) -> None:
    """Two people talk in Chromium: what is said is shown as it stands, to both, and a whisper to one."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    lines = 'Array.from(document.querySelectorAll("#lines li"), (one) => one.className + " " + one.textContent)'

    def say(text: str) -> str:
        done = f"document.getElementById('text').value = {json.dumps(text)}"
        return f"({done}, document.querySelector('button').click(), true)"

    async with running_engine() as engine:
        await deployed(engine, "chat")
        await engine.request(
            "POST", "/chat/lobby", {"content-type": "application/json"}, '{"name": "ada", "text": "was here <b>"}'
        )
        program = Program(
            [
                "browser.mjs", CHROMIUM, str(tmp_path / "profile"), f"{engine.address}/chat/lobby",
                f'{lines}.length === 1 && document.getElementById("state").textContent === "listening" && {lines}',
                say("hello <i>there</i>"),
                f"{lines}.length === 2 && {lines}",
                say("@nobody psst"),
                f"{lines}.length === 3 && {lines}",
            ],
            client_programs(),
        )  # fmt: skip
        try:
            await program.ended.addTimeout(90, reactor)
        finally:
            await program.stop()
        assert program.lines[0] == ["line ada: was here <b>"], program.errors
        kinds = [line.split(" ")[0] for line in program.lines[4]]
        assert kinds == ["line", "line", "whisper"]
        assert program.lines[2][1].endswith(": hello <i>there</i>")
