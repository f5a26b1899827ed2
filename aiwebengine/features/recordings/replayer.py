"""
Doing a recorded invocation over again: in the same version, in another one, or in files that are not deployed.

Nothing is touched: host calls are answered from the recording, and files that are tried are
loaded and forgotten.  The outcome is compared with the recording in the order in which
it happened: the calls, the outcome, the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from twisted.internet.defer import Deferred

from aiwebengine.errors import EngineError, Invalid, NotFound
from aiwebengine.features.recordings.masks import Masks
from aiwebengine.features.recordings.packed import write_long
from aiwebengine.runtime.invoker import Callee, Invoker
from aiwebengine.runtime.routes import Routes
from aiwebengine.runtime.runs.replay import Replay
from aiwebengine.scripts.deploy import Deployer
from aiwebengine.scripts.prepare import DeployRequest
from aiwebengine.scripts.store import ScriptStore
from aiwebengine.scripts.versions import RegisteredEntries
from aiwebengine.services.threads import Runs
from aiwebengine.values import ANONYMOUS, Answer, HandlerRef, Invocation, Principal, ReplayInputs, RouteMatch

FORMAT = 1
"""Of recordings that this engine understands."""
_GOOD = frozenset({"committed", "rolled_back"})
_LONGEST_SHOWN = 2000
_STEP = re.compile(r"A\d{1,15} \d{1,15}|[TX]\d{1,15}")
_LONG_CHARACTERS = 64 * 1024
"""See `sandbox/loop.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedInvocation:
    """What is done over again."""

    uri: str
    version: str
    outcome: str
    document: Mapping[str, Any]


class Replayer:
    """
    Does recorded invocations over again.

    Args:
        invoker: Runs them.
        store: Reads versions.
        deployer: Loads files that are only tried.
        masks: As recordings are masked.
        threads: Where answers are masked.
    """

    def __init__(
        self, *, invoker: Invoker, store: ScriptStore, deployer: Deployer, masks: Masks, threads: Runs
    ) -> None:
        self._threads = threads
        self._invoker = invoker
        self._store = store
        self._deployer = deployer
        self._masks = masks

    async def replay(
        self, recorded: RecordedInvocation, *, number: int | None = None, files: DeployRequest | None = None
    ) -> dict[str, Any]:
        """
        Do one over again.

        Args:
            number: A version of the script; None for the recorded one.
            files: Instead of a version, files that are loaded for this only.

        Returns:
            `same`, `difference` (the first, or None), `outcome`, `answer`, `logs`; the recording's `exact` and `whole`;
            `until`, the number of calls after which the recording had no room for more, or None.

        Raises:
            Invalid: The recording is of another format.
            NotFound: The version, or its handler for the request, is not there.
            DeploymentRefused: The files cannot be loaded.
            Unavailable: It cannot be done now.
        """
        if recorded.document.get("format") != FORMAT:
            raise Invalid(
                f"The recording is of format {recorded.document.get('format')!r}; this version supports {FORMAT}."
            )
        if files is not None:
            prepared = await self._deployer.prepare(files, keep_warm=True)
            try:
                version = prepared.new.version
                return await self._replay(recorded, version.id, version.registered)
            finally:
                self._deployer.abandon(prepared.new.version)
        if number is not None:
            version = await self._store.version(recorded.uri, number)
            return await self._replay(recorded, version.id, version.registered)
        await self._store.bundle(recorded.version)
        return await self._replay(recorded, recorded.version, None)

    async def _replay(
        self, recorded: RecordedInvocation, version: str, registered: RegisteredEntries | None
    ) -> dict[str, Any]:
        document = recorded.document
        payload, body, steps = await self._threads.run(_read_inputs, document)
        invocation = self._invocation(recorded, version, payload, steps)._replace(body=body)
        if registered is not None:
            invocation = await self._threads.run(_routed, invocation, document, registered)
        host = Replay(document["calls"], whole=bool(document.get("whole")), masked=self._masks.text)
        answer, error = await _ReplaySink.run(self._invoker, invocation, host)
        outcome = error.code if error is not None else "committed"
        answered = await self._threads.run(self._masks.answer, answer)
        # Where the recording ended before the invocation did, it is unknown how it would have ended.
        difference = _difference(host.difference, recorded, outcome, answered) if host.until is None else None
        return {
            "same": difference is None,
            "difference": difference,
            "version": version,
            "outcome": outcome,
            "error": error.public if error is not None else None,
            "answer": answered,
            "logs": [[line.level, line.message] for line in host.lines],
            "exact": bool(document.get("exact")),
            "whole": bool(document.get("whole")),
            "until": host.until,
        }

    def _invocation(
        self, recorded: RecordedInvocation, version: str, payload: str, steps: tuple[str, ...]
    ) -> Invocation:
        document = recorded.document
        try:
            user = str(document["user"])
            allowed = replace(
                self._invoker.allowance(),
                wall_seconds=float(document["wallSeconds"]),
                cpu_seconds=float(document["cpuSeconds"]),
            )
            callee = Callee(
                kind=str(document["kind"]),
                script=recorded.uri,
                version=version,
                handler=HandlerRef(id=int(document["handler"]), name=""),
                label="replay",
                allowance=allowed,
            )
            return self._invoker.invocation(
                callee,
                Principal(id=user, kind="user") if user else ANONYMOUS,
                payload,
                replay=ReplayInputs(seed=str(document["seed"]), now=int(document["now"]), steps=steps),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(error) from error


class _ReplaySink:
    """Waits for the answer of an invocation that is done over again. See `sink.Sink`."""

    def __init__(self) -> None:
        self.done: Deferred[tuple[Answer | None, EngineError | None]] = Deferred()
        self._begun: Answer | None = None
        self._pieces: list[bytes] = []

    @classmethod
    async def run(
        cls, invoker: Invoker, invocation: Invocation, host: Replay
    ) -> tuple[Answer | None, EngineError | None]:
        """Run it and wait for its end."""
        waiting = cls()
        invoker.replay(invocation, waiting, host)
        result = await waiting.done
        await host.ended
        return result

    def answered(self, answer: Answer) -> None:
        self.done.callback((answer, None))

    def started(self, answer: Answer) -> None:
        self._begun = answer

    def write(self, data: bytes, done: Callable[[], None]) -> None:
        self._pieces.append(data)
        done()

    def finished(self) -> None:
        assert self._begun is not None
        self.done.callback((self._begun._replace(body=b"".join(self._pieces)), None))

    def failed(self, error: EngineError) -> None:
        begun = self._begun
        self.done.callback((None if begun is None else begun._replace(body=b"".join(self._pieces)), error))


def _damaged(error: Exception) -> Invalid:
    return Invalid(f"The recording is damaged: {error!r}.")


def _read_inputs(document: Mapping[str, Any]) -> tuple[str, bytes, tuple[str, ...]]:
    """Return payload, long body and steps of a recording; call it in a thread, for all may be long."""
    try:
        return *_payload(document["kind"], document["request"]), _steps(document["steps"])
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(error) from error


def _payload(kind: Any, request: Any) -> tuple[str, bytes]:
    """Return the payload of a request, and its body if that is long and goes by itself: see `Invocation.body`."""
    text = request.get("body") if kind == "http" and isinstance(request, Mapping) else None
    if isinstance(text, str) and len(text) > _LONG_CHARACTERS and len(request) > 1:
        try:
            body = text.encode("utf-8")
        except UnicodeEncodeError:
            # Half of a character has no bytes, but can be JSON.
            return write_long(request), b""
        return write_long({name: value for name, value in request.items() if name != "body"}), body
    return write_long(request), b""


def _steps(recorded: Sequence[Any]) -> tuple[str, ...]:
    """Return the steps of a recording; a file may have been edited."""
    if not all(isinstance(step, str) and _STEP.fullmatch(step) for step in recorded):
        raise ValueError("a step")
    return tuple(recorded)


def _routed(invocation: Invocation, document: Mapping[str, Any], registered: RegisteredEntries) -> Invocation:
    """Find the handler that the other version has for the request."""
    if invocation.kind not in {"http", "filter"}:
        raise Invalid(
            f"An invocation of the kind {invocation.kind} can only be replayed in the version that it was recorded "
            "with; leave --version and --local out."
        )
    request = dict(document["request"])
    method, path = str(request.get("method", "GET")), str(request.get("path", "/"))
    match = Routes.build(registered.entries).match(method, path)
    if not isinstance(match, RouteMatch):
        raise NotFound(f"That version has no handler for {method} {unquote(path)[:200]}.")
    if match.params:
        # Those of the same name are what the schema of the route had made of them.
        request["params"] = {**match.params, **{k: v for k, v in _params(request).items() if k in match.params}}
    payload, body = _payload(invocation.kind, request)
    return invocation._replace(handler=match.route.handler, payload=payload, body=body)


def _params(request: Mapping[str, Any]) -> Mapping[str, Any]:
    params = request.get("params")
    return params if isinstance(params, Mapping) else {}


def _difference(
    call: Mapping[str, Any] | None, recorded: RecordedInvocation, outcome: str, answer: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    if call is not None:
        return {"what": "call", **call}
    before = recorded.outcome
    if outcome != before and not (outcome in _GOOD and before in _GOOD):
        return {"what": "outcome", "recorded": before, "now": outcome}
    then = recorded.document.get("answer")
    if then is None or answer is None:
        same = (then is None) is (answer is None) or not recorded.document.get("whole")
        return None if same else {"what": "answer", "recorded": _short(then), "now": _short(answer)}
    for part in ("status", "headers", "body"):
        old, new = then.get(part), answer.get(part)
        if _listed(old) != _listed(new):
            return {"what": part, "recorded": _short(old), "now": _short(new)}
    return None


def _listed(value: Any) -> Any:
    return [list(item) for item in value] if isinstance(value, Sequence) and not isinstance(value, str) else value


def _short(value: Any) -> Any:
    return value[:_LONGEST_SHOWN] if isinstance(value, str) else value
