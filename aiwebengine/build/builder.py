"""
From a script's files to the one ES5 program that a child runs.

    packages.py   what package.json names, installed by npm
    worker.py     node: every file lowered, all of them bundled
    es5.py        a plain script without node

A worker that dies again and again is not called: its circuit breaker is open; meanwhile plain ES5 is
deployed without it, and anything else is refused at once.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from aiwebengine.build.es5 import plain_source
from aiwebengine.build.node import NodeProgram, NoNode, find_node
from aiwebengine.build.packages import Packages, installing
from aiwebengine.build.paths import PUBLIC_FOLDER
from aiwebengine.build.worker import BuildFailed, Worker, WorkerTerms
from aiwebengine.errors import DeploymentRefused, Problem, Unavailable
from aiwebengine.services.breaker import Rules
from aiwebengine.services.guarded import CircuitOpen, GuardedDependency, GuardTerms
from aiwebengine.services.retry import Attempts, Backoff
from aiwebengine.services.threads import Runs
from aiwebengine.settings.schema import BuildSettings

TOOLCHAIN = Path(__file__).parent / "toolchain" / "dist"
BROWSER_BUNDLES = TOOLCHAIN / "browser"
"""By feature, a folder with what was bundled of its folder `browser`; see `toolchain/browser.mjs`."""
_CODE = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".json")
_MAX_PROBLEMS = 200
_MOST_WAITING = 64
_MOST_MESSAGE = 2000
_NICENESS = 5
"""Requests are served while something is built."""
_LONGEST_START = 20.0
"""Starting the worker, and ending one that has run out of time, may take so long together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """What building came to."""

    source: str
    """ES5, pure ASCII."""
    source_map: str
    """Source map v3 JSON; empty if the source is the author's own."""
    names: tuple[str, ...] = ()
    """Top-level names of the entry file, where the build knows them."""
    warnings: tuple[Problem, ...] = ()
    toolchain: str = ""
    """What it was built with; a part of the version's content."""


class Builder(Service):
    """
    Builds scripts.

    Args:
        settings: Where node is, what a build may use.
        cache_folder: For lowered files and installed packages.
        reactor: Starts processes.
        threads: Where a script's files are read.
        random: Returns a number from 0 to 1, for the waits between attempts.
        known_globals: Names that scripts may use, with the names that may follow their dot; None if any may.
        advice: What to write instead of names that scripts cannot use.
        mode: `production` or `development`, which scripts see as `process.env.NODE_ENV`.
    """

    def __init__(
        self,
        *,
        settings: BuildSettings,
        cache_folder: Path,
        reactor: Any,
        threads: Runs,
        random: Callable[[], float],
        known_globals: Mapping[str, frozenset[str] | None],
        advice: Mapping[str, str],
        mode: str = "production",
    ) -> None:
        self._settings = settings
        self._cache = cache_folder
        self._reactor = reactor
        self._threads = threads
        self.working = GuardedDependency(name="build worker", terms=_working(settings), clock=reactor, random=random)
        """The way to the worker."""
        self.installing = GuardedDependency(
            name="package registry", terms=installing(settings), clock=reactor, random=random
        )
        """The way to the registry."""
        self._known = {
            name: sorted(members) if members is not None else None for name, members in sorted(known_globals.items())
        }
        self._advice = dict(advice)
        self._mode = mode
        self._node: NodeProgram | None = None
        self._worker: Worker | None = None
        self._packages: Packages | None = None
        self._missing = NoNode(public="the server has not started", private="the server has not started")
        self._toolchain = "none"

    def startService(self) -> None:
        """Find node and start the worker; without node only plain ES5 can be deployed."""
        super().startService()
        node = find_node(self._settings.node, TOOLCHAIN)
        if isinstance(node, NoNode):
            self._missing = node
            return
        self._node = node
        versions = json.loads((TOOLCHAIN / "versions.json").read_text("utf-8"))
        self._toolchain = " ".join(f"{name}@{version}" for name, version in sorted(versions.items()))
        self._worker = self._new_worker(
            node, WorkerTerms(seconds=self._settings.build_seconds, setting="build.build_seconds", niceness=_NICENESS)
        )
        self._packages = Packages(
            reactor=self._reactor,
            node=node.program,
            npm=node.npm,
            folder=self._cache / "packages",
            settings=self._settings,
            guarded=self.installing,
            threads=self._threads,
        )

    def stopService(self) -> Deferred[None] | None:
        """End the worker."""
        super().stopService()
        worker, self._worker = self._worker, None
        return worker.stop() if worker is not None else None

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""
        if self._worker is None:
            return {"node": None, "why": self._missing.private}
        return {
            "node": str(self._node.version) if self._node else None,
            "toolchain": self._toolchain,
            **self._worker.state(),
            "waiting": self.working.figures()["waiting"],
        }

    async def build(  # the manifest is a part of the seam; what is lowered does not depend on it yet
        self,
        *,
        entry: str,
        files: Mapping[str, bytes],
        manifest: Mapping[str, Any],  # noqa: ARG002
        progress: Callable[[str], None] = lambda _: None,
    ) -> BuildResult:
        """
        Build a script.

        Args:
            entry: The file to start with; one of *files*.
            files: All of them, by path.
            manifest: What the script says about itself.
            progress: Called with steps that take long: `installing packages`, `120 of 307 files`.

        Raises:
            DeploymentRefused: With every problem.
            Busy: Too many builds wait.
        """
        texts, other = await self._threads.run(_texts, files, entry)
        if self._worker is None or self._packages is None:
            return await self._plain(entry, texts, self._missing.public)
        packages, declared = await self._packages.install(files, progress)
        request = {
            "op": "build",
            "entry": entry,
            "packages": str(packages) if packages is not None else None,
            "declared": list(declared),
            "other": other,
        }
        try:
            # Building changes nothing, so a build whose worker died may be repeated.
            ask = partial(self._worker.ask, request, texts, lambda done, of: progress(f"{done} of {of} files"))
            answer = await self.working.run(ask, repeatable=True)
        except BuildFailed as failed:
            return await self._plain(entry, texts, str(failed))
        except CircuitOpen as refused:
            return await self._plain(entry, texts, refused.public.rstrip("."))
        problems = [_problem(problem) for problem in answer["problems"][:_MAX_PROBLEMS]]
        errors = [problem for problem in problems if problem.severity == "error"]
        if errors:
            raise DeploymentRefused(errors[0].message, problems=problems)
        return BuildResult(
            source=answer["source"].decode(),
            source_map=answer["map"].decode(),
            warnings=tuple(problems),
            toolchain=self._toolchain,
        )

    def new_worker(self, terms: WorkerTerms) -> Worker:
        """
        Return a worker beside the one that builds; its process starts with its first request.

        Raises:
            Unavailable: There is no node.
        """
        if self._node is None:
            raise Unavailable(f"The build worker (node) is not available: {self._missing.public}.")
        return self._new_worker(self._node, terms)

    def _new_worker(self, node: NodeProgram, terms: WorkerTerms) -> Worker:
        return Worker(
            reactor=self._reactor,
            node=node.program,
            folder=TOOLCHAIN,
            setup={
                "cache": str(self._cache / "lowered"),
                "cacheBytes": self._settings.cache_bytes,
                "known": self._known,
                "advice": self._advice,
                "mode": self._mode,
                "version": self._toolchain,
            },
            settings=self._settings,
            terms=terms,
        )

    async def _plain(self, entry: str, texts: Mapping[str, bytes], why: str) -> BuildResult:
        """Let a plain ES5 script pass without node; the sandbox will find out whether it is one."""
        source = await self._threads.run(plain_source, entry, texts[entry])
        if source is None:
            message = f"This script must be built, and the build worker (node) cannot do it: {why}."
            hint = "Write plain ES5 in one file, or make node available (build.node) and deploy again."
            raise DeploymentRefused(
                message, problems=[Problem(code="no_build", message=message, hint=hint, file=entry)]
            )
        warning = Problem(
            code="unchecked",
            severity="warning",
            message=f"The script was taken as plain ES5 and its names were not checked: {why}.",
            file=entry,
        )
        return BuildResult(source=source, source_map="", warnings=(warning,), toolchain="none")


