"""
One invocation in a child: host calls, answer, commit, and what happens if it fails.

The order is always: the answer is received and checked, the held effects are committed,
and only then does the first byte leave.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import Cancelled, EngineError, ScriptFailed, ScriptProtocol, Unavailable
from aiwebengine.interfaces import HostCalls
from aiwebengine.runtime.answer import read_answer, read_body, read_head
from aiwebengine.runtime.boxes import Box
from aiwebengine.runtime.failure import death, script_failure
from aiwebengine.runtime.lines import read_lines
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Answer, Invocation, Receipt

if TYPE_CHECKING:
    from aiwebengine.runtime.child import Clone

_log = Logger()

_OK = b'{"ok":null}'
_REFUSED = (
    '{"err":{"code":"invalid","message":"An answer can be streamed once, by the engine itself.","call":"answer"}}'
)


class Sink(Protocol):
    """Who waits for an invocation's answer."""

    def answered(self, answer: Answer) -> None:
        """The whole answer; nothing else follows."""

    def started(self, answer: Answer) -> None:
        """Status and headers of a streamed answer; its body is empty."""

    def write(self, data: bytes, done: Callable[[], None]) -> None:
        """One piece of a streamed answer; call *done* when there is room for the next."""

    def finished(self) -> None:
        """The streamed answer is complete."""

    def failed(self, error: EngineError) -> None:
        """There is no answer, or the streamed one breaks off here; nothing else follows."""


