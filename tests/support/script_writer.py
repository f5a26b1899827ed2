"""
A program that writes to the databases of scripts until it is killed, and says what is committed.

    python script_writer.py FOLDER

Each line of its output is `begin KIND URI UNIT` before something, or `done KIND URI UNIT` when its result is there.
"""

from __future__ import annotations

import random
import sys
import time
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from aiwebengine.features.idempotency.migrations import OWN_IDEMPOTENCY
from aiwebengine.features.idempotency.tables import answers
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.migrations.lists import MACHINERY_CHAINS
from aiwebengine.services.db.script_databases import SqliteScriptDatabases
from aiwebengine.services.db.tables import outbox
from aiwebengine.services.db.units import Transaction
from aiwebengine.services.threads import Threads

URIS = tuple(f"script{at}" for at in range(6))


def databases_of(folder: Path) -> tuple[Threads, Database, SqliteScriptDatabases]:
    """Return what is to be started, in this order."""
    threads = Threads(reactor=reactor, name="writer", size=4)
    main = Database(
        url=f"sqlite:///{folder}/main.sqlite3",
        threads=threads,
        name="main",
        chains=MACHINERY_CHAINS["main"],
        clock=reactor,
        random=random.random,
    )
    databases = SqliteScriptDatabases(
        folder=folder / "scripts",
        threads=threads,
        main=main,
        chains=(*MACHINERY_CHAINS["script"], OWN_IDEMPOTENCY),
        clock=reactor,
        random=random.random,
        milliseconds=lambda: time.time_ns() // 1_000_000,
        published=lambda _: None,
        most_open=3,
    )
    return threads, main, databases


def _say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


async def _write(databases: SqliteScriptDatabases, worker: int) -> None:
    """Commit units that keep an answer, and some that also publish; remove a database now and then."""
    choose = random.Random(time.time_ns() + worker)
    count = 0
    while True:
        count += 1
        uri, unit = choose.choice(URIS), f"u{worker}x{count}"
        database = databases.of(uri)
        kind = choose.choices(("write", "publish", "deliver", "remove"), (10, 6, 3, 1))[0]
        _say("begin", kind, uri, unit)
        if kind == "remove":
            await database.remove()
        elif kind == "deliver":
            await database.run(lambda connection: connection.execute(sa.delete(outbox)))
        else:
            await database.commit(unit, partial(_keep, unit=unit, publish=kind == "publish"))
        _say("done", kind, uri, unit)


def _keep(transaction: Transaction, *, unit: str, publish: bool) -> None:
    transaction.connection.execute(
        sa.insert(answers).values(key=unit, request="", at=transaction.now, status=200, headers="[]", body=None)
    )
    if publish:
        transaction.publish("mail", unit)


async def main() -> None:
    """Start, and write for ever."""
    threads, main_database, databases = databases_of(Path(sys.argv[1]))
    threads.startService()
    await main_database.startService()
    await databases.startService()
    await gatherResults([Deferred.fromCoroutine(_write(databases, worker)) for worker in range(4)])


if __name__ == "__main__":
    Deferred.fromCoroutine(main()).addErrback(lambda failure: _say("failed", failure.getTraceback()))
    reactor.run()
