"""From what a child did, or how it died, to an error with a name."""

from __future__ import annotations

import json
import signal
from typing import Any

from aiwebengine.errors import (
    BudgetSpent,
    Cancelled,
    Conflict,
    EngineError,
    ScriptCrashed,
    ScriptFailed,
    ScriptHung,
    ScriptMemory,
    ScriptProtocol,
    ScriptTimeout,
    Thrown,
    TooMany,
    Unavailable,
)
from aiwebengine.runtime.boxes import Box
from aiwebengine.runtime.control import Exit

_MAX_TEXT = 8000

_HOST_CODES: dict[str, type[EngineError]] = {
    "unavailable": Unavailable,
    "conflict": Conflict,
    "too_many": TooMany,
    "budget": BudgetSpent,
    "timeout": ScriptTimeout,
}
"""Codes of an uncaught HostError that are told to the caller as what they are; the rest is the author's fault."""


def script_failure(box: Box) -> EngineError:
    """Read an error box: what the script threw, in words; all of it may be forged."""
    code = box.get(b"_error_code", b"")
    try:
        told = json.loads(box.get(b"v", b"{}"))
    except (ValueError, RecursionError):
        told = {}
    if not isinstance(told, dict):
        told = {}
    thrown = Thrown(
        name=_text(told, "name")[:200] or "Error",
        message=_text(told, "message"),
        stack=_text(told, "stack"),
        code=_text(told, "code")[:40] or None,
        call=_text(told, "call")[:100] or None,
    )
    if code == b"hung":
        return ScriptHung(thrown.message or "The script waits for what can never come.", thrown=thrown)
    shown = thrown.message if thrown.name in {"Error", ""} else f"{thrown.name}: {thrown.message}"
    if code == b"memory":
        return ScriptMemory(
            "The script ran out of memory and was ended; nothing it did was kept. "
            "Hold less at once, or raise limits.memory_bytes.",
            thrown=thrown,
        )
    if code == b"invalid_answer":
        return ScriptFailed(f"The handler's answer cannot be sent: {thrown.message}", thrown=thrown)
    if code == b"internal":
        return ScriptCrashed("The sandbox failed while it ran the script.", thrown=thrown, private=shown)
    if thrown.code in _HOST_CODES:
        kind = _HOST_CODES[thrown.code]
        retry = told.get("retryAfter")
        seconds = (
            float(retry)
            if isinstance(retry, int | float) and not isinstance(retry, bool) and 0 <= retry < 1e6
            else None
        )
        if issubclass(kind, ScriptFailed):
            return kind(shown, thrown=thrown, retry_seconds=seconds)
        return kind(thrown.message, retry_seconds=seconds)
    return ScriptFailed(
        f"The script threw {shown}"
        if thrown.name != "thrown value"
        else f"The script threw the value {thrown.message}",
        thrown=thrown,
    )


def death(ended: Exit, *, cause: str, memory_bytes: int, phase: str) -> EngineError:
    """
    Name how a process died.

    Args:
        cause: Code of the error for which the server killed it; empty if it did not.
        memory_bytes: Its limit.
        phase: What it was doing, for the message.
    """
    number = ended.signal
    if cause == "script_protocol":
        return ScriptProtocol("The script's process broke the protocol and was ended.")
    if cause == "cancelled":
        return Cancelled("Whoever asked has gone.")
    if cause == "script_timeout" or number in {signal.SIGALRM, signal.SIGPROF, signal.SIGXCPU, signal.SIGVTALRM}:
        kind = "processor time" if number in {signal.SIGPROF, signal.SIGXCPU} else "time"
        return ScriptTimeout(
            f"The script used all the {kind} it may ({phase}) and was ended; nothing it did was kept. "
            "Do less at once, or raise the script's limits.timeout."
        )
    if number in {signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS} and (
        ended.max_rss_bytes == 0 or ended.max_rss_bytes > memory_bytes // 2
    ):
        return ScriptMemory(
            f"The script ran out of memory ({phase}; its limit is {memory_bytes // (1024 * 1024)} MiB) and was ended; "
            "nothing it did was kept. Hold less at once, or raise limits.memory_bytes."
        )
    told = f"signal {signal.Signals(number).name}" if number else f"status {ended.status}"
    return ScriptCrashed(f"The script's process died ({phase}); nothing it did was kept.", private=told)


def _text(told: dict[str, Any], key: str) -> str:
    value = told.get(key)
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
