"""
Errors as answers: problem+json for programs, a plain page for browsers.

Only the public sentence of an error leaves the server.  In development the page also
shows where in the author's source a script failed.
"""

from __future__ import annotations

import html
import json
from typing import Any

from aiwebengine.errors import INTERNAL_ERROR, TABLE, EngineError, ScriptFailed
from aiwebengine.scripts.failures import NO_TRACE, Trace
from aiwebengine.values import Answer
from aiwebengine.web.api.problems import problem_answer

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
    trace: Trace = NO_TRACE,
) -> Answer:
    """
    Return the answer for *error*.

    Args:
        error: For an unknown one it is a bare 500.
        request_id: To be found again in the log.
        accept: The request's `accept` header.
        trace: Where the script failed, for its author; empty for other callers.
    """
    answer = problem_answer(error, request_id=request_id)
    if not wants_page(accept):
        return _with_trace(answer, error, request_id, trace) if trace.frames else answer
    known = error if isinstance(error, EngineError) else EngineError(INTERNAL_ERROR)
    row = TABLE[known.code]
    more = _trace(trace) + _problems(known.details)
    return _page(answer, title=row.title, detail=trace.headline(known.public), more=more, request_id=request_id)


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
    known = [violation for violation in violations if _is_violation(violation)] if isinstance(violations, list) else []
    return _page(answer, title=title, detail=detail, more=_problems({"violations": known}), request_id=request_id)


def _is_violation(violation: Any) -> bool:
    return isinstance(violation, dict) and all(
        isinstance(violation.get(name), str) for name in ("in", "pointer", "message")
    )


def _page(answer: Answer, *, title: str, detail: str, more: str, request_id: str) -> Answer:
    """Return *answer* as a page; *more* is HTML."""
    page = _PAGE.format(
        status=answer.status,
        title=html.escape(title),
        detail=html.escape(detail),
        more=more,
        request_id=html.escape(request_id),
    )
    headers = tuple(pair for pair in answer.headers if pair[0] != b"content-type")
    return Answer(
        status=answer.status,
        headers=((b"content-type", b"text/html; charset=utf-8"), *headers, (b"vary", b"accept")),
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


def _with_trace(answer: Answer, error: Exception, request_id: str, trace: Trace) -> Answer:
    if not isinstance(error, EngineError):
        return answer
    frames = [
        {
            "file": frame.file or "",
            "line": frame.line,
            "function": frame.function or "",
            "source": frame.source_line or "",
        }
        for frame in trace.frames
    ]
    known = error.details if isinstance(error.details, dict) else {}
    details: dict[str, Any] = {**known, "stack": frames, "trace": list(trace.lines)}
    shown = EngineError(trace.headline(error.public), details=details, retry_seconds=error.retry_seconds)
    shown.code = error.code  # type: ignore[misc]  # The same error, for its author.
    return problem_answer(shown, request_id=request_id)


def _trace(trace: Trace) -> str:
    if not trace.frames:
        return ""
    first = trace.frames[0]
    source = f"<pre>{first.line:5} | {html.escape(first.source_line)}</pre>" if first.source_line else ""
    place = html.escape(f"{first.file}:{first.line}" if first.file else f"line {first.line}")
    lines = html.escape("\n".join(trace.lines))
    return f"<h2>{place}</h2>{source}<h2>Stack</h2><pre>{lines}</pre>"


def _problems(details: Any) -> str:
    """List the problems of a deployment, or the faults of an input."""
    if not isinstance(details, dict):
        return ""
    items = [html.escape(str(problem.get("message", problem))) for problem in details.get("problems", ())]
    items += [
        f"<code>{html.escape(violation['in'])} {html.escape(violation['pointer'])}</code> "
        f"{html.escape(violation['message'])}"
        for violation in details.get("violations", ())
    ]
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>" if items else ""
