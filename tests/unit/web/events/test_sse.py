"""Server-sent events: their bytes, and when they leave."""

from __future__ import annotations

import pytest
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from aiwebengine.services.topics import TopicMessage
from aiwebengine.web.events.sse import Encoder, EventStreams, event_bytes, head, position_bytes
from tests.support.fakes.turns import TurnClock, endless_turn, short_turns


@pytest.mark.parametrize(
    ("data", "more", "expected"),
    [
        ("{}", {}, b"data: {}\n\n"),
        ("", {}, b"data: \n\n"),
        ("a", {"id": "e-1", "event": "note"}, b"id: e-1\nevent: note\ndata: a\n\n"),
        ("a\nb\r\nc\rd", {}, b"data: a\ndata: b\ndata: c\ndata: d\n\n"),
        ("a\n", {}, b"data: a\ndata: \n\n"),
        ("å\u2028", {}, "data: å\u2028\n\n".encode()),
        ("\ud800", {}, b"data: ?\n\n"),
    ],
)
def test_an_event(data, more, expected) -> None:
    """An event has its id, its name and a line of data for each line of the text."""
    assert event_bytes(data, **more) == expected


def test_a_position() -> None:
    """A position is an id without data, which no listener is told of."""
    assert position_bytes("e-1") == b"id: e-1\n\n"


def test_the_head() -> None:
    """Nobody on the way may keep, change or hold back a stream."""
    assert dict(head().headers) == {
        b"content-type": b"text/event-stream; charset=utf-8",
        b"cache-control": b"no-store, no-transform",
        b"x-accel-buffering": b"no",
    }


def test_messages_are_encoded_once() -> None:
    """The clients of one message share its bytes; a JSON string is sent as the text that it stands for."""
    encoder = Encoder()
    message = TopicMessage(id="e-1", data='{"a":1}')
    first = encoder(message)
    assert first == b'id: e-1\ndata: {"a":1}\n\n'
    assert encoder(message) is first
    assert encoder(TopicMessage(id="e-2", data='"a\\nb"', event="gap")) == b"id: e-2\nevent: gap\ndata: a\ndata: b\n\n"
    assert encoder(message) is first, "clients that come back get several messages in turn"


def test_encoded_messages_are_bounded() -> None:
    """Neither many messages nor large ones are kept for those who may come back."""
    encoder = Encoder()
    first = TopicMessage(id="1", data="1")
    made = encoder(first)
    for number in range(300):
        encoder(TopicMessage(id=str(number), data="1"))
    assert encoder(first) is not made
    made = encoder(first)
    large = encoder(TopicMessage(id="2", data="1" * 5_000_000))
    assert len(large) > 5_000_000
    assert encoder(first) is not made


class EventStreamTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.streams = EventStreams(clock=self.clock, heartbeat_seconds=10, share=endless_turn())
        self.streams.startService()
        self.addCleanup(self.streams.stopService)
        self.written = []
        self.finished = []

    def open(self):
        return self.streams.open(write=self.written.append, finish=lambda: self.finished.append(True))

    def test_many_streams_in_turns(self):
        """What waits for many streams is written in several turns, each as much as there is room for."""
        turns = TurnClock()
        streams = EventStreams(clock=self.clock, heartbeat_seconds=100, share=short_turns(turns, 5))
        written = [[] for _ in range(30)]
        opened = [streams.open(write=chunks.append, finish=lambda: None) for chunks in written]
        for stream in opened:
            stream.event("1")
            stream.event("2")
        self.clock.advance(0.05)
        self.assertIn(sum(len(chunks) for chunks in written), range(31, 60))
        turns.turns()
        self.assertEqual(written, [[b"data: 1\n\n", b"data: 2\n\n"]] * 30)
        for stream in opened:
            stream.event("3")
        for _ in range(3):
            self.clock.advance(0.05)
            turns.turns()
        self.assertEqual(written, [[b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"]] * 30)

    def test_is_a_producer(self):
        """A stream can be registered with a transport."""
        verifyObject(IPushProducer, self.open())

    def test_the_first_leaves_at_once_and_the_next_together(self):
        """An event after silence is written at once; what follows within 50 ms leaves in one write."""
        stream = self.open()
        stream.event("1")
        self.assertEqual(self.written, [b"data: 1\n\n"])
        stream.event("2")
        stream.event("3")
        self.assertEqual(len(self.written), 1)
        self.clock.advance(0.05)
        self.assertEqual(self.written[1:], [b"data: 2\n\ndata: 3\n\n"])
        self.clock.advance(0.05)
        stream.event("4")
        self.assertEqual(self.written[2:], [b"data: 4\n\n"])

    def test_much_leaves_before_its_time(self):
        """What is large is not gathered."""
        stream = self.open()
        stream.event("1")
        stream.event("x" * 70_000)
        self.assertEqual(len(self.written), 2)
        self.clock.advance(0.05)
        self.assertEqual(len(self.written), 2)

    def test_clients_with_the_same_events_share_bytes(self):
        """The bytes that leave together are made once for all who get the same."""
        streams = [self.open() for _ in range(3)]
        parts = [b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"]
        for part in parts:
            for stream in streams[:2]:
                stream.send(part)
        streams[2].send(parts[0])
        streams[2].send(parts[1])
        del self.written[:]
        self.clock.advance(0.05)
        self.assertEqual(self.written, [parts[1] + parts[2], parts[1] + parts[2], parts[1]])
        self.assertIs(self.written[0], self.written[1])

    def test_the_end_takes_what_waits_along(self):
        """At the end what waits is written before the body ends, and nothing after it."""
        stream = self.open()
        stream.event("1")
        stream.event("2")
        stream.end()
        stream.end()
        stream.event("3")
        self.clock.advance(1)
        self.assertEqual(self.written, [b"data: 1\n\n", b"data: 2\n\n"])
        self.assertEqual(self.finished, [True])
        self.assertEqual(self.streams.state()["open"], 0)

    def test_a_client_that_has_gone(self):
        """Nothing is written to a client that has gone."""
        stream = self.open()
        stream.event("1")
        stream.event("2")
        stream.lost()
        self.clock.advance(20)
        self.assertEqual(self.written, [b"data: 1\n\n"])
        self.assertEqual(self.finished, [])

    def test_heartbeats_go_round(self):
        """Every stream is written to within the time of a heartbeat, not all at once."""
        for _ in range(20):
            self.open()
        counts = []
        for _ in range(10):
            self.clock.advance(1)
            counts.append(len(self.written))
        self.assertEqual(counts, [2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
        self.assertEqual(set(self.written), {b":\n\n"})

    def test_heartbeats_of_many(self):
        """What a turn of the reactor has no room for beats in later ones."""
        turns = TurnClock()
        streams = EventStreams(clock=self.clock, heartbeat_seconds=100, share=short_turns(turns, 5))
        streams.startService()
        self.addCleanup(streams.stopService)
        written = [[] for _ in range(300)]
        for chunks in written:
            streams.open(write=chunks.append, finish=lambda: None)
        self.clock.advance(10)
        self.assertIn(sum(map(len, written)), range(1, 10))
        turns.turns()
        self.assertEqual(sum(map(len, written)), 30)

    def test_heartbeats_tell_the_position(self):
        """A heartbeat moves the client's Last-Event-ID to where it is."""
        stream = self.open()
        stream.position = lambda: "e-7"
        self.clock.pump([1] * 10)
        self.assertEqual(self.written, [b"id: e-7\n\n"])

    def test_no_heartbeat_for_who_is_behind(self):
        """A client that does not take what was sent gets no heartbeats on top of it."""
        stream = self.open()
        received = []
        stream.flow = received.append
        stream.pauseProducing()
        stream.pauseProducing()
        self.clock.pump([1] * 10)
        self.assertEqual(self.written, [])
        stream.resumeProducing()
        stream.resumeProducing()
        self.clock.pump([1] * 10)
        self.assertEqual(self.written, [b":\n\n"])
        self.assertEqual(received, [True, False])

    def test_comments_and_hints(self):
        """Comments and the retry hint are what the standard says."""
        stream = self.open()
        stream.comment("hello")
        stream.end()
        other = self.open()
        other.retry(1500)
        self.assertEqual(self.written, [b":hello\n\n", b"retry: 1500\n\n"])
