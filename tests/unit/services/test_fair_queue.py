"""Work that scripts wait for: who may begin next."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import TooMany
from aiwebengine.services.fair_queue import FairQueue, FairTerms


class QueueTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.queue = self.with_places(1)
        self.begun: list[str] = []
        self.under_way: list[Deferred[str]] = []

    def with_places(self, places: int, each: int = 1) -> FairQueue:
        """Return a queue with so many places."""
        terms = FairTerms(
            places=places,
            places_each=each,
            most=3,
            seconds_per_minute=20,
            full="at most 3; wait",
            spent="20 s are used",
        )
        return FairQueue(terms=terms, seconds=self.clock.seconds)

    def ask(self, script: str, name: str = "") -> Deferred[str]:
        """Have a script wait for something of that name."""

        async def work() -> str:
            self.begun.append(name or script)
            self.under_way.append(Deferred())
            return await self.under_way[-1]

        return self.queue.run(script, work)

    def finish(self, seconds: float = 0.1, result: Any = "done") -> None:
        """Let what is under way end after a while."""
        self.clock.advance(seconds)
        self.under_way.pop().callback(result)

    def test_turns(self) -> None:
        """One is done at a time, and a script with many waits for the others after each."""
        for name in ("a1", "a2", "a3"):
            self.ask("a", name)
        self.ask("b")
        self.ask("c")
        self.assertEqual(self.begun, ["a1"])
        for _ in range(4):
            self.finish()
        self.assertEqual(self.begun, ["a1", "a2", "b", "c", "a3"])
        self.finish()
        self.assertEqual(self.queue.state(), {"running": 0, "waiting": 0, "refused": 0})

    def test_most(self) -> None:
        """A script may have a few waiting and under way; another one is refused at once, with what to do."""
        for _ in range(3):
            self.ask("a")
        with self.assertRaises(TooMany) as refused:
            self.ask("a")
        self.assertEqual(refused.exception.public, "at most 3; wait.")
        self.ask("b")
        self.finish()
        self.ask("a")
        self.assertEqual(self.queue.state(), {"running": 1, "waiting": 3, "refused": 1})

    def test_result(self) -> None:
        """The script gets what came of it, be it an error."""
        first, second = self.ask("a"), self.ask("a")
        self.finish(result="lowered")
        self.assertEqual(self.successResultOf(first), "lowered")
        self.under_way.pop().errback(ValueError())
        self.failureResultOf(second, ValueError)

    def test_given_up(self) -> None:
        """One that is not waited for any more leaves the queue; one that was begun keeps its place until it ends."""
        first, second, third = self.ask("a", "1"), self.ask("a", "2"), self.ask("a", "3")
        second.cancel()
        self.failureResultOf(second, CancelledError)
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertEqual(self.queue.state()["running"], 1)
        self.finish()
        self.assertEqual(self.begun, ["1", "3"])
        third.cancel()
        self.under_way.pop().errback(ValueError())
        self.assertEqual(self.queue.state()["running"], 0)
        self.failureResultOf(third, CancelledError)

    def test_only_one_gives_up(self) -> None:
        """A script whose only one gives up has no turn."""
        self.ask("a")
        waiting = self.ask("b")
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.finish()
        self.assertEqual((self.begun, self.queue.state()["waiting"]), (["a"], 0))

    def test_spent(self) -> None:
        """A script that has used its part of a minute is refused until the minute is over, also what waits."""
        first, second = self.ask("a"), self.ask("a")
        self.finish(21.0)
        self.successResultOf(first)
        error = self.failureResultOf(second, TooMany).value
        self.assertEqual(error.public, "20 s are used; try again in 39 s.")
        self.assertEqual(error.retry_seconds, 39.0)
        with self.assertRaises(TooMany):
            self.ask("a")
        self.ask("b")
        self.finish()
        self.clock.advance(39.0)
        self.ask("a")
        self.assertEqual(self.begun, ["a", "b", "a"])

    def test_places(self) -> None:
        """With several places no script takes all of them, however much of its work waits."""
        self.queue = self.with_places(3, each=2)
        for name in ("a1", "a2", "a3"):
            self.ask("a", name)
        self.assertEqual(self.begun, ["a1", "a2"])
        self.ask("b", "b1")
        self.ask("b", "b2")
        self.assertEqual(self.begun, ["a1", "a2", "b1"])
        self.finish()
        self.assertEqual(self.begun, ["a1", "a2", "b1", "b2"])
