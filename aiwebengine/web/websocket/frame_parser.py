"""
Autobahn, which reads frames: masks, fragments, UTF-8, compression, limits and the codes of closing frames.

An autobahn protocol takes four kilobytes, and of ten thousand sockets nearly all are idle, so there are only as many
as there are sockets with half a message.  They have no connection: the handshake was read in `upgrade.py`, and what
autobahn would send is sent by the socket (`open_socket.py`), which also has all timers.

It takes a fifth of a second and eight megabytes to import, so that is done when the first WebSocket is opened, in a
thread.
"""

from __future__ import annotations

import codecs
from typing import Any, NoReturn

from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.websocket import USES_NVX
from autobahn.websocket.compress import PerMessageDeflate
from autobahn.websocket.protocol import WebSocketProtocol, WebSocketServerFactory
from autobahn.websocket.utf8validator import Utf8Validator
from twisted.logger import Logger

from aiwebengine.settings.schema import WebSocketSettings
from aiwebengine.web.websocket.reading import BrokenFrame, ClosingFrame, FrameEvents

_log = Logger()

_VERSION = 13
_NO_STATUS = 1005
_BAD_GATEWAY = 1014
# It was registered with IANA in 2016, and autobahn 26 takes it for a violation of the protocol.
if _BAD_GATEWAY not in WebSocketProtocol.CLOSE_STATUS_CODES_ALLOWED:
    WebSocketProtocol.CLOSE_STATUS_CODES_ALLOWED.append(_BAD_GATEWAY)
_MOST_FREE = 32
"""Number of parsers that are kept for the next connections on which something arrives."""
_VALID = (True, True, 0, 0)
"""What autobahn's check of UTF-8 answers: valid so far, at the end of a character, and places of which none is read."""


class AutobahnParser(WebSocketServerProtocol):
    """
    See `reading.FrameParser`, and the module.

    Args:
        factory: Has the limits.
        free: Where it is while no connection needs it.
    """

    # Autobahn's adapter for Twisted has these pass on to those.
    _onMessageBegin = WebSocketServerProtocol.onMessageBegin
    _onMessageFrameBegin = WebSocketServerProtocol.onMessageFrameBegin
    _onMessageFrameData = WebSocketServerProtocol.onMessageFrameData
    _onMessageFrameEnd = WebSocketServerProtocol.onMessageFrameEnd

    # What they are while nothing has begun autobahn's annotations do not say.
    current_frame: Any
    message_data: Any
    _perMessageCompress: Any

    def __init__(self, *, factory: WebSocketServerFactory, free: list[AutobahnParser]) -> None:
        super().__init__()
        self.factory = factory
        # Autobahn would copy them one by one, and format them for a log that is not written.
        vars(self).update({name: getattr(factory, name) for name in self.CONFIG_ATTRS}, CONFIG_ATTRS=[])
        self._connectionMade()
        # What a handshake leaves behind.
        self.state = self.STATE_OPEN
        self.websocket_version = _VERSION
        self.inside_message = False
        self.current_frame = None
        self.utf8validator: Any = _Utf8()
        self._events: FrameEvents | None = None
        self._free = free

    def begin(self, events: FrameEvents, *, compressed: bool) -> None:
        """Read frames of another connection."""
        self._events = events
        self._perMessageCompress = _Inflate() if compressed else None

    # -- for the reader -----------------------------------------------------------------------

    @property
    def frame_rest(self) -> int:
        """See `reading.FrameParser`."""
        frame = self.current_frame
        return 0 if frame is None else int(frame.length - self.current_frame_masker.pointer())

    def take(self, data: bytes) -> bool:
        """See `reading.FrameParser`."""
        self.data += data
        # `dataReceived` would write a line for the log and count bytes first.
        self.consumeData()
        return self.current_frame is None and not (self.data or self.inside_message)

    def release(self) -> None:
        """See `reading.FrameParser`."""
        self._events = self._perMessageCompress = None
        if len(self._free) < _MOST_FREE:
            self._free.append(self)

    def stop(self) -> None:
        """See `reading.FrameParser`."""
        self.state = self.STATE_CLOSED
        self._events = None

    # -- from autobahn ------------------------------------------------------------------------

    def onMessageEnd(self) -> None:
        """See autobahn, which would make a Deferred for listeners that there are not."""
        data, self.message_data = self.message_data, None
        if self._events is not None:
            self._events.message(data[0] if len(data) == 1 else b"".join(data), binary=self.message_is_binary)

    _onMessageEnd = onMessageEnd

    def onPing(self, payload: bytes) -> None:
        """See autobahn; the socket answers."""
        if self._events is not None:
            self._events.pinged(payload)

    def onPong(self, payload: bytes) -> None:
        """See autobahn; only that something arrived matters."""

    def onCloseFrame(self, code: Any, reasonRaw: Any) -> NoReturn:  # noqa: N803  autobahn's
        """
        See autobahn, which checks code and reason.

        Raises:
            ClosingFrame: The frame may be sent.
        """
        super().onCloseFrame(code, reasonRaw)
        raise ClosingFrame(_NO_STATUS if code is None else code, self.remoteCloseReason or "")

    def sendCloseFrame(self, *_args: Any, **_named: Any) -> None:
        """See autobahn; the socket answers."""

    def dropConnection(self, *_args: Any, **_named: Any) -> None:
        """See autobahn; the socket ends the connection."""

    def _fail_connection(self, code: int = 1001, reason: str = "going away") -> NoReturn:
        """
        See autobahn: all that it does not accept comes here.

        Raises:
            BrokenFrame: Always, so that nothing behind it is read.
        """
        raise BrokenFrame(code, reason)


