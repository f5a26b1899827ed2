"""Hono's middleware and helpers that are made of streams, in a script that uses them over HTTP."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import pytest_twisted

from aiwebengine.settings.schema import BuildSettings
from tests.support.engine import running_engine, settings_for
from tests.support.reading.rendered import ROOT

NPM_CACHE = ROOT / "build-cache" / "npm"
_FOLDER = ROOT / "tests" / "support" / "packages" / "hono"
_TEXT = {"content-type": "text/plain"}

pytestmark = pytest.mark.skipif(
    not (NPM_CACHE / "filled").exists(), reason="the npm packages were not fetched; run make test with a network"
)


@pytest_twisted.ensureDeferred
async def test_streams(tmp_path: Path) -> None:
    """The helpers stream, compress() compresses, and bodyLimit() lets through what is small enough."""
    build = BuildSettings(npm_cache=str(NPM_CACHE), npm_offline=True, build_seconds=200)
    async with running_engine(settings_for(tmp_path, build=build)) as engine:
        await engine.deploy("hono", {path.name: path.read_text("utf-8") for path in _FOLDER.iterdir()})
        assert (await engine.request("GET", "/text")).text == "one\ntwo\n"
        assert (await engine.request("GET", "/raw")).text == "hi piped"
        events = await engine.request("GET", "/sse")
        assert events.headers["content-type"] == "text/event-stream"
        assert events.text == "event: tick\ndata: n0\nid: 0\n\nevent: tick\ndata: n1\nid: 1\n\n"
        small = await engine.request("GET", "/gz/text", {"accept-encoding": "gzip"})
        assert small.headers["content-encoding"] == "gzip"
        assert gzip.decompress(small.body) == b"words " * 500
        assert (await engine.request("POST", "/limited", _TEXT, "short")).text == "short"
        refused = await engine.request("POST", "/limited", _TEXT, "much too long for this")
        assert (refused.status, refused.text) == (413, "too large")
