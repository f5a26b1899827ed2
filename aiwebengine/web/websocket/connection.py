"""
WebSockets: autobahn's protocol on a connection that began with HTTP.

What the request asks for was read, routed and admitted by us (`upgrade.py`); then the connection
changes hands (`Channel.upgrade`), and autobahn is shown a request that asks for just what was
agreed upon.  From there on all that comes is autobahn's (`speaker.py`).  What is added here:
limits, back pressure in both directions, messages that are put together once for all who get
them (`frames.py`), and an end when the server stops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError, TooMany, Unavailable
from aiwebengine.services.reactor.turn_share import TurnShare
from aiwebengine.services.threads import Runs
from aiwebengine.settings.schema import WebSocketSettings
from aiwebengine.values import Request
from aiwebengine.web.http.channel import Channel
from aiwebengine.web.http.exchange import Exchange
from aiwebengine.web.websocket.frames import OutgoingMessage, text_message
from aiwebengine.web.websocket.upgrade import Endpoint, Socket, SocketEvents, check_origin, read_handshake
from aiwebengine.web.write_batch import PendingWrites, WriteBatch

if TYPE_CHECKING:
    from autobahn.twisted.websocket import WebSocketServerFactory

    from aiwebengine.web.websocket.speaker import Speaker

_log = Logger()
_SPEAKER = "aiwebengine.web.websocket.speaker"
_STOPPING = "The server is shutting down; reconnect in a moment."
_TOGETHER_SECONDS = 0.02
_STEP_BYTES = 1024
"""So much is taken at once of what may be many frames."""
_SMALL_BYTES = 128
"""Messages that are not worth compressing."""
_TRANSPORT_BYTES = 64 * 1024
"""What the transport holds when it says that the client is behind."""
_ABNORMAL = 1006
_RESTART = 1012
_TRY_LATER = 1013
_NORMAL = 1000
_LONGEST_REASON = 123

Open = Callable[[Socket], SocketEvents]


class WebSockets:
    """
    All open WebSockets.

    Args:
        reactor: Times them.
        settings: The limits.
        threads: Where autobahn is imported.
        reading: How much of what clients send is taken in one turn of the reactor.
        writing: How much is written in one turn.
    """

    def __init__(
        self, *, reactor: Any, settings: WebSocketSettings, threads: Runs, reading: TurnShare, writing: TurnShare
    ) -> None:
        self._reading = reading
        self._settings = settings
        self._open: dict[WebSocket, str] = {}
        self._owners: dict[str, int] = {}
        self._opened = 0
        self._refused = 0
        self._stopping = False
        self._reactor = reactor
        self._threads = threads
        self._factory: WebSocketServerFactory | None = None
        """What all speakers have in common; None until the first one was needed."""
        self._new_speaker: Callable[[WebSocket], Speaker] | None = None
        self._together = WriteBatch(clock=reactor, seconds=_TOGETHER_SECONDS, share=writing)

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
            opened: Given the socket when it is open; gives who is told of what happens to it.
        """
        begin = partial(self._begin, exchange, request, owner=owner, protocols=protocols, opened=opened)
        if self._factory is not None:
            begin()
            return
        # The first one takes a fifth of a second, in a thread.
        loading = self._threads.run(import_module, _SPEAKER)
        loading.addCallback(self._loaded).addCallback(lambda _: begin())
        loading.addErrback(self._failed, exchange)

    def _loaded(self, speaker: Any) -> None:
        if self._factory is None:
            self._factory = speaker.build_factory(self._reactor, self._settings)
            self._new_speaker = speaker.Speaker

    def _failed(self, failure: Failure, exchange: Exchange) -> None:
        error = failure.value
        if not isinstance(error, EngineError):
            _log.failure("a WebSocket could not be opened", failure)
            error = Unavailable("The WebSocket could not be opened; try again.", retry_seconds=1.0)
        exchange.failed(error)

    def _begin(
        self, exchange: Exchange, request: Request, *, owner: str, protocols: Sequence[str], opened: Open
    ) -> None:
        if self._stopping:
            exchange.failed(Unavailable(_STOPPING, retry_seconds=1.0))
            return
        channel = exchange.upgrade()
        if channel is None:
            return
        handshake = read_handshake(request, modern=True)
        protocol = handshake.choose(protocols)
        socket = WebSocket(
            channel=channel,
            protocol=protocol,
            settings=self._settings,
            together=self._together,
            reading=self._reading,
            opened=opened,
            on_closed=self._on_closed,
        )
        self._open[socket] = owner
        self._owners[owner] = self._owners.get(owner, 0) + 1
        self._opened += 1
        rest = channel.upgrade(socket)
        assert self._new_speaker is not None
        speaker = self._new_speaker(socket)
        speaker.factory = self._factory
        socket.begin(speaker, handshake.head(protocol), rest)

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

    def end(self) -> None:
        """The server stops: clients are told to come back."""
        self._stopping = True
        for socket in list(self._open):
            socket.close(_RESTART, "the server is restarting; reconnect in a moment")
        self._together.stop()

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


