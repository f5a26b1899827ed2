"""
Sandbox processes that go on when an engine stops, for the next one of the same test process.

Starting one takes a third of a second of processor time, most of it for the prelude, which is the same for all
engines with the same features.  Only an unharmed process is kept, and only when everything that it forked is gone:
it is then as it was when it became ready.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from aiwebengine.runtime.processes import zygote
from aiwebengine.runtime.processes.zygote import Zygote

_MOST_KEPT = 3
_PAUSE_SECONDS = 0.002
_PATIENCE_SECONDS = 2.0

_KEPT: list[KeptZygote] = []
"""Those whose process runs and serves no engine; the one that was used last stands last."""


class KeptZygote(Zygote):
    """
    A zygote that may take over the process of one that has stopped.

    A process stays with the zygote that started it, its lender, which passes on to its borrower what it hears of it.
    """

    def __init__(self, *, reactor: Any, **more: Any) -> None:
        super().__init__(reactor=reactor, **more)
        self._terms: tuple[str, Mapping[str, str]] = ("", {})
        """The surface and the environment with which the process was started."""
        self._lender = self
        self._borrower = self
        self._giving_back: Deferred[None] | None = None

    def startService(self) -> None:
        """See `Zygote.startService`; takes over a process that was started in the same way, if there is one."""
        self._terms = (self._surface(), zygote.environment())
        lender = next((kept for kept in reversed(_KEPT) if kept.serves(self._terms)), None)
        if lender is None:
            super().startService()
            return
        _KEPT.remove(lender)
        Service.startService(self)
        self._lender, lender._borrower = lender, self
        self._process, self._control = lender._process, lender._control
        self._started_at = self._reactor.seconds()
        # As always it is ready only when everybody waits for it.
        self._retry = self._reactor.callLater(0, self._take_over, {"pid": lender.pid, "report": lender.report})

    def stopService(self) -> Deferred[None] | None:
        """See `Zygote.stopService`; an unharmed process is stored."""
        if self._giving_back is not None or self.control() is None or not self.pid:
            return super().stopService()
        Service.stopService(self)
        self._giving_back = Deferred.fromCoroutine(self._give_back())
        return self._giving_back

    def serves(self, terms: tuple[str, Mapping[str, str]]) -> bool:
        """Return whether its process can be taken over by a zygote with these terms."""
        return self._terms == terms and self.ready

    def end(self) -> Deferred[None] | None:
        """End the kept process."""
        return super().stopService()

    def _start(self) -> None:
        self._lender = self._borrower = self
        super()._start()

    def _take_over(self, result: Mapping[str, Any]) -> None:
        self._retry = None
        self._is_ready(result)

    async def _give_back(self) -> None:
        end = time.monotonic() + _PATIENCE_SECONDS
        while self.control() is not None and _children(self.pid) and time.monotonic() < end:
            await deferLater(self._reactor, _PAUSE_SECONDS)
        self._giving_back = None
        if self.control() is None or _children(self.pid):
            await _ended(super().stopService())
            return
        lender = self._lender
        lender._terms, lender._borrower, lender._died = self._terms, lender, []
        lender.report, lender.pid, lender._process, lender._control = (
            self.report,
            self.pid,
            self._process,
            self._control,
        )
        if self is not lender:
            self.pid, self._process, self._control = 0, None, None
        _KEPT.append(lender)
        while len(_KEPT) > _MOST_KEPT:
            await _ended(_KEPT.pop(0).end())

    # What a process is told to call; see the class.

    def _is_ready(self, event: Mapping[str, Any]) -> None:
        super(KeptZygote, self._borrower)._is_ready(event)

    def _control_lost(self) -> None:
        super(KeptZygote, self._borrower)._control_lost()

    def _unloadable(self, reason: str) -> None:
        super(KeptZygote, self._borrower)._unloadable(reason)

    def _ended(self, reason: str) -> None:
        super(KeptZygote, self._borrower)._ended(reason)


async def end_sandboxes() -> None:
    """End the processes that are kept, at the end of a test process."""
    while _KEPT:
        await _ended(_KEPT.pop().end())


async def _ended(ending: Deferred[None] | None) -> None:
    if ending is not None:
        await ending


def _children(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return ""
