"""A data folder of an engine that kept what all scripts wrote in one database: each script gets its own."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest_twisted

from aiwebengine.services.db.script_files import path_of
from tests.support.engine import EngineUnderTest, running_engine, settings_for

OLD = Path(__file__).parents[2] / "support" / "older" / "one_database.sql"
"""
The main database of such an engine, written by it: the script `shop` with orders, kept answers and a request that
waits to be sent, `notes` with more entries, and `gone`, which was deleted and can be brought back.
"""


def lay_out(folder: Path) -> None:
    """Make the data folder."""
    with closing(sqlite3.connect(folder / "main.sqlite3")) as database:
        database.executescript(OLD.read_text())
        # Its answers would be too old by now.
        database.execute("UPDATE answers SET at = strftime('%s', 'now') * 1000")
        database.commit()


async def check(engine: EngineUnderTest) -> None:
    """Require that all is there."""
    assert (await engine.request("GET", "/shop/3")).json() == [{"id": "3"}, "3"]
    again = await engine.request("POST", "/shop/keep/2", {"idempotency-key": "key2"})
    assert (again.text, again.headers.get("idempotency-replayed")) == ("kept 2", "true")
    assert (await engine.request("GET", "/notes/n59")).text == "note 59"
    assert len((await engine.request("GET", "/notes/big")).text) == 5000
    [delivery] = (await engine.api("GET", "/deliveries")).json()["deliveries"]
    assert (delivery["uri"], delivery["state"]) == ("shop", "waiting")
    assert (await engine.api("POST", "/script/rollback?uri=gone")).status == 200
    assert (await engine.request("GET", "/gone/a")).text == "was here"


@pytest_twisted.ensureDeferred
async def test_moved() -> None:
    """What scripts had stored, answered and had still to send is there, in a file for each."""
    with tempfile.TemporaryDirectory(prefix="moved-") as folder:
        lay_out(Path(folder))
        async with running_engine(settings_for(Path(folder))) as engine:
            await check(engine)
            for uri in ("shop", "notes", "gone"):
                assert path_of(Path(folder) / "scripts", uri).exists()
            with closing(sqlite3.connect(Path(folder) / "main.sqlite3")) as database:
                names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            assert not names & {"entries", "answers", "moved_entries", "moved_answers", "moved_fetch_deliveries"}
            assert list(Path(folder).glob("main.sqlite3.before-*"))
