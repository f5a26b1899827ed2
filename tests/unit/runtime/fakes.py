"""A runner over a forker that the test plays, a host that keeps what it is told, and a sink."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from aiwebengine.errors import EngineError, NotFound
from aiwebengine.runtime.registry import Current
from aiwebengine.runtime.runner import Runner
from aiwebengine.runtime.wire.control import Control
from aiwebengine.settings.schema import LimitSettings, PoolSettings
from aiwebengine.values import Answer, Bundle, HandlerRef, Invocation, LogLine, Receipt
from tests.support.fakes.invocations import an_invocation
from tests.support.fakes.processes import FakeChild, Forker, HandReactor, Request


class FakeZygote:
    """A sandbox that the test plays."""

    def __init__(self, reactor: HandReactor) -> None:
        self.forker = Forker(reactor)
        self.report: dict[str, Any] = {"landlock": True}
        self.pid = 1
        self.restarts = 0
        self.ready = True
        self.tended: list[float] = []

    def control(self) -> Control | None:
        """See `zygote.Zygote`."""
        return self.forker.control if self.forker.control.is_open else None

    def on_death(self, died: Any) -> None:
        """See `zygote.Zygote`; tests say themselves that it died."""

    def when_ready(self) -> Deferred[None]:
        """See `zygote.Zygote`."""
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def tend(self, now: float) -> None:
        """See `zygote.Zygote`."""
        self.tended.append(now)


class FakeSource:
    """Scripts in memory."""

    def __init__(self) -> None:
        self.bundles: dict[str, Bundle] = {}
        self.error: EngineError | Exception | None = None
        self.reads = 0

    async def bundle(self, version: str) -> Bundle:
        """See `interfaces.ScriptSource`."""
        self.reads += 1
        if self.error is not None:
            raise self.error
        if version not in self.bundles:
            raise NotFound("There is no such version.")
        return self.bundles[version]


class FakeHost:
    """A host that keeps what it is told."""

    def __init__(self) -> None:
        self.answers: dict[str, Deferred[str] | str] = {}
        self.lines: list[LogLine] = []
        self.receipts: list[Receipt] = []
        self.failures: list[EngineError] = []
        self.commits: list[Deferred[None] | Exception | None] = []
        """What the next commits give, in order; None beyond them."""
        self.committed = 0
        self.units = 0
        self.repeatable = True
        self.withdrawn = 0
        self.rows = 0
        self.cpu_seconds = 0.0
        self.kept: list[Answer | None] = []

    def begin(self, invocation: Invocation) -> FakeHost:
        """See `interfaces.HostCalls`; it is its own session."""
        assert invocation.id
        return self

    def account(self, invocation: Invocation, receipt: Receipt) -> None:
        """See `interfaces.HostCalls`."""
        assert invocation.id
        self.end(receipt)

    def call(self, name: str, argument: str) -> Deferred[str] | str:
        """See `interfaces.HostSession`."""
        assert argument.isascii()
        return self.answers.get(name, '{"ok":null}')

    def log(self, lines: Sequence[LogLine]) -> None:
        """See `interfaces.HostSession`."""
        self.lines += lines

    def failed(self, error: EngineError) -> None:
        """See `interfaces.HostSession`."""
        self.failures.append(error)

    def keep(self, answer: Answer | None) -> None:
        """See `interfaces.HostSession`."""
        self.kept.append(answer)

    def commit(self) -> Deferred[None] | None:
        """See `interfaces.HostSession`."""
        self.committed += 1
        result = self.commits.pop(0) if self.commits else None
        if isinstance(result, Exception):
            raise result
        self.units += result is not None
        return result

    def withdraw(self) -> None:
        """See `interfaces.HostSession`."""
        self.withdrawn += 1

    def end(self, receipt: Receipt) -> None:
        """See `interfaces.HostSession`."""
        self.receipts.append(receipt)


class FakeSink:
    """Who waits; keeps everything in order."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.taken: list[Callable[[], None]] = []

    def answered(self, answer: Answer) -> None:
        """See `sink.Sink`."""
        self.received.append(("answered", answer.status, answer.body))

    def started(self, answer: Answer) -> None:
        """See `sink.Sink`."""
        self.received.append(("started", answer.status))

    def write(self, data: bytes, done: Callable[[], None]) -> None:
        """See `sink.Sink`."""
        self.received.append(("write", data))
        self.taken.append(done)

    def finished(self) -> None:
        """See `sink.Sink`."""
        self.received.append("finished")

    def failed(self, error: EngineError) -> None:
        """See `sink.Sink`."""
        self.received.append(("failed", error.code))


