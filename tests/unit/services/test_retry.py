"""Waits between attempts."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.services.retry import ONCE, Attempts, Backoff


class BackoffTests(SynchronousTestCase):
    def test_ceiling(self):
        """Waits double up to the longest, however often it failed."""
        backoff = Backoff(first_seconds=0.5, longest_seconds=3.0)
        self.assertEqual([backoff.ceiling(failures) for failures in (1, 2, 3, 4, 5)], [0.5, 1.0, 2.0, 3.0, 3.0])
        self.assertEqual(backoff.ceiling(100_000), 3.0)

    def test_full_jitter(self):
        """A wait lies anywhere between nothing and the ceiling."""
        backoff = Backoff(first_seconds=1.0, longest_seconds=8.0)
        self.assertEqual([backoff.delay(3, lambda share=share: share) for share in (0.0, 0.5, 1.0)], [0.0, 2.0, 4.0])


class AttemptsTests(SynchronousTestCase):
    def setUp(self):
        self.attempts = Attempts(most=3, total_seconds=10.0, backoff=Backoff(first_seconds=1.0, longest_seconds=8.0))

    def test_bounded_number(self):
        """After the last attempt there is no other."""
        self.assertEqual(self.attempts.wait(1, 0.0, lambda: 1.0), 1.0)
        self.assertEqual(self.attempts.wait(2, 0.0, lambda: 1.0), 2.0)
        self.assertIsNone(self.attempts.wait(3, 0.0, lambda: 0.0))

    def test_bounded_time(self):
        """An attempt that would begin too late is not made."""
        self.assertEqual(self.attempts.wait(1, 9.0, lambda: 1.0), 1.0)
        self.assertIsNone(self.attempts.wait(1, 9.1, lambda: 1.0))

    def test_once(self):
        """What is tried once is not tried again."""
        self.assertIsNone(ONCE.wait(1, 0.0, lambda: 0.0))
