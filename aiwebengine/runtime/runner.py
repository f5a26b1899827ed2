"""
Running scripts in child processes; `invoker.py` is the one way here.

    run     one invocation of a serving version, answered through a `sink.Sink`
    load    top level and `init` of a new version, in a fresh template
    forget  a version that serves no longer
    rest    a version that another has replaced
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from aiwebengine.errors import EngineError, Unavailable
from aiwebengine.interfaces import HostCalls, Redaction, ScriptSource
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.observe.watchdog import ReactorPulse, unwatched_pulse
from aiwebengine.runtime.group import ProcessGroup
from aiwebengine.runtime.processes.slots import Slots
from aiwebengine.runtime.processes.stock import StockLimit
from aiwebengine.runtime.processes.template import Template
from aiwebengine.runtime.processes.terms import GroupContext, RunTerms, check_loaded
from aiwebengine.runtime.processes.zygote import Zygote
from aiwebengine.runtime.registry import Current
from aiwebengine.runtime.runs.run import Run, RunContext
from aiwebengine.runtime.runs.run_recording import RunRecording
from aiwebengine.runtime.runs.sink import Sink
from aiwebengine.runtime.wire.failure import disconnected
from aiwebengine.settings.schema import LimitSettings, PoolSettings
from aiwebengine.settings.script_env import ScriptEnv
from aiwebengine.values import Bundle, Invocation, Receipt

_log = Logger()

_TICK_SECONDS = 0.025
_GRACE_SECONDS = 0.025
_TEND_SECONDS = 1.0
_MOST_RESTING = 4
_MOST_RESTING_BYTES = 96 * 1024 * 1024
# A run that has had the processor for this long gets less of it than short ones, as in any fair scheduler.
_LONG_SECONDS = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What loading a version came to."""

    version: str
    handlers: int
    middleware: tuple[int, ...]
    names: tuple[str, ...]
    warnings: tuple[Mapping[str, Any], ...]
    """As the kernel reported: `code`, `message`, perhaps `stack`."""
    replay: str
    """The journal; belongs into the version's bundle."""


