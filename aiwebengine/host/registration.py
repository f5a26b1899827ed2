"""
What a script registers while it loads.

The prelude sends each `registerWebHandler` here while the top level and `init` run.  It
is checked at once, so that a bad registration throws where it stands; the whole is read
when the load is over.  After that the book is closed.

Within one script a later registration of the same method and path takes the place of
the earlier one; between scripts it is a conflict, which the deployment finds.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiwebengine.errors import Closed, Invalid, TooMany
from aiwebengine.host.declare import Argument, HostCall, nearest, told
from aiwebengine.host.schema_parts import REGISTER, Parts
from aiwebengine.host.schemas import check_schema
from aiwebengine.host.socket_options import SOCKET_CALL, check_socket
from aiwebengine.host.stream_options import STREAM_CALL, check_stream
from aiwebengine.runtime.routes import shape_of
from aiwebengine.settings.asked import HANDLER_WORDS, read_limits
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import HandlerRef, Invocation, Route, SchemaPart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiwebengine.host.session import Function, Session

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods that a handler may be registered for."""

OPTIONS: dict[str, str] = {
    "method": "HTTP method, or a list of them; GET if not given",
    "timeout": 'longest time for one answer, such as "2s" or a number of milliseconds; at most the server\'s own limit',
    "limits": "what one request may use, less than the server's own limits: `cpu`, `answer`, `stream`, `logLines`, "
    "`logSize`, `hostCalls`, `openHostCalls`",
    "middleware": "functions `async (req, ctx, next) => answer` that run before this handler, after those of `use`",
    "body": "JSON Schema for the JSON body; a request that breaks it is answered 400; `req.data` is the checked value. "
    "Or a schema of a package (any Standard Schema), which is asked after the middleware; `req.data` is what it makes",
    "query": "JSON Schema for the query, an object; texts become the numbers, truth values and lists that it asks for. "
    "Or a Standard Schema, which makes `req.query`",
    "params": "JSON Schema for the path parameters, in the same way; or a Standard Schema, which makes `req.params`",
    "idempotent": "`true`: a request with the header `idempotency-key` is done once, and answered the same when it is "
    'sent again; `"required"`: one without it is refused',
    "summary": "one sentence for people who read the list of routes",
    "tags": "words that group routes in that list",
}
"""Options of `registerWebHandler`, with what they mean."""

RESERVED: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("/engine/*", re.compile(r"/engine(/.*)?")),
    ("/graphql*", re.compile(r"/graphql.*")),
    ("/mcp*", re.compile(r"/mcp.*")),
    ("/auth/*", re.compile(r"/auth(/.*)?")),
    ("/health/*", re.compile(r"/health/.*")),
    ("/.well-known/*", re.compile(r"/\.well-known(/.*)?")),
    ("/metrics", re.compile(r"/metrics")),
)
"""Paths that the engine keeps for itself: how they are written, and what they match."""

_MOST_ROUTES = 2000
_MOST_MIDDLEWARE = 64
_LONGEST_PATH = 1024
_LONGEST_SUMMARY = 500
_MOST_TAGS = 20
_LONGEST_TAG = 100
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m|h|d)")
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_CALL = "registerWebHandler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One route and where it was registered."""

    route: Route
    stack: str
    """Duktape's stack at the call; its positions are those of the bundle."""


