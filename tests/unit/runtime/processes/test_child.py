"""One child: what it has in hand, what it may say, and how it ends."""

from __future__ import annotations

import os
import signal
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.runtime.moves import IllegalMove
from aiwebengine.runtime.processes.child import Clone, CloneLife, CloneWork, describe, times_of
from aiwebengine.runtime.processes.interfaces import Death
from aiwebengine.runtime.processes.socket_queue import MOST_WAITING
from aiwebengine.runtime.wire.boxes import Box
from tests.support.fakes.processes import FakeChild, Forker, HandReactor


class RecordingRun:
    """A current run that keeps what it is told."""

    def __init__(self, log: list[Any], *, fit: bool = True) -> None:
        self.log = log
        self.fit = fit

    def complete(self, box: Box, cpu_seconds: float) -> bool:
        """See `interfaces.CurrentRun`."""
        assert cpu_seconds >= 0
        self.log.append(("over", box.get(b"v")))
        return self.fit

    def conclude(self) -> None:
        """See `interfaces.CurrentRun`."""
        self.log.append("conclude")

    def host_called(self, tag: bytes, name: bytes, argument: bytes) -> None:
        """See `interfaces.CurrentRun`."""
        self.log.append(("asked", tag, name, argument))

    def logged(self, lines: bytes) -> None:
        """See `interfaces.CurrentRun`."""
        self.log.append(("logged", lines))

    def stepped(self, step: bytes) -> None:
        """See `interfaces.CurrentRun`."""
        self.log.append(("stepped", step))

    def located(self, stack: bytes) -> None:
        """See `interfaces.CurrentRun`."""
        self.log.append(("positioned", stack))

    def died(self, death: Death) -> None:
        """See `interfaces.CurrentRun`."""
        self.log.append(("died", death.exit.signal, death.cause))


