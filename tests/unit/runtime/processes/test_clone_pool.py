"""Clones of one version are forked, kept idle, replaced and let go."""

from __future__ import annotations

import os
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.runtime.processes.clone_pool import ClonePool
from aiwebengine.runtime.processes.occupancy import Occupancy
from aiwebengine.runtime.processes.slots import Share
from aiwebengine.runtime.processes.terms import RunTerms
from tests.support.fakes.processes import Forker, HandReactor, a_group_context

SPARE = 3
"""How many clones there may be beside those that may run."""


class ClonePoolTests(SynchronousTestCase):
    def make(self, *, isolation: str = "shared", max_running: int = 2, **pool: Any) -> ClonePool[Any]:
        """Make a pool whose template is played by the test."""
        self.reactor = HandReactor()
        self.template = Forker(self.reactor)
        self.addCleanup(self.close)
        self.keeper = SimpleNamespace(
            template=SimpleNamespace(control=self.template.control, can_fork=True, pid=os.getpid())
        )
        context = a_group_context(self.reactor, **pool)
        self.occupancy = Occupancy(
            slots=context.slots, share=Share(weight=1.0, serve=lambda: False), max_running=max_running, max_parked=0
        )
        keeper: Any = self.keeper
        owner: Any = SimpleNamespace(clone_gone=lambda _clone, _was: None, clone_freed=lambda _clone, _was: None)
        self.pool: ClonePool[Any] = ClonePool(
            version="v",
            terms=RunTerms(isolation=isolation, max_running=max_running, memory_bytes=1 << 26),
            context=context,
            keeper=keeper,
            occupancy=self.occupancy,
            owner=owner,
        )
        return self.pool

    def close(self) -> None:
        """Close every end."""
        for request in self.template.requests():
            request.close()
        self.template.control.close()
        self.template.close()
        for call in self.reactor.getDelayedCalls():
            call.cancel()

    def forks(self) -> list[bool]:
        """Return for each clone that the template was asked for since the last time whether it ends after one run."""
        requests = self.template.requests()
        for request in requests:
            request.close()
        clones = [request.content for request in requests if request.content["op"] == "clone"]
        self.messages = len(clones)
        return [message["once"] for message in clones for _ in message.get("ids", [0])]

    def test_takes_the_idle_one(self) -> None:
        """An idle clone is used before another one is forked."""
        pool = self.make()
        pool.spare()
        pool.spare()
        self.assertEqual((len(pool.idle), self.forks()), (1, [False]))
        (idle,) = pool.idle
        self.assertIs(pool.take(), idle)
        self.assertEqual(pool.idle, [])
        self.assertIsNot(pool.take(), idle)
        self.assertEqual(len(self.forks()), 1)

    def test_bound(self) -> None:
        """There are never more than may run and a few, so that dying ones are not replaced without end."""
        pool = self.make(max_running=2)
        clones = [pool.take() for _ in range(2 + SPARE + 1)]
        self.assertEqual([clone is not None for clone in clones], [True] * (2 + SPARE) + [False])
        assert clones[0] is not None
        pool.remove(clones[0])
        self.assertIsNotNone(pool.take())

    def test_without_a_template(self) -> None:
        """Without a template that can fork there is no clone."""
        pool = self.make()
        self.keeper.template.can_fork = False
        self.assertIsNone(pool.take())
        self.keeper.template = None
        self.assertIsNone(pool.take())
        self.assertEqual(self.forks(), [])

    def test_one_request_each(self) -> None:
        """With isolation of requests each clone ends after one run, and fresh ones are ready."""
        pool = self.make(isolation="request")
        self.assertIsNotNone(pool.take())
        self.assertEqual(len(pool.idle), SPARE)
        self.assertEqual(self.forks(), [True] * (SPARE + 1))
        self.assertEqual(self.messages, 2)

    def serve(self, pool: ClonePool[Any], *, count: int, seconds: float) -> None:
        """Have requests arrive evenly, each of which is answered at once."""
        for _ in range(count):
            self.reactor.advance(seconds / count)
            clone = pool.take()
            assert clone is not None
            pool.remove(clone)
            clone.retire()
            pool.restock()

    def test_ahead_of_requests(self) -> None:
        """The more requests arrive, the more are ready; few are, within seconds, when none arrives any more."""
        pool = self.make(isolation="request", max_running=100)
        self.serve(pool, count=400, seconds=2.0)
        self.assertGreater(len(pool.idle), SPARE + 5)
        self.assertLessEqual(len(pool.idle), SPARE + 21)
        figures = pool.state()["stock"]
        self.assertEqual((figures["ready"], figures["taken"] + figures["missed"]), (len(pool.idle), 400))
        self.assertApproximates(figures["requestsPerSecond"], 173, 5)
        for _ in range(10):
            self.reactor.advance(1.0)
            pool.tend(idle_before=0.0)
        self.assertEqual(len(pool.idle), SPARE)

    def test_few_messages(self) -> None:
        """Several are asked for in one message, when half of them are missing."""
        pool = self.make(isolation="request", max_running=100)
        self.serve(pool, count=400, seconds=2.0)
        self.assertGreater(len(self.forks()) / self.messages, 3)

    def test_longest_ready_first(self) -> None:
        """The one is taken that was forked first, for it has had the time to prepare itself."""
        pool = self.make(isolation="request", max_running=10)
        pool.take()
        first = pool.idle[-1]
        self.assertIs(pool.take(), first)
        pool.restock(all_of_it=True)
        self.assertEqual([clone.process._number for clone in pool.idle], [5, 4, 3])

    @pytest.mark.setting("pool.max_ready")
    def test_most_ready(self) -> None:
        """No more are ready than the setting allows, beyond the few."""
        pool = self.make(isolation="request", max_running=100, max_ready=2)
        self.serve(pool, count=400, seconds=2.0)
        pool.tend(idle_before=0.0)
        self.assertEqual(len(pool.idle), SPARE + 2)

    def test_others_wait(self) -> None:
        """While another script waits for a place, no more than the few are forked."""
        pool = self.make(isolation="request", max_running=100)
        self.serve(pool, count=400, seconds=2.0)
        for clone in pool.idle[:]:
            pool.remove(clone)
        self.patch(Occupancy, "contended", lambda _: True)
        pool.restock()
        self.assertEqual(len(pool.idle), SPARE)

    def test_once(self) -> None:
        """A clone of a shared version can be asked for that ends after one run."""
        pool = self.make()
        self.assertIsNotNone(pool.fresh(once=True))
        self.assertEqual(self.forks(), [True])

    def test_worn(self) -> None:
        """A clone is replaced after its number of runs, and at its age."""
        pool = self.make(max_invocations=2, max_age_seconds=100)
        clone = pool.take()
        assert clone is not None
        clone.runs, clone.idle_since = 1, clone.born_at
        self.assertFalse(pool.is_worn(clone))
        clone.idle_since = clone.born_at + 101
        self.assertTrue(pool.is_worn(clone))
        clone.runs, clone.idle_since = 2, clone.born_at
        self.assertTrue(pool.is_worn(clone))

    def test_retired(self) -> None:
        """Idle clones that were not used for long are let go, the others stay."""
        pool = self.make()
        old, new = pool.take(), pool.take()
        assert old is not None
        assert new is not None
        old.idle_since, new.idle_since = 10.0, 20.0
        pool.keep(old)
        pool.keep(new)
        pool.retire(idle_before=15.0)
        self.assertEqual(pool.idle, [new])

    def test_no_descriptors(self) -> None:
        """Without descriptors for a socket there is no clone for now; the log says so."""
        pool = self.make()
        self.patch(socket, "socketpair", self.refuse)
        self.assertIsNone(pool.take())
        self.assertEqual(pool.clones, set())

    def refuse(self, *_: object) -> None:
        """Fail as the system does when it has no descriptors left."""
        raise OSError(24, "Too many open files")
