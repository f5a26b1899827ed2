"""
The one way in: whatever starts a script starts it here.

Requests, events of WebSockets, message filters, resolvers, loads of new versions and replays
differ in what they run and in what becomes of the answer.  The rest is the same for all of them:

    callee      which function of which version, and what it may use; the same for every run of it
    invocation  one run of a callee, for a principal, with a payload
    admission   whether it may begin
    run         the runner has it, and a sink gets the outcome
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aiwebengine.errors import EngineError, TooMany
from aiwebengine.interfaces import HostCalls
from aiwebengine.runtime.allowance import allowance
from aiwebengine.runtime.registry import Current, Registry
from aiwebengine.runtime.runner import LoadReport, Runner
from aiwebengine.runtime.runs.run import Run
from aiwebengine.runtime.runs.sink import Sink
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import (
    Allowance,
    AnswerKey,
    Bundle,
    Cause,
    HandlerRef,
    Invocation,
    Principal,
    ReplayInputs,
    tuple_of,
)

MOST_ANCESTORS = 8
"""How many invocations may lead to one; scripts that begin each other without end stop there."""

T = TypeVar("T")

Admission = Callable[[Invocation], EngineError | None]
"""Returns why an invocation may not begin; None if it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """What invocations run: one function of one version, and what it may use."""

    kind: str
    """See `Invocation.kind`."""
    script: str
    """URI of the script."""
    version: str
    """Version id (`Bundle.version`)."""
    handler: HandlerRef | None
    """The function; None for top level and `init`."""
    label: str
    """Its name for people."""
    allowance: Allowance
    recorded_as: str = ""
    """Its name in the rules for recordings; empty: no rule applies to it."""
    place: str = ""
    """See `Invocation.place`."""


class Callees(Generic[T]):
    """
    The callees of what scripts have registered, each described once for as long as it serves.

    Args:
        current: What serves.
        describe: Returns the callee of something that is registered.
    """

    def __init__(self, *, current: Current, describe: Callable[[T], Callee]) -> None:
        self._current = current
        self._describe = describe
        self._registry: Registry | None = None
        self._known: dict[int, tuple[T, Callee]] = {}
        """By id of what is registered, which is referenced so that no other object can have that id."""

    def of(self, registered: T) -> Callee:
        """Return the callee of *registered*."""
        registry = self._current.registry
        if registry is not self._registry:
            self._known.clear()
            self._registry = registry
        known = self._known.get(id(registered))
        if known is None:
            known = self._known[id(registered)] = (registered, self._describe(registered))
        return known[1]


