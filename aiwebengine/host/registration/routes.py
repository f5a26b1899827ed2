"""Plain web handlers: the one kind of registration that the machinery knows by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from aiwebengine.errors import Invalid
from aiwebengine.host.declare import described, nearest
from aiwebengine.host.durations import duration_ms
from aiwebengine.host.registration.kinds import OptionChecks, Registration, RegistrationKind, blaming
from aiwebengine.host.registration.paths import METHODS
from aiwebengine.settings.requested_limits import HANDLER_WORDS, read_limits
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import ROUTE, Entry

RouteOptions = Mapping[str, Callable[[Registration, Any], Any]]
"""By name, what checks an option that is not null and returns the stored value; raises Invalid."""

OPTIONS: dict[str, str] = {
    "method": "HTTP method, or a list of methods; default: GET",
    "timeout": (
        'time limit for one request, such as "2s" or a number of milliseconds; at most the server\'s own limit'
    ),
    "limits": (
        "limits for one request, lower than the server's own: `cpu`, `answer`, `stream`, `logLines`, "
        "`logSize`, `hostCalls`, `openHostCalls`"
    ),
    "middleware": ("functions `async (req, ctx, next) => answer` that run around this handler, inside those of `use`"),
    "body": (
        "JSON Schema or Standard Schema for the JSON body, checked after the middleware; a request that "
        "does not match is answered 400. `req.data` is the checked value, or the value that a Standard "
        "Schema returns"
    ),
    "query": (
        "JSON Schema of an object, or Standard Schema, for the query; strings are converted to the "
        "numbers, booleans and arrays that the schema requires, in `req.query` too"
    ),
    "params": ("JSON Schema of an object, or Standard Schema, for the path parameters, in the same way as `query`"),
    "summary": "one sentence, shown in lists of routes",
    "tags": "words by which lists of routes can be grouped",
}
"""Options of `registerWebHandler`, with what they mean; features add to them."""

_CALL = "registerWebHandler"
_NO_OPTIONS: RouteOptions = MappingProxyType({})
_LARGEST_SCHEMA = 64 * 1024


def web_routes(limits: LimitSettings, *, added: RouteOptions = _NO_OPTIONS) -> RegistrationKind:
    """
    Return the kind of `registerWebHandler`.

    Args:
        limits: The server's own, which no route may go beyond.
        added: Options of features; read when a route is registered.
    """
    return RegistrationKind(
        name=ROUTE,
        functions=(_CALL,),
        noun="route",
        nouns="routes",
        takes_path=True,
        check=partial(_check, limits, added),
    )


def _check(limits: LimitSettings, added: RouteOptions, registration: Registration) -> Entry:
    options = registration.options
    chosen = options.get("method") if registration.sent.get("methods") is None else registration.sent["methods"]
    with blaming(option="method", argument=2):
        methods = _methods(["GET"] if chosen is None else chosen)
    return registration.entry(
        methods=methods,
        handler=registration.handler(),
        options=_options(options, registration, limits, added),
    )


def _options(
    options: Mapping[str, Any], registration: Registration, limits: LimitSettings, added: RouteOptions
) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    checks = OptionChecks(_CALL)
    for name, value in options.items():
        with checks.of(name):
            if name not in OPTIONS and name not in added:
                raise registration.unknown_option(name, {**OPTIONS, **added})
            if value is not None and name != "method":
                key, option = _option(name, value, registration, limits, added)
                checked[key] = option
    checks.settle()
    with blaming(option="params"):
        _check_params(checked.get("params"), registration.pattern)
    return checked


def _option(
    name: str, value: Any, registration: Registration, limits: LimitSettings, added: RouteOptions
) -> tuple[str, Any]:
    """Return the key under which a checked option is stored, and its value."""
    if name == "timeout":
        return "timeout_ms", _timeout(value, limits)
    if name == "limits":
        return name, _handler_limits(value, limits)
    if name == "middleware":
        return name, registration.functions(value, name)
    if name in added:
        return name, added[name](registration, value)
    if name == "summary":
        return name, registration.short_string(value, name)
    if name == "tags":
        return name, registration.short_strings(value, name)
    return name, _schema(value, name)


def _handler_limits(value: Any, limits: LimitSettings) -> dict[str, float]:
    if not isinstance(value, dict):
        raise Invalid(f'{_CALL}: limits must be an object such as {{"cpu": "1s"}}; {described(value)} was given.')
    for word in value:
        if word not in HANDLER_WORDS:
            suggestion = nearest(word, HANDLER_WORDS)
            advice = f"; did you mean {suggestion}?" if suggestion else f"; there are {', '.join(HANDLER_WORDS)}."
            raise Invalid(f"{_CALL}: there is no limit {described(word)} of a handler{advice}")
    accepted, wrong = read_limits(value, limits=limits, words=HANDLER_WORDS)
    if wrong:
        raise Invalid(f"{_CALL}: limits: {' '.join(f'{word} {why}' for word, why in wrong)}")
    return accepted


def _timeout(value: Any, limits: LimitSettings) -> int:
    milliseconds = duration_ms(value)
    if milliseconds is None:
        raise Invalid(
            f'{_CALL}: timeout must be a duration such as "2s" or a number of milliseconds; '
            f"{described(value)} was given."
        )
    longest = round(limits.wall_seconds * 1000)
    if not 1 <= milliseconds <= longest:
        raise Invalid(
            f"{_CALL}: timeout must be between 1 ms and {longest} ms, the server's limit for handlers; "
            f"{described(value)} was given."
        )
    return milliseconds


def _methods(value: Any) -> tuple[str, ...]:
    texts = value if isinstance(value, list) else [value]
    if not texts:
        raise Invalid(f"{_CALL}: the list of methods is empty; leave it out for GET.")
    methods: dict[str, None] = {}
    for text in texts:
        method = text.upper() if isinstance(text, str) else ""
        if method not in METHODS:
            suggestion = nearest(method, METHODS)
            advice = f"did you mean {suggestion}?" if suggestion else f"use one of {', '.join(METHODS)}."
            raise Invalid(f"{_CALL}: there is no method {described(text)}; {advice}")
        methods[method] = None
    return tuple(methods)


def _schema(value: Any, name: str) -> Any:
    """Take a schema for lists of routes; it is understood, and values are checked, in the script's own process."""
    try:
        size = len(json.dumps(value))
    except RecursionError:
        size = _LARGEST_SCHEMA + 1
    if not isinstance(value, dict | bool) or size > _LARGEST_SCHEMA:
        raise Invalid(
            f"{_CALL}: {name} must be a JSON Schema of at most {_LARGEST_SCHEMA} characters as JSON; "
            f"{described(value)} was given."
        )
    return value


def _check_params(schema: Any, pattern: str) -> None:
    """Refuse a schema that asks for a parameter which the path does not have."""
    if not isinstance(schema, dict):
        return
    names = [segment[1:] or "*" for segment in pattern.split("/") if segment[:1] in (":", "*")]
    required = schema.get("required")
    for wanted in required if isinstance(required, list) else []:
        if wanted not in names:
            suggestion = nearest(wanted, names)
            advice = f"did you mean {suggestion}?" if suggestion else f'add ":{wanted}" to the path.'
            raise Invalid(
                f'{_CALL}: params requires {described(wanted)}, which the path "{pattern}" does not have; {advice}'
            )