class Run:
    """
    One invocation, from its start to its end.

    Args:
        invocation: What is run.
        sink: Who waits.
        host: Where host calls go.
        limits: What it may use.
        memory_bytes: Of its process.
        deadline: When it must be over, on the clock of *seconds*; set when it starts.
        seconds: A clock.
        wall: The time of log lines, seconds since 1970.
        over: Told once when it has ended.
        again: Told instead of the sink if its process was lost through no fault of its own.
    """

    __slots__ = (
        "_again",
        "_host",
        "_limits",
        "_lines",
        "_over",
        "_seconds",
        "_session",
        "_started_cpu",
        "_wall",
        "attempts",
        "calls",
        "cancelled",
        "clone",
        "deadline",
        "ended",
        "invocation",
        "memory_bytes",
        "queued_until",
        "replied",
        "sink",
        "started_at",
        "streaming",
    )  # fmt: skip

    def __init__(
        self,
        *,
        invocation: Invocation,
        sink: Sink,
        host: HostCalls,
        limits: LimitSettings,
        memory_bytes: int,
        seconds: Callable[[], float],
        wall: Callable[[], float],
        over: Callable[[Run], None],
        again: Callable[[Run], None],
    ) -> None:
        self.invocation = invocation
        self.sink = sink
        self.memory_bytes = memory_bytes
        self.deadline = 0.0
        self.queued_until = 0.0
        self.started_at = 0.0
        self.clone: Clone | None = None
        self.calls: dict[str, int] = {}
        self.attempts = 0
        self.cancelled = False
        self.ended = False
        self.streaming = False
        """The first byte has left, or is about to."""
        self.replied = False
        """The whole answer was given, and the handler's `waitUntil` goes on."""
        self._host = host
        self._limits = limits
        self._seconds = seconds
        self._wall = wall
        self._over = over
        self._again = again
        self._session: Any = None
        self._lines = 0
        self._started_cpu = 0.0

    def begin(self, clone: Clone) -> None:
        """Be in hand of *clone*, which is about to be sent the box."""
        self.clone = clone
        self.attempts += 1
        self.started_at = self._seconds()
        self.deadline = self.started_at + self.invocation.wall_seconds
        self._session = self._host.begin(self.invocation)

    # -- from the clone -----------------------------------------------------------------------

    def answered(self, box: Box) -> None:
        """See `child.Occupant.answered`."""
        try:
            head, answer = read_answer(box, max_bytes=self._limits.answer_bytes)
        except EngineError as error:
            self._fail(error)
            return
        if head.streamed:
            self._end_streamed()
        elif self.streaming or self.replied:
            self._fail(ScriptProtocol("The script's process answered twice."))
        elif head.rollback:
            self._finish("rolled_back", len(answer.body), lambda: self.sink.answered(answer))
        else:
            self._commit(lambda: self._finish("committed", len(answer.body), lambda: self.sink.answered(answer)))

    def failed(self, box: Box) -> None:
        """See `child.Occupant.failed`."""
        self._fail(script_failure(box))

    def asked(self, tag: bytes, name: bytes, argument: bytes) -> None:
        """See `child.Occupant.asked`."""
        try:
            named, given = name.decode("ascii"), argument.decode("ascii")
        except UnicodeDecodeError:
            self._protocol("a host call is not ASCII")
            return
        self.calls[named] = self.calls.get(named, 0) + 1
        if len(self.calls) > 200:
            self._protocol("it invents names of host calls")
            return
        if named.startswith("answer."):
            self._answer_call(tag, named, given)
            return
        answer = self._session.call(named, given)
        if isinstance(answer, str):
            self._reply(tag, answer.encode("ascii"))
        else:
            answer.addCallback(lambda text: self._reply(tag, text.encode("ascii")))

    def logged(self, lines: bytes) -> None:
        """See `child.Occupant.logged`."""
        kept, self._lines = read_lines(lines, at=self._wall(), limits=self._limits, before=self._lines)
        if kept:
            self._session.log(kept)

    def died(self, clone: Clone) -> None:
        """See `child.Occupant.died`."""
        ended = clone.ended
        assert ended is not None
        # A script cannot send itself SIGKILL: somebody else did, or its template or the sandbox died.
        lost = not clone.cause and (ended.status is None or ended.signal == signal.SIGKILL)
        if lost and self.attempts < 2 and not self.streaming and not self.replied and not self.cancelled:
            # Nothing of it was done, so it is run once more; a second death is its own.
            self._drop("lost")
            self._again(self)
            return
        self._fail(death(ended, cause=clone.cause, memory_bytes=self.memory_bytes, phase="handler"))

    # -- from the server ----------------------------------------------------------------------

    def cancel(self) -> None:
        """Whoever asked has gone: tell the script; the pool ends what goes on regardless."""
        if self.ended or self.cancelled:
            return
        self.cancelled = True
        if self.clone is not None:
            self.clone.cancel()

    def refuse(self, error: EngineError) -> None:
        """End it before it has begun."""
        self._fail(error)

    # -- answers that go on -------------------------------------------------------------------

    def _answer_call(self, tag: bytes, name: str, argument: str) -> None:
        try:
            given = json.loads(argument)
            if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
                raise ValueError  # noqa: TRY301
        except (ValueError, RecursionError):
            self._protocol("an answer's part is not JSON")
            return
        try:
            if name == "answer.start" and len(given) == 1 and not self.streaming and not self.replied:
                head = read_head(given[0].encode("ascii"))
                self.streaming = True
                answer = Answer(status=head.status, headers=head.headers, body=b"")
                self._commit(lambda: self._started(tag, answer))
            elif name == "answer.write" and len(given) == 2 and self.streaming:
                self._write(tag, read_body(given[0].encode("ascii"), given[1].encode("ascii")))
            elif name == "answer.send" and len(given) == 3 and not self.streaming and not self.replied:
                box = {b"h": given[0].encode("ascii"), b"e": given[1].encode("ascii"), b"v": given[2].encode("ascii")}
                head, answer = read_answer(box, max_bytes=self._limits.answer_bytes)
                self.replied = True
                self._commit(lambda: self._sent(tag, answer))
            else:
                self._reply(tag, _REFUSED.encode("ascii"))
        except EngineError as error:
            self._abandon(error)
        except UnicodeEncodeError:
            self._protocol("an answer's part is not ASCII")

    def _started(self, tag: bytes, answer: Answer) -> None:
        self.sink.started(answer)
        self._extend()
        self._reply(tag, _OK)

    def _write(self, tag: bytes, data: bytes) -> None:
        # The client's pace is not the script's: while it takes its time no deadline runs here.
        self.deadline = float("inf")

        def done() -> None:
            self._extend()
            self._reply(tag, _OK)

        self.sink.write(data, done)

    def _sent(self, tag: bytes, answer: Answer) -> None:
        self.sink.answered(answer)
        self._extend()
        self._reply(tag, _OK)

    def _extend(self) -> None:
        self.deadline = self._seconds() + self.invocation.wall_seconds

    def _end_streamed(self) -> None:
        if self.replied:
            self._commit(lambda: self._finish("committed", 0, lambda: None))
        elif self.streaming:
            self._commit(lambda: self._finish("committed", 0, self.sink.finished))
        else:
            self._fail(ScriptProtocol("The script's process ended a stream that it never began."))

    # -- ends ---------------------------------------------------------------------------------

    def _commit(self, then: Callable[[], None]) -> None:
        try:
            waiting = self._session.commit()
        except EngineError as error:
            self._fail(error)
            return
        if waiting is None:
            then()
            return
        waiting.addCallbacks(lambda _: None if self.ended else then(), self._commit_failed)

    def _commit_failed(self, failure: Failure) -> None:
        error = failure.value
        if not isinstance(error, EngineError):
            _log.failure("a commit failed", failure)
            error = Unavailable("What the script did could not be stored; nothing was done.", retry_seconds=1.0)
        self._abandon(error)

    def _abandon(self, error: EngineError) -> None:
        """Fail although the script still runs."""
        clone = self.clone
        self._fail(error)
        if clone is not None and clone.occupant is self:
            clone.kill(error.code)

    def _protocol(self, why: str) -> None:
        self._abandon(ScriptProtocol("The script's process broke the protocol and was ended.", private=why))

    def _fail(self, error: EngineError) -> None:
        if self.ended:
            return
        if self.cancelled and not isinstance(error, ScriptProtocol):
            error = Cancelled("Whoever asked has gone.")
        if isinstance(error, ScriptFailed) and self._session is not None:
            self._session.failed(error)
        if not self.replied:
            self._finish(error.code, 0, lambda: self.sink.failed(error))
            return
        self._finish(error.code, 0, lambda: None)

    def _finish(self, outcome: str, bytes_out: int, tell: Callable[[], None]) -> None:
        if self.ended:
            return
        self.ended = True
        session, self._session = self._session, None
        if session is not None:
            session.end(self._receipt(outcome, bytes_out))
        self._over(self)
        tell()

    def _drop(self, outcome: str) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.end(self._receipt(outcome, 0))
        self.clone = None

    def _receipt(self, outcome: str, bytes_out: int) -> Receipt:
        return Receipt(
            invocation=self.invocation.id,
            wall_seconds=self._seconds() - self.started_at,
            cpu_seconds=0.0,
            host_calls=self.calls,
            bytes_out=bytes_out,
            outcome=outcome,
        )

    def _reply(self, tag: bytes, value: bytes) -> None:
        if not self.ended and self.clone is not None and self.clone.occupant is self:
            self.clone.answer(tag, value)


Waiting = Deferred[None]
