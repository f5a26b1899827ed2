"""
The template of one version: made when it is needed, and made again when it is lost.

    absent --fetch--> fetching                      the version is read from the store
    fetching --found--> present                     its template is being loaded, or serves
    fetching --missed--> absent                     it cannot be read, or is no longer needed
    absent, fetching, present --adopt--> present    a deployment has loaded one
    present --gone--> absent
    absent, fetching, present --stop--> stopped

One that cannot be loaded, or dies early again and again, is retried with growing delays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError, Unavailable
from aiwebengine.interfaces import HostSession
from aiwebengine.runtime.allowance import load_seconds
from aiwebengine.runtime.moves import Move
from aiwebengine.runtime.processes.journal import Journal
from aiwebengine.runtime.processes.process import resident_bytes
from aiwebengine.runtime.processes.rehearsal import rehearse
from aiwebengine.runtime.processes.template import LoadState, Template
from aiwebengine.runtime.processes.terms import GroupContext, RunTerms
from aiwebengine.runtime.wire.control import Control
from aiwebengine.values import Allowance, Bundle, Invocation

_log = Logger()

_FIRST_BACKOFF = 0.5
_LONGEST_BACKOFF = 30.0
_MOST_LOST_LOADS = 3
_STABLE_SECONDS = 5.0


class TemplateState(StrEnum):
    """Whether there is a template."""

    ABSENT = "absent"
    FETCHING = "fetching"
    PRESENT = "present"
    STOPPED = "stopped"


FETCH = Move("fetch", {TemplateState.ABSENT: TemplateState.FETCHING})
FOUND = Move("found", {TemplateState.FETCHING: TemplateState.PRESENT})
MISSED = Move("missed", {TemplateState.FETCHING: TemplateState.ABSENT})
ADOPT = Move(
    "adopt",
    {
        TemplateState.ABSENT: TemplateState.PRESENT,
        TemplateState.FETCHING: TemplateState.PRESENT,
        TemplateState.PRESENT: TemplateState.PRESENT,
    },
)
GONE = Move("gone", {TemplateState.PRESENT: TemplateState.ABSENT})
STOP = Move(
    "stop",
    {
        TemplateState.ABSENT: TemplateState.STOPPED,
        TemplateState.FETCHING: TemplateState.STOPPED,
        TemplateState.PRESENT: TemplateState.STOPPED,
    },
)


class TemplateKeeper:
    """
    Keeps the template of one version.

    Args:
        version: Its id.
        terms: Under which it runs.
        context: What its group works with.
        wanted: Returns whether a run waits for a process.
        changed: Called when it may be possible to fork, or to fetch, where it was not before.
        failed: Called with the error with which all runs fail that wait for a process.
    """

    def __init__(
        self,
        *,
        version: str,
        terms: RunTerms,
        context: GroupContext,
        wanted: Callable[[], bool],
        changed: Callable[[], None],
        failed: Callable[[EngineError], None],
    ) -> None:
        self._version = version
        self._terms = terms
        self._context = context
        self._wanted = wanted
        self._changed = changed
        self._failed = failed
        self.keeping = TemplateState.ABSENT
        self.template: Template | None = None
        """The one that is loaded or serves; None in all states but `present`."""
        self._rehearsed: Template | None = None
        """The last one that rehearsed a run."""
        self._deployments = 0
        """Under way: each loads one, so none is fetched."""
        self.failure: EngineError | None = None
        """Why the last one could not be loaded."""
        self.not_before = 0.0
        """Until then none is made."""
        self._backoff = 0.0
        self._lost_loads = 0
        self._loaded_at = 0.0

    @property
    def idle(self) -> bool:
        """Return whether there is no template, and none on its way."""
        return self.keeping in (TemplateState.ABSENT, TemplateState.STOPPED) and not self._deployments

    @property
    def is_loaded(self) -> bool:
        """Return whether there is a template that has loaded and forks."""
        template = self.template
        return template is not None and template.can_fork and template.loading is LoadState.LOADED

    @property
    def memory_bytes(self) -> int:
        """Return how much memory the template has, shared or its own; 0 if there is none, or where it is not known."""
        return resident_bytes(self.template.pid) if self.template is not None else 0

    def refusal(self, now: float) -> EngineError | None:
        """Return why no run may begin now; None if one may be tried."""
        return self.failure if now < self.not_before else None

    def ensure(self) -> None:
        """Have a template made, unless there is one, one is on its way, or it is to be left alone."""
        if self.keeping is not TemplateState.ABSENT or self._deployments or self._context.seconds() < self.not_before:
            return
        self.keeping = FETCH[self.keeping]
        fetching = Deferred.fromCoroutine(self._context.source.bundle(self._version))
        fetching.addCallback(self._fetched)
        fetching.addErrback(self._not_fetched)

    def begin_deployment(self) -> None:
        """Let a deployment make the template."""
        self._deployments += 1

    def end_deployment(self, template: Template | None) -> None:
        """
        Use the result of a deployment.

        Args:
            template: It has loaded, and serves from now on; None: nothing came of it.
        """
        self._deployments -= 1
        if template is not None:
            self._adopt(template)
        self._changed()

    def _adopt(self, template: Template) -> None:
        if self.keeping is TemplateState.STOPPED:
            template.kill("")
        elif not template.dead:
            self.keeping = ADOPT[self.keeping]
            before, self.template = self.template, template
            self._loaded_at = self._context.seconds()
            if before is not None:
                before.kill("")

    def first_load(self, *, bundle: Bundle, session: HostSession, invocation: Invocation) -> tuple[Template, Journal]:
        """
        Load a version for the first time, with the host answering.

        Raises:
            Unavailable: The sandbox is being started, or there are no descriptors for its sockets.
        """
        context = self._context
        control = context.zygote()
        if control is None:
            raise Unavailable("The sandbox is being started; try again in a moment.", retry_seconds=1.0)
        journal = Journal("", seed=context.entropy(16).hex(), now=int(context.wall() * 1000))
        decoded = json.loads(invocation.payload)
        collect = decoded if isinstance(decoded, int) else None
        seconds, allowed = invocation.wall_seconds, invocation.allowance
        return self._make(control, bundle, journal, session, seconds, allowed, collect), journal

    def tend(self, now: float, *, overdue: bool, unused: bool) -> None:
        """
        Do what time brings.

        Args:
            overdue: A clone does not end when it should.
            unused: Nothing has needed the template for long.
        """
        template = self.template
        if template is None:
            return
        if self._loaded_at + _STABLE_SECONDS < now:
            self._backoff = 0.0
        if overdue:
            # It does not obey: they can only go together.
            _log.error("processes of {version} do not exit; killing its template", version=self._version)
        if overdue or unused:
            self._drop(template)
        elif self._terms.isolation == "request" and template is not self._rehearsed and self.is_loaded:
            # Not at once: the first requests come first.
            self._rehearsed = template
            self._rehearse(template)

    def _rehearse(self, template: Template) -> None:
        try:
            rehearse(template.control, self._context.next_number())
        except OSError as error:
            _log.warn("no rehearsal of {version}: {why}", version=self._version, why=error.strerror)

    def stop(self) -> None:
        """End the template, and with it every clone; none is made any more."""
        template, self.template = self.template, None
        self.keeping = STOP[self.keeping]
        if template is not None:
            template.kill("")

    def _drop(self, template: Template) -> None:
        self.keeping = GONE[self.keeping]
        self.template = None
        template.kill("")

    # -- on its way ---------------------------------------------------------------------------

    def _fetched(self, bundle: Bundle) -> None:
        if self.keeping is not TemplateState.FETCHING:
            # It was stopped, or a deployment was quicker.
            return
        control = self._context.zygote()
        if control is None or not self._wanted():
            # The pool comes back here as soon as the sandbox runs again.
            self.keeping = MISSED[self.keeping]
            return
        context = self._context
        journal = Journal(bundle.replay, seed=context.entropy(16).hex(), now=int(context.wall() * 1000))
        seconds = load_seconds(context.limits, bundle.manifest.get("limits", {}))
        template = self._make(control, bundle, journal, None, seconds, None)
        if template.dead:
            self.keeping = MISSED[self.keeping]
        else:
            self.keeping = FOUND[self.keeping]
            self.template = template
        template.loaded.addCallbacks(self._loaded, self._not_loaded, errbackArgs=(template,))
        self._changed()

    def _not_fetched(self, failure: Failure) -> None:
        if self.keeping is TemplateState.FETCHING:
            self.keeping = MISSED[self.keeping]
        error = failure.value
        if not isinstance(error, EngineError):
            _log.failure("version {version} cannot be read", failure, version=self._version)
            error = Unavailable("The script cannot be read from the database.", retry_seconds=1.0)
        self._give_up(error)

    def _make(
        self,
        control: Control,
        bundle: Bundle,
        journal: Journal,
        session: HostSession | None,
        seconds: float,
        allowed: Allowance | None,
        collect: int | None = None,
    ) -> Template:
        context = self._context
        return Template(
            reactor=context.reactor,
            control=control,
            number=context.next_number(),
            bundle=bundle,
            journal=journal,
            session=session,
            limits=context.limits,
            allowed=allowed,
            collect=collect,
            once=self._terms.isolation == "request",
            memory_bytes=self._terms.memory_bytes,
            wall_seconds=seconds,
            wall=context.wall,
            exited=self._template_exited,
            env=context.env.of(bundle.script, bundle.manifest),
        )

    def _loaded(self, _: Mapping[str, Any]) -> None:
        self.failure = None
        self._lost_loads = 0
        self._loaded_at = self._context.seconds()

    def _not_loaded(self, failure: Failure, template: Template) -> None:
        error = failure.value
        assert isinstance(error, EngineError)
        if self._context.zygote() is None:
            # It did not fail: the sandbox died under it, and the runs wait for the next one.
            return
        if template.lost and self._lost_loads < _MOST_LOST_LOADS:
            # It was killed from outside; the runs wait for the next one, which is requested when this one is dead.
            self._lost_loads += 1
            return
        _log.error("version {version} does not start: {why}", version=self._version, why=error.public)
        self._give_up(error)

    def _give_up(self, error: EngineError) -> None:
        self._back_off()
        self.failure = error
        self._failed(error)

    def _back_off(self) -> None:
        self._backoff = min(max(self._backoff * 2, _FIRST_BACKOFF), _LONGEST_BACKOFF)
        self.not_before = self._context.seconds() + self._backoff

    def _template_exited(self, template: Template) -> None:
        if template is self.template:
            self.keeping = GONE[self.keeping]
            self.template = None
            if template.failure is None:
                self._note_age(self._context.seconds() - self._loaded_at)
        self._changed()

    def _note_age(self, seconds: float) -> None:
        """Leave the version alone for a while if its templates die young."""
        if seconds >= _STABLE_SECONDS:
            self._backoff = 0.0
        elif self._backoff:
            self._back_off()
        else:
            # The first early death may be an accident; a second one waits.
            self._backoff = _FIRST_BACKOFF / 2
