"""
Autobahn's side of a WebSocket: frames that come, masks, UTF-8, fragments, pings and the closing handshake.

It takes a fifth of a second and eight megabytes to import, so that is done when the first WebSocket is opened, in a
thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from autobahn.websocket.protocol import WebSocketProtocol
from twisted.internet.interfaces import IDelayedCall

from aiwebengine.settings.schema import WebSocketSettings

_ABNORMAL = 1006
_BROKEN = frozenset({1002, 1003, 1007, 1009, 1010})
"""Codes with which autobahn ends what breaks the protocol or a limit."""
_BAD_GATEWAY = 1014
# It was registered with IANA in 2016, and autobahn 26 takes it for a violation of the protocol.
if _BAD_GATEWAY not in WebSocketProtocol.CLOSE_STATUS_CODES_ALLOWED:
    WebSocketProtocol.CLOSE_STATUS_CODES_ALLOWED.append(_BAD_GATEWAY)


class Owner(Protocol):
    """Whose side of the WebSocket it is."""

    protocol: str
    """The subprotocol; empty for none."""

    def opened(self) -> None:
        """The handshake is done."""

    def message(self, data: bytes, *, binary: bool) -> None:
        """A message has arrived."""

    def ended(self, code: int, reason: str) -> None:
        """It is over."""


class Speaker(WebSocketServerProtocol):
    """Autobahn's side of one WebSocket."""

    def __init__(self, owner: Owner) -> None:
        super().__init__()
        self._owner = owner

    @property
    def speaks(self) -> bool:
        """The handshake is done, and nothing was said yet about an end."""
        return bool(self.state == self.STATE_OPEN)

    @property
    def frame_rest(self) -> int:
        """How many bytes of the frame that has begun are still to come."""
        frame = self.current_frame
        return 0 if frame is None else int(frame.length - self.current_frame_masker.pointer())

    @property
    def window_bits(self) -> int:
        """How far back the client looks in what is compressed; 0 if nothing may be."""
        agreed = self._perMessageCompress
        return int(agreed.server_max_window_bits) if agreed is not None else 0

    def onConnect(self, request: Any) -> str | None:  # noqa: ARG002  it was read before
        """See autobahn."""
        return self._owner.protocol or None

    def onOpen(self) -> None:
        """See autobahn; what was said in the handshake is of no use any more."""
        self.http_request_data, self.http_response_data = b"", ""
        self.http_headers, self.http_request_params = {}, {}
        self._owner.opened()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: FBT001, N803  autobahn's
        """See autobahn."""
        self._owner.message(payload, binary=isBinary)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: FBT001, N803  autobahn's
        """See autobahn."""
        own: Any = self.localCloseCode
        if own in _BROKEN:
            # What the client has broken counts most, such as the size of a message; then its own word.
            self._owner.ended(own, "")
        elif wasClean:
            self._owner.ended(code if code is not None else 1005, reason or "")
        else:
            self._owner.ended(self.remoteCloseCode or _ABNORMAL, self.remoteCloseReason or "")


class _Timer:
    """Autobahn's timers on our reactor."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def call_later(self, seconds: float, call: Callable[..., object], *args: Any) -> _DelayedCall:
        """Call later."""
        return _DelayedCall(self._reactor.callLater(seconds, call, *args))


class _DelayedCall:
    """A call that can be cancelled at any time."""

    __slots__ = ("_call",)

    def __init__(self, call: IDelayedCall) -> None:
        self._call = call

    def cancel(self) -> None:
        """Do not call, if it was not called yet."""
        if self._call.active():
            self._call.cancel()


def build_factory(reactor: Any, settings: WebSocketSettings) -> WebSocketServerFactory:
    """Return what all speakers have in common."""
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


def _compressed(settings: WebSocketSettings) -> Callable[[Sequence[Any]], Any]:
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