class Runner(Service):
    """
    See the module.

    Args:
        reactor: Watches sockets, calls later.
        zygote: Forks.
        source: Where versions are read.
        host: Where host calls go.
        current: What serves, for the terms of a version.
        limits: What an invocation may use.
        pool: How many processes there may be.
        cores: Of the machine.
        wall: Seconds since 1970.
        entropy: Random bytes for the scripts' seeds.
        passed: Is notified of the points on the way.
        recorded: Called with each recorded run, with its outcome.
        recording_bytes: Most bytes of calls and answers that are written down of one run.
        env: The plain settings of scripts.
        redactions: By version, what takes secrets out of what its runs say; read at each run.
    """

    # Long: keeps each argument under its name.
    def __init__(
        self,
        *,
        reactor: Any,
        zygote: Zygote,
        source: ScriptSource,
        host: HostCalls,
        current: Current,
        limits: LimitSettings,
        pool: PoolSettings,
        cores: int,
        wall: Callable[[], float],
        entropy: Callable[[int], bytes],
        passed: Passed = unwatched,
        recorded: Callable[[Run, str], None] | None = None,
        recording_bytes: Callable[[], int] = lambda: 1024 * 1024,
        pulse: ReactorPulse | None = None,
        redactions: Mapping[str, Redaction] | None = None,
        env: ScriptEnv | None = None,
    ) -> None:
        self._reactor = reactor
        self._seconds: Callable[[], float] = reactor.seconds
        self._zygote = zygote
        zygote.on_death(self.sandbox_died)
        self._host = host
        self._current = current
        self._limits = limits
        self._pool = pool
        self._cores = cores
        self._wall = wall
        self._passed = passed
        self._recorded = recorded
        self._recording_bytes = recording_bytes
        self._redactions: Mapping[str, Redaction] = redactions if redactions is not None else {}
        self._pulse = pulse or unwatched_pulse()
        self._groups: dict[str, ProcessGroup] = {}
        self._retiring: set[ProcessGroup] = set()
        self._resting: dict[str, int] = {}
        """Replaced versions whose templates are kept, the oldest first, with the memory of each in bytes."""
        self._active: set[Run] = set()
        self._tick: IDelayedCall | None = None
        self._tended = 0.0
        self._draining: list[Deferred[None]] = []
        self._completed = 0
        self._slots = Slots(total=pool.max_running_all or 8 * cores)
        self._stock_limit = StockLimit(pool.max_ready)
        self._weights = {uri: float(number) for uri, _, number in (text.rpartition("=") for text in pool.weights)}
        numbers: Iterator[int] = count(1)
        self._context = GroupContext(
            reactor=reactor,
            zygote=zygote.control,
            next_number=numbers.__next__,
            source=source,
            slots=self._slots,
            stock_limit=self._stock_limit,
            pool=pool,
            cores=cores,
            limits=limits,
            seconds=self._seconds,
            wall=wall,
            entropy=entropy,
            env=env or ScriptEnv(),
        )

    def startService(self) -> None:
        """Begin to watch deadlines."""
        super().startService()
        self._tick = self._reactor.callLater(_TICK_SECONDS, self._ticked)

    def stopService(self) -> None:
        """End every process; current runs fail."""
        super().stopService()
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        for group in (*self._groups.values(), *self._retiring):
            group.stop()
        self._groups.clear()
        self._retiring.clear()
        self._resting.clear()

    def drained(self) -> Deferred[None]:
        """Wait until nothing runs."""
        done: Deferred[None] = Deferred(self._draining.remove)
        if not self._active:
            done.callback(None)
        else:
            self._draining.append(done)
        return done

    def replay(self, invocation: Invocation, sink: Sink, host: HostCalls) -> Run:
        """Run an invocation over again, with *host* answering from its recording."""
        group = self._group(invocation.version, invocation.script)
        run = self._make(invocation, sink, group, host)
        self._active.add(run)
        group.submit(run)
        return run

    def run(self, invocation: Invocation, sink: Sink) -> Run:
        """
        Run one invocation.

        Returns:
            A handle with `cancel()`, for when the client has disconnected.
        """
        version = invocation.version
        group = self._groups.get(version) or self._group(version, invocation.script)
        run = self._make(invocation, sink, group)
        self._active.add(run)
        group.submit(run)
        return run

    def refuse(self, invocation: Invocation, sink: Sink, error: EngineError) -> Run:
        """Have an invocation fail with *error* before it has begun; returns its run, which is over."""
        run = self._make(invocation, sink, self._group(invocation.version, invocation.script))
        self._active.add(run)
        run.refuse(error)
        return run

    def cancel(self, run: Run) -> None:
        """End a run whose client has disconnected: at once if it waits, within 50 ms if it runs."""
        run.cancel()
        if run.ended or run.in_hand:
            return
        for group in (*self._groups.values(), *self._retiring):
            if group.version == run.invocation.version and group.withdraw(run):
                run.refuse(disconnected())
                return

    async def load(self, bundle: Bundle, invocation: Invocation) -> LoadReport:
        """
        Run top level and `init` of a version that does not serve yet, and keep its template.

        Raises:
            ScriptFailed: It threw, or its process died.
            Unavailable: The sandbox is not there.
        """
        await self._zygote.when_ready()
        group = self._group(bundle.version, bundle.script, manifest=bundle.manifest)
        session = self._host.begin(invocation)
        started = self._seconds()
        outcome = "cancelled"
        template: Template | None = None
        loaded: Template | None = None
        group.begin_deployment()
        try:
            template, journal = group.first_load(bundle=bundle, session=session, invocation=invocation)
            report = await template.loaded
            handlers, names, warnings = check_loaded(report)
            committed = session.commit()
            if committed is not None:
                await committed
            loaded, outcome = template, "committed"
            return LoadReport(
                version=bundle.version,
                handlers=handlers,
                middleware=(),
                names=names,
                warnings=warnings,
                replay=journal.text(),
            )
        except EngineError as error:
            outcome = error.code
            raise
        except CancelledError:
            outcome = "cancelled"
            raise
        finally:
            group.end_deployment(loaded)
            if outcome != "committed":
                if template is not None:
                    template.kill(outcome)
                if group.quiet and group.idle:
                    self._groups.pop(bundle.version, None)
            session.end(
                Receipt(
                    invocation=invocation.id,
                    wall_seconds=self._seconds() - started,
                    cpu_seconds=0.0,
                    host_calls={},
                    bytes_out=0,
                    outcome=outcome,
                )
            )

    def expect(self, version: str, script: str, manifest: Mapping[str, Any]) -> None:
        """Have a process ready for the first request to a version that is about to serve; see `forget`."""
        if self.running:
            self._resting.pop(version, None)
            self._group(version, script, manifest=manifest).expect()

    def rest(self, version: str) -> None:
        """
        Keep the template of a version that another has replaced, so that it serves at once after a rollback.

        It ends when it was not used for as long as any template, or when there are too many, or they are too large.
        One that could not serve at once is forgotten.
        """
        group = self._groups.get(version)
        size_bytes = group.rest() if group is not None else None
        if size_bytes is None:
            self.forget(version)
            return
        self._resting.pop(version, None)
        self._resting[version] = size_bytes
        while len(self._resting) > _MOST_RESTING or sum(self._resting.values()) > _MOST_RESTING_BYTES:
            self.forget(next(iter(self._resting)))

    def forget(self, version: str) -> None:
        """Stop what runs *version* when it is idle."""
        self._resting.pop(version, None)
        group = self._groups.pop(version, None)
        if group is None:
            return
        group.retire()
        if not group.quiet:
            self._retiring.add(group)

    def sandbox_died(self) -> None:
        """Handle the death of the zygote and of all processes with it."""
        if self.running:
            self._zygote.when_ready().addCallbacks(lambda _: self._sandbox_back(), lambda _: None)

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""
        return {
            "sandbox": {
                "pid": self._zygote.pid,
                "ready": self._zygote.ready,
                "restarts": self._zygote.restarts,
                "lockdown": dict(self._zygote.report),
            },
            "slots": self._slots.state(),
            "stock": self._stock_limit.state(),
            "running": sum(group.busy for group in (*self._groups.values(), *self._retiring)),
            "active": len(self._active),
            "completed": self._completed,
            "versions": [group.state() for group in (*self._groups.values(), *self._retiring)],
        }

    def _make(self, invocation: Invocation, sink: Sink, group: ProcessGroup, host: HostCalls | None = None) -> Run:
        context = group.run_context
        if host is not None:
            context = replace(context, host=host)
        recording, redaction = None, self._redactions.get(invocation.version)
        if invocation.recording and self._recorded is not None:
            recording = RunRecording(most_bytes=self._recording_bytes(), redaction=redaction)
        return Run(invocation=invocation, sink=sink, context=context, recording=recording, redaction=redaction)

    def _group(self, version: str, script: str, *, manifest: Mapping[str, Any] | None = None) -> ProcessGroup:
        return self._groups.get(version) or self._new_group(version, self._terms(script, manifest))

    def _new_group(self, version: str, terms: RunTerms) -> ProcessGroup:
        run_context = RunContext(
            host=self._host,
            limits=self._limits,
            memory_bytes=terms.memory_bytes,
            seconds=self._seconds,
            wall=self._wall,
            ended=self._run_ended,
            again=self._run_again,
            passed=self._passed,
            recorded=self._recorded,
            pulse=self._pulse,
        )
        group = ProcessGroup(version=version, terms=terms, context=self._context, run_context=run_context)
        self._groups[version] = group
        return group

    def _terms(self, script: str, manifest: Mapping[str, Any] | None) -> RunTerms:
        """Decide under which terms a version runs: a script may ask for less, not for more."""
        if manifest is None:
            active = self._current.registry.scripts.get(script)
            isolation = active.isolation if active is not None else None
            requested = active.limits if active is not None else {}
        else:
            isolation, requested = manifest.get("isolation"), manifest.get("limits", {})
        return RunTerms(
            isolation=isolation or self._pool.isolation,
            max_running=self._pool.max_running or 4 * self._cores,
            weight=self._weights.get(script, 1.0),
            memory_bytes=int(min(requested.get("memory_bytes", self._limits.memory_bytes), self._limits.memory_bytes)),
        )

    def _run_ended(self, run: Run) -> None:
        self._active.discard(run)
        self._completed += 1
        if not self._active and self._draining:
            waiting = list(self._draining)
            self._draining.clear()
            for done in waiting:
                done.callback(None)

    def _run_again(self, run: Run) -> None:
        if not self.running:
            run.refuse(Unavailable("The server is stopping; try again in a moment.", retry_seconds=1.0))
            return
        self._group(run.invocation.version, run.invocation.script).submit(run)

    def _sandbox_back(self) -> None:
        now = self._seconds()
        for group in list(self._groups.values()):
            group.tend(now)

    def _ticked(self) -> None:
        self._tick = self._reactor.callLater(_TICK_SECONDS, self._ticked)
        now = self._seconds()
        late, long = now - _GRACE_SECONDS, now - _LONG_SECONDS
        for run in [run for run in self._active if run.deadline < late and run.in_hand]:
            run.expire()
        for run in [run for run in self._active if run.costs.started_at < long and run.in_hand]:
            run.fall_back()
        if now - self._tended >= _TEND_SECONDS:
            self._tended = now
            self._tend(now)

    def _tend(self, now: float) -> None:
        self._zygote.tend(now)
        for group in list(self._groups.values()):
            group.tend(now)
            if group.forgettable(now):
                del self._groups[group.version]
                self._resting.pop(group.version, None)
        for group in list(self._retiring):
            group.tend(now)
            if group.quiet:
                group.stop()
                self._retiring.discard(group)
