"""The build worker when it cannot be started."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.build.worker import Worker
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


class WorkerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = NoProcesses()
        self.worker = Worker(
            reactor=self.reactor, node=Path("/node"), folder=Path("/worker"), setup={}, settings=BuildSettings()
        )

    def test_no_descriptors(self) -> None:
        """Without descriptors nothing is started, each build is told so, and nobody waits for ever."""
        with few_descriptors(os.getpid(), free=3):
            self.worker.warm()
            for _ in range(2):
                error = self.failureResultOf(self.worker.ask({}), Unavailable).value
        self.assertIn("cannot start the build worker", error.public)
        self.assertEqual((self.reactor.attempts, self.reactor.getDelayedCalls()), (0, []))
        self.assertEqual(self.worker.state()["starts"], 0)

    def test_no_process(self) -> None:
        """A process that cannot be forked is tried again with the next build."""
        self.worker.warm()
        for _ in range(2):
            self.failureResultOf(self.worker.ask({}), Unavailable)
        self.assertEqual((self.reactor.attempts, self.worker.state()["pid"]), (3, None))
