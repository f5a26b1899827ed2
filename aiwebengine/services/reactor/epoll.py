"""
The epoll reactor without a log context for each event, and with few events in a turn.

Twisted's own enters a context that names the descriptor before it reads from it, for the sake of log lines in an old
form.  That takes as long as a tenth of a request, and the engine's log lines name their module instead.

Twisted's own also deals with all that has happened in one turn.  When ten thousand clients disconnect at the same time,
nothing else would run for as long as that takes; the kernel reports the rest in the next turns.
"""

from __future__ import annotations

import errno
from select import EPOLLIN
from typing import Any

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.main import installReactor
from twisted.logger import Logger

_log = Logger()
_EVENTS = 64
"""Most events of one turn."""


class LeanEPollReactor(EPollReactor):
    """See the module."""

    def doPoll(self, timeout: float | None) -> None:
        """See `EPollReactor.doPoll`."""
        try:
            events = self._poller.poll(-1 if timeout is None else timeout, _EVENTS)
        except OSError as error:
            # A signal has come; on its way Python has had its handler called.
            if error.errno == errno.EINTR:
                return
            raise
        selectables = self._selectables
        for descriptor, event in events:
            # An event before this one may have closed it.
            selectable = selectables.get(descriptor)
            if selectable is None:
                continue
            try:
                if event == EPOLLIN:
                    self._read(selectable)
                else:
                    self._doReadOrWrite(selectable, descriptor, event)
            except BaseException:  # noqa: BLE001  as Twisted's: the reactor continues whatever a descriptor does
                _log.failure("a file descriptor could not be handled")

    doIteration = doPoll

    def _read(self, selectable: Any) -> None:
        """Have *selectable* read; as `_doReadOrWrite`, for what nearly every event is."""
        try:
            why = selectable.doRead()
        except BaseException as error:  # noqa: BLE001  see above
            _log.failure("reading from a descriptor failed")
            why = error
        if why:
            self._disconnectSelectable(selectable, why, isRead=True)


def install() -> None:
    """Make it the reactor of this process."""
    installReactor(LeanEPollReactor())