class WebSocket:
    """
    One open WebSocket; see `upgrade.Socket` and `channel.UpgradedProtocol`.

    Args:
        channel: The connection.
        protocol: The subprotocol; empty for none.
        settings: The limits.
        together: Writes that follow each other soon.
        reading: How much of what clients send is taken in one turn of the reactor.
        opened: Gives who is told of what happens.
        on_closed: Told once that it is over.
    """

    __slots__ = (
        "_behind", "_channel", "_closing", "_congested", "_events", "_held", "_on_closed", "_opened", "_over",
        "_pieces", "_reading", "_settings", "_speaker", "_together", "_unread", "protocol",
    )  # fmt: skip

    def __init__(
        self,
        *,
        channel: Channel,
        protocol: str,
        settings: WebSocketSettings,
        together: WriteBatch,
        reading: TurnShare,
        opened: Open,
        on_closed: Callable[[WebSocket], None],
    ) -> None:
        self.protocol = protocol
        self._channel = channel
        self._settings = settings
        self._opened = opened
        self._on_closed = on_closed
        self._together = together
        self._reading = reading
        self._unread = b""
        """What has come and waits for a later turn; then nothing more is read."""
        self._held = False
        """Its owner wants nothing more to be read."""
        self._pieces: PendingWrites | None = None
        """What waits for its moment; most sockets never need it."""
        self._speaker: Speaker | None = None
        self._events: SocketEvents | None = None
        self._congested = False
        self._behind = 0
        self._over = False
        self._closing = False

    def begin(self, speaker: Speaker, head: bytes, rest: bytes) -> None:
        """Speak: to *head*, the request, and to *rest*, what has come behind it."""
        self._speaker = speaker
        speaker.makeConnection(self._channel.transport)
        speaker.dataReceived(head)
        self.dataReceived(rest)

    # -- for its owner ------------------------------------------------------------------------

    @property
    def buffered(self) -> int:
        """See `upgrade.Socket`."""
        return self._behind + _TRANSPORT_BYTES if self._congested else 0

    def send_text(self, text: str) -> None:
        """See `upgrade.Socket`."""
        self.send(text_message(text))

    def send(self, message: OutgoingMessage, *, soon: bool = False) -> None:
        """See `upgrade.Socket`."""
        speaker = self._speaker
        if self._closing or speaker is None or not speaker.speaks:
            return
        size = len(message.data)
        if self._congested:
            self._behind += size
            if self._behind > self._settings.buffer_bytes:
                self.close(_TRY_LATER, "the client reads too slowly")
                return
        bits = speaker.window_bits if size >= _SMALL_BYTES else 0
        frame = message.packed(bits) if bits else message.frame
        if soon:
            if self._pieces is None:
                self._pieces = PendingWrites(together=self._together, write=self._write)
            self._pieces.send(frame)
        else:
            self._hurry()
            self._channel.send(frame)

    def close(self, code: int, reason: str) -> None:
        """See `upgrade.Socket`."""
        if self._closing or self._speaker is None:
            return
        self._hurry()
        self._closing = True
        # `sendClose` is for codes of applications only.
        self._speaker.sendCloseFrame(code, _short(reason).encode())

    def pause(self) -> None:
        """See `upgrade.Socket`."""
        self._held = True
        if not self._over:
            self._channel.hold_reading(True)

    def resume(self) -> None:
        """See `upgrade.Socket`."""
        self._held = False
        if not (self._over or self._unread):
            self._channel.hold_reading(False)

    # -- from the connection ------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """See `channel.UpgradedProtocol`."""
        if self._unread:
            self._unread += data
        elif len(data) <= _STEP_BYTES and self._speaker is not None:
            self._speaker.dataReceived(data)
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        """Have much taken in steps, for it may be thousands of frames; what a turn has no room for waits."""
        while data and self._speaker is not None:
            if self._reading.used_up:
                self._reading.later(self._take_rest)
                self._unread = data
                self._channel.hold_reading(True)
                return
            # A compressed byte may become a thousand.
            step = _STEP_BYTES if self._speaker.window_bits else max(_STEP_BYTES, self._speaker.frame_rest)
            self._speaker.dataReceived(data[:step])
            data = data[step:]

    def _take_rest(self) -> None:
        data, self._unread = self._unread, b""
        self._take(data)
        if not (self._unread or self._held or self._over):
            self._channel.hold_reading(False)

    def connectionLost(self, reason: Failure) -> None:
        """See `channel.UpgradedProtocol`."""
        self._over = True
        if self._speaker is not None:
            self._speaker.connectionLost(reason)
        self.ended(_ABNORMAL, "")

    def pauseProducing(self) -> None:
        """See `channel.UpgradedProtocol`."""
        self._congested = True

    def resumeProducing(self) -> None:
        """See `channel.UpgradedProtocol`."""
        self._congested = False
        self._behind = 0
        if self._events is not None:
            self._events.drained()

    # -- from the speaker ---------------------------------------------------------------------

    def opened(self) -> None:
        """The handshake is done."""
        self._events = self._opened(self)

    def message(self, data: bytes, *, binary: bool) -> None:
        """A message has arrived."""
        if self._events is None or self._closing:
            return
        if binary:
            self._events.binary(data)
        else:
            self._events.text(data)

    def ended(self, code: int, reason: str) -> None:
        """It is over."""
        events, self._events = self._events, None
        self._speaker = None
        self._closing = True
        if self._pieces is not None:
            self._pieces.close()
        self._on_closed(self)
        if events is not None:
            events.closed(code, reason)

    def _hurry(self) -> None:
        if self._pieces is not None:
            self._pieces.hurry()

    def _write(self, data: bytes) -> None:
        # After a closing frame, which may have left meanwhile, there is nothing more to say.
        if self._speaker is not None and self._speaker.speaks:
            self._channel.send(data)


def _short(reason: str) -> str:
    return reason.encode("utf-8", "replace")[:_LONGEST_REASON].decode("utf-8", "ignore")
