"""
Every way the engine can refuse or fail, declared once.

Lower floors raise meaning only; the edges look up the HTTP status and the JavaScript
code in `TABLE`.  `public` is one sentence that any
caller may read; `private` is for the log and never leaves the server.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

INTERNAL_ERROR = "Internal server error; the server log has the details."
"""What a caller reads of a fault in the server."""


class EngineError(Exception):
    """
    An internal error; the server's log has the details.

    It is the base class of all errors that the engine raises on purpose.

    Args:
        public: One full sentence for the caller: the rule, the value, the remedy.
        private: What only the log may know.
        details: JSON-ready facts that belong to the answer, such as a list of problems.
        retry_seconds: When to try again; None if trying again is of no use.
    """

    code: ClassVar[str] = "internal"

    def __init__(
        self,
        public: str,
        *,
        private: str = "",
        details: Any = None,
        retry_seconds: float | None = None,
    ) -> None:
        super().__init__(public)
        self.public = public
        self.private = private
        self.details = details
        self.retry_seconds = retry_seconds


class CallerError(EngineError):
    """The caller's doing."""


class Invalid(CallerError):
    """The request is malformed or violates a rule."""

    code = "invalid"


class NotFound(CallerError):
    """Nothing has this name or path."""

    code = "not_found"


class WrongMethod(CallerError):
    """
    The path exists, the method does not.

    Args:
        allowed: Methods that the path does answer, in upper case.
    """

    code = "method_not_allowed"

    def __init__(self, public: str, *, allowed: Sequence[str]) -> None:
        super().__init__(public, details={"allowed": list(allowed)})
        self.allowed = tuple(allowed)


class UpgradeRequired(CallerError):
    """The path is a WebSocket, and the request is not a WebSocket upgrade of a supported version."""

    code = "upgrade_required"


class NotAcceptable(CallerError):
    """The client accepts none of the available content types."""

    code = "not_acceptable"


class Unauthenticated(CallerError):
    """The caller is not authenticated."""

    code = "unauthenticated"


class Denied(CallerError):
    """The caller is not allowed to do this."""

    code = "denied"


class Conflict(CallerError):
    """Another change came first, or the name or path is in use."""

    code = "conflict"


class Stale(Conflict):
    """
    Something that the invocation had read was changed before it committed; nothing was changed.

    Args:
        turn: Waits until no other invocation may change it; returns a function that ends the turn.
    """

    def __init__(self, public: str, *, turn: Callable[[], Deferred[Callable[[], None]]] | None = None) -> None:
        super().__init__(public)
        self.turn = turn


class TooLarge(CallerError):
    """The data is larger than the limit."""

    code = "too_large"


class UnsupportedMedia(CallerError):
    """
    The body's content type or coding is not supported.

    Args:
        codings: Supported content codings, if the coding is not supported.
    """

    code = "unsupported_media"

    def __init__(self, public: str, *, codings: Sequence[str] = ()) -> None:
        super().__init__(public, details={"acceptEncoding": list(codings)} if codings else None)


class TargetTooLong(CallerError):
    """The request's target is longer than the limit allows."""

    code = "uri_too_long"


class NotImplementedByServer(CallerError):
    """The server does not support the method or the transfer coding."""

    code = "not_implemented"


class UnsupportedVersion(CallerError):
    """The server does not support the request's version of HTTP."""

    code = "http_version"


class HeadersTooLarge(CallerError):
    """The request's headers are larger than the limit allows."""

    code = "headers_too_large"


class TooSlow(CallerError):
    """The request did not arrive in time."""

    code = "too_slow"


class CallTimeout(CallerError):
    """A host call took longer than it may."""

    code = "call_timeout"


class TooMany(CallerError):
    """The limit of requests, connections or entries is reached."""

    code = "too_many"


class Closed(CallerError):
    """The call is no longer possible, such as a registration after the script was loaded."""

    code = "closed"


class BudgetSpent(CallerError):
    """A budget of the script is used up."""

    code = "budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a deployment, at its place in the author's source."""

    code: str
    """Stable word for the rule, such as `syntax`, `unknown_name`, `route_conflict`."""
    message: str
    """The rule, the value seen and the fix."""
    file: str | None = None
    """Path inside the script's folder."""
    line: int | None = None
    """From 1."""
    column: int | None = None
    """From 1."""
    hint: str | None = None
    """What to write instead."""
    severity: str = "error"
    """`error` stops the deployment, `warning` does not."""
    snippet: str | None = None
    """The source line, bounded."""

    def as_json(self) -> dict[str, Any]:
        """Return the keys that are set, ready for JSON."""
        pairs = {
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "hint": self.hint,
            "snippet": self.snippet,
        }
        return {key: value for key, value in pairs.items() if value is not None}


