"""
One invocation in a child: host calls, answer, commit, and what happens if it fails.

The order is always: the answer is received and checked, the held effects are committed, and only then does the first
byte leave.

How far it is says `runs.phase`; what happens in one attempt has modules of its own: `runs.host_calls`, and `runs.reply`
for streamed answers.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError, ScriptFailed, ScriptProtocol, Stale, Unavailable
from aiwebengine.interfaces import HostCalls, HostSession, Redaction
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.observe.watchdog import ReactorPulse
from aiwebengine.runtime.processes.interfaces import Child, Death
from aiwebengine.runtime.runs.costs import RunCosts
from aiwebengine.runtime.runs.host_calls import HostConversation
from aiwebengine.runtime.runs.pending import PendingCommit
from aiwebengine.runtime.runs.phase import BEGIN, END, LOSE, RELEASE, TURN, YIELD, Phase
from aiwebengine.runtime.runs.reply import REFUSED, WHOLE, AnswerState, Part, Reply, redacted
from aiwebengine.runtime.runs.run_recording import RunRecording
from aiwebengine.runtime.runs.sink import Sink
from aiwebengine.runtime.runs.turn import MOST_RERUNS, Release, Turn
from aiwebengine.runtime.wire.answer import Head, read_answer
from aiwebengine.runtime.wire.boxes import BadBox, Box
from aiwebengine.runtime.wire.call_checks import read_call
from aiwebengine.runtime.wire.failure import (
    Bounds,
    broken_protocol,
    death_error,
    disconnected,
    not_repeatable,
    process_lost_twice,
    read_position,
    script_failure,
)
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Allowance, Answer, Invocation, Receipt

_log = Logger()

CANCEL_SECONDS = 0.05
"""How long a run continues whose client has disconnected."""

_OK = b'{"ok":null}'
_NEVER = float("inf")
_LOOK_RUNS = 256
_LOOK_SECONDS = 0.1

# For every request: an attribute of an enumeration takes three times as long as a name.
_QUEUED, _RUNNING, _ENDED = Phase.QUEUED, Phase.RUNNING, Phase.ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What the runs of one version are handed."""

    host: HostCalls
    """Where host calls go."""
    limits: LimitSettings
    """What an invocation may use, unless it says so itself."""
    memory_bytes: int
    """Of a process."""
    seconds: Callable[[], float]
    """A clock."""
    wall: Callable[[], float]
    """The time of log lines, seconds since 1970."""
    ended: Callable[[Run], None]
    """Called once when a run has ended."""
    again: Callable[[Run], None]
    """Called with a run that is to be started again: its process was lost, or it has its turn to be repeated."""
    pulse: ReactorPulse
    """Of the reactor; notified for whom it works."""
    passed: Passed = unwatched
    """Is notified of the points on the way."""
    recorded: Callable[[Run, str], None] | None = None
    """Called with each recorded run, with its outcome, at the end."""


