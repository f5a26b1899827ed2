"""The clones of one version: those that are idle, those that are at work, those that end."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from twisted.logger import Logger

from aiwebengine.runtime.processes.child import Clone, CloneLife, CloneOwner
from aiwebengine.runtime.processes.interfaces import CurrentRun
from aiwebengine.runtime.processes.occupancy import Occupancy
from aiwebengine.runtime.processes.stock import LEAST_READY, Stock
from aiwebengine.runtime.processes.template_keeper import TemplateKeeper
from aiwebengine.runtime.processes.terms import GroupContext, RunTerms
from aiwebengine.runtime.wire.control import MOST_AT_ONCE, ForkRequest

_log = Logger()

R = TypeVar("R", bound=CurrentRun)

_WEIGH_RUNS = 256
_LIVE = CloneLife.LIVE


class ClonePool(Generic[R]):
    """
    Forks clones and keeps them as long as they are good.

    Args:
        version: Id of the version.
        terms: Under which it runs.
        context: What its group works with.
        keeper: Has the template from which they are forked.
        occupancy: Returns how many are busy.
        owner: Is notified of what happens to each.
    """

    def __init__(
        self,
        *,
        version: str,
        terms: RunTerms,
        context: GroupContext,
        keeper: TemplateKeeper,
        occupancy: Occupancy,
        owner: CloneOwner[R],
    ) -> None:
        self._version = version
        self._terms = terms
        self._context = context
        self._keeper = keeper
        self._occupancy = occupancy
        self._owner = owner
        self._stock = Stock(context.stock_limit) if terms.isolation == "request" else None
        self.clones: set[Clone[R]] = set()
        """All that are not dead."""
        self.idle: list[Clone[R]] = []

    def take(self) -> Clone[R] | None:
        """Return an idle clone, or a new one if there may be one more."""
        template = self._keeper.template
        while self.idle and template is not None and template.control.is_open:
            clone = self.idle.pop()
            if clone.life is _LIVE:
                if self._stock is not None:
                    self._stock.arrived(self._context.seconds(), ready=True)
                    if not self.idle:
                        self.restock()
                return clone
        return self.fresh()

    def fresh(self, *, once: bool = False) -> Clone[R] | None:
        """
        Return a new clone, if there may be one more.

        Args:
            once: It ends after one run, whatever the version's terms are.
        """
        # The dying count too: a child that does not end must not have ever more beside it.
        if len(self.clones) - self._occupancy.busy >= self._terms.max_running + self._wanted():
            return None
        clone = self._fork(once=once)
        if clone is not None and self._stock is not None:
            self._stock.arrived(self._context.seconds(), ready=False)
            if not self.idle:
                self.restock()
        return clone

    def restock(self, *, all_of_it: bool = False) -> None:
        """
        Keep fresh clones ready for `isolation: request`.

        Args:
            all_of_it: Also if but a few are missing.  Otherwise that waits: several are forked in less time together.
        """
        wanted = self._wanted()
        missing = wanted - len(self.idle)
        template = self._keeper.template
        if self._stock is None or template is None or missing <= 0 or (missing * 2 < wanted and not all_of_it):
            return
        if self._occupancy.contended():
            # Runs that wait for a place need the processors more.
            missing = LEAST_READY - len(self.idle)
        room = self._terms.max_running + wanted - (len(self.clones) - self._occupancy.parked)
        while (count := min(missing, room, MOST_AT_ONCE)) > 0:
            asked_for: list[ForkRequest] = []
            clones = [clone for clone in (self._fork(asked_for=asked_for) for _ in range(count)) if clone is not None]
            if not clones:
                return
            # What has been ready longest is used first, because it has prepared itself.
            self.idle[:0] = reversed(clones)
            template.control.fork_several({"op": "clone", "once": True}, asked_for)
            missing -= count
            room -= count

    def tend(self, *, idle_before: float) -> None:
        """Let those end that are idle since before a moment, or not needed any more; to be called every second."""
        self.retire(idle_before=idle_before)
        if self._stock is None:
            return
        while len(self.idle) > self._wanted():
            self.idle.pop().retire()
        if self.idle:
            self.restock(all_of_it=True)

    def _wanted(self) -> int:
        """Return how many should be ready, beside those that run."""
        return LEAST_READY if self._stock is None else self._stock.wanted(self._context.seconds())

    def end(self) -> None:
        """Keep nothing ready any more."""
        if self._stock is not None:
            self._stock.end()

    def state(self) -> dict[str, Any]:
        """Return figures about ready processes for the state page; empty if nothing is."""
        stock = self._stock
        if stock is None:
            return {}
        now = self._context.seconds()
        return {
            "stock": {
                "ready": len(self.idle),
                "wanted": stock.wanted(now),
                "requestsPerSecond": round(stock.rate(now), 1),
                "taken": stock.taken,
                "missed": stock.missed,
            }
        }

    def spare(self) -> None:
        """Have an idle clone ready, if there is none: forking takes longer than handing over."""
        if not self.idle:
            clone = self._fork()
            if clone is not None:
                self.idle.append(clone)

    def keep(self, clone: Clone[R]) -> None:
        """Keep an idle clone for the next run."""
        self.idle.append(clone)

    def remove(self, clone: Clone[R]) -> None:
        """Forget a dead clone."""
        self.clones.discard(clone)
        if clone in self.idle:
            self.idle.remove(clone)

    def retire(self, *, idle_before: float) -> None:
        """Let those end that are idle since before a moment."""
        idle, self.idle = self.idle, []
        for clone in idle:
            if clone.idle_since < idle_before:
                clone.retire()
            else:
                self.idle.append(clone)

    def is_worn(self, clone: Clone[R]) -> bool:
        """Return whether a clone is to be replaced: for its runs, its age or its growth."""
        pool = self._context.pool
        if clone.runs >= pool.max_invocations or clone.idle_since - clone.born_at > pool.max_age_seconds:
            return True
        if clone.runs % _WEIGH_RUNS:
            return False
        return clone.process.memory_bytes() > (pool.recycle_memory_bytes or self._terms.memory_bytes // 2)

    def overdue(self, now: float) -> bool:
        """Return whether one of them does not end although it must; to be called about once a second."""
        # Each is asked: those that do not end by themselves are killed by it.
        late = [clone for clone in self.clones if clone.life is not _LIVE and clone.overdue(now)]
        return bool(late)

    def _fork(self, *, once: bool = False, asked_for: list[ForkRequest] | None = None) -> Clone[R] | None:
        template = self._keeper.template
        if template is None or not template.can_fork:
            return None
        context = self._context
        try:
            clone: Clone[R] = Clone(
                reactor=context.reactor,
                number=context.next_number(),
                control=template.control,
                once=once or self._stock is not None,
                max_bytes=context.limits.answer_bytes * 2,
                parent=lambda: template.pid,
                owner=self._owner,
                seconds=context.seconds,
                asked_for=asked_for,
            )
        except OSError as error:
            # Descriptors may be had again in a moment; until then the run waits in the queue.
            _log.error("no socket for a process of {version}: {why}", version=self._version, why=error.strerror)
            return None
        if clone.ended is not None:
            return None
        self.clones.add(clone)
        return clone
