"""Failures of scripts, with positions in the author's own source: in their log, and on error pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from aiwebengine.build.sourcemap import Frame, frame_of_registration, map_stack, with_callee
from aiwebengine.errors import EngineError, ScriptFailed
from aiwebengine.interfaces import ScriptSource
from aiwebengine.observe.logs import ScriptLogs
from aiwebengine.scripts.stacks import Stacks
from aiwebengine.values import Invocation, LogLine

_MOST_FRAMES = 20
_MOST_LINES = 60
_FRAME = "    at "
_BELOW = re.compile(r"    at |errors\[0\]: |caused by: |    \{ .* \}$")
"""Begins what stands below an error's message: its frames, its own members, or the errors that caused it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What is known of a failure in the author's own source; empty if its place cannot be found."""

    frames: Sequence[Frame] = ()
    """Of the error itself, innermost first."""
    lines: Sequence[str] = ()
    """What stands below an error's first line: its frames, its own members, and the errors that caused it."""

    def headline(self, message: str) -> str:
        """Return *message* with the full name of what is not a function, if the source line has it."""
        return with_callee(message, self.frames[0].source_line) if self.frames else message


NO_TRACE = Trace()


Explain = Callable[[ScriptFailed, str], Coroutine[Any, Any, Trace]]
"""Returns the trace of a failure of a version."""


class Failures:
    """
    Finds places and keeps failures.

    Args:
        source: Where the author's files are.
        stacks: Knows their places.
        logs: Where failures are stored.
        seconds: The server's clock, since 1970.
    """

    def __init__(self, *, source: ScriptSource, stacks: Stacks, logs: ScriptLogs, seconds: Callable[[], float]) -> None:
        self._source = source
        self._stacks = stacks
        self._logs = logs
        self._seconds = seconds

    async def trace(self, error: ScriptFailed, version: str) -> Trace:
        """Return where a version failed, in the author's own source."""
        if not error.stack and not error.place:
            return NO_TRACE
        try:
            bundle = await self._source.bundle(version)
            places = await self._stacks.of(version, bundle)
        except EngineError:
            return NO_TRACE
        lines = error.stack.split("\n")
        first = next((at for at, line in enumerate(lines) if _BELOW.match(line)), len(lines))
        own = "\n".join(takewhile(lambda line: line.startswith(_FRAME), lines[first:]))
        frames = (
            map_stack(own, places.source_map, bundle.files) or map_stack(error.stack, places.source_map, bundle.files)
        )[:_MOST_FRAMES]
        text = places.readable("\n".join(lines[first:]))
        below = text.split("\n")[:_MOST_LINES] if text else []
        if frames:
            return Trace(frames=frames, lines=below)
        if not error.place:
            return NO_TRACE
        frame = frame_of_registration(error.place, places.source_map, bundle.files)
        return Trace(frames=[frame], lines=[_line(frame), *below])

    async def keep(self, invocation: Invocation, error: ScriptFailed) -> None:
        """Write a failure into the script's log; a load's failure is reported to the deployment."""
        if invocation.kind == "load":
            return
        at = self._seconds()
        trace = await self.trace(error, invocation.version)
        first = {"place": _place(trace.frames[0])} if trace.frames else {}
        message = "\n".join([trace.headline(error.public), *trace.lines])
        line = LogLine(at=at, level="error", message=message, fields={"code": error.code, **first}, of_server=True)
        if invocation.shown:
            line = line.at_route(invocation.shown)
        self._logs.append(invocation, [line], outcome=error.code)


def _line(frame: Frame) -> str:
    return f"    at {frame.function or '(anonymous)'} ({_place(frame)})"


def _place(frame: Frame) -> str:
    return f"{frame.file}:{frame.line}" if frame.file else f"line {frame.line}"
