"""
WebSockets: connections that began with HTTP.

What the request asks for was read, routed and admitted (`upgrade.py`); then the connection changes hands
(`Channel.upgrade`), and from there on all that comes is frames (`reading.py`) of one socket (`open_socket.py`).  What
belongs to all of them is here: limits, back pressure in both directions, messages that are put together once for all
who get them (`frames.py`), pings (`heartbeats.py`), and an end when the server stops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError, TooMany, Unavailable
from aiwebengine.services.reactor.turn_share import TurnShare
from aiwebengine.services.threads import Runs
from aiwebengine.settings.schema import WebSocketSettings
from aiwebengine.values import Request
from aiwebengine.web.http.exchange import Exchange
from aiwebengine.web.websocket.heartbeats import Heartbeats
from aiwebengine.web.websocket.open_socket import Open, SocketContext, WebSocket
from aiwebengine.web.websocket.upgrade import Endpoint, check_origin, read_handshake
from aiwebengine.web.write_batch import WriteBatch

_log = Logger()
_FRAME_PARSER = "aiwebengine.web.websocket.frame_parser"
_STOPPING = "The server is shutting down; reconnect in a moment."
_TOGETHER_SECONDS = 0.02
_RESTART = 1012


class WebSockets:
    """
    All open WebSockets.

    Args:
        reactor: Times them.
        settings: The limits.
        threads: Where autobahn is imported.
        reading: How much of what clients send is processed in one turn of the reactor.
        writing: How much is written in one turn.
    """

    def __init__(
        self, *, reactor: Any, settings: WebSocketSettings, threads: Runs, reading: TurnShare, writing: TurnShare
    ) -> None:
        self._clock = reactor
        self._threads = threads
        self._reading = reading
        self._settings = settings
        self._open: dict[WebSocket, str] = {}
        self._owners: dict[str, int] = {}
        self._opened = 0
        self._refused = 0
        self._stopping = False
        self._writing = writing
        self._together = WriteBatch(clock=reactor, seconds=_TOGETHER_SECONDS, share=writing)
        self._heartbeats = Heartbeats(
            clock=reactor, ping_seconds=settings.ping_seconds, pong_seconds=settings.pong_seconds, share=writing
        )
        self._context: SocketContext | None = None
        """None until the first socket was requested."""

    def admit(self, request: Request, *, modern: bool, owner: str, origins: Sequence[str] = ()) -> None:
        """
        Refuse what may not become a WebSocket.

        Args:
            modern: The request is HTTP/1.1.
            owner: Whose limit it counts for: a script's URI; empty for the engine.
            origins: From which pages it may be opened, beside the server's own and those of the settings.

        Raises:
            UpgradeRequired, Invalid: It does not ask for one, or wrongly.
            Denied: Its page is of another origin.
            TooMany: A limit is reached.
            Unavailable: The server stops.
        """
        read_handshake(request, modern=modern)
        check_origin(request, (*self._settings.origins, *origins))
        if self._stopping:
            raise Unavailable(_STOPPING, retry_seconds=1.0)
        for has, most, what in (
            (len(self._open), self._settings.max_connections, "on this server"),
            (self._owners.get(owner, 0), self._settings.max_script_connections, "of this script"),
        ):
            if has >= most and (owner or what == "on this server"):
                self._refused += 1
                raise TooMany(
                    f"There may be at most {most} open WebSockets {what}; try again later.", retry_seconds=5.0
                )

    def choose(self, request: Request, spoken: Sequence[str]) -> str:
        """Return the subprotocol for a request that was admitted; empty for none."""
        return read_handshake(request, modern=True).choose(spoken)

    def begin(
        self, exchange: Exchange, request: Request, *, owner: str, protocols: Sequence[str], opened: Open
    ) -> None:
        """
        Answer a request that was admitted with a WebSocket.

        Args:
            owner: See `admit`.
            protocols: Subprotocols that are spoken there.
            opened: Called with the socket when it is open; returns the listener to its events.
        """
        begin = partial(self._begin, exchange, request, owner=owner, protocols=protocols, opened=opened)
        if self._context is not None:
            begin(self._context)
            return
        # The first one takes a fifth of a second, in a thread.
        loading = self._threads.run(import_module, _FRAME_PARSER)
        loading.addCallback(self._loaded).addCallback(begin)
        loading.addErrback(self._failed, exchange)

    def _loaded(self, frame_parser: Any) -> SocketContext:
        if self._context is None:
            self._context = SocketContext(
                clock=self._clock,
                settings=self._settings,
                together=self._together,
                reading=self._reading,
                parsers=frame_parser.AutobahnParsers(self._settings),
                heartbeats=self._heartbeats,
                on_closed=self._on_closed,
            )
        return self._context

    def _failed(self, failure: Failure, exchange: Exchange) -> None:
        error = failure.value
        if not isinstance(error, EngineError):
            _log.failure("a WebSocket could not be opened", failure)
            error = Unavailable("The WebSocket could not be opened; try again.", retry_seconds=1.0)
        exchange.failed(error)

    def _begin(
        self,
        exchange: Exchange,
        request: Request,
        context: SocketContext,
        *,
        owner: str,
        protocols: Sequence[str],
        opened: Open,
    ) -> None:
        if self._stopping:
            exchange.failed(Unavailable(_STOPPING, retry_seconds=1.0))
            return
        channel = exchange.upgrade()
        if channel is None:
            return
        handshake = read_handshake(request, modern=True)
        protocol = handshake.choose(protocols)
        window_bits = handshake.window_bits if self._settings.compress else 0
        connection, rest = channel.upgrade()
        socket = WebSocket(context=context, connection=connection, protocol=protocol, window_bits=window_bits)
        self._open[socket] = owner
        self._owners[owner] = self._owners.get(owner, 0) + 1
        self._opened += 1
        connection.begin(socket)
        connection.send(handshake.accepted(protocol, compressed=bool(window_bits)))
        self._heartbeats.add(socket)
        socket.begin(opened, rest)

    def endpoint(self, endpoint: Endpoint) -> Callable[[Exchange, Request], None]:
        """Return who answers requests for a path of the engine's own."""

        def enter(exchange: Exchange, request: Request) -> None:
            self.admit(request, modern=exchange.modern, owner="")
            self.begin(
                exchange,
                request,
                owner="",
                protocols=endpoint.protocols,
                opened=lambda socket: endpoint.open(socket, request),
            )

        return enter

    def soon(self, work: Callable[[], object]) -> None:
        """Do *work* for one of many sockets now, or in a later turn of the reactor if this one has done enough."""
        self._writing.soon(work)

    def end(self) -> None:
        """The server stops: clients are told to reconnect."""
        self._stopping = True
        for socket in list(self._open):
            self.soon(partial(socket.close, _RESTART, "the server is restarting; reconnect in a moment"))
        self._together.stop()
        self._heartbeats.stop()

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"open": len(self._open), "opened": self._opened, "refused": self._refused}

    def _on_closed(self, socket: WebSocket) -> None:
        owner = self._open.pop(socket, None)
        if owner is None:
            return
        rest = self._owners.get(owner, 0) - 1
        if rest > 0:
            self._owners[owner] = rest
        else:
            self._owners.pop(owner, None)
