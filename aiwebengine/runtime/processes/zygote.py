"""
The sandbox process that all children are forked from, kept alive.

It is a program of its own (`python -P -m sandbox`): this side holds only a control socket and the other ends of the
descriptors. When it dies, all that it forked dies with it; it is started again, at once the first time and then after
ever longer waits.
"""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import CannotStart, EngineError, Unavailable
from aiwebengine.runtime.wire.control import Control
from aiwebengine.services.descriptors import require_free, socket_pairs
from aiwebengine.services.retry import Backoff

_log = Logger()

_CONTROL_FD = 3
_SURFACE_FD = 4
_NO_SURFACE = '{"calls": [], "files": []}'
_BACKOFF = Backoff(first_seconds=0.05, longest_seconds=10.0)
_STABLE_SECONDS = 30.0
_MAX_STDERR = 64 * 1024
_START_SECONDS = 60.0
_SILENT_SECONDS = 10.0
_EXIT_SECONDS = 2.0
_LINES = 200
_LINES_SECONDS = 10.0
_UNLOADABLE = 3
"""The status with which it says that its JavaScript cannot be loaded; see `sandbox/__main__.py`."""
_PIPES = 6
"""Descriptors that starting it takes beside its control socket: two for each of its standard streams."""
_WHAT = "the sandbox"


class Zygote(Service):
    """
    Keeps one sandbox process alive.

    Args:
        reactor: Starts the process and watches its socket.
        refusal: Called with what protects children on this machine; returns why that is not enough; None if it is.
        surface: Returns at each start what scripts find beyond the sandbox's own, as `sandbox/surface.py` describes it.
        explain: Makes a message for people of why its JavaScript cannot be loaded, which begins with the file.
    """

    def __init__(
        self,
        *,
        reactor: Any,
        refusal: Callable[[Mapping[str, Any]], str | None] = lambda _: None,
        surface: Callable[[], str] = lambda: _NO_SURFACE,
        explain: Callable[[str], str] = str,
    ) -> None:
        self._reactor = reactor
        self._died: list[Callable[[], None]] = []
        self._refusal = refusal
        self._surface = surface
        self._explain = explain
        self._unusable: CannotStart | None = None
        """Why it can never start, if that is known and it was never ready."""
        self._was_ready = False
        self._control: Control | None = None
        self._process: _Process | None = None
        self._retry: IDelayedCall | None = None
        self._killing: IDelayedCall | None = None
        self._deaths = 0
        self._started_at = 0.0
        self._waiting: list[Callable[[EngineError | None], None]] = []
        self._stopped: Deferred[None] | None = None
        self.report: Mapping[str, Any] = {}
        """What protects children on this machine, as the sandbox found it."""
        self.restarts = 0
        self.pid = 0

    def on_death(self, died: Callable[[], None]) -> None:
        """Have *died* called each time the process died; everything forked from it is dead."""
        self._died.append(died)

    @property
    def ready(self) -> bool:
        """Return whether children can be forked."""
        return self._control is not None and bool(self.pid)

    def startService(self) -> None:
        """Start the process."""
        super().startService()
        self._start()

    def stopService(self) -> Deferred[None] | None:
        """End the process, and with it every child."""
        super().stopService()
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self._release(Unavailable("The server is stopping."))
        if self._process is None:
            return None
        self._stopped = Deferred()
        if self._control is not None:
            self._control.close()
            self._control = None
        self._process.kill()
        return self._stopped

    def control(self) -> Control | None:
        """Return the control socket; None while there is no process.  Requests sent early wait in it."""
        # It closes before this service is notified: a request in between must not be sent to a dead process.
        return self._control if self._control is not None and self._control.is_open else None

    def when_ready(self) -> Deferred[None]:
        """
        Wait for the process.

        Raises:
            Unavailable: The engine stops.
            CannotStart: What protects children is not enough, or its JavaScript cannot be loaded.
        """
        done: Deferred[None] = Deferred()
        if self.ready:
            done.callback(None)
            return done
        if self._unusable is not None:
            done.errback(self._unusable)
            return done

        def tell(error: EngineError | None) -> None:
            if done.called:
                return
            if error is None:
                done.callback(None)
            else:
                done.errback(error)

        self._waiting.append(tell)
        return done

    def _start(self) -> None:
        self._retry = None
        self._started_at = self._reactor.seconds()
        try:
            require_free(_PIPES + 2, what=_WHAT)
            ((ours, theirs),) = socket_pairs([socket.SOCK_SEQPACKET], what=_WHAT)
        except Unavailable as error:
            self._ended(error.private)
            return
        process = _Process(ended=self._ended, unloadable=self._unloadable, seconds=self._reactor.seconds)
        self._control = Control(reactor=self._reactor, sock=ours, ready=self._is_ready, lost=self._control_lost)
        try:
            self._reactor.spawnProcess(
                process,
                sys.executable,
                [
                    *(sys.executable, "-P", "-m", "sandbox"),
                    *("--control-fd", str(_CONTROL_FD), "--surface-fd", str(_SURFACE_FD)),
                ],
                env=environment(),
                path="/",
                childFDs={0: "w", 1: "r", 2: "r", _CONTROL_FD: theirs.fileno(), _SURFACE_FD: "w"},
            )
            self._process = process
            process.hand(_SURFACE_FD, self._surface().encode("ascii"))
        except OSError as error:
            self._ended(f"it cannot be started: {error.strerror}")
        finally:
            theirs.close()

    def tend(self, now: float) -> None:
        """Do what time brings, once a second: end a process that does nothing any more."""
        if self._process is None or self._control is None:
            return
        starting = not self.pid and self._started_at + _START_SECONDS < now
        if starting or self._control.silent(now, _START_SECONDS if not self.pid else _SILENT_SECONDS):
            _log.error("sandbox is not responding; killing it")
            self._process.kill()

    def _is_ready(self, event: Mapping[str, Any]) -> None:
        self.report = event.get("report", {})
        refused = self._refusal(self.report)
        if refused:
            _log.error("sandbox: {why}", why=refused)
            self._release(CannotStart(refused))
            if self._process is not None:
                self._process.kill()
            return
        self.pid = int(event["pid"])
        self._was_ready = True
        self._unusable = None
        _log.info(
            "sandbox is ready after {ms} ms, pid {pid}",
            ms=round((self._reactor.seconds() - self._started_at) * 1000),
            pid=self.pid,
        )
        for note in self.report.get("notes", {}).values():
            _log.warn("sandbox: {note}", note=note)
        self._release(None)

    def _release(self, error: EngineError | None) -> None:
        waiting, self._waiting = self._waiting, []
        for tell in waiting:
            tell(error)

    def _control_lost(self) -> None:
        control, self._control = self._control, None
        if self._process is None:
            return
        if self.pid or (control is not None and control.broken):
            self._process.kill()
        else:
            # It ends by itself, and its status and what it wrote to standard error say why.
            self._killing = self._reactor.callLater(_EXIT_SECONDS, self._process.kill)

    def _unloadable(self, reason: str) -> None:
        """Take it that the files of its JavaScript are broken: at first nothing can start, later they may be mended."""
        if not self._was_ready and self.running and self._stopped is None:
            self._unusable = CannotStart(self._explain(reason))
            self._release(self._unusable)

    def _ended(self, reason: str) -> None:
        self._process = None
        if self._killing is not None and self._killing.active():
            self._killing.cancel()
        self._killing = None
        self.pid = 0
        if self._control is not None:
            self._control.close()
            self._control = None
        for tell in self._died:
            tell()
        if self._stopped is not None:
            self._stopped.callback(None)
            self._stopped = None
            return
        if not self.running:
            return
        self.restarts += 1
        lived = self._reactor.seconds() - self._started_at
        # Nothing else starts it, so its waits need no spreading.
        self._deaths = 0 if lived > _STABLE_SECONDS else self._deaths + 1
        delay = _BACKOFF.ceiling(self._deaths) if self._deaths else 0.0
        _log.error("sandbox died ({reason}); next start in {delay} s", reason=reason, delay=delay)
        self._retry = self._reactor.callLater(delay, self._start)


