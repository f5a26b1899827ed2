"""
What features are built on, and what they return.

`Machinery` is the floors of one engine, built and not started.  `Parts` is what one feature adds to
them.  Both are values: `assembly` fills the first, connects the second, and holds no policy.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from twisted.application.service import IService
from twisted.logger import Logger

from aiwebengine.build.builder import Builder
from aiwebengine.errors import CannotStart, EngineError, ScriptFailed
from aiwebengine.feature import API_VERSION, Feature
from aiwebengine.host.declare import nearest
from aiwebengine.host.dispatch import CallGroup, Host
from aiwebengine.host.effects import Commits, Effects
from aiwebengine.host.messages import Messages
from aiwebengine.host.registration.book import Registrations
from aiwebengine.host.registration.kinds import Registration, RegistrationKind
from aiwebengine.host.turns import Turns
from aiwebengine.interfaces import Redaction
from aiwebengine.observe.background import Background
from aiwebengine.observe.logs import ScriptLogs
from aiwebengine.observe.points import Passed
from aiwebengine.observe.watchdog import Watchdog
from aiwebengine.ports import Ports
from aiwebengine.runtime.invoker import Admission, Invoker
from aiwebengine.runtime.processes.zygote import Zygote
from aiwebengine.runtime.registry import Current
from aiwebengine.runtime.reserved import ReservedPaths
from aiwebengine.runtime.runner import Runner
from aiwebengine.runtime.runs.run import Run
from aiwebengine.scripts.access import ScriptAccess
from aiwebengine.scripts.deploy import Deployer
from aiwebengine.scripts.failures import Explain, Failures
from aiwebengine.scripts.loads import Loads
from aiwebengine.scripts.prepare import FindEntries
from aiwebengine.scripts.stacks import Stacks
from aiwebengine.scripts.store import ScriptStore
from aiwebengine.services.bus import Bus
from aiwebengine.services.bus_link import BusLink
from aiwebengine.services.db.chain import DatabaseName, MigrationChain
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.engines import SqliteEngines
from aiwebengine.services.db.joint import JointCommits
from aiwebengine.services.db.migrations.lists import MACHINERY_CHAINS
from aiwebengine.services.db.moving import MovedTable
from aiwebengine.services.db.per_script import ScriptDatabases
from aiwebengine.services.db.units import Units
from aiwebengine.services.guarded import GuardedDependency
from aiwebengine.services.outbox import Deliver, Relay
from aiwebengine.services.reactor.cooperative import CooperativeTasks
from aiwebengine.services.threads import Threads
from aiwebengine.settings.schema import Settings
from aiwebengine.values import ConsolePage, Invocation, Receipt
from aiwebengine.web.admission import AdmissionStep, Place
from aiwebengine.web.api.route import ApiResource, ApiRoute
from aiwebengine.web.events.sse import EventStreams
from aiwebengine.web.events.streams import StreamServer
from aiwebengine.web.handover import HandoverParticipant
from aiwebengine.web.site import OWN_PREFIXES, Responder
from aiwebengine.web.websocket.connection import WebSockets

if TYPE_CHECKING:
    # Loaded only where there is a Redis server: it brings OpenSSL with it.
    from aiwebengine.services.redis.client import RedisStore

_log = Logger()

_PARAMETER = re.compile(r"(?<=<)\w+(?=>)|(?<=:)\w+(?=>)")
"""The name of a parameter in a path of the management API, which does not distinguish routes."""


class Recording(Protocol):
    """Decides which invocations are recorded, and keeps what was recorded."""

    most_bytes: int
    """Most bytes of host calls and answers that are written down of one invocation."""

    def wanted(self, script: str, what: str) -> str:
        """Return how invocations of a script's handler are recorded; see `values.Invocation.recording`."""

    def keep(self, run: Run, outcome: str) -> None:
        """Keep a run that was recorded and is over."""


