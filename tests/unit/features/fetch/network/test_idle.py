"""Connections that wait for further requests."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.fetch.network.idle import IdleConnections

HERE, THERE = ("http", "a.example", 80), ("http", "b.example", 80)


class FakeConnection:
    """Says whether it was closed."""

    def __init__(self):
        self.closed = False

    def loseConnection(self):
        self.closed = True


class IdleConnectionsTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()

    def idle(self, seconds=10.0, most=3):
        return IdleConnections(clock=self.clock, seconds=seconds, most=most)

    def kept(self, idle, count, server=HERE):
        made = [FakeConnection() for _ in range(count)]
        for connection in made:
            idle.keep(server, connection)
        return made

    def test_newest_first(self):
        """The connection that was used last is used next, and only for its own server."""
        idle = self.idle()
        first, second = self.kept(idle, 2)
        self.assertIsNone(idle.take(THERE))
        self.assertIs(idle.take(HERE), second)
        self.assertIs(idle.take(HERE), first)
        self.assertIsNone(idle.take(HERE))

    @pytest.mark.setting("fetch.keep_alive_connections")
    def test_too_many(self):
        """Of too many connections to one server the one that waits longest is closed."""
        idle = self.idle(most=2)
        first, second, third = self.kept(idle, 3)
        self.assertEqual([first.closed, second.closed, third.closed], [True, False, False])
        self.assertFalse(self.kept(idle, 1, THERE)[0].closed)

    @pytest.mark.setting("fetch.keep_alive_seconds")
    def test_time(self):
        """A connection that has waited for too long is closed, and others go on waiting."""
        idle = self.idle(seconds=10.0)
        [first] = self.kept(idle, 1)
        self.clock.advance(4)
        [second] = self.kept(idle, 1, THERE)
        self.clock.advance(6)
        self.assertEqual([first.closed, second.closed], [True, False])
        self.clock.advance(4)
        self.assertTrue(second.closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_used_in_between(self):
        """The time begins anew with each use."""
        idle = self.idle(seconds=10.0)
        [first] = self.kept(idle, 1)
        self.clock.advance(9)
        idle.keep(HERE, idle.take(HERE))
        self.clock.advance(9)
        self.assertFalse(first.closed)
        self.clock.advance(1)
        self.assertTrue(first.closed)

    @pytest.mark.setting("fetch.keep_alive_seconds")
    def test_none(self):
        """Without a time none is kept."""
        idle = self.idle(seconds=0)
        [first] = self.kept(idle, 1)
        self.assertTrue(first.closed)
        self.assertIsNone(idle.take(HERE))

    def test_lost(self):
        """One that its server has closed is not used."""
        idle = self.idle()
        first, second = self.kept(idle, 2)
        idle.lost(second)
        self.assertIs(idle.take(HERE), first)
        idle.lost(first)

    def test_close(self):
        """At the end all are closed, which takes until they are, and further ones are not kept."""
        idle = self.idle()
        first, second = self.kept(idle, 1)[0], self.kept(idle, 1, THERE)[0]
        over = idle.close()
        self.assertTrue(first.closed)
        self.assertTrue(second.closed)
        idle.lost(first)
        self.assertNoResult(over)
        idle.lost(second)
        self.successResultOf(over)
        self.assertTrue(self.kept(idle, 1)[0].closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.successResultOf(self.idle().close())
