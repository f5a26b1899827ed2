"""
The engine as one service that is built only when it starts.

twistd forks between making a service and starting it, and nothing that holds a process, a
thread or a database may be made before.  A start that fails stops the process with one
clear message and the exit code 1; a traceback is shown only for what is a fault of the engine.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.cli.successor import NotReady, Predecessor, Succession
from aiwebengine.errors import CannotStart, EngineError
from aiwebengine.services.inherited import NOTHING, InheritedDescriptors
from aiwebengine.services.lock import ADDRESS_NAME
from aiwebengine.settings.schema import Settings

_log = Logger()


class Readiness(Protocol):
    """What is reported once the engine answers requests."""

    address: str
    token_notice: str | None


class RunningEngine(Service):
    """
    Build the engine, start it, and report the outcome.

    Args:
        settings: All of them, loaded.
        build: `aiwebengine.app.build`, or what stands in for it in a test.
        reactor: Handed on to `build`.
        started: Called once, when requests are answered.
        failed: Called once with a message for people if the start failed; the caller then stops the process.
        inherited: What the process inherited.
        succession: Starts successors; None: there will be none.
        pidfile: Names the process that serves, if anything does; asked at a handover.
        handed_over: Called with the process id of a successor that serves; the caller then stops the process.
        settled: Called when the start is over and the engine serves.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        build: Callable[..., Any],
        reactor: Any,
        started: Callable[[Readiness], None],
        failed: Callable[[str], None],
        inherited: InheritedDescriptors = NOTHING,
        succession: Succession | None = None,
        pidfile: Callable[[], str | None] = lambda: None,
        handed_over: Callable[[int], None] = lambda _: None,
        settled: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._build = build
        self._reactor = reactor
        self._started = started
        self._failed = failed
        self._address_file = Path(settings.server.data_folder) / ADDRESS_NAME
        self._engine: Any = None
        self._broken = False
        self._inherited = inherited
        self._predecessor = Predecessor(reactor=reactor, inherited=inherited)
        self._succession = succession
        self._pidfile = pidfile
        self._tell_handed_over = handed_over
        self._settled = settled
        self._serving = False
        self._noted = False
        self._starting = True
        self._handover_waits = False
        self._handing_over = False
        self._replaced = False

    def privilegedStartService(self) -> None:
        """Build the engine: after the fork of a daemon, while a low port may still be opened."""
        super().privilegedStartService()
        self._attempt(self._build_engine)

    def startService(self) -> None:
        """Start it; `started` or `failed` follows."""
        super().startService()
        if self._engine is None and not self._broken:
            self._attempt(self._build_engine)
        if self._engine is not None and not self._broken:
            self._attempt(self._start_engine)

    def stopService(self) -> Deferred[Any] | None:
        """Stop it; also one whose start failed half-way."""
        super().stopService()
        engine, self._engine = self._engine, None
        self._serving = False
        self._starting = False
        if engine is None:
            return None
        if self._succession is not None:
            self._succession.stop()
        if self._noted and not self._replaced:
            # A server that never answered, or has a successor, leaves the file of the one that is running.
            with contextlib.suppress(OSError):
                self._address_file.unlink()
        stopping: Deferred[Any] | None = engine.service.stopService()
        return stopping

    def _build_engine(self) -> None:
        self._engine = self._build(self._settings, reactor=self._reactor, inherited=self._inherited)
        self._engine.service.privilegedStartService()

    def _start_engine(self) -> None:
        # What fails before this returns is raised, not reported from inside a Deferred that would swallow what `failed`
        # raises: a daemon reports it to its parent process.
        early: list[Failure] = []
        starting = True

        def ended(failure: Failure) -> None:
            if starting:
                early.append(failure)
            else:
                self._ended(failure)

        ready: Deferred[Any] = self._engine.ready
        ready.addCallbacks(self._answers, ended)
        self._engine.service.startService()
        starting = False
        if early:
            early[0].raiseException()

    def _answers(self, ready: Readiness) -> None:
        # For commands on this machine.
        self._noted = True
        try:
            self._address_file.write_text(f"{ready.address}\n", "ascii")
        except OSError as error:
            # A full disk leaves an empty file behind.
            with contextlib.suppress(OSError):
                self._address_file.unlink()
            _log.warn(
                "the address cannot be written to {file}: {why}. Commands on this machine need --server {address}",
                file=str(self._address_file),
                why=error.strerror,
                address=ready.address,
            )
        self._serving = True
        self._starting = False
        self._started(ready)
        self._predecessor.ready()
        self._predecessor.when_gone(self._alone)
        self._settled()
        if self._handover_waits:
            self.hand_over()

    def hand_over(self) -> None:
        """Have a successor serve, and end; what goes wrong is in the log, and nothing has changed then."""
        if self._starting and self._succession is not None:
            _log.info("the handover begins when this process serves")
            self._handover_waits = True
            return
        if self._succession is None or not self._serving or self._handing_over:
            _log.warn("handover refused: the server is stopping, or already handing over")
            return
        self._handing_over = True
        Deferred.fromCoroutine(self._hand_over(self._succession, self._engine.handover)).addErrback(
            lambda failure: _log.failure("the handover failed", failure)
        )

    async def _hand_over(self, succession: Succession, handover: Any) -> None:
        _log.info("starting a successor process")
        try:
            listening, lock = await handover.begin()
            pid = await succession.start(
                listening=listening,
                lock=lock,
                pidfile=self._pidfile(),
                seconds=self._settings.server.handover_seconds,
            )
        except (NotReady, EngineError) as error:
            self._go_on(handover)
            if self.running:
                _log.error("handover failed, this process keeps serving: {why}", why=str(error))
            else:
                _log.info("the handover was abandoned: the server is stopping")
            return
        except BaseException:
            self._go_on(handover)
            raise
        self._replaced = True
        handover.done()
        _log.info("process {pid} is serving; this one finishes its open requests and exits", pid=pid)
        self._tell_handed_over(pid)

    def _go_on(self, handover: Any) -> None:
        self._handing_over = False
        handover.fail()

    def _alone(self) -> None:
        if self._engine is not None:
            _log.info("the predecessor process has exited")
            self._engine.handover.inherit()

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:  # noqa: BLE001  Whatever goes wrong at the start must end the process with a message.
            self._ended(Failure())

    def _ended(self, failure: Failure) -> None:
        if not self._broken:
            self._broken = True
            self._starting = False
            why = explain(failure, self._settings)
            self._predecessor.failed(why)
            self._failed(why)


def explain(failure: Failure, settings: Settings) -> str:
    """Say to people why the engine did not start and what to change."""
    error = failure.value
    if isinstance(error, CannotStart):
        return error.public
    if isinstance(error, CannotListenError):
        return _cannot_listen(error, settings)
    _log.failure("the start failed", failure=failure)
    return (
        f"The server cannot start because of an internal error: {type(error).__name__}: {error}. "
        "The server log has the traceback."
    )


def _cannot_listen(error: CannotListenError, settings: Settings) -> str:
    where = f"{settings.server.listen} port {settings.server.port}"
    cause = error.socketError
    number = getattr(cause, "errno", None)
    if number == errno.EADDRINUSE:
        return (
            f"Another program already listens on {where}. Stop it, or choose another port with --port "
            "(0 takes a free one)."
        )
    if number == errno.EACCES:
        return f"This user may not listen on {where}. Choose a port from 1024 up with --port."
    if number == errno.EADDRNOTAVAIL or isinstance(cause, socket.gaierror):
        return f"This machine has no address {settings.server.listen}. Choose one that it has with --listen."
    return f"The server cannot listen on {where}: {cause}."