class Owner:
    """A group that keeps what it is told."""

    def __init__(self, log: list[Any]) -> None:
        self.log = log

    def clone_freed(self, clone: Clone[Any], was: CloneWork) -> None:
        """See `child.CloneOwner`."""
        assert clone.work is CloneWork.IDLE
        self.was = was
        self.log.append("freed")

    def clone_gone(self, clone: Clone[Any], was: CloneWork) -> None:
        """See `child.CloneOwner`."""
        assert clone.life is CloneLife.DEAD
        self.was = was
        self.log.append("gone")

    def run_parked(self, since: float) -> None:
        """See `child.CloneOwner`."""
        self.log.append(("parked", since))

    def run_resumed(self) -> None:
        """See `child.CloneOwner`."""
        self.log.append("resumed")

    def run_returned(self, run: RecordingRun) -> None:
        """See `child.CloneOwner`."""
        self.log.append(("returned", run))


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
        self.owner = Owner(self.log)
        self.clone: Clone[Any] = Clone(
            reactor=self.reactor,
            number=3,
            control=self.forker.control,
            once=once,
            max_bytes=100_000,
            parent=lambda: 1,
            owner=self.owner,
            seconds=self.reactor.seconds,
        )
        request = self.forker.take()
        assert request is not None
        self.assertEqual(request.content, {"op": "clone", "once": once, "id": 3})
        self.child = FakeChild(request.sockets[0])
        self.forker.forked(3)
        self.reactor.turn()
        for close in (self.forker.close, self.forker.control.close, self.child.close, self.clone._link.close):
            self.addCleanup(close)

    def start(self, **members: bool) -> None:
        """Begin a run."""
        times = times_of(wall_seconds=2.0, cpu_seconds=1.0)
        self.clone.start(RecordingRun(self.log, **members), b'{"q":1}', label="GET /", at=5.0, times=times)

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
        self.assertIsNone(self.clone.current_run)
        self.assertIs(self.clone.life, CloneLife.LIVE)
        self.clone.answer(b"7", b"{}")
        self.assertEqual(self.child.take(), {b"_answer": b"7", b"v": b"{}"})
        self.clone.cancel()
        self.assertEqual(self.child.take(), {b"_command": b"cancel", b"t": b"1", b"v": b""})

    def test_bodies(self) -> None:
        """A body of any length follows what a run begins with, in one write or in pieces."""
        for body in (b"short", b"x" * 70_000, b"y" * 200_000, b"z" * 400_000):
            with self.subTest(length=len(body)):
                self.make(once=False)
                times = times_of(wall_seconds=2.0, cpu_seconds=1.0)
                run = RecordingRun(self.log)
                self.clone.start(run, b'{"q":1}\0', body, label="POST /", at=5.0, times=times)
                received = b""
                for _ in range(100):
                    box = self.child.take()
                    received += box[b"v"] if box is not None else b""
                    self.reactor.turn()
                self.assertEqual(received, b'{"q":1}\0' + body)

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
            self.assertIn({"op": "kill", "id": 3}, [request.content for request in self.forker.requests()])
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
        self.assertIs(self.clone.life, CloneLife.ENDING)
        self.assertEqual(self.clone.cause, "script_protocol")
        self.assertEqual(self.log[1:], ["freed", "conclude"])

    def test_in_doubt(self) -> None:
        """After a failure of memory or of the sandbox itself a child is not used again."""
        for code in (b"memory", b"internal"):
            self.make(once=False)
            self.start()
            self.child.fail(code)
            self.reactor.turn()
            self.assertIs(self.clone.life, CloneLife.UNFIT)

    def test_once(self) -> None:
        """A clone for one run is let go after it."""
        self.make(once=True)
        self.start()
        self.child.answer()
        self.reactor.turn()
        self.assertIs(self.clone.life, CloneLife.ENDING)
        self.assertTrue(self.child.take() is not None and self.child.deserted)

    def test_exit_after_the_answer(self) -> None:
        """What a child had said before it died still counts."""
        self.start()
        self.child.answer(b"in time")
        self.child.close()
        self.forker.exit(3)
        self.forker.control.doRead()
        self.assertEqual(self.log, [("over", b"in time"), "freed", "conclude", "gone"])
        self.assertIs(self.owner.was, CloneWork.IDLE)

    def test_foreign_pid(self) -> None:
        """The pid of somebody else's process is not believed, whoever tells it."""
        process = self.clone.process
        self.assertEqual((process.pid, process.cpu_seconds(), process.spend()), (0, 0.0, 0.0))
        described = {"pid": 0, "busy": False, "parked": False, "following": False, "runs": 0, "cpuSeconds": 0.0}
        self.assertEqual(describe(self.clone), described)
        self.clone.kill("script_timeout")
        self.assertEqual([request.content for request in self.forker.requests()], [{"op": "kill", "id": 3}])

    def test_overdue(self) -> None:
        """A clone that is let go and stays is killed, and then counts as overdue."""
        self.clone.retire()
        self.assertFalse(self.clone.overdue(10.0))
        self.assertFalse(self.clone.overdue(11.5))
        self.assertEqual([request.content for request in self.forker.requests()], [{"op": "kill", "id": 3}])
        self.assertTrue(self.clone.overdue(12.5))

    # -- its states ---------------------------------------------------------------------------

    def follow(self) -> RecordingRun:
        """Have a second run wait behind the first."""
        second = RecordingRun(self.log)
        self.clone.follow(second, b"{}", times=times_of(wall_seconds=2.0, cpu_seconds=1.0), quick=True)
        return second

    def test_work(self) -> None:
        """A run is begun, waits, goes on and is answered; what has waited once never counts as quick again."""
        seen = [self.clone.work]
        self.start()
        seen.append(self.clone.work)
        for step in (self.clone.park, self.clone.park, self.clone.resume, self.clone.resume):
            step()
            seen.append(self.clone.work)
        self.child.answer()
        self.reactor.turn()
        seen.append(self.clone.work)
        parked, lingering = CloneWork.PARKED, CloneWork.LINGERING
        self.assertEqual(seen, [CloneWork.IDLE, CloneWork.BUSY, parked, parked, lingering, lingering, CloneWork.IDLE])
        self.assertEqual(self.log[:2], [("parked", 5.0), "resumed"])
        self.assertIs(self.owner.was, lingering)

    def test_impossible(self) -> None:
        """What cannot happen to a clone in its state raises, and is not done."""
        with self.assertRaises(IllegalMove):
            self.clone.discard("conflict")
        with self.assertRaises(IllegalMove):
            self.clone.advance(label="", at=0.0)
        self.start()
        with self.assertRaises(IllegalMove):
            self.start()
        for _ in range(MOST_WAITING):
            self.follow()
        with self.assertRaises(IllegalMove):
            self.follow()
        self.clone.kill("script_timeout")
        self.forker.exit(3, signal.SIGKILL)
        self.reactor.turn()
        self.assertIs(self.clone.life, CloneLife.DEAD)
        for happens in (self.start, self.clone.retire, lambda: self.clone.kill("cancelled")):
            with self.assertRaises(IllegalMove):
                happens()

    def test_not_begun_when_ending(self) -> None:
        """A clone that was let go begins nothing."""
        self.clone.retire()
        with self.assertRaises(IllegalMove):
            self.start()
        self.assertIsNone(self.clone.current_run)

    def test_idle(self) -> None:
        """A clone without a run has nothing that could wait, go on or take long."""
        self.clone.park()
        self.clone.resume()
        self.clone.fall_back()
        self.assertEqual((self.clone.work, self.log), (CloneWork.IDLE, []))

    def test_ending_does_not_park(self) -> None:
        """A run whose process is being ended is not counted as waiting; one that waits goes on until it is dead."""
        self.start()
        self.clone.kill("script_timeout")
        self.clone.park()
        self.assertIs(self.clone.work, CloneWork.BUSY)
        self.make(once=False)
        self.start()
        self.clone.park()
        self.clone.kill("script_timeout")
        self.clone.resume()
        self.assertEqual((self.clone.work, self.log[-1]), (CloneWork.LINGERING, "resumed"))

    def test_discarded(self) -> None:
        """A process whose run goes on without it is ended and free of it at once, and what it says is not heard."""
        self.start()
        self.clone.discard("conflict")
        self.assertEqual(
            (self.clone.work, self.clone.life, self.clone.current_run), (CloneWork.IDLE, CloneLife.ENDING, None)
        )
        self.child.close()
        self.forker.exit(3, signal.SIGKILL)
        self.reactor.turn()
        self.assertEqual((self.log, self.owner.was), (["freed", "gone"], CloneWork.IDLE))

    def test_advance(self) -> None:
        """The second run begins when the first is answered, unless the process is ending."""
        self.start()
        second = self.follow()
        self.assertEqual(self.clone.queue.count, 1)
        self.child.answer()
        self.reactor.turn()
        self.assertTrue(self.clone.goes_on)
        self.clone.advance(label="GET /b", at=6.0)
        self.assertEqual(
            (self.clone.current_run, self.clone.work, self.clone.label, self.clone.runs, self.clone.queue.count),
            (second, CloneWork.BUSY, "GET /b", 2, 0),
        )
        self.make(once=False)
        self.start()
        self.follow()
        self.clone.kill("script_timeout")
        self.child.answer()
        self.reactor.turn()
        self.assertFalse(self.clone.goes_on)

    def test_falls_back(self) -> None:
        """When a run takes long those behind it are run elsewhere, and the process is ended when it is answered."""
        self.start()
        second, third = self.follow(), self.follow()
        self.clone.fall_back()
        self.clone.fall_back()
        self.assertEqual(
            (self.log, self.clone.work), ([("returned", third), ("returned", second)], CloneWork.LINGERING)
        )
        self.child.answer()
        self.reactor.turn()
        self.assertIs(self.clone.life, CloneLife.ENDING)
        self.assertFalse(self.clone.goes_on)

    def test_starved(self) -> None:
        """A run that takes long without having had the processor keeps those behind it, for a while."""
        self.start()
        self.follow()
        # The clock of this process, which has computed nothing since.
        self.clone.process._clock = (~os.getpid() << 3) | 2
        self.clone.process.spend()
        self.clone.fall_back()
        self.assertEqual((self.clone.work, self.clone.queue.count), (CloneWork.BUSY, 1))
        self.reactor.advance(10.0)
        self.clone.fall_back()
        self.assertEqual((self.clone.work, self.clone.queue.count), (CloneWork.LINGERING, 0))

    def test_says_it_is_unfit(self) -> None:
        """A process that is of no use any more stays so, whatever is done to it."""
        self.start()
        self.child.fail(b"memory")
        self.reactor.turn()
        self.clone.kill("")
        self.assertTrue(self.clone.unfit)
        self.forker.exit(3, signal.SIGKILL)
        self.reactor.turn()
        self.assertIs(self.clone.life, CloneLife.DEAD)
