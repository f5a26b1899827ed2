"""
What the runtime talks to, without a process: a reactor that is turned by hand, the other ends of its sockets.

    reactor = HandReactor()
    forker = Forker(reactor)            the other end of a control socket; `forker.control` is ours
    ...
    request = forker.take()             what was asked for, with its sockets
    child = FakeChild(request.sockets[0])
    reactor.turn()
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet.task import Clock

from aiwebengine.runtime.processes.slots import Slots
from aiwebengine.runtime.processes.stock import StockLimit
from aiwebengine.runtime.processes.terms import GroupContext
from aiwebengine.runtime.wire.boxes import Box, Parser, encode, encode_pair
from aiwebengine.runtime.wire.control import Control
from aiwebengine.settings.schema import LimitSettings, PoolSettings


class HandReactor(Clock):
    """A clock that also watches descriptors, each time it is turned."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: dict[Any, None] = {}
        self.writers: dict[Any, None] = {}

    def addReader(self, reader: Any) -> None:
        """See `IReactorFDSet`."""
        self.readers[reader] = None

    def removeReader(self, reader: Any) -> None:
        """See `IReactorFDSet`."""
        self.readers.pop(reader, None)

    def addWriter(self, writer: Any) -> None:
        """See `IReactorFDSet`."""
        self.writers[writer] = None

    def removeWriter(self, writer: Any) -> None:
        """See `IReactorFDSet`."""
        self.writers.pop(writer, None)

    def turn(self, times: int = 3) -> None:
        """Let everything read what is there and write what waits."""
        for _ in range(times):
            for writer in list(self.writers):
                writer.doWrite()
            for reader in list(self.readers):
                if reader in self.readers:
                    reader.doRead()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was requested of a forker."""

    content: Mapping[str, Any]
    sockets: list[socket.socket]

    def close(self) -> None:
        """Close what came with it."""
        for sock in self.sockets:
            sock.close()


class Forker:
    """
    The other end of a control socket.

    Args:
        reactor: Of our end.
        sock: This end; None to make a pair, with `control` as our end.
    """

    def __init__(self, reactor: HandReactor, sock: socket.socket | None = None) -> None:
        self.ready: list[Mapping[str, Any]] = []
        self.lost = 0
        if sock is None:
            ours, sock = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.control = Control(reactor=reactor, sock=ours, ready=self.ready.append, lost=self._lost)
        self.sock = sock
        self.sock.setblocking(False)

    def _lost(self) -> None:
        self.lost += 1

    def take(self) -> Request | None:
        """Return the next request; None if there is none, or the other side has gone."""
        if self.sock.fileno() < 0:
            return None
        try:
            data, descriptors, _, _ = socket.recv_fds(self.sock, 65536, 8)
        except (BlockingIOError, ConnectionResetError):
            return None
        if not data:
            return None
        return Request(
            content=json.loads(data), sockets=[socket.socket(fileno=descriptor) for descriptor in descriptors]
        )

    def requests(self) -> list[Request]:
        """Return every request that is there."""
        found = []
        while (request := self.take()) is not None:
            found.append(request)
        return found

    def say(self, **event: Any) -> None:
        """Send an event."""
        self.sock.send(json.dumps(event).encode("ascii"))

    def forked(self, number: int, pid: int = 0) -> None:
        """Tell that a process runs: by default this one, which is nobody's child here."""
        self.say(ev="forked", id=number, pid=pid or os.getpid())

    def exit(self, number: int, status: int = 0) -> None:
        """Tell that a process has ended."""
        self.say(ev="exit", id=number, pid=0, status=status, utime=0.25, stime=0.25, maxrss=1000)

    def close(self) -> None:
        """Be gone."""
        self.sock.close()


def a_group_context(
    reactor: HandReactor, *, source: Any = None, zygote: Callable[[], Control | None] = lambda: None, **pool: Any
) -> GroupContext:
    """
    Return what a group of processes is handed, with the time of *reactor*.

    Args:
        source: Where versions come from; None for what reads none.
        zygote: Returns the control socket that templates are asked for on.
        pool: Settings of the pool, by name.
    """
    numbers = iter(range(1, 1000))
    return GroupContext(
        reactor=reactor,
        zygote=zygote,
        next_number=lambda: next(numbers),
        source=source,
        cores=1,
        slots=Slots(total=4),
        stock_limit=StockLimit(PoolSettings(**pool).max_ready),
        pool=PoolSettings(**pool),
        limits=LimitSettings(),
        seconds=reactor.seconds,
        wall=lambda: 1.7e9,
        entropy=bytes,
    )


class FakeChild:
    """
    The other end of a data socket.

    Args:
        sock: This end.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.setblocking(False)
        self._parser = Parser(max_bytes=1 << 26)
        self._boxes: list[Box] = []

    def take(self) -> Box | None:
        """Return the next box; None if there is none, or the other side has gone."""
        while not self._boxes:
            try:
                data = self.sock.recv(1 << 20)
            except (BlockingIOError, ConnectionResetError):
                return None
            if not data:
                return None
            self._boxes += self._parser.feed(data)
        return self._boxes.pop(0)

    @property
    def deserted(self) -> bool:
        """The other side has closed the socket, and nothing is left to read."""
        if self._boxes:
            return False
        try:
            return not self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    def send(self, value: bytes = b"", **pairs: bytes) -> None:
        """Send a box: the pairs in order (`ask` stands for `_ask` and so on), *value* as `v`."""
        hidden = {"ask", "answer", "error", "error_code", "command"}
        head = b"".join(
            encode_pair((f"_{key}" if key in hidden else key).encode(), value) for key, value in pairs.items()
        )
        self.sock.sendall(encode(head, value))

    def answer(self, value: bytes = b'{"done":true}', head: bytes = b"", tag: bytes = b"1") -> None:
        """Answer the run."""
        self.send(value, answer=tag, h=head)

    def fail(self, code: bytes = b"thrown", error: Mapping[str, Any] | None = None, tag: bytes = b"1") -> None:
        """Answer the run with an error."""
        self.send(json.dumps(error or {"message": "m"}).encode(), error=tag, error_code=code)

    def ask(self, name: bytes, *arguments: Any, tag: bytes = b"7") -> None:
        """Make a host call."""
        self.send(json.dumps(arguments, separators=(",", ":")).encode(), ask=tag, command=b"host", n=name)

    def part(self, name: bytes, head: bytes = b"", body: bytes = b"", tag: bytes = b"7") -> None:
        """Send a part of the answer."""
        self.send(head + b"\0" + body, ask=tag, command=b"host", n=b"answer." + name)

    def position(self, stack: bytes) -> None:
        """Say where the script is, as before a deadline."""
        self.send(stack, command=b"position")

    def close(self) -> None:
        """Be gone."""
        self.sock.close()