def environment() -> dict[str, str]:
    """Return the sandbox's environment: the folder of its own code, without the server's."""
    spec = importlib.util.find_spec("sandbox")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("The package sandbox is not installed; install aiwebengine again.")
    folder = Path(next(iter(spec.submodule_search_locations))).parent
    variables = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if name in os.environ}
    return {**variables, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


class _Process(ProcessProtocol):
    """
    The sandbox process as the reactor sees it.

    Args:
        ended: Called once with the reason when it has ended.
        unloadable: Called before that with the reason if its JavaScript cannot be loaded.
        seconds: A clock.
    """

    def __init__(
        self, *, ended: Callable[[str], None], unloadable: Callable[[str], None], seconds: Callable[[], float]
    ) -> None:
        self._ended = ended
        self._unloadable = unloadable
        self._last = ""
        """The last line that it has written."""
        self._seconds = seconds
        self._stderr = b""
        self._lines = 0
        self._lines_from = seconds()

    def outReceived(self, data: bytes) -> None:
        self.errReceived(data)

    def errReceived(self, data: bytes) -> None:
        self._stderr = (self._stderr + data)[-_MAX_STDERR:]
        *lines, self._stderr = self._stderr.split(b"\n")
        now = self._seconds()
        if self._lines_from + _LINES_SECONDS < now:
            self._lines, self._lines_from = 0, now
        for line in lines:
            self._last = line.decode("utf-8", "backslashreplace")[:2000]
            # Children share this pipe: a flood of one must not fill the disk.
            self._lines += 1
            if self._lines == _LINES:
                _log.warn("sandbox: too much output; the rest is dropped for {span:g} s", span=_LINES_SECONDS)
            if self._lines >= _LINES:
                break
            _log.warn("sandbox: {line}", line=self._last)

    def processEnded(self, reason: Failure) -> None:
        if self._stderr:
            self.errReceived(b"\n")
        if getattr(reason.value, "exitCode", None) == _UNLOADABLE:
            self._unloadable(self._last)
        self._ended(reason.getErrorMessage())

    def hand(self, descriptor: int, data: bytes) -> None:
        """Write *data* to a descriptor of the process, and end it."""
        if self.transport is not None:
            self.transport.writeToChild(descriptor, data)
            self.transport.closeChildFD(descriptor)

    def kill(self) -> None:
        """End it, if it still runs."""
        if self.transport is not None and self.transport.pid:
            self.transport.signalProcess("KILL")