class Registrations:
    """
    The book of one load.

    Args:
        invocation: The load.
        parse_pattern: Brings a path to its normal form; raises ValueError with a clear message.
        limits: The server's own, which no route may go beyond.
    """

    def __init__(self, *, invocation: Invocation, parse_pattern: Callable[[str], str], limits: LimitSettings) -> None:
        self._invocation = invocation
        self._parse_pattern = parse_pattern
        self._limits = limits
        self._routes: dict[tuple[str, str], Registered] = {}
        self._count = 0
        self._middleware: list[HandlerRef] = []
        self.schema = Parts(invocation=invocation)
        """What is added to the GraphQL schema."""
        self._open = True
        self._effects: Callable[[], Awaitable[None]] | None = None

    @property
    def registered(self) -> tuple[Registered, ...]:
        """Give every route once, in the order of registration."""
        methods: dict[int, list[str]] = {}
        seen: dict[int, Registered] = {}
        for (method, _), one in self._routes.items():
            methods.setdefault(id(one), []).append(method)
            seen[id(one)] = one
        return tuple(replace(one, route=replace(one.route, methods=tuple(methods[key]))) for key, one in seen.items())

    @property
    def routes(self) -> tuple[Route, ...]:
        """Give every route once, in the order of registration; `place` is still empty."""
        return tuple(one.route for one in self.registered)

    @property
    def middleware(self) -> tuple[int, ...]:
        """Give the numbers of the middleware for every route, in order."""
        return tuple(handler.id for handler in self._middleware)

    def placed(self, place: Callable[[str], str]) -> tuple[Route, ...]:
        """
        Give every route with its place.

        Args:
            place: Makes `file:line` in the author's source of a stack; empty if it is not known.
        """
        return tuple(replace(one.route, place=place(one.stack)) for one in self.registered)

    def placed_schema(self, place: Callable[[str], str]) -> tuple[SchemaPart, ...]:
        """Give every part of the GraphQL schema with its place; see `placed`."""
        return self.schema.placed(place)

    def close(self) -> None:
        """Take nothing more."""
        self._open = False

    def leave(self, effects: Callable[[], Awaitable[None]]) -> None:
        """Keep what the top level and `init` have done for the deployment to carry out."""
        self._effects = effects

    async def carry_out(self) -> None:
        """
        Make the effects of the top level and of `init` durable; for the deployment, once.

        Raises:
            Unavailable, Conflict: As `interfaces.HostSession.commit`.
        """
        effects, self._effects = self._effects, None
        if effects is not None:
            await effects()

    def add_route(self, given: Mapping[str, Any]) -> None:
        """
        Check and keep one `registerWebHandler`.

        Args:
            given: `path`, `methods`, `handler`, `options`, `stack`; not trusted.

        Raises:
            Invalid: A rule is broken; the message says which.
            TooMany: The script has too many routes.
        """
        self._require_open(_CALL)
        pattern = self._pattern(given.get("path"), _CALL)
        raw_options = given.get("options")
        options = dict(raw_options) if isinstance(raw_options, dict) else {}
        chosen = options.get("method") if given.get("methods") is None else given["methods"]
        methods = _methods(["GET"] if chosen is None else chosen)
        handler = _handler(given.get("handler"), _CALL)
        checked = self._options(options, pattern)
        self._keep(_CALL, pattern, methods, handler, checked, given.get("stack"))

    def add_stream(self, given: Mapping[str, Any]) -> None:
        """
        Check and keep one `registerWebStream`.

        Args:
            given: `path`, `handler` (which answers who may connect), `options`, `stack`; not trusted.

        Raises:
            Invalid: A rule is broken; the message says which.
            TooMany: The script has too many routes.
        """
        self._require_open(STREAM_CALL)
        pattern = self._pattern(given.get("path"), STREAM_CALL)
        handler = _handler(given.get("handler"), STREAM_CALL)
        options = check_stream(given.get("options"))
        self._keep(STREAM_CALL, pattern, ("GET",), handler, options, given.get("stack"))

    def add_socket(self, given: Mapping[str, Any]) -> None:
        """
        Check and keep one `registerWebSocket`.

        Args:
            given: `path`, `handler` (which answers who may connect), `options`, `stack`; not trusted.

        Raises:
            Invalid: A rule is broken; the message says which.
            TooMany: The script has too many routes.
        """
        self._require_open(SOCKET_CALL)
        pattern = self._pattern(given.get("path"), SOCKET_CALL)
        handler = _handler(given.get("handler"), SOCKET_CALL)
        self._keep(SOCKET_CALL, pattern, ("GET",), handler, check_socket(given.get("options")), given.get("stack"))

    def add_part(self, given: Mapping[str, Any]) -> None:
        """
        Check and keep one part of the GraphQL schema; see `Parts.add`.

        Raises:
            Invalid, TooMany: As there.
        """
        self._require_open("registerQueryHandler")
        self.schema.add(given)

    def _keep(
        self,
        call: str,
        pattern: str,
        methods: tuple[str, ...],
        handler: HandlerRef,
        options: Mapping[str, Any],
        stack: Any,
    ) -> None:
        self._count += len(methods)
        if self._count > _MOST_ROUTES:
            raise TooMany(f"{call}: a script may register at most {_MOST_ROUTES} routes.")
        route = Route(
            script=self._invocation.script,
            version=self._invocation.version,
            methods=methods,
            pattern=pattern,
            handler=handler,
            options=options,
        )
        registered = Registered(route=route, stack=stack[:4000] if isinstance(stack, str) else "")
        for method in methods:
            key = (method, shape_of(pattern))
            self._routes.pop(key, None)
            self._routes[key] = registered

    def add_middleware(self, given: Mapping[str, Any]) -> None:
        """
        Check and keep one `use`.

        Raises:
            Invalid: It is not a handler.
            TooMany: The script has too many.
        """
        self._require_open("use")
        handler = _handler(given.get("handler"), "use")
        if len(self._middleware) >= _MOST_MIDDLEWARE:
            raise TooMany(f"use: a script may have at most {_MOST_MIDDLEWARE} middleware functions.")
        self._middleware.append(handler)

    def _require_open(self, call: str) -> None:
        if not self._open:
            raise _closed(call)

    def _pattern(self, path: Any, call: str) -> str:
        if not isinstance(path, str):
            raise Invalid(f'{call}: the path must be text such as "/notes/:id"; {told(path)} was given.')
        if len(path) > _LONGEST_PATH:
            raise Invalid(f"{call}: a path may have at most {_LONGEST_PATH} characters; {len(path)} were given.")
        try:
            pattern = self._parse_pattern(path)
        except ValueError as error:
            raise Invalid(f"{call}: {error}.") from None
        for form in {pattern, unquote(pattern)}:
            for written, matches in RESERVED:
                if matches.fullmatch(form):
                    raise Invalid(
                        f'{call}: the path "{pattern}" belongs to the engine, which keeps {written} for itself; '
                        "choose another."
                    )
        return pattern

    def _options(self, given: Mapping[str, Any], pattern: str) -> dict[str, Any]:
        checked: dict[str, Any] = {}
        for name, value in given.items():
            if name not in OPTIONS:
                meant = nearest(name, OPTIONS)
                advice = f"; did you mean {meant}?" if meant else f"; there are {', '.join(OPTIONS)}."
                raise Invalid(f"{_CALL}: there is no option {told(name)}{advice}")
            if value is None or name == "method":
                continue
            if name == "timeout":
                checked["timeout_ms"] = self._timeout(value)
            elif name == "limits":
                checked["limits"] = self._handler_limits(value)
            elif name == "middleware":
                checked["middleware"] = _route_middleware(value)
            elif name == "idempotent":
                checked["idempotent"] = _idempotent(value)
            elif name == "summary":
                checked["summary"] = _summary(value)
            elif name == "tags":
                checked["tags"] = _tags(value)
            else:
                check_schema(value, where=f"{_CALL}: {name}")
                checked[name] = value
        _check_params(checked.get("params"), pattern)
        return checked

    def _handler_limits(self, value: Any) -> dict[str, float]:
        if not isinstance(value, dict):
            raise Invalid(f'{_CALL}: limits must be an object such as {{"cpu": "1s"}}; {told(value)} was given.')
        for word in value:
            if word not in HANDLER_WORDS:
                meant = nearest(word, HANDLER_WORDS)
                advice = f"; did you mean {meant}?" if meant else f"; there are {', '.join(HANDLER_WORDS)}."
                raise Invalid(f"{_CALL}: there is no limit {told(word)} of a handler{advice}")
        found, wrong = read_limits(value, limits=self._limits, words=HANDLER_WORDS)
        if wrong:
            raise Invalid(f"{_CALL}: limits: {' '.join(f'{word} {why}' for word, why in wrong)}")
        return found

    def _timeout(self, value: Any) -> int:
        milliseconds = duration_ms(value)
        if milliseconds is None:
            raise Invalid(
                f'{_CALL}: timeout must be a duration such as "2s" or a number of milliseconds; '
                f"{told(value)} was given."
            )
        longest = round(self._limits.wall_seconds * 1000)
        if not 1 <= milliseconds <= longest:
            raise Invalid(
                f"{_CALL}: timeout must be between 1 ms and {longest} ms, the server's limit for handlers; "
                f"{told(value)} was given."
            )
        return milliseconds


