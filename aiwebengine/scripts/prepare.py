"""
Preparing a deployment: everything up to the transaction.

    check     the files, the manifest, the grants
    build     lower and bundle
    load      run top level and `init` in a fresh child, recording what they register
    validate  try it against what serves now

Nothing is stored and nothing that serves is touched; a failure leaves no child behind.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from twisted.internet.defer import DeferredSemaphore

from aiwebengine.errors import BudgetSpent, Conflict, EngineError, Invalid, Problem, ScriptFailed, TooMany
from aiwebengine.runtime.allowance import load_seconds
from aiwebengine.runtime.invoker import MOST_ANCESTORS, Callee, Invoker
from aiwebengine.runtime.registry import ActiveScript, Current
from aiwebengine.runtime.reserved import ReservedPaths
from aiwebengine.scripts.base_path import below, unless_registered
from aiwebengine.scripts.capabilities import Capabilities
from aiwebengine.scripts.loads import Loads, RegistrationBook
from aiwebengine.scripts.package import Package, check_package, check_uri, refused
from aiwebengine.scripts.places import Sources, failure_problems, warning_problems
from aiwebengine.scripts.registered import nothing_registered, replaced_problems
from aiwebengine.scripts.stacks import Stacks
from aiwebengine.scripts.store import bundle_of
from aiwebengine.scripts.versions import NewVersion, RegisteredEntries, Version, digest_files, version_id
from aiwebengine.services.threads import Runs
from aiwebengine.settings.schema import DeploySettings, LimitSettings
from aiwebengine.values import ADMINISTRATOR, Bundle, Cause, Entry, Invocation

STEPS = ("check", "build", "load", "validate", "store")
"""What a deployment goes through, in order; the last is the commit's."""

MOST_AT_ONCE = 4
MOST_WAITING = 64
LONGEST_MESSAGE = 1000

