"""Data folders that an earlier version of the engine has written."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from contextlib import closing
from pathlib import Path

from tests.support.servers import started

_BEFORE_CHAINS = Path(__file__).parents[2] / "unit" / "services" / "db" / "before_chains"


def test_from_before_chains(tmp_path: Path) -> None:
    """Scripts, assets and what scripts stored are served on, from a folder in which Alembic kept the revisions."""
    (tmp_path / "data").mkdir(mode=0o700)
    for name in ("main", "evidence"):
        with closing(sqlite3.connect(tmp_path / "data" / f"{name}.sqlite3")) as connection:
            connection.executescript((_BEFORE_CHAINS / f"{name}.sql").read_text("utf-8"))
    numbers = []
    for _ in range(2):
        with started(tmp_path) as server:
            assert server.address
            assert server.status("/engine/api/asset?path=/hello.txt", token=server.token) == 200
            with urllib.request.urlopen(server.address + "/orders", b"tea", timeout=30) as response:
                numbers.append(json.load(response)["number"])
            assert server.stop() == 0
    assert numbers == [3, 4]