CALLS: tuple[HostCall, ...] = (
    HostCall(
        name="register.route",
        speaks_for=_CALL,
        group="Registration",
        arguments=(Argument(name="route", kind="object", doc="The route."),),
        returns="void",
        effect="held",
        doc="Checks and keeps one route.",
        example="",
        errors=("too_many",),
    ),
    HostCall(
        name="register.stream",
        speaks_for=STREAM_CALL,
        group="Registration",
        arguments=(Argument(name="stream", kind="object", doc="The stream."),),
        returns="void",
        effect="held",
        doc="Checks and keeps one stream.",
        example="",
        errors=("too_many",),
    ),
    HostCall(
        name="register.socket",
        speaks_for=SOCKET_CALL,
        group="Registration",
        arguments=(Argument(name="socket", kind="object", doc="The WebSocket."),),
        returns="void",
        effect="held",
        doc="Checks and keeps one WebSocket.",
        example="",
        errors=("too_many",),
    ),
    HostCall(
        name="register.middleware",
        speaks_for="use",
        group="Registration",
        arguments=(Argument(name="middleware", kind="object", doc="The middleware."),),
        returns="void",
        effect="held",
        doc="Checks and keeps one middleware.",
        example="",
        errors=("too_many",),
    ),
    REGISTER,
)


