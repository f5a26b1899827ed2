"""The way of a request is the one that the architecture describes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest_twisted

from tests.support.engine import shared_engine
from tests.support.reading.rendered import ROOT

SERVER = f"{ROOT / 'aiwebengine'}/"
SCRIPT = """
registerWebHandler("/way", async () => {
  await kv.set("way", "on");
  return "on";
});
"""


def described() -> list[str]:
    """Return the files that the architecture names for every request, in its order."""
    text = (ROOT / "docs" / "explain" / "architecture.md").read_text("utf-8")
    steps = re.sub(r"\([^)]*\)", "", text.partition("## A request\n")[2].partition("\n## ")[0])
    return [name for name in re.findall(r"`([\w/]+\.py)`", steps) if not name.startswith("sandbox/")]


@contextmanager
def passed() -> Iterator[list[str]]:
    """Note the server's files whose functions are called, in the order of the calls."""
    files: list[str] = []

    def called(frame: FrameType, event: str, argument: object) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(SERVER) and files[-1:] != [name.removeprefix(SERVER)]:
            files.append(name.removeprefix(SERVER))

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        yield files
    finally:
        sys.setprofile(before)


@pytest_twisted.ensureDeferred
async def test_way_of_a_request() -> None:
    """A request passes the files that the architecture names, in its order."""
    async with shared_engine() as engine:
        await engine.deploy("way", {"main.js": SCRIPT})
        with passed() as files:
            assert (await engine.request("GET", "/way")).status == 200
        way = described()
        assert len(way) > 12
        rest = iter(files)
        assert [name for name in way if name not in rest] == [], files
