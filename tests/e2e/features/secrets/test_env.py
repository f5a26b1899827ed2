"""Plain settings of scripts: `env`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import pytest_twisted

from aiwebengine.settings.schema import ScriptSettings
from tests.support.engine import running_engine, settings_for

SCRIPT = """
const names = Object.keys(env).join();
registerWebHandler("/env", () => {
  try { env.NEW = "x"; } catch (e) { /* frozen */ }
  return { names, greeting: env.GREETING, size: process.env.SIZE, proto: env["__proto__"] === Object.prototype, added: "NEW" in env };
});
"""  # noqa: E501 - a line of JavaScript is one line
MANIFEST = json.dumps({"aiwebengine": {"env": {"GREETING": "Hello", "SIZE": 20}}})


@pytest.mark.setting("scripts.env")
@pytest_twisted.ensureDeferred
async def test_env(tmp_path: Path) -> None:
    """A script has what its manifest and the settings say, at its top level too, and cannot change it."""
    made = settings_for(tmp_path, scripts=ScriptSettings(env=("greets:GREETING=Good day", "greets:MORE=1")))
    async with running_engine(made) as engine:
        await engine.deploy("greets", {"main.js": SCRIPT, "package.json": MANIFEST})
        assert (await engine.request("GET", "/env")).json() == {
            "names": "GREETING,SIZE,MORE",
            "greeting": "Good day",
            "size": "20",
            "proto": True,
            "added": False,
        }
        await engine.deploy("greets", {"main.js": SCRIPT})
        reply = (await engine.request("GET", "/env")).json()
        assert (reply["names"], "size" in reply) == ("GREETING,MORE", False)
