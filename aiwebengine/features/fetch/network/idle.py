"""Connections that wait for further requests, by server."""

from __future__ import annotations

from collections.abc import Hashable

from twisted.internet.defer import Deferred, DeferredList

from aiwebengine.features.fetch.network.connection import ServerConnection
from aiwebengine.interfaces import Clock, DelayedCall


class IdleConnections:
    """
    See the module.

    Args:
        clock: Measures how long they wait.
        seconds: How long at most.
        most: Most of one server; the one that waits longest is closed.
    """

    def __init__(self, *, clock: Clock, seconds: float, most: int) -> None:
        self._clock = clock
        self._seconds = seconds
        self._most = most
        self._idle: dict[Hashable, dict[ServerConnection, float]] = {}
        """By server: since when each waits, the one that waits longest first."""
        self._places: dict[ServerConnection, Hashable] = {}
        self._timer: DelayedCall | None = None
        self._closing: dict[ServerConnection, Deferred[None]] | None = None

    def take(self, server: Hashable) -> ServerConnection | None:
        """Return the one that was used last, which is likely to be alive; None if none waits."""
        waiting = self._idle.get(server)
        if not waiting:
            return None
        connection, _ = waiting.popitem()
        self._forget(connection, waiting)
        return connection

    def keep(self, server: Hashable, connection: ServerConnection) -> None:
        """Let one wait."""
        if self._closing is not None or not self._seconds:
            connection.loseConnection()
            return
        waiting = self._idle.setdefault(server, {})
        if len(waiting) >= self._most:
            oldest = next(iter(waiting))
            del waiting[oldest], self._places[oldest]
            oldest.loseConnection()
        waiting[connection] = self._clock.seconds()
        self._places[connection] = server
        if self._timer is None:
            self._timer = self._clock.callLater(self._seconds, self._sweep)

    def lost(self, connection: ServerConnection) -> None:
        """Forget one that has ended, if it waits here."""
        server = self._places.get(connection)
        if connection in self._places:
            waiting = self._idle[server]
            del waiting[connection]
            self._forget(connection, waiting)
        if self._closing is not None and connection in self._closing:
            self._closing.pop(connection).callback(None)

    def close(self) -> Deferred[None]:
        """End all; fires when they have ended."""
        self._stop()
        connections = list(self._places)
        self._closing = {connection: Deferred() for connection in connections}
        over = DeferredList(list(self._closing.values()))
        for connection in connections:
            connection.loseConnection()
        return over.addCallback(lambda _: None)

    def _forget(self, connection: ServerConnection, waiting: dict[ServerConnection, float]) -> None:
        server = self._places.pop(connection)
        if not waiting:
            del self._idle[server]

    def _stop(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _sweep(self) -> None:
        """Close those that have waited for too long, and look again when the next one will have."""
        self._timer = None
        now = self._clock.seconds()
        for waiting in list(self._idle.values()):
            for connection, since in list(waiting.items()):
                if now - since < self._seconds:
                    break
                del waiting[connection]
                self._forget(connection, waiting)
                connection.loseConnection()
        if self._idle:
            first = min(next(iter(waiting.values())) for waiting in self._idle.values())
            self._timer = self._clock.callLater(max(first + self._seconds - now, 0.0), self._sweep)
