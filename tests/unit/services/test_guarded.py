"""The way to a dependency: breaker, places, time-out and repetition together."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Conflict, Unavailable
from aiwebengine.services.breaker import Rules, State
from aiwebengine.services.bulkhead import BulkheadFull
from aiwebengine.services.guarded import CircuitOpen, DependencyTimeout, GuardedDependency, GuardTerms
from aiwebengine.services.retry import Attempts, Backoff

TERMS = GuardTerms(
    seconds=10.0,
    places=2,
    waiting=1,
    wait_seconds=5.0,
    attempts=Attempts(most=3, total_seconds=20.0, backoff=Backoff(first_seconds=1.0, longest_seconds=4.0)),
    rules=Rules(failures=4, open_for=Backoff(first_seconds=2.0, longest_seconds=8.0)),
)


class GuardedTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.changes = []
        self.guarded = GuardedDependency(
            name="thing",
            terms=TERMS,
            clock=self.clock,
            random=lambda: 1.0,
            changed=lambda name, state, why: self.changes.append(str(state)),
        )
        self.asked = []

    def hang(self):
        done = Deferred()
        self.asked.append(done)
        return done

    def refuse(self):
        self.asked.append(None)
        return fail(Unavailable("It is away.", retry_seconds=1.0))

    def open(self):
        for _ in range(4):
            self.failureResultOf(self.guarded.run(self.refuse), Unavailable)
        self.assertIs(self.guarded.state, State.OPEN)

    def test_answer(self):
        """An answer passes, and nothing is left behind."""
        self.assertEqual(self.successResultOf(self.guarded.run(lambda: succeed(7))), 7)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_repeatable(self):
        """What may be repeated is, with growing waits, until it has an answer."""
        answers = [fail(Unavailable("away")), fail(Unavailable("away")), succeed("here")]
        asked = self.guarded.run(lambda: answers.pop(0), repeatable=True)
        self.assertNoResult(asked)
        self.clock.advance(1.0)
        self.assertNoResult(asked)
        self.clock.advance(2.0)
        self.assertEqual(self.successResultOf(asked), "here")
        self.assertEqual(self.guarded.figures()["repeated"], 2)

    def test_enough(self):
        """After the last attempt the last error is told."""
        asked = self.guarded.run(self.refuse, repeatable=True)
        self.clock.pump([1.0, 2.0, 4.0])
        self.failureResultOf(asked, Unavailable)
        self.assertEqual(len(self.asked), 3)

    def test_never_blindly(self):
        """What may not be repeated is asked once."""
        self.failureResultOf(self.guarded.run(self.refuse), Unavailable)
        self.clock.advance(100)
        self.assertEqual(len(self.asked), 1)

    def test_refusal_is_an_answer(self):
        """An error that is no sign of absence is told at once, and counts as an answer."""
        for _ in range(10):
            self.failureResultOf(self.guarded.run(lambda: fail(Conflict("No.")), repeatable=True), Conflict)
        self.assertIs(self.guarded.state, State.CLOSED)

    def test_open(self):
        """While it is open nothing is asked, and who asks is told when to come back."""
        self.open()
        refused = self.failureResultOf(self.guarded.run(self.refuse), CircuitOpen)
        self.assertEqual(refused.value.retry_seconds, 2.0)
        self.assertIn("It is away", refused.value.public)
        self.assertEqual(len(self.asked), 4)
        self.clock.advance(2.0)
        self.assertEqual(self.successResultOf(self.guarded.run(lambda: succeed(1))), 1)
        self.assertEqual(self.changes, ["open", "half-open", "closed"])

    def test_time_out(self):
        """Nobody waits longer than the time-out, but what hangs keeps its place."""
        first, second = self.guarded.run(self.hang), self.guarded.run(self.hang)
        self.clock.advance(10.0)
        self.failureResultOf(first, DependencyTimeout)
        self.failureResultOf(second, DependencyTimeout)
        third = self.guarded.run(self.hang)
        self.assertEqual(len(self.asked), 2)
        self.clock.advance(5.0)
        self.failureResultOf(third, BulkheadFull)
        self.asked[0].callback("too late")
        self.assertEqual(self.successResultOf(self.guarded.run(lambda: succeed(1))), 1)
        self.assertEqual(self.guarded.figures()["late"], 2)

    def test_own_word_for_a_time_out(self):
        """Whoever asks may say what a time-out means."""
        asked = self.guarded.run(self.hang, late=lambda: KeyError("mine"))
        self.clock.advance(10.0)
        self.failureResultOf(asked, KeyError)

    def test_busy_is_no_fault(self):
        """A refusal for want of a place does not open the breaker."""
        for _ in range(3):
            self.guarded.run(self.hang)
        for _ in range(10):
            self.failureResultOf(self.guarded.run(self.hang), BulkheadFull)
        self.assertIs(self.guarded.state, State.CLOSED)

    def test_gives_up(self):
        """Who gives up between attempts or in the queue causes no more of them."""
        asked = self.guarded.run(self.refuse, repeatable=True)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.clock.advance(100)
        self.assertEqual(len(self.asked), 1)
        self.guarded.run(self.hang), self.guarded.run(self.hang)
        queued = self.guarded.run(self.hang)
        queued.cancel()
        self.failureResultOf(queued, CancelledError)
        self.asked[1].callback(None)
        self.assertEqual(len(self.asked), 3)

    def test_gives_up_while_asked(self):
        """Who gives up later does not stop the work, which keeps its place until it ends."""
        asked = self.guarded.run(self.hang)
        asked.cancel()
        self.failureResultOf(asked, CancelledError)
        self.assertEqual(self.guarded.figures()["running"], 1)
        self.asked[0].callback(None)
        self.assertEqual(self.guarded.figures()["running"], 0)

    def test_probe_given_up(self):
        """A probe that hangs opens it again when its time is up."""
        self.open()
        self.clock.advance(2.0)
        probe = self.guarded.run(self.hang)
        self.failureResultOf(self.guarded.run(self.hang), CircuitOpen)
        self.clock.advance(10.0)
        self.failureResultOf(probe, DependencyTimeout)
        self.assertIs(self.guarded.state, State.OPEN)
