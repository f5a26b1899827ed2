"""The order in which the calls of one invocation take effect."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.storage.order import Order
from aiwebengine.host.session import CallSession


class OrderTests(SynchronousTestCase):
    """Calls whose work is done when the test says so."""

    def setUp(self) -> None:
        """Begin with no call under way."""
        self.order = Order()
        self.begun: list[str] = []
        self.work: dict[str, Deferred[str]] = {}
        self.session = cast(CallSession, object())

    def call(self, kind: str, name: str, session: CallSession | None = None) -> Deferred[str]:
        """Make one call that reads or writes; it lasts until its work is done."""

        async def function(_session: CallSession, given: str) -> str:
            self.begun.append(given)
            self.work[given] = Deferred()
            return await self.work[given]

        made = getattr(self.order, kind)(function)
        return Deferred.fromCoroutine(made(session or self.session, name))

    def test_read_behind_write(self) -> None:
        """A read waits for the writes that were made before it, and sees them in their order."""
        calls = [self.call("write", "w1"), self.call("write", "w2"), self.call("read", "r")]
        self.assertEqual(self.begun, ["w1"])
        self.work["w1"].callback("1")
        self.assertEqual(self.begun, ["w1", "w2"])
        self.work["w2"].callback("2")
        self.work["r"].callback("3")
        self.assertEqual([self.successResultOf(call) for call in calls], ["1", "2", "3"])

    def test_reads_beside_each_other(self) -> None:
        """Reads wait for no reads, and a write for none either."""
        for call in (("read", "a"), ("read", "b"), ("write", "c")):
            self.call(*call)
        self.assertEqual(self.begun, ["a", "b", "c"])

    def test_failure_and_giving_up(self) -> None:
        """A write that fails or is given up lets the next one begin."""
        first, second, third = self.call("write", "a"), self.call("write", "b"), self.call("write", "c")
        second.cancel()
        self.failureResultOf(second)
        self.work["a"].errback(ValueError())
        self.failureResultOf(first, ValueError)
        self.assertEqual(self.begun, ["a", "c"])
        self.work["c"].callback("")
        self.successResultOf(third)
        self.assertEqual(self.order._waiting, {})

    def test_many(self) -> None:
        """A thousand writes behind a slow one are done one after another, and none is lost."""
        first: Deferred[int] = Deferred()
        done: list[int] = []

        async def function(_session: CallSession, number: int) -> int:
            if number == 0:
                await first
            done.append(number)
            return number

        made = self.order.write(function)
        calls = [Deferred.fromCoroutine(made(self.session, number)) for number in range(1000)]
        self.assertEqual(done, [])
        first.callback(0)
        self.assertEqual(done, list(range(1000)))
        self.assertEqual([self.successResultOf(call) for call in calls], done)

    def test_others(self) -> None:
        """Another invocation's calls do not wait."""
        other: Any = object()
        self.call("write", "a")
        self.call("write", "b", other)
        self.assertEqual(self.begun, ["a", "b"])
