"""Errors in the form of GraphQL: `message`, `locations`, `path` and `extensions.code`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import FieldNode, GraphQLError, ValueNode
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import INTERNAL_ERROR, EngineError, ScriptFailed, ThrownError
from aiwebengine.features.graphql.codes import code_of
from aiwebengine.features.graphql.execution.wording import in_words_of_graphql
from aiwebengine.scripts.failures import NO_TRACE, Trace
from aiwebengine.web.errors import withheld

_log = Logger()

_BY_STATUS = {
    400: "BAD_USER_INPUT",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    413: "TOO_LARGE",
    422: "BAD_USER_INPUT",
    429: "TOO_MANY",
    503: "UNAVAILABLE",
    504: "TIMEOUT",
}
_LONGEST = 8000
_LONGEST_MESSAGE = 1000


class FieldFailed(Exception):
    """
    A field has no value.

    Args:
        message: For the client.
        extensions: What stands beside it; with `code`.
    """

    def __init__(self, message: str, extensions: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.message = message
        self.extensions = dict(extensions)


def of_engine(error: EngineError, *, shown: bool, trace: Trace = NO_TRACE) -> FieldFailed:
    """
    Return what the engine says.

    Args:
        shown: Clients may read what the script threw; for development.
        trace: Where it threw that.
    """
    if isinstance(error, ScriptFailed) and error.thrown is not None and not shown:
        error = withheld(error)
    extensions: dict[str, Any] = {"code": code_of(error)}
    if error.retry_seconds is not None:
        extensions["retryAfter"] = max(1, round(error.retry_seconds))
    if isinstance(error, ScriptFailed) and (error.thrown is not None or (shown and trace.frames)):
        extensions["stacktrace"] = list(trace.lines)
        if error.code == "script_failed" and error.thrown is not None:
            message = error.thrown.message or error.public
            return FieldFailed(trace.headline(message), extensions)
    return FieldFailed(error.public, extensions)


def of_script(report: Any) -> FieldFailed | ScriptFailed:
    """Read what a script's kernel reported about an error; it may be forged."""
    fields = report if isinstance(report, dict) else {}
    message = _text(fields.get("message")) or "The script failed."
    if fields.get("public") is True:
        extensions: dict[str, Any] = {"code": "SCRIPT_FAILED"}
        status = fields.get("status")
        if isinstance(status, int) and not isinstance(status, bool):
            extensions["code"] = _BY_STATUS.get(status, "BAD_USER_INPUT" if status < 500 else "SCRIPT_FAILED")
            extensions["status"] = status
            if fields.get("details") is not None:
                extensions["details"] = fields["details"]
        elif isinstance(fields.get("extensions"), dict):
            extensions |= fields["extensions"]
        return FieldFailed(message, extensions)
    name = _text(fields.get("name"))[:200] or "Error"
    thrown = ThrownError(name=name, message=message, stack=_text(fields.get("stack")))
    shown = message if name in {"Error", ""} else f"{name}: {message}"
    return ScriptFailed(f"The script threw {shown}", thrown=thrown)


def formatted(errors: Sequence[GraphQLError] | None, *, request: str) -> list[dict[str, Any]]:
    """
    Return errors as they are sent; what is private stays in the log.

    Args:
        request: Its id, for the log.
    """
    return [_formatted(error, request) for error in errors or ()]


def _formatted(error: GraphQLError, request: str) -> dict[str, Any]:
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    report: dict[str, Any] = dict(error.formatted)
    if cause is None or isinstance(cause, GraphQLError):
        values = bool(error.nodes) and not any(isinstance(node, ValueNode) for node in error.nodes or ())
        report["message"] = in_words_of_graphql(_excerpt(report["message"]), values=values)
    elif not isinstance(cause, FieldFailed):
        if isinstance(cause, EngineError):
            report["message"], report["extensions"] = cause.public, {"code": code_of(cause)}
        elif isinstance(cause, TypeError | ValueError):
            report["message"] = in_words_of_graphql(_excerpt(report["message"]))
        else:
            _log.failure("GraphQL request {request} failed", Failure(cause), request=request)
            report["message"], report["extensions"] = INTERNAL_ERROR, {"code": "INTERNAL"}
    extensions = dict(report.get("extensions") or {})
    if "code" not in extensions:
        extensions["code"] = "SCRIPT_FAILED" if _is_of_a_field(error) else "BAD_USER_INPUT"
        report["extensions"] = extensions
    return report


def _excerpt(message: str) -> str:
    """Return a message of graphql-core shortened if it is too long: it repeats what a client sent."""
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:700]} … {message[-200:]}"


def _is_of_a_field(error: GraphQLError) -> bool:
    """Return whether a field has no value; otherwise what the client wrote is wrong: the document, or an argument."""
    return bool(error.path) and all(isinstance(node, FieldNode) for node in error.nodes or ())


def _text(value: Any) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""
