"""
npm packages that a script names in its `package.json`, installed by npm.

No package's own scripts are run.  What is installed is kept by content: the same
dependencies and the same lock file are installed once.

A registry that does not answer is asked again, with growing pauses; nothing is lost by that,
npm goes on from its cache.  One that does not answer for long is left alone for a while.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import DeploymentRefused, Problem
from aiwebengine.services.breaker import Rules
from aiwebengine.services.descriptors import require_free
from aiwebengine.services.guarded import Guarded, Terms
from aiwebengine.services.retry import Attempts, Backoff
from aiwebengine.settings.schema import BuildSettings

_log = Logger()

_FILE = "package.json"
_LOCK = "package-lock.json"
_MAX_INSTALLED_BYTES = 512 * 1024 * 1024
_KEEP = 30
_PIPES = 6
"""Descriptors that starting npm takes: two for each of its standard streams."""
_MOST_AT_ONCE = 2
_MOST_WAITING = 16
_END_SECONDS = 10.0
_AWAY = re.compile(
    r"\b(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|ESOCKETTIMEDOUT|ERR_SOCKET_TIMEOUT|FETCH_ERROR|EAI_AGAIN|"
    r"ENOTFOUND|ENETUNREACH|EHOSTUNREACH|E429|E50[0234])\b"
)
"""Codes that npm tells when no registry could be reached, or when it has a moment of weakness."""


class RegistryAway(Exception):
    """No registry answered; says what npm said."""


def installing(settings: BuildSettings) -> Terms:
    """Say how a registry is asked; npm's own time is bounded by itself."""
    return Terms(
        seconds=settings.install_seconds + _END_SECONDS,
        places=_MOST_AT_ONCE,
        waiting=_MOST_WAITING,
        wait_seconds=settings.install_seconds,
        attempts=Attempts(
            most=4,
            total_seconds=settings.install_seconds,
            backoff=Backoff(first_seconds=0.5, longest_seconds=8.0),
        ),
        rules=Rules(failures=8, open_for=Backoff(first_seconds=10.0, longest_seconds=120.0)),
        faulty=lambda error: isinstance(error, RegistryAway),
    )


