"""A WebSocket client that can break every rule: frames as they are, on a connection of its own."""

from __future__ import annotations

import base64
import os
import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from tests.support.engine import EngineUnderTest
from tests.support.waiting import until

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class RawSocket(Protocol):
    """One connection."""

    def __init__(self, path: str, headers: Mapping[str, str]) -> None:
        self._path = path
        self._headers = headers
        self._data = b""
        self._parts: list[bytes] = []
        self.head = ""
        self.body = b""
        self.frames: list[tuple[int, bytes]] = []
        """Whole messages and control frames: opcode and payload."""
        self.over = False
        self.answers = False
        """Whether pings are answered."""
        self._first = 0
        self._packed = False
        self._inflate = zlib.decompressobj(-15)

    @property
    def status(self) -> int:
        """Of the answer to the request."""
        return int(self.head.split(" ")[1])

    @property
    def texts(self) -> list[str]:
        """The messages of text so far."""
        return [data.decode() for opcode, data in self.frames if opcode == TEXT]

    @property
    def closed_with(self) -> int | None:
        """The code that the server closed with; None if it did not say."""
        codes = [struct.unpack("!H", data[:2])[0] for opcode, data in self.frames if opcode == CLOSE and len(data) > 1]
        return codes[0] if codes else None

    def connectionMade(self) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {
            "host": "localhost", "upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": "13",
            "sec-websocket-key": key, **self._headers,
        }  # fmt: skip
        lines = [f"GET {self._path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value), "", ""]
        self._write("\r\n".join(lines).encode())

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        if not self.head:
            head, found, rest = self._data.partition(b"\r\n\r\n")
            if not found:
                return
            self.head, self._data = head.decode(), rest
        if self.status != 101:
            self.body += self._data
            self._data = b""
        while self._frame():
            pass

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.over = True

    def frame(self, opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True) -> None:
        """Send one frame."""
        self._write(frame_bytes(opcode, payload, fin=fin, rsv=rsv, masked=masked))

    def say(self, text: str) -> None:
        """Send a message of text."""
        self.frame(TEXT, text.encode())

    def close(self, code: int = 1000, reason: bytes = b"") -> None:
        """Send a closing frame."""
        self.frame(CLOSE, struct.pack("!H", code) + reason)

    def leave(self) -> None:
        """Break the connection."""
        transport: Any = self.transport
        transport.abortConnection()

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait as `waiting.until` does; a failure shows the frames that came."""
        await until(wanted, state=lambda: (self.over, self.frames))

    async def has(self, count: int) -> list[str]:
        """Wait for so many messages of text."""
        await self.until(lambda: len(self.texts) >= count)
        return self.texts

    def _frame(self) -> bool:
        data = self._data
        if self.status != 101 or len(data) < 2:
            return False
        length, at = data[1] & 127, 2
        if length == 126:
            length, at = struct.unpack("!H", data[2:4])[0] if len(data) >= 4 else 1 << 62, 4
        elif length == 127:
            length, at = struct.unpack("!Q", data[2:10])[0] if len(data) >= 10 else 1 << 62, 10
        if len(data) < at + length:
            return False
        opcode, payload = data[0] & 15, data[at : at + length]
        self._data = data[at + length :]
        if opcode >= 8:
            self.frames.append((opcode, payload))
            if opcode == PING and self.answers:
                self.frame(PONG, payload)
            return True
        if opcode:
            self._first, self._packed, self._parts = opcode, bool(data[0] & 64), []
        self._parts.append(payload)
        if data[0] & 128:
            whole = b"".join(self._parts)
            if self._packed:
                # The server begins each message anew.
                whole = zlib.decompressobj(-15).decompress(whole + b"\0\0\xff\xff")
            self.frames.append((self._first, whole))
        return True

    def _write(self, data: bytes) -> None:
        transport: Any = self.transport
        if not self.over:
            transport.write(data)


def frame_bytes(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """Return one frame."""
    first = (128 if fin else 0) | rsv << 4 | opcode
    length = len(payload)
    bit = 128 if masked else 0
    if length < 126:
        head = struct.pack("!BB", first, bit | length)
    elif length < 65536:
        head = struct.pack("!BBH", first, bit | 126, length)
    else:
        head = struct.pack("!BBQ", first, bit | 127, length)
    mask = os.urandom(4) if masked else b""
    body = _masked(payload, mask) if masked else payload
    return head + mask + body


def _masked(payload: bytes, mask: bytes) -> bytes:
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


async def connect(engine: EngineUnderTest, path: str, headers: Mapping[str, str] | None = None) -> RawSocket:
    """Ask for a WebSocket, and wait for the answer."""
    host, _, port = engine.address.removeprefix("http://").partition(":")
    socket = RawSocket(path, headers or {})
    await connectProtocol(TCP4ClientEndpoint(reactor, host, int(port)), socket)
    await socket.until(lambda: bool(socket.head) or socket.over)
    return socket
