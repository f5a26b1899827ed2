"""What is known of the servers that scripts call."""

from __future__ import annotations

import pytest
from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Unavailable
from aiwebengine.features.fetch.peers import Peers
from aiwebengine.features.fetch.settings import FetchSettings

ORIGIN = ("https", "a.example", 443)


class PeersTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()

    def peers(self, **settings):
        return Peers(settings=FetchSettings(**settings), clock=self.clock)

    def enter(self, peer):
        return maybeDeferred(peer.enter)

    @pytest.mark.setting("fetch.breaker_failures")
    def test_breaker(self):
        """After so many failures in a row requests fail at once, until one is tried again."""
        peer = self.peers(breaker_failures=3).of("shop", ORIGIN)
        for _ in range(3):
            peer.breaker.failed(peer.permit(), "it refused the connection")
        with self.assertRaises(Unavailable) as refused:
            peer.permit()
        self.assertEqual(refused.exception.details, {"reason": "breaker"})
        self.assertIn("https://a.example:443", refused.exception.public)
        self.assertIn("it refused the connection", refused.exception.public)
        self.clock.advance(refused.exception.retry_seconds)
        peer.breaker.succeeded(peer.permit())
        peer.permit()

    def test_breakers_are_apart(self):
        """What one script's requests to a server do is held neither against others nor against other servers."""
        peers = self.peers(breaker_failures=1)
        bad = peers.of("shop", ORIGIN)
        bad.breaker.failed(bad.permit(), "down")
        self.assertIs(peers.of("shop", ORIGIN), bad)
        for script, origin in (
            ("blog", ORIGIN),
            ("shop", ("https", "a.example", 444)),
            ("shop", ("http", *ORIGIN[1:])),
        ):
            peers.of(script, origin).permit()
        self.assertEqual(list(peers.state()["breakers"]), ["shop https://a.example:443"])

    @pytest.mark.setting("fetch.max_open")
    def test_bulkhead(self):
        """Further requests to a server wait until one of those under way has ended."""
        peer = self.peers(max_open=2).of("shop", ORIGIN)
        leave, _ = (self.successResultOf(self.enter(peer)) for _ in range(2))
        third = self.enter(peer)
        self.assertNoResult(third)
        leave()
        self.successResultOf(third)
        self.assertNoResult(self.enter(peer))

    @pytest.mark.setting("fetch.max_waiting")
    def test_too_many_wait(self):
        """If too many wait already, a request fails at once."""
        peers = self.peers(max_open=1, max_waiting=1)
        peer = peers.of("shop", ORIGIN)
        self.successResultOf(self.enter(peer))
        self.assertNoResult(self.enter(peer))
        failed = self.failureResultOf(self.enter(peer), Unavailable).value
        self.assertEqual(failed.details, {"reason": "busy"})
        self.assertEqual((peers.state()["open"], peers.state()["waiting"]), (1, 1))

    def test_waits_too_long(self):
        """Whoever waits for longer than an answer may take is told that the server is busy."""
        peer = self.peers(max_open=1, answer_seconds=10.0).of("shop", ORIGIN)
        self.successResultOf(self.enter(peer))
        waiting = self.enter(peer)
        self.clock.advance(10.1)
        self.assertEqual(self.failureResultOf(waiting, Unavailable).value.details, {"reason": "busy"})

    def test_cancelled_while_it_waits(self):
        """Who stops waiting leaves the queue."""
        peers = self.peers(max_open=1)
        peer = peers.of("shop", ORIGIN)
        leave = self.successResultOf(self.enter(peer))
        waiting = self.enter(peer)
        waiting.cancel()
        self.failureResultOf(waiting)
        self.assertEqual(peers.state()["waiting"], 0)
        leave()
        self.assertEqual(peers.state()["open"], 0)

    def test_forgotten(self):
        """Of many servers those that were called longest ago are forgotten, unless requests to them are under way."""
        peers = self.peers()
        held = peers.of("shop", ORIGIN)
        self.successResultOf(self.enter(held))
        for number in range(3000):
            peers.of("shop", ("https", f"{number}.example", 443))
        self.assertLessEqual(peers.state()["servers"], 2001)
        self.assertIs(peers.of("shop", ORIGIN), held)
