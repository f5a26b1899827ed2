"""How connections are made."""

from __future__ import annotations

import socket

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost, DNSLookupError
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Denied, Unavailable
from aiwebengine.features.fetch.network.addresses import AllowedAddresses
from aiwebengine.features.fetch.network.endpoints import Connector, resolve_in
from aiwebengine.features.fetch.network.failures import NameTooSlow
from aiwebengine.features.fetch.network.proxies import read_proxy
from aiwebengine.features.fetch.network.targets import read_target
from aiwebengine.features.fetch.network.tls import TrustedServers
from aiwebengine.values import Cause


class Inner(Protocol):
    """Keeps what it receives."""

    def __init__(self):
        self.received = b""
        self.lost = None

    def dataReceived(self, data):
        self.received += data

    def connectionLost(self, reason=None):
        self.lost = reason


class Threads:
    """Runs at once."""

    def run(self, work, *arguments):
        try:
            return succeed(work(*arguments))
        except Exception as error:  # noqa: BLE001  as threads do
            return fail(error)


class NotOwn:
    """A server that nobody calls by its own name."""

    def is_own(self, scheme, host, port):
        return False


class ConnectorCase(SynchronousTestCase):
    """Has a connector on a reactor in memory."""

    def setUp(self):
        self.reactor = MemoryReactorClock()
        self.names = {}
        self.resolved = []

    def resolve(self, host):
        self.resolved.append(host)
        return succeed(self.names.get(host, [host]))

    def connector(self, *, networks=(), proxy=""):
        return Connector(
            reactor=self.reactor,
            resolve=self.resolve,
            addresses=AllowedAddresses(networks),
            trusted=TrustedServers(),
            proxy=read_proxy(proxy),
            own=NotOwn,
            seconds=5.0,
        )

    def connect(self, url, **made):
        """Begin to connect; return the protocol that gets the connection, and what fires then."""
        inner = Inner()
        endpoint = self.connector(**made).plain(read_target(url))
        return inner, endpoint.connect(Factory.forProtocol(lambda: inner))

    def connected_to(self):
        return [(host, port) for host, port, *_ in self.reactor.tcpClients]


class ConnectorTests(ConnectorCase):
    def test_checked_address(self):
        """The connection goes to the very address that was checked; the name is resolved once."""
        self.names = {"a.example": ["93.184.216.34"]}
        _, connecting = self.connect("http://a.example:8080/")
        self.assertNoResult(connecting)
        self.assertEqual(self.connected_to(), [("93.184.216.34", 8080)])
        self.assertEqual(self.resolved, ["a.example"])

    def test_too_long(self):
        """A resolver that does not answer, and a server that does not, take no longer than is allowed."""
        for resolve, error in ((lambda _: Deferred(), NameTooSlow), (self.resolve, ConnectTimeout)):
            self.resolve = resolve
            _, connecting = self.connect("http://93.184.216.34/")
            self.reactor.advance(4.9)
            self.assertNoResult(connecting)
            self.reactor.advance(0.2)
            self.assertIs(self.failureResultOf(connecting, ConnectTimeout).type, error)

    def test_refused(self):
        """A name that resolves to an address that is not public is refused, and the message names both."""
        self.names = {"a.example": ["169.254.169.254"], "2130706433": ["127.0.0.1"], "0x7f.1": ["127.0.0.1"]}
        for url, shown in (
            ("http://a.example/", "a.example (169.254.169.254)"),
            ("http://2130706433/", "2130706433 (127.0.0.1)"),
            ("http://0x7f.1/", "0x7f.1 (127.0.0.1)"),
            ("http://10.0.0.1/", "10.0.0.1"),
            ("http://[::ffff:10.0.0.1]/", "::ffff:a00:1"),
        ):
            _, connecting = self.connect(url)
            refused = self.failureResultOf(connecting, Denied).value
            self.assertIn(f"fetch: {shown} is not a public address", refused.public)
            self.assertIn("fetch.networks", refused.public)
            self.assertEqual(refused.details, {"reason": "address"})
        self.assertEqual(self.connected_to(), [])

    def test_only_the_allowed_ones(self):
        """Of the addresses of a name only those are tried that may be reached."""
        self.names = {"a.example": ["10.0.0.1", "93.184.216.34", "::1"]}
        self.connect("http://a.example/")
        self.reactor.advance(2)
        self.assertEqual(self.connected_to(), [("93.184.216.34", 80)])

    @pytest.mark.setting("fetch.networks")
    def test_networks(self):
        """A named network may be reached."""
        self.connect("http://10.0.0.1/", networks=["10.0.0.0/8"])
        self.assertEqual(self.connected_to(), [("10.0.0.1", 80)])

    def test_proxy(self):
        """With a proxy only that is connected to; it resolves names itself, and its own address is the operator's."""
        self.names = {"proxy.local": ["10.9.9.9"]}
        self.connect("http://a.example/", proxy="http://proxy.local:3128")
        self.assertEqual(self.connected_to(), [("10.9.9.9", 3128)])
        self.assertEqual(self.resolved, ["proxy.local"])

    def test_own_server(self):
        """Another server is none of ours."""
        self.assertIsNone(self.connector().own(read_target("http://a.example/"), Cause(ancestors=())))


