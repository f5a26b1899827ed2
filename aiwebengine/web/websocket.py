"""
WebSockets: autobahn's protocol on a connection that began with HTTP.

What the request asks for was read, routed and admitted by us (`upgrade.py`); then the connection
changes hands (`Channel.upgrade`), and autobahn is shown a request that asks for just what was
agreed upon.  From there on frames, masks, UTF-8, fragments, pings, compression and the closing
handshake are autobahn's.  What is added here: limits, back pressure in both directions, and an
end when the server stops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import TooMany, Unavailable
from aiwebengine.settings.schema import SocketSettings
from aiwebengine.values import Request
from aiwebengine.web.channel import Channel
from aiwebengine.web.exchange import Exchange
from aiwebengine.web.upgrade import Endpoint, Socket, SocketEvents, check_origin, read_handshake

_log = Logger()

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
    """

    def __init__(self, *, reactor: Any, settings: SocketSettings) -> None:
        self._settings = settings
        self._open: dict[WebSocket, str] = {}
        self._owners: dict[str, int] = {}
        self._opened = 0
        self._refused = 0
        self._stopping = False
        self._factory = _factory(reactor, settings)

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
            raise Unavailable("The server stops; come back in a moment.", retry_seconds=1.0)
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
        """Give the subprotocol for a request that was admitted; empty for none."""
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
        channel = exchange.upgrade()
        if channel is None:
            return
        handshake = read_handshake(request, modern=True)
        protocol = handshake.choose(protocols)
        socket = WebSocket(channel=channel, protocol=protocol, settings=self._settings, opened=opened, left=self._left)
        self._open[socket] = owner
        self._owners[owner] = self._owners.get(owner, 0) + 1
        self._opened += 1
        rest = channel.upgrade(socket)
        socket.begin(self._factory, handshake.head(protocol) + rest)

    def endpoint(self, endpoint: Endpoint) -> Callable[[Exchange, Request], None]:
        """Give who answers requests for a path of the engine's own."""

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
            socket.close(_RESTART, "the server restarts; come back in a moment")

    def state(self) -> dict[str, int]:
        """Give figures for the state page."""
        return {"open": len(self._open), "opened": self._opened, "refused": self._refused}

    def _left(self, socket: WebSocket) -> None:
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
    One open WebSocket; see `upgrade.Socket` and `channel.Taker`.

    Args:
        channel: The connection.
        protocol: The subprotocol; empty for none.
        settings: The limits.
        opened: Gives who is told of what happens.
        left: Told once that it is over.
    """

    def __init__(
        self,
        *,
        channel: Channel,
        protocol: str,
        settings: SocketSettings,
        opened: Open,
        left: Callable[[WebSocket], None],
    ) -> None:
        self.protocol = protocol
        self._channel = channel
        self._settings = settings
        self._opened = opened
        self._left = left
        self._speaker: _Speaker | None = None
        self._events: SocketEvents | None = None
        self._congested = False
        self._behind = 0
        self._over = False
        self._closing = False

    def begin(self, factory: WebSocketServerFactory, data: bytes) -> None:
        """Speak."""
        self._speaker = speaker = _Speaker(self)
        speaker.factory = factory
        speaker.makeConnection(self._channel.transport)
        speaker.dataReceived(data)

    # -- for its owner ------------------------------------------------------------------------

    @property
    def buffered(self) -> int:
        """See `upgrade.Socket`."""
        return self._behind + _TRANSPORT_BYTES if self._congested else 0

    def send_text(self, text: str) -> None:
        """See `upgrade.Socket`."""
        self._send(text.encode("utf-8", "replace"), binary=False)

    def send_bytes(self, data: bytes) -> None:
        """See `upgrade.Socket`."""
        self._send(data, binary=True)

    def close(self, code: int, reason: str) -> None:
        """See `upgrade.Socket`."""
        if self._closing or self._speaker is None:
            return
        self._closing = True
        # `sendClose` is for codes of applications only.
        self._speaker.sendCloseFrame(code, _short(reason).encode())

    def pause(self) -> None:
        """See `upgrade.Socket`."""
        if not self._over:
            self._channel.hold_reading(True)

    def resume(self) -> None:
        """See `upgrade.Socket`."""
        if not self._over:
            self._channel.hold_reading(False)

    # -- from the connection ------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """See `channel.Taker`."""
        if self._speaker is not None:
            self._speaker.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        """See `channel.Taker`."""
        self._over = True
        if self._speaker is not None:
            self._speaker.connectionLost(reason)
        self.ended(_ABNORMAL, "")

    def pauseProducing(self) -> None:
        """See `channel.Taker`."""
        self._congested = True

    def resumeProducing(self) -> None:
        """See `channel.Taker`."""
        self._congested = False
        self._behind = 0
        if self._events is not None:
            self._events.drained()

    # -- from the speaker ---------------------------------------------------------------------

    def opened(self) -> None:
        """The handshake is done."""
        self._events = self._opened(self)

    def message(self, data: bytes, *, binary: bool) -> None:
        """A message has come."""
        if self._events is None or self._closing:
            return
        if binary:
            self._events.binary(data)
        else:
            self._events.text(data.decode("utf-8"))

    def ended(self, code: int, reason: str) -> None:
        """It is over."""
        events, self._events = self._events, None
        self._speaker = None
        self._closing = True
        self._left(self)
        if events is not None:
            events.closed(code, reason)

    def _send(self, data: bytes, *, binary: bool) -> None:
        if self._closing or self._speaker is None:
            return
        if self._congested:
            self._behind += len(data)
            if self._behind > self._settings.buffer_bytes:
                self.close(_TRY_LATER, "the client reads too slowly")
                return
        speaker = self._speaker
        if speaker.plain:
            # The frame of a server is its length and the message; autobahn takes ten times as long to say so.
            self._channel.send(_frame(data, binary=binary))
        else:
            speaker.sendMessage(data, binary)


class _Speaker(WebSocketServerProtocol):
    """Autobahn's side of one WebSocket."""

    def __init__(self, owner: WebSocket) -> None:
        super().__init__()
        self._owner = owner

    @property
    def plain(self) -> bool:
        """Messages are sent as they are: they are not compressed, and the connection is open."""
        return self.state == self.STATE_OPEN and self._perMessageCompress is None and not self.send_queue

    def onConnect(self, request: Any) -> str | None:  # noqa: ARG002  it was read before
        """See autobahn."""
        return self._owner.protocol or None

    def onOpen(self) -> None:
        """See autobahn."""
        self._owner.opened()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: FBT001, N803  autobahn's
        """See autobahn."""
        self._owner.message(payload, binary=isBinary)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: FBT001, N803  autobahn's
        """See autobahn."""
        if wasClean:
            self._owner.ended(code if code is not None else 1005, reason or "")
        else:
            self._owner.ended(_ABNORMAL, "")