class Hooks:
    """
    The functions of features that the machinery calls during every invocation.

    Filled while features are built, read while the engine runs.
    """

    def __init__(self) -> None:
        self.admission: list[Admission] = []
        """Called before an invocation begins, in order; the first error refuses it."""
        self.ended: list[Callable[[Invocation, Receipt], None]] = []
        """Called with each invocation that has ended."""
        self.recording: Recording | None = None
        self.redactions: dict[str, Redaction] = {}
        """By version, what takes secrets out of its answers, errors, messages, log lines and recordings."""
        self.route_options: dict[str, Callable[[Registration, Any], Any]] = {}
        """Options of routes that features add; see `host.registration.routes.RouteOptions`."""
        self.found_in_files: list[FindEntries] = []
        """Find what the files of a version are registered as."""

    def recording_of(self, script: str, what: str) -> str:
        """See `Recording.wanted`; nothing is recorded if no feature records."""
        return self.recording.wanted(script, what) if self.recording is not None else ""

    def recorded(self, run: Run, outcome: str) -> None:
        """See `Recording.keep`."""
        if self.recording is not None:
            self.recording.keep(run, outcome)

    def recording_bytes(self) -> int:
        """See `Recording.most_bytes`; 0 if no feature records."""
        return self.recording.most_bytes if self.recording is not None else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What one feature adds to an engine."""

    groups: Sequence[CallGroup] = ()
    """Host calls that scripts may make."""
    effects: Mapping[str, Effects] = field(default_factory=dict)
    """By group name, who carries out the effects that these calls hold back."""
    deliver: Mapping[str, Deliver] = field(default_factory=dict)
    """By kind, who delivers the messages that these effects publish."""
    services: Sequence[tuple[str, Any]] = ()
    """
    Name and `IService`; started in order before scripts are restored, stopped in reverse.

    A start or stop that returns a Deferred has `observe.services.FEATURE_SECONDS` to finish.
    """
    api: Sequence[ApiResource] = ()
    """Routes of the management API."""
    responders: Sequence[Responder] = ()
    """What answers paths of its own."""
    admission: Sequence[AdmissionStep] = ()
    """What matched requests pass before their handlers are run."""
    kinds: Sequence[RegistrationKind] = ()
    """What scripts may register."""
    pages: Sequence[ConsolePage] = ()
    """What it shows to administrators: a console has a page for each."""
    state: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    """By name, figures for the state page, ready for JSON; one that raises is shown as `{"error": ...}`."""
    breakers: Sequence[GuardedDependency] = ()
    """Dependencies of its own, for health and state."""
    ending: Sequence[Callable[[], None]] = ()
    """Send clients away who would keep the listener from closing."""
    upkeep: Sequence[Callable[[Any], int]] = ()
    """Given a connection of the main database, remove a bounded number of old rows; return how many."""
    script_upkeep: Sequence[Callable[[Any], int]] = ()
    """The same for the database of each script."""
    moved: Sequence[MovedTable] = ()
    """Tables that lay in the main database and lie in those of scripts now."""
    handing: Sequence[HandoverParticipant] = ()
    """What it does when another process takes over from this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """What everything stands on: time, random numbers, data, and records of the past."""

    settings: Settings
    reactor: Any
    passed: Passed
    """Is notified of the points that an invocation passes; see `observe/points.py`."""
    folder: Path
    """Of data; absolute."""
    milliseconds: Callable[[], int]
    """The server's clock, since 1970."""
    seconds: Callable[[], float]
    """The same in seconds."""
    watchdog: Watchdog
    """Sees who holds the reactor."""
    random: Random
    entropy: Callable[[int], bytes]
    """Returns this many random bytes."""
    new_id: Callable[[], str]
    """Makes an id that no other invocation has."""
    alone: bool
    """No predecessor serves on the same data."""
    threads: Threads
    """Of the main database."""
    script_threads: Threads
    """Of the databases of scripts: a slow one does not block the main database."""
    evidence_threads: Threads
    unpacking_threads: Threads
    """For what takes long and lets the reactor go: archives, source maps, files."""
    tasks: CooperativeTasks
    """For what takes long and cannot leave the reactor."""
    sqlite: SqliteEngines
    """Makes the engines of all SQLite files."""
    database: Database
    evidence: Database
    """Logs, receipts and the like: never locked by what scripts write."""
    chains: Mapping[DatabaseName, Sequence[MigrationChain]]
    """The migrations of each database."""
    redis: RedisStore | None
    """What several servers share; None without `redis.url`."""
    background: Background
    store: ScriptStore
    stacks: Stacks
    logs: ScriptLogs


