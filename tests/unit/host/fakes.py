"""Small stand-ins for what the host floor is given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from aiwebengine.errors import DeploymentRefused, Problem
from aiwebengine.features.assets.calls import AssetCalls
from aiwebengine.features.assets.paths import StoredPaths
from aiwebengine.features.assets.store import NewAsset
from aiwebengine.features.management.logs import LogCalls
from aiwebengine.features.management.scripts import ScriptCalls, ScriptChange
from aiwebengine.features.sockets.options import SOCKET, SOCKET_CALL, check_socket
from aiwebengine.features.streams.options import STREAM, STREAM_CALL, check_stream
from aiwebengine.host.declare import Argument, HostCall
from aiwebengine.host.dispatch import Host
from aiwebengine.host.effects import Commits, UnitWork
from aiwebengine.host.registration.book import Registrations
from aiwebengine.host.registration.kinds import RegistrationKind
from aiwebengine.host.registration.routes import web_routes
from aiwebengine.host.registration_calls import MiddlewareCalls, RegistrationCalls
from aiwebengine.host.session import CallSession
from aiwebengine.host.turns import Turns
from aiwebengine.runtime.registry import Registry
from aiwebengine.services.db.units import Transaction, Write
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Invocation, LogLine, Receipt
from tests.support.fakes.invocations import an_invocation
from tests.support.fakes.script_databases import UnitsAlone
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.reserved import RESERVED

STREAMS = RegistrationKind(
    name=STREAM, functions=(STREAM_CALL,), noun="stream", nouns="streams", check=check_stream, takes_path=True
)
SOCKETS = RegistrationKind(
    name=SOCKET, functions=(SOCKET_CALL,), noun="WebSocket", nouns="WebSockets", check=check_socket, takes_path=True
)
"""As those of the engine, but nobody lets clients in."""


def invocation(kind: str = "http", script: str = "me", identity: str = "i1") -> Invocation:
    """Return one run of a script."""
    return an_invocation(id=identity, script=script, version=f"{script}@1-00", kind=kind)


def receipt(outcome: str = "committed") -> Receipt:
    """Return what a run cost."""
    return Receipt(invocation="i1", wall_seconds=0, cpu_seconds=0, host_calls={}, bytes_out=0, outcome=outcome)


class Everything:
    """The services behind the host's calls, in memory."""

    def __init__(self) -> None:
        self.scripts: dict[str, str] = {"me": "// me"}
        self.assets: dict[str, NewAsset] = {}
        self.lines: list[tuple[str, str, str]] = []
        self.routes: list[object] = []
        """Of each line, the field that names what was run; None if it has none."""
        self.receipts: list[str] = []
        self.refuse_deploy = False
        self.commits = 0
        self.units: list[str] = []
        self.withdrawn: list[str] = []
        self.problems: list[Problem] = []

    async def list_scripts(self) -> Sequence[str]:
        return list(self.scripts)

    async def read_entry(self, uri: str) -> str | None:
        return self.scripts.get(uri)

    async def prepare(self, invocation: Invocation, uri: str, source: str) -> str:
        if self.problems:
            raise DeploymentRefused("No.", problems=self.problems)
        return "built: " + source

    async def commit(self, invocation: Invocation, changes: Sequence[ScriptChange], work: UnitWork) -> None:
        if self.refuse_deploy:
            raise DeploymentRefused("No.", problems=[Problem(code="route_conflict", message="Taken by other.")])
        self.commits += 1
        for change in changes:
            if change.prepared is None:
                self.scripts.pop(change.uri, None)
            else:
                self.scripts[change.uri] = change.prepared.removeprefix("built: ")
        work.write(None)
        work.happened()

    async def list_paths(self, script: str) -> Sequence[str]:
        return list(self.assets)

    async def get(self, script: str, path: str) -> NewAsset | None:
        return self.assets.get(path)

    def keep_lines(self, invocation: Invocation, lines: Sequence[LogLine]) -> None:
        """Keep what was logged."""
        self.lines += [(invocation.script, line.level, line.message) for line in lines]
        self.routes += [line.fields.get("route") for line in lines]

    def transact(self, unit: str, write: Write) -> Deferred[None]:
        """Run a unit as a database would."""
        self.units.append(unit)
        return maybeDeferred(write, Transaction(connection=cast(Any, None), unit=unit, now=0))

    def check(self, path: str, content_type: str, content: bytes) -> NewAsset:
        return NewAsset(path=path, type=content_type, content=content)

    def write(self, _transaction: Transaction, _script: str, changes: Any, _rivals: Any) -> None:
        for path, asset in changes.items():
            if asset is None:
                self.assets.pop(path, None)
            else:
                self.assets[path] = asset

    async def messages(self, uri: str, limit: int) -> Sequence[str]:
        return [message for script, _, message in self.lines if script == uri][-limit:]