Progress = Callable[[str, str], None]
"""Called with the name of a step, one of `STEPS`, as it begins, and with its progress while it lasts; else empty."""
"""Called with the name of each step as it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedFiles:
    """The files of a version that is being prepared."""

    script: str
    """URI."""
    version: str
    """Version id."""
    base: str
    """Base path of the script; empty if it has none."""
    files: Mapping[str, bytes]
    """By path."""
    at: int
    """When it is deployed: milliseconds since 1970."""


FindEntries = Callable[[DeployedFiles], tuple[Sequence[Entry], Sequence[Problem]]]
"""Returns what files are registered as, as if the script had done it, and warnings; called in a thread."""


class BuildService(Protocol):
    """What is needed of `build.builder.Builder`."""

    def build(
        self, *, entry: str, files: Mapping[str, bytes], manifest: Mapping[str, Any], progress: Callable[[str], None]
    ) -> Coroutine[Any, Any, Any]:
        """Return a `BuildResult`; raises DeploymentRefused with every problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """What is to be deployed."""

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
    origin: str = ""
    """See `Version.origin`."""
    cause: Cause | None = None
    """The invocation that deploys; None for people."""
    inside_load: bool = False
    """A script deploys while it is being deployed: it must not wait for its own turn."""
    if_changed: bool = False
    """Do nothing if the serving version is made of the same files, entry and grants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedVersion:
    """A version that was built, loaded and checked, but does not serve yet."""

    new: NewVersion
    active: ActiveScript
    expected: int | None
    warnings: tuple[Problem, ...]
    changes: tuple[Any, ...] = ()
    """What its top level and `init` changed elsewhere: committed with it, before it."""
    steps: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFiles:
    """Files that may be built, and what was decided about them."""

    package: Package
    grants: frozenset[str]
    not_granted: tuple[Problem, ...]
    """A warning for each capability that was requested but not granted."""
    digest: str
    """Content address of all files."""


class Preparer:
    """
    Makes versions that could serve.

    Args:
        builder: Lowers them.
        invoker: Loads them.
        forget: Stops what runs a version when it is idle.
        current: What serves.
        loads: Where a load's registrations are found.
        stacks: Knows places in the author's files.
        threads: Where files are looked at: 25 MB of them would hold up the reactor.
        settings: What may be deployed.
        limits: What a load may use.
        capabilities: Those that there are, by name.
        reserved: Paths that scripts may not use.
        found_in_files: Find what files are registered as; read when something is deployed.
        milliseconds: The server's clock, since 1970.
        seconds: A clock for durations.
    """

    def __init__(
        self,
        *,
        builder: BuildService,
        invoker: Invoker,
        forget: Callable[[str], object],
        current: Current,
        loads: Loads[Any],
        stacks: Stacks,
        threads: Runs,
        settings: DeploySettings,
        limits: LimitSettings,
        capabilities: Capabilities,
        reserved: ReservedPaths,
        milliseconds: Callable[[], int],
        seconds: Callable[[], float],
        found_in_files: Sequence[FindEntries] = (),
    ) -> None:
        self._found_in_files = found_in_files
        self._builder = builder
        self._invoker = invoker
        self._forget = forget
        self._current = current
        self._loads = loads
        self._stacks = stacks
        self._threads = threads
        self._settings = settings
        self._limits = limits
        self._capabilities = capabilities
        self._reserved = reserved
        self._milliseconds = milliseconds
        self._seconds = seconds
        self._slots = DeferredSemaphore(MOST_AT_ONCE)
        self.numbers = VersionNumbers()
        """The numbers that versions have or will have."""

    async def prepare(self, request: DeployRequest, *, progress: Progress, keep_warm: bool) -> PreparedVersion:
        """
        Do everything up to the transaction.

        Args:
            progress: Called with each step.
            keep_warm: Leave the loaded child standing for the requests to come.

        Raises:
            DeploymentRefused: With every problem.
            Conflict: Another version serves than was expected.
            Invalid, TooMany, Unavailable: As they say.
        """
        check_uri(request.uri)
        check_message(request.message)
        self.expect(request.uri, request.expected)
        if request.cause is not None and len(request.cause.ancestors) > MOST_ANCESTORS:
            raise TooMany(f"Scripts that deploy scripts may do so {MOST_ANCESTORS} deep, no deeper.")
        if request.inside_load:
            return await self._prepare(request, progress, keep_warm=keep_warm)
        if len(self._slots.waiting) >= MOST_WAITING:
            raise TooMany("Too many deployments are waiting; try again.", retry_seconds=5.0)
        await self._slots.acquire()
        try:
            return await self._prepare(request, progress, keep_warm=keep_warm)
        finally:
            self._slots.release()

    async def examine(self, request: DeployRequest) -> CheckedFiles:
        """
        Check the files and decide the grants.

        Raises:
            DeploymentRefused: With every problem.
        """
        serving = self._current.registry.scripts.get(request.uri)

        def look() -> CheckedFiles:
            package = check_package(
                request.files,
                entry=request.entry,
                settings=self._settings,
                limits=self._limits,
                capabilities=self._capabilities,
                reserved=self._reserved,
            )
            grants, not_granted = decide_grants(request, package, serving=serving, known=self._capabilities)
            digest = digest_files(request.uri, package.files, entry=package.entry, grants=sorted(grants))
            return CheckedFiles(package=package, grants=grants, not_granted=not_granted, digest=digest)

        return await self._threads.run(look)

    def expect(self, uri: str, expected: int | None) -> None:
        """
        Refuse early what the transaction would refuse.

        Raises:
            Conflict: Another version serves.
        """
        serving = self._current.registry.scripts.get(uri)
        now = serving.number if serving else 0
        if expected is not None and expected != now:
            current = f"version {now} serves" if now else "none serves"
            expectation = f"version {expected}" if expected else "no version"
            raise Conflict(
                f'"{uri}" was expected to serve {expectation}, but {current}: someone else has changed it. '
                "Check it, then try again.",
                details={"uri": uri, "expected": expected, "current": now},
            )

    async def _prepare(self, request: DeployRequest, progress: Progress, *, keep_warm: bool) -> PreparedVersion:
        steps = _Steps(seconds=self._seconds, progress=progress)
        steps.begin("check")
        examined = await self.examine(request)
        package = examined.package
        steps.begin("build")
        built = await self._builder.build(
            entry=package.entry, files=package.files, manifest=package.manifest.as_json(), progress=steps.go_on
        )
        steps.begin("load")
        number = self.numbers.reserve(request.uri)
        new = _new_version(request, examined, built, number=number, now=self._milliseconds())
        bundle = await self._threads.run(bundle_of, new)
        good = False
        try:
            places = await self._stacks.of(bundle.version, bundle)
            sources = Sources(files=bundle.files, entry=package.entry, source_map=places.source_map)
            loaded, registered, changes, replaced = await self._load(bundle, examined, sources, cause=request.cause)
            steps.begin("validate")
            registered, not_served = await self._with_files(registered, new)
            warnings = (
                *package.warnings,
                *built.warnings,
                *warning_problems(loaded.warnings, sources=sources),
                *examined.not_granted,
                *not_served,
                *replaced,
                *nothing_registered(registered, entry=package.entry),
            )
            version = replace(new.version, registered=registered, warnings=warnings)
            active = active_script(version)
            # What is registered becomes a part of what serves, such as one schema: that may take a second.
            await self._threads.run(self._current.registry.with_script, active)
            good = True
        finally:
            if not good:
                self.numbers.release(request.uri, number)
            if not (good and keep_warm):
                self._forget(bundle.version)
        return PreparedVersion(
            new=replace(new, version=version, replay=loaded.replay),
            active=active,
            expected=request.expected,
            warnings=warnings,
            changes=changes,
            steps=steps.end(),
        )

    async def _load(
        self, bundle: Bundle, examined: CheckedFiles, sources: Sources, *, cause: Cause | None
    ) -> tuple[Any, RegisteredEntries, tuple[Any, ...], Sequence[Problem]]:
        invocation = self._invocation(bundle, cause)
        self._loads.expect(invocation.id, examined.grants)
        try:
            loaded = await self._invoker.load(bundle, invocation)
            book = self._loads.book(invocation.id)
            if book is not None:
                await book.carry_out()
        except (ScriptFailed, Conflict, TooMany, BudgetSpent) as error:
            # The last three are host calls' refusals that the script did not catch.
            whole = await self._find_every_refusal(bundle, examined, error, cause=cause)
            raise refused(await self._threads.run(failure_problems, whole, sources)) from error
        finally:
            load = self._loads.take(invocation.id)
        if load.book is None:
            return loaded, RegisteredEntries(), (), ()

        # A thread, for there may be thousands of entries.
        registered, problems = await self._threads.run(_placed, load.book, sources)
        return loaded, registered, tuple(load.changes), problems

    async def _find_every_refusal(
        self, bundle: Bundle, examined: CheckedFiles, error: EngineError, *, cause: Cause | None
    ) -> EngineError:
        """
        Return *error* with every registration that would be refused, not only with the first.

        The version is loaded once more, with calls that register something not throwing; that is not stored.
        """
        if not isinstance(error, ScriptFailed) or error.caught is None:
            return error
        invocation = self._invocation(bundle, cause, payload=str(error.caught))
        self._loads.expect(invocation.id, examined.grants)
        try:
            await self._invoker.load(bundle, invocation)
        except EngineError as whole:
            if isinstance(whole, ScriptFailed) and whole.refused:
                return whole
        finally:
            self._loads.take(invocation.id)
        return error

    async def _with_files(
        self, registered: RegisteredEntries, new: NewVersion
    ) -> tuple[RegisteredEntries, Sequence[Problem]]:
        """Return what a version registers below its base path, its files among it, and what is wrong with these."""
        version = new.version
        base = version.manifest.get("basePath", "")
        deployed = DeployedFiles(
            script=version.uri, version=version.id, base=base, files=new.files, at=version.deployed_at
        )

        def find() -> tuple[tuple[Entry, ...], list[Problem]]:
            entries = list(registered.entries)
            problems: list[Problem] = []
            for found_in in self._found_in_files:
                found, wrong = found_in(deployed)
                entries += unless_registered(found, registered.entries)
                problems += wrong
            return below(base, entries), problems

        entries, problems = await self._threads.run(find)
        return replace(registered, entries=entries), problems

    def _invocation(self, bundle: Bundle, cause: Cause | None, *, payload: str = "null") -> Invocation:
        """Make the invocation of a load: within the limits of the version's own manifest, which does not serve yet."""
        requested = bundle.manifest.get("limits", {})
        seconds = load_seconds(self._limits, requested)
        callee = Callee(
            kind="load",
            script=bundle.script,
            version=bundle.version,
            handler=None,
            label="load",
            allowance=replace(self._invoker.allowance(requested), wall_seconds=seconds, cpu_seconds=seconds),
        )
        return self._invoker.invocation(callee, ADMINISTRATOR, payload, cause=cause)