@dataclass(frozen=True, slots=True, kw_only=True)
class Machinery:
    """The floors of one engine, built and not started."""

    base: Foundation
    ports: Ports
    hooks: Hooks
    bus: Bus
    link: BusLink | None
    """Shares the bus with other servers; None without `redis.url`."""
    current: Current
    """What serves."""
    reserved: ReservedPaths
    """Paths at which scripts may register nothing."""
    routes: RegistrationKind
    """The one kind of registration that is there without any feature."""
    loads: Loads[Registrations]
    relay: Relay
    units: Units
    """Of the main database."""
    script_databases: ScriptDatabases
    """A database for each script."""
    joint: JointCommits
    """Commits units, in whichever databases they write."""
    turns: Turns
    commits: Commits
    host: Host
    zygote: Zygote
    runner: Runner
    """Has the processes; what is to run goes through `invoker`."""
    invoker: Invoker
    builder: Builder
    deployer: Deployer
    access: ScriptAccess
    failures: Failures
    keep_failure: Callable[[Invocation, ScriptFailed], None]
    """Write a failure into its script's log."""
    warn: Callable[[Invocation, str], None]
    """Write a warning into a script's log."""
    explain: Explain | None
    """Find the author's frames of a failure; None if they are not shown."""
    messages: Messages
    """Of scripts to clients."""
    event_streams: EventStreams
    stream_server: StreamServer
    sockets: WebSockets


def parts_of(feature: Feature, machinery: Machinery) -> Parts:
    """
    Make the parts of *feature*.

    Raises:
        CannotStart: It was made for another version of this seam, its parts are not where it says, making them
            fails, or something in them cannot be used.
    """
    build = _load(feature, feature.parts, what="Feature.parts")
    try:
        parts: Parts = build(machinery)
    except EngineError:
        raise
    except (Exception, SystemExit) as error:
        _log.failure("the feature {name} cannot be built", name=feature.name)
        raise CannotStart(
            f'The feature "{feature.name}" cannot be built ({feature.parts}): {type(error).__name__}: {error}. '
            "The server log has the traceback."
        ) from error
    if not isinstance(parts, Parts):
        raise CannotStart(
            f'The feature "{feature.name}" cannot be built ({feature.parts}): it returned a {type(parts).__name__}, '
            "not Parts."
        )
    for field_name, check in _CHECKS.items():
        try:
            problem = check(parts)
        except (Exception, SystemExit) as error:
            _log.failure("Parts.{field} of the feature {name} cannot be used", field=field_name, name=feature.name)
            raise CannotStart(
                f'Parts.{field_name} of the feature "{feature.name}" cannot be used: {_sentence(error)} '
                "The server log has the traceback."
            ) from error
        if problem:
            raise CannotStart(f'Parts.{field_name} of the feature "{feature.name}" cannot be used: {problem}')
    return parts


def _wrong_groups(parts: Parts) -> str:
    """Return what is wrong with the host calls; empty if nothing is."""
    for group in parts.groups:
        functions = group.functions
        for call in group.calls:
            if not callable(functions.get(call.name)):
                return f'{type(group).__name__}.functions has no function for "{call.name}".'
    return ""


def _wrong_effects(parts: Parts) -> str:
    for name, effects in parts.effects.items():
        for method in ("write", "happen"):
            if not callable(getattr(effects, method, None)):
                return f'what carries out "{name}" is a {type(effects).__name__}, which has no method "{method}".'
        database = getattr(effects, "database", None)
        if database not in {"script", "main"}:
            return (
                f'what carries out "{name}" is a {type(effects).__name__}, whose attribute "database" is {database!r}. '
                'Let it be "script" if it writes into the database of its script, and "main" if into the main one.'
            )
    return ""


def _wrong_services(parts: Parts) -> str:
    for name, service in parts.services:
        if IService(service, None) is None:
            return (
                f'the service "{name}" is a {type(service).__name__}, which is not an IService. Make it a subclass of '
                "twisted.application.service.Service."
            )
    return ""


def _wrong_api(parts: Parts) -> str:
    for resource in parts.api:
        for route in resource.routes():
            if not isinstance(route, ApiRoute):
                return f"{type(resource).__name__}.routes returned a {type(route).__name__}, not an ApiRoute."
    return ""


def _wrong_admission(parts: Parts) -> str:
    for step in parts.admission:
        if not isinstance(step, AdmissionStep):
            return f"it has a {type(step).__name__}, not an AdmissionStep."
        if not isinstance(step.place, Place):
            return f'the place of the step "{step.name}" is {step.place!r}; it must be one of Place, such as SHIELD.'
    return ""


_CHECKS: Mapping[str, Callable[[Parts], str]] = {
    "groups": _wrong_groups,
    "effects": _wrong_effects,
    "services": _wrong_services,
    "api": _wrong_api,
    "admission": _wrong_admission,
}
"""By field of `Parts`, returns what would otherwise fail later, where its origin is no longer known."""


