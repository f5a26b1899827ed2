"""Tests of aiwebengine.web.write_batch."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.web.write_batch import PendingWrites, WriteBatch
from tests.support.fakes.turns import TurnClock, endless_turn, short_turns


class WriteBatchTests(SynchronousTestCase):
    """`WriteBatch`."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.make(WriteBatch(clock=self.clock, seconds=1, share=endless_turn()))

    def make(self, batch: WriteBatch, connections: int = 3) -> None:
        """Make connections."""
        self.written: list[list[bytes]] = [[] for _ in range(connections)]
        self.pending = [PendingWrites(together=batch, write=written.append) for written in self.written]

    def send(self, data: bytes) -> None:
        """Send to all."""
        for connection in self.pending:
            connection.send(data)

    def test_together(self) -> None:
        """The first write leaves at once, what follows soon leaves together, and what follows later at once again."""
        for data in (b"1", b"2", b"3"):
            self.send(data)
        self.assertEqual(self.written, [[b"1"]] * 3)
        self.clock.advance(1)
        self.assertEqual(self.written, [[b"1", b"23"]] * 3)
        self.clock.advance(1)
        self.send(b"4")
        self.assertEqual(self.written, [[b"1", b"23", b"4"]] * 3)

    def test_shared_bytes(self) -> None:
        """Connections with the same things to write share their bytes."""
        first, *others = (b"a" * 10, b"b" * 10, b"c" * 10)
        self.send(first)
        for data in others:
            self.send(data)
        self.clock.advance(1)
        self.assertIs(self.written[0][1], self.written[2][1])

    def test_closed_meanwhile(self) -> None:
        """What has ended is written to no more."""
        self.send(b"1")
        self.send(b"2")
        self.pending[1].close()
        self.clock.advance(1)
        self.assertEqual(self.written, [[b"1", b"2"], [b"1"], [b"1", b"2"]])

    def test_in_turns(self) -> None:
        """What waits on many connections is written in several turns, and what comes meanwhile a moment later."""
        turns = TurnClock()
        self.make(WriteBatch(clock=self.clock, seconds=1, share=short_turns(turns, 5)), 30)
        self.send(b"1")
        self.send(b"2")
        self.clock.advance(1)
        self.assertIn(sum(map(len, self.written)), range(31, 60))
        self.send(b"3")
        turns.turns()
        for _ in range(2):
            self.clock.advance(1)
            turns.turns()
        self.assertEqual({b"".join(written) for written in self.written}, {b"123"})
