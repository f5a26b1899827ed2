"""The memory store: its bounds, and what it does with time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Unavailable
from aiwebengine.services.redis.cells import MemoryCells
from aiwebengine.services.redis.memory import MemoryStore
from aiwebengine.services.redis.store import CommandRefused, Script


class MemoryStoreTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()

    def store(self, **named):
        store = MemoryStore(clock=self.clock, **named)
        store.startService()
        return store

    def got(self, store, key):
        return self.successResultOf(store.get(key))

    def test_full(self):
        """A full store refuses what is new, keeps what it has, and takes again what fits."""
        store = self.store(most_bytes=10_000)
        self.successResultOf(store.set("a", b"x" * 5000))
        self.failureResultOf(store.set("b", b"y" * 5000), Unavailable)
        self.failureResultOf(store.hash_set("b", {"f": b"y" * 5000}), Unavailable)
        self.failureResultOf(store.set("a", b"y" * 20_000), Unavailable)
        self.assertEqual(self.got(store, "a"), b"x" * 5000)
        self.successResultOf(store.set("a", b"z" * 9000))
        self.successResultOf(store.delete("a"))
        self.successResultOf(store.set("b", b"y" * 5000))
        self.assertEqual(store.state()["keys"], 1)

    def test_evicts(self):
        """One that evicts lets go what was used longest ago, and nothing that is too large comes in."""
        store = self.store(most_bytes=4000, evicts=True)
        for key in "abc":
            self.successResultOf(store.set(key, b"x" * 1000))
        self.got(store, "a")
        self.successResultOf(store.hash_set("d", {"f": b"x" * 1000}))
        self.assertEqual([self.got(store, key) is None for key in "abc"], [False, True, False])
        self.failureResultOf(store.set("e", b"x" * 5000), Unavailable)
        self.assertEqual(store.state()["evicted"], 1)
        # What grows makes others go, and not itself.
        self.successResultOf(store.hash_set("d", {"g": b"x" * 1500}))
        self.assertEqual(sorted(self.successResultOf(store.hash_get("d"))), ["f", "g"])

    def test_expired_is_removed(self):
        """What has expired takes no room, though nobody looks at it."""
        store = self.store(most_bytes=100_000)
        for at in range(100):
            self.successResultOf(store.set(f"k{at}", b"x" * 100, seconds=10))
        self.clock.advance(10)
        for at in range(10):
            self.successResultOf(store.set(f"n{at}", b"x"))
        self.assertEqual(store.state()["keys"], 10)

    def test_written_again_and_again(self):
        """A value that is written often, each time for a while, needs no more memory than once."""
        store = self.store()
        for _ in range(5000):
            self.successResultOf(store.set("a", b"x", seconds=3600))
        self.assertLess(len(store._cells._ends), 300)
        self.clock.advance(3600)
        self.assertIsNone(self.got(store, "a"))

    def test_forgotten_when_stopped(self):
        """What is stored ends with the service."""
        store = self.store()
        self.successResultOf(store.set("a", b"x"))
        store.stopService()
        store.startService()
        self.assertIsNone(self.got(store, "a"))

    def test_fault_of_a_script(self):
        """A twin that has a fault is not taken for a refusal."""
        script = Script(name="bad", lua="", twin=lambda cells, *_: cells.no_such_thing())
        with self.assertRaises(AttributeError):
            self.store().run(script, [])

    def test_clock_of_scripts(self):
        """A script reads the store's clock."""
        self.clock.advance(5)
        script = Script(name="now", lua="", twin=lambda cells, *_: int(cells.time()))
        self.assertEqual(self.successResultOf(self.store().run(script, [])), 5)

    def test_messages_come_later(self):
        """A message is delivered after whoever published it has gone on, those it causes after the others."""
        store = self.store()
        got = []

        def deliver(message):
            got.append(message)
            if message == b"1":
                store.publish("c", b"3")

        store.subscribe("c", deliver=deliver, active=lambda _: None)
        self.clock.advance(0)
        store.publish("c", b"1")
        store.publish("c", b"2")
        self.assertEqual(got, [])
        self.clock.advance(0)
        self.assertEqual(got, [b"1", b"2", b"3"])


STEPS = st.one_of(
    st.tuples(st.just("set"), st.sampled_from("abc"), st.integers(0, 900), st.sampled_from([None, 1.0, 5.0])),
    st.tuples(st.just("hash_set"), st.sampled_from("abc"), st.sampled_from("fg"), st.integers(0, 900)),
    st.tuples(st.just("hash_delete"), st.sampled_from("abc"), st.sampled_from("fg")),
    st.tuples(st.just("delete"), st.sampled_from("abc")),
    st.tuples(st.just("advance"), st.sampled_from([0.5, 2.0])),
)


class MemoryCellsTests(SynchronousTestCase):
    @given(st.lists(STEPS, max_size=40), st.booleans())
    def test_memory_is_counted(self, steps, evicts):
        """Whatever is done, the memory that is counted is that of what is there, and within the bound."""
        clock = Clock()
        cells = MemoryCells(seconds=clock.seconds, most_bytes=2500, evicts=evicts)
        for name, *arguments in steps:
            try:
                if name == "advance":
                    clock.advance(arguments[0])
                elif name == "set":
                    cells.set(arguments[0], b"x" * arguments[1], seconds=arguments[2])
                elif name == "hash_set":
                    cells.hash_set(arguments[0], {arguments[1]: b"x" * arguments[2]})
                elif name == "hash_delete":
                    cells.hash_delete(arguments[0], [arguments[1]])
                else:
                    cells.delete(arguments[0])
            except (CommandRefused, Unavailable):
                pass
            self.assertLessEqual(cells.size_bytes, 2500)
            self.assertEqual(cells.size_bytes, sum(cell.size for cell in cells._cells.values()))
        for key in "abc":
            cells.delete(key)
        self.assertEqual((len(cells), cells.size_bytes), (0, 0))
