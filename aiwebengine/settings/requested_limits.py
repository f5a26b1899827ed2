"""
Limits that a script or a handler asks for: less than the server's own, never more.

A script asks in its manifest, a handler in the options of its registration, both in the
same words.  What they request is stored under the names of the settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiwebengine.settings.amounts import duration_ms, shown, size_bytes
from aiwebengine.settings.schema import LimitSettings

_FORMS = {
    "ms": 'a duration such as "5s" or 5000',
    "bytes": 'a size such as "64MB"',
    "": "a whole number",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitWord:
    """One key with which a limit is requested."""

    name: str
    """The name under which it is stored: that of the setting without its unit."""
    setting: str
    """The field of `LimitSettings` that bounds it."""
    unit: str
    """`ms`, `bytes`, or empty for a count."""
    least: int
    doc: str
    handler: bool = True
    """Whether a handler may say it too; else it is for scripts only."""


WORDS: Mapping[str, LimitWord] = {
    "timeout": LimitWord(
        name="timeout_ms", setting="wall_seconds", unit="ms", least=1, doc="wall-clock time", handler=False
    ),
    "cpu": LimitWord(name="cpu_ms", setting="cpu_seconds", unit="ms", least=1, doc="processor time"),
    "load": LimitWord(
        name="load_ms", setting="load_seconds", unit="ms", least=10, doc="time of top level and init", handler=False
    ),
    "memory": LimitWord(
        name="memory_bytes", setting="memory_bytes", unit="bytes", least=16 << 20, doc="memory", handler=False
    ),
    "answer": LimitWord(
        name="answer_bytes", setting="answer_bytes", unit="bytes", least=0, doc="size of an answer's body"
    ),
    "stream": LimitWord(
        name="stream_bytes", setting="stream_bytes", unit="bytes", least=0, doc="size of a streamed body"
    ),
    "logLines": LimitWord(name="log_lines", setting="log_lines", unit="", least=0, doc="number of log lines"),
    "logSize": LimitWord(name="log_bytes", setting="log_bytes", unit="bytes", least=0, doc="size of all log lines"),
    "hostCalls": LimitWord(name="host_calls", setting="host_calls", unit="", least=0, doc="number of host calls"),
    "openHostCalls": LimitWord(
        name="open_host_calls",
        setting="open_host_calls",
        unit="",
        least=1,
        doc="number of host calls that wait at the same time",
    ),
}
"""Every word."""

HANDLER_WORDS = tuple(key for key, word in WORDS.items() if word.handler)
"""Those that a handler may say; its `timeout` is an option of its own."""


def read_limits(
    value: Mapping[str, Any], *, limits: LimitSettings, words: Iterable[str]
) -> tuple[dict[str, float], list[tuple[str, str]]]:
    """
    Check what is requested; unknown keys are ignored here.

    Args:
        value: What was written, by word.
        limits: The server's own.
        words: Which words count here.

    Returns:
        The valid ones by their setting's names, and of the others the key and what is wrong with it, such as
        `must be between 1 and 10000 ms; it is 3600000 ms.`
    """
    accepted: dict[str, float] = {}
    wrong: list[tuple[str, str]] = []
    for key in words:
        if value.get(key) is None:
            continue
        word = WORDS[key]
        number = _number(value[key], word.unit)
        most = getattr(limits, word.setting) * (1000 if word.unit == "ms" else 1)
        unit = f" {word.unit}" if word.unit else ""
        if number is None:
            wrong.append((key, f"must be {_FORMS[word.unit]}; it is {shown(value[key])}."))
        elif not word.least <= number <= most:
            bounds = f"between {word.least} and {most:.0f}{unit}, the server's limit"
            wrong.append((key, f"must be {bounds}; it is {number:.0f}{unit}."))
        else:
            accepted[word.name] = number
    return accepted, wrong


def _number(value: Any, unit: str) -> float | None:
    if unit == "ms":
        return duration_ms(value)
    if unit == "bytes":
        return size_bytes(value)
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1e12
    return float(value) if whole else None
