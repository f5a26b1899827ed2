"""The processes of one version: its template, its clones, and the runs that wait for one."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import Cancelled, EngineError, Unavailable
from aiwebengine.interfaces import HostSession
from aiwebengine.runtime.allowance import load_seconds
from aiwebengine.runtime.boxes import encode_pair
from aiwebengine.runtime.child import Clone, describe
from aiwebengine.runtime.control import Control
from aiwebengine.runtime.crashes import MOST_IN_A_ROW, Crashes, is_crash
from aiwebengine.runtime.pace import Pace
from aiwebengine.runtime.run import Run
from aiwebengine.runtime.slots import Share
from aiwebengine.runtime.template import Journal, Template
from aiwebengine.runtime.terms import Payloads, Surroundings, Terms
from aiwebengine.values import Allowance, Bundle, Invocation

_log = Logger()

_STOCK = 3
_RECORDED = encode_pair(b"r", b"1")
_FIRST_BACKOFF = 0.5
_LONGEST_BACKOFF = 30.0
_MOST_LOST_LOADS = 3
_STABLE_SECONDS = 5.0
_WEIGH_RUNS = 256
_MOST_FOLLOWING_BYTES = 64 * 1024
"""What is longer is not worth sending twice."""


class Group:
    """
    One version's processes.

    Args:
        version: Its id.
        terms: Under which it runs.
        around: What it works with.
    """

    def __init__(self, *, version: str, terms: Terms, around: Surroundings) -> None:
        self.version = version
        self.terms = terms
        self._around = around
        self._template: Template | None = None
        self._loaded_at = 0.0
        self._lost_loads = 0
        self._fetching = False
        self.loading = False
        """A deployment loads it; what comes of it is told by `adopt`."""
        self._clones: set[Clone] = set()
        self._idle: list[Clone] = []
        self._waiting: deque[Run] = deque()
        self._payloads = Payloads(limits=around.limits, wall=around.wall, entropy=around.entropy)
        self._backoff = 0.0
        self._not_before = 0.0
        self._failure: EngineError | None = None
        self._crashes = Crashes()
        self._pace = Pace()
        self._deep = around.pool.depth > 1 and terms.isolation == "shared"
        self.following = 0
        """Runs that lie in the socket of a process which has another in hand."""
        self._share = Share(weight=terms.weight, serve=self._serve_one)
        self.busy = 0
        """Clones that have a run in hand."""
        self.parked = 0
        """Those of them that wait for the host or their clients."""
        self.used_at = around.seconds()
        self.retired = False
        """It serves only what it has in hand or in its queue."""
        self.stopped = False

    # -- runs ---------------------------------------------------------------------------------

    def submit(self, run: Run) -> None:
        """Run *run* as soon as there is a process for it."""
        self.used_at = now = self._around.seconds()
        if self._crashes.in_a_row >= MOST_IN_A_ROW:
            refusal = self._crashes.refusal(run.invocation.script, now=now, trying=bool(self.busy or self._waiting))
            if refusal is not None:
                run.refuse(refusal)
                return
        if not self._waiting:
            # After a death the idle ones are in doubt too: whoever killed one may have killed more.
            clone = self._clone_for(run) if self._may_start() else None
            if clone is not None:
                self._start(run, clone)
                return
        if self._failure is not None and now < self._not_before:
            run.refuse(self._failure)
            return
        if len(self._waiting) >= self._around.pool.queue_length:
            run.refuse(
                Unavailable(
                    f'The script "{run.invocation.script}" has {len(self._waiting)} requests waiting, which is as many '
                    "as may wait (pool.queue_length); try again in a moment.",
                    retry_seconds=1.0,
                )
            )
            return
        run.queued_until = now + self._around.pool.queue_seconds
        self._waiting.append(run)
        self._serve_waiting()
        self._around.slots.pump()

    def withdraw(self, run: Run) -> bool:
        """Take a run out that has not begun; false if it has, or may have."""
        try:
            self._waiting.remove(run)
        except ValueError:
            if self.following:
                for clone in self._clones:
                    if clone.second is run:
                        clone.recall()
            return False
        return True

    def _may_start(self) -> bool:
        """Tell whether one more run may begin now."""
        running, most = self.busy - self.parked, self.terms.max_running
        return (
            running < most
            and self.parked + running < most + self._around.pool.max_parked
            and self._around.slots.free(self._share)
        )

    def _has_room(self) -> bool:
        most = self.terms.max_running
        return self.busy - self.parked < most and self.busy < most + self._around.pool.max_parked

    def _clone_for(self, run: Run) -> Clone | None:
        if run.alone:
            return self._fresh(once=True)
        return (self._fresh() if run.lost else None) or self._take()

    def _take(self) -> Clone | None:
        """Give an idle clone, or a new one if there may be one more."""
        while self._idle and self._template is not None and self._template.control.is_open:
            clone = self._idle.pop()
            if not clone.dying:
                if self.terms.isolation == "request":
                    self._stock()
                return clone
        return self._fresh()

    def _fresh(self, *, once: bool = False) -> Clone | None:
        # The dying count too: a child that does not end must not have ever more beside it.
        if len(self._clones) - self.busy >= self.terms.max_running + _STOCK:
            return None
        fresh = self._fork(once=once)
        if fresh is not None and self.terms.isolation == "request":
            self._stock()
        return fresh

    def _fork(self, *, once: bool = False) -> Clone | None:
        template = self._template
        if template is None or template.dead or template.failure is not None or not template.control.is_open:
            return None
        around = self._around
        try:
            clone = Clone(
                reactor=around.reactor,
                number=around.next_number(),
                control=template.control,
                once=once or self.terms.isolation == "request",
                max_bytes=around.limits.answer_bytes * 2,
                parent=lambda: template.pid,
                freed=self._freed,
                gone=self._gone,
                parks=self._parks,
                returned=self._returned,
                seconds=around.seconds,
            )
        except OSError as error:
            # Descriptors may be had again in a moment; until then the run waits in the queue.
            _log.error("no socket for a process of {version}: {why}", version=self.version, why=error.strerror)
            return None
        if clone.ended is not None:
            return None
        self._clones.add(clone)
        return clone

    def _stock(self) -> None:
        """Keep fresh clones ready for `isolation: request`."""
        while len(self._idle) < _STOCK and len(self._clones) - self.parked < self.terms.max_running + _STOCK:
            clone = self._fork()
            if clone is None:
                return
            self._idle.insert(0, clone)

    def _start(self, run: Run, clone: Clone) -> None:
        self.busy += 1
        self._around.slots.enter(self._share)
        run.begin(clone)
        clone.placed = True
        clone.placed_since = clone.begun_at = run.started_at
        invocation = run.invocation
        clone.label = invocation.label
        payload, seed, now = self._payloads.of(invocation)
        more = b""
        if run.tape is not None:
            run.tape.begin(seed=seed, now=now, exact=clone.runs == 0)
            more = _RECORDED
        if invocation.again is not None:
            clone.prepare(invocation.again.steps)
        clone.start(run, payload, round(invocation.wall_seconds * 1000), round(invocation.cpu_seconds * 1000), more)

    def _follow(self, run: Run) -> bool:
        """Have *run* wait in the socket of a process that will soon be free, if there is one."""
        if run.alone or run.lost or run.tape is not None or self._around.slots.contended(self._share):
            return False
        best = self._pace.soon_free(self._clones, self._around.seconds())
        if best is None or self._is_worn(best):
            return False
        invocation = run.invocation
        payload, _, _ = self._payloads.of(invocation)
        if len(payload) > _MOST_FOLLOWING_BYTES:
            return False
        self.following += 1
        best.follow(run, payload, round(invocation.wall_seconds * 1000), round(invocation.cpu_seconds * 1000))
        return True

    def _advance(self, clone: Clone) -> None:
        """Count the second run of a clone as begun."""
        run = clone.advance()
        self.following -= 1
        self.busy += 1
        self._around.slots.enter(self._share)
        run.begin(clone)
        clone.placed = True
        clone.placed_since = clone.begun_at = run.started_at
        clone.label = run.invocation.label
        if run.cancelled:
            clone.cancel()

    def _returned(self, run: Run) -> None:
        """Take back a run that lay in a process's socket and has not begun."""
        self.following -= 1
        if run.cancelled:
            run.refuse(Cancelled("Whoever asked has gone."))
        elif self.stopped:
            run.refuse(Unavailable("The server is stopping.", retry_seconds=1.0))
        else:
            self._waiting.appendleft(run)
            self._serve_waiting()

    def _freed(self, clone: Clone) -> None:
        now = clone.idle_since
        self._pace.learn(clone, now)
        self._left(clone, now)
        if clone.second is not None and clone.goes_on:
            self._crashes.in_a_row = 0
            self._advance(clone)
        elif clone.dying:
            self._note(clone)
        else:
            self._crashes.in_a_row = 0
            if self.retired or self._is_worn(clone):
                clone.retire()
            elif self._waiting and not self._waiting[0].alone and self._may_start():
                self._start(self._waiting.popleft(), clone)
            else:
                self._idle.append(clone)
        if self._waiting:
            self._serve_waiting()
        self._around.slots.pump()

    def _left(self, clone: Clone, now: float) -> None:
        """Count a clone no longer among those that have a run in hand."""
        if not clone.placed:
            return
        clone.placed = False
        self.busy -= 1
        if clone.parked:
            clone.parked = False
            self.parked -= 1
        else:
            self._around.slots.leave(self._share, now - clone.placed_since)

    def _parks(self, clone: Clone) -> None:
        """See `Clone.parks`."""
        now = self._around.seconds()
        if clone.parked:
            self.parked += 1
            self._around.slots.leave(self._share, now - clone.placed_since)
            self._serve_waiting()
            self._around.slots.pump()
        else:
            self.parked -= 1
            clone.placed_since = now
            self._around.slots.enter(self._share)

    def _is_worn(self, clone: Clone) -> bool:
        """Tell whether a clone is to be replaced: for its runs, its age or its growth."""
        pool = self._around.pool
        if clone.runs >= pool.max_invocations or clone.idle_since - clone.born_at > pool.max_age_seconds:
            return True
        most = pool.recycle_memory_bytes or self.terms.memory_bytes // 2
        return clone.runs % _WEIGH_RUNS == 0 and clone.memory_bytes() > most

    def _note(self, clone: Clone) -> None:
        """Count a death that the script has caused."""
        if not is_crash(clone):
            return
        wait = self._crashes.add(self._around.seconds())
        if wait:
            _log.error(
                "processes of {version} died {count} times in a row; it rests for {wait} s",
                version=self.version,
                count=self._crashes.in_a_row,
                wait=wait,
            )
            waiting, self._waiting = self._waiting, deque()
            for run in waiting:
                run.refuse(self._crashes.rest(run.invocation.script, wait))

    def _gone(self, clone: Clone) -> None:
        self._clones.discard(clone)
        if clone in self._idle:
            self._idle.remove(clone)
        self._left(clone, self._around.seconds())
        second = clone.take_second()
        if second is not None:
            self._returned(second)
        if clone.died_busy:
            self._note(clone)
        self._serve_waiting()
        if clone.died_busy and not self._idle and not self.retired:
            # The next request finds a fresh one: forking takes longer than handing over.
            fresh = self._fork()
            if fresh is not None:
                self._idle.append(fresh)
        self._around.slots.pump()

    def _serve_waiting(self) -> None:
        while self._waiting:
            if not self._may_start():
                if self._deep and self._follow(self._waiting[0]):
                    self._waiting.popleft()
                    continue
                if self._has_room():
                    # There is a place missing, not a process.
                    self._around.slots.wait(self._share)
                break
            clone = self._clone_for(self._waiting[0])
            if clone is None:
                break
            self._start(self._waiting.popleft(), clone)
        if self._waiting:
            self._ensure_template()

    def _serve_one(self) -> bool:
        """See `slots.Share`."""
        clone = self._clone_for(self._waiting[0]) if self._waiting and self._has_room() else None
        if clone is None:
            return False
        self._start(self._waiting.popleft(), clone)
        if not self._waiting:
            self._around.slots.forget(self._share)
        return True

    # -- the template -------------------------------------------------------------------------

    def adopt(self, template: Template) -> None:
        """Use a template that a deployment has loaded."""
        if not template.dead:
            self._template = template
            self._loaded_at = self._around.seconds()
        self._serve_waiting()

    def first_load(self, *, bundle: Bundle, session: HostSession, invocation: Invocation) -> tuple[Template, Journal]:
        """
        Load a version for the first time, with the host answering.

        Raises:
            Unavailable: The sandbox is being started.
        """
        around = self._around
        control = around.zygote()
        if control is None:
            raise Unavailable("The sandbox is being started; try again in a moment.", retry_seconds=1.0)
        journal = Journal("", seed=around.entropy(16).hex(), now=int(around.wall() * 1000))
        return self._make(control, bundle, journal, session, invocation.wall_seconds, invocation.allowance), journal

    def _ensure_template(self) -> None:
        if self._template is not None or self._fetching or self.loading or self.stopped:
            return
        now = self._around.seconds()
        if now < self._not_before:
            return
        self._fetching = True
        fetching = Deferred.fromCoroutine(self._around.source.bundle(self.version))
        fetching.addCallback(self._fetched)
        fetching.addErrback(self._not_fetched)

    def _fetched(self, bundle: Bundle) -> None:
        self._fetching = False
        if self.stopped or (self.retired and not self._waiting):
            return
        control = self._around.zygote()
        if control is None:
            # The pool comes back here as soon as the sandbox runs again.
            return
        journal = Journal(bundle.replay, seed=self._around.entropy(16).hex(), now=int(self._around.wall() * 1000))
        seconds = load_seconds(self._around.limits, bundle.manifest.get("limits", {}))
        template = self._make(control, bundle, journal, None, seconds, None)
        if not template.dead:
            self._template = template
        loading = template.loaded
        loading.addCallbacks(self._loaded, self._load_failed, errbackArgs=(template,))
        self._serve_waiting()

    def _make(
        self,
        control: Control,
        bundle: Bundle,
        journal: Journal,
        session: HostSession | None,
        seconds: float,
        allowed: Allowance | None,
    ) -> Template:
        around = self._around
        return Template(
            reactor=around.reactor,
            control=control,
            number=around.next_number(),
            bundle=bundle,
            journal=journal,
            session=session,
            limits=around.limits,
            allowed=allowed,
            memory_bytes=self.terms.memory_bytes,
            wall_seconds=seconds,
            wall=around.wall,
            gone=self._template_gone,
        )

    def _not_fetched(self, failure: Failure) -> None:
        self._fetching = False
        error = failure.value
        if not isinstance(error, EngineError):
            _log.failure("version {version} cannot be read", failure, version=self.version)
            error = Unavailable("The script cannot be read from the database.", retry_seconds=1.0)
        self._load_failed_with(error)

    def _loaded(self, _: Mapping[str, Any]) -> None:
        self._failure = None
        self._lost_loads = 0
        self._loaded_at = self._around.seconds()

    def _load_failed(self, failure: Failure, template: Template) -> None:
        error = failure.value
        assert isinstance(error, EngineError)
        if self._around.zygote() is None:
            # It did not fail: the sandbox died under it, and the runs wait for the next one.
            return
        if template.lost and self._lost_loads < _MOST_LOST_LOADS:
            # Somebody killed it; the runs wait for the next one, which is asked for when this one is buried.
            self._lost_loads += 1
            return
        _log.error("version {version} does not start: {why}", version=self.version, why=error.public)
        self._load_failed_with(error)

    def _load_failed_with(self, error: EngineError) -> None:
        self._back_off()
        self._failure = error
        waiting, self._waiting = self._waiting, deque()
        for run in waiting:
            run.refuse(error)

    def _back_off(self) -> None:
        self._backoff = min(max(self._backoff * 2, _FIRST_BACKOFF), _LONGEST_BACKOFF)
        self._not_before = self._around.seconds() + self._backoff

    def _template_gone(self, template: Template) -> None:
        if template is self._template:
            self._template = None
            if template.failure is None:
                lived = self._around.seconds() - self._loaded_at
                if lived >= _STABLE_SECONDS:
                    self._backoff = 0.0
                elif self._backoff:
                    self._back_off()
                else:
                    # The first early death may be an accident; a second one waits.
                    self._backoff = _FIRST_BACKOFF / 2
        self._serve_waiting()

    # -- life ---------------------------------------------------------------------------------

    def tend(self, now: float) -> None:
        """Do what time brings: refuse runs that waited too long, end what is idle."""
        while self._waiting and self._waiting[0].queued_until < now:
            self._waiting.popleft().refuse(
                Unavailable(
                    f"The request waited {self._around.pool.queue_seconds:g} s for a free process of the script.",
                    retry_seconds=1.0,
                )
            )
        if self._waiting:
            self._serve_waiting()
        idle = self._around.pool.idle_seconds
        keep = [clone for clone in self._idle if clone.idle_since + idle >= now]
        for clone in set(self._idle).difference(keep):
            clone.retire()
        self._idle = keep
        overdue = [clone for clone in self._clones if clone.dying and clone.overdue(now)]
        if overdue and self._template is not None:
            # Its template does not do what it is told: they can only go together.
            _log.error("processes of {version} do not end: its template is ended", version=self.version)
            self._drop_template()
        if self._template is not None and self._loaded_at + _STABLE_SECONDS < now:
            self._backoff = 0.0
        if self._template is not None and not self._clones and not self._waiting and self.used_at + 5 * idle < now:
            self._drop_template()

    def retire(self) -> None:
        """Let what runs finish, and everything else end."""
        self.retired = True
        idle, self._idle = self._idle, []
        for clone in idle:
            clone.retire()
        if self.quiet:
            self.stop()

    def stop(self) -> None:
        """End every process now."""
        self.retired = self.stopped = True
        self._around.slots.forget(self._share)
        waiting, self._waiting = self._waiting, deque()
        for run in waiting:
            run.refuse(Unavailable("The server is stopping.", retry_seconds=1.0))
        self._drop_template()

    @property
    def quiet(self) -> bool:
        """Tell whether nothing is in hand and nothing waits."""
        return not self.busy and not self._waiting and not self.following

    @property
    def idle(self) -> bool:
        """Tell whether it has no process, and none on its way."""
        return self._template is None and not self._clones and not self._fetching and not self.loading

    def forgettable(self, now: float) -> bool:
        """Tell whether nothing would be lost with this object: it would only be made again when it is needed."""
        return (
            self.quiet and self.idle and self._not_before < now and self.used_at + self._around.pool.idle_seconds < now
        )

    def _drop_template(self) -> None:
        template, self._template = self._template, None
        if template is not None:
            template.kill("")

    def state(self) -> dict[str, Any]:
        """Give figures for the state page."""
        return {
            "version": self.version,
            "isolation": self.terms.isolation,
            "template": self._template.pid if self._template is not None else None,
            "clones": [describe(clone) for clone in self._clones],
            "busy": self.busy,
            "parked": self.parked,
            "crashes": self._crashes.in_a_row,
            "idle": len(self._idle),
            "waiting": len(self._waiting),
            "depth": 2 if self._deep else 1,
            "following": self.following,
            "retired": self.retired,
            "retrySeconds": round(
                max(0.0, max(self._not_before, self._crashes.not_before) - self._around.seconds()), 1
            ),
            "failure": self._failure.public if self._failure is not None else None,
        }