class Invoker:
    """
    Starts scripts; see the module.

    Args:
        runner: Runs them.
        current: What serves, for the limits in scripts' manifests.
        limits: The server's own limits.
        admission: Asked in order before an invocation begins; the first error refuses it.
        recording: Returns how invocations are recorded, given the script and a name for its rules;
            see `Invocation.recording`.
        new_id: Makes the id of an invocation.
    """

    def __init__(
        self,
        *,
        runner: Runner,
        current: Current,
        limits: LimitSettings,
        new_id: Callable[[], str],
        admission: Sequence[Admission] = (),
        recording: Callable[[str, str], str] = lambda _script, _name: "",
    ) -> None:
        self._runner = runner
        self._current = current
        self._limits = limits
        self._new_id = new_id
        self._admission = admission
        self.recording = recording

    def allowance(self, *requested: Mapping[str, Any]) -> Allowance:
        """
        Return the least of what the server allows and what is requested.

        Args:
            requested: By kept names, as `settings.requested_limits.read_limits` returns them; other names are ignored.
        """
        return allowance(self._limits, *requested)

    def callee(
        self,
        *,
        kind: str,
        script: str,
        version: str,
        handler: HandlerRef | None,
        label: str,
        requested: Sequence[Mapping[str, Any]] = (),
        answers_in_base64: bool = False,
        recorded_as: str = "",
        place: str = "",
    ) -> Callee:
        """
        Describe a function of a script that serves: it may use the least of what the server, the script and it allow.

        Args:
            requested: What the function asks for; see `allowance`.
            answers_in_base64: See `runtime.allowance.allowance`.
        """
        active = self._current.registry.scripts.get(script)
        return Callee(
            kind=kind,
            script=script,
            version=version,
            handler=handler,
            label=label,
            allowance=allowance(
                self._limits,
                active.limits if active is not None else {},
                *requested,
                answers_in_base64=answers_in_base64,
            ),
            recorded_as=recorded_as,
            place=place,
        )

    def callees(self, describe: Callable[[T], Callee]) -> Callees[T]:
        """Return a cache of callees; see `Callees`."""
        return Callees(current=self._current, describe=describe)

    # Long: a list of what an invocation is made of.
    def invocation(
        self,
        callee: Callee,
        principal: Principal,
        payload: str,
        *,
        identity: str = "",
        label: str = "",
        recording: str | None = None,
        read_only: str = "",
        answer_key: AnswerKey | None = None,
        replay: ReplayInputs | None = None,
        cause: Cause | None = None,
        trace: str = "",
        request_line: str = "",
        body: bytes = b"",
    ) -> Invocation:
        """
        Make an invocation; nothing begins yet.

        Args:
            callee: What is run.
            principal: Who asks.
            payload: ASCII JSON: what the handler is given.
            identity: Its id, if there is one already, such as that of a request; empty for a new one.
            label: What is run, for people; empty: as the callee is called.
            recording: How it is recorded; None: as the rules for the callee say.
            read_only: See `Invocation.read_only`.
            answer_key: See `Invocation.answer_key`.
            replay: See `Invocation.replay`.
            cause: The invocation that begins this one, if it is one.
            trace: See `Request.trace`.
            request_line: See `Invocation.request_line`.
            body: See `Invocation.body`.

        Raises:
            TooMany: It has too many ancestors.
        """
        if cause is not None and len(cause.ancestors) > MOST_ANCESTORS:
            raise TooMany(f"Invocations may begin others {MOST_ANCESTORS} deep, no deeper.")
        if recording is None:
            recording = self.recording(callee.script, callee.recorded_as) if callee.recorded_as else ""
        allowed = callee.allowance
        return tuple_of(
            Invocation,
            (
                identity or self._new_id(),
                callee.script,
                callee.version,
                callee.kind,
                callee.handler,
                principal,
                payload,
                allowed.wall_seconds,
                allowed.cpu_seconds,
                cause,
                label or callee.label,
                allowed,
                recording,
                replay,
                read_only,
                answer_key,
                callee.place,
                trace,
                request_line,
                body,
            ),
        )

    def run(self, invocation: Invocation, sink: Sink) -> Run:
        """
        Run an invocation of a version that serves, unless an admission step refuses it.

        Args:
            sink: Gets the outcome, including a refusal; perhaps before this returns.

        Returns:
            A handle for `cancel`.
        """
        for refusal in self._admission:
            error = refusal(invocation)
            if error is not None:
                return self._runner.refuse(invocation, sink, error)
        return self._runner.run(invocation, sink)

    def load(self, bundle: Bundle, invocation: Invocation) -> Coroutine[Any, Any, LoadReport]:
        """
        Run top level and `init` of a version that does not serve yet; see `Runner.load`.

        No admission step is requested: a script that has spent its budget may be replaced by one that uses less.
        """
        return self._runner.load(bundle, invocation)

    def replay(self, invocation: Invocation, sink: Sink, host: HostCalls) -> Run:
        """Run an invocation again with *host* in place of the world; no admission step is passed, as nothing is
        done.
        """
        return self._runner.replay(invocation, sink, host)

    def cancel(self, run: Run) -> None:
        """End a run whose answer is no longer awaited; see `Runner.cancel`."""
        self._runner.cancel(run)
