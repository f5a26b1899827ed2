"""
The processes of one version, and the runs that wait for one.

    serving --retire--> retired     it serves only its current and queued runs
    serving, retired --stop--> stopped

Which processes there are is `processes.clone_pool`'s and `processes.template_keeper`'s to say; here is decided which
run has which of them, and which run waits.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import Any

from twisted.logger import Logger

from aiwebengine.errors import EngineError, Unavailable
from aiwebengine.interfaces import HostSession
from aiwebengine.runtime.moves import Move
from aiwebengine.runtime.processes.child import Clone, CloneLife, CloneWork, describe
from aiwebengine.runtime.processes.clone_pool import ClonePool
from aiwebengine.runtime.processes.crashes import MOST_IN_A_ROW, Crashes, is_crash
from aiwebengine.runtime.processes.journal import Journal
from aiwebengine.runtime.processes.occupancy import Occupancy
from aiwebengine.runtime.processes.pace import Pace
from aiwebengine.runtime.processes.slots import Share
from aiwebengine.runtime.processes.template import Template
from aiwebengine.runtime.processes.template_keeper import TemplateKeeper
from aiwebengine.runtime.processes.terms import GroupContext, Payloads, RunTerms
from aiwebengine.runtime.runs.run import Run, RunContext
from aiwebengine.runtime.wire.boxes import encode_pair
from aiwebengine.runtime.wire.failure import disconnected
from aiwebengine.values import Bundle, Invocation

_log = Logger()

_RECORDED = encode_pair(b"r", b"1")
_MOST_FOLLOWING_BYTES = 64 * 1024
"""What is longer is not worth sending twice."""
_UNUSED_PERIODS = 5
"""A template outlives its last clone by this multiple of the time that a clone may be idle."""

# For every request: an attribute of an enumeration takes three times as long as a name.
_BUSY, _IDLE, _PARKED = CloneWork.BUSY, CloneWork.IDLE, CloneWork.PARKED
_LIVE = CloneLife.LIVE


class Service(StrEnum):
    """What a group still does."""

    SERVING = "serving"
    RETIRED = "retired"
    STOPPED = "stopped"


RETIRE = Move("retire", {Service.SERVING: Service.RETIRED})
STOP = Move("stop", {Service.SERVING: Service.STOPPED, Service.RETIRED: Service.STOPPED})


class ProcessGroup:
    """
    One version's processes.

    Args:
        version: Its id.
        terms: Under which it runs.
        context: What it works with.
        run_context: What its runs work with.
    """

    def __init__(self, *, version: str, terms: RunTerms, context: GroupContext, run_context: RunContext) -> None:
        self.version = version
        self.run_context = run_context
        self.service = Service.SERVING
        self.used_at = context.seconds()
        self.following = 0
        """Runs that wait in the sockets of busy processes."""
        self._isolation = terms.isolation
        self._behind = context.pool.depth - 1 if terms.isolation == "shared" else 0
        """How many runs may wait in the socket of one process."""
        self._context = context
        self._waiting: deque[Run] = deque()
        self._expecting = False
        """Whether a process is to be ready before there is a run for it."""
        self._payloads = Payloads(limits=context.limits, wall=context.wall, entropy=context.entropy)
        self._crashes = Crashes()
        self._pace = Pace()
        self._occupancy = Occupancy(
            slots=context.slots,
            share=Share(weight=terms.weight, serve=self._serve_one),
            max_running=terms.max_running,
            max_parked=context.pool.max_parked,
        )
        self._keeper = TemplateKeeper(
            version=version,
            terms=terms,
            context=context,
            wanted=lambda: bool(self._waiting) or self._expecting,
            changed=self._template_changed,
            failed=self._refuse_waiting,
        )
        self._pool: ClonePool[Run] = ClonePool(
            version=version, terms=terms, context=context, keeper=self._keeper, occupancy=self._occupancy, owner=self
        )

    # -- runs ---------------------------------------------------------------------------------

    def submit(self, run: Run) -> None:
        """Run *run* as soon as there is a process for it."""
        self.used_at = now = self._context.seconds()
        if self._crashes.in_a_row >= MOST_IN_A_ROW:
            trying = bool(self._occupancy.busy or self._waiting)
            refusal: EngineError | None = self._crashes.refusal(run.invocation.script, now=now, trying=trying)
            if refusal is not None:
                run.refuse(refusal)
                return
        if not self._waiting:
            if self._behind and self._enough_for(run):
                run.queued_until = now + self._context.pool.queue_seconds
                if self._follow(run, now):
                    return
            # After a death the idle ones are in doubt too: what killed one may have killed more.
            clone = self._clone_for(run) if self._occupancy.may_start() else None
            if clone is not None:
                self._start(run, clone, now)
                return
        self._queue(run, now)

    def _queue(self, run: Run, now: float) -> None:
        refusal = self._keeper.refusal(now)
        if refusal is None and len(self._waiting) >= self._context.pool.queue_length:
            refusal = Unavailable(
                f'The script "{run.invocation.script}" has {len(self._waiting)} requests waiting, which is as many '
                "as may wait (pool.queue_length); try again in a moment.",
                retry_seconds=1.0,
            )
        if refusal is not None:
            run.refuse(refusal)
            return
        run.queued_until = now + self._context.pool.queue_seconds
        self._waiting.append(run)
        self._serve_waiting()
        self._occupancy.pump()

    def _enough_for(self, run: Run) -> bool:
        """Return whether more processes than work now would not answer *run* sooner."""
        occupancy = self._occupancy
        working = occupancy.busy - occupancy.parked
        return working >= self._context.cores or (working > 0 and self._pace.is_light(run.invocation.label))

    def withdraw(self, run: Run) -> bool:
        """Take a run out that has not begun; false if it has, or may have."""
        try:
            self._waiting.remove(run)
        except ValueError:
            if self.following:
                for clone in self._pool.clones:
                    clone.recall(run)
            return False
        return True

    def _clone_for(self, run: Run) -> Clone[Run] | None:
        if run.alone:
            return self._pool.fresh(once=True)
        return (self._pool.fresh() if run.lost else None) or self._pool.take()

    def _start(self, run: Run, clone: Clone[Run], now: float) -> None:
        self._occupancy.enter()
        run.begin(clone, now)
        invocation = run.invocation
        payload, times, seed, at = self._payloads.of(invocation)
        more = b""
        if run.recording is not None:
            run.recording.begin(seed=seed, now=at, exact=clone.runs == 0)
            more = _RECORDED
        if invocation.replay is not None:
            clone.prepare(invocation.replay)
        clone.start(run, payload, invocation.body, label=invocation.label, at=now, times=times, more=more)

    def _follow(self, run: Run, now: float) -> bool:
        """Have *run* wait in the socket of a process that will soon be free, if there is one."""
        invocation = run.invocation
        if run.alone or run.lost or run.recording is not None or invocation.body or self._occupancy.contended():
            return False
        best = self._pace.soon_free(self._pool.clones, now, self._behind)
        if best is None or self._pool.is_worn(best):
            return False
        payload, times, _, _ = self._payloads.of(invocation)
        if len(payload) > _MOST_FOLLOWING_BYTES:
            return False
        self.following += 1
        best.follow(run, payload, times, self._pace.is_quick(invocation.label))
        return True

    def _advance(self, clone: Clone[Run], now: float) -> None:
        """Count the next run in a clone's socket as begun."""
        self.following -= 1
        run = clone.queue.entries[0].run
        run.begin(clone, now)
        clone.advance(run.invocation.label, now)
        if run.cancelled:
            clone.cancel()

    def _serve_waiting(self) -> None:
        waiting = self._waiting
        while waiting:
            free = self._occupancy.may_start()
            enough = self._behind and (not free or self._enough_for(waiting[0]))
            if enough and self._follow(waiting[0], self._context.seconds()):
                waiting.popleft()
                continue
            if not free:
                if self._occupancy.has_room():
                    # There is a place missing, not a process.
                    self._occupancy.wait()
                break
            clone = self._clone_for(waiting[0])
            if clone is None:
                break
            self._start(waiting.popleft(), clone, self._context.seconds())
        if waiting:
            self._keeper.ensure()

    def expect(self) -> None:
        """Have a process ready for a run that will soon come: to load the version and to fork takes longer than it."""
        self.used_at = self._context.seconds()
        self._expecting = True
        self._keeper.ensure()
        self._template_changed()

    def _template_changed(self) -> None:
        self._serve_waiting()
        if self._expecting and self._keeper.template is not None:
            self._expecting = False
            if all(clone.life is not _LIVE for clone in self._pool.clones):
                self._pool.spare()

    def _serve_one(self) -> bool:
        """See `slots.Share`."""
        clone = self._clone_for(self._waiting[0]) if self._waiting and self._occupancy.has_room() else None
        if clone is None:
            return False
        self._start(self._waiting.popleft(), clone, self._context.seconds())
        if not self._waiting:
            self._occupancy.forget()
        return True

    def _refuse_waiting(self, error: EngineError) -> None:
        for run in self._taken():
            run.refuse(error)

    def _taken(self) -> list[Run]:
        """Return all runs that wait, which wait no longer."""
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    # -- from its clones: see `child.CloneOwner` ------------------------------------------------

    def clone_freed(self, clone: Clone[Run], was: CloneWork) -> None:
        """See `child.CloneOwner.clone_freed`."""
        now = clone.idle_since
        self._pace.learn(clone.label, now - clone.begun_at, clone.spent, was is not _BUSY)
        if was is _BUSY and clone.goes_on:
            self._crashes.in_a_row = 0
            self._occupancy.go_on(now - clone.working_since)
            self._advance(clone, now)
        else:
            self._occupancy.leave(parked=was is _PARKED, seconds=now - clone.working_since)
            if clone.goes_on:
                self._crashes.in_a_row = 0
                self._occupancy.enter()
                self._advance(clone, now)
            elif clone.life is not _LIVE:
                self._note(clone)
                if self._isolation == "request" and self.service is Service.SERVING:
                    self._pool.restock()
            else:
                self._crashes.in_a_row = 0
                self._reuse(clone, now)
        if self._waiting:
            self._serve_waiting()
        self._occupancy.pump()

    def _reuse(self, clone: Clone[Run], now: float) -> None:
        """Start the next run in an idle clone, keep it, or let it end."""
        if self.service is not Service.SERVING or self._pool.is_worn(clone):
            clone.retire()
        elif self._waiting and not self._waiting[0].alone and self._occupancy.may_start():
            self._start(self._waiting.popleft(), clone, now)
        else:
            self._pool.keep(clone)

    def run_parked(self, since: float) -> None:
        """See `child.CloneOwner.run_parked`."""
        self._occupancy.park(self._context.seconds() - since)
        self._serve_waiting()
        self._occupancy.pump()

    def run_resumed(self) -> None:
        """See `child.CloneOwner.run_resumed`."""
        self._occupancy.resume()

    def run_returned(self, run: Run) -> None:
        """See `child.CloneOwner.run_returned`."""
        self.following -= 1
        if run.cancelled:
            run.refuse(disconnected())
        elif self.service is Service.STOPPED:
            run.refuse(_stopping())
        else:
            self._waiting.appendleft(run)
            self._serve_waiting()

    def clone_gone(self, clone: Clone[Run], was: CloneWork) -> None:
        """See `child.CloneOwner.clone_gone`."""
        self._pool.remove(clone)
        busy = was is not _IDLE
        if busy:
            self._occupancy.leave(parked=was is _PARKED, seconds=self._context.seconds() - clone.working_since)
        for run in reversed(clone.queue.take()):
            self.run_returned(run)
        if busy:
            self._note(clone)
        self._serve_waiting()
        if busy and self.service is Service.SERVING:
            # The next request finds a fresh one.
            self._pool.spare()
        self._occupancy.pump()

    def _note(self, clone: Clone[Run]) -> None:
        """Count a death that the script has caused."""
        if not is_crash(cause=clone.cause, unfit=clone.unfit, ended=clone.ended):
            return
        wait = self._crashes.add(self._context.seconds())
        if wait:
            _log.error(
                "processes of {version} died {count} times in a row; next start in {wait} s",
                version=self.version,
                count=self._crashes.in_a_row,
                wait=wait,
            )
            for run in self._taken():
                run.refuse(self._crashes.rest(run.invocation.script, wait))

    # -- deployments --------------------------------------------------------------------------

    def first_load(self, *, bundle: Bundle, session: HostSession, invocation: Invocation) -> tuple[Template, Journal]:
        """
        Load the version for the first time, with the host answering; between `begin_` and `end_deployment`.

        Raises:
            Unavailable: The sandbox is being started, or there are no descriptors for its sockets.
        """
        return self._keeper.first_load(bundle=bundle, session=session, invocation=invocation)

    def begin_deployment(self) -> None:
        """Let a deployment make the template."""
        self._keeper.begin_deployment()

    def end_deployment(self, template: Template | None) -> None:
        """
        Use the result of a deployment.

        Args:
            template: It has loaded; None: nothing came of it.
        """
        self._keeper.end_deployment(template)

    # -- life ---------------------------------------------------------------------------------

    def tend(self, now: float) -> None:
        """Do what time brings: refuse runs that waited too long, end what is idle."""
        pool, waiting = self._context.pool, self._waiting
        while waiting and waiting[0].queued_until < now:
            waiting.popleft().refuse(
                Unavailable(
                    f"The request waited {pool.queue_seconds:g} s for a free process of the script.",
                    retry_seconds=1.0,
                )
            )
        if waiting:
            self._serve_waiting()
        self._pool.tend(idle_before=now - pool.idle_seconds)
        overdue = self._pool.overdue(now)
        unused = not self._pool.clones and not waiting and self.used_at + _UNUSED_PERIODS * pool.idle_seconds < now
        self._keeper.tend(now, overdue=overdue, unused=unused)

    def rest(self) -> int | None:
        """
        End what is idle but the template, for another version serves now.

        Returns:
            Memory of the template in bytes; None if there is none that could serve again at once.
        """
        if self._waiting or self._crashes.in_a_row or not self._keeper.is_loaded:
            return None
        self._pool.retire(idle_before=float("inf"))
        return self._keeper.memory_bytes

    def retire(self) -> None:
        """Let what runs finish, and everything else end."""
        self.service = RETIRE[self.service]
        self._pool.end()
        self._pool.retire(idle_before=float("inf"))
        if self.quiet:
            self.stop()

    def stop(self) -> None:
        """End every process now."""
        self.service = STOP[self.service]
        self._occupancy.forget()
        self._pool.end()
        self._refuse_waiting(_stopping())
        self._keeper.stop()

    @property
    def busy(self) -> int:
        """Return how many clones are busy."""
        return self._occupancy.busy

    @property
    def quiet(self) -> bool:
        """Return whether nothing runs and nothing waits."""
        return not self._occupancy.busy and not self._waiting and not self.following

    @property
    def idle(self) -> bool:
        """Return whether it has no process, and none on its way."""
        return self._keeper.idle and not self._pool.clones

    def forgettable(self, now: float) -> bool:
        """Return whether nothing would be lost with this object: it would only be made again when it is needed."""
        return (
            self.quiet
            and self.idle
            and self._keeper.not_before < now
            and self.used_at + self._context.pool.idle_seconds < now
        )

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""
        keeper, occupancy = self._keeper, self._occupancy
        rests_until = max(keeper.not_before, self._crashes.not_before)
        return {
            "version": self.version,
            "isolation": self._isolation,
            "template": keeper.template.pid if keeper.template is not None else None,
            "clones": [describe(clone) for clone in self._pool.clones],
            "busy": occupancy.busy,
            "parked": occupancy.parked,
            "crashes": self._crashes.in_a_row,
            "idle": len(self._pool.idle),
            **self._pool.state(),
            "waiting": len(self._waiting),
            "depth": self._behind + 1,
            "following": self.following,
            "retired": self.service is not Service.SERVING,
            "retrySeconds": round(max(0.0, rests_until - self._context.seconds()), 1),
            "failure": keeper.failure.public if keeper.failure is not None else None,
        }


def _stopping() -> Unavailable:
    return Unavailable("The server is stopping; try again in a moment.", retry_seconds=1.0)