class VersionNumbers:
    """
    Assigns versions their numbers before they are stored: a version's id holds its number,
    and children know it by that id.
    """

    def __init__(self) -> None:
        self._highest: dict[str, int] = {}

    def restore(self, highest: Mapping[str, int]) -> None:
        """Begin with what the database holds, by URI."""
        self._highest = dict(highest)

    def highest(self, uri: str) -> int:
        """Return the highest number that a version of *uri* has; 0 if there is none."""
        return self._highest.get(uri, 0)

    def reserve(self, uri: str) -> int:
        """Return the next number."""
        self._highest[uri] = self.highest(uri) + 1
        return self._highest[uri]

    def release(self, uri: str, number: int) -> None:
        """Take a number back that nothing will have, if it is still the highest."""
        if self._highest.get(uri) == number:
            self._highest[uri] = number - 1
            if number == 1:
                del self._highest[uri]


def _placed(book: RegistrationBook, sources: Sources) -> tuple[RegisteredEntries, Sequence[Problem]]:
    """Return what was registered, and what is to be said about what replaced something."""
    registered = RegisteredEntries(entries=book.placed(sources.place), middleware=book.middleware)
    return registered, replaced_problems(book, sources)


def active_script(version: Version) -> ActiveScript:
    """Return what serves when *version* is current."""
    return ActiveScript(
        uri=version.uri,
        version=version.id,
        number=version.number,
        entries=version.registered.entries,
        middleware=version.registered.middleware,
        base=version.manifest.get("basePath", ""),
        hosts=tuple(version.manifest.get("hosts", ())),
        grants=version.grants,
        isolation=version.manifest.get("isolation"),
        limits=version.manifest.get("limits", {}),
        budgets={name: tuple(texts) for name, texts in version.manifest.get("budgets", {}).items()},
    )


