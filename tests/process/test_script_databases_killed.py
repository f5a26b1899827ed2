"""Databases of scripts whose server is killed at any moment."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
import sqlalchemy as sa

from aiwebengine.features.idempotency.tables import answers
from aiwebengine.services.db.tables import outbox
from tests.support.script_writer import URIS, databases_of
from tests.support.waiting import wait_until

_ROUNDS = 6


def _killed(folder: Path) -> list[list[str]]:
    """Run the writer for a moment, kill it, and return what it said."""
    output = folder / "output"
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.script_writer", str(folder)],
            cwd=Path(__file__).parents[2],
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:

            def writes() -> bool:
                assert process.poll() is None, output.read_text()
                return output.stat().st_size >= 2000

            wait_until(writes, state=output.read_text)
            time.sleep(random.random() * 0.5)
        finally:
            process.kill()
            process.wait()
    said = output.read_bytes().decode()
    assert "failed" not in said, said
    # The last line may be cut short.
    return [line.split() for line in said.split("\n")[:-1]]


class _Expected:
    """What must and must not be in the file of one script, from what the writer said of it."""

    def __init__(self) -> None:
        self.begun: set[str] = set()
        self.kept: set[str] = set()
        """Units that were done, with no removal beside or after them."""
        self.gone: set[str] = set()
        """Units that were done before a removal that was done."""
        self._done: set[str] = set()
        self._alone: set[str] = set()
        self._removals: dict[str, set[str]] = {}

    def take(self, word: str, kind: str, unit: str) -> None:
        """Take one line."""
        if kind == "remove" and word == "begin":
            self._removals[unit] = set(self._done)
            self._alone, self.kept = set(), set()
        elif kind == "remove":
            self.gone |= self._removals.pop(unit)
        elif kind in {"write", "publish"} and word == "begin":
            self.begun.add(unit)
            if not self._removals:
                self._alone.add(unit)
        elif kind in {"write", "publish"}:
            self._done.add(unit)
            if unit in self._alone:
                self.kept.add(unit)


@pytest.mark.slow("it kills a program many times")
@pytest_twisted.ensureDeferred
async def test_killed_at_any_moment(tmp_path: Path) -> None:
    """What was committed is there, nothing is damaged, and every message that waits is found by way of the index."""
    for round_ in range(_ROUNDS):
        folder = tmp_path / str(round_)
        folder.mkdir()
        expected = {uri: _Expected() for uri in URIS}
        for word, kind, uri, unit in _killed(folder):
            expected[uri].take(word, kind, unit)
        threads, main, databases = databases_of(folder)
        threads.startService()
        await main.startService()
        await databases.startService()
        due = await databases.due(2**62)
        for uri in URIS:
            found, waiting = await databases.of(uri).read(_content)
            assert expected[uri].kept <= found <= expected[uri].begun - expected[uri].gone
            assert not waiting or uri in due, f"{uri} has messages that no start would find"
            assert waiting <= found
            check = await databases.of(uri).read(_integrity)
            assert check == "ok"
        await databases.stopService()
        if (stopped := main.stopService()) is not None:
            await stopped
        await threads.stopService()


def _content(connection: Any) -> tuple[set[str], set[str]]:
    units = set(connection.execute(sa.select(answers.c.key)).scalars())
    return units, set(connection.execute(sa.select(outbox.c.unit)).scalars())


def _integrity(connection: Any) -> str:
    return str(connection.execute(sa.text("PRAGMA integrity_check")).scalar())
