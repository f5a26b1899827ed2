"""The conversation of a run with the host while one process has it."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import ScriptFailed
from aiwebengine.runtime.runs.host_calls import HostConversation
from aiwebengine.runtime.runs.run_recording import RunRecording
from aiwebengine.runtime.wire.boxes import BadBox
from aiwebengine.settings.schema import LimitSettings
from tests.unit.runtime.fakes import FakeHost


class Listener:
    """A process that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def answer(self, tag: bytes, value: bytes) -> None:
        self.heard.append((tag, value))

    def park(self) -> None:
        self.heard.append("park")

    def resume(self) -> None:
        self.heard.append("resume")


class HostConversationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 10.0
        self.child: Any = Listener()
        self.host = FakeHost()
        self.recording = RunRecording(most_bytes=1000)
        self.calls = HostConversation(
            child=self.child,
            session=self.host,
            limits=LimitSettings(host_calls=3),
            recording=self.recording,
            seconds=lambda: self.now,
            passed=lambda _: None,
        )

    def ask(self, tag: bytes, name: str, argument: str = "[]") -> None:
        """Make a call."""
        self.calls.ask(tag, name, argument, self.calls.count(name, argument))

    def test_answered(self) -> None:
        """A call is answered at once, or later, and only one that is not answered at once is waited for."""
        later: Deferred[str] = Deferred()
        self.host.answers = {"later": later, "now": '{"ok":1}'}
        self.ask(b"1", "later", '["a"]')
        self.ask(b"2", "now")
        self.assertEqual(self.child.heard, ["park", (b"2", b'{"ok":1}')])
        self.now += 2.5
        later.callback('{"ok":22}')
        self.assertEqual(self.child.heard[2:], ["resume", (b"1", b'{"ok":22}')])
        cost = self.calls.costs["later"]
        self.assertEqual((cost.count, cost.seconds, cost.bytes_in, cost.bytes_out), (1, 2.5, 5, 9))
        self.assertEqual(self.recording.calls, [["later", '["a"]', '{"ok":22}'], ["now", "[]", '{"ok":1}']])

    def test_two_waits(self) -> None:
        """The process goes on as soon as the last of what it waits for is there."""
        first, second = Deferred(), Deferred()
        self.host.answers = {"first": first, "second": second}
        self.ask(b"1", "first")
        self.ask(b"2", "second")
        second.callback("2")
        self.assertEqual(self.child.heard, ["park", "park", (b"2", b"2")])
        first.callback("1")
        self.assertEqual(self.child.heard[3:], ["resume", (b"1", b"1")])

    def test_closed(self) -> None:
        """When the process is done with the run it hears nothing more of it, and the cost still counts."""
        later: Deferred[str] = Deferred()
        self.host.answers = {"later": later}
        self.ask(b"1", "later")
        self.calls.close()
        self.now += 1.0
        later.callback("late")
        self.assertEqual((self.child.heard, self.calls.costs["later"].seconds), (["park"], 1.0))

    def test_names(self) -> None:
        """A process that invents names breaks the protocol."""
        for number in range(200):
            self.calls.count(f"n{number}", "")
        self.calls.count("n7", "")
        with self.assertRaises(BadBox):
            self.calls.count("one more", "")

    def test_spent(self) -> None:
        """A script that goes on asking long after its calls are spent is not answered any more."""
        for _ in range(1003):
            self.ask(b"1", "now")
        with self.assertRaises(ScriptFailed):
            self.ask(b"1", "now")

    def test_log(self) -> None:
        """Log lines are counted and kept; what is none breaks the protocol."""
        self.calls.log(b'[["info","m",null]]', at=5.0)
        assert self.calls.lines is not None
        self.assertEqual((self.calls.lines.count, self.host.lines[0].message, self.host.lines[0].at), (1, "m", 5.0))
        with self.assertRaises(BadBox):
            self.calls.log(b"{}", at=5.0)