def refuse_shared(features: Sequence[Feature], parts: Sequence[Parts], *, own: Parts) -> None:
    """
    Check that no two features answer for the same thing, and none for what the engine itself does.

    Args:
        own: What the engine has without any feature.

    Raises:
        CannotStart: Two would carry out the same effects, deliver the same messages, show state under one name or
            answer the same route of the management API; or a route does not belong to the management API.
    """
    taken: dict[tuple[str, str], str] = {}
    named = [
        ("", own),
        *((feature.name, feature_parts) for feature, feature_parts in zip(features, parts, strict=True)),
    ]
    for name, feature_parts in named:
        for what, key in _answered_for(name, feature_parts):
            if (what, key) in taken:
                raise CannotStart(_both(taken[what, key], name, what=what, key=key))
            taken[what, key] = name


def _answered_for(feature: str, parts: Parts) -> Iterator[tuple[str, str]]:
    """Yield what no other feature may answer for: the field of `Parts`, and a name or route."""
    for what in ("effects", "deliver", "state"):
        yield from ((what, name) for name in getattr(parts, what))
    for resource in parts.api:
        for route in resource.routes():
            if not route.path.startswith(OWN_PREFIXES):
                raise CannotStart(
                    f'The feature "{feature}" has the route "{route.method} {route.path}" in Parts.api, which no '
                    "request reaches. Let its path begin with /engine/api/."
                )
            path = _PARAMETER.sub("", route.path)
            yield "api", f"{route.method.upper()} {path}"


def _both(first: str, second: str, *, what: str, key: str) -> str:
    where = f'"{key}" in Parts.{what}'
    if not first:
        return f'The feature "{second}" has {where}, which is the engine\'s own. Give it another name.'
    if first == second:
        return f'The feature "{first}" has {where} twice. Remove one of the two.'
    return (
        f'The features "{first}" and "{second}" both have {where}. '
        "Give one of them another name, or leave one of the features out."
    )


def chains_of(features: Iterable[Feature]) -> Mapping[DatabaseName, Sequence[MigrationChain]]:
    """
    Return the migrations of each database: those of the machinery, then those of *features* in their order.

    Raises:
        CannotStart: A chain is not where a feature says, or two chains of one database have the same name.
    """
    chains = {name: list(own) for name, own in MACHINERY_CHAINS.items()}
    for feature in features:
        for name, places in feature.migrations.items():
            if name not in chains:
                raise CannotStart(
                    f'The feature "{feature.name}" names the database "{name}" in Feature.migrations; there are '
                    f"{', '.join(chains)}."
                )
            for place in places:
                chain = _load(feature, place, what=f'Feature.migrations["{name}"]')
                if not isinstance(chain, MigrationChain):
                    raise CannotStart(
                        f'The feature "{feature.name}" names {place} in Feature.migrations["{name}"], which is not a '
                        f"MigrationChain but a {type(chain).__name__}."
                    )
                if any(chain.name == other.name for other in chains[name]):
                    raise CannotStart(
                        f'The feature "{feature.name}" keeps tables in the {name} database under the name '
                        f'"{chain.name}" (MigrationChain.name), which is taken. Leave one of the two features out.'
                    )
                chains[name].append(replace(chain, reserved=name == "script"))
    return chains


def _load(feature: Feature, place: str, *, what: str) -> Any:
    """Return what stands at `module:name`, which *what* of the feature says."""
    if feature.api_version not in {None, API_VERSION}:
        raise CannotStart(
            f'The feature "{feature.name}" was made for version {feature.api_version} of the feature interface; '
            f"this server has version {API_VERSION}. Install a release of it that fits."
        )
    module, _, name = place.partition(":")
    try:
        loaded = importlib.import_module(module)
    except ImportError as error:
        raise CannotStart(f'The feature "{feature.name}" cannot be loaded: {what} is "{place}": {error}.') from error
    except (Exception, SystemExit) as error:
        _log.failure("the module {module} of the feature {name} cannot be loaded", module=module, name=feature.name)
        raise CannotStart(
            f'The feature "{feature.name}" cannot be loaded: {what} is "{place}": {_sentence(error)} '
            "The server log has the traceback."
        ) from error
    if not hasattr(loaded, name):
        suggestion = nearest(name, vars(loaded))
        raise CannotStart(
            f'The feature "{feature.name}" cannot be loaded: {what} is "{place}", but that module has no "{name}"'
            + (f'; did you mean "{suggestion}"?' if suggestion else ".")
        )
    return getattr(loaded, name)


def _sentence(error: BaseException) -> str:
    """Return what kind of error it is and what it says, as a sentence."""
    return f"{type(error).__name__}: {error}".rstrip(". ") + "."