def _importable(files: Mapping[str, bytes], entry: str) -> Mapping[str, bytes]:
    own = {path: content for path, content in files.items() if not path.startswith(PUBLIC_FOLDER)}
    named = PUBLIC_FOLDER.encode()
    if entry not in own or any(named in content for path, content in own.items() if path.endswith(_CODE)):
        return files
    return own


def _texts(files: Mapping[str, bytes], entry: str) -> tuple[dict[str, bytes], list[str]]:
    """
    Return what can be imported: all text files, without byte-order marks; and the paths of other files.

    Code must be UTF-8.  Files for clients are left out unless the entry is one, or code names their folder.
    """
    texts: dict[str, bytes] = {}
    other: list[str] = []
    problems: list[Problem] = []
    for path, content in _importable(files, entry).items():
        try:
            content.decode("utf-8")
            texts[path] = content.removeprefix(codecs.BOM_UTF8)
        except UnicodeDecodeError as error:
            other.append(path)
            if path == entry or (path.endswith(_CODE) and not path.startswith(PUBLIC_FOLDER)):
                line = content[: error.start].count(b"\n") + 1
                problems.append(
                    Problem(
                        code="encoding", message=f"{path} is not UTF-8 text; save it as UTF-8.", file=path, line=line
                    )
                )
    if problems:
        raise DeploymentRefused(problems[0].message, problems=problems)
    return texts, other


def _problem(answer: Mapping[str, Any]) -> Problem:
    return Problem(
        code=str(answer["code"]),
        message=str(answer["message"])[:_MOST_MESSAGE],
        severity=str(answer.get("severity") or "error"),
        file=answer.get("file"),
        line=answer.get("line"),
        column=answer.get("column"),
        hint=answer.get("hint"),
        snippet=answer.get("snippet"),
    )


def _working(settings: BuildSettings) -> GuardTerms:
    """How requests to the worker are made; it takes one request at a time and bounds each itself."""
    return GuardTerms(
        seconds=settings.build_seconds + _LONGEST_START,
        places=1,
        waiting=_MOST_WAITING,
        wait_seconds=settings.build_seconds,
        attempts=Attempts(
            most=2,
            total_seconds=settings.build_seconds,
            backoff=Backoff(first_seconds=0.1, longest_seconds=1.0),
        ),
        rules=Rules(failures=4, open_for=Backoff(first_seconds=2.0, longest_seconds=60.0)),
        faulty=lambda error: isinstance(error, BuildFailed) and error.crashed,
    )