def decide_grants(
    request: DeployRequest, package: Package, *, serving: ActiveScript | None, known: Capabilities
) -> tuple[frozenset[str], tuple[Problem, ...]]:
    """
    Decide what a version may do: what the administrator says, or said before.

    Args:
        known: The capabilities that there are.

    Returns:
        Its capabilities, and a warning for each that it asks for and does not get.

    Raises:
        DeploymentRefused: There is no such capability.
    """
    requested = frozenset(package.manifest.capabilities)
    grants = request.grants
    if grants is None:
        grants = serving.grants if serving else frozenset()
    else:
        grants, problems = known.granted(grants, requested=requested)
        if problems:
            raise refused(problems)
    if request.ceiling is not None:
        grants &= request.ceiling
    warnings = tuple(
        Problem(
            code="not_granted",
            severity="warning",
            message=f'The script requests the capability "{name}", which was not granted; its calls will be denied.',
            hint=f"Deploy with --grant {name}.",
        )
        for name in sorted(requested)
        if not known.allows(grants, name)
    )
    return grants, warnings


def check_message(message: str) -> str:
    """
    Return *message* if the history can keep it.

    Raises:
        Invalid: It is too long.
    """
    if len(message) > LONGEST_MESSAGE:
        raise Invalid(f"A message has at most {LONGEST_MESSAGE:,} characters; this one has {len(message):,}.")
    return message


def as_ms(seconds: float) -> float:
    """Return milliseconds as they are shown."""
    return round(seconds * 1000, 1)


class _Steps:
    """Measures and reports the steps of one deployment."""

    def __init__(self, *, seconds: Callable[[], float], progress: Progress) -> None:
        self._seconds = seconds
        self._progress = progress
        self._milliseconds: dict[str, float] = {}
        self._name = ""
        self._began = 0.0

    def begin(self, name: str) -> None:
        self.end()
        self._name, self._began = name, self._seconds()
        self._progress(name, "")

    def go_on(self, detail: str) -> None:
        """Report the progress of the step."""
        self._progress(self._name, detail)

    def end(self) -> dict[str, float]:
        if self._name:
            self._milliseconds[self._name] = as_ms(self._seconds() - self._began)
        return self._milliseconds


def _new_version(request: DeployRequest, examined: CheckedFiles, built: Any, *, number: int, now: int) -> NewVersion:
    package = examined.package
    version = Version(
        uri=request.uri,
        number=number,
        id=version_id(request.uri, number, examined.digest),
        digest=examined.digest,
        entry=package.entry,
        manifest=package.manifest.as_json(),
        grants=examined.grants,
        registered=RegisteredEntries(),
        warnings=(),
        toolchain=built.toolchain,
        author=request.author,
        message=request.message,
        origin=request.origin,
        deployed_at=now,
        size_bytes=package.size_bytes,
    )
    return NewVersion(version=version, files=package.files, source=built.source, source_map=built.source_map, replay="")
