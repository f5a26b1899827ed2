"""From what a child says (stacks, codes) to problems with a place in the author's source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiwebengine.build.sourcemap import Frame, SourceMap, map_stack
from aiwebengine.errors import EngineError, Problem, ScriptFailed, ScriptMemory, ScriptTimeout
from aiwebengine.values import Bundle

_LONGEST_SNIPPET = 200


def frames_of(stack: str, bundle: Bundle) -> list[Frame]:
    """Give the author's frames of a raw stack, innermost first."""
    if not stack:
        return []
    source_map = SourceMap.parse(bundle.source_map) if bundle.source_map else None
    return map_stack(stack, source_map, bundle.files)


def place_in(stack: str, *, bundle: Bundle, entry: str) -> str:
    """Give `file:line` of the innermost frame that is the author's; empty if there is none."""
    frames = frames_of(stack, bundle)
    return f"{frames[0].file or entry}:{frames[0].line}" if frames else ""


def failure_problem(error: EngineError, *, bundle: Bundle, entry: str) -> Problem:
    """Tell why a load failed, and where."""
    thrown = error.thrown if isinstance(error, ScriptFailed) else None
    frame = next(iter(frames_of(thrown.stack, bundle)), None) if thrown else None
    if isinstance(error, ScriptTimeout):
        message = f"The top level or init did not end in time: {error.public}"
        hint = "Look for an endless loop; do long work in a handler."
    elif isinstance(error, ScriptMemory):
        message, hint = f"The top level or init ran out of memory: {error.public}", None
    elif thrown is not None:
        # A host call names itself in its message; for the author the class of the error says nothing more.
        message, hint = thrown.message if thrown.call else f"{thrown.name}: {thrown.message}", None
    else:
        message, hint = error.public, None
    return Problem(
        code=error.code if thrown is None or thrown.call is None else f"host_{thrown.code}",
        message=message,
        file=frame.file or entry if frame else entry,
        line=frame.line if frame else None,
        column=frame.column or None if frame else None,
        hint=hint,
        snippet=frame.source_line[:_LONGEST_SNIPPET] if frame and frame.source_line else None,
    )


def warning_problems(warnings: Iterable[Mapping[str, Any]], *, bundle: Bundle, entry: str) -> list[Problem]:
    """
    Tell what the child warned about while it loaded.

    Args:
        warnings: Mappings with `code`, `message` and perhaps `stack`, already bounded.
    """
    problems = []
    for warning in warnings:
        frame = next(iter(frames_of(str(warning.get("stack") or ""), bundle)), None)
        problems.append(
            Problem(
                code=str(warning["code"]),
                severity="warning",
                message=str(warning["message"]),
                file=frame.file or entry if frame else None,
                line=frame.line if frame else None,
            )
        )
    return problems
