"""
Changing what serves: whole or not at all.

What was prepared (`prepare.py`) is committed here: tried again against what serves *now*,
stored in one transaction, and swapped in. Nothing visible changes before the transaction has committed, and nothing can
fail between its commit and the swap. Commits queue, so what one was tried against is what it replaces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from aiwebengine.errors import DeploymentRefused, Problem, Unavailable
from aiwebengine.observe.background import Background
from aiwebengine.runtime.registry import Current, Registry
from aiwebengine.scripts.package import check_uri
from aiwebengine.scripts.prepare import (
    DeployRequest,
    PreparedVersion,
    Preparer,
    Progress,
    active_script,
    as_ms,
    check_message,
)
from aiwebengine.scripts.store import ScriptStore
from aiwebengine.scripts.versions import (
    ActivateVersion,
    Change,
    Deployment,
    PutVersion,
    RegisteredEntries,
    RemoveScript,
    StoredWith,
    Version,
    removed_entries,
    version_id,
)
from aiwebengine.services.threads import Runs
from aiwebengine.values import Entry

_log = Logger()

_HANDING_OVER = (
    "A new process of the server is taking over and nothing can be deployed for a moment; nothing was changed."
)
_HANDING_OVER_SECONDS = 2.0

Wanted = PreparedVersion | ActivateVersion | RemoveScript | StoredWith
"""What may be committed together."""


def _no_progress(_step: str, _detail: str) -> None:
    """Do nothing."""


class Deployer:
    """
    The one way in which what serves is changed.

    Args:
        preparer: Makes versions that could serve.
        store: Where versions are stored.
        threads: Where it is tried whether all scripts can serve together.
        expect: Called with the versions that are about to serve, with their scripts and manifests: while a version is
            stored, a process can be made ready for its first request.
        forget: Called with the versions that no longer serve, or do not after all.
        rest: Called with the versions that were replaced by others of their scripts, and may return by a rollback.
        current: What serves.
        keep_versions: How many of a script's newest versions are stored.
        background: Runs what must finish even if the caller stops waiting.
        seconds: A clock for durations.
    """

    def __init__(
        self,
        *,
        preparer: Preparer,
        store: ScriptStore,
        threads: Runs,
        expect: Callable[[str, str, Mapping[str, Any]], object],
        forget: Callable[[str], object],
        rest: Callable[[str], object],
        current: Current,
        keep_versions: int,
        background: Background,
        seconds: Callable[[], float],
    ) -> None:
        self._preparer = preparer
        self._store = store
        self._threads = threads
        self._expect = expect
        self._forget = forget
        self._rest = rest
        self._current = current
        self._keep_versions = keep_versions
        self._background = background
        self._seconds = seconds
        self._commits = DeferredLock()
        self._held = False

    async def hold(self) -> None:
        """Refuse to change what serves, until `resume`; returns when what was under way has ended."""
        self._held = True
        await self._commits.run(lambda: None)

    def _refuse_if_held(self) -> None:
        if self._held:
            raise Unavailable(_HANDING_OVER, retry_seconds=_HANDING_OVER_SECONDS)

    def resume(self) -> None:
        """Change what serves again."""
        self._held = False

    async def restore(self) -> int:
        """
        Let every stored script serve again, without building or running anything.

        Returns:
            How many serve.

        Raises:
            Unavailable: The database does not answer.
        """
        self._preparer.numbers.restore(await self._store.numbers())
        actives = [active_script(version) for version in await self._store.current()]
        before = self._current.registry
        try:
            registry = before.with_scripts(actives)
        except DeploymentRefused:
            # A newer engine may refuse what an older one accepted: find out which, let the rest serve.
            registry = before
            for active in actives:
                try:
                    registry = registry.with_script(active)
                except DeploymentRefused as error:
                    _log.error("script {uri} does not serve: {why}", uri=active.uri, why=error.public)
        self._current.swap(registry, before.generation)
        for uri in registry.scripts:
            _warn_unknown(registry, uri)
        return len(registry.scripts)

    async def deploy(self, request: DeployRequest, *, progress: Progress = _no_progress) -> Deployment:
        """
        Deploy what *request* holds.

        Args:
            progress: Called with each step as it begins, and its progress.

        Raises:
            DeploymentRefused: With every problem; nothing was changed.
            Conflict: Another version serves than was expected; nothing was changed.
            Invalid, TooMany, Unavailable: Nothing was changed.
        """
        self._refuse_if_held()
        same = await self._unchanged(request) if request.if_changed else None
        if same is not None:
            return Deployment(version=await self._store.version(request.uri, same), previous=same, changed=False)
        moved = await self._moved(request)
        prepared = await self.prepare(request, progress=progress, keep_warm=True)
        progress("store", "")
        began = self._seconds()
        new = prepared.new.version
        self._expect(new.id, new.uri, new.manifest)
        try:
            [deployment] = await self.commit([prepared])
        except BaseException:
            self.abandon(new)
            raise
        steps = {**prepared.steps, "store": as_ms(self._seconds() - began)}
        return replace(deployment, steps=steps, warnings=(*moved, *deployment.warnings))

    async def prepare(
        self, request: DeployRequest, *, progress: Progress = _no_progress, keep_warm: bool = False
    ) -> PreparedVersion:
        """See `Preparer.prepare`; its result may be committed later, or dropped."""
        return await self._preparer.prepare(request, progress=progress, keep_warm=keep_warm)

    async def check(self, request: DeployRequest) -> tuple[list[Problem], RegisteredEntries]:
        """
        Find every problem that deploying *request* would meet now, and what it would register.

        Returns:
            Problems; empty if there are none.

        Raises:
            Invalid, TooMany, Unavailable: It could not be found out.
        """
        try:
            prepared = await self.prepare(replace(request, expected=None))
        except DeploymentRefused as error:
            return list(error.problems), RegisteredEntries()
        self._preparer.numbers.release(request.uri, prepared.new.version.number)
        return list(prepared.warnings), prepared.new.version.registered

    async def commit(self, changes: Sequence[Wanted]) -> list[Deployment]:
        """
        Make all *changes* visible at once, or none.

        Returns:
            What each did, in order.  Once begun, it finishes whether or not the caller keeps waiting.

        Raises:
            DeploymentRefused: They conflict with what serves by now.
            Conflict, NotFound, Unavailable: As `ScriptStore.apply`.
        """
        self._refuse_if_held()

        async def in_turn() -> list[Deployment]:
            return await self._commits.run(self._commit, changes)

        return await self._background.shield("commit a deployment", in_turn())

    async def rollback(
        self, uri: str, number: int | None = None, *, expected: int | None = None, author: str = "", message: str = ""
    ) -> Deployment:
        """
        Let an older version serve.

        Args:
            number: Which; None for the newest below the serving one, or the newest of a deleted script.

        Raises:
            NotFound: There is no such version.
            Conflict, DeploymentRefused, Unavailable: Nothing was changed.
        """
        began = self._seconds()
        self._preparer.expect(uri, expected)
        message = check_message(message)
        store = self._store
        version = await (store.version_before(uri) if number is None else store.version(uri, number))
        activate = ActivateVersion(
            uri=uri, number=version.number, expected=expected, author=author, message=message, version=version
        )
        self._refuse_if_held()
        self._expect(version.id, uri, version.manifest)
        try:
            [deployment] = await self.commit([activate])
        except BaseException:
            self._stop_unless_serving(version)
            raise
        return replace(deployment, steps={"store": as_ms(self._seconds() - began)})

    async def delete(
        self, uri: str, *, expected: int | None = None, purge: bool = False, author: str = "", message: str = ""
    ) -> None:
        """
        Let a script serve no longer.

        Args:
            purge: Remove its versions too, so that no rollback brings it back.

        Raises:
            NotFound: There is no such script.
            Conflict, Unavailable: Nothing was changed.
        """
        remove = RemoveScript(uri=uri, expected=expected, purge=purge, author=author, message=check_message(message))
        await self.commit([remove])

    async def _commit(self, changes: Sequence[Wanted]) -> list[Deployment]:
        before = registry = self._current.registry
        stored: list[Change] = []
        done: list[tuple[int, Deployment]] = []
        requested = {id(change) for change in changes}
        for change in _flat(changes):
            version: Version | None = None
            warnings: tuple[Problem, ...] = ()
            if isinstance(change, PreparedVersion):
                version, warnings = change.new.version, change.warnings
                registry = await self._threads.run(registry.with_script, change.active)
                stored.append(PutVersion(new=change.new, expected=change.expected))
            elif isinstance(change, ActivateVersion):
                version = change.version or await self._store.version(change.uri, change.number)
                registry = await self._threads.run(registry.with_script, active_script(version))
                _warn_unknown(registry, version.uri)
                stored.append(change)
            else:
                if isinstance(change, RemoveScript) and change.uri in registry.scripts:
                    registry = await self._threads.run(registry.without, change.uri)
                stored.append(change)
            if id(change) in requested:
                removed = _removed(before, version) if version is not None else ()
                deployment = Deployment(version=version, previous=None, warnings=warnings, removed=removed)
                done.append((len(stored) - 1, deployment))
        previous = await self._store.apply(stored)
        self._current.swap(registry, before.generation)
        for applied in stored:
            if not isinstance(applied, PutVersion | ActivateVersion | RemoveScript):
                applied.happened()
        self._leave_replaced(before, registry)
        self._trim(change.new.version.uri for change in stored if isinstance(change, PutVersion))
        return [replace(deployment, previous=previous[at]) for at, deployment in done]

    def _leave_replaced(self, before: Registry, after: Registry) -> None:
        for uri, script in before.scripts.items():
            now = after.scripts.get(uri)
            if now is None:
                self._forget(script.version)
            elif now.version != script.version:
                self._rest(script.version)

    def abandon(self, version: Version) -> None:
        """Stop the child of a version that was not committed; one whose commit is under way is left alone."""
        if self._stop_unless_serving(version):
            self._preparer.numbers.release(version.uri, version.number)

    def _stop_unless_serving(self, version: Version) -> bool:
        """Stop what runs a version that was not committed; return whether it was certain that it was not."""
        serving = self._current.registry.scripts.get(version.uri)
        if self._commits.locked or (serving is not None and serving.version == version.id):
            return False
        self._forget(version.id)
        return True

    def _trim(self, uris: Iterable[str]) -> None:
        keep = self._keep_versions
        for uri in set(uris):
            if self._preparer.numbers.highest(uri) > keep:
                self._background.start(f"trim versions of {uri}", self._store.trim(uri, keep=keep))

    async def _unchanged(self, request: DeployRequest) -> int | None:
        """Return the number of the serving version if deploying would make the same one."""
        check_uri(request.uri)
        self._preparer.expect(request.uri, request.expected)
        serving = self._current.registry.scripts.get(request.uri)
        if serving is None:
            return None
        examined = await self._preparer.examine(request)
        same = serving.version == version_id(request.uri, serving.number, examined.digest)
        return serving.number if same else None

    async def _moved(self, request: DeployRequest) -> tuple[Problem, ...]:
        """Return a warning if the version that serves was deployed from somewhere else."""
        serving = self._current.registry.scripts.get(request.uri)
        if serving is None or not request.origin:
            return ()
        before = (await self._store.version(request.uri, serving.number)).origin
        if before in {"", request.origin}:
            return ()
        message = f"This replaces version {serving.number}, which was deployed from {before}."
        hint = f"If that was another script, bring it back with `aiwebengine rollback {request.uri}`."
        return (Problem(code="other_origin", severity="warning", message=message, hint=hint),)


def _warn_unknown(registry: Registry, uri: str) -> None:
    for kind, many in Counter(entry.kind for entry in registry.unknown(uri)).items():
        _log.warn(
            'script {uri}: {many} registrations of the kind "{kind}" are not served: no feature of this server '
            "offers that kind. Install the feature that does, or deploy the script without them.",
            uri=uri,
            many=many,
            kind=kind,
        )


def _removed(before: Registry, version: Version) -> tuple[Entry, ...]:
    """Return what *version* takes away of what its script serves."""
    serving = before.scripts.get(version.uri)
    return removed_entries(serving.entries, version.registered.entries) if serving is not None else ()


def _flat(changes: Iterable[Wanted]) -> Iterator[Wanted]:
    """Return all *changes*, each after those that its own load made."""
    for change in changes:
        if isinstance(change, PreparedVersion):
            yield from _flat(change.changes)
        yield change
