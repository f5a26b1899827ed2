"""
npm packages that a script names in its `package.json`, installed by npm.

No package's own scripts are run, and npm takes nothing from the server's disk (see `dependencies.py`).
What is installed is kept by content: the same dependencies and the same lock file are installed once.

Requests to a registry that does not answer are repeated, with growing delays; nothing is lost by that,
npm goes on from its cache.  One that does not answer for long is not called: its circuit breaker is open.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiwebengine.build import dependencies
from aiwebengine.build.dependencies import LOCK_FILE, PACKAGE_FILE, Dependencies
from aiwebengine.build.npm import Npm, NpmFailed, RegistryUnreachable
from aiwebengine.services.breaker import Rules
from aiwebengine.services.guarded import GuardedDependency, GuardTerms
from aiwebengine.services.retry import Attempts, Backoff
from aiwebengine.services.threads import Runs
from aiwebengine.settings.schema import BuildSettings

_MAX_INSTALLED_BYTES = 512 * 1024 * 1024
_KEEP = 30
_MOST_AT_ONCE = 2
_MOST_WAITING = 16
_END_SECONDS = 10.0
_FLAGS = (
    "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--no-progress", "--loglevel=error", "--logs-max=0",
    "--fetch-retries=0", "--no-bin-links",
    # What a package depends on may not be a folder or a file of the server, or come from any other address.
    "--allow-directory=none", "--allow-file=root", "--allow-git=none", "--allow-remote=none",
)  # fmt: skip


def installing(settings: BuildSettings) -> GuardTerms:
    """How requests to a registry are made; npm's own time is bounded by itself."""
    return GuardTerms(
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
        faulty=lambda error: isinstance(error, RegistryUnreachable),
    )


class Packages:
    """
    Installs packages.

    Args:
        reactor: Starts npm.
        node: Path of the node program.
        npm: Path of npm's program, JavaScript that node runs.
        folder: Where installations are stored.
        settings: Time, cache, and whether a registry may be contacted.
        guarded: The way to the registry.
        threads: Where files are read, written and removed.
    """

    def __init__(
        self,
        *,
        reactor: Any,
        node: Path,
        npm: Path,
        folder: Path,
        settings: BuildSettings,
        guarded: GuardedDependency,
        threads: Runs,
    ) -> None:
        self._reactor = reactor
        self._node = node
        self._npm = npm
        self._folder = folder
        self._settings = settings
        self._guarded = guarded
        self._threads = threads
        self._under_way: dict[str, list[Deferred[Path]]] = {}

    async def install(
        self, files: Mapping[str, bytes], progress: Callable[[str], None]
    ) -> tuple[Path | None, tuple[str, ...]]:
        """
        Install what a script depends on.

        Args:
            files: The script's, by path.
            progress: Called when npm is at work.

        Returns:
            The folder that holds `node_modules`, None if there are no dependencies; and the names that may be imported.

        Raises:
            DeploymentRefused: npm cannot have them; the problem says why.
            Unavailable: The registry has been unreachable for too long to try again now, or too much is installed
                already.
        """
        if PACKAGE_FILE not in files:
            return None, ()
        requested, key = await self._threads.run(_read, files)
        names = requested.importable
        if not requested.ranges:
            return None, ()
        target = self._folder / key
        if (target / "complete").exists():
            os.utime(target)
            return target, names
        progress("installing packages")
        if key in self._under_way:
            waiting: Deferred[Path] = Deferred()
            self._under_way[key].append(waiting)
            return await waiting, names
        self._under_way[key] = []
        try:
            await self._install(target, requested, files[PACKAGE_FILE])
        except BaseException as error:
            for waiter in self._under_way.pop(key):
                waiter.errback(Failure(error))
            raise
        for waiter in self._under_way.pop(key):
            waiter.callback(target)
        return target, names

    async def _install(self, target: Path, requested: Dependencies, package: bytes) -> None:
        try:
            await self._guarded.run(lambda: Deferred.fromCoroutine(self._attempt(target, requested)), repeatable=True)
            await self._threads.run(_check_size, target)
        except (RegistryUnreachable, NpmFailed) as error:
            await self._threads.run(_remove, target)
            message = f"The packages in package.json cannot be installed: {error}."
            name = next((name for name in requested.ranges if f'"{name}' in message), None)
            raise dependencies.refused(message, package, name) from error
        (target / "complete").touch()
        await self._threads.run(_trim, self._folder)

    async def _attempt(self, target: Path, requested: Dependencies) -> None:
        """
        Run npm once.

        Raises:
            RegistryUnreachable, NpmFailed: It did not install.
        """
        await self._threads.run(_lay_out, target, requested)
        offline = "--offline" if self._settings.npm_offline else "--prefer-offline"
        arguments = [str(self._node), str(self._npm), "ci" if requested.lock else "install", *_FLAGS, offline]
        if self._settings.npm_cache:
            arguments.append(f"--cache={Path(self._settings.npm_cache).absolute()}")
        process = Npm()
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
        process.done.addTimeout(self._settings.install_seconds, self._reactor, onTimeoutCancel=_too_long)
        await process.done


def _read(files: Mapping[str, bytes]) -> tuple[Dependencies, str]:
    requested = dependencies.read(files)
    return requested, requested.digest()


def _lay_out(target: Path, requested: Dependencies) -> None:
    """Write what npm reads into a new folder."""
    _remove(target)
    target.mkdir(parents=True)
    package = {"name": "script", "private": True, "dependencies": dict(requested.ranges)}
    (target / PACKAGE_FILE).write_text(json.dumps(package))
    if requested.lock:
        (target / LOCK_FILE).write_bytes(requested.lock)
    for path, content in requested.tarballs.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(content)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _trim(folder: Path) -> None:
    """Remove the installations that were not used for longest."""
    folders = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in folders[_KEEP:]:
        _remove(old)


def _passes(name: str) -> bool:
    """Return which variables npm needs: where it finds registries and certificates."""
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


def _check_size(folder: Path) -> None:
    if sum(path.lstat().st_size for path in folder.rglob("*")) > _MAX_INSTALLED_BYTES:
        raise NpmFailed(f"the packages are larger than {_MAX_INSTALLED_BYTES // (1024 * 1024)} MiB")


def _too_long(_result: object, _seconds: float) -> None:
    raise NpmFailed("it took longer than build.install_seconds")
