"""Watching what is stored."""

from __future__ import annotations

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import TooMany
from aiwebengine.features.storage.store import StoredEntry
from aiwebengine.features.storage.watches import Watches
from tests.unit.host.fakes import Everything, host, invocation, receipt


def entry(name: str) -> StoredEntry:
    return StoredEntry(name=name, value="1", version="v")


class WatchesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.watches = Watches()
        self.session: Any = host(Everything()).begin(invocation())

    def open(self, number: int = 1, key: str | None = "k", prefix: str = "") -> Any:
        return self.watches.open(cast(Any, self.session), number, key=key, prefix=prefix)

    def test_key(self) -> None:
        """Who watches a key is told of it alone, the newest only, and nothing twice."""
        watch = self.open()
        self.watches.changed("me", {"other": entry("other")})
        waiting = watch.take()
        self.assertNoResult(waiting)
        self.watches.changed("me", {"k": entry("k")})
        self.assertEqual(self.successResultOf(waiting), {"k": entry("k")})
        self.watches.changed("me", {"k": entry("k")})
        self.watches.changed("me", {"k": None})
        self.assertEqual(self.successResultOf(watch.take()), {"k": None})
        self.assertNoResult(watch.take())

    def test_prefix(self) -> None:
        """Who watches a prefix is told of every key of it; other scripts are nobody's business."""
        watch = self.open(key=None, prefix="a/")
        self.watches.changed("else", {"a/0": entry("a/0")})
        self.watches.changed("me", {"a/1": entry("a/1"), "b": None, "a/2": None})
        self.assertEqual(self.successResultOf(watch.take()), {"a/1": entry("a/1"), "a/2": None})

    def test_over(self) -> None:
        """A watch ends when it is told to, and with its invocation."""
        first, second = self.open(1), self.open(2)
        waiting = first.take(), second.take()
        self.watches.stop(self.session, 1)
        self.watches.stop(self.session, 1)
        self.assertIsNone(self.successResultOf(waiting[0]))
        self.assertEqual(self.watches.state(), {"watches": 1})
        self.session.end(receipt())
        self.assertIsNone(self.successResultOf(waiting[1]))
        self.assertEqual(self.watches.state(), {"watches": 0})

    def test_too_much(self) -> None:
        """A reader that is too slow for what changes is told, and goes on from there."""
        watch = self.open(key=None)
        self.watches.changed("me", {str(number): None for number in range(1001)})
        self.failureResultOf(watch.take(), TooMany)
        self.watches.changed("me", {"x": None})
        self.assertEqual(self.successResultOf(watch.take()), {"x": None})
