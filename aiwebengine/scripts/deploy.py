"""
Deploying: check, build, load, validate, store, swap; whole or not at all.

    prepare   check the files, build them, run top level and `init` in a fresh child,
              collect what they registered, try it against what serves now
    commit    try again against what serves *now*, store in one transaction, swap the registry

Nothing anybody can see changes before the transaction has committed, and nothing can fail
between its commit and the swap.  Preparing may run many at a time; commits queue, so what
one was validated against is what it replaces.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from twisted.internet.defer import DeferredLock, DeferredSemaphore
from twisted.logger import Logger

from aiwebengine.errors import Conflict, DeploymentRefused, Invalid, NotFound, Problem, ScriptFailed, TooMany
from aiwebengine.observe.background import Background
from aiwebengine.runtime.registry import ActiveScript, Current, Registry
from aiwebengine.scripts.loads import Loads
from aiwebengine.scripts.manifest import unknown_capability
from aiwebengine.scripts.package import Package, check_package, check_uri, refused
from aiwebengine.scripts.places import failure_problem, place_in, warning_problems
from aiwebengine.scripts.store import ScriptStore, bundle_of
from aiwebengine.scripts.versions import (
    Activate,
    Change,
    Deployment,
    NewVersion,
    Put,
    Registered,
    Remove,
    Version,
    digest_files,
    version_id,
)
from aiwebengine.services.threads import Runs as Threads
from aiwebengine.settings.schema import DeploySettings, LimitSettings
from aiwebengine.values import ADMINISTRATOR, Bundle, Invocation

_log = Logger()

STEPS = ("check", "build", "load", "validate", "store")
"""What a deployment goes through, in order."""

MOST_AT_ONCE = 4
MOST_WAITING = 64
MOST_DEEP = 8
LONGEST_MESSAGE = 1000


class Builds(Protocol):
    """What is asked of `build.builder.Builder`."""

    def build(self, *, entry: str, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Coroutine[Any, Any, Any]:
        """Give a `Built`; raises DeploymentRefused with every problem."""


class Loader(Protocol):
    """What is asked of `runtime.run.Runner`."""

    def load(self, bundle: Bundle, invocation: Invocation) -> Coroutine[Any, Any, Any]:
        """Run top level and `init` in a fresh child and keep its template; gives a `Loaded`."""

    def forget(self, version: str) -> object:
        """Stop what runs *version* when it has nothing in hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody wants deployed."""

    uri: str
    files: Mapping[str, bytes]
    entry: str | None = None
    """None: the manifest's, or the usual names."""
    expected: int | None = None
    """The number that must serve now, 0 for none; None for any."""
    grants: frozenset[str] | None = None
    """Capabilities to grant; None: those that the serving version has."""
    ceiling: frozenset[str] | None = None
    """What may be granted at most, if a script deploys: what it has itself; None for people."""
    author: str = ""
    message: str = ""
    depth: int = 0
    """How many invocations caused this; 0 for people."""
    inside_load: bool = False
    """A script deploys while it is being deployed: it must not wait for its own turn."""
    if_changed: bool = False
    """Do nothing if the serving version is made of the same files, entry and grants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A version that was built, loaded and found good, but serves nobody yet."""

    new: NewVersion
    active: ActiveScript
    expected: int | None
    warnings: tuple[Problem, ...]
    steps: Mapping[str, float] = field(default_factory=dict)


