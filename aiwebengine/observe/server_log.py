"""
The server's own log: for people or for machines.

`text`: one line an event, `2026-11-01T12:00:00.123Z info  scripts.deploy: deployed notes@3`.
`json`: one JSON object a line with `time`, `level`, `logger`, `message`, the event's own
fields and, for a failure, `traceback`.

Whatever an event carries, it cannot forge a second line or move a terminal's cursor:
control characters are escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO, cast

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    PredicateResult,
    formatEvent,
)
from twisted.python.failure import Failure
from zope.interface import implementer

LEVELS: Mapping[str, Any] = {
    "debug": LogLevel.debug,
    "info": LogLevel.info,
    "warn": LogLevel.warn,
    "error": LogLevel.error,
}
"""The setting's words."""

_LONGEST_FIELD = 2000
_REACTOR_ENDED = "Main loop terminated."
_LEGACY = "log_legacy"
"""The namespace of what Twisted logs by its older interface."""
_PORT = re.compile(r"\w+ starting on \S+|\(\S+ Port \S+ Closed\)")
"""What Twisted logs for each port that it opens or closes; the listener has a line of its own."""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_OWN = re.compile(r"log_\w+|message|time|format|system|isError|failure|why")


def observer(*, stream: TextIO, level: str, form: str) -> FilteringLogObserver:
    """
    Make the observer that the settings ask for.

    Args:
        stream: Where lines go; flushed after each.
        level: A key of `LEVELS`; below it nothing is written.
        form: `text` or `json`.
    """
    line = json_line if form == "json" else text_line
    predicate = LogLevelFilterPredicate(defaultLogLevel=LEVELS[level])
    writer: Any = _Writer(stream=stream, line=line)
    return FilteringLogObserver(writer, [cast(Any, predicate), cast(Any, _is_of_interest)])


def _is_of_interest(event: LogEvent) -> Any:
    """Leave out what the reactor says of itself at its end, after whatever was the reason for that, and of ports."""
    ended = event.get("log_namespace") == "twisted.internet.base" and event.get("log_format") == _REACTOR_ENDED
    if ended or (event.get("log_namespace") == _LEGACY and _PORT.fullmatch(formatEvent(event))):
        return PredicateResult.no
    return PredicateResult.maybe


def text_line(event: LogEvent) -> str:
    """Return an event as a line for people, without the line's end."""
    level = event.get("log_level", LogLevel.info).name
    text = escape(formatEvent(event))
    trace = _traceback(event)
    if trace:
        # Its lines are indented, so that none of them can look like an event.
        text = f"{text}\n    " + escape(trace.rstrip(), lines=True).replace("\n", "\n    ")
    return f"{_time(event)} {level:<5} {_logger(event)}: {text}"


def json_line(event: LogEvent) -> str:
    """Return an event as one JSON object, without the line's end."""
    document: dict[str, Any] = {
        "time": _time(event),
        "level": event.get("log_level", LogLevel.info).name,
        "logger": _logger(event),
        "message": formatEvent(event),
    }
    document.update(
        {key: _value(value) for key, value in event.items() if not _OWN.fullmatch(key) and key not in document}
    )
    if trace := _traceback(event):
        document["traceback"] = trace
    return json.dumps(document)


def escape(text: str, *, lines: bool = False) -> str:
    """
    Make control characters visible.

    Args:
        lines: Let line ends stand.
    """
    shown = _CONTROL.sub(
        lambda match: f"\\x{ord(match[0]):02x}" if ord(match[0]) < 256 else f"\\u{ord(match[0]):04x}", text
    )
    return shown if lines else shown.replace("\n", "\\n")


@implementer(ILogObserver)
class _Writer:
    def __init__(self, *, stream: TextIO, line: Callable[[LogEvent], str]) -> None:
        self._stream = stream
        self._line = line

    def __call__(self, event: LogEvent) -> None:
        try:
            self._stream.write(self._line(event) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            # A full disk or a closed terminal: there is nowhere left to say it.
            return


def _time(event: LogEvent) -> str:
    moment = datetime.fromtimestamp(event.get("log_time", 0.0), tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _logger(event: LogEvent) -> str:
    namespace = event.get("log_namespace")
    if namespace == _LEGACY:
        return "twisted"
    return escape(str(namespace or event.get("log_system") or "-").removeprefix("aiwebengine."))


def _traceback(event: LogEvent) -> str:
    failure = event.get("log_failure")
    return failure.getTraceback() if isinstance(failure, Failure) else ""


def _value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST_FIELD else text[:_LONGEST_FIELD] + "..."