class _Timer:
    """Autobahn's timers on our reactor."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def call_later(self, seconds: float, call: Callable[..., object], *args: Any) -> _Later:
        """Call later."""
        return _Later(self._reactor.callLater(seconds, call, *args))


class _Later:
    """A call that can be cancelled at any time."""

    __slots__ = ("_call",)

    def __init__(self, call: IDelayedCall) -> None:
        self._call = call

    def cancel(self) -> None:
        """Do not call, if it was not called yet."""
        if self._call.active():
            self._call.cancel()


def _factory(reactor: Any, settings: SocketSettings) -> WebSocketServerFactory:
    factory = WebSocketServerFactory(reactor=reactor, server="aiwebengine")
    factory._batched_timer = _Timer(reactor)  # noqa: SLF001  its own takes the global reactor
    factory.setProtocolOptions(
        webStatus=False,
        failByDrop=False,
        maxFramePayloadSize=settings.max_frame_bytes,
        maxMessagePayloadSize=settings.max_message_bytes,
        openHandshakeTimeout=settings.close_seconds,
        closeHandshakeTimeout=settings.close_seconds,
        autoPingInterval=settings.ping_seconds,
        autoPingTimeout=settings.pong_seconds,
        autoPingRestartOnAnyTraffic=True,
        echoCloseCodeReason=True,
        allowedOrigins=["*"],
    )
    if settings.compress:
        factory.setProtocolOptions(perMessageCompressionAccept=_compressed(settings))
    return factory


def _compressed(settings: SocketSettings) -> Callable[[Sequence[Any]], Any]:
    def accept(offers: Sequence[Any]) -> Any:
        for offer in offers:
            if isinstance(offer, PerMessageDeflateOffer):
                # A context for each direction and connection would take a third of a megabyte.
                return PerMessageDeflateOfferAccept(
                    offer,
                    request_no_context_takeover=offer.accept_no_context_takeover,
                    no_context_takeover=True,
                    max_message_size=settings.max_message_bytes,
                )
        return None

    return accept


def _frame(data: bytes, *, binary: bool) -> bytes:
    """Make the one frame of a message (RFC 6455, 5.2)."""
    first = b"\x82" if binary else b"\x81"
    size = len(data)
    if size < 126:
        return b"%b%c%b" % (first, size, data)
    if size < 65_536:
        return b"%b\x7e%b%b" % (first, size.to_bytes(2, "big"), data)
    return b"%b\x7f%b%b" % (first, size.to_bytes(8, "big"), data)


def _short(reason: str) -> str:
    return reason.encode("utf-8", "replace")[:_LONGEST_REASON].decode("utf-8", "ignore")
