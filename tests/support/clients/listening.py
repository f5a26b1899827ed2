"""A client of streams of events."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from tests.support.engine import EngineUnderTest
from tests.support.waiting import until


class Client(Protocol):
    """An EventSource, as far as the standard goes: events, `Last-Event-ID`, retry."""

    def __init__(self) -> None:
        self.raw = b""
        self.events: list[dict[str, str]] = []
        self.last_id = ""
        self.retry = 0
        self.over: type[BaseException] | None = None
        self.status = 0
        self.headers: dict[str, str] = {}

    def dataReceived(self, data: bytes) -> None:
        self.raw += data
        *blocks, rest = self.raw.split(b"\n\n")
        self.raw = rest
        for block in blocks:
            self._block(block.decode())

    def connectionLost(self, reason: Failure = Failure(ConnectionDone())) -> None:  # noqa: B008
        self.over = reason.type

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
        return [event.get("event") or _parsed(event["data"]) for event in self.events]

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait as `waiting.until` does; a failure shows the events that came."""
        await until(wanted, state=lambda: (self.over, self.events))

    async def has(self, count: int) -> list[Any]:
        """Wait for so many events."""
        await self.until(lambda: len(self.events) >= count)
        return self.data

    def leave(self) -> None:
        """Break the connection."""
        transport: Any = self.transport
        transport.loseConnection()


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
