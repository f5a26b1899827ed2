"""
A server that takes over without a gap.

    SIGUSR2   this process holds deployments and starts its own command again, in the folder in
              which it was started, with the descriptors of `services/inherited.py`
    ready     the new process has loaded everything and accepts on the same socket; this one
              accepts no more, finishes its open requests, and ends
    not so    it said why, ended, or took too long (`server.handover_seconds`): it is ended, and
              this process continues as before

The service manager, or whatever else started the server, must learn that the process changes: a
pid file is rewritten, and MAINPID is sent to the socket that NOTIFY_SOCKET names.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReadDescriptor
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from aiwebengine.cli.early import arrived
from aiwebengine.services.inherited import PREDECESSOR, InheritedDescriptors, message

_log = Logger()

_LISTENING, _LOCK, _TELL, _GONE = 3, 4, 5, 6
_MOST_BYTES = 64 * 1024


class NotReady(Exception):
    """The successor did not come to serve; says why."""


class Succession:
    """
    Starts successors.

    Args:
        reactor: Starts processes, calls later.
        command: What starts a server like this one.
        folder: Where it is started.
        environ: Its environment, but for the one variable.
        managed: A service manager opened the listening socket.
    """

    def __init__(
        self, *, reactor: Any, command: Sequence[str], folder: Path, environ: Mapping[str, str], managed: bool
    ) -> None:
        self._reactor = reactor
        self._command = list(command)
        self._folder = folder
        self._environ = dict(environ)
        self._managed = managed
        self._process: _Successor | None = None

    def start(self, *, listening: int, lock: int, pidfile: str | None, seconds: float) -> Deferred[int]:
        """
        Start one.

        Args:
            listening: Descriptor of the listening socket.
            lock: Descriptor that holds the data folder's lock.
            pidfile: What will name it.
            seconds: How long it may take to serve.

        Returns:
            Its process id, when it serves; `NotReady` if it never does, and then it has ended.
        """
        self._process = process = _Successor(reactor=self._reactor, seconds=seconds)
        report = message(
            pid=os.getpid(),
            what=InheritedDescriptors(
                listening=_LISTENING, lock=_LOCK, tell=_TELL, gone=_GONE, managed=self._managed, pidfile=pidfile
            ),
        )
        try:
            self._reactor.spawnProcess(
                process,
                self._command[0],
                self._command,
                env={**self._environ, PREDECESSOR: report},
                path=str(self._folder),
                childFDs={0: 0, 1: 1, 2: 2, _LISTENING: listening, _LOCK: lock, _TELL: "r", _GONE: "w"},
            )
        except OSError as error:
            process.refuse(f"it cannot be started: {error.strerror}")
        return process.ready

    def stop(self) -> None:
        """End a successor that does not serve yet."""
        if self._process is not None:
            self._process.give_up("the server is stopping")


class _Successor(ProcessProtocol):
    """The successor as the reactor sees it, until it serves."""

    def __init__(self, *, reactor: Any, seconds: float) -> None:
        self._said = b""
        self._why = ""
        self._seconds = seconds
        self._late: IDelayedCall = reactor.callLater(seconds, self._is_late)
        self.ready: Deferred[int] = Deferred()

    def childDataReceived(self, childFD: int, data: bytes) -> None:  # noqa: ARG002, N803  Twisted names it; there is one
        """Read what it sends."""
        self._said = (self._said + data)[:_MOST_BYTES]
        line, end, _ = self._said.partition(b"\n")
        if not end or self.ready.called:
            return
        try:
            report = json.loads(line)
        except ValueError:
            return
        if report.get("ready") and not self._why:
            self._cancel()
            self.ready.callback(self._transport.pid)
        elif report.get("failed"):
            self._why = self._why or str(report["failed"])

    def processEnded(self, reason: Failure) -> None:
        """Return why it does not serve."""
        if not self.ready.called:
            self.refuse(self._why or f"it ended before it served: {reason.getErrorMessage()}")

    def give_up(self, why: str) -> None:
        """End it if it does not serve yet."""
        if not self.ready.called:
            self._why = self._why or why
            if self._transport is not None and self._transport.pid:
                self._transport.signalProcess("KILL")

    def refuse(self, why: str) -> None:
        """Report that it will not serve."""
        self._cancel()
        if not self.ready.called:
            self.ready.errback(NotReady(why))

    @property
    def _transport(self) -> Any:
        return self.transport

    def _is_late(self) -> None:
        self.give_up(f"it did not serve within {self._seconds:g} s (server.handover_seconds)")

    def _cancel(self) -> None:
        if self._late.active():
            self._late.cancel()


class Predecessor:
    """
    The process that makes room for this one.

    Args:
        reactor: Watches it.
        inherited: What it handed on.
    """

    def __init__(self, *, reactor: Any, inherited: InheritedDescriptors) -> None:
        self._reactor = reactor
        self._tell = inherited.tell
        self._gone = inherited.gone

    def ready(self) -> None:
        """Tell it that this process serves."""
        self._say({"ready": True})

    def failed(self, why: str) -> None:
        """Tell it that this process will not."""
        self._say({"failed": why})

    def when_gone(self, call: Callable[[], None]) -> None:
        """Call once, when it has ended."""
        if self._gone is not None:
            self._reactor.addReader(_ExitPipe(reactor=self._reactor, descriptor=self._gone, call=call))
            self._gone = None

    def _say(self, what: Mapping[str, Any]) -> None:
        descriptor, self._tell = self._tell, None
        if descriptor is None:
            return
        try:
            os.write(descriptor, json.dumps(what).encode("ascii")[: _MOST_BYTES - 1] + b"\n")
        except OSError as error:
            _log.warn("the predecessor process cannot be notified: {why}", why=error.strerror)
        os.close(descriptor)


@implementer(IReadDescriptor)
class _ExitPipe:
    """The reading end of a pipe to which nothing is written: it ends with its other end's process."""

    def __init__(self, *, reactor: Any, descriptor: int, call: Callable[[], None]) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._call = call

    def fileno(self) -> int:
        """See `IFileDescriptor`."""
        return self._descriptor

    def doRead(self) -> None:
        """See `IReadDescriptor`."""
        if not os.read(self._descriptor, 1):
            self._reactor.removeReader(self)
            self.connectionLost(None)

    def connectionLost(self, reason: Any) -> None:  # noqa: ARG002  there is one
        """See `IFileDescriptor`; epoll reports the end of a pipe like this, without a read."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._call()

    def logPrefix(self) -> str:
        """See `ILoggingContext`."""
        return "predecessor"


def on_signal(reactor: Any, call: Callable[[], None]) -> None:
    """Have *call* made on the reactor when the process gets SIGUSR2, or if it got one while that was held."""
    came = arrived()
    signal.signal(signal.SIGUSR2, lambda _number, _frame: reactor.callFromThread(call))
    if came:
        reactor.callWhenRunning(call)


def notify(environ: Mapping[str, str], text: str) -> None:
    """Notify a service manager, if one listens, by the protocol of sd_notify(3)."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.setblocking(False)
            sock.sendto(text.encode(), address)
    except OSError as error:
        _log.warn("the service manager cannot be notified: {why}", why=error.strerror)
