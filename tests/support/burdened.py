"""
An engine in a process of its own that writes down how long its reactor was held.

    python -m tests.support.burdened FOLDER

`FOLDER/burden` is a file of three numbers that both sides map into memory:

- the longest turn of the reactor, in processor time of its thread;
- the most processor time that the whole process took between two ticks of the reactor: while a thread holds
  the interpreter's lock the reactor cannot tick, however long its own thread rests;
- the longest time between two ticks by the clock on the wall, for reports only.

Whoever measures writes zeros and reads later.  Neither of the first two grows while the machine works for others.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import time
from pathlib import Path
from typing import Any

from aiwebengine.cli.reactor import install

reactor = install()

from aiwebengine.app import build  # noqa: E402  it installs Twisted's reactor if there is none
from aiwebengine.features.fetch.settings import FetchSettings  # noqa: E402
from aiwebengine.observe.interpreter import favour_reactor  # noqa: E402
from aiwebengine.settings.schema import WebSocketSettings  # noqa: E402
from tests.support.engine import settings_for  # noqa: E402

FORM = struct.Struct("<3d")
TICK_SECONDS = 0.005
_LARGEST = 16 * 1024 * 1024
_LARGEST_MESSAGES = WebSocketSettings(max_message_bytes=_LARGEST, max_frame_bytes=_LARGEST, buffer_bytes=2 * _LARGEST)
"""The most that the settings allow."""
_ALL_HOSTS = FetchSettings(allow="all", networks=("127.0.0.0/8",))
"""A test plays the other servers."""


def mapped(folder: Path) -> mmap.mmap:
    """Map the file of the figures, made if it is not there."""
    descriptor = os.open(folder / "burden", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.ftruncate(descriptor, FORM.size)
        return mmap.mmap(descriptor, FORM.size)
    finally:
        os.close(descriptor)


class Figures:
    """
    Writes down what the reactor was burdened with.

    Args:
        memory: Where.
    """

    def __init__(self, memory: mmap.mmap) -> None:
        self._memory = memory
        self._thread = self._process = self._wall = 0.0

    def wakes(self) -> None:
        """A turn begins."""
        self._thread = time.thread_time()

    def sleeps(self) -> None:
        """A turn is over."""
        self._note(turn=time.thread_time() - self._thread)

    def tick(self) -> None:
        """Note what happened since the last tick."""
        process, wall = time.process_time(), time.monotonic()
        if self._process:
            self._note(process=process - self._process, wall=wall - self._wall)
        self._process, self._wall = process, wall
        reactor.callLater(TICK_SECONDS, self.tick)

    def _note(self, *, turn: float = 0.0, process: float = 0.0, wall: float = 0.0) -> None:
        known = FORM.unpack_from(self._memory)
        FORM.pack_into(self._memory, 0, max(known[0], turn), max(known[1], process), max(known[2], wall))


class _Poller:
    """The reactor's poller, with the turns told."""

    def __init__(self, poller: Any, figures: Figures) -> None:
        self._poller = poller
        self._figures = figures

    def poll(self, timeout: float, maxevents: int) -> Any:
        """See `select.epoll`."""
        self._figures.sleeps()
        try:
            return self._poller.poll(timeout, maxevents)
        finally:
            self._figures.wakes()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)


def main() -> None:
    """Run it."""
    folder = Path(sys.argv[1])
    engine = build(settings_for(folder, websocket=_LARGEST_MESSAGES, fetch=_ALL_HOSTS), reactor=reactor)
    engine.service.privilegedStartService()
    engine.service.startService()
    figures = Figures(mapped(folder))

    def listens(ready: Any) -> None:
        (folder / "address").write_text(ready.address)
        favour_reactor()
        figures.wakes()
        watched: Any = reactor
        watched._poller = _Poller(watched._poller, figures)
        figures.tick()

    engine.ready.addCallback(listens)
    reactor.addSystemEventTrigger("before", "shutdown", engine.service.stopService)
    reactor.run()


if __name__ == "__main__":
    main()
