"""Real SQLite files in a folder, used in the test's own thread."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock

from aiwebengine.features.all import FEATURES
from aiwebengine.machinery import chains_of
from aiwebengine.services.db.chain import DatabaseName
from aiwebengine.services.db.connect import Database
from tests.support.fakes.threads import ThreadsInTurn

CHAINS = chains_of(FEATURES)
"""By database, those of an engine that offers every feature."""


def open_database(folder: Path, name: DatabaseName = "main", *, clock: Clock | None = None) -> Database:
    """Return a started database; stop it with `stopService`."""
    database = Database(
        url=f"sqlite:///{folder}/{name}.sqlite3",
        threads=ThreadsInTurn(),
        name=name,
        chains=CHAINS[name],
        clock=Clock() if clock is None else clock,
        random=float,
        durable=False,
    )
    started = database.startService()
    failures: list[object] = []
    started.addErrback(failures.append)
    if failures:
        raise AssertionError(failures[0])
    return database
