"""The data socket: at once where it can be, later where it must, and never against the child's will."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from twisted.internet.interfaces import IReadWriteDescriptor
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from aiwebengine.runtime.wire.boxes import Box, encode_pair
from aiwebengine.runtime.wire.link import Link
from tests.support.fakes.processes import FakeChild, HandReactor


class LinkTests(SynchronousTestCase):
    """One socket, both ways."""

    def setUp(self) -> None:
        """Make a link and its other end."""
        self.reactor = HandReactor()
        ours, theirs = socket.socketpair()
        self.child = FakeChild(theirs)
        self.addCleanup(self.child.close)
        self.boxes: list[Box] = []
        self.broken: list[str] = []
        self.lost: list[bool] = []
        self.link = Link(
            reactor=self.reactor,
            sock=ours,
            max_bytes=1000,
            received=self.boxes.append,
            broken=self.broken.append,
            lost=lambda: self.lost.append(True),
        )
        self.addCleanup(self.link.close)

    def test_interface(self) -> None:
        """It is what reactors watch."""
        self.assertTrue(verifyObject(IReadWriteDescriptor, self.link))

    def test_at_once(self) -> None:
        """What the socket takes leaves without the reactor."""
        self.link.send(encode_pair(b"a", b"b") + b"\0\0")
        self.assertEqual(self.child.take(), {b"a": b"b"})
        self.assertEqual(self.reactor.writers, {})

    def test_later(self) -> None:
        """What it does not take waits, in order, and the reactor is asked no longer than needed."""
        box = encode_pair(b"a", b"b" * 60_000) + b"\0\0"
        for _ in range(20):
            self.link.send(box)
        self.assertEqual(len(self.reactor.writers), 1)
        seen = 0
        for _ in range(200):
            self.reactor.turn(1)
            while self.child.take() is not None:
                seen += 1
        self.assertEqual(seen, 20)
        self.assertEqual(self.reactor.writers, {})

    def test_piece_by_piece(self) -> None:
        """Pieces are made as the child takes them, and what is sent meanwhile comes behind them."""
        made: list[int] = []

        def pieces() -> Iterator[bytes]:
            for number in range(40):
                made.append(number)
                yield encode_pair(b"n", b"%d" % number) + encode_pair(b"a", b"b" * 60_000) + b"\0\0"

        self.link.send_pieces(pieces(), size_bytes=40 * 60_000)
        self.link.send(encode_pair(b"n", b"last") + b"\0\0")
        self.assertLess(len(made), 20)
        self.assertGreater(self.link.unread_bytes, 40 * 60_000 - 1)
        seen = []
        for _ in range(400):
            self.reactor.turn(1)
            while (box := self.child.take()) is not None:
                seen.append(box[b"n"])
        self.assertEqual(seen, [*(b"%d" % number for number in range(40)), b"last"])
        self.assertEqual((self.reactor.writers, self.link.unread_bytes), ({}, 0))

    def test_pieces_that_nobody_reads(self) -> None:
        """What waits piece by piece counts towards what a child may leave unread."""
        for _ in range(9):
            self.link.send_pieces((bytes(1000) for _ in range(16_000)), size_bytes=16 * 1024 * 1024)
        self.assertEqual(self.broken, ["it does not read from its socket"])

    def test_nobody_reads(self) -> None:
        """A child that never reads is told apart before it fills the server's memory."""
        piece = bytes(16 * 1024 * 1024)
        for _ in range(9):
            self.link.send(piece)
        self.assertEqual(self.broken, ["it does not read from its socket"])
        self.assertEqual(self.link.fileno(), -1)

    def test_nonsense(self) -> None:
        """Nonsense is told once, and nothing is read after it."""
        self.child.sock.send(b"\xff\xff" + bytes(100))
        self.reactor.turn()
        self.child.sock.close()
        self.assertEqual(len(self.broken), 1)
        self.assertEqual((self.reactor.readers, self.lost), ({}, []))

    def test_crumbs(self) -> None:
        """A long value in countless empty pieces is nonsense too."""
        self.child.send(b"", command=b"more")
        self.reactor.turn()
        self.assertIn("shorter than", self.broken[0])

    def test_unexpected(self) -> None:
        """What the server fails on ends this child, with the failure in the log, and nobody else."""

        def fail(_: Box) -> None:
            raise ZeroDivisionError

        self.link._received = fail
        self.child.send(b"x", k=b"1")
        self.child.send(b"y", k=b"1")
        self.reactor.turn()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.broken, ["it sent a message that could not be handled"])

    def test_somebody_else_goes_on(self) -> None:
        """What a dead child has left is read out, but not what another that has its socket sends without end."""
        self.child.sock.setblocking(True)
        box = encode_pair(b"a", b"b" * 8000) + b"\0\0"
        received = self.boxes.append

        def refill(found: Box) -> None:
            received(found)
            self.child.sock.sendall(box)

        self.link._received = refill
        self.child.sock.sendall(box)
        self.link.read_out()
        self.assertGreater(len(self.boxes), 10)
        self.assertLess(len(self.boxes), 2000)

    def test_gone(self) -> None:
        """The end of the other side is told once, after all it said."""
        self.child.send(b"last", k=b"1")
        self.child.close()
        self.link.read_out()
        self.assertEqual(self.boxes, [{b"k": b"1", b"v": b"last"}])
        self.assertEqual(self.lost, [True])
        self.link.send(b"into nothing")
        self.link.close()
