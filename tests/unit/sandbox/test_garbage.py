"""Tests of when garbage is collected."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from sandbox.garbage import GarbageCollector, collect_after_load

MIB = 1024 * 1024


class CollectionTests(SynchronousTestCase):
    """A child's runs, with a made-up heap and clock."""

    def setUp(self) -> None:
        """Begin with 10 MiB that stay."""
        self.clock = Clock()
        self.used = 10 * MIB
        self.spent = 0.0
        self.asked = self.collected = 0

    def test_after_a_load(self) -> None:
        """What a small script leaves when it has loaded is not collected before clones are forked; much is."""
        collect_after_load(self.collect, grown_bytes=2 * MIB)
        self.assertEqual(self.collected, 0)
        for grown_bytes in (2 * MIB + 1, None):
            collect_after_load(self.collect, grown_bytes=grown_bytes)
        self.assertEqual(self.collected, 2)

    def garbage(self, *, tells: bool = True) -> GarbageCollector:
        """Make one over the made-up heap."""
        return GarbageCollector(
            collect=self.collect,
            used_bytes=self.tell if tells else None,
            kept_bytes=self.used,
            seconds=self.clock.seconds,
            cpu_seconds=lambda: self.spent,
        )

    def tell(self) -> int:
        """Return what is in use."""
        self.asked += 1
        return self.used

    def collect(self) -> None:
        """Free all but what stays."""
        self.collected += 1
        self.used = 10 * MIB

    def run_many(
        self, garbage: GarbageCollector, runs: int, *, each: int, seconds: float = 0.0001, idle: float = 0.0
    ) -> None:
        """Do runs that leave so much behind, compute for so long and are kept from it for so long."""
        for _ in range(runs):
            garbage.run_begins()
            self.used += each
            self.clock.advance(seconds + idle)
            self.spent += seconds
            garbage.run_ended()

    def test_little(self) -> None:
        """A script that leaves nothing behind is never collected, and the allocator is seldom asked."""
        self.run_many(self.garbage(), 6400, each=0)
        self.assertEqual((self.collected, self.asked), (0, 14))

    def test_heap_that_does_not_grow(self) -> None:
        """As long as the heap ends where it did, the allocator is asked even less; once it grows, at the next look."""
        ends = [0]
        garbage = GarbageCollector(
            collect=self.collect, used_bytes=self.tell, kept_bytes=self.used, heap_top=lambda: ends[0]
        )
        self.run_many(garbage, 64_000, each=0)
        self.assertIn(self.asked, range(1, 10))
        asked = self.asked
        ends[0] = 1
        self.run_many(garbage, 512, each=0)
        self.assertEqual(self.asked, asked + 1)

    def test_more_than_before(self) -> None:
        """A script that has left nothing behind for long, and now leaves much, is noticed before it is too much."""
        garbage = self.garbage()
        self.run_many(garbage, 6400, each=0)
        for _ in range(50):
            self.run_many(garbage, 100, each=10_000)
            self.assertLess(self.used, 18 * MIB)
        self.assertGreater(self.collected, 5)

    def test_gathered(self) -> None:
        """What gathers is collected before it is much."""
        garbage = self.garbage()
        for _ in range(50):
            self.run_many(garbage, 100, each=10_000)
            self.assertLess(self.used, 15 * MIB)
        self.assertGreater(self.collected, 5)

    def test_long_run(self) -> None:
        """After a long run, which may have left much, it is looked at once."""
        self.run_many(self.garbage(), 1, each=20 * MIB, seconds=0.1)
        self.assertEqual(self.collected, 1)

    def test_busy_machine(self) -> None:
        """Where every run takes long because the processors are busy, the allocator is not asked more often."""
        self.run_many(self.garbage(), 6400, each=0, idle=1.0)
        self.assertLess(self.asked, 35)

    def test_growing_cache(self) -> None:
        """What a script keeps is not garbage: it is looked through once for each step that it grows."""
        garbage = self.garbage()
        self.collect = lambda: setattr(self, "collected", self.collected + 1)
        garbage._collect = self.collect
        self.run_many(garbage, 6400, each=1000)
        self.assertLess(self.collected, 4)

    def test_unknown_allocator(self) -> None:
        """Where the allocator cannot be asked, it is done every so many runs."""
        self.run_many(self.garbage(tells=False), 640, each=0, seconds=0.1)
        self.assertEqual(self.collected, 10)
