"""Who listens to which channel."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.services.redis.channels import Channels


class ChannelsTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.opened = []
        self.closed = []
        self.received = []
        self.channels = Channels(
            clock=self.clock, opened=self.opened.append, closed=lambda channel: self.closed.append(channel.name)
        )

    def add(self, name, who):
        return self.channels.add(
            name,
            deliver=lambda message: self.received.append((who, message)),
            active=lambda lost: self.received.append((who, lost)),
        )

    def test_first_and_last(self):
        """A channel is opened for its first subscriber and closed after its last, and opened anew for the next."""
        first, second = self.add("c", 1), self.add("c", 2)
        self.assertEqual(len(self.opened), 1)
        first.cancel()
        self.assertEqual(self.closed, [])
        second.cancel()
        self.assertEqual(self.closed, ["c"])
        self.add("c", 3)
        self.assertEqual(len(self.opened), 2)

    def test_confirmation_of_another_life(self):
        """The confirmation of a channel that was closed meanwhile is not that of the one opened since."""
        self.add("c", 1).cancel()
        self.add("c", 2)
        self.channels.confirm(self.opened[0])
        self.assertEqual(self.channels.give("c", b"early"), 0)
        self.assertEqual(self.received, [])
        self.channels.confirm(self.opened[1])
        self.channels.give("c", b"x")
        self.assertEqual(self.received, [(2, False), (2, b"x")])

    def test_joined_during_an_interruption(self):
        """One that came while nothing was delivered begins with the others, and has lost nothing."""
        self.add("c", 1)
        self.channels.confirm(self.opened[0])
        self.add("c", 2)
        self.channels.interrupt()
        self.add("c", 3)
        self.clock.advance(0)
        self.assertEqual(self.received, [(1, False)])
        self.channels.confirm(self.opened[0])
        self.assertEqual(self.received[1:], [(1, True), (2, False), (3, False)])

    def test_interrupted_before_it_began(self):
        """One that begins at a confirmation does not begin a second time when its turn comes."""
        self.add("c", 1)
        self.channels.confirm(self.opened[0])
        self.add("c", 2)
        self.channels.interrupt()
        self.channels.confirm(self.opened[0])
        self.clock.advance(0)
        self.assertEqual(self.received, [(1, False), (1, True), (2, False)])

    def test_cancelled_by_another(self):
        """One that is cancelled while a message is delivered does not get it any more."""
        later = []

        def deliver(_):
            later[0].cancel()

        self.channels.add("c", deliver=deliver, active=lambda _: None)
        later.append(self.add("c", 2))
        self.channels.confirm(self.opened[0])
        self.channels.give("c", b"x")
        self.assertEqual(self.received, [(2, False)])
