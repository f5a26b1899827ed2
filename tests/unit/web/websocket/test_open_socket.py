"""One open WebSocket on a connection that is played."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.settings.schema import WebSocketSettings
from aiwebengine.web.websocket.frame_parser import AutobahnParsers
from aiwebengine.web.websocket.frames import closing_frame, frame
from aiwebengine.web.websocket.heartbeats import Heartbeats
from aiwebengine.web.websocket.open_socket import SocketContext, WebSocket
from aiwebengine.web.write_batch import WriteBatch
from tests.support.clients.websocket import CLOSE, PING, PONG, TEXT, frame_bytes
from tests.support.fakes.turns import endless_turn


class PlayedConnection:
    """Keeps what is done with it."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.reading = True
        self.ended = ""

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def hold_reading(self, held: bool) -> None:
        self.reading = not held

    def half_close(self) -> None:
        self.ended = "half"

    def end(self) -> None:
        self.ended = "whole"

    def forceAbortClient(self) -> None:
        self.ended = "cut"


class Owner:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def text(self, data: bytes) -> None:
        self.heard.append(data)

    def binary(self, data: bytes) -> None:
        self.heard.append(data)

    def closed(self, code: int, reason: str) -> None:
        self.heard.append((code, reason))

    def drained(self) -> None:
        self.heard.append("drained")


class OpenSocketTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.connection: Any = PlayedConnection()
        self.owner = Owner()
        settings = WebSocketSettings(buffer_bytes=1024, close_seconds=5)
        self.context = SocketContext(
            clock=self.clock,
            settings=settings,
            together=WriteBatch(clock=self.clock, seconds=0.02, share=endless_turn()),
            reading=endless_turn(),
            parsers=AutobahnParsers(settings),
            heartbeats=Heartbeats(clock=self.clock, ping_seconds=30, pong_seconds=20, share=endless_turn()),
            on_closed=lambda _: None,
        )
        self.socket = self.make()
        self.socket.begin(lambda _: self.owner, b"")

    def make(self) -> WebSocket:
        """Make a socket."""
        return WebSocket(context=self.context, connection=self.connection, protocol="", window_bits=0)

    def lose(self) -> None:
        """Have the connection end."""
        self.socket.connectionLost(Failure(ConnectionDone()))

    def test_an_idle_one_is_small(self) -> None:
        """A socket has no dictionary, and with its reader takes less than 400 bytes while nothing happens."""
        parts = [self.socket, self.socket._reader]
        self.assertEqual([hasattr(part, "__dict__") for part in parts], [False, False])
        self.assertLess(sum(map(sys.getsizeof, parts)), 400)
        own = [getattr(self.socket, name) for name in ("_pieces", "_ending", "_outcome", "_unread")]
        self.assertEqual(own, [None, None, None, b""])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closed_while_held(self) -> None:
        """What a client answers to a closing frame is read, though its owner had wanted nothing more."""
        self.socket.pause()
        self.assertFalse(self.connection.reading)
        self.socket.close(1000, "done")
        self.assertTrue(self.connection.reading)
        self.socket.pause()
        self.assertTrue(self.connection.reading)
        self.socket.dataReceived(frame_bytes(TEXT, b"late") + frame_bytes(CLOSE, b"\x03\xe8"))
        self.assertEqual(self.connection.ended, "whole")
        self.lose()
        self.assertEqual(self.owner.heard, [(1000, "")])
        self.assertEqual(self.connection.sent, [closing_frame(1000, "done")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_pings_of_a_slow_client(self) -> None:
        """A client that sends pings and reads nothing is ended when its answers have filled the buffer."""
        self.socket.dataReceived(frame_bytes(PING, b"x" * 100))
        self.assertEqual(self.connection.sent, [frame(PONG, b"x" * 100)])
        self.socket.pauseProducing()
        for _ in range(20):
            self.socket.dataReceived(frame_bytes(PING, b"x" * 100))
        self.assertEqual(len(self.connection.sent), 12)
        self.assertEqual(self.connection.sent[-1], closing_frame(1013, "the client reads too slowly"))
        self.clock.advance(5)
        self.assertEqual(self.connection.ended, "cut")

    def test_broken_while_closing(self) -> None:
        """A client that breaks the protocol after our closing frame gets no second one; its code is what counts."""
        self.socket.close(1000, "done")
        self.socket.dataReceived(frame_bytes(TEXT, b"unmasked", masked=False))
        self.assertEqual((self.connection.ended, len(self.connection.sent)), ("half", 1))
        self.lose()
        self.assertEqual(self.owner.heard, [(1002, "")])

    def test_silence(self) -> None:
        """A silent client is sent a ping, and its connection is cut when it does not answer."""
        self.context.heartbeats.add(self.socket)
        self.clock.pump([1] * 30)
        self.assertEqual(self.connection.sent, [frame(PING, b"")])
        self.clock.pump([1] * 20)
        self.assertEqual(self.connection.ended, "cut")
        self.lose()
        self.assertEqual(self.owner.heard, [(1006, "")])
