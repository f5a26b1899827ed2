"""This server as scripts reach it: which addresses are its own."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.web.own_server import InProcessServer


class OwnServerTests(SynchronousTestCase):
    """`InProcessServer.is_own`."""

    def server(self, public_url="", place=("10.0.0.5", 8080)):
        return InProcessServer(reactor=None, site=None, public_url=public_url, listens_at=lambda: place)

    def test_listener(self):
        """The address of the listener and those of this machine are its own, on its port and without TLS."""
        server = self.server()
        for host in ("10.0.0.5", "127.0.0.1", "localhost", "::1"):
            self.assertTrue(server.is_own("http", host, 8080), host)
            self.assertFalse(server.is_own("http", host, 8081), host)
            self.assertFalse(server.is_own("https", host, 8080), host)
        self.assertFalse(server.is_own("http", "10.0.0.6", 8080))

    def test_not_listening(self):
        """Before it listens it has no address."""
        self.assertFalse(self.server(place=None).is_own("http", "127.0.0.1", 8080))

    def test_public(self):
        """What clients call it is its own, with the port of the scheme if it names none."""
        server = self.server("https://Shop.example")
        self.assertTrue(server.is_own("https", "shop.example", 443))
        self.assertFalse(server.is_own("http", "shop.example", 80))
        self.assertTrue(self.server("http://shop.example:8443").is_own("http", "shop.example", 8443))