def host(
    behind: Everything,
    *kinds: RegistrationKind,
    granted: Sequence[str] = ("scripts", "assets", "logs"),
    limits: LimitSettings | None = None,
) -> Host:
    """Return a host over *behind*, at which plain routes and *kinds* may be registered."""
    scripts = ScriptCalls(
        list_scripts=behind.list_scripts,
        read_entry=behind.read_entry,
        prepare=behind.prepare,
        commit=behind.commit,
        max_source_bytes=5_000_000,
    )
    assets = AssetCalls(store=cast(Any, behind), stored=StoredPaths(), registry=Registry, max_bytes=5_000_000)
    commits = Commits(
        units=UnitsAlone(behind.transact, behind.withdrawn.append),
        published=lambda: None,
        milliseconds=lambda: 0,
        turns=Turns(clock=Clock(), longest_seconds=10),
    )
    commits.add("scripts", scripts)
    commits.add("assets", assets)
    commits.deploys(scripts.deploy, group="scripts")
    return Host(
        groups=[
            MiddlewareCalls(),
            RegistrationCalls((web_routes(limits or LimitSettings()), *kinds), threads=ThreadsInTurn()),
            scripts,
            assets,
            LogCalls(messages=behind.messages),
        ],
        commits=commits,
        capabilities=lambda invocation: frozenset(granted),
        registrations=lambda invocation: Registrations(invocation=invocation, reserved=RESERVED),
        keep_lines=behind.keep_lines,
        keep_failure=lambda invocation, error: None,
        keep_receipt=lambda invocation, receipt: behind.receipts.append(receipt.outcome),
        limits=limits or LimitSettings(),
        seconds=lambda: 0.0,
    )


WHAT = Argument(name="what", kind="any", optional=True, doc="Anything.")


class OneCall:
    """A group of one call that does what the test says."""

    def __init__(self, function: Any, argument: Argument = WHAT) -> None:
        self._function = function
        self.calls = (
            HostCall(
                name="probe",
                group="Tests",
                arguments=(argument,),
                returns="unknown",
                effect="none",
                doc="Tests.",
                example="probe()",
            ),
        )

    @property
    def functions(self) -> Any:
        return {"probe": self._function}


def probing(function: Any, *, argument: Argument = WHAT, **limits: Any) -> Host:
    """Return a host whose only call is `probe`."""
    return Host(
        groups=[OneCall(function, argument)],
        commits=cast(Any, None),
        capabilities=lambda invocation: frozenset(),
        registrations=lambda invocation: None,  # type: ignore[return-value]
        keep_lines=lambda invocation, lines: None,
        keep_failure=lambda invocation, error: None,
        keep_receipt=lambda invocation, receipt: None,
        limits=LimitSettings(**limits),
        seconds=lambda: 0.0,
    )


def ask(session: CallSession, name: str, *arguments: Any) -> Any:
    """Make a call whose answer is there at once; the decoded answer."""
    answer = session.call(name, json.dumps(arguments))
    if not isinstance(answer, str):
        results: list[str] = []
        answer.addCallback(results.append)
        assert results, "the call waits"
        answer = results[0]
    return json.loads(answer)
