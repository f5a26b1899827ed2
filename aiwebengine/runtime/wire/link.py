"""
The server's end of one child's data socket.

A descriptor of the reactor's own kind, not a transport: bytes are sent at once while the
socket takes them, and only what is left over waits for the reactor.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from twisted.internet.interfaces import IReactorFDSet, IReadWriteDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from aiwebengine.runtime.wire.boxes import BadBox, Box, Parser

_log = Logger()

_READ_BYTES = 256 * 1024
_FEW_BYTES = 8 * 1024
_MOST_LEFT = 4 * 1024 * 1024
"""What a dead child can have left behind: more than a socket holds."""
_MAX_WAITING_BYTES = 128 * 1024 * 1024
_AHEAD_BYTES = 128 * 1024
"""So much is made ready of what is sent bit by bit."""


@implementer(IReadWriteDescriptor)
class Link:
    """
    One data socket.

    Args:
        reactor: Watches the descriptor.
        sock: The socket; belongs to the link from now on.
        max_bytes: Largest value that the child may send.
        received: Takes each box.
        broken: Called once with what the child did that the protocol does not allow; the socket is closed by then.
        lost: Called once when the other side has closed the connection.
    """

    def __init__(
        self,
        *,
        reactor: IReactorFDSet,
        sock: socket.socket,
        max_bytes: int,
        received: Callable[[Box], None],
        broken: Callable[[str], None],
        lost: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self._reactor = reactor
        self._sock: socket.socket | None = sock
        self._send = sock.send
        self._recv = sock.recv
        self._parser = Parser(max_bytes=max_bytes)
        self._received = received
        self._broken = broken
        self._lost = lost
        self._waiting = bytearray()
        self._later: deque[tuple[Iterator[bytes], int]] = deque()
        """What comes after it, with how many bytes it has; empty if nothing waits."""
        self._later_bytes = 0
        self._read_bytes = _FEW_BYTES
        reactor.addReader(self)

    def fileno(self) -> int:
        """Return the descriptor, -1 when closed."""
        return self._sock.fileno() if self._sock is not None else -1

    def logPrefix(self) -> str:
        """Name this for Twisted's log."""
        return "child"

    @property
    def unread_bytes(self) -> int:
        """Return how many bytes the child has not read yet."""
        return len(self._waiting) + self._later_bytes

    def send(self, data: bytes) -> None:
        """Send *data*, now or as soon as the child takes it."""
        if self._sock is None:
            return
        if not self._waiting:
            try:
                sent = self._send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                # The reading side will notice and report it.
                return
            if sent == len(data):
                return
            data = data[sent:]
            self._reactor.addWriter(self)
        elif self._later:
            self.send_pieces((data,), size_bytes=len(data))
            return
        self._waiting += data
        self._check_waiting()

    def send_pieces(self, pieces: Iterable[bytes], *, size_bytes: int) -> None:
        """
        Send what is long, piece by piece, each made when the child has read those before it.

        Args:
            pieces: Short ones.
            size_bytes: How many bytes they have together.
        """
        if self._sock is None:
            return
        self._later.append((iter(pieces), size_bytes))
        self._later_bytes += size_bytes
        if not self._waiting:
            self._reactor.addWriter(self)
            self._make_ready()
            self.doWrite()
        self._check_waiting()

    def _make_ready(self) -> None:
        """Make some of what comes later."""
        while self._later and len(self._waiting) < _AHEAD_BYTES:
            pieces, size_bytes = self._later[0]
            piece = next(pieces, None)
            if piece is None:
                self._later.popleft()
                self._later_bytes -= size_bytes
            else:
                self._waiting += piece

    def _forget_later(self) -> None:
        self._later.clear()
        self._later_bytes = 0

    def _check_waiting(self) -> None:
        if self.unread_bytes > _MAX_WAITING_BYTES:
            self._break("it does not read from its socket")

    def close(self) -> None:
        """Close the socket; nothing is reported any more."""
        if self._sock is None:
            return
        self._reactor.removeReader(self)
        self._reactor.removeWriter(self)
        self._sock.close()
        self._sock = None
        self._waiting.clear()
        self._forget_later()

    def doRead(self) -> None:
        """Read what has arrived."""
        self._read()

    def read_out(self) -> None:
        """Read all that a dead child has sent."""
        for _ in range(_MOST_LEFT // _FEW_BYTES):
            # Another process with the other end could continue forever.
            if self._sock is None or not self._read():
                break

    def _read(self) -> bool:
        """Read once; false if there was nothing."""
        try:
            data = self._recv(self._read_bytes)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.close()
            self._lost()
            return True
        # Room for a large piece, allocated by the system and freed each time, costs more than a small answer.
        self._read_bytes = _READ_BYTES if len(data) == self._read_bytes else _FEW_BYTES
        try:
            boxes = self._parser.feed(data)
        except BadBox as error:
            self._break(str(error))
            return True
        for box in boxes:
            if self._sock is None:
                break
            try:
                self._received(box)
            except Exception:  # noqa: BLE001  the edge: whatever a child manages to break is its own run
                _log.failure("a message from a child process could not be handled")
                self._break("it sent a message that could not be handled")
        return True

    def doWrite(self) -> None:
        """Send what waits."""
        try:
            sent = self._send(self._waiting)
        except BlockingIOError:
            return
        except OSError:
            sent = len(self._waiting)
            self._forget_later()
        del self._waiting[:sent]
        if self._later:
            self._make_ready()
        if not self._waiting:
            self._reactor.removeWriter(self)

    def _break(self, why: str) -> None:
        self.close()
        self._broken(why)

    def connectionLost(self, reason: Failure) -> Any:  # noqa: ARG002  the interface's
        """Handle a descriptor that the reactor cannot use any more."""
        if self._sock is not None:
            self.close()
            self._lost()