class Run:
    """
    One invocation, from its start to its end.

    Args:
        invocation: What is run.
        sink: Gets the answer.
        context: What it works with.
        recording: Where it is recorded; None: nowhere.
        redaction: Takes the secrets of its script out of what it says; None if it can have none.
    """

    __slots__ = (
        "_attempted", "_child", "_context", "_conversation", "_pending", "_position", "_redaction", "_reply", "_result",
        "_session", "_turn", "alone", "cancelled", "costs", "deadline", "error", "invocation", "lost", "phase",
        "queued_until", "recording", "sink",
    )  # fmt: skip

    def __init__(
        self,
        *,
        invocation: Invocation,
        sink: Sink,
        context: RunContext,
        recording: RunRecording | None = None,
        redaction: Redaction | None = None,
    ) -> None:
        self.invocation = invocation
        self.sink = sink
        self.recording = recording
        self._redaction = redaction
        self.phase = _QUEUED
        self.costs = RunCosts(context.seconds())
        self.deadline = self.queued_until = 0.0
        """When it must be over, and for how long it may wait for a process."""
        self.alone = invocation.recording == "always" or invocation.replay is not None
        """It needs a process that has run nothing before and runs nothing after it."""
        self.lost = False
        """A process died while running it, through no fault of its own."""
        self.cancelled = False
        """The client has disconnected."""
        self.error: EngineError | None = None
        """What it failed with."""
        self._context = context
        self._turn: Turn | None = None
        # Of the attempt:
        self._attempted = False
        """It has begun, and its receipt is not written."""
        self._child: Child | None = None
        self._session: HostSession | None = None
        """None as long as there are no host calls."""
        self._conversation: HostConversation | None = None
        self._reply: Reply | None = None
        self._pending: PendingCommit | None = None
        self._result: tuple[Head, Answer] | EngineError | None = None
        self._position: str | None = ""

    # -- what others ask ----------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Return whether it is over."""
        return self.phase is _ENDED

    @property
    def in_hand(self) -> bool:
        """Return whether a process works on it: not before it has begun, nor when only the commit is left to do."""
        return self.phase is _RUNNING

    @property
    def child(self) -> Child | None:
        """Return the process that has it, or had it last."""
        return self._child

    @property
    def limits(self) -> Allowance | LimitSettings:
        """Return what it may use."""
        return self.invocation.allowance or self._context.limits

    def receipt(self, outcome: str) -> Receipt:
        """Return what it has cost so far."""
        costs, now = self.costs, self._context.seconds()
        if now - costs.started_at > _LOOK_SECONDS and not costs.peak_bytes and self._child is not None:
            costs.peak_bytes = self._child.peak_bytes()
        invocation = self.invocation
        return costs.receipt(invocation.id, outcome, now=now, calls=self._conversation, trace=invocation.trace[3:35])

    # -- from the pool ------------------------------------------------------------------------

    def begin(self, child: Child, at: float) -> None:
        """Be the current run of *child*, which is about to be sent the box or has it in its socket."""
        self.phase = BEGIN[self.phase]
        self._child = child
        self.costs.started_at = at
        # A client that disconnected while it lay behind another one need not be waited for.
        self.deadline = at + (CANCEL_SECONDS if self.cancelled else self.invocation.wall_seconds)
        self._attempted = True
        self._context.passed("run.begun")

    def refuse(self, error: EngineError) -> None:
        """End it before it has begun."""
        self._fail(error)

    def cancel(self) -> None:
        """The client has disconnected: notify the script, and end what continues regardless at the next deadline."""
        if self.phase is _ENDED or self.cancelled or self._given in WHOLE:
            return
        self.cancelled = True
        if self.phase is Phase.AWAITING_TURN:
            assert self._turn is not None
            self._turn.cancel()
        elif self._session is not None and self._session.units:
            self._session.withdraw()
        if self.phase is _RUNNING:
            assert self._child is not None
            self._child.cancel()
            self.deadline = min(self.deadline, self._context.seconds() + CANCEL_SECONDS)

    def expire(self) -> None:
        """End its process, for its deadline is past."""
        child = self._child
        if child is not None and not child.cause:
            child.kill("cancelled" if self.cancelled else "script_timeout")

    def fall_back(self) -> None:
        """Let shorter runs have the processor first."""
        if self._child is not None:
            self._child.fall_back()

    # -- from its process: see `interfaces.CurrentRun` ----------------------------------------------

    def stepped(self, step: bytes) -> None:
        """See `interfaces.CurrentRun.stepped`."""
        if self.recording is not None:
            self.recording.add_step(step)

    def host_called(self, tag: bytes, name: bytes, argument: bytes) -> None:
        """See `interfaces.CurrentRun.host_called`."""
        if self.phase is not _RUNNING:
            return
        self._context.pulse.subject = self.invocation
        conversation = self._conversation or self._converse()
        try:
            if name.startswith(b"answer."):
                named, _ = read_call(tag, name, b"")
                conversation.count(named, argument)
                self._take_part(tag, name, argument)
            else:
                named, arguments = read_call(tag, name, argument)
                conversation.ask(tag, named, arguments, conversation.count(named, arguments))
        except BadBox as error:
            self._protocol(str(error))
        except EngineError as error:
            self._abandon(error)

    def logged(self, lines: bytes) -> None:
        """See `interfaces.CurrentRun.logged`."""
        if self.phase is not _RUNNING:
            return
        self._context.pulse.subject = self.invocation
        self._context.passed("log.received")
        conversation = self._conversation or self._converse()
        if self._redaction is not None:
            lines = self._redaction.data(lines)
        try:
            conversation.log(lines, at=self._context.wall())
        except BadBox as error:
            self._protocol(str(error))

    def located(self, stack: bytes) -> None:
        """See `interfaces.CurrentRun.located`."""
        if self.phase is _RUNNING:
            self._position = read_position(stack)

    def complete(self, box: Box, cpu_seconds: float) -> bool:
        """See `interfaces.CurrentRun.complete`."""
        self._context.pulse.subject = self.invocation
        self._context.passed("answer.received")
        if self.phase is _ENDED:
            # It was killed, and was quicker.
            return True
        self.phase = RELEASE[self.phase]
        costs, child = self.costs, self._child
        costs.cpu_seconds = cpu_seconds
        if self._conversation is not None:
            self._conversation.close()
        if child is not None and child.runs % _LOOK_RUNS == 1:
            # Looking takes as long as a quarter of a short request.
            costs.peak_bytes = child.peak_bytes()
        if b"_answer" not in box:
            if self._redaction is not None:
                box = {**box, b"v": self._redaction.data(box.get(b"v", b""))}
            self._result = script_failure(box, label=self.invocation.shown, place=self.invocation.place)
            return True
        try:
            allowed = self.invocation.allowance
            most = allowed.wire_answer_bytes if allowed is not None else self._context.limits.answer_bytes
            result = read_answer(box.get(b"h", b""), box.get(b"v", b""), max_bytes=most)
            if self._redaction is not None:
                result = redacted(result, self._redaction)
            self._result = result
        except EngineError as error:
            if isinstance(error, ScriptFailed):
                error.place = self.invocation.place
            self._result = error
            return True
        if self._reply is None and self._pending is None and not result[0].streamed:
            return True
        why = self._does_not_fit(result[0])
        if why:
            self._result = broken_protocol(self.invocation.script, why)
        return not why

    def _does_not_fit(self, head: Head) -> str:
        """Return why an answer cannot follow what was sent before; empty if it can."""
        if self._pending is not None:
            return "it ends before its last part was answered"
        if head.streamed is (self._reply is not None and self._reply.given is not AnswerState.NOTHING):
            return ""
        return "it ends a stream that it never began" if head.streamed else "it answers twice"

    def conclude(self) -> None:
        """See `interfaces.CurrentRun.conclude`."""
        if self.phase is _ENDED:
            return
        result = self._result
        if not isinstance(result, tuple):
            self._fail(result or broken_protocol(self.invocation.script))
        elif self.cancelled and self._given not in WHOLE:
            # Until the commit is sent it is not too late for the client to disconnect.
            self._fail(disconnected())
        elif result[0].streamed:
            self._commit(self._streamed)
        elif result[0].rollback:
            self._tell("rolled_back", result[1])
        elif self._session is None and self.invocation.answer_key is None:
            # There is nothing to commit.
            self._answered()
        else:
            self._commit(self._answered, result[1])

    def died(self, death: Death) -> None:
        """See `interfaces.CurrentRun.died`."""
        if self.phase is _ENDED:
            return
        self.phase = RELEASE[self.phase]
        if self._conversation is not None:
            self._conversation.close()
        ended, cause, self.costs.cpu_seconds = death
        self.costs.peak_bytes = ended.max_rss_bytes
        # A script cannot send itself SIGKILL: something else did, or its template or the sandbox died.
        lost = not cause and (ended.status is None or ended.signal == signal.SIGKILL)
        if lost and self._given is AnswerState.NOTHING and not self.cancelled:
            self._lose()
            return
        invocation = self.invocation
        bounds = Bounds(
            script=invocation.script,
            phase="handler",
            wall_seconds=invocation.wall_seconds,
            cpu_seconds=invocation.cpu_seconds,
            memory_bytes=self._context.memory_bytes,
            label=invocation.shown,
            place=invocation.place,
            position=self._position,
            late=self._context.seconds() >= self.deadline,
            waits=() if self._conversation is None else self._conversation.open_calls() or None,
        )
        self._fail(death_error(ended, cause=cause, bounds=bounds))

    def _lose(self) -> None:
        if self._session is not None and not self._session.repeatable:
            self._fail(not_repeatable(self.invocation.script))
        elif self.lost:
            self._fail(process_lost_twice(self.invocation.script))
        else:
            # It had no effects, so it is run once more.
            self.lost = True
            self._drop("lost")
            self.phase = LOSE[self.phase]
            self._context.again(self)

    # -- host calls and answers that go on ------------------------------------------------------

    @property
    def _given(self) -> AnswerState:
        return AnswerState.NOTHING if self._reply is None else self._reply.given

    def _opened(self) -> HostSession:
        if self._session is None:
            self._session = self._context.host.begin(self.invocation)
        return self._session

    def _converse(self) -> HostConversation:
        assert self._child is not None
        context = self._context
        self._conversation = conversation = HostConversation(
            child=self._child,
            session=self._opened(),
            limits=self.limits,
            recording=self.recording,
            seconds=context.seconds,
            passed=context.passed,
        )
        return conversation

    def _take_part(self, tag: bytes, name: bytes, value: bytes) -> None:
        child, reply = self._child, self._reply
        assert child is not None
        if reply is None:
            self._reply = reply = Reply(
                sink=self.sink,
                limits=self.limits,
                recording=self.recording,
                costs=self.costs,
                redaction=self._redaction,
            )
        part = reply.take(name, value)
        if part is None:
            child.answer(tag, REFUSED)
        else:
            self._commit(partial(self._deliver, child, reply, tag, part), *part.kept)

    def _deliver(self, child: Child, reply: Reply, tag: bytes, part: Part) -> None:
        """Send a part to the client, and notify the script when the next may follow."""
        waits: HostConversation | None = None

        def taken() -> None:
            if waits is not None:
                waits.wait_over()
            self._part_taken(child, tag)

        if part.answer is None and not self.cancelled:
            # The client's pace is not the script's: while it takes its time no deadline runs here.
            self.deadline = _NEVER
        reply.deliver(part, taken)
        if reply.given is AnswerState.WRITING and self._is_current(child):
            waits = self._conversation
            assert waits is not None
            waits.wait()

    def _part_taken(self, child: Child, tag: bytes) -> None:
        """Notify the script that a part of its answer is on its way; each part has the whole time again."""
        if not self._is_current(child):
            return
        if not self.cancelled:
            self.deadline = self._context.seconds() + self.invocation.wall_seconds
        child.answer(tag, _OK)

    def _is_current(self, child: Child) -> bool:
        """Return whether it is the current run of *child*, and not of a later one."""
        return self.phase is _RUNNING and self._child is child

    # -- commits ------------------------------------------------------------------------------

    def _commit(self, then: Callable[[], None], *answers: Answer | None) -> None:
        keeps = bool(answers) and self.invocation.answer_key is not None
        if self._session is None and not keeps:
            then()
            return
        session = self._opened()
        try:
            if keeps:
                session.keep(*answers)
            waiting = session.commit()
        except EngineError as error:
            self._abandon(error)
            return
        except (Exception, SystemExit):  # noqa: BLE001  a feature's fault: the waiting caller must be notified
            self._not_committed(Failure())
            return
        if waiting is None:
            then()
            return
        self._pending = PendingCommit(then)
        waiting.addCallbacks(self._committed, self._not_committed)

    def _committed(self, _: None) -> None:
        pending, self._pending = self._pending, None
        assert pending is not None
        pending.then()
        if pending.error is not None:
            self._fail(pending.error)

    def _not_committed(self, failure: Failure) -> None:
        self._pending = None
        error = failure.value
        if isinstance(error, Stale) and error.turn is not None and self._may_repeat():
            self._repeat(error.turn)
            return
        if not isinstance(error, EngineError):
            _log.failure("a commit failed", failure)
            error = Unavailable("What the script did could not be stored; nothing was done.", retry_seconds=1.0)
        self._abandon(error)

    # -- once more ----------------------------------------------------------------------------

    def _may_repeat(self) -> bool:
        """Return whether running the handler once more does nothing twice: it is its first unit that failed."""
        session = self._session
        return (
            session is not None
            and session.repeatable
            and session.units == 1
            and (self._turn is None or self._turn.count < MOST_RERUNS)
            and not self.cancelled
        )

    def _repeat(self, ask: Callable[[], Deferred[Release]]) -> None:
        child, was = self._child, self.phase
        self._drop("rerun")
        self.phase = YIELD[was]
        if was is _RUNNING:
            # It waits to continue an answer that will never be sent.
            assert child is not None
            child.discard("conflict")
        if self._turn is None:
            self._turn = Turn()
        self._turn.wait(ask, granted=self._has_turn, refused=self._not_committed)

    def _has_turn(self) -> None:
        if self.phase is _ENDED:
            assert self._turn is not None
            self._turn.release()
            return
        self.phase = TURN[self.phase]
        self._context.again(self)

    def _drop(self, outcome: str) -> None:
        """End an attempt, of which nothing remains."""
        self._end_session(outcome)
        self._child = self._conversation = self._reply = self._result = self._pending = None
        self._position = ""

    # -- ends ---------------------------------------------------------------------------------

    def _answered(self) -> None:
        assert isinstance(self._result, tuple)
        self._context.passed("answer.next")
        self._tell("committed", self._result[1])
        self._context.passed("answer.written")

    def _streamed(self) -> None:
        ended = self.sink.finished if self._reply is None else self._reply.finish
        self._finish("committed", _do_nothing if self._given in WHOLE else ended)

    def _tell(self, outcome: str, answer: Answer) -> None:
        self.costs.bytes_out = len(answer.body)
        if self.recording is not None:
            self.recording.set_answer(answer)
        self._finish(outcome, self.sink.answered, answer)

    def _abandon(self, error: EngineError) -> None:
        """Fail although the script may still run."""
        child = self._child if self.phase is _RUNNING else None
        self._fail(error)
        if child is not None:
            child.kill(error.code)

    def _protocol(self, why: str) -> None:
        self._abandon(broken_protocol(self.invocation.script, why))

    def _fail(self, error: EngineError) -> None:
        if self.phase is _ENDED:
            return
        if self._pending is not None:
            # What is being committed was answered well: first that is reported, then what came after it.
            self._pending.error = self._pending.error or error
            return
        if self.cancelled and not isinstance(error, ScriptProtocol):
            error = disconnected()
        self.error = error
        if isinstance(error, ScriptFailed) and self._attempted:
            self._opened().failed(error)
        if self._given is AnswerState.SENT:
            self._finish(error.code, _do_nothing)
        else:
            self._finish(error.code, self.sink.failed, error)

    def _finish(self, outcome: str, tell: Callable[..., None], *arguments: Any) -> None:
        self.phase = END[self.phase]
        context = self._context
        if self._turn is not None:
            self._turn.release()
        self._end_session(outcome)
        context.ended(self)
        if self.recording is not None and context.recorded is not None:
            context.recorded(self, outcome)
        context.passed("run.ended")
        tell(*arguments)

    def _end_session(self, outcome: str) -> None:
        if self._conversation is not None:
            self._conversation.close()
        if not self._attempted:
            return
        self._attempted = False
        session, self._session = self._session, None
        if session is None:
            self._context.host.account(self.invocation, self.receipt(outcome))
        else:
            self.costs.rows = session.rows
            self.costs.cpu_seconds += session.cpu_seconds
            session.end(self.receipt(outcome))


def _do_nothing() -> None:
    """Do nothing: the answer was sent before."""
