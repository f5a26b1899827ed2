"""
What the engines of one test process share, so that each starts in a tenth of the time.

A build worker takes half a second of processor time until its first build is done, and an empty data folder a
tenth for its tables.  Neither is what the tests of an engine are about: programs are started with nothing
kept (`servers.started`), the tests of migrations make their own databases, and those of what a worker keeps or
how it dies have one of their own settings or cache, or survive that it was used before.
"""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred

from aiwebengine.build import builder
from aiwebengine.build.worker import Worker, WorkerTerms
from aiwebengine.settings.schema import BuildSettings


class LentWorker(Worker):
    """
    A worker that goes on when an engine stops, and builds for the next one.

    Its files are lowered into one folder for all engines.
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
    """What is kept."""

    workers: list[tuple[Mapping[str, Any], LentWorker]] = field(default_factory=list)
    """With what each was told first, except for its folder, and its terms."""
    cache: tempfile.TemporaryDirectory[str] | None = None
    databases: dict[str, bytes] = field(default_factory=dict)
    """The files of an empty data folder, by name."""


_KEPT = Kept()


@contextmanager
def lending() -> Iterator[None]:
    """Have engines that are started in the block build with a worker that is kept."""
    with patch.object(builder, "Worker", _lend):
        yield


def _lend(*, setup: Mapping[str, Any], settings: BuildSettings, terms: WorkerTerms, **more: Any) -> Worker:
    """Return a kept worker that fits and that no engine uses; for settings that are not the usual ones a new one."""
    if settings != BuildSettings():
        return Worker(setup=setup, settings=settings, terms=terms, **more)
    told = {**setup, "cache": "", "terms": terms}
    for known, worker in _KEPT.workers:
        if known == told and not worker.lent:
            return worker.lend()
    if _KEPT.cache is None:
        _KEPT.cache = tempfile.TemporaryDirectory(prefix="lowered-")
    worker = LentWorker(setup={**setup, "cache": _KEPT.cache.name}, settings=settings, terms=terms, **more)
    _KEPT.workers.append((told, worker))
    return worker.lend()


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
    """End the workers, at the end of a test process."""
    while _KEPT.workers:
        _, worker = _KEPT.workers.pop()
        if (ended := worker.end()) is not None:
            await ended
    if _KEPT.cache is not None:
        _KEPT.cache.cleanup()
        _KEPT.cache = None
