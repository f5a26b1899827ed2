"""
What the server answers by itself where a script has no handler, and whose middleware sees it first.

    404                nothing answers the path
    405                something does, but not with that method
    204 to OPTIONS     the same, for a client that asks which methods there are

Middleware of a script runs around these answers as around those of its handlers: it can allow
origins, count, or answer something else.  They belong to the script that answers the path with
another method; a path without a route, by the script below whose `basePath` it is, or by the only script that has none:
among those that name the host of the request, then among the others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from aiwebengine.errors import NotFound, WrongMethod
from aiwebengine.runtime.registry import ActiveScript, Registry
from aiwebengine.runtime.routes import AutoOptions, MethodNotAllowed, NoRoute
from aiwebengine.values import Answer, Request
from aiwebengine.web.errors import error_answer

Unanswered = NoRoute | MethodNotAllowed | AutoOptions


def refusal_of(match: NoRoute | MethodNotAllowed, *, method: str, path: str) -> NotFound | WrongMethod:
    """Return the error for a request that nothing answers."""
    if isinstance(match, NoRoute):
        return NotFound(f"No script answers {path[:200]}.")
    return WrongMethod(f"{path[:200]} does not answer {method}, but {', '.join(match.allow)}.", allowed=match.allow)


def allowed(methods: Sequence[str]) -> Answer:
    """Return the answer to OPTIONS."""
    return Answer(status=204, headers=((b"allow", ", ".join(methods).encode("ascii")),), body=b"")


def automatic(match: Unanswered, request: Request, *, accept: str) -> Answer:
    """Return what is answered if no script does."""
    if isinstance(match, AutoOptions):
        return allowed(match.allow)
    error = refusal_of(match, method=request.method, path=request.path)
    return error_answer(error, request_id=request.id, accept=accept)


def as_json(answer: Answer) -> str:
    """Return an answer as middleware receives it, as JSON."""
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in answer.headers]
    return json.dumps({"status": answer.status, "headers": headers, "body": answer.body.decode()})


def owner_of(match: Unanswered, request: Request, registry: Registry) -> ActiveScript | None:
    """Return the script whose middleware runs around the answer; None if there is none."""
    owner = script_below(request, registry) if isinstance(match, NoRoute) else registry.scripts.get(match.script)
    return owner if owner is not None and owner.middleware else None


def script_below(request: Request, registry: Registry) -> ActiveScript | None:
    """Return the script to which a path without a route belongs; None if there is none."""
    path = request.path + "/"
    for tier in registry.tiers(request.headers.get("host", "")):
        scripts = [registry.scripts[uri] for uri in tier.scripts]
        below = [script for script in scripts if script.base and path.startswith(script.base + "/")]
        others = [script for script in scripts if not script.base]
        owner = max(below, key=lambda script: len(script.base)) if below else others[0] if len(others) == 1 else None
        if owner is not None:
            return owner
    return None
