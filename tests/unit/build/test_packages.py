"""Packages that npm installs: how it is called, what becomes of it, and what is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.build.packages import Packages, installing
from aiwebengine.errors import DeploymentRefused
from aiwebengine.services.guarded import GuardedDependency
from aiwebengine.settings.schema import BuildSettings
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder

PACKAGE = {"package.json": b'{"dependencies": {"zod": "1.0.0"}}'}


class NpmReactor(Clock):
    """Starts no npm; the test says how each run ends."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[SimpleNamespace] = []

    def spawnProcess(
        self, process: Any, program: str, arguments: list[str], *, env: Mapping[str, str], path: str
    ) -> None:
        run = SimpleNamespace(process=process, arguments=arguments, env=env, folder=Path(path), signals=[])
        process.transport = SimpleNamespace(pid=99_999_999, signalProcess=run.signals.append)
        self.runs.append(run)

    def end(self, status: int = 0, said: bytes = b"") -> None:
        """End the last run."""
        process = self.runs[-1].process
        process.errReceived(said)
        error = ProcessDone(0) if status == 0 else ProcessTerminated(exitCode=status)
        process.processEnded(Failure(error))


class PackagesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = temporary_folder(self)
        self.reactor = NpmReactor()
        self.progress: list[str] = []
        self.make()

    def make(self, **settings: Any) -> None:
        """Make an installer within these settings."""
        made = BuildSettings(**settings)
        self.packages = Packages(
            reactor=self.reactor,
            node=Path("/node"),
            npm=Path("/npm.js"),
            folder=self.folder,
            settings=made,
            guarded=GuardedDependency(name="registry", terms=installing(made), clock=self.reactor, random=lambda: 0.5),
            threads=ThreadsInTurn(),
        )

    def install(self, files: Mapping[str, bytes] = PACKAGE) -> Deferred[Any]:
        """Begin to install."""
        return Deferred.fromCoroutine(self.packages.install(files, self.progress.append))

    def refused(self, installing: Deferred[Any]) -> str:
        """Return why an installation is refused."""
        return str(self.failureResultOf(installing, DeploymentRefused).value)

    def test_nothing_to_install(self) -> None:
        """A script without dependencies needs no npm."""
        self.assertEqual(self.successResultOf(self.install({})), (None, ()))
        self.assertEqual((self.reactor.runs, self.progress), ([], []))

    def test_installs_once(self) -> None:
        """It runs without scripts of packages, in a folder of its own; the same dependencies are installed once."""
        first, second = self.install(), self.install()
        (run,) = self.reactor.runs
        self.assertEqual(run.arguments[:3], ["/node", "/npm.js", "install"])
        self.assertIn("--ignore-scripts", run.arguments)
        self.assertEqual(json.loads((run.folder / "package.json").read_text())["dependencies"], {"zod": "1.0.0"})
        self.assertNoResult(second)
        self.reactor.end()
        self.assertEqual(self.successResultOf(first), (run.folder, ("zod",)))
        self.assertEqual(self.successResultOf(second), (run.folder, ("zod",)))
        self.assertEqual(self.successResultOf(self.install()), (run.folder, ("zod",)))
        self.assertEqual((len(self.reactor.runs), self.progress), (1, ["installing packages"] * 2))

    def test_what_npm_may_know(self) -> None:
        """It is told where registries are, and none of the server's other variables."""
        variables = {"npm_config_registry": "http://127.0.0.1:1/", "AIWEBENGINE__REDIS__URL": "redis://:secret@h"}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            self.install().addErrback(lambda _: None)
        (run,) = self.reactor.runs
        self.assertEqual(run.env["npm_config_registry"], "http://127.0.0.1:1/")
        self.assertNotIn("AIWEBENGINE__REDIS__URL", run.env)
        self.reactor.end()

    @pytest.mark.setting("build.npm_offline")
    def test_offline(self) -> None:
        """With the setting no registry is asked; without it npm prefers its cache."""
        for offline, flag in ((True, "--offline"), (False, "--prefer-offline")):
            self.make(npm_offline=offline)
            self.install({"package.json": b'{"dependencies": {"zod": "1.0.%d"}}' % offline}).addErrback(lambda _: None)
            self.assertIn(flag, self.reactor.runs[-1].arguments)
            self.reactor.end()

    def test_npm_refuses(self) -> None:
        """What npm will not install is told with its reason, once, and leaves nothing."""
        first, second = self.install(), self.install()
        self.reactor.end(1, b"npm error code EINTEGRITY\nnpm error sha512-abc== integrity checksum failed\n")
        for each in (first, second):
            self.assertIn("The packages in package.json cannot be installed", self.refused(each))
        self.assertEqual((len(self.reactor.runs), list(self.folder.iterdir())), (1, []))

    def test_registry_away(self) -> None:
        """A registry that does not answer is asked again after pauses, and then the author is told."""
        asked = self.install()
        for attempt in range(1, 5):
            self.assertEqual(len(self.reactor.runs), attempt)
            self.reactor.end(1, b"npm error code ECONNREFUSED\n")
            self.reactor.pump([0.5] * 20)
        self.assertIn("the package registry does not answer (ECONNREFUSED)", self.refused(asked))

    @pytest.mark.setting("build.install_seconds")
    def test_too_slow(self) -> None:
        """An installation that takes longer than the setting allows is ended, and the error names the setting."""
        self.make(install_seconds=3.0)
        asked = self.install()
        self.reactor.advance(2.9)
        self.assertNoResult(asked)
        self.reactor.advance(0.2)
        self.assertEqual(self.reactor.runs[0].signals, ["KILL"])
        self.assertIn("it took longer than build.install_seconds", self.refused(asked))

    def test_only_so_many_are_kept(self) -> None:
        """Of many installations the oldest are removed."""
        for number in range(33):
            (self.folder / f"old{number}").mkdir()
        self.install()
        self.reactor.end()
        self.assertEqual(len(list(self.folder.iterdir())), 30)
