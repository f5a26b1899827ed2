"""The connection that listens to channels: what it asks, and what its loss means."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.services.redis.connection import Wire
from aiwebengine.services.redis.listening import RemoteChannels


class FakeWire:
    """A connection whose answers the test gives."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.answers: list[Deferred[Any]] = []
        self.ended = ""
        self.aborted = False

    def ask(self, *words: Any) -> Deferred[Any]:
        self.asked.append(words)
        self.answers.append(Deferred())
        return self.answers[-1]

    def abort(self) -> None:
        self.aborted = True


class RemoteChannelsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.channels = RemoteChannels(prefix="p:", clock=self.clock, answer_seconds=1.0)
        self.received: list[object] = []

    def made(self) -> FakeWire:
        """Let a connection be made."""
        wire = FakeWire()
        self.channels.made(cast(Wire, wire))
        return wire

    def listen(self, channel: str = "c") -> Any:
        """Listen to a channel."""
        return self.channels.subscribe(channel, deliver=self.received.append, active=self.received.append)

    def test_listens(self) -> None:
        """A channel is subscribed to on the server, and its messages are delivered from the answer on."""
        wire = self.made()
        listener = self.listen()
        self.assertEqual(wire.asked, [("SUBSCRIBE", "p:c")])
        self.channels.pushed(b"p:c", b"early")
        wire.answers[0].callback(None)
        self.channels.pushed(b"p:c", b"m")
        self.channels.pushed(b"p:other", b"no")
        self.assertEqual((self.received, len(self.channels)), ([False, b"m"], 1))
        listener.cancel()
        self.assertEqual((wire.asked[-1], len(self.channels)), (("UNSUBSCRIBE", "p:c"), 0))
        self.channels.lost("over")

    def test_after_a_loss(self) -> None:
        """After a loss channels are subscribed to again, and subscribers are told that messages may be missing."""
        self.made()
        self.listen()
        self.channels.lost("broken")
        self.assertEqual(self.channels.interruptions, 1)
        wire = self.made()
        self.assertEqual(wire.asked, [("SUBSCRIBE", "p:c")])
        wire.answers[0].callback(None)
        self.assertEqual(self.received, [False])
        self.channels.lost("broken")
        self.made().answers[0].callback(None)
        self.assertEqual((self.received, self.channels.interruptions), ([False, True], 2))
        self.channels.lost("over")

    def test_a_server_that_hangs(self) -> None:
        """The connection is asked now and then whether it is still there, and ended if it does not answer."""
        wire = self.made()
        self.clock.advance(5.0)
        self.assertEqual(wire.asked, [("PING",)])
        wire.answers[0].callback("PONG")
        self.clock.advance(5.0)
        self.assertEqual((len(wire.asked), wire.aborted), (2, False))
        self.clock.advance(1.0)
        self.assertTrue(wire.aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_answer_to_a_subscription(self) -> None:
        """A subscription without an answer in time ends the connection: it is of no use."""
        wire = self.made()
        self.listen()
        self.clock.advance(1.0)
        self.assertTrue(wire.aborted)
        self.channels.lost("it was ended")
        self.assertEqual((self.received, self.clock.getDelayedCalls()), ([], []))

    def test_none_at_all(self) -> None:
        """Without a connection channels are remembered, and cancelled without a word to anybody."""
        listener = self.listen()
        self.assertEqual(len(self.channels), 1)
        listener.cancel()
        self.channels.lost("never made")
        self.assertEqual((len(self.channels), self.channels.interruptions), (0, 0))
