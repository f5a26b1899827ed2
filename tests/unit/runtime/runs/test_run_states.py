"""
A run as a state machine: whatever happens to it, in whatever order, who waits is told once and rightly.

The process, the host's session, the client and the clock are played by hypothesis.  A model beside the run knows what
may happen next; the run must neither refuse a move that may happen nor do what the model does not expect.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Cancelled, Conflict, EngineError, Stale
from aiwebengine.observe.watchdog import unwatched_pulse
from aiwebengine.runtime.moves import IllegalMove
from aiwebengine.runtime.processes.interfaces import Death
from aiwebengine.runtime.runs.phase import Phase
from aiwebengine.runtime.runs.run import CANCEL_SECONDS, Run, RunContext
from aiwebengine.runtime.runs.turn import MOST_RERUNS
from aiwebengine.runtime.wire.boxes import Box
from aiwebengine.runtime.wire.control import Exit
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import HandlerRef, Invocation, Receipt
from tests.support.examples import scaled
from tests.support.fakes.invocations import an_invocation
from tests.unit.runtime.fakes import FakeSink

WALL = 2.0
INVOCATION = an_invocation(id="i", script="s", version="v", handler=HandlerRef(id=0, name=""), wall_seconds=WALL)
WHOLE: Box = {b"_answer": b"1", b"h": b"", b"v": b"done"}
STREAMED: Box = {b"_answer": b"1", b"h": b'{"streamed":true}'}
ROLLBACK: Box = {b"_answer": b"1", b"h": b'{"status":404,"rollback":true}', b"v": b"no"}
THROWN: Box = {b"_error": b"1", b"_error_code": b"thrown", b"v": b'{"message":"m"}'}
RARELY = st.integers(0, 9).map(lambda number: number == 0)
NONSENSE: Box = {b"_answer": b"1", b"h": b"["}


class HandChild:
    """A process that the test plays; it is not spoken to when it has no run."""

    def __init__(self) -> None:
        self.runs = 2
        self.cause = ""
        self.has_run = True
        self.parked = False
        self.answers: list[tuple[bytes, bytes]] = []
        self.heard: list[str] = []
        self.discarded = False

    def answer(self, tag: bytes, value: bytes) -> None:
        assert self.has_run
        self.answers.append((tag, value))

    def park(self) -> None:
        assert self.has_run
        self.parked = True

    def resume(self) -> None:
        assert self.has_run
        self.parked = False

    def cancel(self) -> None:
        assert self.has_run
        self.heard.append("cancel")

    def fall_back(self) -> None:
        self.heard.append("fall back")

    def kill(self, cause: str) -> None:
        assert self.has_run
        self.cause = self.cause or cause

    def discard(self, cause: str) -> None:
        assert self.has_run
        self.cause = cause
        self.has_run = False
        self.discarded = True

    def peak_bytes(self) -> int:
        return 7


class HandSession:
    """The host's side of one attempt."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.repeatable = True
        self.units = self.rows = 0
        self.cpu_seconds = 0.0
        self.withdrawn = False
        self.replies: list[Deferred[str]] = []
        self.commits: list[Deferred[None]] = []
        self.receipts: list[Receipt] = []
        self.failures: list[EngineError] = []

    def call(self, name: str, argument: str) -> Deferred[str] | str:
        assert not self.receipts
        if name == "now":
            return '{"ok":1}'
        self.replies.append(Deferred())
        return self.replies[-1]

    def log(self, lines: Any) -> None:
        assert not self.receipts

    def failed(self, error: EngineError) -> None:
        assert not self.receipts
        self.failures.append(error)

    def keep(self, answer: Any) -> None:
        """See `interfaces.HostSession`."""

    def commit(self) -> Deferred[None] | None:
        assert not self.receipts
        how = self.play.commits_next
        if how == "nothing":
            return None
        self.units += 1
        if how == "refused":
            raise Conflict("refused")
        self.commits.append(Deferred())
        return self.commits[-1]

    def withdraw(self) -> None:
        self.withdrawn = True

    def end(self, receipt: Receipt) -> None:
        assert not self.receipts, "a session ends once"
        self.receipts.append(receipt)


