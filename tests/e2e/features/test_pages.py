"""What features show to those who look after a server."""

from __future__ import annotations

import pytest_twisted

from aiwebengine.cli.main import commands
from tests.support.engine import running_engine


@pytest_twisted.ensureDeferred
async def test_pages_of_the_engine() -> None:
    """Each page that the engine has can be read, says what it needs, and names a command that there is."""
    async with running_engine() as engine:
        await engine.deploy("notes", {"main.js": 'registerWebHandler("/", () => "hi");'})
        pages = (await engine.api("GET", "/pages")).json()["pages"]
        assert [page["name"] for page in pages] == [
            "scripts", "logs", "state", "receipts", "recordings", "recording-rules", "assets",
        ]  # fmt: skip
        known = {"uri": "notes"}
        for page in pages:
            path = page["path"].removeprefix("/engine/api")
            if page["parameters"]:
                assert (await engine.api("GET", path)).status == 400
            query = "&".join(f"{name}={known[name]}" for name in page["parameters"])
            reply = await engine.api("GET", f"{path}?{query}")
            assert (reply.status, isinstance(reply.json(), dict)) == (200, True), page
            assert page["command"] is None or page["command"] in commands()
            assert page["title"], page["summary"].endswith(".")
