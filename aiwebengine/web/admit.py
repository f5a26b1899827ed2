"""
Whether a matched request may reach its handler: the checks, in order.

    input   `params`, `query` and `body` of the route, if it has schemas for them; texts of the first two
            become what their schema asks for

Size and route were settled before; checks of who asks and how often come before the input.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiwebengine.errors import Invalid
from aiwebengine.exact_json import decode
from aiwebengine.host.schemas import check
from aiwebengine.host.typed_texts import TypedTexts
from aiwebengine.values import Request, RouteMatch
from aiwebengine.web.http.payload import payload, query_pairs

_CHECKED = ("params", "query", "body")
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_Violations = list[dict[str, str]]


def admit(request: Request, match: RouteMatch, *, sender: str) -> str:
    """
    Check *request* and make what its handler is given.

    Args:
        sender: What `payload.told_sender` gave for the request.

    Raises:
        Invalid: It breaks a schema; `details.violations` names each place as a JSON Pointer.
    """
    options = match.route.options
    if options:
        if any(name in options for name in _CHECKED):
            return _checked(request, match, sender)
        if "base" in options:
            return payload(request, match.params, sender=sender, base=options["base"])
    return payload(request, match.params, sender=sender)


def _checked(request: Request, match: RouteMatch, sender: str) -> str:
    options = match.route.options
    violations: _Violations = []
    data: Any = None
    params: Mapping[str, Any] = match.params
    query: Sequence[tuple[str, Any]] = query_pairs(request) if request.query else []
    if "params" in options:
        params = dict(TypedTexts(options["params"]).read(match.params.items()))
        violations += _faults(options["params"], params, "params")
    if "query" in options:
        query = TypedTexts(options["query"]).read(query)
        # The first value of a name counts, as in `req.query`.
        violations += _faults(options["query"], dict(reversed(query)), "query")
    if "body" in options:
        data = _json(request)
        violations += _faults(options["body"], data, "body")
    if violations:
        first = violations[0]
        place = f" at {first['pointer']}" if first["pointer"] else ""
        more = f" ({len(violations) - 1} more in violations.)" if len(violations) > 1 else ""
        raise Invalid(
            f"The {first['in']} of the request is not valid{place}: it {first['message']}{more}",
            details={"violations": violations},
        )
    return payload(request, params, sender=sender, query=query, data=data, checked="body" in options)


def _json(request: Request) -> Any:
    if not request.body:
        raise Invalid("This route takes JSON; the request has no body.")
    try:
        return _decoded(request.body)
    except Invalid:
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind in _FORMS:
            raise Invalid(
                f"This route takes JSON; the request is a form ({kind}). Send JSON with content-type: application/json."
            ) from None
        raise


def _decoded(body: bytes) -> Any:
    try:
        return decode(body)
    except UnicodeDecodeError as error:
        raise Invalid(f"The body of the request is JSON in UTF-8; byte {error.start} of this one is not.") from None
    except RecursionError:
        raise Invalid("The body of the request is JSON nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise Invalid(
            f"The body of the request is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from None


def _faults(schema: Any, value: Any, where: str) -> _Violations:
    return [{"in": where, "pointer": fault.path, "message": fault.message} for fault in check(schema, value)]