class Scene:
    """
    A runner and everything around it.

    Args:
        limits: Of invocations.
        pool: Of processes.
    """

    def __init__(self, *, limits: LimitSettings | None = None, pool: PoolSettings | None = None) -> None:
        self.reactor = HandReactor()
        self.reactor.advance(1000)
        self.zygote = FakeZygote(self.reactor)
        self.source = FakeSource()
        self.host = FakeHost()
        self.current = Current()
        zygote: Any = self.zygote
        self.runner = Runner(
            reactor=self.reactor,
            zygote=zygote,
            source=self.source,
            host=self.host,
            current=self.current,
            limits=limits or LimitSettings(),
            pool=pool or PoolSettings(max_running=2),
            cores=1,
            wall=lambda: 1_700_000_000.0,
            entropy=bytes,
        )
        self.runner.startService()
        self.templates: list[FakeTemplate] = []
        self._count = 0
        self.script = "s"
        """Whose versions are made and run."""

    def close(self) -> None:
        """Stop the runner and close what is open."""
        self.runner.stopService()
        for template in self.templates:
            template.close()
        self.zygote.forker.close()
        self.zygote.forker.control.close()
        for call in self.reactor.getDelayedCalls():
            call.cancel()

    def bundle(self, version: str = "v", *, replay: str = "", manifest: dict[str, Any] | None = None) -> Bundle:
        """Make a version and keep it."""
        bundle = Bundle(
            script=self.script,
            version=version,
            source="",
            source_map="",
            files={},
            replay=replay,
            manifest=manifest or {},
        )
        self.source.bundles[version] = bundle
        return bundle

    def invocation(self, version: str = "v", *, wall: float = 2.0, kind: str = "http") -> Invocation:
        """Make an invocation."""
        self._count += 1
        return an_invocation(
            id=f"i{self._count}",
            script=self.script,
            version=version,
            kind=kind,
            handler=HandlerRef(id=0, name=""),
            wall_seconds=wall,
        )

    def run(self, version: str = "v", *, wall: float = 2.0) -> tuple[Any, FakeSink]:
        """Begin a run."""
        sink = FakeSink()
        return self.runner.run(self.invocation(version, wall=wall), sink), sink

    def template(self) -> FakeTemplate:
        """Return the template that was asked for last, which has not loaded yet."""
        asked = [request for request in self.zygote.forker.requests() if request.content["op"] == "template"]
        assert asked, "no template was asked for"
        template = FakeTemplate(self, asked[-1])
        self.templates.append(template)
        return template

    def serving(self, version: str = "v") -> FakeTemplate:
        """Return a template of *version* that a deployment has loaded."""
        bundle = self.bundle(version)
        loading = Deferred.fromCoroutine(self.runner.load(bundle, self.invocation(version, kind="load")))
        template = self.template()
        template.load()
        assert loading.called
        return template

    def go(self, seconds: float) -> None:
        """Let time pass in ticks of the runner."""
        for _ in range(round(seconds / 0.025)):
            self.reactor.advance(0.025)
            self.reactor.turn(1)


class FakeTemplate:
    """
    The other ends of a template: its load, its forks.

    Args:
        scene: Where it is.
        request: With which it was asked for.
    """

    def __init__(self, scene: Scene, request: Request) -> None:
        self._scene = scene
        self._number = int(request.content["id"])
        self.data = FakeChild(request.sockets[0])
        self.forker = Forker(scene.reactor, request.sockets[1])
        self.children: list[FakeChild] = []
        self.numbers: list[int] = []
        self.to_kill: list[int] = []
        """Places in `children` of those whose end was asked for."""
        self.exited: set[int] = set()
        """Places in `children` of those whose end was told."""

    def load(self, **result: Any) -> None:
        """Answer the load."""
        self._scene.zygote.forker.forked(self._number, 99)
        box = self.data.take()
        assert box is not None
        self.data.send(json.dumps({"handlers": 1, "names": [], "warnings": [], **result}).encode(), answer=b"1")
        self._scene.reactor.turn()

    def clones(self) -> list[FakeChild]:
        """Return every clone that was asked for since the last time, with its number beside it in `numbers`."""
        new = []
        for request in self.forker.requests():
            if request.content["op"] == "clone":
                numbers = request.content.get("ids") or [request.content["id"]]
                for number, sock in zip(numbers, request.sockets, strict=True):
                    self.numbers.append(int(number))
                    with contextlib.suppress(BrokenPipeError):
                        self.forker.forked(self.numbers[-1])
                    new.append(FakeChild(sock))
            elif request.content["op"] == "kill":
                self.to_kill.append(self.numbers.index(request.content["id"]))
        self.children += new
        return new

    def born(self) -> list[FakeChild]:
        """Return every clone that was asked for since the last time, and tell that it runs."""
        new = self.clones()
        for number in self.numbers[len(self.numbers) - len(new) :]:
            self.forker.forked(number)
        return new

    def reap(self, status: int) -> None:
        """Tell the end of every clone that has closed its socket, or should be killed."""
        for index, child in enumerate(self.children):
            gone = child.sock.fileno() < 0 or child.deserted
            if index not in self.exited and (gone or index in self.to_kill):
                self.exit(index, status)

    def exit(self, index: int, status: int) -> None:
        """Tell that a clone has ended."""
        self.children[index].close()
        self.exited.add(index)
        self.forker.exit(self.numbers[index], status)
        self._scene.reactor.turn()

    def die(self, status: int = 9) -> None:
        """End the template, and with it its clones."""
        self.close()
        self._scene.zygote.forker.exit(self._number, status)
        self._scene.reactor.turn()

    def close(self) -> None:
        """Close every end."""
        self.clones()
        self.data.close()
        self.forker.close()
        for child in self.children:
            child.close()
