"""Which process a child is: believed of nobody but the kernel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.runtime.moves import IllegalMove
from aiwebengine.runtime.processes.process import Identity, Process


class FakeControl:
    """A control socket that keeps whose end was asked for."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def kill(self, number: int) -> None:
        self.numbers.append(number)


class ProcessTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Start a program that waits, as a child of this process."""
        self.program = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
        self.addCleanup(self.program.wait)
        self.addCleanup(self.program.kill)
        assert self.program.stdin is not None
        self.addCleanup(self.program.stdin.close)
        self.control = FakeControl()
        self.parent = os.getpid()
        self.process = Process(number=4, control=self.control, parent=lambda: self.parent)

    def ended_by(self) -> int:
        """Return the signal that ended the program."""
        return -self.program.wait(timeout=10)

    def test_held(self) -> None:
        """A child of the template is known by its pid, measured, and killed by the server itself."""
        self.process.forked(self.program.pid)
        self.assertEqual((self.process.identity, self.process.pid), (Identity.HELD, self.program.pid))
        # It may have been started just now, and have touched little yet.
        self.assertGreater(self.process.memory_bytes(), 1 << 12)
        self.assertGreaterEqual(self.process.peak_bytes(), self.process.memory_bytes() // 2)
        self.assertGreaterEqual(self.process.cpu_seconds(), self.process.spend())
        self.assertGreaterEqual(self.process.spending(), 0.0)
        self.process.end()
        self.assertEqual((self.ended_by(), self.control.numbers), (signal.SIGKILL, []))
        self.process.reaped()
        self.assertEqual(self.process.cpu_seconds(), 0.0)

    def test_doubted(self) -> None:
        """What is nobody's child, or not there, is not touched: the template is asked to end it."""
        self.parent = 1
        for pid in (self.program.pid, 4_000_000):
            self.process.forked(pid)
            self.assertEqual((self.process.identity, self.process.pid), (Identity.DOUBTED, 0))
        self.process.end()
        self.assertEqual((self.control.numbers, self.program.poll()), ([4], None))
        self.assertEqual((self.process.memory_bytes(), self.process.peak_bytes(), self.process.spend()), (0, 0, 0.0))
        self.assertIsNone(self.process.spending())
        # The truth, later.
        self.parent = os.getpid()
        self.process.forked(self.program.pid)
        self.assertEqual((self.process.identity, self.ended_by()), (Identity.HELD, signal.SIGKILL))
        self.process.reaped()

    def test_end_before_it_is_there(self) -> None:
        """An end that is asked for early is kept until the process is there."""
        self.process.end()
        self.assertEqual(self.control.numbers, [])
        self.process.forked(self.program.pid)
        self.assertEqual(self.ended_by(), signal.SIGKILL)
        self.process.reaped()

    def test_told_again(self) -> None:
        """What is told of a process that is known, or gone, is ignored."""
        self.process.forked(self.program.pid)
        self.process.forked(1)
        self.assertEqual(self.process.pid, self.program.pid)
        self.process.reaped()
        self.assertEqual(self.ended_by(), signal.SIGKILL)
        self.process.forked(os.getpid())
        self.assertIs(self.process.identity, Identity.GONE)
        self.process.end()
        self.assertEqual(self.control.numbers, [])

    def test_reaped_once(self) -> None:
        """A process ends once."""
        self.process.reaped()
        with self.assertRaises(IllegalMove):
            self.process.reaped()

    def test_left_over(self) -> None:
        """What a process used since it was last asked is what it used in all, less what was told."""
        self.assertEqual(self.process.left_over(0.5), 0.5)
        self.process.forked(self.program.pid)
        spent = self.process.spend()
        self.assertAlmostEqual(self.process.left_over(spent + 0.25), 0.25)
        self.assertEqual(self.process.left_over(0.0), 0.0)
        self.process.reaped()

    def test_behind(self) -> None:
        """A process that takes long lets others go first, and an unknown one is left alone."""
        self.process.fall_behind()
        self.assertFalse(self.process.low_priority)
        self.process.forked(self.program.pid)
        before = os.getpriority(os.PRIO_PROCESS, self.program.pid)
        self.process.fall_behind()
        self.assertTrue(self.process.low_priority)
        self.assertGreater(os.getpriority(os.PRIO_PROCESS, self.program.pid), before)
        self.process.catch_up()
        self.assertEqual(self.process.low_priority, os.geteuid() != 0)
        self.process.reaped()
