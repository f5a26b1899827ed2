"""When a breaker opens and closes."""

from __future__ import annotations

import random

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.services.breaker import Breaker, Permit, Rules, State
from aiwebengine.services.retry import Backoff

RULES = Rules(failures=3, share=0.5, window=10, successes=2, open_for=Backoff(first_seconds=1.0, longest_seconds=4.0))


class BreakerTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.changes = []
        self.breaker = Breaker(
            name="thing",
            rules=RULES,
            seconds=self.clock.seconds,
            changed=lambda name, state, why: self.changes.append((name, str(state), why)),
        )

    def permit(self):
        permit = self.breaker.enter()
        self.assertIsInstance(permit, Permit)
        return permit

    def fail_times(self, times):
        for _ in range(times):
            self.breaker.failed(self.permit(), "it is away")

    def test_opens_after_failures_in_a_row(self):
        """So many failures in a row open it, a success between them does not let them add up."""
        self.fail_times(2)
        self.breaker.succeeded(self.permit())
        self.fail_times(2)
        self.assertIs(self.breaker.state, State.CLOSED)
        self.fail_times(1)
        self.assertIs(self.breaker.state, State.OPEN)
        self.assertEqual(self.breaker.enter(), 1.0)
        self.clock.advance(0.75)
        self.assertEqual(self.breaker.enter(), 0.25)
        self.assertEqual(self.changes, [("thing", "open", "it is away")])
        self.assertEqual(self.breaker.figures()["retrySeconds"], 0.25)

    def test_opens_by_share(self):
        """When half of the last calls failed it opens, though never many in a row."""
        for _ in range(4):
            self.breaker.failed(self.permit(), "away")
            self.breaker.succeeded(self.permit())
        self.assertIs(self.breaker.state, State.CLOSED)
        self.breaker.succeeded(self.permit())
        self.breaker.failed(self.permit(), "away")
        self.assertIs(self.breaker.state, State.OPEN)

    def test_one_probe_at_a_time(self):
        """When it is time to try again one call passes, and enough successes close it."""
        self.fail_times(3)
        self.clock.advance(1.0)
        probe = self.permit()
        self.assertIs(self.breaker.state, State.HALF_OPEN)
        self.assertIsInstance(self.breaker.enter(), float)
        self.breaker.succeeded(probe)
        self.assertIs(self.breaker.state, State.HALF_OPEN)
        self.breaker.succeeded(self.permit())
        self.assertIs(self.breaker.state, State.CLOSED)
        self.assertEqual([state for _, state, _ in self.changes], ["open", "half-open", "closed"])
        self.fail_times(2)
        self.assertIs(self.breaker.state, State.CLOSED)

    def test_failed_probe(self):
        """A probe that fails opens it again, each time for longer up to a bound."""
        self.fail_times(3)
        waits = []
        for _ in range(4):
            waits.append(self.breaker.enter())
            self.clock.advance(waits[-1])
            self.breaker.failed(self.permit(), "still away")
        self.assertEqual(waits, [1.0, 2.0, 4.0, 4.0])
        self.assertEqual(self.breaker.why, "still away")

    def test_closed_again_it_forgets(self):
        """Once closed it opens for the shortest time again."""
        self.fail_times(3)
        self.clock.advance(1.0)
        self.breaker.failed(self.permit(), "away")
        self.clock.advance(2.0)
        for _ in range(2):
            self.breaker.succeeded(self.permit())
        self.fail_times(3)
        self.assertEqual(self.breaker.enter(), 1.0)

    def test_dropped_probe(self):
        """A probe that says nothing lets the next call be one."""
        self.fail_times(3)
        self.clock.advance(1.0)
        self.breaker.dropped(self.permit())
        self.permit()

    def test_late_results_count_for_nothing(self):
        """What began before the state changed neither closes nor opens."""
        old = self.permit()
        self.fail_times(3)
        self.clock.advance(1.0)
        probe = self.permit()
        self.breaker.succeeded(old)
        self.breaker.succeeded(old)
        self.assertIs(self.breaker.state, State.HALF_OPEN)
        self.breaker.failed(old, "old")
        self.assertIs(self.breaker.state, State.HALF_OPEN)
        self.breaker.dropped(old)
        self.assertIsInstance(self.breaker.enter(), float)
        self.breaker.succeeded(probe)

    def test_any_order(self):
        """Whatever happens in whatever order, it never lets two probes pass and always lets one pass in the end."""
        chance = random.Random(7)
        out = []
        for _ in range(20_000):
            what = chance.randrange(5)
            if what == 0 or not out:
                given = self.breaker.enter()
                if isinstance(given, Permit):
                    out.append((self.breaker.state, given))
                else:
                    self.assertGreater(given, 0)
            elif what == 1:
                self.clock.advance(chance.random())
            else:
                _, permit = out.pop(chance.randrange(len(out)))
                (self.breaker.succeeded, lambda p: self.breaker.failed(p, "x"), self.breaker.dropped)[what - 2](permit)
            probes = [
                permit for state, permit in out if state is State.HALF_OPEN and permit.epoch == self.breaker._epoch
            ]
            self.assertLessEqual(len(probes), 1)
        for _, permit in out:
            self.breaker.dropped(permit)
        self.clock.advance(10)
        self.permit()
