"""
The listening site: what a request meets, in order.

    1  channel.py   a connection; head.py reads the head, refusals are answered from here
    2  read.py      -> Request
    3  routes       Registry x Request -> RouteMatch
    4  payload.py   -> the argument of the handler; the checks that features add (admission.py)
    5  runner       Invocation -> answer, through the request's `Exchange`
    6  write.py     -> bytes

Paths of the engine's own go to a Klein resource instead, by twisted.web's usual machinery, on the
same connections.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.resource import Resource

from aiwebengine.errors import INTERNAL_ERROR, EngineError, Invalid, NotFound, OutcomeUnknown, ScriptFailed
from aiwebengine.host.registration.book import USE
from aiwebengine.host.registration.paths import METHODS
from aiwebengine.interfaces import Identify
from aiwebengine.observe.watchdog import ReactorPulse, unwatched_pulse
from aiwebengine.runtime.invoker import Callee, Invoker
from aiwebengine.runtime.registry import Current, Registry
from aiwebengine.runtime.reserved import ReservedPaths
from aiwebengine.runtime.routes import MethodNotAllowed, NoRoute
from aiwebengine.runtime.runs.run import Run
from aiwebengine.runtime.runs.sink import Sink
from aiwebengine.scripts.failures import NO_TRACE, Explain, Trace
from aiwebengine.settings.schema import HttpSettings
from aiwebengine.values import (
    ADMINISTRATOR,
    ANONYMOUS,
    ROUTE,
    Answer,
    Cause,
    Entry,
    HandlerRef,
    Invocation,
    Principal,
    Request,
    RouteMatch,
)
from aiwebengine.web.admission import Admission, AdmissionStep
from aiwebengine.web.arrival import Arrival, Opener
from aiwebengine.web.automatic import Unanswered, allowed, as_json, automatic, owner_of, refusal_of
from aiwebengine.web.errors import error_answer, problem_page, wants_page, withheld
from aiwebengine.web.held_requests import HeldRequests
from aiwebengine.web.http.channel import Channel
from aiwebengine.web.http.exchange import Exchange
from aiwebengine.web.http.payload import long_body, payload
from aiwebengine.web.http.read import Reader, Sender, request_id
from aiwebengine.web.http.upgraded import SiteConnection
from aiwebengine.web.http.write import Writer
from aiwebengine.web.welcome import welcome

_log = Logger()

OWN_PREFIXES = ("/engine/", "/health/")
"""Paths that the engine answers itself."""

_END_SECONDS = 1.0
_LONGEST_SHOWN_PATH = 200
_STOPPED = (
    "The server stopped before it could answer; the request may or may not have been carried out. "
    "Check before you retry."
)


Responder = Callable[[Exchange, Request], bool]
"""Answers a request if it is for a path of its own; returns whether it is."""

_NO_OPENERS: Mapping[str, Opener] = MappingProxyType({})


class ServedRoute(NamedTuple):
    """What requests for one route meet."""

    callee: Callee
    steps: tuple[AdmissionStep, ...]
    opener: Opener | None
    """Takes them over; None: the handler is run."""
    plain: bool
    """It is a plain web handler."""
    hides: bool
    """Its pattern matches paths that are reserved for the engine, too."""
    wildcard: bool
    """Its pattern alone says little of a request."""


class Site:
    """
    Everything that listens.

    Args:
        reactor: Times connections.
        current: What serves.
        invoker: Runs it.
        reserved: Paths that no handler of a script answers.
        own: Answers the engine's own paths.
        reader: Makes values of requests.
        writer: Makes bytes of answers.
        settings: Bounds of requests.
        own_body_bytes: Largest body for the engine's own paths.
        explain: Returns the author's frames of a failure; None if they are not shown.
        is_owner: Returns whether a token is the administrator's: with it, answers say what they cost, and a single
            request can be recorded with the header `x-aiwebengine-record`.
        own_prefixes: Which paths are the engine's own.
        openers: By kind of entry, who takes requests over; where there is none, the entry's handler is run.
        admission: What matched requests pass before their handlers are run.
        responders: Answer requests for paths of the engine's own that are not among `own`.
        visitors: Finds out who sends requests for scripts; None: no one is signed in.
        pulse: Of the reactor; notified for which route it works.
    """

    def __init__(
        self,
        *,
        reactor: IReactorTime,
        current: Current,
        invoker: Invoker,
        reserved: ReservedPaths,
        own: Resource,
        reader: Reader,
        writer: Writer,
        settings: HttpSettings,
        own_body_bytes: int,
        explain: Explain | None,
        is_owner: Callable[[str], bool] = lambda _: False,
        own_prefixes: Sequence[str] = OWN_PREFIXES,
        openers: Mapping[str, Opener] = _NO_OPENERS,
        admission: Sequence[AdmissionStep] = (),
        responders: Sequence[Responder] = (),
        visitors: Identify | None = None,
        pulse: ReactorPulse | None = None,
    ) -> None:
        self._reactor = reactor
        self.seconds: Callable[[], float] = reactor.seconds
        self._current = current
        self._invoker = invoker
        self._reserved = reserved
        self._own = own
        self._reader = reader
        self.writer = writer
        self.settings = settings
        self.own_body_bytes = own_body_bytes
        self._explain = explain
        self._is_owner = is_owner
        self._own_prefixes = tuple(own_prefixes)
        self._openers = dict(openers)
        self._admission = Admission(admission)
        self._held = HeldRequests(clock=reactor)
        self._served: dict[int, ServedRoute] = {}
        """By id of a route of `_served_of`."""
        self._served_of: Registry | None = None
        self._responders = tuple(responders)
        self._visitors = visitors
        self._pulse = pulse or unwatched_pulse()
        self._factory = self.build_factory()
        self._connections: set[SiteConnection] = set()
        self._waiting: list[Deferred[None]] = []
        """Fired when there is no connection."""
        self._idle_end: IDelayedCall | None = None
        self.stopping = False
        """Answers are the last of their connections."""
        self.identify = reader.identify
        self.sender: Callable[..., Sender] = reader.sender

    # -- connections --------------------------------------------------------------------------

    def build_factory(self) -> server.Site:
        """Return the factory for an endpoint."""
        return Factory(self, self._own, self._reactor)

    def build_channel(self, *, cause: Cause) -> Channel:
        """Return the protocol of a connection over which an invocation sends a request."""
        channel: Channel = self._factory.buildProtocol(None)
        channel.cause = cause
        return channel

    def opened(self, connection: SiteConnection) -> None:
        """There is a new connection."""
        self._connections.add(connection)

    def closed(self, connection: SiteConnection) -> None:
        """A connection has ended."""
        self._connections.discard(connection)
        if not self._connections:
            self._tell_ended()

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._connections)

    def drain(self, *, idle_seconds: float) -> Deferred[None]:
        """
        Let connections end with the answers that are due on them.

        Args:
            idle_seconds: After so long, those on which nothing is due are ended.

        Returns:
            Fires when there are none.  Cancelling ends the wait only.
        """
        self.stopping = True
        done: Deferred[None] = Deferred(lambda _: self._waiting.remove(done))
        self._waiting.append(done)
        if self._connections:
            self._idle_end = self._reactor.callLater(idle_seconds, self._end_idle)
        else:
            self._tell_ended()
        return done

    def end(self) -> Deferred[None]:
        """End all connections; fires when there are none, within a second."""
        self.stopping = True
        done: Deferred[None] = Deferred()
        if not self._connections:
            done.callback(None)
            return done
        self._waiting.append(done)
        for connection in list(self._connections):
            connection.give_up(OutcomeUnknown(_STOPPED, retry_seconds=1.0))
        cut = self._reactor.callLater(_END_SECONDS, self._cut)

        def ended(_: None) -> None:
            if cut.active():
                cut.cancel()

        return done.addCallback(ended)

    def _end_idle(self) -> None:
        for connection in list(self._connections):
            if connection.idle:
                connection.end()

    def _tell_ended(self) -> None:
        if self._idle_end is not None and self._idle_end.active():
            self._idle_end.cancel()
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done.callback(None)

    def _cut(self) -> None:
        for connection in list(self._connections):
            connection.forceAbortClient()
        self._tell_ended()

    def is_own(self, target: str) -> bool:
        """Return whether the engine answers *target* itself."""
        return target.startswith(self._own_prefixes)

    def refused(self, error: EngineError, *, method: str, sender: Sender | None) -> bytes:
        """Return the answer to a request that could not be read."""
        identity = self._reader.identify(sender)
        answer = error_answer(error, request_id=identity, accept=sender.accept if sender is not None else "")
        return self.writer.whole(answer, request_id=identity, head_only=method == "HEAD", close=True)

    # -- requests -----------------------------------------------------------------------------

    def expected(self, method: str, target: str, host: str) -> None:
        """
        Check whether anything answers a request whose body is still to come.

        Args:
            host: Its `Host` header; empty if it has none.

        Raises:
            NotFound, WrongMethod: Nothing does.
        """
        path = target.partition("?")[0]
        match = self._current.registry.match(host, method, path)
        if isinstance(match, NoRoute | MethodNotAllowed) and not self._reserved.holds(path):
            raise refusal_of(match, method=method, path=path)

    def enter(self, exchange: Exchange) -> None:
        """Answer one request for scripts."""
        sender = exchange.sender
        exchange.id = identity = self._reader.identify(sender)
        token = request_id.set(identity)
        try:
            if exchange.target == "*":
                exchange.answered(_server_options(exchange.method))
                return
            request = self._reader.read(
                identity=identity,
                method=exchange.method,
                target=exchange.target,
                sender=sender,
                body=exchange.take_body(),
            )
            self._route(exchange, request)
        except EngineError as error:
            self.tell(exchange, error)
        except (Exception, SystemExit):  # noqa: BLE001  the request edge: every failure becomes an answer
            _log.failure("request {request} failed", Failure(), request=identity)
            self.tell(exchange, EngineError(INTERNAL_ERROR))
        finally:
            request_id.reset(token)

    def abandon(self, run: Run) -> None:
        """See `Edge.abandon`."""
        self._invoker.cancel(run)

    def tell(self, exchange: Exchange, error: EngineError) -> None:
        """Answer with an error, for its author with the place in the source."""
        if error.private:
            _log.info("request {request}: {why}", request=exchange.id, why=error.private)
        if not isinstance(error, ScriptFailed) or not (error.thrown or error.place or error.stack):
            self._tell(exchange, error)
        elif self._explain is None or not exchange.version:
            _log.info("request {request}: {why}", request=exchange.id, why=error.public)
            self._tell(exchange, error if error.thrown is None else withheld(error))
        else:

            def explained(trace: Trace | Failure) -> None:
                self._tell(exchange, error, NO_TRACE if isinstance(trace, Failure) else trace)

            Deferred.fromCoroutine(self._explain(error, exchange.version)).addBoth(explained)

    def _tell(self, exchange: Exchange, error: EngineError, trace: Trace = NO_TRACE) -> None:
        answer = error_answer(error, request_id=exchange.id, accept=exchange.sender.accept, trace=trace)
        exchange.answered(answer)

    def page(self, exchange: Exchange, answer: Answer) -> Answer:
        """See `ExchangeSite.page`."""
        return problem_page(answer, request_id=exchange.id) if wants_page(exchange.sender.accept) else answer

    def _route(self, exchange: Exchange, request: Request, principal: Principal | None = None) -> None:
        registry = self._current.registry
        match = registry.match(request.headers.get("host", ""), request.method, request.path)
        if isinstance(match, RouteMatch):
            route = match.route
            served = self._served.get(id(route)) if registry is self._served_of else None
            if served is None:
                served = self._serve(route, registry)
            if served.hides and self._reserved.holds(request.path):
                if self._respond(exchange, request):
                    return
                raise NotFound(f"{request.path[:200]} is reserved for the engine, which has no page there.")
            if principal is None:
                principal = ANONYMOUS if self._visitors is None else self._identified(exchange, request)
                if principal is None:
                    return
            exchange.version = route.version
            self._pulse.subject = route
            if exchange.sender.token:
                exchange.timed = self._is_owner(exchange.sender.token)
            body = payload(request, match.params, sender=exchange.sender.json, base=route.options.get("base", ""))
            invocation = self._invoker.invocation(
                served.callee,
                principal if served.plain else self._signed_in(principal, route, exchange, request),
                body,
                identity=request.id,
                recording="always" if exchange.timed and "x-aiwebengine-record" in request.headers else None,
                cause=exchange.sender.cause,
                trace=request.trace,
                request_line=f"{request.method} {request.path[:_LONGEST_SHOWN_PATH]}" if served.wildcard else "",
                body=long_body(request),
            )
            for step in served.steps:
                if step.enter(exchange, request, route, invocation, self):
                    self._held.add(exchange, step.name)
                    return
            if served.opener is not None:
                served.opener(
                    Arrival(
                        exchange=exchange,
                        request=request,
                        match=match,
                        invocation=invocation,
                        middleware=bool(registry.scripts[route.script].middleware),
                        run=self._invoker.run,
                        tell=self.tell,
                    )
                )
                return
            run = self._invoker.run(invocation, exchange)
            if exchange.waiting:
                exchange.run = run
        elif self._respond(exchange, request):
            pass
        elif isinstance(match, NoRoute) and request.path == "/" and request.method in {"GET", "HEAD"}:
            exchange.answered(welcome(page=wants_page(exchange.sender.accept), scripts=len(registry.scripts)))
        else:
            self._unanswered(exchange, request, match, registry)

    def _serve(self, route: Entry, registry: Registry) -> ServedRoute:
        """Work out what requests for a route meet, once for as long as it serves."""
        if registry is not self._served_of:
            self._served.clear()
            self._served_of = registry
        plain = route.kind == ROUTE
        served = self._served[id(route)] = ServedRoute(
            callee=self._callee(route),
            steps=self._admission.of(route),
            opener=None if plain else self._openers.get(route.kind),
            plain=plain,
            hides=route.key.startswith(("/:", "/*")),
            wildcard="/*" in route.key,
        )
        return served

    def _signed_in(self, principal: Principal, route: Entry, exchange: Exchange, request: Request) -> Principal:
        """Return who asks; where a signed-in user is required, the administrator's token is enough."""
        if principal.kind != ANONYMOUS.kind or route.options.get("auth") != "required":
            return principal
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        owner = exchange.timed or (scheme.lower() == "bearer" and self._is_owner(token.strip()))
        return ADMINISTRATOR if owner else principal

    def _unanswered(self, exchange: Exchange, request: Request, match: Unanswered, registry: Registry) -> None:
        """Answer what no handler does, with the middleware of whose path it is around it."""
        answer = automatic(match, request, accept=exchange.sender.accept)
        owner = owner_of(match, request, registry)
        if owner is None or self._reserved.holds(request.path):
            exchange.answered(answer)
            return
        exchange.version = owner.version
        callee = self._invoker.callee(
            kind="http",
            script=owner.uri,
            version=owner.version,
            handler=HandlerRef(id=owner.middleware[0], name=USE),
            label=f"{request.method} (no handler)",
        )
        body = payload(request, {}, sender=exchange.sender.json, automatic=as_json(answer))
        invocation = self._invoker.invocation(
            callee,
            ANONYMOUS,
            body,
            identity=request.id,
            cause=exchange.sender.cause,
            trace=request.trace,
            body=long_body(request),
        )
        run = self._invoker.run(invocation, exchange)
        if exchange.waiting:
            exchange.run = run

    def _identified(self, exchange: Exchange, request: Request) -> Principal | None:
        """Return who sends a request for a script; None if it continues when that is known."""
        visitor = self._visitors.principal(request) if self._visitors is not None else ANONYMOUS
        if isinstance(visitor, Deferred):
            # What serves may be another by then.
            visitor.addCallback(lambda principal: self._route(exchange, request, principal))
            visitor.addErrback(self.failed, exchange)
            return None
        return visitor

    def run(self, invocation: Invocation, sink: Sink, exchange: Exchange) -> None:
        """Run *invocation* for a client; *sink* is notified of the outcome."""
        run = self._invoker.run(invocation, sink)
        if exchange.waiting:
            exchange.run = run

    def _respond(self, exchange: Exchange, request: Request) -> bool:
        return any(responder(exchange, request) for responder in self._responders)

    def failed(self, failure: Failure, exchange: Exchange) -> None:
        """Answer with an error, whatever it is."""
        error = failure.value
        if not isinstance(error, EngineError):
            _log.failure("request {request} failed", failure, request=exchange.id)
            error = EngineError(INTERNAL_ERROR)
        self.tell(exchange, error)

    def _callee(self, route: Entry) -> Callee:
        options = route.options
        return self._invoker.callee(
            kind="http",
            script=route.script,
            version=route.version,
            handler=route.handler,
            label=route.label,
            requested=(options, options.get("limits", {})),
            recorded_as=route.key,
            place=route.place,
        )


class Factory(server.Site):
    """
    Makes connections.  To the engine's own requests it is the site of twisted.web.

    Args:
        edge: What the connections ask.
        own: Answers the engine's own paths.
        reactor: Times them.
    """

    noisy = False

    def __init__(self, edge: Site, own: Resource, reactor: IReactorTime) -> None:
        super().__init__(own, timeout=edge.settings.idle_seconds, reactor=reactor)
        self._edge = edge

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ARG002  anyone may connect
        """See `IProtocolFactory.buildProtocol`."""
        channel: Any = Channel(self._edge)
        channel.factory = channel.site = self
        channel.timeOut = self.timeOut
        channel.callLater = self.reactor.callLater
        return channel

    def startFactory(self) -> None:
        """Keep no access log: there is nothing to open."""

    def stopFactory(self) -> None:
        """Keep no access log: there is nothing to close."""

    def log(self, request: Any) -> None:
        """Keep no access log."""


def _server_options(method: str) -> Answer:
    if method != "OPTIONS":
        raise Invalid(f'The target "*" is for OPTIONS; {method} needs a path.')
    return allowed(METHODS)
