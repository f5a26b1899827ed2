"""Several servers that share what is published on their buses."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Unavailable
from aiwebengine.services.bus import Bus
from aiwebengine.services.bus_link import CHANNEL, BusLink
from aiwebengine.services.redis.memory import MemoryStore
from aiwebengine.services.topics import GAP, TopicOptions
from aiwebengine.settings.schema import LiveSettings
from tests.support.fakes.turns import endless_turn
from tests.unit.services.test_bus import Reader


class Server:
    """A bus and its way to the others."""

    def __init__(self, store, name, **settings):
        self.bus = Bus(epoch=name, settings=LiveSettings(**settings), share=endless_turn())
        self.link = BusLink(bus=self.bus, store=store, origin=name)
        self.link.startService()


class BusLinkTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.store = MemoryStore(clock=self.clock)
        self.one, self.two = Server(self.store, "one"), Server(self.store, "two")
        self.settle()

    def settle(self):
        self.clock.advance(0)

    def test_reaches_the_others(self):
        """What is published on one server reaches the subscribers of every server once and in order."""
        here, there = Reader(self.one.bus), Reader(self.two.bus)
        elsewhere = Reader(self.two.bus, "other")
        for data in ("1", "2", "3"):
            self.one.bus.publish("news", data)
        self.settle()
        self.two.bus.publish("news", "4")
        self.settle()
        self.assertEqual(here.got, ["1", "2", "3", "4"])
        self.assertEqual(there.got, ["1", "2", "3", "4"])
        self.assertEqual(elsewhere.got, [])
        # Ids are each server's own.
        self.assertEqual((here.ids[0], there.ids[0]), ("one-1", "two-1"))
        self.assertEqual(self.one.link.state(), {"sent": 3, "unsent": 0, "received": 1, "refused": 0})

    def test_for_whom_and_once(self):
        """`to` is applied by each server, and a message with a key that was published there is not published again."""
        ann = Reader(self.two.bus, attributes={"user": "ann"})
        bob = Reader(self.two.bus, attributes={"user": "bob"})
        for _ in range(2):
            self.one.bus.publish("news", "1", to={"user": "ann"}, event="note", key="k")
            # As the relay of another server does after a crash.
            self.store.publish(CHANNEL, json.dumps({"o": "three", "t": "news", "d": "1", "k": "k"}).encode())
            self.settle()
        self.assertEqual((ann.got, bob.got), (["1"], []))

    def test_history_of_others(self):
        """A server keeps what others forward for clients that come back to it, and tells others' ids from its own."""
        self.two.bus.configure("news", TopicOptions(history=10))
        self.one.bus.publish("news", "1")
        self.settle()
        self.one.bus.publish("news", "2")
        self.settle()
        self.assertEqual(Reader(self.two.bus, after="two-1").got, ["2"])
        self.assertEqual(Reader(self.two.bus, after="one-1").got, [GAP, "1", "2"])

    def test_interrupted(self):
        """After an interruption everybody is told of a gap, and so is who comes back later with an older id."""
        self.two.bus.configure("news", TopicOptions(history=10))
        there = Reader(self.two.bus)
        self.one.bus.publish("news", "1")
        self.settle()
        self.two.link._listening(True)
        self.assertEqual(there.got, ["1", GAP])
        self.one.bus.publish("news", "2")
        self.settle()
        self.assertEqual(there.got, ["1", GAP, "2"])
        self.assertEqual(Reader(self.two.bus, after="two-1").got[0], GAP)
        self.assertEqual(Reader(self.two.bus, after=there.ids[1]).got, ["2"])
        self.assertEqual(Reader(self.two.bus, after=there.ids[2]).got, [])

    def test_interrupted_while_paused(self):
        """A subscriber that takes nothing at this moment is told when it does."""
        there = Reader(self.two.bus)
        there.subscription.pause()
        self.one.bus.publish("news", "1")
        self.settle()
        self.two.link._listening(True)
        self.assertEqual(there.got, [])
        there.subscription.resume()
        self.assertEqual(there.got, [GAP, "1"])

    def test_could_not_send(self):
        """Messages that could not be sent reach the own subscribers, and the others are told that some are missing."""
        here, there = Reader(self.one.bus), Reader(self.two.bus)
        publish = self.store.publish
        self.store.publish = lambda *_: fail(Unavailable("away"))
        self.one.bus.publish("news", "1")
        self.one.bus.publish("news", "2")
        self.store.publish = publish
        self.settle()
        self.assertEqual((here.got, there.got), (["1", "2"], []))
        self.one.bus.publish("news", "3")
        self.settle()
        self.assertEqual((here.got, there.got), (["1", "2", "3"], [GAP, "3"]))
        self.assertGreaterEqual(self.one.link.state()["unsent"], 2)

    def test_told_when_it_is_back(self):
        """The others are told as soon as the way is there again, though nothing more is published."""
        there = Reader(self.two.bus)
        publish = self.store.publish
        self.store.publish = lambda *_: fail(Unavailable("away"))
        self.one.bus.publish("news", "1")
        self.store.publish = publish
        self.one.link._listening(True)
        self.settle()
        self.assertEqual(there.got, [GAP])

    def test_stopped(self):
        """A server that is stopped sends and takes nothing; its own subscribers get what is published on it."""
        here, there = Reader(self.one.bus), Reader(self.two.bus)
        self.one.link.stopService()
        self.one.bus.publish("news", "1")
        self.two.bus.publish("news", "2")
        self.settle()
        self.assertEqual((here.got, there.got), (["1"], ["2"]))

    def test_limits_of_the_receiver(self):
        """A message that is too large here is not taken, and the next one is."""
        small = Server(self.store, "small", max_message_bytes=1024)
        self.settle()
        there = Reader(small.bus)
        self.one.bus.publish("news", '"' + "x" * 2000 + '"')
        self.one.bus.publish("news", "1")
        self.settle()
        self.assertEqual(there.got, ["1"])
        self.assertEqual(small.link.state()["refused"], 1)

    @given(st.one_of(st.binary(), st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["o", "t", "d", "to", "e", "k", "lost"]), inner, max_size=7
        ),
    ).map(lambda value: json.dumps(value).encode())))  # fmt: skip
    def test_anything_on_the_channel(self, raw):
        """Whatever comes over the channel, the server goes on."""
        self.store.publish(CHANNEL, raw)
        self.store.publish(CHANNEL, b"[" * 100_000)
        self.settle()
        there = Reader(self.two.bus, "after")
        self.one.bus.publish("after", "1")
        self.settle()
        self.assertEqual(there.got, ["1"])
        there.subscription.cancel()
