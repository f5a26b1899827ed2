"""`extensions.code` of GraphQL errors."""

from __future__ import annotations

from collections.abc import Mapping

from aiwebengine.errors import EngineError

CODES: Mapping[str, str] = {
    "internal": "INTERNAL",
    "invalid": "BAD_USER_INPUT",
    "not_found": "NOT_FOUND",
    "method_not_allowed": "BAD_USER_INPUT",
    "upgrade_required": "BAD_USER_INPUT",
    "not_acceptable": "BAD_USER_INPUT",
    "unauthenticated": "UNAUTHENTICATED",
    "denied": "FORBIDDEN",
    "conflict": "CONFLICT",
    "too_large": "TOO_LARGE",
    "unsupported_media": "BAD_USER_INPUT",
    "uri_too_long": "TOO_LARGE",
    "not_implemented": "BAD_USER_INPUT",
    "http_version": "BAD_USER_INPUT",
    "headers_too_large": "TOO_LARGE",
    "too_slow": "TIMEOUT",
    "call_timeout": "TIMEOUT",
    "too_many": "TOO_MANY",
    "closed": "CONFLICT",
    "budget": "TOO_MANY",
    "deployment_refused": "BAD_USER_INPUT",
    "script_failed": "SCRIPT_FAILED",
    "script_timeout": "SCRIPT_TIMEOUT",
    "script_memory": "SCRIPT_MEMORY",
    "script_crashed": "SCRIPT_CRASHED",
    "script_protocol": "SCRIPT_PROTOCOL",
    "script_hung": "SCRIPT_HUNG",
    "unavailable": "UNAVAILABLE",
    "outcome_unknown": "UNAVAILABLE",
    "cannot_start": "UNAVAILABLE",
    "cancelled": "CANCELLED",
}
"""By the engine's own code."""


def code_of(error: EngineError) -> str:
    """Return the code that clients of GraphQL get for an error."""
    return CODES[error.code]
