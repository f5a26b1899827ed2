"""
Errors as answers: problem+json for programs, a plain page for browsers.

Only the public sentence of an error leaves the server.  In development the page also
shows where in the author's source a script failed.
"""

from __future__ import annotations

import html
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiwebengine.build.sourcemap import with_callee
from aiwebengine.errors import TABLE, EngineError, ScriptFailed
from aiwebengine.values import Answer
from aiwebengine.web.api.problems import problem_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class StackFrame:
    """One frame of a script's stack, in the author's own source."""

    file: str
    line: int
    function: str = ""
    source_line: str = ""


Explain = Callable[[ScriptFailed, str], Awaitable[Sequence[StackFrame]]]
"""Gives the author's frames of a failure of a version, innermost first."""

_MAX_PLACES = 20
_MAX_PROBLEM_BYTES = 64 * 1024

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{status} {title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 46rem; padding: 2rem 1rem; }}
h1 {{ font-size: 1.5rem; line-height: 1.2; }}
code, pre {{ font: 0.9rem/1.5 ui-monospace, monospace; }}
pre {{ overflow-x: auto; padding: 0.75rem; border: 1px solid #8886; border-radius: 0.25rem; }}
li {{ overflow-wrap: anywhere; }}
footer {{ color: #767676; font-size: 0.875rem; }}
</style>
<main>
<h1>{status} {title}</h1>
<p>{detail}</p>
{more}
</main>
<footer><p>Request <code>{request_id}</code></p></footer>
</html>
"""


def error_answer(
    error: Exception,
    *,
    request_id: str,
    accept: str = "",
    places: Sequence[StackFrame] = (),
) -> Answer:
    """
    Make the answer that tells *error*.

    Args:
        error: An unknown one is told as a bare 500.
        request_id: To be found again in the log.
        accept: The request's `accept` header.
        places: What to show of the script's stack; empty for nobody.
    """
    answer = problem_answer(error, request_id=request_id)
    if not wants_page(accept):
        return _with_places(answer, error, request_id, places) if places else answer
    known = (
        error
        if isinstance(error, EngineError)
        else EngineError("Internal server error; the server log has the details.")
    )
    row = TABLE[known.code]
    more = _stack(places) + _problems(known.details)
    return _page(answer, title=row.title, detail=_detail(known, places), more=more, request_id=request_id)


def problem_page(answer: Answer, *, request_id: str) -> Answer:
    """
    Return the page for a browser that shows the problem document of a script.

    What is no such document, or is long, is returned as it is: all of it is the script's.
    """
    if len(answer.body) > _MAX_PROBLEM_BYTES:
        return answer
    try:
        problem = json.loads(answer.body)
    except (ValueError, RecursionError):
        return answer
    if not isinstance(problem, dict):
        return answer
    title, detail, violations = problem.get("title"), problem.get("detail"), problem.get("violations")
    if not isinstance(title, str) or not isinstance(detail, str):
        return answer
    known = [one for one in violations if _is_violation(one)] if isinstance(violations, list) else []
    return _page(answer, title=title, detail=detail, more=_problems({"violations": known}), request_id=request_id)


def _is_violation(one: Any) -> bool:
    return isinstance(one, dict) and all(isinstance(one.get(name), str) for name in ("in", "pointer", "message"))


def _page(answer: Answer, *, title: str, detail: str, more: str, request_id: str) -> Answer:
    """Return *answer* as a page; *more* is HTML."""
    page = _PAGE.format(
        status=answer.status,
        title=html.escape(title),
        detail=html.escape(detail),
        more=more,
        request_id=html.escape(request_id),
    )
    kept = tuple(pair for pair in answer.headers if pair[0] != b"content-type")
    return Answer(
        status=answer.status,
        headers=((b"content-type", b"text/html; charset=utf-8"), *kept, (b"vary", b"accept")),
        body=page.encode("utf-8", "replace"),
    )


def withheld(error: ScriptFailed) -> ScriptFailed:
    """Return *error* without what the script said: that may be a secret, and is for the author alone."""
    return type(error)(f"{TABLE[error.code].title}. Its log says why.", retry_seconds=error.retry_seconds)


def wants_page(accept: str) -> bool:
    """Return whether the client is a browser that shows a page: it names text/html, and no JSON before it."""
    for part in accept.lower().split(","):
        kind = part.split(";")[0].strip()
        if kind == "text/html":
            return True
        if kind in {"application/json", "application/problem+json"}:
            return False
    return False


def _with_places(answer: Answer, error: Exception, request_id: str, places: Sequence[StackFrame]) -> Answer:
    frames = [
        {"file": place.file, "line": place.line, "function": place.function, "source": place.source_line}
        for place in places[:_MAX_PLACES]
    ]
    if not isinstance(error, EngineError):
        return answer
    details: dict[str, Any] = {**(error.details if isinstance(error.details, dict) else {}), "stack": frames}
    shown = EngineError(_detail(error, places), details=details, retry_seconds=error.retry_seconds)
    shown.code = error.code  # type: ignore[misc]  # The same error, told to its author.
    return problem_answer(shown, request_id=request_id)


def _detail(error: EngineError, places: Sequence[StackFrame]) -> str:
    return with_callee(error.public, places[0].source_line) if places else error.public


def _stack(places: Sequence[StackFrame]) -> str:
    if not places:
        return ""
    first = places[0]
    source = f"<pre>{first.line:5} | {html.escape(first.source_line)}</pre>" if first.source_line else ""
    items = "".join(
        f"<li><code>{html.escape(place.file)}:{place.line}</code> {html.escape(place.function)}</li>"
        for place in places[:_MAX_PLACES]
    )
    return f"<h2>{html.escape(first.file)}:{first.line}</h2>{source}<h2>Stack</h2><ol>{items}</ol>"


def _problems(details: Any) -> str:
    """List the problems of a deployment, or the faults of an input."""
    if not isinstance(details, dict):
        return ""
    items = [html.escape(str(one.get("message", one))) for one in details.get("problems", ())]
    items += [
        f"<code>{html.escape(one['in'])} {html.escape(one['pointer'])}</code> {html.escape(one['message'])}"
        for one in details.get("violations", ())
    ]
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>" if items else ""
