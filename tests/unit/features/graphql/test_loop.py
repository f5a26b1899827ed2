"""Tests of aiwebengine.features.graphql.execution.loop."""

from __future__ import annotations

import asyncio  # noqa: TID251  it is what the loop is for
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.graphql.execution.loop import ReactorLoop
from aiwebengine.services.reactor.cooperative import CooperativeTasks
from tests.unit.features.graphql.fakes import Ticks


class LoopTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.ticks = Ticks()
        self.tasks = CooperativeTasks(clock=self.clock, now=self.ticks, slice_seconds=1)
        self.loop = ReactorLoop(clock=self.clock, tasks=self.tasks)  # type: ignore[abstract]

    def test_parallel(self) -> None:
        """Coroutines that wait for each other go on as their futures are settled, in one stretch each."""
        futures = [self.loop.create_future() for _ in range(3)]

        async def wait() -> Any:
            return await asyncio.gather(*futures)

        done = self.loop.run(wait())
        for number, future in enumerate(futures):
            self.assertNoResult(done)
            self.loop.settle(future, number)
        self.assertEqual(self.successResultOf(done), [0, 1, 2])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failures_and_cancelling(self) -> None:
        """What is raised fails the Deferred; cancelling it cancels the coroutine."""
        seen: list[str] = []

        async def fail() -> None:
            raise ValueError("x")

        async def wait() -> None:
            try:
                await self.loop.create_future()
            finally:
                seen.append("ended")

        self.failureResultOf(self.loop.run(fail()), ValueError)
        done = self.loop.run(wait())
        done.cancel()
        self.failureResultOf(done, CancelledError)
        self.assertEqual(seen, ["ended"])

    def test_at_rest(self) -> None:
        """Those who gather are told when nothing can go on any more, and once; what they begin goes on, too."""
        seen: list[str] = []
        future = self.loop.create_future()

        def rest() -> None:
            seen.append("rest")
            self.loop.settle(future, 1)

        async def work() -> None:
            self.loop.at_rest(rest)
            await asyncio.sleep(0)
            seen.append("worked")
            await future
            seen.append("done")

        self.successResultOf(self.loop.run(work()))
        self.assertEqual(seen, ["worked", "rest", "done"])

    def test_time(self) -> None:
        """What is to come later comes by the clock; what was cancelled does not."""
        seen: list[str] = []

        async def later() -> None:
            await asyncio.sleep(5)
            seen.append("later")

        done = self.loop.run(later())
        self.loop.enter(lambda: self.loop.call_later(1, seen.append, "never").cancel())
        self.loop.enter(self.loop.call_at, 2, seen.append, "two")
        self.clock.advance(2)
        self.assertEqual(seen, ["two"])
        self.clock.advance(3)
        self.successResultOf(done)
        self.assertEqual(seen, ["two", "later"])

    def test_pause(self) -> None:
        """A stretch that takes long pauses in the middle of a step, and another one runs meanwhile."""
        seen: list[str] = []

        async def work(name: str, pauses: int) -> str:
            await asyncio.sleep(0)
            for number in range(pauses):
                seen.append(f"{name}{number}")
                self.loop.checkpoint()
                assert asyncio.get_running_loop() is self.loop
                assert asyncio.current_task() is not None
            await asyncio.sleep(0)
            return name

        self.ticks.step = 2
        long, short = self.loop.run(work("a", 3)), self.loop.run(work("b", 1))
        self.assertEqual(seen, ["a0", "b0"])
        self.assertRaises(RuntimeError, asyncio.get_running_loop)
        self.clock.advance(0)
        self.assertEqual((self.successResultOf(long), self.successResultOf(short)), ("a", "b"))
        self.assertEqual(seen, ["a0", "b0", "a1", "a2"])

    def test_cancelled_while_paused(self) -> None:
        """What is cancelled while it pauses ends where it next waits."""
        seen: list[str] = []

        async def work() -> None:
            self.loop.checkpoint()
            seen.append("went on")
            await self.loop.create_future()

        self.ticks.step = 2
        done = self.loop.run(work())
        done.cancel()
        self.clock.advance(0)
        self.failureResultOf(done, CancelledError)
        self.assertEqual(seen, ["went on"])

    def test_outside(self) -> None:
        """What is called for from outside of any stretch comes in the reactor's next turn; no loop runs meanwhile."""
        seen: list[Any] = []
        self.loop.call_soon(seen.append, 1)
        self.loop.at_rest(lambda: seen.append(2))
        self.assertEqual(seen, [])
        self.assertRaises(RuntimeError, asyncio.get_running_loop)
        self.clock.advance(0)
        self.assertEqual(seen, [1, 2])

    def test_settled_twice(self) -> None:
        """A future that nobody waits for any more is left alone."""
        future = self.loop.create_future()
        self.loop.settle(future, 1)
        self.loop.settle(future, ValueError("late"))
        self.assertEqual(future.result(), 1)
