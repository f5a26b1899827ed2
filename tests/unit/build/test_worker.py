"""The build worker when it cannot be started."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.build.worker import BuildFailed, Worker, WorkerTerms, cause
from aiwebengine.errors import Unavailable
from aiwebengine.settings.schema import BuildSettings
from tests.support.descriptors import few_descriptors


class NoProcesses(Clock):
    """A reactor whose operating system lets no process start."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts = 0

    def spawnProcess(self, *_: Any, **__: Any) -> None:
        self.attempts += 1
        raise BlockingIOError(11, "Resource temporarily unavailable")


class SomeProcess(Clock):
    """A reactor that remembers what was started, and starts nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.arguments: list[str] = []
        self.process: Any = None
        self.signals: list[str] = []

    def spawnProcess(self, process: Any, _: str, arguments: list[str], **__: Any) -> None:
        self.arguments = arguments
        self.process = process
        process.transport = SimpleNamespace(pid=99_999_999, signalProcess=self.signals.append, write=lambda _: None)


def new_worker(reactor: Any, **settings: Any) -> Worker:
    """Return a worker that may take 5 s."""
    return Worker(
        reactor=reactor,
        node=Path("/node"),
        folder=Path("/worker"),
        setup={},
        settings=BuildSettings(**settings),
        terms=WorkerTerms(seconds=5.0, setting="some.seconds", niceness=5),
    )


class CauseTests(SynchronousTestCase):
    """Why node ended, of all that it writes."""

    def test_cause(self) -> None:
        """It is the line with the error, not the last one, which is node's version."""
        thrown = [
            "/app/worker.mjs:3",
            "  throw new TypeError('no');",
            "  ^",
            "",
            "TypeError: no",
            "    at f (x:1)",
            "",
            "Node.js v20.19.2",
        ]
        self.assertEqual(cause(thrown), "TypeError: no")
        coded = ["node:internal/modules:1", "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'x'", "Node.js v20.19.2"]
        self.assertEqual(cause(coded), "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'x'")
        self.assertEqual(
            cause(["<--- Last few GCs --->", "FATAL ERROR: Reached heap limit", "1: 0xb7"]),
            "FATAL ERROR: Reached heap limit",
        )
        self.assertEqual(cause(["node: bad option: --x"]), "node: bad option: --x")
        self.assertEqual(cause(["something", "else"]), "else")
        self.assertEqual(cause([]), "")


class WorkerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = NoProcesses()
        self.worker = new_worker(self.reactor)

    def test_no_descriptors(self) -> None:
        """Without descriptors nothing is started, each build is told so, and nobody waits for ever."""
        with few_descriptors(os.getpid(), free=3):
            for _ in range(2):
                error = self.failureResultOf(self.worker.ask({}, {}), Unavailable).value
        self.assertIn("cannot start the build worker", error.public)
        self.assertEqual((self.reactor.attempts, self.reactor.getDelayedCalls()), (0, []))
        self.assertEqual(self.worker.state()["starts"], 0)

    @pytest.mark.setting("build.memory_bytes")
    def test_memory(self) -> None:
        """The worker's heap is as large as the settings say."""
        started = self.start(memory_bytes=300 * 1024 * 1024)
        self.assertIn("--max-old-space-size=300", started.arguments)

    def test_young_objects(self) -> None:
        """A build's garbage has room, and code is compiled at its first run: most of it runs only a few times."""
        self.assertLess({"--min-semi-space-size=16", "--always-sparkplug"}, set(self.start().arguments))

    @pytest.mark.setting("build.idle_seconds")
    def test_idle(self) -> None:
        """A worker that has had nothing to do for as long as the settings say is ended."""
        started = self.start(idle_seconds=20.0)
        started.process.outReceived(b'{"ready": true}\n{"id": 1, "ok": {}}\n')
        started.advance(19.0)
        self.assertEqual(started.signals, [])
        started.advance(2.0)
        self.assertEqual(started.signals, ["KILL"])

    def start(self, **settings: Any) -> SomeProcess:
        """Start a worker, which does not answer."""
        reactor = SomeProcess()
        new_worker(reactor, **settings).ask({}, None).addErrback(lambda _: None)
        return reactor

    def test_time(self) -> None:
        """The time of a request begins when the process has started, which may take a while of its own."""
        reactor = SomeProcess()
        worker = new_worker(reactor)
        done = worker.ask({}, None)
        reactor.advance(9.0)
        reactor.process.outReceived(b'{"ready": true}\n')
        reactor.advance(4.0)
        self.assertEqual(reactor.signals, [])
        reactor.advance(1.0)
        self.assertEqual(reactor.signals, ["KILL"])
        reactor.process.processEnded(Failure(Exception("killed")))
        failed = self.failureResultOf(done, BuildFailed).value
        self.assertEqual((str(failed), failed.late), ("it did not finish within 5 s (some.seconds)", True))

    def test_never_starts(self) -> None:
        """A process that never starts is ended, too."""
        reactor = SomeProcess()
        self.failureResultOf(self.never_started(reactor), BuildFailed)
        self.assertEqual(reactor.signals, ["KILL"])

    def never_started(self, reactor: SomeProcess) -> Any:
        """Ask a worker that does not start; return what comes of it."""
        done = new_worker(reactor).ask({}, None)
        reactor.advance(15.0)
        reactor.process.processEnded(Failure(Exception("killed")))
        return done

    def test_no_process(self) -> None:
        """A process that cannot be forked is tried again with the next build."""
        for _ in range(2):
            self.failureResultOf(self.worker.ask({}, {}), Unavailable)
        self.assertEqual((self.reactor.attempts, self.worker.state()["pid"]), (2, None))
