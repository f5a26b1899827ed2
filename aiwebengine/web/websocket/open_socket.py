"""One open WebSocket: what its owner does with it, what its client says, and how it ends."""

from __future__ import annotations

from collections.abc import Callable

from twisted.python.failure import Failure

from aiwebengine.interfaces import Clock, DelayedCall
from aiwebengine.services.reactor.turn_share import TurnShare
from aiwebengine.settings.schema import WebSocketSettings
from aiwebengine.web.http.upgraded import UpgradedConnection
from aiwebengine.web.websocket.frames import PING, PONG, OutgoingMessage, closing_frame, frame, text_message
from aiwebengine.web.websocket.heartbeats import Heartbeats
from aiwebengine.web.websocket.reading import FrameParsers, FrameReader
from aiwebengine.web.websocket.upgrade import Socket, SocketEvents
from aiwebengine.web.write_batch import PendingWrites, WriteBatch

Open = Callable[[Socket], SocketEvents]

_STEP_BYTES = 1024
"""How much is processed at once of what may be many frames."""
_SMALL_BYTES = 128
"""Messages that are not worth compressing."""
_TRANSPORT_BYTES = 64 * 1024
"""What the transport holds when it says that the client is behind."""
_ABNORMAL = 1006
_TRY_LATER = 1013
_PING = frame(PING, b"")


class SocketContext:
    """
    What all WebSockets of a server have in common.

    Args:
        clock: Times closing handshakes.
        settings: The limits.
        together: Writes that follow each other soon.
        reading: How much of what clients send is processed in one turn of the reactor.
        parsers: Read the frames that clients send.
        heartbeats: Has the time at which clients are heard.
        on_closed: Called once when a socket has ended.
    """

    __slots__ = ("clock", "heartbeats", "on_closed", "parsers", "reading", "settings", "together")

    def __init__(
        self,
        *,
        clock: Clock,
        settings: WebSocketSettings,
        together: WriteBatch,
        reading: TurnShare,
        parsers: FrameParsers,
        heartbeats: Heartbeats,
        on_closed: Callable[[WebSocket], None],
    ) -> None:
        self.clock = clock
        self.settings = settings
        self.together = together
        self.reading = reading
        self.parsers = parsers
        self.heartbeats = heartbeats
        self.on_closed = on_closed