class Packages:
    """
    Installs packages.

    Args:
        reactor: Starts npm.
        node: Path of the node program.
        npm: Path of npm's program, JavaScript that node runs.
        folder: Where installations are kept.
        settings: Time, cache, and whether a registry may be asked.
        guarded: The way to the registry.
    """

    def __init__(
        self, *, reactor: Any, node: Path, npm: Path, folder: Path, settings: BuildSettings, guarded: Guarded
    ) -> None:
        self._reactor = reactor
        self._node = node
        self._npm = npm
        self._folder = folder
        self._settings = settings
        self._guarded = guarded
        self._under_way: dict[str, list[Deferred[Path]]] = {}

    async def install(self, files: Mapping[str, bytes]) -> tuple[Path | None, tuple[str, ...]]:
        """
        Install what a script depends on.

        Args:
            files: The script's, by path.

        Returns:
            The folder that holds `node_modules`, None if there are no dependencies; and their names.

        Raises:
            DeploymentRefused: npm cannot have them; the problem holds its words.
            Unavailable: The registry was away for too long to be asked again now, or too much is installed already.
        """
        dependencies = _dependencies(files)
        if not dependencies:
            return None, ()
        lock = files.get(_LOCK, b"")
        key = hashlib.sha256(
            json.dumps([sorted(dependencies.items()), lock.decode("utf-8", "replace")]).encode()
        ).hexdigest()
        target = self._folder / key[:40]
        if (target / "complete").exists():
            os.utime(target)
            return target, tuple(dependencies)
        if key in self._under_way:
            waiting: Deferred[Path] = Deferred()
            self._under_way[key].append(waiting)
            return await waiting, tuple(dependencies)
        self._under_way[key] = []
        try:
            await self._install(target, dependencies, lock)
        except BaseException as error:
            for one in self._under_way.pop(key):
                one.errback(Failure(error))
            raise
        for one in self._under_way.pop(key):
            one.callback(target)
        return target, tuple(dependencies)

    async def _install(self, target: Path, dependencies: Mapping[str, str], lock: bytes) -> None:
        try:
            problem = await self._guarded.run(
                lambda: Deferred.fromCoroutine(self._attempt(target, dependencies, lock)), repeatable=True
            )
        except RegistryAway as error:
            problem = str(error)
        if problem is None and _size(target) > _MAX_INSTALLED_BYTES:
            problem = f"the packages are larger than {_MAX_INSTALLED_BYTES // (1024 * 1024)} MiB"
        if problem is not None:
            shutil.rmtree(target, ignore_errors=True)
            message = f"The packages in package.json cannot be installed: {problem}"
            raise DeploymentRefused(message, problems=[Problem(code="packages", message=message, file=_FILE)])
        (target / "complete").touch()
        self._trim()

    async def _attempt(self, target: Path, dependencies: Mapping[str, str], lock: bytes) -> str | None:
        """Run npm once; give what it refused, or raise `RegistryAway`."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        (target / _FILE).write_text(json.dumps({"name": "script", "private": True, "dependencies": dict(dependencies)}))
        if lock:
            (target / _LOCK).write_bytes(lock)
        arguments = [
            str(self._node), str(self._npm), "ci" if lock else "install",
            "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--no-progress", "--loglevel=error",
            "--fetch-retries=0",
            "--offline" if self._settings.npm_offline else "--prefer-offline",
        ]  # fmt: skip
        if self._settings.npm_cache:
            arguments.append(f"--cache={Path(self._settings.npm_cache).absolute()}")
        require_free(_PIPES, what="npm")
        process = _Npm()
        self._reactor.spawnProcess(
            process,
            arguments[0],
            arguments,
            env={
                **{name: value for name, value in os.environ.items() if _passes(name)},
                "NO_COLOR": "1",
                "NO_UPDATE_NOTIFIER": "1",
            },
            path=str(target),
        )
        process.done.addTimeout(
            self._settings.install_seconds, self._reactor, onTimeoutCancel=lambda *_: process.give_up()
        )
        problem = await process.done
        if problem is not None and _AWAY.search(problem):
            raise RegistryAway(problem)
        return problem

    def _trim(self) -> None:
        kept = sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in kept[_KEEP:]:
            shutil.rmtree(old, ignore_errors=True)


def _passes(name: str) -> bool:
    """Tell which variables npm needs: where it finds registries and certificates."""
    return name in {
        "PATH",
        "HOME",
        "LANG",
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
    } or (name.lower().startswith("npm_config_") or name in {"http_proxy", "https_proxy", "no_proxy"})


def _dependencies(files: Mapping[str, bytes]) -> dict[str, str]:
    raw = files.get(_FILE)
    if raw is None:
        return {}
    try:
        told = json.loads(raw)
    except ValueError:
        return {}
    given = told.get("dependencies") if isinstance(told, dict) else None
    if given is None:
        return {}
    if not isinstance(given, dict) or not all(
        isinstance(name, str) and isinstance(wanted, str) for name, wanted in given.items()
    ):
        message = 'The "dependencies" of package.json must be an object of names and version ranges.'
        raise DeploymentRefused(message, problems=[Problem(code="packages", message=message, file=_FILE)])
    for name, wanted in given.items():
        if wanted.startswith(("file:", "link:", "git", "http:", "https:", "/", ".")) and not wanted.endswith(".tgz"):
            message = f'"{name}" is "{wanted[:100]}"; dependencies are versions or ranges of published packages.'
            raise DeploymentRefused(message, problems=[Problem(code="packages", message=message, file=_FILE)])
    return dict(given)


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))


class _Npm(ProcessProtocol):
    """One run of npm."""

    def __init__(self) -> None:
        self.done: Deferred[str | None] = Deferred(lambda _: self._kill())
        self._said = b""
        self._late = False

    def outReceived(self, data: bytes) -> None:
        self._said = (self._said + data)[-8000:]

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        if self.done.called:
            return
        status = getattr(reason.value, "exitCode", 1)
        if status == 0:
            self.done.callback(None)
            return
        lines = [line for line in self._said.decode("utf-8", "replace").splitlines() if "complete log" not in line]
        words = [line.removeprefix("npm error ").removeprefix("npm ERR! ") for line in lines if line.startswith("npm ")]
        self.done.callback(" ".join(words[:6])[:600] or f"npm ended with status {status}")

    def give_up(self) -> str:
        """Say that the time is over."""
        return "it took longer than build.install_seconds"

    def _kill(self) -> None:
        if self.transport is not None and self.transport.pid:
            self.transport.signalProcess("KILL")
