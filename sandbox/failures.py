"""
From what the engine says to what the wire says about a failure.

The prelude has already turned whatever was thrown into a code and JSON (`failures.js`), for
nothing but text may cross.  Here that text becomes an error box, and so does a failure of
the engine itself.

    thrown           the script threw, or a promise was rejected without a handler
    hung             it waits for what can never happen
    invalid_answer   what the handler returned is no answer
    memory           it needs more memory than it may have
    internal         the sandbox's own fault
"""

from __future__ import annotations

import json
from dataclasses import dataclass

CODES = frozenset({"thrown", "hung", "invalid_answer", "memory", "internal"})

_UNFIT = frozenset({"memory", "internal"})
_OUT_OF_MEMORY = ("alloc failed", "out of memory", "cannot allocate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a load or a run has no answer."""

    code: str
    """One of `CODES`."""
    report: str
    """ASCII JSON: `name`, `message`, raw `stack`, of host errors also `code`, `call`, `hint`, `retryAfter`."""

    @property
    def unfit(self) -> bool:
        """Return whether the process should not go on after it."""
        return self.code in _UNFIT


def read_failure(line: str) -> Failure:
    """Read the prelude's `F<code> <json>`."""
    code, _, report = line[1:].partition(" ")
    if code not in CODES or not report.isascii():
        return engine_failure(f"an unknown failure: {line[:200]!r}")
    return Failure(code=code, report=report)


def engine_failure(message: str) -> Failure:
    """Describe a failure of the engine itself by its message."""
    lowered = message.lower()
    code = "memory" if not message or any(sign in lowered for sign in _OUT_OF_MEMORY) else "internal"
    report = {"name": "Error", "message": message[:1000] or "out of memory", "stack": ""}
    return Failure(code=code, report=json.dumps(report))