class DeploymentRefused(CallerError):
    """
    The deployment has problems; nothing was changed.

    Args:
        problems: All of them, errors and warnings.
    """

    code = "deployment_refused"

    def __init__(self, public: str, *, problems: Sequence[Problem]) -> None:
        super().__init__(public, details={"problems": [p.as_json() for p in problems]})
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrownError:
    """What a script threw, in words; positions are those of the bundle until mapped."""

    name: str
    """Such as `TypeError`; bounded."""
    message: str
    stack: str = ""
    """Duktape's stack text; the engine's own frames are left out."""
    code: str | None = None
    """Of a HostError: one of the codes that scripts see."""
    call: str | None = None
    """Of a HostError: the name of the host call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRegistration:
    """One call that registers something and was refused while a version loaded."""

    thrown: ThrownError
    """What the call threw, or would have thrown."""
    argument: int | None = None
    """Which argument is wrong, from 0; None if it is an option, or not known."""
    option: str = ""
    """Which option is wrong; empty if it is an argument, or not known."""


class ScriptFailed(EngineError):
    """
    The script threw an error, or returned something that is not a valid answer.

    Args:
        thrown: What it threw; None if it did not throw.
        place: `file:line` of what registered the handler, for a failure that has no stack; empty if it is not known.
        stack: Where it was, for a failure that it did not throw: frames of a raw stack.
        refused: Of a load: the registrations that were refused.
        caught: If they are but the first: how many were refused before and caught by the script; else None.
    """

    code = "script_failed"

    def __init__(
        self,
        public: str,
        *,
        thrown: ThrownError | None = None,
        private: str = "",
        retry_seconds: float | None = None,
        place: str = "",
        stack: str = "",
        refused: Sequence[RefusedRegistration] = (),
        caught: int | None = None,
    ) -> None:
        super().__init__(public, private=private, retry_seconds=retry_seconds)
        self.thrown = thrown
        self.place = place
        self.stack = thrown.stack if thrown is not None else stack
        self.refused = tuple(refused)
        self.caught = caught


class ScriptTimeout(ScriptFailed):
    """The script was stopped at its limit of time or processor time."""

    code = "script_timeout"


class ScriptMemory(ScriptFailed):
    """The script's process exceeded its memory limit."""

    code = "script_memory"


class ScriptCrashed(ScriptFailed):
    """The script's process ended in another way."""

    code = "script_crashed"


class ScriptProtocol(ScriptFailed):
    """The script's process violated the protocol with the server, and was killed."""

    code = "script_protocol"


class ScriptHung(ScriptFailed):
    """The script waits for something that can never happen."""

    code = "script_hung"


class Unavailable(EngineError):
    """A part of the server is unavailable or overloaded; try again after `retry_seconds`."""

    code = "unavailable"


class OutcomeUnknown(Unavailable):
    """The connection broke during a commit, which may have been made or not."""

    code = "outcome_unknown"


class Cancelled(EngineError):
    """The client disconnected."""

    code = "cancelled"


class CannotStart(EngineError):
    """The server cannot start as it is set up; `public` says what to change. Nothing was changed on disk."""

    code = "cannot_start"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """How one code is reported to each kind of caller."""

    status: int
    """HTTP status."""
    title: str
    """RFC 9457 title: the same for every occurrence."""
    javascript: str
    """`HostError.code` that a script sees."""


TABLE: dict[str, ErrorRow] = {
    "internal": ErrorRow(status=500, title="Internal server error", javascript="unavailable"),
    "invalid": ErrorRow(status=400, title="Invalid request", javascript="invalid"),
    "not_found": ErrorRow(status=404, title="Not found", javascript="not_found"),
    "method_not_allowed": ErrorRow(status=405, title="Method not allowed", javascript="invalid"),
    "upgrade_required": ErrorRow(status=426, title="WebSocket upgrade required", javascript="invalid"),
    "not_acceptable": ErrorRow(status=406, title="Not acceptable", javascript="invalid"),
    "unauthenticated": ErrorRow(status=401, title="Authentication required", javascript="denied"),
    "denied": ErrorRow(status=403, title="Not allowed", javascript="denied"),
    "conflict": ErrorRow(status=409, title="Conflict", javascript="conflict"),
    "too_large": ErrorRow(status=413, title="Too large", javascript="too_large"),
    "unsupported_media": ErrorRow(status=415, title="Unsupported media type", javascript="invalid"),
    "uri_too_long": ErrorRow(status=414, title="Request target too long", javascript="too_large"),
    "not_implemented": ErrorRow(status=501, title="Not implemented", javascript="unsupported"),
    "http_version": ErrorRow(status=505, title="HTTP version not supported", javascript="unsupported"),
    "headers_too_large": ErrorRow(status=431, title="Request headers too large", javascript="too_large"),
    "too_slow": ErrorRow(status=408, title="Request timeout", javascript="timeout"),
    "call_timeout": ErrorRow(status=504, title="Host call timeout", javascript="timeout"),
    "too_many": ErrorRow(status=429, title="Too many requests", javascript="too_many"),
    "closed": ErrorRow(status=409, title="Closed", javascript="closed"),
    "budget": ErrorRow(status=429, title="Budget spent", javascript="budget"),
    "deployment_refused": ErrorRow(status=422, title="The deployment has problems", javascript="invalid"),
    "script_failed": ErrorRow(status=500, title="The script failed", javascript="unavailable"),
    "script_timeout": ErrorRow(status=504, title="The script ran out of time", javascript="timeout"),
    "script_memory": ErrorRow(status=500, title="The script ran out of memory", javascript="unavailable"),
    "script_crashed": ErrorRow(status=500, title="The script's process died", javascript="unavailable"),
    "script_protocol": ErrorRow(
        status=500, title="The script's process violated the protocol", javascript="unavailable"
    ),
    "script_hung": ErrorRow(status=500, title="The script cannot finish", javascript="timeout"),
    "unavailable": ErrorRow(status=503, title="Service unavailable", javascript="unavailable"),
    "outcome_unknown": ErrorRow(status=503, title="Outcome unknown", javascript="unavailable"),
    "cannot_start": ErrorRow(status=503, title="The server cannot start", javascript="unavailable"),
    "cancelled": ErrorRow(status=499, title="The client disconnected", javascript="closed"),
}
"""Every code, once."""
