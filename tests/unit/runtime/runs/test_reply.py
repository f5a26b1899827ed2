"""An answer that goes on: which part may follow which, and what each must be."""

from __future__ import annotations

import pytest
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import ScriptFailed
from aiwebengine.runtime.moves import IllegalMove
from aiwebengine.runtime.runs.costs import RunCosts
from aiwebengine.runtime.runs.reply import AnswerState, Part, Reply
from aiwebengine.runtime.runs.run_recording import RunRecording
from aiwebengine.runtime.wire.boxes import BadBox
from aiwebengine.settings.schema import LimitSettings
from tests.unit.runtime.fakes import FakeSink

PARTS = {
    "answer.start": b'{"status":201,"type":"text/plain"}\0',
    "answer.write": b"\0piece",
    "answer.send": b"\0whole",
}
WAYS: dict[AnswerState, tuple[tuple[str, str], ...]] = {
    AnswerState.NOTHING: (),
    AnswerState.STARTING: (("answer.start", "taken"),),
    AnswerState.STREAMING: (("answer.start", "delivered"),),
    AnswerState.WRITING: (("answer.start", "delivered"), ("answer.write", "delivered")),
    AnswerState.SENDING: (("answer.send", "taken"),),
    AnswerState.SENT: (("answer.send", "delivered"),),
}
FITS = {
    (AnswerState.NOTHING, "answer.start"),
    (AnswerState.NOTHING, "answer.send"),
    (AnswerState.STREAMING, "answer.write"),
}


class ReplyTests(SynchronousTestCase):
    def make(self, given: AnswerState = AnswerState.NOTHING) -> Reply:
        """Make a reply of which so much was given."""
        self.sink, self.costs, self.recording = FakeSink(), RunCosts(0.0), RunRecording(most_bytes=1000)
        self.received: list[str] = []
        self.reply = Reply(
            sink=self.sink,
            limits=LimitSettings(answer_bytes=100, stream_bytes=12),
            recording=self.recording,
            costs=self.costs,
        )
        for name, how in WAYS[given]:
            part = self.take(name)
            if how == "delivered":
                self.reply.deliver(part, lambda: self.received.append("taken"))
        self.assertIs(self.reply.given, given)
        return self.reply

    def take(self, name: str) -> Part:
        """Take a part that fits."""
        part = self.reply.take(name.encode(), PARTS[name])
        assert part is not None
        return part

    def test_order(self) -> None:
        """A part that cannot follow is refused; one that comes before the one before it is done breaks the protocol."""
        for given in AnswerState:
            for name, argument in PARTS.items():
                reply = self.make(given)
                if (given, name) in FITS:
                    self.assertIsNotNone(reply.take(name.encode(), argument))
                elif given in (AnswerState.STARTING, AnswerState.WRITING, AnswerState.SENDING):
                    with self.assertRaises(BadBox):
                        reply.take(name.encode(), argument)
                    self.assertIs(reply.given, given)
                else:
                    self.assertIsNone(reply.take(name.encode(), argument))
                    self.assertIs(reply.given, given)

    def test_stream(self) -> None:
        """A stream has a head, which leaves at once, and pieces, each of which is done when the client has taken it."""
        reply = self.make(AnswerState.WRITING)
        self.assertEqual((self.sink.received, self.received), ([("started", 201), ("write", b"piece")], ["taken"]))
        self.sink.taken.pop()()
        self.assertEqual(
            (reply.given, self.received, self.costs.bytes_out), (AnswerState.STREAMING, ["taken", "taken"], 5)
        )
        assert self.recording.answer is not None
        self.assertEqual((self.recording.answer.status, self.recording.answer.body), (201, b"piece"))

    def test_sent(self) -> None:
        """A whole answer leaves at once, and is kept with its unit; so is the fact that one is streamed."""
        self.make(AnswerState.SENT)
        self.assertEqual(
            (self.sink.received, self.received, self.costs.bytes_out), ([("answered", 200, b"whole")], ["taken"], 5)
        )
        self.make()
        part = self.take("answer.send")
        self.assertEqual(part.kept, (part.answer,))
        self.make()
        self.assertEqual(self.take("answer.start").kept, (None,))
        self.make(AnswerState.STREAMING)
        self.assertEqual(self.take("answer.write").kept, ())

    def test_delivered_twice(self) -> None:
        """A part is delivered once."""
        for given in (AnswerState.STREAMING, AnswerState.SENT):
            reply = self.make(given)
            assert self.recording.answer is not None
            with self.assertRaises(IllegalMove):
                reply.deliver(Part(self.recording.answer), lambda: None)

    @pytest.mark.setting("limits.answer_bytes", "limits.stream_bytes")
    def test_too_large(self) -> None:
        """A stream is broken off at its limit, and a whole answer that is too large is none."""
        self.make(AnswerState.STREAMING)
        for last in (False, False, True):
            if last:
                with self.assertRaises(ScriptFailed):
                    self.take("answer.write")
            else:
                self.reply.deliver(self.take("answer.write"), lambda: None)
                self.sink.taken.pop()()
        reply = self.make()
        with self.assertRaises(ScriptFailed):
            reply.take(b"answer.send", b"\0" + b"x" * 101)
        self.assertIs(reply.given, AnswerState.NOTHING)

    def test_nonsense(self) -> None:
        """What is no part at all breaks the protocol, or names the value."""
        cases: tuple[tuple[str, bytes, type[Exception]], ...] = (
            ("answer.start", b"", BadBox),
            ("answer.write", b"no head", BadBox),
            ("answer.start", b"[\0", ScriptFailed),
            ("answer.send", b"\xff\0", ScriptFailed),
        )
        for name, argument, error in cases:
            reply = self.make()
            with self.assertRaises(error):
                reply.take(name.encode(), argument)
            self.assertIs(reply.given, AnswerState.NOTHING)
        for name, argument in (("answer.x", b"\0"), ("answer.start", b"\0body"), ("answer.write", b"\0")):
            self.assertIsNone(self.make().take(name.encode(), argument))
