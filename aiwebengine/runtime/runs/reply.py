"""
A streamed answer, or one that is sent before the script has finished.

    nothing --start--> starting     status and headers of a streamed answer
    starting --started--> streaming
    streaming --write--> writing    one piece of it
    writing --taken--> streaming
    nothing --send--> sending       a whole answer, whose `waitUntil` continues
    sending --sent--> sent

Each part is committed between its two moves, as a unit of its own; so is what the script did for it. An answer that is
sent at the end, as nearly all are, does not pass this module.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from aiwebengine.errors import ScriptFailed
from aiwebengine.interfaces import Redaction
from aiwebengine.runtime.moves import Move
from aiwebengine.runtime.runs.costs import RunCosts
from aiwebengine.runtime.runs.run_recording import RunRecording
from aiwebengine.runtime.runs.sink import Sink
from aiwebengine.runtime.wire.answer import Head, read_answer, read_head
from aiwebengine.runtime.wire.boxes import BadBox
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Allowance, Answer


class AnswerState(StrEnum):
    """How much of an answer was sent."""

    NOTHING = "nothing"
    STARTING = "starting"
    STREAMING = "streaming"
    WRITING = "writing"
    SENDING = "sending"
    SENT = "sent"


START = Move("start", {AnswerState.NOTHING: AnswerState.STARTING})
STARTED = Move("started", {AnswerState.STARTING: AnswerState.STREAMING})
WRITE = Move("write", {AnswerState.STREAMING: AnswerState.WRITING})
TAKEN = Move("taken", {AnswerState.WRITING: AnswerState.STREAMING})
SEND = Move("send", {AnswerState.NOTHING: AnswerState.SENDING})
SENT = Move("sent", {AnswerState.SENDING: AnswerState.SENT})

UNDER_WAY = frozenset({AnswerState.STARTING, AnswerState.WRITING, AnswerState.SENDING})
"""A part is being committed, or the client has not received it."""
WHOLE = frozenset({AnswerState.SENDING, AnswerState.SENT})
"""The whole answer was sent; the handler's `waitUntil` continues."""

REFUSED = (
    b'{"err":{"code":"invalid","message":"An answer can be streamed once, by the engine itself.","call":"answer"}}'
)
"""The error for a part that does not fit."""


class Part(NamedTuple):
    """One part, checked."""

    answer: Answer | None
    """Status and headers, or the whole answer; None: it is a piece."""
    data: bytes = b""
    kept: tuple[Answer | None, ...] = ()
    """What is stored with the unit of an invocation that is done once; see `interfaces.HostSession.keep`."""


class Reply:
    """
    The answer of one attempt of a run.

    Args:
        sink: Gets it.
        limits: How large it may be.
        recording: Where it is recorded; None: nowhere.
        costs: Where its bytes are counted.
        redaction: Takes secrets out of it; None if there can be none.
    """

    __slots__ = ("_costs", "_limits", "_recording", "_redaction", "_scan", "_sink", "given")

    def __init__(
        self,
        *,
        sink: Sink,
        limits: Allowance | LimitSettings,
        recording: RunRecording | None,
        costs: RunCosts,
        redaction: Redaction | None = None,
    ) -> None:
        self._redaction = redaction
        self._scan = redaction.scan() if redaction is not None else None
        self._sink = sink
        self._limits = limits
        self._recording = recording
        self._costs = costs
        self.given = AnswerState.NOTHING

    def take(self, name: bytes, value: bytes) -> Part | None:
        """
        Take a part from the script; it is under way from now on.

        Args:
            name: `answer.start`, `answer.write` or `answer.send`.
            value: The head, NUL, and the body.

        Returns:
            The part; None if it does not fit what was sent before.

        Raises:
            BadBox: No script can cause such a part.
            ScriptFailed: It is not valid, or too large; the message names the value.
        """
        head, mark, body = value.partition(b"\0")
        if not mark:
            raise BadBox("a part of the answer has no head")
        if self.given in UNDER_WAY:
            # One at a time: otherwise one might overtake another, and what a slow client has not received would
            # accumulate.
            raise BadBox("it writes before the client has received the previous part")
        if name == b"answer.write" and not head and self.given is AnswerState.STREAMING:
            return self._piece(body)
        if name == b"answer.start" and not body and self.given is AnswerState.NOTHING:
            return self._head(head)
        if name == b"answer.send" and self.given is AnswerState.NOTHING:
            return self._whole_answer(head, body)
        return None

    def deliver(self, part: Part, taken: Callable[[], None]) -> None:
        """
        Pass a part to the sink, now that it is committed.

        Args:
            part: As `take` returned it last.
            taken: Called when the next may follow: at once, or when the client has received a piece.
        """
        if part.answer is None:
            if self._recording is not None:
                self._recording.append_body(part.data)

            def piece_taken() -> None:
                self.given = TAKEN[self.given]
                taken()

            if not part.data and self._scan is not None:
                # All of it may be the beginning of a secret, and waits for the next piece.
                piece_taken()
                return
            self._sink.write(part.data, piece_taken)
            return
        if self._recording is not None:
            self._recording.set_answer(part.answer)
        if self.given is AnswerState.STARTING:
            self.given = STARTED[self.given]
            self._sink.started(part.answer)
        else:
            self.given = SENT[self.given]
            self._costs.bytes_out = len(part.answer.body)
            self._sink.answered(part.answer)
        taken()

    def finish(self) -> None:
        """End a streamed answer."""
        rest = self._scan.end() if self._scan is not None else b""
        if rest:
            if self._recording is not None:
                self._recording.append_body(rest)
            self._sink.write(rest, lambda: None)
        self._sink.finished()

    def _head(self, text: bytes) -> Part:
        head = read_head(text)
        self.given = START[self.given]
        answer = Answer(status=head.status, headers=head.headers, body=b"")
        if self._redaction is not None:
            _, answer = redacted((head, answer), self._redaction)
        return Part(answer, kept=(None,))

    def _piece(self, data: bytes) -> Part:
        most = self._limits.stream_bytes
        self._costs.bytes_out += len(data)
        if self._costs.bytes_out > most:
            raise ScriptFailed(
                f"The streamed answer has more than {most} bytes and was broken off there. "
                "Send less, or raise its limit (stream; at most limits.stream_bytes)."
            )
        self.given = WRITE[self.given]
        return Part(None, data if self._scan is None else self._scan.feed(data))

    def _whole_answer(self, head: bytes, body: bytes) -> Part:
        result = read_answer(head, body, max_bytes=self._limits.answer_bytes)
        _, answer = result if self._redaction is None else redacted(result, self._redaction)
        self.given = SEND[self.given]
        return Part(answer, kept=(answer,))


def redacted(result: tuple[Head, Answer], redaction: Redaction) -> tuple[Head, Answer]:
    """Return an answer without secrets, in headers and body."""
    head, answer = result
    headers = tuple((name, redaction.data(value)) for name, value in answer.headers)
    return head, answer._replace(headers=headers, body=redaction.data(answer.body))
