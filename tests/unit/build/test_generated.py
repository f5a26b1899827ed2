"""Lowering code that scripts make, in a worker of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.build.generated import CodeLowering
from aiwebengine.build.worker import BuildFailed, WorkerTerms
from aiwebengine.errors import CallTimeout, Unavailable


class FakeWorker:
    """A worker that answers what it is told to."""

    def __init__(self) -> None:
        self.answers: list[Deferred[Mapping[str, Any]]] = []
        self.requests: list[Mapping[str, Any]] = []
        self.stopped = False

    def ask(self, request: Mapping[str, Any], _: None) -> Deferred[Mapping[str, Any]]:
        self.requests.append(request)
        return self.answers.pop(0)

    def stop(self) -> None:
        self.stopped = True

    def state(self) -> dict[str, Any]:
        return {"pid": 1}


class CodeLoweringTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.worker = FakeWorker()
        self.terms: list[WorkerTerms] = []
        self.lowering = CodeLowering(
            new_worker=self.new_worker, seconds=5.0, setting="some.seconds", clock=self.clock, random=lambda: 0.5
        )

    def new_worker(self, terms: WorkerTerms) -> Any:
        """Return the one worker."""
        self.terms.append(terms)
        return self.worker

    def lower(self, *answers: Any, body: str = "return 1") -> Deferred[str]:
        """Lower a function."""
        self.worker.answers.extend(fail(one) if isinstance(one, Exception) else succeed(one) for one in answers)
        return Deferred.fromCoroutine(self.lowering.lower(parameters="a", body=body))

    def test_lowered(self) -> None:
        """There is no worker before the first code, and one from then on; it gives the lowered code."""
        self.assertEqual((self.terms, self.lowering.state()), ([], {"pid": None}))
        for _ in range(2):
            self.assertEqual(self.successResultOf(self.lower({"source": b"return 2"})), "return 2")
        self.assertEqual(self.worker.requests[0], {"op": "generated", "parameters": "a", "body": "return 1"})
        self.assertEqual(len(self.terms), 1)
        self.assertEqual((self.terms[0].seconds, self.terms[0].setting), (5.0, "some.seconds"))
        self.assertGreater(self.terms[0].niceness, 5)
        self.assertEqual(self.lowering.state(), {"pid": 1})

    def test_syntax(self) -> None:
        """What cannot be parsed is a SyntaxError with its line."""
        failed = self.lower({"syntax": {"message": "Unexpected token", "line": 3}})
        error = self.failureResultOf(failed, SyntaxError).value
        self.assertEqual((error.msg, error.lineno), ("Unexpected token", 3))

    def test_late(self) -> None:
        """What takes too long is told with the setting and what to do; that is no fault of the worker."""
        for _ in range(6):
            error = self.failureResultOf(self.lower(BuildFailed("late", late=True)), CallTimeout).value
        self.assertEqual(
            error.public,
            "Code that is made at run time must be compiled within 5 s (some.seconds); make less code at a time, or "
            "write it into the script.",
        )
        self.assertEqual(str(self.lowering.working.state), "closed")

    def test_crash(self) -> None:
        """A worker that died is asked again; one that dies again and again is left alone."""
        again = self.lower(BuildFailed("died", crashed=True), {"source": b"return 1"})
        self.clock.advance(2.0)
        self.assertEqual(self.successResultOf(again), "return 1")
        for _ in range(2):
            failed = self.lower(*[BuildFailed("died", crashed=True)] * 2)
            self.clock.advance(2.0)
            self.assertIn("died", self.failureResultOf(failed, Unavailable).value.public)
        self.failureResultOf(self.lower(), Unavailable)
        self.assertEqual(str(self.lowering.working.state), "open")

    def test_stopped(self) -> None:
        """A server that stops ends the worker and starts no other."""
        self.successResultOf(self.lower({"source": b"return 2"}))
        self.lowering.stopService()
        self.assertTrue(self.worker.stopped)
        self.failureResultOf(self.lower(), Unavailable)
        self.assertEqual(len(self.terms), 1)
