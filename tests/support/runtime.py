"""
The runtime with the real sandbox, a host that answers from a table, and scripts in memory.

    async with running_runtime() as runtime:
        await runtime.load("one", 'registerWebHandler("/", function (req) { return req.path; });')
        seen = await runtime.run("one")
        seen.answer.body
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred

from aiwebengine.errors import EngineError, NotFound
from aiwebengine.runtime.processes.zygote import Zygote
from aiwebengine.runtime.registry import Current
from aiwebengine.runtime.runner import LoadReport, Runner
from aiwebengine.runtime.runs.run import Run
from aiwebengine.settings.schema import LimitSettings, PoolSettings
from aiwebengine.values import Answer, Bundle, HandlerRef, Invocation, LogLine, Receipt
from tests.support.fakes.invocations import an_invocation
from tests.support.sandbox import SURFACE
from tests.support.shared.sandboxes import KeptZygote
from tests.support.waiting import PATIENCE_SECONDS, until

Call = Callable[[list[Any]], Any]
"""Answers a host call: a value, a Deferred of one, or a raised `EngineError`."""


class Seen:
    """
    Who waits for an answer, and keeps all that comes.

    Args:
        take: Called with each piece of a stream and what is to be called when it is taken; None: at once.
    """

    def __init__(self, take: Callable[[bytes, Callable[[], None]], None] | None = None) -> None:
        self._take = take
        self.done: Deferred[Seen] = Deferred()
        self.head: Answer | None = None
        self.whole: Answer | None = None
        self.pieces: list[bytes] = []
        self.error: EngineError | None = None

    @property
    def answer(self) -> Answer:
        """Return the whole answer; a failure is raised."""
        if self.error is not None:
            raise self.error
        assert self.whole is not None
        return self.whole

    @property
    def value(self) -> Any:
        """Return the JSON of the whole answer."""
        return json.loads(self.answer.body)

    def answered(self, answer: Answer) -> None:
        """See `sink.Sink`."""
        self.whole = answer
        self.done.callback(self)

    def started(self, answer: Answer) -> None:
        """See `sink.Sink`."""
        self.head = answer

    def write(self, data: bytes, done: Callable[[], None]) -> None:
        """See `sink.Sink`."""
        self.pieces.append(data)
        if self._take is None:
            done()
        else:
            self._take(data, done)

    def finished(self) -> None:
        """See `sink.Sink`."""
        self.done.callback(self)

    def failed(self, error: EngineError) -> None:
        """See `sink.Sink`."""
        self.error = error
        self.done.callback(self)


class TableHost:
    """A host whose calls are a table; it keeps what it was told."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {"register.route": lambda _: None, "register.middleware": lambda _: None}
        self.asked: list[tuple[str, list[Any]]] = []
        self.lines: list[LogLine] = []
        self.heard: Callable[[LogLine], object] = lambda _: None
        """Told of each line, at once."""
        self.receipts: list[Receipt] = []
        self.committed: list[str] = []
        self.commit: Callable[[], Deferred[None] | None] = lambda: None

    def begin(self, invocation: Invocation) -> _Session:
        """See `interfaces.HostCalls`."""
        return _Session(self, invocation)

    def account(self, invocation: Invocation, receipt: Receipt) -> None:
        """See `interfaces.HostCalls`."""
        self.begin(invocation).end(receipt)


class _Session:
    def __init__(self, host: TableHost, invocation: Invocation) -> None:
        self._host = host
        self._invocation = invocation
        self.units = self.rows = 0
        self.cpu_seconds = 0.0

    def call(self, name: str, argument: str) -> Deferred[str] | str:
        try:
            given = json.loads(argument)
        except (ValueError, RecursionError):
            return '{"err":{"code":"invalid","message":"the arguments are not JSON"}}'
        self._host.asked.append((name, given))
        if name not in self._host.calls:
            return '{"err":{"code":"invalid","message":"there is no such call"}}'
        try:
            value = self._host.calls[name](given)
        except EngineError as error:
            return json.dumps({"err": {"code": error.code, "message": error.public, "call": name}})
        if isinstance(value, Deferred):
            return value.addCallback(lambda later: json.dumps({"ok": later}))
        return json.dumps({"ok": value})

    def log(self, lines: Sequence[LogLine]) -> None:
        self._host.lines += lines
        for line in lines:
            self._host.heard(line)

    def failed(self, error: EngineError) -> None:
        """Keep nothing: the sink is told."""

    def keep(self, answer: Answer | None) -> None:
        """Keep nothing: nothing is asked twice here."""

    def commit(self) -> Deferred[None] | None:
        self._host.committed.append(self._invocation.id)
        self.units += 1
        return self._host.commit()

    @property
    def repeatable(self) -> bool:
        return True

    def withdraw(self) -> None:
        """Go on: what is committed here cannot be taken back."""

    def end(self, receipt: Receipt) -> None:
        self._host.receipts.append(receipt)


