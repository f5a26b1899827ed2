"""One child: what it has in hand, what it may say, and how it ends."""

from __future__ import annotations

import signal
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.runtime.boxes import Box
from aiwebengine.runtime.child import Clone, describe
from tests.support.fakes.processes import FakeChild, Forker, HandReactor


class Hand:
    """An occupant that keeps what it is told."""

    def __init__(self, log: list[Any], *, fit: bool = True) -> None:
        self.log = log
        self.fit = fit

    def over(self, box: Box, cpu_seconds: float) -> bool:
        """See `child.Occupant`."""
        assert cpu_seconds >= 0
        self.log.append(("over", box.get(b"v")))
        return self.fit

    def conclude(self) -> None:
        """See `child.Occupant`."""
        self.log.append("conclude")

    def asked(self, tag: bytes, name: bytes, argument: bytes) -> None:
        """See `child.Occupant`."""
        self.log.append(("asked", tag, name, argument))

    def logged(self, lines: bytes) -> None:
        """See `child.Occupant`."""
        self.log.append(("logged", lines))

    def stepped(self, step: bytes) -> None:
        """See `child.Occupant`."""
        self.log.append(("stepped", step))

    def died(self, clone: Clone) -> None:
        """See `child.Occupant`."""
        assert clone.ended is not None
        self.log.append(("died", clone.ended.signal, clone.cause))


class CloneTests(SynchronousTestCase):
    """A clone and its other ends."""

    def setUp(self) -> None:
        """Make a clone."""
        self.make(once=False)

    def make(self, *, once: bool) -> None:
        """Make a clone, its forker and its process."""
        self.reactor = HandReactor()
        self.forker = Forker(self.reactor)
        self.log: list[Any] = []
        self.clone = Clone(
            reactor=self.reactor,
            number=3,
            control=self.forker.control,
            once=once,
            max_bytes=100_000,
            parent=lambda: 1,
            freed=lambda _: self.log.append("freed"),
            parks=lambda _: None,
            returned=lambda _: self.log.append("returned"),
            gone=lambda _: self.log.append("gone"),
            seconds=self.reactor.seconds,
        )
        request = self.forker.take()
        assert request is not None
        self.assertEqual(request.told, {"op": "clone", "once": once, "id": 3})
        self.child = FakeChild(request.sockets[0])
        self.forker.forked(3)
        self.reactor.turn()
        for close in (self.forker.close, self.forker.control.close, self.child.close, self.clone._link.close):
            self.addCleanup(close)

    def start(self, **members: bool) -> None:
        """Begin a run."""
        self.clone.start(Hand(self.log, **members), b'{"q":1}', 2000, 1000)

    def test_run(self) -> None:
        """A run is written at once, its calls and lines are passed on; the clone is free before the answer is told."""
        self.start()
        self.assertEqual(
            self.child.take(),
            {b"_ask": b"1", b"_command": b"run", b"d": b"2000", b"c": b"1000", b"v": b'{"q":1}'},
        )
        self.child.ask(b"kv.get", "a")
        self.child.send(b"[]", command=b"log")
        self.child.answer(b"body")
        self.reactor.turn()
        self.assertEqual(
            self.log,
            [("asked", b"7", b"kv.get", b'["a"]'), ("logged", b"[]"), ("over", b"body"), "freed", "conclude"],
        )
        self.assertIsNone(self.clone.occupant)
        self.assertFalse(self.clone.dying)
        self.clone.answer(b"7", b"{}")
        self.assertEqual(self.child.take(), {b"_answer": b"7", b"v": b"{}"})
        self.clone.cancel()
        self.assertEqual(self.child.take(), {b"_command": b"cancel", b"t": b"1", b"v": b""})

    def test_hostile(self) -> None:
        """What a child may not say ends it, and nothing it says afterwards is heard."""
        for pairs in (
            {"answer": b"2"},
            {"error": b"9"},
            {"command": b"run"},
            {"command": b"host"},
            {"k": b"v"},
        ):
            self.make(once=False)
            self.start()
            self.child.send(b"", **pairs)
            self.child.answer()
            self.reactor.turn()
            self.assertEqual((self.log, self.clone.cause), ([], "script_protocol"), pairs)
            self.assertIn({"op": "kill", "id": 3}, [request.told for request in self.forker.requests()])
            self.forker.exit(3, signal.SIGKILL)
            self.reactor.turn()
            self.assertEqual(self.log, [("died", signal.SIGKILL, "script_protocol"), "gone"])

    def test_asks_faster_than_it_listens(self) -> None:
        """Answers that nobody takes do not gather without end: the script is told so, and lives."""
        self.start()
        for _ in range(20):
            self.clone.answer(b"7", b'"' + b"x" * 5_000_000 + b'"')
        self.assertEqual((self.clone.cause, self.log), ("", []))
        answers = []
        while len(answers) < 20:
            self.reactor.turn(1)
            if (box := self.child.take()) is not None and b"_answer" in box:
                answers.append(box[b"v"][:20])
        self.assertEqual({answer[:8] for answer in answers}, {b'"xxxxxxx', b'{"err":{'})

    def test_uninvited(self) -> None:
        """A child without a run has nothing to say."""
        self.child.send(b"[]", command=b"log")
        self.reactor.turn()
        self.assertEqual(self.clone.cause, "script_protocol")

    def test_unfit_answer(self) -> None:
        """A child whose answer breaks the protocol is not used again."""
        self.start(fit=False)
        self.child.answer()
        self.reactor.turn()
        self.assertTrue(self.clone.dying)
        self.assertEqual(self.clone.cause, "script_protocol")
        self.assertEqual(self.log[1:], ["freed", "conclude"])

    def test_in_doubt(self) -> None:
        """After a failure of memory or of the sandbox itself a child is not used again."""
        for code in (b"memory", b"internal"):
            self.make(once=False)
            self.start()
            self.child.fail(code)
            self.reactor.turn()
            self.assertTrue(self.clone.dying)

    def test_once(self) -> None:
        """A clone for one run is let go after it."""
        self.make(once=True)
        self.start()
        self.child.answer()
        self.reactor.turn()
        self.assertTrue(self.clone.dying)
        self.assertTrue(self.child.take() is not None and self.child.deserted)

    def test_last_words(self) -> None:
        """What a child had said before it died still counts."""
        self.start()
        self.child.answer(b"in time")
        self.child.close()
        self.forker.exit(3)
        self.forker.control.doRead()
        self.assertEqual(self.log, [("over", b"in time"), "freed", "conclude", "gone"])
        self.assertFalse(self.clone.died_busy)

    def test_foreign_pid(self) -> None:
        """The pid of somebody else's process is not believed, whoever tells it."""
        self.assertEqual((self.clone.pid, self.clone.cpu_seconds()), (0, 0.0))
        described = {"pid": 0, "busy": False, "parked": False, "following": False, "runs": 0, "cpuSeconds": 0.0}
        self.assertEqual(describe(self.clone), described)
        self.clone.kill("script_timeout")
        self.assertEqual([request.told for request in self.forker.requests()], [{"op": "kill", "id": 3}])

    def test_overdue(self) -> None:
        """A clone that is let go and stays is killed, and then counts as overdue."""
        self.clone.retire()
        self.assertFalse(self.clone.overdue(10.0))
        self.assertFalse(self.clone.overdue(11.5))
        self.assertEqual([request.told for request in self.forker.requests()], [{"op": "kill", "id": 3}])
        self.assertTrue(self.clone.overdue(12.5))