class Deployer:
    """
    The one way in which what serves is changed.

    Args:
        store: Where versions are kept.
        builder: Lowers them.
        runner: Loads them.
        current: What serves.
        loads: Where a load's registrations are found.
        settings: What may be deployed.
        limits: What a load may use.
        background: For what must end whoever stops waiting for it.
        threads: Where files are looked at: 25 MB of them would hold up the reactor.
        milliseconds: The server's clock, since 1970.
        seconds: A clock for durations.
        new_id: Makes the id of an invocation.
    """

    def __init__(
        self,
        *,
        store: ScriptStore,
        builder: Builds,
        runner: Loader,
        current: Current,
        loads: Loads[Any],
        settings: DeploySettings,
        limits: LimitSettings,
        background: Background,
        threads: Threads,
        milliseconds: Callable[[], int],
        seconds: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._builder = builder
        self._runner = runner
        self._current = current
        self._loads = loads
        self._settings = settings
        self._limits = limits
        self._background = background
        self._threads = threads
        self._milliseconds = milliseconds
        self._seconds = seconds
        self._new_id = new_id
        self._numbers: dict[str, int] = {}
        self._commits = DeferredLock()
        self._slots = DeferredSemaphore(MOST_AT_ONCE)

    async def restore(self) -> int:
        """
        Let every stored script serve again, without building or running anything.

        Returns:
            How many serve.

        Raises:
            Unavailable: The database does not answer.
        """
        self._numbers = await self._store.numbers()
        actives = [active_script(version) for version in await self._store.current()]
        registry = self._current.registry
        try:
            registry = registry.with_scripts(actives)
        except DeploymentRefused:
            # A newer engine may refuse what an older one accepted: find out which, let the rest serve.
            for active in actives:
                try:
                    registry = registry.with_script(active)
                except DeploymentRefused as error:
                    _log.error("script {uri} does not serve: {why}", uri=active.uri, why=error.public)
        self._current.swap(registry, self._current.registry.generation)
        return len(registry.scripts)

    async def deploy(self, request: Request, *, progress: Callable[[str], None] = lambda _: None) -> Deployment:
        """
        Deploy what *request* holds.

        Args:
            progress: Told the name of each step as it begins, one of `STEPS`.

        Raises:
            DeploymentRefused: With every problem; nothing was changed.
            Conflict: Another version serves than was expected; nothing was changed.
            Invalid, TooMany, Unavailable: Nothing was changed.
        """
        same = await self._unchanged(request) if request.if_changed else None
        if same is not None:
            return Deployment(version=await self._store.version(request.uri, same), previous=same, changed=False)
        prepared = await self.prepare(request, progress=progress, keep_warm=True)
        progress("store")
        began = self._seconds()
        try:
            [deployment] = await self.commit([prepared])
        except BaseException:
            # A cancelled caller has not stopped the commit: see what serves before throwing the child away.
            self._abandon(prepared.new.version)
            raise
        return replace(deployment, steps={**prepared.steps, "store": _ms(self._seconds() - began)})

    async def prepare(
        self,
        request: Request,
        *,
        progress: Callable[[str], None] = lambda _: None,
        keep_warm: bool = False,
    ) -> Prepared:
        """
        Do everything up to the transaction.

        Args:
            keep_warm: Leave the loaded child standing: the caller will commit, or call `runner.forget`.

        Raises:
            DeploymentRefused, Conflict, Invalid, TooMany, Unavailable: As `deploy`.
        """
        check_uri(request.uri)
        self._expect(request.uri, request.expected)
        if request.depth > MOST_DEEP:
            raise TooMany(f"Scripts that deploy scripts may do so {MOST_DEEP} deep, no deeper.")
        if request.inside_load:
            return await self._prepare(request, progress, keep_warm=keep_warm)
        if len(self._slots.waiting) >= MOST_WAITING:
            raise TooMany("Too many deployments wait already; try again.", retry_seconds=5.0)
        await self._slots.acquire()
        try:
            return await self._prepare(request, progress, keep_warm=keep_warm)
        finally:
            self._slots.release()

    async def check(self, request: Request) -> tuple[list[Problem], Registered]:
        """
        Find every problem that deploying *request* would meet now, and what it would register.

        Returns:
            Problems, errors before warnings; empty if there are none.
        """
        try:
            prepared = await self.prepare(replace(request, expected=None))
        except DeploymentRefused as error:
            return list(error.problems), Registered()
        self._release(request.uri, prepared.new.version.number)
        return list(prepared.warnings), prepared.new.version.registered

    async def commit(self, changes: Sequence[Prepared | Activate | Remove]) -> list[Deployment]:
        """
        Make all *changes* visible at once, or none.

        Returns:
            What each did.  Once begun, it ends whether or not the caller goes on waiting.

        Raises:
            DeploymentRefused: They conflict with what serves by now.
            Conflict, NotFound, Unavailable: As `ScriptStore.apply`.
        """

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
        self._expect(uri, expected)
        if number is None:
            number = await self._number_before(uri)
        activate = Activate(uri=uri, number=number, expected=expected, author=author, message=_message(message))
        [deployment] = await self.commit([activate])
        return replace(deployment, steps={"store": _ms(self._seconds() - began)})

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
        remove = Remove(uri=uri, expected=expected, purge=purge, author=author, message=_message(message))
        await self.commit([remove])

    async def _prepare(self, request: Request, progress: Callable[[str], None], *, keep_warm: bool) -> Prepared:
        steps = _Steps(seconds=self._seconds, progress=progress)
        steps.begin("check")
        message = _message(request.message)
        package, grants, not_granted, digest = await self._examine(request)
        steps.begin("build")
        built = await self._builder.build(entry=package.entry, files=package.files, manifest=package.manifest.as_json())
        steps.begin("load")
        number = self._reserve(request.uri)
        new = _new_version(
            replace(request, message=message),
            package,
            built,
            grants,
            digest=digest,
            number=number,
            now=self._milliseconds(),
        )
        bundle = bundle_of(new)
        good = False
        try:
            loaded, registered = await self._load(bundle, package, grants, depth=request.depth)
            steps.begin("validate")
            warnings = (
                *package.warnings,
                *built.warnings,
                *warning_problems(loaded.warnings, bundle=bundle, entry=package.entry),
                *not_granted,
                *_nothing_registered(registered),
            )
            version = replace(new.version, registered=registered, warnings=warnings)
            active = active_script(version)
            self._current.registry.with_script(active)
            good = True
        finally:
            if not good:
                self._release(request.uri, number)
            if not (good and keep_warm):
                self._runner.forget(bundle.version)
        return Prepared(
            new=replace(new, version=version, replay=loaded.replay),
            active=active,
            expected=request.expected,
            warnings=warnings,
            steps=steps.end(),
        )

    async def _load(
        self, bundle: Bundle, package: Package, grants: frozenset[str], *, depth: int
    ) -> tuple[Any, Registered]:
        invocation = Invocation(
            id=self._new_id(),
            script=bundle.script,
            version=bundle.version,
            kind="load",
            handler=None,
            principal=ADMINISTRATOR,
            payload="null",
            wall_seconds=self._limits.load_seconds,
            cpu_seconds=self._limits.load_seconds,
            depth=depth,
        )
        self._loads.expect(invocation.id, grants)
        try:
            loaded = await self._runner.load(bundle, invocation)
        except ScriptFailed as error:
            raise refused([failure_problem(error, bundle=bundle, entry=package.entry)]) from error
        finally:
            book = self._loads.take(invocation.id)
        if book is None:
            return loaded, Registered()
        routes = book.placed(lambda stack: place_in(stack, bundle=bundle, entry=package.entry))
        return loaded, Registered(routes=routes, middleware=book.middleware)

    async def _commit(self, changes: Sequence[Prepared | Activate | Remove]) -> list[Deployment]:
        registry = self._current.registry
        generation = registry.generation
        stored: list[Change] = []
        outcome: list[Version | None] = []
        for change in changes:
            if isinstance(change, Prepared):
                registry = registry.with_script(change.active)
                stored.append(Put(new=change.new, expected=change.expected))
                outcome.append(change.new.version)
            elif isinstance(change, Activate):
                version = await self._store.version(change.uri, change.number)
                registry = registry.with_script(active_script(version))
                stored.append(change)
                outcome.append(version)
            else:
                registry = registry.without(change.uri) if change.uri in registry.scripts else registry
                stored.append(change)
                outcome.append(None)
        previous = await self._store.apply(stored)
        before = self._current.registry
        self._current.swap(registry, generation)
        self._forget_replaced(before, registry)
        self._trim(change.new.version.uri for change in changes if isinstance(change, Prepared))
        return [
            Deployment(
                version=version,
                previous=old,
                warnings=change.warnings if isinstance(change, Prepared) else (),
            )
            for change, version, old in zip(changes, outcome, previous, strict=True)
        ]

    def _forget_replaced(self, before: Registry, after: Registry) -> None:
        for uri, script in before.scripts.items():
            now = after.scripts.get(uri)
            if now is None or now.version != script.version:
                self._runner.forget(script.version)

    def _abandon(self, version: Version) -> None:
        """Stop the child of a version that was not committed; one whose commit is under way is left alone."""
        serving = self._current.registry.scripts.get(version.uri)
        if self._commits.locked or (serving is not None and serving.version == version.id):
            return
        self._release(version.uri, version.number)
        self._runner.forget(version.id)

    def _trim(self, uris: Iterable[str]) -> None:
        for uri in set(uris):
            keep = self._settings.keep_versions
            if self._numbers.get(uri, 0) > keep:
                self._background.start(f"trim versions of {uri}", self._store.trim(uri, keep=keep))

    def _expect(self, uri: str, expected: int | None) -> None:
        """Refuse early what the transaction would refuse."""
        serving = self._current.registry.scripts.get(uri)
        now = serving.number if serving else 0
        if expected is not None and expected != now:
            found = f"version {now} serves" if now else "none serves"
            wanted = f"version {expected}" if expected else "no version"
            raise Conflict(
                f'"{uri}" was expected to serve {wanted}, but {found}: somebody else changed it. '
                "Look at it, then try again.",
                details={"uri": uri, "expected": expected, "current": now},
            )

    async def _examine(self, request: Request) -> tuple[Package, frozenset[str], list[Problem], str]:
        """Check the files, decide the grants, and give the content address of both."""

        def look() -> tuple[Package, frozenset[str], list[Problem], str]:
            package = check_package(request.files, entry=request.entry, settings=self._settings, limits=self._limits)
            grants, warnings = decide_grants(request, package, serving=serving)
            digest = digest_files(request.uri, package.files, entry=package.entry, grants=sorted(grants))
            return package, grants, warnings, digest

        serving = self._current.registry.scripts.get(request.uri)
        return await self._threads.run(look)

    async def _unchanged(self, request: Request) -> int | None:
        """Give the number of the serving version if deploying would make the same one."""
        check_uri(request.uri)
        self._expect(request.uri, request.expected)
        serving = self._current.registry.scripts.get(request.uri)
        if serving is None:
            return None
        _, _, _, digest = await self._examine(request)
        return serving.number if serving.version == version_id(request.uri, serving.number, digest) else None

    async def _number_before(self, uri: str) -> int:
        history = await self._store.history(uri)
        older = [one.number for one in history.versions if history.current is None or one.number < history.current]
        if not older:
            raise NotFound(f'No version of "{uri}" older than the serving one is kept.')
        return max(older)

    def _reserve(self, uri: str) -> int:
        self._numbers[uri] = self._numbers.get(uri, 0) + 1
        return self._numbers[uri]

    def _release(self, uri: str, number: int) -> None:
        """Give back a number that nothing will have, if it is still the last one."""
        if self._numbers.get(uri) == number:
            self._numbers[uri] = number - 1
            if number == 1:
                del self._numbers[uri]


def active_script(version: Version) -> ActiveScript:
    """Give what serves when *version* is current."""
    return ActiveScript(
        uri=version.uri,
        version=version.id,
        number=version.number,
        routes=version.registered.routes,
        middleware=version.registered.middleware,
        grants=version.grants,
    )


def decide_grants(
    request: Request, package: Package, *, serving: ActiveScript | None
) -> tuple[frozenset[str], list[Problem]]:
    """
    Decide what a version may do: what the administrator says, or said before.

    Returns:
        Its capabilities, and a warning for each that it asks for and does not get.

    Raises:
        DeploymentRefused: There is no such capability.
    """
    grants = request.grants
    if grants is None:
        grants = serving.grants if serving else frozenset()
    elif problems := [problem for name in sorted(grants) if (problem := unknown_capability(name))]:
        raise refused(problems)
    if request.ceiling is not None:
        grants &= request.ceiling
    asked = frozenset(package.manifest.capabilities)
    warnings = [
        Problem(
            code="not_granted",
            severity="warning",
            message=f'The script asks for the capability "{name}", which was not granted; its calls will be denied.',
            hint=f"Deploy with --grant {name}.",
        )
        for name in sorted(asked - grants)
    ]
    return grants, warnings


class _Steps:
    """Times the steps of one deployment and tells of each."""

    def __init__(self, *, seconds: Callable[[], float], progress: Callable[[str], None]) -> None:
        self._seconds = seconds
        self._progress = progress
        self._milliseconds: dict[str, float] = {}
        self._name = ""
        self._began = 0.0

    def begin(self, name: str) -> None:
        self.end()
        self._name, self._began = name, self._seconds()
        self._progress(name)

    def end(self) -> dict[str, float]:
        if self._name:
            self._milliseconds[self._name] = _ms(self._seconds() - self._began)
        return self._milliseconds


def _new_version(
    request: Request,
    package: Package,
    built: Any,
    grants: frozenset[str],
    *,
    digest: str,
    number: int,
    now: int,
) -> NewVersion:
    version = Version(
        uri=request.uri,
        number=number,
        id=version_id(request.uri, number, digest),
        digest=digest,
        entry=package.entry,
        manifest=package.manifest.as_json(),
        grants=grants,
        registered=Registered(),
        warnings=(),
        toolchain=built.toolchain,
        author=request.author,
        message=request.message,
        deployed_at=now,
        size_bytes=package.size_bytes,
    )
    return NewVersion(version=version, files=package.files, source=built.source, source_map=built.source_map, replay="")


def _nothing_registered(registered: Registered) -> tuple[Problem, ...]:
    if registered.routes:
        return ()
    message = "The script registers nothing, so nothing can reach it."
    hint = 'Call registerWebHandler("/path", handler) at the top level or in init.'
    return (Problem(code="nothing_registered", severity="warning", message=message, hint=hint),)


def _message(message: str) -> str:
    if len(message) > LONGEST_MESSAGE:
        raise Invalid(f"A message has at most {LONGEST_MESSAGE:,} characters; this one has {len(message):,}.")
    return message


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
