"""
Whether a matched request may reach its handler: the checks, in order.

    input   `body`, `query` and `params` of the route, if it has schemas for them
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiwebengine.errors import Invalid
from aiwebengine.host.schemas import check
from aiwebengine.values import Request, RouteMatch
from aiwebengine.web.read import payload, query_pairs

_MAX_FAULTS = 50


def admit(request: Request, match: RouteMatch) -> str:
    """
    Check *request* and make what the handler is given.

    Raises:
        Invalid: It breaks a schema; `details.violations` names every place as a JSON pointer.
    """
    options = match.route.options
    if not options:
        return payload(request, match.params)
    violations: list[dict[str, str]] = []
    data: Any = None
    if "params" in options:
        violations += _faults(options["params"], dict(match.params), "params")
    if "query" in options:
        violations += _faults(options["query"], _single(request), "query")
    if "body" in options:
        data = _json(request)
        violations += _faults(options["body"], data, "body")
    if violations:
        first = violations[0]
        raise Invalid(
            f"The request's {first['in']} is not valid: {first['message']}",
            details={"violations": violations[:_MAX_FAULTS]},
        )
    return payload(request, match.params, data=data, checked="body" in options)


def _single(request: Request) -> Mapping[str, str]:
    values: dict[str, str] = {}
    for name, value in query_pairs(request.query) if request.query else ():
        values.setdefault(name, value)
    return values


def _json(request: Request) -> Any:
    if not request.body:
        raise Invalid("The request has no body; JSON was expected.")
    try:
        return json.loads(request.body.decode("utf-8"), parse_constant=_no_constant)
    except (UnicodeDecodeError, RecursionError):
        raise Invalid("The request's body is not JSON in UTF-8.") from None
    except ValueError as error:
        where = f" in line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Invalid(f"The request's body is not valid JSON{where}.") from None


def _no_constant(text: str) -> Any:
    raise ValueError(text)


def _faults(schema: Any, value: Any, where: str) -> list[dict[str, str]]:
    return [{"in": where, "pointer": fault.path, "message": fault.message} for fault in check(schema, value)]
