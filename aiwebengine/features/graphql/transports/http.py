"""
GraphQL over HTTP: `GET` and `POST /graphql`, as the specification of the GraphQL foundation says.

    application/graphql-response+json   the status is 400 if the request failed, and 200 if it was executed
    application/json                    for older clients: a document that fails is answered with 200
    multipart/mixed                     `@defer`, `@stream` and subscriptions: part after part, if the client names it
    text/event-stream                   see `sse.py`
    text/html                           GraphiQL, for a browser that asks for no operation
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import (
    INTERNAL_ERROR,
    TABLE,
    EngineError,
    Invalid,
    NotAcceptable,
    NotFound,
    UnsupportedMedia,
    WrongMethod,
)
from aiwebengine.features.graphql.execution.execute import Execution, NoSchema, PreparedOperation, RequestFailed
from aiwebengine.features.graphql.execution.results import Results, engine_refused, request_failed
from aiwebengine.features.graphql.schema.batches import Caller
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.features.graphql.subscriptions.feeds import Feeds
from aiwebengine.features.graphql.transports.accept import EVENTS, JSON, RESPONSE, AcceptedTypes, accepted_types
from aiwebengine.features.graphql.transports.batch import BatchedOperations
from aiwebengine.features.graphql.transports.multipart import MultipartAnswer, MultipartSubscription, send_deferred
from aiwebengine.features.graphql.transports.page import GraphiQLPage
from aiwebengine.features.graphql.transports.params import read_batch, read_params
from aiwebengine.features.graphql.transports.wire import encode
from aiwebengine.interfaces import Clock
from aiwebengine.long_json import Checkpoint, encode_utf8, no_checkpoint
from aiwebengine.values import Answer, Request
from aiwebengine.web.errors import wants_page
from aiwebengine.web.http.exchange import Exchange
from aiwebengine.web.http.payload import bare_payload

_log = Logger()

NO_SCHEMA = "No script adds anything to the GraphQL schema yet; registerQueryHandler does."
_METHODS = ("GET", "HEAD", "POST")
_HEADERS = {
    kind: ((b"content-type", f"{kind}; charset=utf-8".encode()), (b"cache-control", b"no-store"))
    for kind in (JSON, RESPONSE)
}

Enter = Callable[[Exchange, Request], None]
"""Answers a request."""


class GraphQLOverHttp:
    """
    See the module.

    Args:
        execution: Executes.
        settings: What is offered.
        distinct: Answers an operation with a stream of events; see `sse.py`.
        feeds: Have the subscriptions.
        clock: Times heartbeats.
        heartbeat_seconds: A subscription of several parts is written to at least so often.
        page: GraphiQL.
    """

    def __init__(
        self,
        *,
        execution: Execution,
        settings: GraphQLSettings,
        distinct: Enter,
        feeds: Feeds,
        clock: Clock,
        heartbeat_seconds: float,
        page: GraphiQLPage,
    ) -> None:
        self._page = page
        self._feeds = feeds
        self._clock = clock
        self._heartbeat_seconds = heartbeat_seconds
        self._execution = execution
        self._distinct = distinct
        self._settings = settings

    def enter(self, exchange: Exchange, request: Request) -> None:
        """Answer a request for `/graphql`."""
        accept = exchange.sender.accept
        accepted = accepted_types(accept)
        kind = accepted.kind or JSON
        try:
            if request.method == "OPTIONS":
                exchange.answered(Answer(status=204, headers=((b"allow", b"GET, HEAD, POST, OPTIONS"),), body=b""))
            elif request.method not in _METHODS:
                raise WrongMethod(f"/graphql answers GET and POST, not {request.method}.", allowed=_METHODS)
            elif self._settings.graphiql and request.method != "POST" and wants_page(accept):
                self._page.show(exchange)
            elif accepted.streamed and request.method != "HEAD":
                self._distinct(exchange, request)
            elif accepted.kind is None and not accepted.incremental and not accepted.subscribed:
                raise NotAcceptable(
                    f"The answer is {RESPONSE} or {JSON} (or {EVENTS} for a subscription); the accept header allows "
                    "none of these."
                )
            else:
                self._operate(exchange, request, accepted)
        except RequestFailed as failed:
            self._failed(exchange, failed, kind)
        except NoSchema:
            self._refuse(exchange, NotFound(NO_SCHEMA), kind)
        except EngineError as error:
            self._refuse(exchange, error, kind)

    def _operate(self, exchange: Exchange, request: Request, accepted: AcceptedTypes) -> None:
        """Execute what a request asks for."""
        body = read_batch(request, self._settings.max_batch, self._execution.loop.checkpoint)
        if not isinstance(body, Mapping):
            self._batch(exchange, request, body)
            return
        params = read_params(body, self._execution.documents, persisted=self._settings.persisted_queries)
        prepared = self._execution.prepare(params)
        if not exchange.waiting:
            return
        if prepared.kind == "subscription" and accepted.subscribed and request.method != "HEAD":
            self._subscribe(exchange, request, prepared)
            return
        if prepared.kind == "subscription" and accepted.events:
            self._distinct(exchange, request)
            return
        self._check(prepared, request)
        underway = self._execution.execute(
            prepared,
            caller_of(exchange, request),
            partial(self._finished, exchange, accepted),
            incremental=accepted.incremental and prepared.document.incremental,
            written=True,
        )
        if not underway.ended:
            exchange.on_disconnect = underway.cancel

    def _batch(self, exchange: Exchange, request: Request, operations: Sequence[Mapping[str, Any]]) -> None:
        def done(results: Sequence[Mapping[str, Any]]) -> None:
            exchange.on_disconnect = None
            exchange.answered(answer(results, JSON, checkpoint=self._execution.loop.checkpoint))

        batch = BatchedOperations(
            execution=self._execution,
            caller=caller_of(exchange, request),
            persisted=self._settings.persisted_queries,
            done=done,
        )
        exchange.on_disconnect = batch.cancel
        batch.begin(operations)

    def _subscribe(self, exchange: Exchange, request: Request, prepared: PreparedOperation) -> None:
        caller = caller_of(exchange, request)
        outlet = MultipartSubscription(exchange, clock=self._clock, heartbeat_seconds=self._heartbeat_seconds)
        member = self._feeds.subscribe(prepared, caller, outlet)
        outlet.opened(drained=member.drained, on_closed=member.cancel)

    def _check(self, prepared: PreparedOperation, request: Request) -> None:
        if prepared.kind == "subscription":
            raise Invalid(
                f"A subscription has many results: ask for it with accept: {EVENTS} (or at /graphql/sse), or over a "
                "WebSocket at /graphql/ws."
            )
        if prepared.kind == "mutation" and request.method != "POST":
            raise WrongMethod(f"A mutation changes data: send it with POST, not {request.method}.", allowed=("POST",))

    def _finished(self, exchange: Exchange, accepted: AcceptedTypes, outcome: Results | Failure) -> None:
        exchange.on_disconnect = None
        kind, checkpoint = accepted.kind or JSON, self._execution.loop.checkpoint
        if isinstance(outcome, Failure):
            _log.failure("GraphQL request {request} failed", outcome, request=exchange.id)
            self._refuse(exchange, EngineError(INTERNAL_ERROR), kind)
        elif outcome.more is None:
            exchange.answered(written_answer(outcome.text(checkpoint), kind, checkpoint=checkpoint))
        else:
            self._send_parts(exchange, outcome, older=accepted.older)

    def _send_parts(self, exchange: Exchange, results: Results, *, older: bool) -> None:
        parts = MultipartAnswer(exchange, boundary="-", parameters="; deferSpec=20220824" if older else "")
        most = self._settings.max_response_bytes
        sending = send_deferred(parts, results, self._execution, request=exchange.id, most=most, older=older)
        parts.flow.work = self._execution.loop.run(sending)
        parts.flow.work.addErrback(self._ended, exchange)

    def _ended(self, failure: Failure, exchange: Exchange) -> None:
        if not failure.check(CancelledError):
            _log.failure("GraphQL request {request}: its stream of results failed", failure, request=exchange.id)
            exchange.failed(EngineError(INTERNAL_ERROR))

    def _failed(self, exchange: Exchange, failed: RequestFailed, kind: str) -> None:
        persisted = any((error.extensions or {}).get("code", "").startswith("PERSISTED") for error in failed.errors)
        status = 400 if kind == RESPONSE and not persisted else 200
        exchange.answered(answer(request_failed(failed.errors, exchange.id), kind, status=status))

    def _refuse(self, exchange: Exchange, error: EngineError, kind: str) -> None:
        exchange.answered(refusal(error, kind, request=exchange.id))


def answer(
    document: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    kind: str,
    *,
    status: int = 200,
    checkpoint: Checkpoint = no_checkpoint,
) -> Answer:
    """Make an answer of a response, or of several."""
    return written_answer(encode(document, checkpoint), kind, status=status, checkpoint=checkpoint)


def written_answer(text: str, kind: str, *, status: int = 200, checkpoint: Checkpoint = no_checkpoint) -> Answer:
    """Make an answer of JSON."""
    return Answer(status, _HEADERS[kind], encode_utf8(text, checkpoint))


def refusal(error: EngineError, kind: str, *, request: str) -> Answer:
    """Make the answer to a request that is not even one of GraphQL; it says why in GraphQL's form."""
    row = TABLE[error.code]
    made = answer(engine_refused(error, request), kind)
    headers = made.headers
    if isinstance(error, WrongMethod):
        headers = (*headers, (b"allow", ", ".join(error.allowed).encode("ascii")))
    if isinstance(error, UnsupportedMedia):
        headers = (*headers, (b"accept", b"application/json"))
    return made._replace(status=row.status, headers=headers)


def caller_of(exchange: Exchange, request: Request, connection: str = "") -> Caller:
    """
    Return the caller.

    Args:
        connection: Parameters of the connection, as JSON; empty for none.
    """
    request_member = f'"r":{bare_payload(request, sender=exchange.sender.json)}'
    sender = f'{request_member},"c":{connection}' if connection else request_member
    return Caller(request=request.id, sender=sender, trace=request.trace)
