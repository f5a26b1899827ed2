"""
Clients of a stream of events: `python bench/listeners.py HOST PORT PATH COUNT [QUERY]`.

With QUERY they are clients of a GraphQL subscription over WebSocket (graphql-transport-ws), or, if it is `-`, of a
WebSocket of a script; in it and in PATH `NUMBER` stands for the number of the client.

It opens that many connections, says `open` when all of them have had their first bytes, and then
answers each line on its input: `counts` with JSON about what has come, `reset` likewise after counting from zero
again, anything else by ending.
Connections come from several addresses of this machine, for one has too few ports.
"""

from __future__ import annotations

import json
import resource
import select
import socket
import sys
import time
from collections.abc import Sequence

PLAIN = "-"
"""In place of a query: a WebSocket of a script."""
PING = b"\x89"
PONG = b"\x8a"
TEXT = b"\x81"

_FROM_ONE_ADDRESS = 5000
_OPENING = 200
"""Connections that are being opened at the same time."""


class Listeners:
    """
    Many connections, read by one thread.

    Args:
        host: Of the server.
        port: Of the server.
        path: Of the stream.
        query: Of a subscription over WebSocket, `-` for a plain WebSocket; empty for a stream of events.
    """

    def __init__(self, host: str, port: int, path: str, query: str = "") -> None:
        self._to = (host, port)
        self._path = path
        self._query = query
        self._mark = b'{"at":' if query == PLAIN else b'"type":"next"' if query else b"\ndata: "
        self._numbers: dict[int, int] = {}
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._counts: dict[int, int] = {}
        self._begun: set[int] = set()
        self._tails: dict[int, bytes] = {}
        self.closed = 0
        self.last = 0.0
        """When the last event came."""

    def open(self, count: int) -> None:
        """Open so many, and wait until each has had an answer."""
        for number in range(count):
            client = socket.socket()
            client.bind((f"127.0.0.{2 + number // _FROM_ONE_ADDRESS}", 0))
            client.connect(self._to)
            client.setblocking(False)
            client.send(self._request(number))
            self._numbers[client.fileno()] = number
            self._sockets[client.fileno()] = client
            self._counts[client.fileno()] = 0
            self._tails[client.fileno()] = b""
            self._poll.register(client.fileno(), select.EPOLLIN)
            while len(self._sockets) - len(self._begun) > _OPENING:
                self.read(1.0)
        while len(self._begun) < count and not self.closed:
            self.read(1.0)

    def read(self, seconds: float) -> None:
        """Read what comes within some time."""
        for descriptor, _ in self._poll.poll(seconds):
            try:
                data = self._sockets[descriptor].recv(262_144)
            except OSError:
                data = b""
            if not data:
                self._poll.unregister(descriptor)
                self.closed += 1
                continue
            # A name may be cut in two by the end of what was read.
            seen = self._tails[descriptor] + data
            if not self._query:
                self._begun.add(descriptor)
            elif descriptor not in self._begun:
                self._talk(descriptor, seen)
            if self._query and data.startswith(PING):
                self._sockets[descriptor].send(frame(data[2 : 2 + data[1]], PONG))
            events = seen.count(self._mark)
            self._tails[descriptor] = seen[1 - len(self._mark) :]
            if events:
                self._counts[descriptor] += events
                self.last = time.time()

    def _request(self, number: int) -> bytes:
        path = self._path.replace("NUMBER", str(number))
        lines = [f"GET {path} HTTP/1.1", f"Host: {self._to[0]}"]
        if self._query:
            lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
            lines.append("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
            if self._query != PLAIN:
                lines.append("Sec-WebSocket-Protocol: graphql-transport-ws")
        else:
            lines.append("Accept: text/event-stream")
        return "\r\n".join([*lines, "", ""]).encode()

    def _talk(self, descriptor: int, seen: bytes) -> None:
        """Subscribe once the server has answered."""
        if self._query == PLAIN:
            if b" 101 " in seen:
                self._begun.add(descriptor)
        elif b"connection_ack" in seen:
            query = self._query.replace("NUMBER", str(self._numbers[descriptor]))
            message = {"id": "1", "type": "subscribe", "payload": {"query": query}}
            self._sockets[descriptor].send(frame(json.dumps(message).encode()))
            self._begun.add(descriptor)
        elif b" 101 " in seen:
            self._sockets[descriptor].send(frame(b'{"type":"connection_init"}'))

    def reset(self) -> None:
        """Count from zero again."""
        self._counts = dict.fromkeys(self._counts, 0)

    def counts(self) -> str:
        """Return what has come."""
        counts = self._counts.values()
        return json.dumps(
            {"least": min(counts), "most": max(counts), "all": sum(counts), "closed": self.closed, "last": self.last}
        )


def frame(text: bytes, first: bytes = TEXT) -> bytes:
    """Return a frame of a short text, with a mask that changes nothing."""
    size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return first + size + b"\0\0\0\0" + text


def main(arguments: Sequence[str]) -> None:
    """Run."""
    host, port, path, count, *query = arguments
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    listeners = Listeners(host, int(port), path, *query)
    listeners.open(int(count))
    print("open" if not listeners.closed else f"{listeners.closed} were refused", flush=True)
    asked = select.poll()
    asked.register(sys.stdin, select.POLLIN)
    while True:
        listeners.read(0.02)
        if asked.poll(0):
            command = sys.stdin.readline().strip()
            if command == "reset":
                listeners.reset()
            elif command != "counts":
                return
            print(listeners.counts(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
