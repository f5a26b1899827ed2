"""From what a child did, or how it died, to an error with a name."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiwebengine.errors import (
    Cancelled,
    Conflict,
    EngineError,
    RefusedRegistration,
    ScriptCrashed,
    ScriptFailed,
    ScriptHung,
    ScriptMemory,
    ScriptProtocol,
    ScriptTimeout,
    ThrownError,
    TooMany,
    Unavailable,
)
from aiwebengine.runtime.wire.boxes import Box
from aiwebengine.runtime.wire.control import Exit

_MAX_TEXT = 8000
_MAX_TOLD_BYTES = 512 * 1024
_MOST_REFUSED = 50
_MOST_CAUGHT = 100_000
_MOST_ARGUMENTS = 20

_MOST_POSITION_BYTES = 4000
_MOST_WAITS = 5
_CPU_TIMERS = frozenset({signal.SIGPROF, signal.SIGXCPU, signal.SIGVTALRM})
_TIMERS = frozenset({signal.SIGALRM, *_CPU_TIMERS})
# Without the right to signal itself, `abort` ends in whatever fault the processor has for it.
_FAULTS = frozenset({signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGTRAP})

_POSITION = re.compile(r"at [^()\\]{1,100} \((?:[^()\\]{1,100}:\d{1,9}|native)\)")
_NATIVE = re.compile(r"\s*at ([\w$.]{1,60}) \(native\)")

_HOST_CODES: dict[str, type[EngineError]] = {
    "unavailable": Unavailable,
    "conflict": Conflict,
    "too_many": TooMany,
    "timeout": ScriptTimeout,
}
"""
Codes of an uncaught HostError that are reported to the caller unchanged; the rest is the author's fault, and so is
"too_many" if it does not say when to try again, for a client cannot change how much a handler does.
"""


def script_failure(box: Box, *, label: str = "", place: str = "") -> EngineError:
    """
    Read an error box: what the script threw, in words; it may be forged.

    Args:
        label: What was run, for people; see `Invocation.label`.
        place: See `Invocation.place`.
    """
    code = box.get(b"_error_code", b"")
    raw = box.get(b"v", b"")
    try:
        report = json.loads(raw) if len(raw) <= _MAX_TOLD_BYTES else {}
    except (ValueError, RecursionError):
        report = {}
    if not isinstance(report, dict):
        report = {}
    thrown = _thrown(report)
    if code == b"hung":
        waits = thrown.message or "The script waits for a promise that can never settle."
        if label:
            waits = waits.replace("The handler", f"The handler of {label}", 1)
        return ScriptHung(waits, thrown=thrown, place=place)
    shown = _shown(thrown)
    if code == b"memory":
        return ScriptMemory(
            "The script ran out of memory and was terminated; its changes were discarded. "
            "Hold less at once, or raise its limit (memory; at most limits.memory_bytes).",
            thrown=thrown,
            place=place,
        )
    if code == b"invalid_answer":
        return ScriptFailed(f"The handler's answer cannot be sent: {thrown.message}", thrown=thrown, place=place)
    if code == b"internal":
        return ScriptCrashed("The sandbox failed while it ran the script.", thrown=thrown, private=shown, place=place)
    if refused := _refused(report):
        return ScriptFailed(f"The script threw {shown}", thrown=thrown, refused=refused, caught=_count(report, "more"))
    kind, retry = _HOST_CODES.get(thrown.code or ""), report.get("retryAfter")
    if kind is not None and (kind is not TooMany or retry is not None):
        seconds = (
            float(retry)
            if isinstance(retry, int | float) and not isinstance(retry, bool) and 0 <= retry < 1e6
            else None
        )
        if issubclass(kind, ScriptFailed):
            return kind(shown, thrown=thrown, retry_seconds=seconds, place=place)
        return kind(thrown.message, retry_seconds=seconds)
    description = f"the value {thrown.message}" if thrown.name == "thrown value" else shown
    return ScriptFailed(f"The script threw {description}", thrown=thrown, place=place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a process was allowed, for the words about its end."""

    script: str
    phase: str
    """What it was doing: `handler`, or `top level`."""
    wall_seconds: float
    cpu_seconds: float
    memory_bytes: int
    label: str = ""
    """See `Invocation.label`."""
    place: str = ""
    """See `Invocation.place`."""
    position: str | None = ""
    """Where it was at its deadline: frames of a raw stack; None: it waited, empty: it did not say."""
    late: bool = False
    """It died after its deadline, so that reading its stack for the report may be the cause."""
    waits: Sequence[str] | None = ()
    """Names of the host calls that were not answered; None if all of them were."""

    @property
    def what(self) -> str:
        """Return what was run, for people."""
        of = f"{self.label} in " if self.label else ""
        return f'{self.phase} of {of}the script "{self.script}"'


