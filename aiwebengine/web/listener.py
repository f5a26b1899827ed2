"""
The listening socket: opened last, closed first, and handed on.

A stop drains: nothing more is accepted, each answer says `connection: close` and is the
last of its connection, and open requests have `server.stop_seconds` to finish.  A client
that keeps a connection alive may be sending its next request right now, so an idle
connection is ended only when it has had a moment for that.

A successor accepts on the same socket, in another process: then it stays open, and only
this process's descriptor of it is closed.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet import tcp
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from aiwebengine.errors import CannotStart
from aiwebengine.runtime.runner import Runner
from aiwebengine.settings.schema import ServerSettings
from aiwebengine.web.site import Site

_log = Logger()

_IDLE_SECONDS = 0.5
"""A connection without a request is ended so long after a stop began."""
_IDLE_SECONDS_HANDED_OVER = 5.0
"""The same when a successor serves: the end is not awaited."""
_MOST_ACCEPTS = 100
_BACKLOG = 1024
_PRIVILEGED_BELOW = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What is known once the engine answers."""

    address: str
    """`http://host:port`."""
    token_notice: str | None
    """What a terminal may show of an administrator token that was made at this start."""


class Listener(Service):
    """
    Accepts requests: starts last, stops first.

    Args:
        reactor: Listens.
        site: Answers.
        runner: Is waited for when the server stops.
        settings: Where to listen, how long to wait.
        ready: Fired when requests are answered.
        notices: Administrator tokens made at this start.
        folder: The data folder, for the notice.
        descriptor: Of a socket that listens already; None to open one.
        same: That socket must be where the settings say.
        first: What is waited for before anything is accepted; a predecessor accepts until then.
        ending: Called when a stop begins, to end answers that would never end by themselves.
    """

    def __init__(
        self,
        *,
        reactor: Any,
        site: Site,
        runner: Runner,
        settings: ServerSettings,
        ready: Deferred[Ready],
        notices: Sequence[str],
        folder: Path,
        descriptor: int | None = None,
        same: bool = False,
        first: Callable[[], Deferred[None]] | None = None,
        ending: Callable[[], None] = lambda: None,
    ) -> None:
        self._reactor = reactor
        self._site = site
        self._runner = runner
        self._settings = settings
        self._ready = ready
        self._notices = notices
        self._folder = folder
        self._descriptor = descriptor
        self._same = same
        self._first = first
        self._ending = ending
        self._taken = False
        self._port: IListeningPort | None = None
        self._place: tuple[str, int] | None = None
        self.handed_over = False
        """A successor accepts on the same socket."""

    @property
    def descriptor(self) -> int | None:
        """Return the listening socket's, to let a successor inherit it; None while stopped."""
        port: Any = self._port
        return None if port is None else int(port.fileno())

    @property
    def place(self) -> tuple[str, int] | None:
        """Address and port at which it listens; None if it does not."""
        return self._place

    def privilegedStartService(self) -> None:
        """
        Take a port below 1024 while this process may; there are no connections yet.

        Raises:
            CannotListenError: It may not, or another program has it.
        """
        super().privilegedStartService()
        if self._descriptor is not None or not 0 < self._settings.port < _PRIVILEGED_BELOW:
            return
        host, port = self._settings.listen, self._settings.port
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
        except OSError as error:
            sock.close()
            raise CannotListenError(host, port, error) from error
        self._descriptor, self._taken = sock.detach(), True

    def startService(self) -> Deferred[None]:
        """Listen."""
        super().startService()
        return Deferred.fromCoroutine(self._start())

    def stopService(self) -> Deferred[None]:
        """Accept nothing more, and let open requests finish for a while."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _start(self) -> None:
        if self._first is not None:
            await self._first()
        if self._descriptor is None:
            make = TCP6ServerEndpoint if ":" in self._settings.listen else TCP4ServerEndpoint
            endpoint = make(self._reactor, self._settings.port, interface=self._settings.listen, backlog=_BACKLOG)
            self._port = port = await endpoint.listen(self._site.build_factory())
        else:
            self._port = port = self._adopt(self._descriptor)
            self._descriptor = None
        where = port.getHost()
        self._place = (str(where.host), int(where.port))
        host = f"[{where.host}]" if ":" in where.host else where.host
        self._ready.callback(Ready(address=f"http://{host}:{where.port}", token_notice=self._notice()))

    def _adopt(self, descriptor: int) -> IListeningPort:
        with socket.socket(fileno=descriptor) as inherited:
            # The reactor makes a descriptor of its own; this one is closed here.
            if inherited.family not in {socket.AF_INET, socket.AF_INET6} or inherited.type != socket.SOCK_STREAM:
                raise CannotStart(
                    "The socket that was passed to the server is not one for TCP over IPv4 or IPv6; "
                    "the unit's ListenStream= must be a port or an address with a port."
                )
            if self._taken:
                inherited.listen(_BACKLOG)
            if self._same:
                self._check_same(*inherited.getsockname()[:2])
            inherited.setblocking(False)
            port: IListeningPort = self._reactor.adoptStreamPort(
                inherited.fileno(), inherited.family, self._site.build_factory()
            )
        return port

    def _check_same(self, host: str, port: int) -> None:
        settings = self._settings
        if settings.port not in {0, port} or settings.listen not in {host, "localhost"}:
            raise CannotStart(
                f"The server that is being replaced listens on {host} port {port}, the settings say {settings.listen} "
                f"port {settings.port}. To listen elsewhere, stop the server and start it again."
            )

    def _notice(self) -> str | None:
        if not self._notices:
            return None
        return (
            f"Administrator token (also in {self._folder / 'administrator-token'}):\n\n    {self._notices[-1]}\n\n"
            "It is shown only now."
        )

    async def _stop(self) -> None:
        port, self._port, self._place = self._port, None, None
        if port is not None:
            if self.handed_over:
                _keep_open(port)
            else:
                self._accept_rest(port)
            stopped = port.stopListening()
            if stopped is not None:
                await stopped
        self._ending()
        seconds = self._settings.stop_seconds
        idle = min(_IDLE_SECONDS_HANDED_OVER if self.handed_over else _IDLE_SECONDS, seconds / 2)
        drained = Deferred.fromCoroutine(self._drained(idle))
        drained.addTimeout(seconds, self._reactor)
        try:
            await drained
        except (CancelledError, Exception) as error:  # noqa: BLE001  a timeout: the rest is ended with its processes
            _log.warn("some requests did not finish in time: {why}", why=type(error).__name__)
        await self._site.end()

    async def _drained(self, idle_seconds: float) -> None:
        await self._site.drain(idle_seconds=idle_seconds)
        # What continues after its answer was sent.
        await self._runner.drained()

    def _accept_rest(self, port: IListeningPort) -> None:
        """Accept the connections that the kernel has already accepted; closing the socket would reset them."""
        if not isinstance(port, tcp.Port):
            return
        for _ in range(_MOST_ACCEPTS):
            before = self._site.connections
            port.doRead()
            if self._site.connections == before:
                return


def _keep_open(port: Any) -> None:
    """Have *port* close its descriptor only; Twisted shuts down sockets that it has not adopted, for all processes."""
    port._shouldShutdown = False  # noqa: SLF001  Twisted sets it so for adopted ones
