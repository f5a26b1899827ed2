"""Pings to silent clients, on a clock of their own."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.web.websocket.heartbeats import Heartbeats
from tests.support.fakes.turns import TurnClock, endless_turn, short_turns


class Silent:
    """A client that says nothing unless it is told to."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self.heard = self.asked = 0
        self.over = False
        self.events: list[tuple[str, float]] = []

    def ping(self) -> None:
        self.events.append(("ping", round(self._seconds(), 3)))

    def silent(self) -> None:
        self.over = True
        self.events.append(("silent", round(self._seconds(), 3)))


class HeartbeatTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.beats = Heartbeats(clock=self.clock, ping_seconds=30, pong_seconds=20, share=endless_turn())

    def add(self) -> Silent:
        client = Silent(self.clock.seconds)
        self.beats.add(client)
        return client

    def hear(self, client: Silent) -> None:
        client.heard, client.asked = self.beats.now, 0

    def test_silence(self) -> None:
        """Each client is asked after its own silence and cut after its own wait, by one timer for all of them."""
        first = self.add()
        self.clock.pump([1] * 10)
        second = self.add()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.pump([1] * 25)
        self.hear(second)
        self.clock.pump([1] * 90)
        self.assertEqual(first.events, [("ping", 30.0), ("silent", 50.0)])
        self.assertEqual(second.events, [("ping", 65.0), ("silent", 85.0)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_an_answer(self) -> None:
        """A client that answers, or says anything else, is asked again after another silence."""
        client = self.add()
        self.clock.pump([1] * 49)
        self.hear(client)
        self.clock.pump([1] * 31)
        self.assertEqual(client.events, [("ping", 30.0), ("ping", 79.0)])

    def test_those_that_are_over(self) -> None:
        """One that has ended is not asked, and no timer is left for it."""
        self.add().over = True
        self.clock.pump([1] * 31)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        client = self.add()
        self.clock.pump([1] * 30)
        self.assertEqual(client.events, [("ping", 61.0)])

    def test_the_end(self) -> None:
        """After the end nobody is asked, and no timer is left."""
        client = self.add()
        self.beats.stop()
        self.beats.add(client)
        self.clock.pump([1] * 60)
        self.assertEqual((client.events, self.clock.getDelayedCalls()), ([], []))

    def test_many_at_once(self) -> None:
        """Thousands that are due in the same moment are asked in many turns of the reactor."""
        turns = TurnClock()
        self.beats = Heartbeats(clock=self.clock, ping_seconds=30, pong_seconds=20, share=short_turns(turns, 10))
        clients = [self.add() for _ in range(1000)]
        self.clock.advance(30)
        asked = [client for client in clients if client.events]
        self.assertIn(len(asked), range(1, 20))
        self.assertGreater(turns.turns(), 50)
        self.assertEqual([len(client.events) for client in clients], [1] * 1000)
