"""From what a child says (stacks, codes) to problems with a place in the author's source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiwebengine.build.sourcemap import Frame, SourceMap, map_stack, with_callee
from aiwebengine.errors import EngineError, Problem, RefusedRegistration, ScriptFailed, ScriptMemory, ScriptTimeout
from aiwebengine.scripts.call_text import find_in_call

_LONGEST_SNIPPET = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What leads from a version's stacks to its author's files."""

    files: Mapping[str, str]
    entry: str
    source_map: SourceMap | None = None

    def frames(self, stack: str) -> list[Frame]:
        """Return the author's frames of a raw stack, innermost first."""
        return map_stack(stack, self.source_map, self.files) if stack else []

    def place(self, stack: str) -> str:
        """Return `file:line` of the innermost frame that is the author's; empty if there is none."""
        frames = self.frames(stack)
        return f"{frames[0].file or self.entry}:{frames[0].line}" if frames else ""


def failure_problems(error: EngineError, sources: Sources) -> list[Problem]:
    """Return why a load failed, and where: a problem for each registration that was refused, or one."""
    if not isinstance(error, ScriptFailed) or not error.refused:
        return [failure_problem(error, sources=sources)]
    problems = [_refusal_problem(registration, sources) for registration in error.refused]
    # A helper that is called in a loop is wrong once.
    return list(dict.fromkeys(problems))


def _refusal_problem(refused: RefusedRegistration, sources: Sources) -> Problem:
    problem = failure_problem(ScriptFailed("", thrown=refused.thrown), sources=sources)
    call = (refused.thrown.call or "").partition(":")[0]
    text = sources.files.get(problem.file or "")
    if not call or text is None or problem.line is None:
        return problem
    position = find_in_call(text, call, problem.line, argument=refused.argument, option=refused.option)
    if position is None:
        return problem
    line, column = position
    return replace(problem, line=line, column=column, snippet=_snippet(text, line))


def failure_problem(error: EngineError, *, sources: Sources) -> Problem:
    """Return why a load failed, and where."""
    thrown = error.thrown if isinstance(error, ScriptFailed) else None
    frame = next(iter(sources.frames(error.stack)), None) if isinstance(error, ScriptFailed) else None
    entry = sources.entry
    if isinstance(error, ScriptTimeout):
        message = f"The top level or init did not end in time: {error.public}"
        hint = "Look for an endless loop; do long work in a handler."
    elif isinstance(error, ScriptMemory):
        message, hint = f"The top level or init ran out of memory: {error.public}", None
    elif thrown is not None:
        # A host call names itself in its message; for the author the class of the error says nothing more.
        message, hint = thrown.message if thrown.call else f"{thrown.name}: {thrown.message}", None
        if frame is not None:
            message = with_callee(message, frame.source_line)
    else:
        message, hint = error.public, None
    return Problem(
        code=error.code if thrown is None or thrown.call is None else f"host_{thrown.code}",
        message=message,
        file=frame.file or entry if frame else entry,
        line=frame.line if frame else None,
        column=frame.column or None if frame else None,
        hint=hint,
        snippet=_snippet(sources.files.get(frame.file or ""), frame.line) if frame else None,
    )


def _snippet(text: str | None, line: int) -> str | None:
    """Return a line as it stands in its file, so that columns count in it; None if there is none or it is too long."""
    lines = text.split("\n", line)[:line] if text is not None else []
    whole = lines[line - 1].rstrip() if 0 < line <= len(lines) else ""
    return whole if 0 < len(whole) <= _LONGEST_SNIPPET else None


def warning_problems(warnings: Iterable[Mapping[str, Any]], *, sources: Sources) -> list[Problem]:
    """
    Return what the child warned about while it loaded.

    Args:
        warnings: Mappings with `code`, `message` and perhaps `stack`, already bounded.
    """
    problems = []
    for warning in warnings:
        frame = next(iter(sources.frames(str(warning.get("stack") or ""))), None)
        problems.append(
            Problem(
                code=str(warning["code"]),
                severity="warning",
                message=str(warning["message"]),
                file=frame.file or sources.entry if frame else None,
                line=frame.line if frame else None,
            )
        )
    return problems