def death_error(ended: Exit, *, cause: str, bounds: Bounds) -> EngineError:
    """
    Name how a process died.

    Args:
        cause: Code of the error for which the server killed it; empty if it did not.
        bounds: What it was allowed.
    """
    number = ended.signal
    if cause == "script_protocol":
        return broken_protocol(bounds.script)
    if cause == "cancelled":
        return disconnected()
    if cause == "script_timeout" or number in _TIMERS:
        return _timeout(bounds, of_processor=number in _CPU_TIMERS)
    if number in _FAULTS and (ended.max_rss_bytes == 0 or ended.max_rss_bytes > bounds.memory_bytes // 2):
        return ScriptMemory(
            f"The {bounds.what} ran out of memory and was terminated; its changes were discarded. "
            f"Its limit is {bounds.memory_bytes // (1024 * 1024)} MiB: hold less at once, or raise the script's "
            "memory in its manifest, or the server's limits.memory_bytes.",
            place=bounds.place,
        )
    if bounds.late and number in _FAULTS:
        # Its time was over, and it died while it read its own stack; see `sandbox/deadline_report.py`.
        return _timeout(bounds, of_processor=False)
    if ended.refused:
        return Unavailable(
            f'The server could not start a process for the script "{bounds.script}"; try again in a moment.',
            private=ended.refused,
            retry_seconds=1.0,
        )
    if ended.status is None:
        return Unavailable(
            f'The process of the script "{bounds.script}" was lost with the sandbox; nothing was done. Try again.',
            retry_seconds=1.0,
        )
    report = f"signal {number}" if number else f"status {ended.status}"
    return ScriptCrashed(
        f'The process of the script "{bounds.script}" died in its {bounds.phase}; its changes were discarded. '
        "The server log has the details; if it happens again, the script triggers a fault in the JavaScript engine.",
        private=f"{bounds.script}: {report}",
    )


def broken_protocol(script: str, why: str = "") -> ScriptProtocol:
    """Make the error for a process that violated the protocol."""
    return ScriptProtocol(
        f'The process of the script "{script}" violated the protocol and was terminated; its changes were discarded. '
        "A script cannot cause this by itself: report it to the administrator of the server.",
        private=why,
    )


def disconnected() -> Cancelled:
    """Make the error for a run whose client has disconnected."""
    return Cancelled("The client disconnected.")


def process_lost_twice(script: str) -> Unavailable:
    """Make the error for a run that lost its process through no fault of its own, for the second time."""
    return Unavailable(
        f'The process of the script "{script}" was killed from outside, twice; its changes were discarded. '
        "Try again in a moment.",
        retry_seconds=1.0,
    )


def not_repeatable(script: str) -> ScriptCrashed:
    """Make the error for a run that lost its process through no fault of its own, and cannot be run once more."""
    return ScriptCrashed(
        f'The process of the script "{script}" was killed from outside after it had done something that takes effect '
        "at once, so it was not run again; its other changes were discarded. "
        "Check what it did before you send the request again."
    )


def _timeout(bounds: Bounds, *, of_processor: bool) -> ScriptTimeout:
    loading = bounds.phase != "handler"
    if of_processor:
        used, setting = f"{bounds.cpu_seconds:g} s of processor time", "cpu limit in its manifest"
        servers = "limits.cpu_seconds"
    else:
        used, setting, servers = f"{bounds.wall_seconds:g} s", "timeout", "limits.wall_seconds"
    advice = "raise the server's limits.load_seconds" if loading else f"raise its {setting} (at most {servers})"
    return ScriptTimeout(
        f"The {bounds.what} did not finish within {used} and was terminated; "
        f"its changes were discarded. {_doing(bounds)}Do less at once, or {advice}.",
        place=bounds.place,
        stack=bounds.position or "",
    )


def _shown(thrown: ThrownError) -> str:
    """Return an error in words; one of a host call always names the call."""
    message = thrown.message
    if thrown.call and thrown.call not in message:
        message = f"{thrown.call}: {message}"
    return message if thrown.name in {"Error", ""} else f"{thrown.name}: {message}"


def _doing(bounds: Bounds) -> str:
    """Say what a script was doing when its time was over, as far as that is not a place in its source."""
    if bounds.position:
        native = _NATIVE.match(bounds.position)
        return f"It was in {native[1]}, which is not written in JavaScript. " if native else ""
    if not bounds.waits:
        if bounds.position is not None:
            return ""
        if bounds.waits is None:
            return "It waited for a timer, or had just been sent the answer to a host call. "
        return "It waited for a timer. "
    names = list(dict.fromkeys(bounds.waits))
    more = f" and {len(names) - _MOST_WAITS} others" if len(names) > _MOST_WAITS else ""
    return f"It waited for {', '.join(names[:_MOST_WAITS])}{more}. "


def read_position(raw: bytes) -> str | None:
    """Read where a script says that it is: frames as in its stacks, None if it waits; it may be forged."""
    if not raw:
        return None
    if len(raw) > _MOST_POSITION_BYTES or not raw.isascii():
        return ""
    return "\n".join(f"    {line}" for line in raw.decode("ascii").splitlines() if _POSITION.fullmatch(line))


def _thrown(report: dict[str, Any]) -> ThrownError:
    return ThrownError(
        name=_text(report, "name")[:200] or "Error",
        message=_text(report, "message"),
        stack=_text(report, "stack"),
        code=_text(report, "code")[:40] or None,
        call=_text(report, "call")[:100] or None,
    )


def _refused(report: dict[str, Any]) -> list[RefusedRegistration]:
    refusals = report.get("refused")
    return [
        RefusedRegistration(
            thrown=_thrown(refusal),
            argument=_count(refusal, "argument", _MOST_ARGUMENTS),
            option=_text(refusal, "option")[:200],
        )
        for refusal in (refusals[:_MOST_REFUSED] if isinstance(refusals, list) else ())
        if isinstance(refusal, dict)
    ]


def _count(report: dict[str, Any], key: str, most: int = _MOST_CAUGHT) -> int | None:
    value = report.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most else None


def _text(report: dict[str, Any], key: str) -> str:
    value = report.get(key)
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
