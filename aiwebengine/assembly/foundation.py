"""What everything stands on: data folder, threads, databases, logs."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from aiwebengine.machinery import Foundation
from aiwebengine.observe.background import Background
from aiwebengine.observe.logs import ScriptLogs
from aiwebengine.observe.points import Passed
from aiwebengine.observe.watchdog import Watchdog
from aiwebengine.scripts.stacks import Stacks
from aiwebengine.scripts.store import ScriptStore
from aiwebengine.services.db.chain import DatabaseName, MigrationChain
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.engines import SqliteEngines, sqlite_url
from aiwebengine.services.db.log_rows import DatabaseLogRows
from aiwebengine.services.entropy import EntropyPool
from aiwebengine.services.reactor.cooperative import CooperativeTasks
from aiwebengine.services.threads import Threads
from aiwebengine.settings.schema import Settings

if TYPE_CHECKING:
    from aiwebengine.services.redis.client import RedisStore

_THREADS = 4
_SCRIPT_THREADS = 8
"""Each commit waits for the disk, and those of several scripts wait together."""
_EVIDENCE_THREADS = 2
_UNPACKING_THREADS = 2


# Long: a list of what everything stands on.
def build_foundation(
    settings: Settings,
    *,
    reactor: Any,
    passed: Passed,
    alone: bool,
    chains: Mapping[DatabaseName, Sequence[MigrationChain]],
) -> Foundation:
    """
    Build it; no file is opened and no thread started before the services start.

    Args:
        alone: No predecessor serves on the same data.
        chains: The migrations of each database.
    """
    folder = Path(settings.server.data_folder).absolute()
    threads = Threads(reactor=reactor, name="database", size=_THREADS)
    script_threads = Threads(reactor=reactor, name="script databases", size=_SCRIPT_THREADS)
    evidence_threads = Threads(reactor=reactor, name="evidence", size=_EVIDENCE_THREADS)
    unpacking_threads = Threads(reactor=reactor, name="unpacking", size=_UNPACKING_THREADS)
    random = SystemRandom()
    entropy = EntropyPool(fetch=os.urandom)
    sqlite = SqliteEngines()
    database = Database(
        url=sqlite_url(folder / "main.sqlite3"),
        threads=threads,
        name="main",
        chains=chains["main"],
        clock=reactor,
        random=random.random,
        connections=_THREADS,
        alone=alone,
        sqlite=sqlite,
    )
    evidence = Database(
        url=sqlite_url(folder / "evidence.sqlite3"),
        threads=evidence_threads,
        name="evidence",
        chains=chains["evidence"],
        clock=reactor,
        random=random.random,
        connections=_EVIDENCE_THREADS,
        durable=False,
        alone=alone,
        sqlite=sqlite,
    )
    store = ScriptStore(database=database, milliseconds=_milliseconds)
    stacks = Stacks(source=store, threads=unpacking_threads)
    return Foundation(
        settings=settings,
        reactor=reactor,
        passed=passed,
        folder=folder,
        milliseconds=_milliseconds,
        seconds=time.time,
        watchdog=Watchdog(reactor=reactor, wall=time.time),
        random=random,
        entropy=entropy.take,
        new_id=entropy.new_id,
        alone=alone,
        threads=threads,
        script_threads=script_threads,
        evidence_threads=evidence_threads,
        unpacking_threads=unpacking_threads,
        tasks=CooperativeTasks(clock=reactor),
        sqlite=sqlite,
        database=database,
        evidence=evidence,
        chains=chains,
        redis=_redis(settings, reactor=reactor, random=random),
        background=Background(clock=reactor),
        store=store,
        stacks=stacks,
        logs=ScriptLogs(
            rows=DatabaseLogRows(database=evidence),
            settings=settings.logs,
            clock=reactor,
            seconds=time.time,
            readable=stacks.readable,
            passed=passed,
        ),
    )


def _redis(settings: Settings, *, reactor: Any, random: SystemRandom) -> RedisStore | None:
    if not settings.redis.url:
        return None
    from aiwebengine.services.redis.client import RedisStore  # noqa: PLC0415  who has no Redis need not load its client

    return RedisStore(settings=settings.redis, reactor=reactor, random=random.random)


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000
