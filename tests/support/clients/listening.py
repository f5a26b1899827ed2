"""A client of streams of events."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from tests.support.engine import EngineUnderTest


class Client(Protocol):
    """An EventSource, as far as the standard goes: events, `Last-Event-ID`, retry."""

    def __init__(self) -> None:
        self.raw = b""
        self.events: list[dict[str, str]] = []
        self.last_id = ""
        self.retry = 0
        self.over: type[BaseException] | None = None
        self._waits: list[tuple[Callable[[], bool], Deferred[None]]] = []
        self.status = 0
        self.headers: dict[str, str] = {}

    def dataReceived(self, data: bytes) -> None:
        self.raw += data
        *blocks, rest = self.raw.split(b"\n\n")
        self.raw = rest
        for block in blocks:
            self._block(block.decode())
        self._look()

    def connectionLost(self, reason: Failure = Failure(ConnectionDone())) -> None:  # noqa: B008
        self.over = reason.type
        self._look()

    def _block(self, block: str) -> None:
        event: dict[str, str] = {}
        for line in block.split("\n"):
            name, _, value = line.partition(": ")
            if name == "data":
                event["data"] = event["data"] + "\n" + value if "data" in event else value
            elif name == "id":
                self.last_id = value
            elif name == "retry":
                self.retry = int(value)
            elif name:
                event[name] = value
        if "data" in event:
            self.events.append({"id": self.last_id, **event})

    @property
    def data(self) -> list[Any]:
        """What came, without ids; events of the engine by their name."""
        return [one.get("event") or _parsed(one["data"]) for one in self.events]

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait for something; at most ten seconds."""
        done: Deferred[None] = Deferred()
        self._waits.append((wanted, done))
        self._look()
        await done.addTimeout(10, reactor)

    async def has(self, count: int) -> list[Any]:
        """Wait for so many events."""
        await self.until(lambda: len(self.events) >= count)
        return self.data

    def leave(self) -> None:
        """Break the connection."""
        transport: Any = self.transport
        transport.loseConnection()

    def _look(self) -> None:
        for wait in list(self._waits):
            if wait[0]():
                self._waits.remove(wait)
                wait[1].callback(None)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


async def listen(engine: EngineUnderTest, path: str, headers: Mapping[str, str] | None = None) -> Client:
    """Open a stream."""
    response = await engine.open("GET", path, headers)
    client = Client()
    client.status = response.code
    client.headers = {name.decode().lower(): values[0].decode() for name, values in response.headers.getAllRawHeaders()}
    response.deliverBody(client)
    return client
