"""Tests of aiwebengine.scripts.stacks."""

from __future__ import annotations

import json

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import NotFound
from aiwebengine.scripts import stacks as stacks_module
from aiwebengine.scripts.stacks import Stacks
from aiwebengine.values import Bundle
from tests.support.fakes.threads import ThreadsInTurn

RAW = "x\n    at f (input:2)"


def bundle(version: str = "a@1", lines: int = 3, *, padding: int = 0) -> Bundle:
    """Make a bundle whose lines are the same lines of a.ts."""
    data = {"sources": ["script:a.ts"], "mappings": "AAAA" + ";AACA" * (lines - 1), "padding": "x" * padding}
    return Bundle(script="a", version=version, source="", source_map=json.dumps(data), files={"a.ts": ""})


class Source:
    """Gives bundles when told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Deferred[Bundle]]] = []

    async def bundle(self, version: str) -> Bundle:
        """See `ScriptSource`."""
        answer: Deferred[Bundle] = Deferred()
        self.asked.append((version, answer))
        return await answer


class StacksTests(SynchronousTestCase):
    """`Stacks`."""

    def setUp(self) -> None:
        self.source = Source()
        self.threads = ThreadsInTurn(at_once=False)
        self.stacks = Stacks(source=self.source, threads=self.threads)

    def later(self, version: str, text: str = RAW) -> Deferred[str]:
        """Ask about a version that is not known."""
        found = self.stacks.readable(version, text)
        assert isinstance(found, Deferred)
        return found

    def test_read_once(self) -> None:
        """A version is read once for all who ask, in their order, and then known."""
        order: list[int] = []

        def resolved(text: str, number: int) -> str:
            order.append(number)
            return text

        first = self.later("a@1").addCallback(resolved, 1)
        second = self.later("a@1", "none").addCallback(resolved, 2)
        [(version, answer)] = self.source.asked
        answer.callback(bundle(version))
        self.assertEqual(self.successResultOf(first), "x\n    at f (a.ts:2)")
        self.assertEqual((self.successResultOf(second), order), ("none", [1, 2]))
        self.assertEqual(self.stacks.readable("a@1", RAW), "x\n    at f (a.ts:2)")

    def test_large_maps(self) -> None:
        """A large map is decoded elsewhere."""
        found = self.later("a@1")
        self.source.asked[0][1].callback(bundle(padding=100_000))
        self.assertNoResult(found)
        self.threads.step()
        self.assertEqual(self.successResultOf(found), "x\n    at f (a.ts:2)")

    def test_scripts_without_a_map(self) -> None:
        """A plain script has its own lines."""
        found = self.later("a@1")
        plain = Bundle(script="a", version="a@1", source="", source_map="", files={"main.js": ""})
        self.source.asked[0][1].callback(plain)
        self.assertEqual(self.successResultOf(found), "x\n    at f (main.js:2)")

    def test_versions_that_cannot_be_read(self) -> None:
        """Of a version that is gone, or whose map is none, texts stay as they are."""
        gone, broken = self.later("a@1"), self.later("a@2")
        self.source.asked[0][1].errback(NotFound("It is gone."))
        self.assertEqual(self.successResultOf(gone), RAW)
        nonsense = Bundle(script="a", version="a@2", source="", source_map="{", files={})
        self.source.asked[1][1].callback(nonsense)
        self.assertEqual(self.successResultOf(broken), RAW)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.later("a@1")

    def test_what_is_kept_is_bounded(self) -> None:
        """Versions that nobody has asked for are forgotten when there are too many lines."""
        self.patch(stacks_module, "_MOST_LINES", 10)
        for number in (1, 2, 3):
            self.successResultOf(self.stacks.of(f"a@{number}", bundle(f"a@{number}", 4)))
            self.stacks.readable("a@1", RAW)
        self.assertIsInstance(self.stacks.readable("a@1", RAW), str)
        self.assertIsInstance(self.stacks.readable("a@3", RAW), str)
        self.assertIsInstance(self.stacks.readable("a@2", RAW), Deferred)