class WebSocket:
    """
    One open WebSocket; see `upgrade.Socket`, `upgraded.UpgradedProtocol` and `heartbeats.SilentClient`.

    There may be very many that are idle, so it keeps nothing of its request, and what few of them need is made then.

    Args:
        context: What it has in common with the others.
        connection: To the client.
        protocol: The subprotocol; empty for none.
        window_bits: How far back the client looks in what is compressed; 0 if nothing may be.
    """

    __slots__ = (
        "_behind", "_closing", "_congested", "_connection", "_context", "_ending", "_events", "_held", "_outcome",
        "_pieces", "_reader", "_unread", "_window_bits", "asked", "heard", "protocol",
    )  # fmt: skip

    def __init__(
        self, *, context: SocketContext, connection: UpgradedConnection, protocol: str, window_bits: int
    ) -> None:
        self.protocol = protocol
        self.heard = self.asked = 0
        self._context = context
        self._connection = connection
        self._window_bits = window_bits
        self._reader = FrameReader(events=self, parsers=context.parsers, compressed=bool(window_bits))
        self._events: SocketEvents | None = None
        self._unread = b""
        """What has come and waits for a later turn; then nothing more is read."""
        self._held = False
        """Its owner has paused reading."""
        self._pieces: PendingWrites | None = None
        """What waits for its moment; most sockets never need it."""
        self._congested = False
        self._behind = 0
        self._closing = False
        """A closing frame was sent: nothing may follow it."""
        self._outcome: tuple[int, str] | None = None
        """What its owner learns about its end; None: that the connection broke off."""
        self._ending: DelayedCall | None = None
        """Cuts a connection that takes too long to close."""

    def begin(self, opened: Open, rest: bytes) -> None:
        """Be open: *opened* returns the listener to its events, and *rest* has arrived already."""
        self._events = opened(self)
        if rest:
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
        if self._closing or not self._has_room(len(message.data)):
            return
        bits = self._window_bits if len(message.data) >= _SMALL_BYTES else 0
        data = message.packed(bits) if bits else message.frame
        if soon:
            if self._pieces is None:
                self._pieces = PendingWrites(together=self._context.together, write=self._write)
            self._pieces.send(data)
        else:
            self._hurry()
            self._connection.send(data)

    def close(self, code: int, reason: str) -> None:
        """See `upgrade.Socket`."""
        if not self._closing:
            self._hurry()
            self._send_closing(code, reason)

    def pause(self) -> None:
        """See `upgrade.Socket`."""
        self._held = True
        if not self._closing:
            self._connection.hold_reading(True)

    def resume(self) -> None:
        """See `upgrade.Socket`."""
        self._held = False
        if not self._unread:
            self._connection.hold_reading(False)

    # -- from the connection ------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """See `upgraded.UpgradedProtocol`."""
        self.heard = self._context.heartbeats.now
        self.asked = 0
        if self._unread:
            self._unread += data
        elif len(data) <= _STEP_BYTES:
            self._reader.take(data)
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        """Process large input in steps, as it may be thousands of frames; what a turn has no room for waits."""
        reader, reading = self._reader, self._context.reading
        while data and not reader.over:
            if reading.used_up:
                reading.later(self._take_rest)
                self._unread = data
                self._connection.hold_reading(True)
                return
            # A compressed byte may become a thousand.
            step = _STEP_BYTES if reader.compressed else max(_STEP_BYTES, reader.frame_rest)
            reader.take(data[:step])
            data = data[step:]

    def _take_rest(self) -> None:
        data, self._unread = self._unread, b""
        self._take(data)
        if not self._unread and (self._closing or not self._held):
            self._connection.hold_reading(False)

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002  how it was lost does not matter
        """See `upgraded.UpgradedProtocol`."""
        self._closing = True
        self._reader.stop()
        if self._ending is not None and self._ending.active():
            self._ending.cancel()
        self._ending = None
        if self._pieces is not None:
            self._pieces.close()
        self._context.on_closed(self)
        events, self._events = self._events, None
        if events is not None:
            events.closed(*(self._outcome or (_ABNORMAL, "")))

    def pauseProducing(self) -> None:
        """See `upgraded.UpgradedProtocol`."""
        self._congested = True

    def resumeProducing(self) -> None:
        """See `upgraded.UpgradedProtocol`."""
        self._congested = False
        self._behind = 0
        if self._events is not None:
            self._events.drained()

    # -- from the reader ----------------------------------------------------------------------

    def message(self, data: bytes, *, binary: bool) -> None:
        """See `reading.FrameEvents`."""
        if self._events is None or self._closing:
            return
        if binary:
            self._events.binary(data)
        else:
            self._events.text(data)

    def pinged(self, data: bytes) -> None:
        """See `reading.FrameEvents`."""
        if not self._closing and self._has_room(len(data)):
            self._connection.send(frame(PONG, data))

    def closing(self, code: int, reason: str) -> None:
        """See `reading.FrameEvents`: the same goes back, unless it is the answer to ours."""
        self._outcome = (code, reason)
        if not self._closing:
            self._send_closing(code, reason)
        self._connection.end()

    def broken(self, code: int, reason: str) -> None:
        """See `reading.FrameEvents`; what the client has broken counts more than how it ends the connection."""
        self._outcome = (code, "")
        if not self._closing:
            self._send_closing(code, reason)
        # Closing at once would reset the connection, and the client would lose the closing frame.
        self._connection.half_close()

    # -- from the heartbeats ------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """See `heartbeats.SilentClient`."""
        return self._closing

    def ping(self) -> None:
        """See `heartbeats.SilentClient`."""
        self._connection.send(_PING)

    def silent(self) -> None:
        """See `heartbeats.SilentClient`."""
        self._connection.forceAbortClient()

    # -- private ------------------------------------------------------------------------------

    def _has_room(self, size: int) -> bool:
        """Return whether *size* bytes more may wait for a client that reads slowly; ends the connection if not."""
        if self._congested:
            self._behind += size
            if self._behind > self._context.settings.buffer_bytes:
                self.close(_TRY_LATER, "the client reads too slowly")
                return False
        return True

    def _send_closing(self, code: int, reason: str) -> None:
        """Send the last frame; the connection is cut if it does not end soon."""
        self._closing = True
        self._connection.send(closing_frame(code, reason))
        if self._held:
            # What the client says to this is waited for.
            self._connection.hold_reading(False)
        context = self._context
        self._ending = context.clock.callLater(context.settings.close_seconds, self._connection.forceAbortClient)

    def _hurry(self) -> None:
        if self._pieces is not None:
            self._pieces.hurry()

    def _write(self, data: bytes) -> None:
        # After a closing frame, which may have left meanwhile, there is nothing more to say.
        if not self._closing:
            self._connection.send(data)
