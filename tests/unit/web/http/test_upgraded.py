"""Connections that leave HTTP."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from aiwebengine.errors import Unavailable
from aiwebengine.values import Request
from aiwebengine.web.http.exchange import Exchange
from aiwebengine.web.http.upgraded import UpgradedConnection
from tests.unit.web.support import Transport, WebTestCase


class Taker:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def dataReceived(self, data: bytes) -> None:
        self.events.append(data)

    def connectionLost(self, reason: Failure) -> None:
        self.events.append("lost")

    def pauseProducing(self) -> None:
        self.events.append("pause")

    def resumeProducing(self) -> None:
        self.events.append("resume")


class SwappingTransport(Transport):
    """A transport that asks its attribute `protocol`, as Twisted's do."""

    protocol: Any = None


class UpgradedTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.upgraded: list[tuple[UpgradedConnection, bytes]] = []

        def enter(exchange: Exchange, request: Request) -> bool:
            self.upgraded.append(exchange.upgrade().upgrade())
            return True

        self.site = self.make_site(responders=[enter])

    def upgrade(self, transport: Transport, rest: bytes = b"") -> tuple[Any, UpgradedConnection, Taker]:
        """Have a connection leave HTTP; returns its channel, too."""
        channel = self.site.build_factory().buildProtocol(None)
        if isinstance(transport, SwappingTransport):
            transport.protocol = channel
        channel.makeConnection(transport)
        channel.dataReceived(b"GET /leave HTTP/1.1\r\nhost: a\r\n\r\n" + rest)
        connection, came = self.upgraded.pop()
        self.assertEqual(came, rest)
        taker = Taker()
        connection.begin(taker)
        return channel, connection, taker

    def test_in_place_of_the_channel(self) -> None:
        """The transport gets the connection in the channel's place, and nothing keeps the channel."""
        transport = SwappingTransport()
        channel, connection, taker = self.upgrade(transport, b"rest")
        self.assertIs(transport.protocol, connection)
        self.assertIs(transport.producer, connection)
        kept = weakref.ref(channel)
        del channel
        gc.collect()
        self.assertIsNone(kept())
        self.assertEqual(self.site.connections, 1)
        transport.protocol.dataReceived(b"data")
        transport.producer.pauseProducing()
        transport.producer.resumeProducing()
        connection.send(b"answer")
        self.assertEqual(transport.value(), b"answer")
        transport.protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(taker.events, [b"data", "pause", "resume", "lost"])
        self.assertEqual(self.site.connections, 0)
        connection.send(b"late")
        connection.end()
        connection.hold_reading(True)
        connection.forceAbortClient()
        self.assertEqual(transport.value(), b"answer")

    def test_behind_the_channel(self) -> None:
        """Where the transport keeps the channel, that passes on what happens."""
        channel, _, taker = self.upgrade(Transport())
        channel.dataReceived(b"data")
        channel.pauseProducing()
        channel.resumeProducing()
        self.assertEqual(self.site.connections, 1)
        channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(taker.events, [b"data", "pause", "resume", "lost"])
        self.assertEqual(self.site.connections, 0)

    def test_ends(self) -> None:
        """It ends when what was sent has left, once, when the client sends no more or the server stops."""
        for end in (
            lambda connection: connection.end(),
            lambda connection: connection.readConnectionLost(),
            lambda connection: connection.give_up(Unavailable("stopping", retry_seconds=1.0)),
        ):
            transport = SwappingTransport()
            _, connection, taker = self.upgrade(transport)
            self.assertFalse(connection.idle)
            connection.half_close()
            self.assertTrue(transport.half_closed)
            end(connection)
            connection.end()
            self.assertEqual((transport.disconnecting, transport.producer, taker.events), (True, None, []))
            connection.connectionLost(Failure(ConnectionDone()))
            self.assertEqual(taker.events, ["lost"])
