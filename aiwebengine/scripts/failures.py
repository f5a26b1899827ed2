"""Failures of scripts, told in the author's own source: in their log, and on error pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiwebengine.build.sourcemap import Frame, frame_of_registration, map_stack, with_callee
from aiwebengine.errors import EngineError, ScriptFailed
from aiwebengine.interfaces import ScriptSource
from aiwebengine.observe.logs import ScriptLogs
from aiwebengine.scripts.stacks import Stacks
from aiwebengine.values import Invocation, LogLine

_MOST_FRAMES = 20
_MOST_LINES = 60


class Failures:
    """
    Finds places and keeps failures.

    Args:
        source: Where the author's files are.
        stacks: Knows their places.
        logs: Where failures are kept.
        seconds: The server's clock, since 1970.
    """

    def __init__(self, *, source: ScriptSource, stacks: Stacks, logs: ScriptLogs, seconds: Callable[[], float]) -> None:
        self._source = source
        self._stacks = stacks
        self._logs = logs
        self._seconds = seconds

    async def places(self, error: ScriptFailed, version: str) -> Sequence[Frame]:
        """Return the author's frames of a failure, innermost first; none if they cannot be found."""
        stack = error.stack
        if not stack and not error.place:
            return ()
        try:
            bundle = await self._source.bundle(version)
            places = await self._stacks.of(version, bundle)
        except EngineError:
            return ()
        frames = map_stack(stack, places.source_map, bundle.files)[:_MOST_FRAMES]
        if frames or not error.place:
            return frames
        return [frame_of_registration(error.place, places.source_map, bundle.files)]

    async def keep(self, invocation: Invocation, error: ScriptFailed) -> None:
        """Write a failure into the script's log; a load's is told to whoever deploys."""
        if invocation.kind == "load":
            return
        at = self._seconds()
        frames = await self.places(error, invocation.version)
        headline = with_callee(error.public, frames[0].source_line) if frames else error.public
        lines = [headline, *(await self._below(error, frames, invocation.version) if frames else ())]
        first = {"place": _place(frames[0])} if frames else {}
        fields = {"code": error.code, **first}
        line = LogLine(at=at, level="error", message="\n".join(lines), fields=fields, of_server=True)
        if invocation.label:
            line = line.at_route(invocation.label)
        self._logs.append(invocation, [line], outcome=error.code)

    async def _below(self, error: ScriptFailed, frames: Sequence[Frame], version: str) -> Sequence[str]:
        """Return what stands below the first line: frames, the error's own members, and what caused it."""
        text = self._stacks.readable(version, error.stack)
        lines = (text if isinstance(text, str) else await text).split("\n")
        first = next((at for at, line in enumerate(lines) if line.startswith("    at ")), len(lines))
        return lines[first : first + _MOST_LINES] or [_line(frame) for frame in frames]


def _line(frame: Frame) -> str:
    return f"    at {frame.function or '(anonymous)'} ({_place(frame)})"


def _place(frame: Frame) -> str:
    return f"{frame.file}:{frame.line}" if frame.file else f"line {frame.line}"
