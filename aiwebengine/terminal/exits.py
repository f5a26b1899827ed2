"""
How a command ends: its exit codes, and the error that carries one.

The codes are part of the command line's promise; programs may rely on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OK = 0
FAILED = 1
USAGE = 2
REFUSED = 3
NOT_FOUND = 4
CONFLICT = 5
UNREACHABLE = 6
DENIED = 7
UNAVAILABLE = 8

MEANINGS: Mapping[int, str] = {
    OK: "done",
    FAILED: "internal server error, or the server could not start",
    USAGE: "the command or a setting is invalid; nothing was done",
    REFUSED: "refused: the deployment has problems, or the request is invalid",
    NOT_FOUND: "there is no such script, version or file",
    CONFLICT: "conflict: another change came first, or another script has the route",
    UNREACHABLE: "the server cannot be reached, or is not aiwebengine",
    DENIED: "the token is missing or wrong",
    UNAVAILABLE: "the server is too busy, or a part of it is unavailable; try again later",
}
"""For the reference page."""

_CODES: Mapping[str, int] = {
    "deployment_refused": REFUSED,
    "invalid": REFUSED,
    "too_large": REFUSED,
    "method_not_allowed": REFUSED,
    "not_found": NOT_FOUND,
    "conflict": CONFLICT,
    "unauthenticated": DENIED,
    "denied": DENIED,
    "unavailable": UNAVAILABLE,
    "too_many": UNAVAILABLE,
    "budget": UNAVAILABLE,
}


class CommandFailed(Exception):
    """
    The command failed.

    Args:
        message: For people: what happened and what to do.
        code: The exit code.
        problem: The server's problem+json, if it was the server that refused.
    """

    def __init__(self, message: str, *, code: int, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.problem = dict(problem or {})

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {"error": {"message": self.message, **self.problem}, "exit": self.code}


def from_problem(problem: Mapping[str, Any]) -> CommandFailed:
    """Make the error for what the server answered."""
    message = str(problem.get("detail") or problem.get("title") or "The server refused the request and gave no reason.")
    return CommandFailed(message, code=_CODES.get(str(problem.get("code")), FAILED), problem=problem)