class Play:
    """One run with everything around it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.commits_next = "pending"
        self.sessions: list[HandSession] = []
        self.sink = FakeSink()
        self.over = 0
        self.again = 0
        context = RunContext(
            pulse=unwatched_pulse(),
            host=self,
            limits=LimitSettings(answer_bytes=1000, stream_bytes=1000),
            memory_bytes=1 << 26,
            seconds=lambda: self.now,
            wall=lambda: 1.7e9,
            ended=self._run_ended,
            again=self._again,
        )
        self.run = Run(invocation=INVOCATION, sink=self.sink, context=context)
        self.child: HandChild | None = None

    def begin(self, _: Invocation) -> HandSession:
        """See `interfaces.HostCalls`."""
        self.sessions.append(HandSession(self))
        return self.sessions[-1]

    def account(self, invocation: Invocation, receipt: Receipt) -> None:
        """See `interfaces.HostCalls`."""
        self.begin(invocation).end(receipt)

    def _run_ended(self, run: Run) -> None:
        assert run is self.run
        assert run.ended
        self.over += 1

    def _again(self, run: Run) -> None:
        assert run is self.run
        assert run.phase is Phase.QUEUED
        self.again += 1

    def start(self) -> HandChild:
        """Return the run to a process."""
        self.child = child = HandChild()
        self.run.begin(child, self.now)
        # Until it says something there is no session.
        self.run.host_called(b"0", b"now", b"[]")
        return child

    def answered(self, box: Box) -> bool:
        """Have the process answer, as a clone does it: it is free before what follows."""
        assert self.child is not None
        fit = self.run.complete(box, 0.25)
        self.child.has_run = False
        self.run.conclude()
        return fit

    def died(self, *, status: int | None = int(signal.SIGKILL)) -> None:
        """Have the process die."""
        assert self.child is not None
        self.child.has_run = False
        self.run.died(Death(Exit(status=status, max_rss_bytes=5), self.child.cause, 0.5))


class RunMachine(RuleBasedStateMachine):
    """Everything that can happen to a run."""

    def __init__(self) -> None:
        super().__init__()
        self.play = Play()
        self.run = self.play.run
        self.turns: list[Deferred[Callable[[], None]]] = []
        self.held = self.granted = 0
        """Turns that the run has, and has ever had."""
        self.tag = 0

    # -- what may happen ----------------------------------------------------------------------

    @property
    def child(self) -> HandChild:
        assert self.play.child is not None
        return self.play.child

    @property
    def has_run(self) -> bool:
        return self.play.child is not None and self.play.child.has_run

    @property
    def speaks(self) -> bool:
        """A process whose end was asked for may still say something; one that violated the protocol is not heard."""
        return self.has_run and self.child.cause != "script_protocol"

    @property
    def replies(self) -> list[Deferred[str]]:
        """Calls that wait for the host, those of attempts that are long over too."""
        return [reply for session in self.play.sessions for reply in session.replies if not reply.called]

    @property
    def commits(self) -> list[Deferred[None]]:
        waiting = [commit for session in self.play.sessions for commit in session.commits if not commit.called]
        assert len(waiting) <= 1, "one unit at a time"
        return waiting

    @property
    def turns_wanted(self) -> list[Deferred[Callable[[], None]]]:
        waiting = [turn for turn in self.turns if not turn.called]
        assert len(waiting) <= 1
        return waiting

    @precondition(lambda self: self.run.in_hand)
    @rule(seconds=st.sampled_from([0.01, 0.01, 0.06, 3.0]))
    def time(self, seconds: float) -> None:
        self.play.now += seconds
        if self.run.deadline < self.play.now:
            self.run.expire()
            assert self.child.cause

    @precondition(lambda self: self.run.in_hand)
    @rule(how=st.sampled_from(["nothing", "nothing", "pending", "refused"]))
    def next_commit(self, how: str) -> None:
        self.play.commits_next = how

    @precondition(lambda self: self.run.phase is Phase.QUEUED)
    @rule()
    def begin(self) -> None:
        self.play.start()
        assert self.run.in_hand
        assert self.run.deadline == self.play.now + (CANCEL_SECONDS if self.run.cancelled else WALL)

    @precondition(lambda self: self.run.phase is Phase.QUEUED)
    @rule(really=RARELY)
    def refuse(self, really: bool) -> None:
        if really:
            self.run.refuse(Conflict("refused"))
            assert self.run.ended

    @precondition(lambda self: self.speaks)
    @rule(
        name=st.sampled_from(
            [b"now", b"later", b"answer.start", b"answer.write", b"answer.send", b"answer.x", b"\xff"]
        ),
        argument=st.sampled_from([b"[]", b'[""]', b"\0piece", b"\0whole", b"{}", b'["[","a","z"]']),
    )
    def ask(self, name: bytes, argument: bytes) -> None:
        self.tag += 1
        self.run.host_called(b"%d" % self.tag, name, argument)

    @precondition(lambda self: self.speaks)
    @rule(lines=st.sampled_from([b'[["info","m",null]]', b"{}"]))
    def log(self, lines: bytes) -> None:
        self.run.logged(lines)

    @precondition(lambda self: self.speaks)
    @rule(box=st.sampled_from([WHOLE, WHOLE, STREAMED, ROLLBACK, THROWN, NONSENSE]))
    def answer(self, box: Box) -> None:
        fit = self.play.answered(box)
        assert not self.run.in_hand
        if not fit:
            assert self.run.error is None or self.run.error.code == "script_protocol"

    @precondition(lambda self: self.has_run)
    @rule(status=st.sampled_from([int(signal.SIGKILL), int(signal.SIGSEGV), int(signal.SIGALRM), None]))
    def die(self, status: int | None) -> None:
        self.play.died(status=status)
        assert not self.run.in_hand

    @rule(really=RARELY)
    def cancel(self, really: bool) -> None:
        if really:
            answered = self.run.phase is not Phase.ENDED and self.play.sink.received[-1:] == [
                ("answered", 200, b"whole")
            ]
            self.run.cancel()
            assert not (answered and self.run.cancelled), "who has the answer cannot take it back"

    @precondition(lambda self: self.run.in_hand)
    @rule()
    def fall_back(self) -> None:
        self.run.fall_back()

    @precondition(lambda self: self.replies)
    @rule(first=st.booleans())
    def reply(self, first: bool) -> None:
        self.replies[0 if first else -1].callback('{"ok":2}')

    @precondition(lambda self: self.play.sink.taken)
    @rule()
    def taken(self) -> None:
        self.play.sink.taken.pop(0)()

    @precondition(lambda self: self.commits)
    @rule(how=st.sampled_from(["done", "stale", "stale", "conflict", "withdrawn"]))
    def commit(self, how: str) -> None:
        (waiting,) = self.commits
        began = len(self.play.sink.received)
        if how == "done":
            waiting.callback(None)
        elif how == "conflict":
            waiting.errback(Conflict("overtaken"))
        elif how == "stale":
            waiting.errback(Stale("stale", turn=self._turn))
            assert not self.turns_wanted or not began, "nothing is repeated of which the client has seen something"
        else:
            waiting.errback(Cancelled("withdrawn"))

    def _turn(self) -> Deferred[Callable[[], None]]:
        self.turns.append(Deferred(lambda asked: asked.errback(Cancelled("withdrawn"))))
        return self.turns[-1]

    @precondition(lambda self: self.turns_wanted)
    @rule(granted=st.sampled_from([True, True, False]))
    def turn(self, granted: bool) -> None:
        (waiting,) = self.turns_wanted
        if granted:
            self.held += 1
            self.granted += 1
            waiting.callback(self._released)
        else:
            waiting.errback(Conflict("no turn"))

    def _released(self) -> None:
        self.held -= 1

    # -- what always holds --------------------------------------------------------------------

    @invariant()
    def sink_is_told_one_thing_in_order(self) -> None:
        received = [event if isinstance(event, str) else event[0] for event in self.play.sink.received]
        ends = {"answered", "failed", "finished"}
        assert sum(event in ends for event in received) <= 1, received
        if received and received[0] not in ends:
            assert received[0] == "started"
            assert all(event == "write" for event in received[1:] if event not in ends), received
        assert all(event not in ends for event in received[:-1]), received
        if self.run.ended:
            assert received, "whoever waits is told"
            assert received[-1] in ends

    @invariant()
    def ends_once(self) -> None:
        assert self.play.over == self.run.ended
        if self.run.ended:
            assert self.held == 0, "a turn is released at the end"
            assert all(turn.called for turn in self.turns)

    @invariant()
    def sessions_end(self) -> None:
        """Only the newest attempt has an open session, and only as long as the run goes on."""
        for session in self.play.sessions[:-1]:
            assert len(session.receipts) == 1
        if self.play.sessions:
            going_on = self.run.phase in (Phase.RUNNING, Phase.RELEASED)
            assert len(self.play.sessions[-1].receipts) == (not going_on)
        outcomes = [receipt.outcome for session in self.play.sessions for receipt in session.receipts]
        assert outcomes.count("committed") + outcomes.count("rolled_back") <= 1, outcomes
        assert outcomes.count("rerun") <= MOST_RERUNS
        assert outcomes.count("lost") <= 1
        assert self.play.again == outcomes.count("lost") + self.granted

    @invariant()
    def no_process_waits_for_a_run_that_is_elsewhere(self) -> None:
        """A process has its run until that is answered, or it is dead or discarded."""
        if self.has_run:
            assert self.run.in_hand or self.run.ended
            assert not self.run.ended or self.child.cause, "a process whose run has ended is ended"

    @invariant()
    def what_the_process_waits_for_is_known(self) -> None:
        """A process that has the run is counted as waiting only if there is something it waits for."""
        if self.has_run and self.run.in_hand and self.child.parked:
            waits = [reply for reply in self.play.sessions[-1].replies if not reply.called]
            assert waits or self.play.sink.taken

    def teardown(self) -> None:
        """Let everything come to its end, and see that it does."""
        for _ in range(20):
            if self.run.ended:
                break
            self.play.commits_next = "nothing"
            if self.commits:
                self.commit("done")
            if self.turns_wanted:
                self.turn(granted=True)
            if self.run.phase is Phase.QUEUED:
                self.play.start()
            if self.has_run:
                self.play.answered(THROWN)
        assert self.run.ended
        self.sink_is_told_one_thing_in_order()
        self.sessions_end()
        self.ends_once()


class RunStates(SynchronousTestCase):
    """What no sequence of events brings, and what each phase looks like to others."""

    def test_illegal(self) -> None:
        """What cannot happen to a run in its phase raises."""
        queued, running, released, ended = Play(), Play(), Play(), Play()
        for play in (running, released, ended):
            play.start()
        released.answered(WHOLE)
        ended.commits_next = "nothing"
        ended.answered(WHOLE)
        self.assertEqual(
            [play.run.phase for play in (queued, running, released, ended)],
            [Phase.QUEUED, Phase.RUNNING, Phase.RELEASED, Phase.ENDED],
        )
        death = Death(Exit(status=0), "", 0.0)
        for play, happens in (
            (queued, lambda run: run.complete(WHOLE, 0.0)),
            (queued, lambda run: run.died(death)),
            (running, lambda run: run.begin(HandChild(), 1.0)),
            (released, lambda run: run.begin(HandChild(), 1.0)),
            (released, lambda run: run.complete(WHOLE, 0.0)),
            (released, lambda run: run.died(death)),
            (ended, lambda run: run.begin(HandChild(), 1.0)),
        ):
            with self.assertRaises(IllegalMove):
                happens(play.run)

    def test_ended_while_its_process_has_it(self) -> None:
        """Of a run that was ended while its process had it, nothing counts that the process still does."""
        for happens in (lambda play: play.answered(WHOLE), lambda play: play.died()):
            play = Play()
            child = play.start()
            play.run.host_called(b"1", b"answer.write", b"{}")
            self.assertEqual((play.run.phase, child.cause), (Phase.ENDED, "script_protocol"))
            happens(play)
            self.assertEqual((play.over, play.again, play.sink.received), (1, 0, [("failed", "script_protocol")]))

    def test_dies_while_its_answer_is_committed(self) -> None:
        """A run whose process dies while an answer that was sent early is committed is not in hand any more."""
        play = Play()
        play.start()
        play.commits_next = "pending"
        play.run.host_called(b"1", b"answer.send", b"\0whole")
        play.run.host_called(b"2", b"later", b"[]")
        play.died(status=int(signal.SIGSEGV))
        self.assertEqual((play.run.phase, play.sink.received), (Phase.RELEASED, []))
        play.sessions[0].replies[0].callback("2")
        play.sessions[0].commits[0].callback(None)
        self.assertEqual((play.run.phase, play.sink.received), (Phase.ENDED, [("answered", 200, b"whole")]))

    def test_early_answer_is_refused(self) -> None:
        """If an answer that is sent early cannot be committed, the process that waits to go on with it is ended."""
        for name, argument in ((b"answer.send", b"\0whole"), (b"answer.start", b"\0")):
            play = Play()
            child = play.start()
            play.commits_next = "refused"
            play.run.host_called(b"1", name, argument)
            self.assertEqual((play.sink.received, child.cause), ([("failed", "conflict")], "conflict"))

    def stale(self, play: Play, granted: bool = True) -> list[str]:
        """Let the unit that is being committed be stale, and grant the turn; gives what becomes of the turn."""
        log: list[str] = []
        turn: Deferred[Callable[[], None]] = Deferred()
        play.sessions[-1].commits[-1].errback(Stale("stale", turn=lambda: turn))
        if granted:
            turn.callback(lambda: log.append("released"))
        return log

    def test_turn_is_given_back(self) -> None:
        """A run that was repeated gives its turn back when it has ended, and not before."""
        play = Play()
        play.start()
        play.answered(WHOLE)
        log = self.stale(play)
        self.assertEqual((play.run.phase, log), (Phase.QUEUED, []))
        play.start()
        play.answered(WHOLE)
        self.assertEqual(log, [])
        play.sessions[-1].commits[-1].callback(None)
        self.assertEqual((log, play.sink.received), (["released"], [("answered", 200, b"done")]))

    def test_only_the_first_unit_is_repeated(self) -> None:
        """A run of which the client has seen something is not repeated: it fails."""
        play = Play()
        play.start()
        play.run.host_called(b"1", b"answer.start", b"\0")
        play.sessions[0].commits[0].callback(None)
        play.run.host_called(b"2", b"answer.write", b"\0piece")
        self.stale(play, granted=False)
        self.assertEqual(play.sink.received, [("started", 200), ("failed", "conflict")])

    def test_repeated_after_it_began_to_answer(self) -> None:
        """A process that waits to go on with an answer that will never be given is discarded."""
        play = Play()
        child = play.start()
        play.run.host_called(b"1", b"answer.send", b"\0whole")
        self.stale(play)
        self.assertTrue(child.discarded)
        self.assertEqual((play.run.phase, play.sink.received), (Phase.QUEUED, []))

    def test_lost_after_a_part(self) -> None:
        """A run whose process is lost after a part of its answer was given is not begun again."""
        play = Play()
        play.start()
        play.commits_next = "nothing"
        play.run.host_called(b"1", b"answer.start", b"\0")
        play.died()
        self.assertEqual((play.again, play.sink.received[0], play.sink.received[1][0]), (0, ("started", 200), "failed"))

    def test_cancelled_after_the_answer(self) -> None:
        """A client that disconnects after it has the whole answer does not disturb what goes on."""
        play = Play()
        child = play.start()
        play.commits_next = "nothing"
        play.run.host_called(b"1", b"answer.send", b"\0whole")
        play.run.cancel()
        self.assertEqual((play.run.cancelled, child.heard), (False, []))


RunMachine.TestCase.settings = settings(max_examples=scaled(150), stateful_step_count=40)
RunMachineTest = RunMachine.TestCase