class TunnelTests(ConnectorCase):
    def tunnel(self, proxy="http://ada:secret@10.9.9.9:3128"):
        """Ask a proxy for a tunnel; return its transport, and what fires with the failure."""
        connecting = (
            self.connector(proxy=proxy).endpoint(read_target("https://a.example/")).connect(Factory.forProtocol(Inner))
        )
        factory = self.reactor.tcpClients[-1][2]
        self.knock = factory.buildProtocol(None)
        transport = StringTransport()
        transport.abortConnection = transport.loseConnection
        self.knock.makeConnection(transport)
        return transport, connecting

    def test_asked_for(self):
        """The proxy is asked for a tunnel to the server, with its own authorization."""
        transport, connecting = self.tunnel()
        self.assertEqual(
            transport.value(),
            b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n"
            b"Proxy-Authorization: Basic YWRhOnNlY3JldA==\r\n\r\n",
        )
        self.assertNoResult(connecting)
        transport.clear()
        for byte in b"HTTP/1.1 200 Connection established\r\nx: y\r\n\r\n":
            self.knock.dataReceived(bytes([byte]))
        self.assertEqual(transport.value()[:1], b"\x16", "it begins with TLS")

    def test_refused_by_the_proxy(self):
        """A proxy that refuses, or answers nonsense, is named as the reason."""
        for answer, words in (
            (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", '"HTTP/1.1 407 Proxy Authentication Required"'),
            (b"nonsense\r\n\r\n", '"nonsense"'),
            (b"x" * 20_000, "answer is too long"),
        ):
            transport, connecting = self.tunnel()
            self.knock.dataReceived(answer)
            refused = self.failureResultOf(connecting, Unavailable).value
            self.assertEqual(refused.details, {"reason": "proxy"})
            self.assertIn(words, refused.public)
            self.assertTrue(transport.disconnecting)

    def test_closed_by_the_proxy(self):
        """A proxy that closes the connection before it answers fails the request."""
        _, connecting = self.tunnel()
        self.knock.connectionLost(Failure(ConnectionLost()))
        self.failureResultOf(connecting, ConnectionLost)

    @pytest.mark.setting("fetch.connect_seconds")
    def test_no_answer_of_the_proxy(self):
        """A proxy that does not answer in the time for the whole connection is given up."""
        transport, connecting = self.tunnel()
        self.reactor.advance(4.9)
        self.assertNoResult(connecting)
        self.reactor.advance(0.2)
        refused = self.failureResultOf(connecting, Unavailable).value
        self.assertEqual(refused.details, {"reason": "proxy"})
        self.assertTrue(transport.disconnecting)

    def test_cancelled(self):
        """A tunnel that nobody waits for any more is closed."""
        transport, connecting = self.tunnel()
        connecting.cancel()
        self.failureResultOf(connecting)
        self.assertTrue(transport.disconnecting)


class ResolveTests(SynchronousTestCase):
    def resolved(self, monkeypatched, host="a.example"):
        self.patch(socket, "getaddrinfo", monkeypatched)
        return resolve_in(Threads())(host)

    def test_addresses(self):
        """All addresses of a name are found, each once, but not endlessly many."""
        many = [(None, None, None, "", (f"10.0.0.{n // 2}", 0)) for n in range(100)]
        found = self.successResultOf(self.resolved(lambda *_, **__: many))
        self.assertEqual(found, [f"10.0.0.{n}" for n in range(16)])

    def test_unknown(self):
        """A name that has no address, or can have none, is one that cannot be resolved."""
        for error in (socket.gaierror("no"), UnicodeError("label too long")):

            def raising(*_, error=error, **__):
                raise error

            self.failureResultOf(self.resolved(raising), DNSLookupError)

    def test_literals(self):
        """What the system's resolver takes for an address is resolved to it, and is checked as such."""
        self.assertEqual(self.successResultOf(resolve_in(Threads())("127.0.0.1")), ["127.0.0.1"])
