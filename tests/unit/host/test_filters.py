"""Filters: which clients get a message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import BudgetSpent, EngineError, ScriptFailed, Unavailable
from aiwebengine.host.filters import FILTER_LIMITS, NO_CALLS, MessageFilter
from aiwebengine.runtime.invoker import Callee
from aiwebengine.runtime.registry import ActiveScript, Current
from aiwebengine.services.topics import TopicMessage
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Answer, HandlerRef
from tests.support.fakes.invoking import RunsWith, an_invoker


class MessageFilterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.runs: list[tuple[Any, Any]] = []
        self.warnings: list[tuple[str, str]] = []

    padding = 0
    """Of what is known of a client."""

    def make(self, limits: LimitSettings | None = None) -> MessageFilter[int]:
        """Make a filter that is asked about two clients at a time."""
        current = Current()
        # What its script asks for is for its handlers.
        active = ActiveScript(uri="s", version="s@1", number=1, limits={"answer_bytes": 1, "cpu_ms": 1})
        current.registry = current.registry.with_script(active)
        invoker = an_invoker(
            RunsWith(lambda invocation, sink: self.runs.append((invocation, sink))), current=current, limits=limits
        )
        callee = Callee(
            kind="filter",
            script="s",
            version="s@1",
            handler=HandlerRef(id=4, name="filter"),
            label="filter /news",
            allowance=invoker.allowance(FILTER_LIMITS, NO_CALLS),
        )
        return MessageFilter(
            invoker=invoker,
            warn=lambda invocation, text: self.warnings.append((invocation.id, text)),
            callee=callee,
            encode=lambda client: json.dumps(client) + " " * self.padding,
            most=2,
        )

    def choose(self, count: int, data: str = "1") -> Deferred[list[bool]]:
        message = TopicMessage(id="e-1", data=data)
        return Deferred.fromCoroutine(self.make().choose(message, range(count)))

    def answer(self, body: bytes, status: int = 200) -> None:
        self.runs[-1][1].answered(Answer(status=status, headers=(), body=body))

    def test_one_invocation_for_many_clients(self) -> None:
        """A filter is given the message and several clients at a time, in ASCII, and answers for each."""
        chosen = self.choose(5, '{"ü":1}')
        given: list[Sequence[int]] = []
        for answer in (b"10", b"01", b"1"):
            payload = self.runs[-1][0].payload
            self.assertTrue(payload.isascii())
            document = json.loads(payload)
            self.assertEqual(document["message"], {"ü": 1})
            given.append(document["clients"])
            self.assertNoResult(chosen)
            self.answer(answer)
        self.assertEqual(given, [[0, 1], [2, 3], [4]])
        self.assertEqual(self.successResultOf(chosen), [True, False, False, True, True])

    def test_large_clients(self) -> None:
        """Clients of whom much is known are asked about in smaller numbers."""
        self.padding = 200_000
        chosen = self.choose(3)
        for _ in range(3):
            self.assertEqual(len(json.loads(self.runs[-1][0].payload)["clients"]), 1)
            self.answer(b"1")
        self.assertEqual(self.successResultOf(chosen), [True] * 3)

    def test_nobody_to_ask_about(self) -> None:
        """Without clients nothing is run."""
        self.assertEqual((self.successResultOf(self.choose(0)), self.runs), ([], []))

    def test_what_it_may(self) -> None:
        """A filter runs for the script itself, only reads, and has 50 ms, whatever its script's manifest says."""
        self.choose(1)
        invocation = self.runs[0][0]
        self.assertEqual((invocation.kind, invocation.handler.id, invocation.label), ("filter", 4, "filter /news"))
        self.assertEqual((invocation.principal.kind, invocation.principal.id), ("service", ""))
        self.assertIn("filter may change nothing", invocation.read_only)
        self.assertEqual(invocation.recording, "")
        self.assertEqual((invocation.cpu_seconds, invocation.wall_seconds), (0.05, 1.0))
        self.assertEqual(invocation.allowance.host_calls, 0)
        self.assertEqual(invocation.allowance.answer_bytes, LimitSettings().answer_bytes)
        self.answer(b"1")

    @pytest.mark.setting("limits.wall_seconds", "limits.cpu_seconds")
    def test_within_the_servers_limits(self) -> None:
        """Where the server allows less than 50 ms a filter has that."""
        filtered = self.make(LimitSettings(cpu_seconds=0.02, wall_seconds=0.5))
        Deferred.fromCoroutine(filtered.choose(TopicMessage(id="e-1", data="1"), [1]))
        self.assertEqual((self.runs[0][0].cpu_seconds, self.runs[0][0].wall_seconds), (0.02, 0.5))
        self.answer(b"1")

    def test_other_answers(self) -> None:
        """Anything but one truth for each client is an error, and no client is left to chance."""
        for body, status in ((b"111", 200), (b"1", 200), (b"1x", 200), (b"", 200), (b"11", 500)):
            chosen = self.choose(2)
            self.answer(body, status)
            self.failureResultOf(chosen, ScriptFailed)
        self.assertEqual(self.warnings, [])

    def test_the_owner_is_told(self) -> None:
        """What kept a filter from running is told its owner; what it did itself is in its log already."""
        errors: list[EngineError] = [ScriptFailed("It threw."), BudgetSpent("Too much."), Unavailable("Not now.")]
        for error in errors:
            chosen = self.choose(4)
            self.answer(b"11")
            self.runs[-1][1].failed(error)
            self.failureResultOf(chosen, type(error))
        self.assertEqual(
            [text for _, text in self.warnings],
            [
                "filter /news: the message was not delivered. Too much.",
                "filter /news: the message was not delivered. Not now.",
            ],
        )
        self.assertEqual(self.warnings[0][0], "id-2")