class AutobahnParsers:
    """
    See `reading.FrameParsers`.

    Args:
        settings: The limits.
    """

    def __init__(self, settings: WebSocketSettings) -> None:
        if not USES_NVX:
            _log.warn(
                "autobahn's native part is missing, so a message over a WebSocket takes a hundred times as long to "
                "unmask; install a wheel of autobahn that has it"
            )
        self._free: list[AutobahnParser] = []
        self._factory = WebSocketServerFactory(server="aiwebengine")
        self._factory.setProtocolOptions(
            maxFramePayloadSize=settings.max_frame_bytes,
            maxMessagePayloadSize=settings.max_message_bytes,
            openHandshakeTimeout=0,
        )

    @property
    def free(self) -> int:
        """How many parsers wait for a connection."""
        return len(self._free)

    def lend(self, events: FrameEvents, *, compressed: bool) -> AutobahnParser:
        """See `reading.FrameParsers`."""
        parser = self._free.pop() if self._free else AutobahnParser(factory=self._factory, free=self._free)
        parser.begin(events, compressed=compressed)
        return parser


class _Inflate(PerMessageDeflate):
    """permessage-deflate as it was agreed upon: each message is compressed by itself (`Handshake.accepted`)."""

    def __init__(self) -> None:
        super().__init__(
            is_server=True,
            server_no_context_takeover=True,
            client_no_context_takeover=True,
            server_max_window_bits=0,
            client_max_window_bits=0,
            mem_level=0,
        )

    def decompress_message_data(self, data: bytes, max_output_len: int | None = None) -> bytes:
        """
        See autobahn.

        zlib holds back what there is no room for, but may have consumed all of *data*: autobahn 26 then mistakes the
        first part of a message that is too long for the whole. With a byte more than is allowed it counts that byte.
        """
        room = None if max_output_len is None else max(max_output_len, 0) + 1
        inflated: bytes = super().decompress_message_data(data, room)
        return inflated


class CodecValidator:
    """
    See autobahn's `Utf8Validator`: the same with Python's decoder.

    Autobahn's own check takes 200 ns for a byte where its native part is missing: 0.2 s for a message of 1 MiB.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """See autobahn."""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._total = 0

    def validate(self, data: bytes) -> tuple[bool, bool, int, int]:
        """See autobahn."""
        behind = len(self._decoder.getstate()[0])
        try:
            self._decoder.decode(data)
        except UnicodeDecodeError as error:
            at = max(0, error.start - behind)
            return False, False, at, self._total + at
        self._total += len(data)
        rest = self._decoder.getstate()[0]
        # Python waits for the third byte of what can only become half of a surrogate pair.
        valid = not (rest[:1] == b"\xed" and rest[1:] >= b"\xa0")
        return valid, not rest, len(data), self._total


class _Utf8:
    """See autobahn's `Utf8Validator`: a check of UTF-8, which is used only for what is not ASCII."""

    def __init__(self) -> None:
        self._check: Any = Utf8Validator() if USES_NVX else CodecValidator()
        self._between = True
        """The last character is complete."""

    def reset(self) -> None:
        """See autobahn."""
        if not self._between:
            self._check.reset()
            self._between = True

    def validate(self, data: bytes) -> tuple[bool, bool, int, int]:
        """See autobahn."""
        if self._between and data.isascii():
            return _VALID
        answer: tuple[bool, bool, int, int] = self._check.validate(data)
        self._between = answer[1]
        return answer
