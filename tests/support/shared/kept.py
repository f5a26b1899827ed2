"""
What the engines of one test process share, so that each starts in a tenth of the time.

A build worker takes half a second of processor time until its first build is done, a sandbox a third of a second
(see `sandboxes.py`), and an empty data folder a tenth for its tables.  None of these is what the tests of an
engine are about: programs are started with nothing kept (`servers.started`), the tests of migrations make their own
databases, and those of what a worker keeps or how it dies have one of their own settings or cache, or survive that
it was used before.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred

from aiwebengine.assembly import running
from aiwebengine.build import builder
from aiwebengine.build.worker import Worker, WorkerTerms
from aiwebengine.settings.schema import BuildSettings
from tests.support.shared.sandboxes import KeptZygote, end_sandboxes

_LOWERED = Path(__file__).parents[3] / "build-cache" / "lowered"
_UNUSED_SECONDS = 24 * 3600.0
_MOST_IDLE = 3


class LentWorker(Worker):
    """
    A worker that goes on when an engine stops, and builds for the next one.

    Its files are lowered into a folder that all test processes share, and later runs too: what lies there depends on
    nothing but what was lowered, the toolchain's content and what the worker was told first.
    """

    lent = False
    """Whether an engine uses it: it has one request in hand at most."""

    def lend(self) -> LentWorker:
        """Begin to count anew."""
        self.lent = True
        self.starts, self.built = int(self._process is not None), 0
        return self

    def stop(self) -> Deferred[None] | None:
        """See `Worker.stop`; nothing is ended unless a request is in hand, which fails."""
        self.lent = False
        return super().stop() if self._current is not None else None

    def end(self) -> Deferred[None] | None:
        """End the process."""
        return super().stop()


@dataclass(slots=True)
class Kept:
    """What is stored."""

    workers: list[tuple[Mapping[str, Any], LentWorker]] = field(default_factory=list)
    """With what each was told first, except for its folder, and its terms."""
    databases: dict[str, bytes] = field(default_factory=dict)
    """The files of an empty data folder, by name."""


_KEPT = Kept()


@contextmanager
def lending() -> Iterator[None]:
    """Have engines that are made and started in the block use a worker and a sandbox that are kept."""
    with patch.object(builder, "Worker", _lend), patch.object(running, "Zygote", KeptZygote):
        yield


def _lend(*, setup: Mapping[str, Any], settings: BuildSettings, terms: WorkerTerms, **more: Any) -> Worker:
    """Return a kept worker that fits and that no engine uses; for settings that are not the usual ones a new one."""
    if not _is_usual(settings):
        return Worker(setup=setup, settings=settings, terms=terms, **more)
    data = {**setup, "cache": "", "terms": terms, "settings": settings}
    for known, worker in _KEPT.workers:
        if known == data and not worker.lent:
            return worker.lend()
    idle = [(known, worker) for known, worker in _KEPT.workers if not worker.lent]
    for known, worker in idle[: max(0, len(idle) + 1 - _MOST_IDLE)]:
        _KEPT.workers.remove((known, worker))
        worker.end()
    worker = LentWorker(setup={**setup, "cache": str(_lowered(setup))}, settings=settings, terms=terms, **more)
    _KEPT.workers.append((data, worker))
    return worker.lend()


def _is_usual(settings: BuildSettings) -> bool:
    """Return whether nothing but the way to packages and more time differ from the usual settings."""
    usual = BuildSettings()
    patient = settings.build_seconds >= usual.build_seconds
    of_packages = replace(settings, npm_cache="", npm_offline=False, build_seconds=usual.build_seconds)
    return patient and of_packages == usual


def _lowered(setup: Mapping[str, Any]) -> Path:
    """Return the folder for what is lowered with *setup*; those of other setups are removed after a day without use."""
    said = json.dumps({**setup, "cache": ""}, sort_keys=True)
    folder = _LOWERED / hashlib.sha256(said.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    for other in _LOWERED.iterdir():
        # Another test process may remove it as well.
        with suppress(FileNotFoundError):
            if other.stat().st_mtime < time.time() - _UNUSED_SECONDS:
                shutil.rmtree(other)
    return folder


async def lay_out(folder: Path, make: Callable[[Path], Awaitable[None]]) -> None:
    """
    Put the databases of an empty data folder into *folder*, if it is empty.

    Args:
        folder: The data folder of an engine that will start.
        make: Starts and stops an engine on a folder; called once in a test process.
    """
    if folder.exists() and any(folder.iterdir()):
        return
    if not _KEPT.databases:
        with tempfile.TemporaryDirectory(prefix="empty-") as empty:
            await make(Path(empty))
            _KEPT.databases = {path.name: path.read_bytes() for path in Path(empty).glob("*.sqlite3")}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in _KEPT.databases.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)


async def end_kept() -> None:
    """End the workers and the sandboxes, at the end of a test process."""
    await end_sandboxes()
    while _KEPT.workers:
        _, worker = _KEPT.workers.pop()
        if (ended := worker.end()) is not None:
            await ended