class MemorySource:
    """Scripts in memory."""

    def __init__(self) -> None:
        self.bundles: dict[str, Bundle] = {}

    async def bundle(self, version: str) -> Bundle:
        """See `interfaces.ScriptSource`."""
        if version not in self.bundles:
            raise NotFound(f"There is no version {version}.")
        return self.bundles[version]


class RuntimeUnderTest:
    """
    A running runtime.

    Args:
        runner: Runs.
        zygote: Its sandbox.
        source: Its scripts.
        host: Its host.
    """

    def __init__(self, *, runner: Runner, zygote: Zygote, source: MemorySource, host: TableHost) -> None:
        self.runner = runner
        self.zygote = zygote
        self.source = source
        self.host = host
        self._count = 0

    async def load(
        self, version: str, source: str, *, manifest: Mapping[str, Any] | None = None, wall: float = 2.0
    ) -> LoadReport:
        """Load a version for the first time and keep it, with its journal."""
        bundle = Bundle(
            script=version, version=version, source=source, source_map="", files={}, manifest=manifest or {}
        )
        loaded = await self.runner.load(bundle, self.invocation(version, kind="load", wall=wall))
        self.source.bundles[version] = replace(bundle, replay=loaded.replay)
        return loaded

    def invocation(
        self, version: str, *, handler: int = 0, kind: str = "http", wall: float = 5.0, path: str = "/"
    ) -> Invocation:
        """Make an invocation."""
        self._count += 1
        request = {"method": "GET", "path": path, "url": "http://x" + path, "headers": {}, "ip": "::1", "id": "r"}
        return an_invocation(
            id=f"i{self._count}",
            script=version,
            version=version,
            kind=kind,
            handler=HandlerRef(id=handler, name=""),
            payload=json.dumps(request),
            wall_seconds=wall,
            cpu_seconds=wall,
        )

    def start(self, version: str, seen: Seen | None = None, **members: Any) -> tuple[Run, Seen]:
        """Begin a run."""
        seen = seen or Seen()
        return self.runner.run(self.invocation(version, **members), seen), seen

    async def run(self, version: str, **members: Any) -> Seen:
        """Run to the end."""
        return await self.ended(self.start(version, **members)[1])

    async def ended(self, seen: Seen) -> Seen:
        """Wait for the end of a run; an error after PATIENCE_SECONDS."""
        return await seen.done.addTimeout(PATIENCE_SECONDS, _clock())

    def group(self, version: str) -> Any:
        """Return the figures of one version."""
        return next(state for state in self.runner.state()["versions"] if state["version"] == version)

    def pids(self, version: str, *, busy: bool | None = None) -> list[int]:
        """Return the pids of a version's clones."""
        clones = self.group(version)["clones"]
        return [clone["pid"] for clone in clones if clone["pid"] and busy in (None, clone["busy"])]

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Wait as `waiting.until` does; a failure shows the state of the runner."""
        return await until(condition, state=self.runner.state)


def _clock() -> Any:
    return reactor


@asynccontextmanager
async def running_runtime(
    *, limits: LimitSettings | None = None, pool: PoolSettings | None = None
) -> AsyncIterator[RuntimeUnderTest]:
    """Run a runtime for the length of a `with` block."""
    source, host = MemorySource(), TableHost()
    zygote = KeptZygote(reactor=reactor, surface=lambda: SURFACE)
    runner = Runner(
        reactor=reactor,
        zygote=zygote,
        source=source,
        host=host,
        current=Current(),
        limits=limits or LimitSettings(),
        pool=pool or PoolSettings(max_running=4),
        cores=2,
        wall=time.time,
        entropy=os.urandom,
    )
    zygote.startService()
    runner.startService()
    try:
        await zygote.when_ready()
        yield RuntimeUnderTest(runner=runner, zygote=zygote, source=source, host=host)
    finally:
        runner.stopService()
        stopping = zygote.stopService()
        if stopping is not None:
            await stopping
