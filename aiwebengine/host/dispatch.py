"""
The one place where calls of a child reach the server.

Everything that arrives here was written by a child and may be anything at all: an
unknown name, arguments of any shape, the same call ten thousand times.  Nothing gets
past the declaration (`declare.py`), and nothing that goes wrong leaves as an exception:
a child is answered `{"ok": ...}` or `{"err": {...}}`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping, Sequence
from contextvars import Context, copy_context
from types import CoroutineType
from typing import Any, NoReturn, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import INTERNAL_ERROR, TABLE, BudgetSpent, Cancelled, Denied, EngineError, Invalid, ScriptFailed
from aiwebengine.exact_json import decode
from aiwebengine.host.declare import REFERENCE, HostCall, anchor, nearest, printable
from aiwebengine.host.effects import Commits, EncodedResult
from aiwebengine.host.registration.book import Registrations
from aiwebengine.host.session import CallSession, Function
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Invocation, LogLine, Receipt

_log = Logger()
_LONGEST_NAME = 100


class CallGroup(Protocol):
    """Host calls that belong together, with what answers them."""

    @property
    def calls(self) -> Sequence[HostCall]:
        """Return the declarations."""

    @property
    def functions(self) -> Mapping[str, Function]:
        """Return the function of each declared call, by name."""


class Host:
    """
    See `interfaces.HostCalls`.

    Args:
        groups: Every group of calls that scripts may make.
        commits: Carries held effects out.
        capabilities: What the script of an invocation has been granted.
        registrations: Makes the book of registrations of one load.
        keep_lines: Takes log lines as evidence.
        keep_failure: Takes what a script failed with.
        keep_receipt: Takes the receipt of each invocation.
        limits: How many calls an invocation may make.
        seconds: The server's clock, since 1970.
        passed: Is notified of the points on the way.
    """

    def __init__(
        self,
        *,
        groups: Iterable[CallGroup],
        commits: Commits,
        capabilities: Callable[[Invocation], frozenset[str]],
        registrations: Callable[[Invocation], Registrations],
        keep_lines: Callable[[Invocation, Sequence[LogLine]], None],
        keep_failure: Callable[[Invocation, ScriptFailed], None],
        keep_receipt: Callable[[Invocation, Receipt], None],
        limits: LimitSettings,
        seconds: Callable[[], float],
        passed: Passed = unwatched,
    ) -> None:
        self._calls: dict[str, tuple[HostCall, Function, int]] = {}
        """By name: the declaration, the function, and how long its arguments may be."""
        self._visible: list[str] = []
        self._guides: dict[str, str] = {}
        """By name of a call that the reference page does not hold: where it is documented."""
        self.add(groups)
        self._commits = commits
        self._capabilities = capabilities
        self._registrations = registrations
        self._keep_lines = keep_lines
        self._keep_failure = keep_failure
        self._keep_receipt = keep_receipt
        self._limits = limits
        self._seconds = seconds
        self._passed = passed

    def add(self, groups: Iterable[CallGroup], *, guide: str | None = None) -> None:
        """
        Let scripts make the calls of *groups*, too; before the first invocation.

        Args:
            guide: Where they are documented; None for the engine's own reference page.
        """
        for group in groups:
            functions = group.functions
            self._calls.update({call.name: (call, functions[call.name], call.longest) for call in group.calls})
            if guide is not None:
                self._guides.update(dict.fromkeys(functions, guide))
        self._visible = [call.name for call in self.calls if not call.speaks_for]

    @property
    def calls(self) -> tuple[HostCall, ...]:
        """Return the declaration of every call that is answered."""
        return tuple(call for call, _, _ in self._calls.values())

    def begin(self, invocation: Invocation) -> CallSession:
        """See `interfaces.HostCalls.begin`."""
        session = CallSession(
            invocation=invocation,
            capabilities=self._capabilities(invocation),
            answer=self._answer,
            commits=self._commits,
            keep_lines=self._keep_lines,
            keep_failure=self._keep_failure,
            keep_receipt=self._keep_receipt,
            seconds=self._seconds,
            passed=self._passed,
        )
        if invocation.kind == "load":
            session.registrations = self._registrations(invocation)
        return session

    def account(self, invocation: Invocation, receipt: Receipt) -> None:
        """See `interfaces.HostCalls.account`."""
        self._keep_receipt(invocation, receipt)

    def _answer(self, session: CallSession, name: str, argument: str) -> Deferred[str] | str:
        try:
            declared, function, longest = self._admit(session, name)
            if len(argument) > longest:
                declared.check_length(len(argument))
            result = function(session, *_arguments(declared, argument))
        except (Exception, SystemExit) as error:  # noqa: BLE001  the edge of host calls: a child gets an answer whatever happens
            return self._refusal(name, error)
        if not hasattr(result, "__await__"):
            return self._encoded(name, result)
        if isinstance(result, Deferred):
            return self._answer_later(session, name, result)
        return self._stepped(session, name, result if isinstance(result, CoroutineType) else _awaited(result))

    def _admit(self, session: CallSession, name: str) -> tuple[HostCall, Function, int]:
        if session.ended:
            raise Cancelled("The invocation is over; its host calls are no longer answered.")
        declared = self._calls.get(name)
        if declared is None:
            self._refuse_unknown(name)
        call = declared[0]
        session.calls += call.cost
        limits = session.invocation.allowance or self._limits
        if session.calls > limits.host_calls:
            raise BudgetSpent(
                f"An invocation may make at most {limits.host_calls} host calls; do the rest in another request."
            )
        if session.open >= limits.open_host_calls:
            raise BudgetSpent(f"At most {limits.open_host_calls} host calls may wait at once; await some first.")
        if call.capability is not None and call.capability not in session.capabilities:
            raise Denied(
                f'{call.shown} needs the capability "{call.capability}", which this script has not been granted; '
                f"deploy it with --grant {call.capability}."
            )
        if call.effect == "immediate":
            session.act_at_once()
        return declared

    def _refuse_unknown(self, name: str) -> NoReturn:
        shown = printable(name[:_LONGEST_NAME])
        suggestion = nearest(name, self._visible)
        raise Invalid(f'There is no host call "{shown}"' + (f"; did you mean {suggestion}?" if suggestion else "."))

    def _stepped(self, session: CallSession, name: str, coroutine: Coroutine[Any, Any, Any]) -> Deferred[str] | str:
        """
        Run *coroutine* up to its first wait, and answer at once if there is none.

        A Deferred that has already fired is not the same: it parks the process of the run, and recalls the run that
        waits behind it.
        """
        context = copy_context()
        try:
            awaited = context.run(coroutine.send, None)
        except StopIteration as returned:
            return self._encoded(name, returned.value)
        except (Exception, SystemExit) as error:  # noqa: BLE001  as in `_answer`
            return self._refusal(name, error)
        return self._answer_later(session, name, Deferred.fromCoroutine(_await_answer(coroutine, awaited, context)))

    def _answer_later(self, session: CallSession, name: str, deferred: Deferred[Any]) -> Deferred[str] | str:
        session.open += 1

        def settled(value: Any) -> str:
            session.open -= 1
            return self._encoded(name, value)

        def failed(failure: Failure) -> str:
            session.open -= 1
            return self._refusal(name, failure.value)

        answer = deferred.addCallbacks(settled, failed)
        return str(answer.result) if answer.called and not answer.paused else answer

    def _encoded(self, name: str, value: Any) -> str:
        try:
            return '{"ok":' + _json(value) + "}"
        except (ValueError, TypeError, RecursionError) as error:
            return self._refusal(name, error)

    def _refusal(self, name: str, error: BaseException | None) -> str:
        if isinstance(error, CancelledError):
            error = Cancelled("The client disconnected.")
        if not isinstance(error, EngineError):
            _log.failure("host call {name} failed", Failure(error), name=printable(name[:_LONGEST_NAME]))
            error = EngineError(INTERNAL_ERROR)
        declared = self._calls.get(name)
        shown = declared[0].shown if declared else printable(name[:_LONGEST_NAME])
        error_document: dict[str, Any] = {
            "code": TABLE[error.code].javascript,
            "message": error.public,
            "call": shown,
            "hint": self._guides.get(name) or (f"{REFERENCE}#{anchor(shown)}" if declared else REFERENCE),
        }
        if self._guides.get(name) == "":
            # Its package names no page.
            del error_document["hint"]
        if error.retry_seconds is not None:
            error_document["retryAfter"] = error.retry_seconds
        if error.details is not None:
            error_document["details"] = error.details
        try:
            return '{"err":' + _json(error_document) + "}"
        except (ValueError, TypeError, RecursionError):
            error_document.pop("details", None)
            return '{"err":' + _json(error_document) + "}"


async def _awaited(result: Awaitable[Any]) -> Any:
    return await result


def _await_answer(
    coroutine: Coroutine[Any, Any, Any], awaited: Deferred[Any], context: Context
) -> Generator[Deferred[Any], Any, Any]:
    """
    Return the remainder of a coroutine that waits, for `Deferred.fromCoroutine`.

    Args:
        awaited: What it waits for.
        context: Where it has run so far; each of its steps runs there.
    """
    while True:
        try:
            try:
                value = yield awaited
            except Exception as error:  # noqa: BLE001  whatever it is, it is the coroutine's to handle
                awaited = context.run(coroutine.throw, error)
            else:
                awaited = context.run(coroutine.send, value)
        except StopIteration as returned:
            return returned.value


def _arguments(declared: HostCall, argument: str) -> list[Any]:
    try:
        arguments = decode(argument)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{declared.shown}: the arguments are not JSON.", private=str(error)[:200]) from None
    if not isinstance(arguments, list):
        raise Invalid(f"{declared.shown}: the arguments must be a JSON array.")
    # JavaScript functions ignore what they have no name for, as in `keys.map(notes.get)`.
    values = arguments[: len(declared.arguments)]
    needed = sum(1 for argument in declared.arguments if not argument.optional)
    if len(values) < needed:
        missing = declared.arguments[len(values)]
        raise Invalid(f"{declared.shown}: {missing.name} is missing; {missing.doc[:1].lower()}{missing.doc[1:]}")
    values += [None] * (len(declared.arguments) - len(values))
    for declaration, value in zip(declared.arguments, values, strict=True):
        declaration.check(declared.shown, value)
    return values


def _json(value: Any) -> str:
    if isinstance(value, EncodedResult):
        return value.json
    return json.dumps(value, allow_nan=False, separators=(",", ":"))
