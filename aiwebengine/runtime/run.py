"""
One invocation in a child: host calls, answer, commit, and what happens if it fails.

The order is always: the answer is received and checked, the held effects are committed,
and only then does the first byte leave.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import Cancelled, EngineError, ScriptFailed, ScriptProtocol, Stale, Unavailable
from aiwebengine.interfaces import HostCalls
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.runtime.answer import Head, read_answer, read_body, read_head, read_texts
from aiwebengine.runtime.asking import TOO_MANY_PARTS, is_bulky, read_call, went_on
from aiwebengine.runtime.boxes import BadBox, Box
from aiwebengine.runtime.failure import Bounds, broken_protocol, death, not_again, script_failure
from aiwebengine.runtime.lines import Lines
from aiwebengine.runtime.sink import Sink
from aiwebengine.runtime.tape import Tape
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Allowance, Answer, CallCost, Invocation, Receipt

if TYPE_CHECKING:
    from aiwebengine.runtime.child import Clone

_log = Logger()

CANCEL_SECONDS = 0.05
"""For how long a run goes on whose asker has gone."""

_OK = b'{"ok":null}'
_NEVER = float("inf")
_MOST_NAMES = 200
_MOST_RERUNS = 3
_LOOK_RUNS = 256
_LOOK_SECONDS = 0.1
_REFUSED = (
    b'{"err":{"code":"invalid","message":"An answer can be streamed once, by the engine itself.","call":"answer"}}'
)


class Run:
    """
    One invocation, from its start to its end.

    Args:
        invocation: What is run.
        sink: Who waits.
        host: Where host calls go.
        limits: What it may use, unless it says so itself.
        memory_bytes: Of its process.
        deadline: When it must be over, on the clock of *seconds*; set when it starts.
        seconds: A clock.
        wall: The time of log lines, seconds since 1970.
        over: Told once when it has ended.
        again: Told instead of the sink if its process was lost through no fault of its own, or if what it had read
            was changed before it could commit.
        passed: Told of the points on the way.
        tape: What is written down of it; None: nothing.
        recorded: Given the tape, with the run and its outcome, at the end.
    """

    __slots__ = (
        "_again", "_asked", "_committing", "_delayed", "_failure", "_head", "_host", "_limits", "_lines", "_over",
        "_passed", "_recorded", "_release", "_reruns", "_seconds", "_session", "_told", "_turn", "_waits", "_wall",
        "_whole", "_writing", "asked_at", "attempts", "bytes_out", "calls", "cancelled", "clone", "cpu_seconds",
        "deadline", "ended", "error", "invocation", "memory_bytes", "peak_bytes", "queued_until", "replied", "rows",
        "sink", "started_at", "streaming", "tape",
    )  # fmt: skip

    # Long: keeps each argument under its name, and begins each count.
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
        passed: Passed = unwatched,
        tape: Tape | None = None,
        recorded: Callable[[Run, str], None] | None = None,
    ) -> None:
        self.invocation = invocation
        self.sink = sink
        self.memory_bytes = memory_bytes
        self.asked_at = seconds()
        self.deadline = 0.0
        self.queued_until = 0.0
        self.started_at = 0.0
        self.clone: Clone | None = None
        self.calls: dict[str, CallCost] = {}
        self.bytes_out = 0
        self.peak_bytes = 0
        self.rows = 0
        self.attempts = 0
        self.cpu_seconds = 0.0
        self.cancelled = False
        self.ended = False
        self.error: EngineError | None = None
        """What it failed with."""
        self.tape = tape
        self._recorded = recorded
        self.streaming = False
        """The first byte has left, or is about to."""
        self.replied = False
        """The whole answer was given, or is being committed, and the handler's `waitUntil` goes on."""
        self._told = False
        """The whole answer has left."""
        self._host = host
        self._limits: Allowance | LimitSettings = invocation.allowance or limits
        self._seconds = seconds
        self._wall = wall
        self._over = over
        self._again = again
        self._passed = passed
        self._session: Any = None
        self._turn: Deferred[Any] | None = None
        """The turn that is waited for."""
        self._release: Callable[[], None] | None = None
        """Ends the turn that this run has."""
        self._reruns = 0
        self._asked = 0
        """Host calls of this attempt, the refused ones too."""
        self._lines: Lines | None = None
        self._committing = False
        self._delayed: EngineError | None = None
        """What the script failed with while its unit before that was being committed."""
        self._waits = 0
        """Host calls that are not answered, and parts of the answer that the client has not taken."""
        self._writing = False
        self._head: Head | None = None
        self._whole: Answer | None = None
        self._failure: EngineError | None = None

    @property
    def alone(self) -> bool:
        """It wants a process that has run nothing before and runs nothing after it."""
        return self.invocation.recording == "always" or self.invocation.again is not None

    @property
    def lost(self) -> bool:
        """A process died with it in hand."""
        return self.attempts > self._reruns

    def stepped(self, step: bytes) -> None:
        """See `child.Occupant.stepped`."""
        if self.tape is not None:
            self.tape.stepped(step)

    def begin(self, clone: Clone) -> None:
        """Be in hand of *clone*, which is about to be sent the box."""
        self.clone = clone
        self.attempts += 1
        self._lines = None
        self._waits = self._asked = 0
        self.calls = {}
        self.started_at = self._seconds()
        # Who has gone while it lay behind another one need not be waited for.
        self.deadline = self.started_at + (CANCEL_SECONDS if self.cancelled else self.invocation.wall_seconds)
        self._session = self._host.begin(self.invocation)
        self._passed("run.begun")

    # -- from the clone -----------------------------------------------------------------------

    def over(self, box: Box, cpu_seconds: float) -> bool:
        """See `child.Occupant.over`."""
        self.cpu_seconds = cpu_seconds
        self._passed("answer.received")
        clone = self.clone
        if clone is not None and clone.runs % _LOOK_RUNS == 1:
            # Looking takes as long as a quarter of a short request.
            self.peak_bytes = clone.peak_bytes()
        if b"_answer" not in box:
            self._failure = script_failure(box)
            return True
        try:
            self._head, self._whole = head, _ = read_answer(box, max_bytes=self._limits.answer_bytes)
        except EngineError as error:
            self._failure = error
            return True
        if self._committing:
            why = "it ends before its last part was answered"
        elif head.streamed is (self.streaming or self.replied):
            return True
        else:
            why = "it ends a stream that it never began" if head.streamed else "it answers twice"
        self._failure = broken_protocol(self.invocation.script, why)
        return self.ended

    def conclude(self) -> None:
        """See `child.Occupant.conclude`."""
        head, answer = self._head, self._whole
        if self.ended:
            return
        if self._failure is not None or head is None or answer is None:
            self._fail(self._failure or broken_protocol(self.invocation.script))
        elif self.cancelled and not self.replied:
            # Until the commit is sent nobody's going is too late.
            self._fail(Cancelled("Whoever asked has gone."))
        elif head.streamed:
            self._commit(self._streamed)
        elif head.rollback:
            self.bytes_out = len(answer.body)
            if self.tape is not None:
                self.tape.gave(answer)
            self._finish("rolled_back", self.sink.answered, answer)
        else:
            self._commit(self._answered, answer)

    def _answered(self) -> None:
        answer = self._whole
        assert answer is not None
        self._passed("answer.next")
        self.bytes_out = len(answer.body)
        if self.tape is not None:
            self.tape.gave(answer)
        self._finish("committed", self.sink.answered, answer)
        self._passed("answer.written")

    def _streamed(self) -> None:
        if self.replied:
            self._finish("committed", _nothing)
        else:
            self._finish("committed", self.sink.finished)

    def asked(self, tag: bytes, name: bytes, argument: bytes) -> None:
        """See `child.Occupant.asked`."""
        if self.ended:
            return
        try:
            named, given = read_call(tag, name, argument)
        except BadBox as error:
            self._protocol(str(error))
            return
        cost = self.calls.get(named)
        if cost is None:
            if len(self.calls) >= _MOST_NAMES:
                self._protocol("it invents names of host calls")
                return
            cost = self.calls[named] = CallCost()
        cost.count += 1
        cost.bytes_in += len(given)
        if named.startswith("answer."):
            self._answer_call(tag, named, given)
            return
        self._asked += 1
        spent = went_on(self._asked, self._limits)
        if spent is not None:
            self._abandon(spent)
            return
        clone = self.clone
        assert clone is not None
        self._passed("call.received")
        if self.tape is not None:
            self.tape.asked(tag, named, given)
        asked_at = self._seconds()
        answer = TOO_MANY_PARTS if is_bulky(given) else self._session.call(named, given)
        if isinstance(answer, str):
            cost.seconds += self._seconds() - asked_at
            cost.bytes_out += len(answer)
            self._passed("call.answered")
            if self.tape is not None:
                self.tape.answered(tag, answer)
            clone.answer(tag, answer.encode("ascii"))
        else:
            self._waits += 1
            clone.park()
            answer.addCallback(self._answer_later, clone, tag, cost, asked_at)

    def _answer_later(self, text: str, clone: Clone, tag: bytes, cost: CallCost, asked_at: float) -> None:
        cost.seconds += self._seconds() - asked_at
        cost.bytes_out += len(text)
        # The clone may be dead by now, and this run in the hands of another, which knows nothing of the call.
        if clone.occupant is self:
            self._passed("call.answered")
            if self.tape is not None:
                self.tape.answered(tag, text)
            self._go_on(clone)
            clone.answer(tag, text.encode("ascii"))

    def logged(self, lines: bytes) -> None:
        """See `child.Occupant.logged`."""
        if self.ended:
            return
        self._passed("log.received")
        if self._lines is None:
            self._lines = Lines(self._limits)
        try:
            kept = self._lines.read(lines, at=self._wall())
        except BadBox as error:
            self._protocol(str(error))
            return
        if kept:
            self._session.log(kept)

    def died(self, clone: Clone) -> None:
        """See `child.Occupant.died`."""
        ended = clone.ended
        assert ended is not None
        self.cpu_seconds = clone.last_cpu_seconds
        self.peak_bytes = ended.max_rss_bytes
        # A script cannot send itself SIGKILL: somebody else did, or its template or the sandbox died.
        lost = not clone.cause and (ended.status is None or ended.signal == signal.SIGKILL)
        if lost and not self.streaming and not self.replied and not self.cancelled:
            if self._session is not None and not self._session.repeatable:
                self._fail(not_again(self.invocation.script))
            elif self.attempts - self._reruns < 2:
                # Nothing of it was done, so it is run once more.
                self._drop("lost")
                self._again(self)
            else:
                self._fail(
                    Unavailable(
                        f'The process of the script "{self.invocation.script}" was killed from outside, twice; '
                        "nothing it did was kept. Try again in a moment.",
                        retry_seconds=1.0,
                    )
                )
            return
        invocation = self.invocation
        bounds = Bounds(
            script=invocation.script,
            phase="handler",
            wall_seconds=invocation.wall_seconds,
            cpu_seconds=invocation.cpu_seconds,
            memory_bytes=self.memory_bytes,
        )
        self._fail(death(ended, cause=clone.cause, bounds=bounds))

    # -- from the server ----------------------------------------------------------------------

    def cancel(self) -> None:
        """Whoever asked has gone: tell the script; the pool ends what goes on regardless."""
        if self.ended or self.cancelled or self.replied:
            return
        self.cancelled = True
        if self._turn is not None:
            self._turn.cancel()
        elif self._session is not None and self._session.units:
            self._session.withdraw()
        if self.in_hand:
            assert self.clone is not None
            self.clone.cancel()

    @property
    def in_hand(self) -> bool:
        """A clone works on it; false before, and when only the commit is left to do."""
        return self.clone is not None and self.clone.occupant is self

    def refuse(self, error: EngineError) -> None:
        """End it before it has begun."""
        self._fail(error)

    # -- answers that go on -------------------------------------------------------------------

    def _answer_call(self, tag: bytes, name: str, argument: str) -> None:
        given = read_texts(argument)
        if given is None:
            self._protocol("an answer's part is not a list of texts")
            return
        if self._writing or self._committing:
            # One at a time: otherwise one might overtake another, and what a slow client has not taken would gather.
            self._protocol("it writes before the client has taken what it wrote")
            return
        clone = self.clone
        assert clone is not None
        try:
            parts = [one.encode("ascii") for one in given]
            if name == "answer.start" and len(parts) == 1 and not self.streaming and not self.replied:
                head = read_head(parts[0])
                self.streaming = True
                answer = Answer(status=head.status, headers=head.headers, body=b"")
                self._commit(lambda: self._began(clone, tag, answer), None)
            elif name == "answer.write" and len(parts) == 2 and self.streaming:
                data = read_body(parts[0], parts[1])
                self._count(data)
                self._writing = True
                # What the script did for this piece is a unit of its own.
                self._commit(lambda: self._write(clone, tag, data))
            elif name == "answer.send" and len(parts) == 3 and not self.streaming and not self.replied:
                box = {b"h": parts[0], b"e": parts[1], b"v": parts[2]}
                _, answer = read_answer(box, max_bytes=self._limits.answer_bytes)
                self.replied = True
                self._commit(lambda: self._sent(clone, tag, answer), answer)
            else:
                clone.answer(tag, _REFUSED)
        except EngineError as error:
            self._abandon(error)
        except UnicodeEncodeError:
            self._protocol("an answer's part is not ASCII")

    def _began(self, clone: Clone, tag: bytes, answer: Answer) -> None:
        if self.tape is not None:
            self.tape.gave(answer)
        self.sink.started(answer)
        self._reply_part(clone, tag)

    def _count(self, data: bytes) -> None:
        self.bytes_out += len(data)
        most = self._limits.stream_bytes
        if self.bytes_out > most:
            raise ScriptFailed(
                f"The streamed answer has more than {most} bytes and was broken off there. "
                "Send less, or raise its limit (stream; at most limits.stream_bytes)."
            )

    def _write(self, clone: Clone, tag: bytes, data: bytes) -> None:
        # The client's pace is not the script's: while it takes its time no deadline runs here.
        if not self.cancelled:
            self.deadline = _NEVER

        def done() -> None:
            self._writing = False
            if waits:
                self._go_on(clone)
            self._reply_part(clone, tag)

        if self.tape is not None:
            self.tape.wrote(data)
        waits = False
        self.sink.write(data, done)
        if self._writing and clone.occupant is self:
            waits = True
            self._waits += 1
            clone.park()

    def _go_on(self, clone: Clone) -> None:
        """One of the things it waits for is there; an answer is on its way."""
        self._waits -= 1
        if self._waits <= 0 and clone.occupant is self:
            clone.go_on()

    def _sent(self, clone: Clone, tag: bytes, answer: Answer) -> None:
        if self.tape is not None:
            self.tape.gave(answer)
        self.bytes_out = len(answer.body)
        self._told = True
        self.sink.answered(answer)
        self._reply_part(clone, tag)

    def _reply_part(self, clone: Clone, tag: bytes) -> None:
        """Tell the script that a part of its answer is on its way; each part has the whole time again."""
        if clone.occupant is not self or self.ended:
            return
        if not self.cancelled:
            self.deadline = self._seconds() + self.invocation.wall_seconds
        clone.answer(tag, _OK)

    # -- ends ---------------------------------------------------------------------------------

    def _commit(self, then: Callable[[], None], *kept: Answer | None) -> None:
        try:
            if kept and self.invocation.once is not None:
                self._session.keep(*kept)
            waiting = self._session.commit()
        except EngineError as error:
            self._fail(error)
            return
        if waiting is None:
            then()
            return
        self._committing = True
        waiting.addCallbacks(lambda _: self._commit_done(then), self._commit_failed)

    def _commit_done(self, then: Callable[[], None]) -> None:
        self._committing = False
        if self.ended:
            return
        then()
        error, self._delayed = self._delayed, None
        if error is not None:
            self._fail(error)

    def _commit_failed(self, failure: Failure) -> None:
        self._committing = False
        error = failure.value
        if isinstance(error, Stale) and error.turn is not None and self._may_repeat():
            self._repeat(error.turn)
            return
        if not isinstance(error, EngineError):
            _log.failure("a commit failed", failure)
            error = Unavailable("What the script did could not be stored; nothing was done.", retry_seconds=1.0)
        self._abandon(error)

    def _may_repeat(self) -> bool:
        """Whether running the handler once more does nothing twice: it is its first unit that failed."""
        repeatable: bool = self._session is not None and self._session.repeatable and self._session.units == 1
        return repeatable and self._reruns < _MOST_RERUNS and not self.ended and not self.cancelled

    def _repeat(self, turn: Callable[[], Deferred[Callable[[], None]]]) -> None:
        clone = self.clone
        self._drop("rerun")
        if clone is not None and clone.occupant is self:
            # It waits to go on with an answer that will never be given.
            clone.discard("conflict")
        self.streaming = self.replied = self._writing = False
        self._head = self._whole = self._failure = self._delayed = None
        self._reruns += 1
        if self._release is not None:
            self._release()
            self._release = None
        self._turn = waiting = turn()
        waiting.addCallbacks(self._repeat_now, self._no_turn)

    def _no_turn(self, failure: Failure) -> None:
        self._turn = None
        self._commit_failed(failure)

    def _repeat_now(self, release: Callable[[], None]) -> None:
        self._turn = None
        self._release = release
        if not self.ended:
            self._again(self)

    def _abandon(self, error: EngineError) -> None:
        """Fail although the script still runs."""
        clone = self.clone
        self._fail(error)
        if clone is not None and clone.occupant is self:
            clone.kill(error.code)

    def _protocol(self, why: str) -> None:
        self._abandon(broken_protocol(self.invocation.script, why))

    def _fail(self, error: EngineError) -> None:
        if self.ended:
            return
        if self._committing:
            # What is being committed was answered well: first that is told, then what came after it.
            self._delayed = self._delayed or error
            return
        if self.cancelled and not isinstance(error, ScriptProtocol):
            error = Cancelled("Whoever asked has gone.")
        self.error = error
        if isinstance(error, ScriptFailed) and self._session is not None:
            self._session.failed(error)
        if self._told:
            self._finish(error.code, _nothing)
        else:
            self._finish(error.code, self.sink.failed, error)

    def _finish(self, outcome: str, tell: Callable[..., None], *told: Any) -> None:
        if self.ended:
            return
        self.ended = True
        if self._release is not None:
            self._release()
        session, self._session = self._session, None
        if session is not None:
            self.rows = session.rows
            session.end(self.receipt(outcome))
        self._over(self)
        if self.tape is not None and self._recorded is not None:
            self._recorded(self, outcome)
        self._passed("run.ended")
        tell(*told)

    def _drop(self, outcome: str) -> None:
        session, self._session = self._session, None
        if session is not None:
            self.rows = session.rows
            session.end(self.receipt(outcome))
        self.clone = None

    def receipt(self, outcome: str) -> Receipt:
        """Give what it has cost so far."""
        lines, wall = self._lines, self._seconds() - self.started_at
        if wall > _LOOK_SECONDS and not self.peak_bytes and self.clone is not None:
            self.peak_bytes = self.clone.peak_bytes()
        return Receipt(
            invocation=self.invocation.id,
            wall_seconds=wall,
            cpu_seconds=self.cpu_seconds,
            host_calls=self.calls,
            bytes_out=self.bytes_out,
            outcome=outcome,
            queued_seconds=self.started_at - self.asked_at,
            peak_bytes=self.peak_bytes,
            log_lines=lines.count if lines is not None else 0,
            log_bytes=lines.size_bytes if lines is not None else 0,
            rows=self.rows,
        )


def _nothing() -> None:
    """Tell nobody: the answer was given long since."""