class RegistrationCalls:
    """The group of calls that only work while a script loads."""

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.Group.calls`."""
        return CALLS

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.Group.functions`."""
        return {
            "register.route": self._route,
            "register.stream": self._stream,
            "register.socket": self._socket,
            "register.middleware": self._middleware,
            REGISTER.name: self._part,
        }

    def _route(self, session: Session, given: Mapping[str, Any]) -> None:
        if session.registrations is None:
            raise _closed(_CALL)
        session.registrations.add_route(given)

    def _stream(self, session: Session, given: Mapping[str, Any]) -> None:
        if session.registrations is None:
            raise _closed(STREAM_CALL)
        session.registrations.add_stream(given)

    def _socket(self, session: Session, given: Mapping[str, Any]) -> None:
        if session.registrations is None:
            raise _closed(SOCKET_CALL)
        session.registrations.add_socket(given)

    def _part(self, session: Session, given: Mapping[str, Any]) -> None:
        if session.registrations is None:
            raise _closed("registerQueryHandler")
        session.registrations.add_part(given)

    def _middleware(self, session: Session, given: Mapping[str, Any]) -> None:
        if session.registrations is None:
            raise _closed("use")
        session.registrations.add_middleware(given)


def duration_ms(value: Any) -> int | None:
    """Read a duration, text such as `"30s"` or a number of milliseconds; None if it is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if 0 <= value < 1e12 else None
    if isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
        return int(float(found[1]) * _UNIT_MS[found[2]])
    return None


def _closed(call: str) -> Closed:
    return Closed(f"{call} works only while the script loads, at its top level or in init; move the call there.")


def _methods(given: Any) -> tuple[str, ...]:
    texts = given if isinstance(given, list) else [given]
    if not texts:
        raise Invalid(f"{_CALL}: the list of methods is empty; leave it out for GET.")
    methods: dict[str, None] = {}
    for text in texts:
        method = text.upper() if isinstance(text, str) else ""
        if method not in METHODS:
            meant = nearest(method, METHODS)
            advice = f"did you mean {meant}?" if meant else f"use one of {', '.join(METHODS)}."
            raise Invalid(f"{_CALL}: there is no method {told(text)}; {advice}")
        methods[method] = None
    return tuple(methods)


def _handler(given: Any, call: str) -> HandlerRef:
    number = given.get("id") if isinstance(given, dict) else None
    name = given.get("name") if isinstance(given, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1_000_000:
        raise Invalid(f"{call}: the handler must be a function, or the name of a top-level function.")
    return HandlerRef(id=number, name=name[:200] if isinstance(name, str) else "")


def _route_middleware(value: Any) -> list[int]:
    given = value if isinstance(value, list) else [value]
    if len(given) > _MOST_MIDDLEWARE:
        raise TooMany(f"{_CALL}: a route may have at most {_MOST_MIDDLEWARE} middleware functions.")
    return [_handler({"id": one} if isinstance(one, int) else one, f"{_CALL}: middleware").id for one in given]


def _idempotent(value: Any) -> bool | str:
    if isinstance(value, bool) or value == "required":
        kept: bool | str = value
        return kept
    raise Invalid(f'{_CALL}: idempotent must be true, false or "required"; {told(value)} was given.')


def _summary(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_SUMMARY:
        raise Invalid(
            f"{_CALL}: summary must be text of at most {_LONGEST_SUMMARY} characters; {told(value)} was given."
        )
    return value


def _tags(value: Any) -> list[str]:
    tags = [value] if isinstance(value, str) else value
    good = isinstance(tags, list) and all(isinstance(tag, str) and 0 < len(tag) <= _LONGEST_TAG for tag in tags)
    if not good or len(tags) > _MOST_TAGS:
        raise Invalid(f"{_CALL}: tags must be a list of at most {_MOST_TAGS} words; {told(value)} was given.")
    return list(tags)


def _check_params(schema: Any, pattern: str) -> None:
    """Refuse a schema that asks for a parameter which the path does not have."""
    if not isinstance(schema, dict):
        return
    names = [segment[1:] or "*" for segment in pattern.split("/") if segment[:1] in (":", "*")]
    required = schema.get("required")
    for wanted in required if isinstance(required, list) else []:
        if wanted not in names:
            meant = nearest(wanted, names)
            advice = f"did you mean {meant}?" if meant else f'add ":{wanted}" to the path.'
            raise Invalid(
                f'{_CALL}: params requires {told(wanted)}, which the path "{pattern}" does not have; {advice}'
            )
