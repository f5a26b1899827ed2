"""
GraphQL over HTTP: `GET` and `POST /graphql`, as the specification of the GraphQL foundation says.

    application/graphql-response+json   the status tells a request that failed (400) from one that was executed (200)
    application/json                    for older clients: a document that fails is told with 200
    multipart/mixed                     `@defer` and `@stream`: part after part, if the client names it
    text/event-stream                   see `sse.py`
    text/html                           GraphiQL, for a browser that asks for no operation
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from graphql import GraphQLError
from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import TABLE, EngineError, Invalid, NotAcceptable, NotFound, UnsupportedMedia, WrongMethod
from aiwebengine.features.graphql.execution.execute import Execution, NoSchema, PreparedOperation, RequestFailed
from aiwebengine.features.graphql.execution.results import Results, request_failed, told_next
from aiwebengine.features.graphql.schema.batches import Caller
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.features.graphql.transports.accept import EVENTS, JSON, RESPONSE, wishes
from aiwebengine.features.graphql.transports.outflow import Outflow
from aiwebengine.features.graphql.transports.page import GraphiQLPage
from aiwebengine.features.graphql.transports.params import read_params, read_request
from aiwebengine.features.graphql.transports.wire import encode
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


class GraphQLDoor:
    """
    See the module.

    Args:
        execution: Executes.
        settings: What is offered.
        distinct: Answers an operation with a stream of events; see `sse.py`.
        page: GraphiQL.
    """

    def __init__(self, *, execution: Execution, settings: GraphQLSettings, distinct: Enter, page: GraphiQLPage) -> None:
        self._page = page
        self._execution = execution
        self._distinct = distinct
        self._settings = settings

    def enter(self, exchange: Exchange, request: Request) -> None:
        """Answer a request for `/graphql`."""
        accept = exchange.sender.accept
        kind, incremental, events, streamed = wishes(accept)
        try:
            if request.method == "OPTIONS":
                exchange.answered(Answer(status=204, headers=((b"allow", b"GET, HEAD, POST, OPTIONS"),), body=b""))
                return
            if request.method not in _METHODS:
                raise WrongMethod(f"/graphql answers GET and POST, not {request.method}.", allowed=_METHODS)
            if self._settings.graphiql and request.method != "POST" and wants_page(accept):
                self._page.show(exchange)
                return
            if streamed and request.method != "HEAD":
                self._distinct(exchange, request)
                return
            if kind is None and not incremental:
                raise NotAcceptable(
                    f"The answer is {RESPONSE} or {JSON} (or {EVENTS} for a subscription); the header accept wants "
                    "neither."
                )
            kind = kind or JSON
            given = read_request(request)
            params = read_params(given, self._execution.documents, persisted=self._settings.persisted_queries)
            prepared = self._execution.prepare(params)
            if events and prepared.kind == "subscription":
                self._distinct(exchange, request)
                return
            self._check(prepared, request)
            underway = self._execution.execute(
                prepared,
                asker_of(exchange, request),
                partial(self._told, exchange, kind),
                incremental=incremental and prepared.document.incremental,
            )
            if not underway.over:
                exchange.gone = underway.cancel
        except RequestFailed as failed:
            self._failed(exchange, failed, kind or JSON)
            return
        except NoSchema:
            self._refuse(exchange, NotFound(NO_SCHEMA), kind or JSON)
            return
        except EngineError as error:
            self._refuse(exchange, error, kind or JSON)
            return

    def _check(self, prepared: PreparedOperation, request: Request) -> None:
        if prepared.kind == "subscription":
            raise Invalid(
                f"A subscription has many results: ask for it with accept: {EVENTS} (or at /graphql/sse), or over a "
                "WebSocket at /graphql/ws."
            )
        if prepared.kind == "mutation" and request.method != "POST":
            raise WrongMethod(
                f"A mutation changes things, so it is sent with POST, not {request.method}.", allowed=("POST",)
            )

    def _told(self, exchange: Exchange, kind: str, outcome: Results | Failure) -> None:
        exchange.gone = None
        if isinstance(outcome, Failure):
            _log.failure("GraphQL request {request} failed", outcome, request=exchange.id)
            self._refuse(exchange, EngineError("Internal server error; the server log has the details."), kind)
        elif outcome.more is None:
            exchange.answered(answer(outcome.first, kind))
        else:
            self._send_parts(exchange, outcome)

    def _send_parts(self, exchange: Exchange, results: Results) -> None:
        flow = Outflow(
            exchange, Answer(status=200, headers=((b"content-type", b'multipart/mixed; boundary="-"'),), body=b"")
        )
        flow.work = self._execution.loop.run(self._pump(results, flow, exchange.id))
        flow.work.addErrback(self._ended, exchange)

    async def _pump(self, results: Results, flow: Outflow, request: str) -> None:
        flow.push(b"---" + _part(results.first))
        assert results.more is not None
        async for part in results.more:
            await flow.room(self._execution.loop)
            told = told_next(part, request, self._settings.max_response_bytes)
            flow.push(_part(told))
            if not told["hasNext"]:
                break
        flow.push(b"--\r\n")
        flow.finish()

    def _ended(self, failure: Failure, exchange: Exchange) -> None:
        if not failure.check(CancelledError):
            _log.failure("GraphQL request {request} broke off", failure, request=exchange.id)
            exchange.failed(EngineError("Internal server error; the server log has the details."))

    def _failed(self, exchange: Exchange, failed: RequestFailed, kind: str) -> None:
        persisted = any((one.extensions or {}).get("code", "").startswith("PERSISTED") for one in failed.errors)
        status = 400 if kind == RESPONSE and not persisted else 200
        exchange.answered(answer(request_failed(failed.errors, exchange.id), kind, status=status))

    def _refuse(self, exchange: Exchange, error: EngineError, kind: str) -> None:
        exchange.answered(refusal(error, kind, request=exchange.id))


def answer(document: Mapping[str, Any], kind: str, *, status: int = 200) -> Answer:
    """Make an answer of a response."""
    return Answer(
        status=status,
        headers=_HEADERS[kind],
        body=encode(document).encode("utf-8", "replace"),
    )


def refusal(error: EngineError, kind: str, *, request: str) -> Answer:
    """Make the answer to a request that is not even one of GraphQL; it says why in GraphQL's form."""
    row = TABLE[error.code]
    made = answer(request_failed([GraphQLError(error.public, extensions={"code": row.graphql})], request), kind)
    headers = made.headers
    if isinstance(error, WrongMethod):
        headers = (*headers, (b"allow", ", ".join(error.allowed).encode("ascii")))
    if isinstance(error, UnsupportedMedia):
        headers = (*headers, (b"accept", b"application/json"))
    return replace(made, status=row.status, headers=headers)


def asker_of(exchange: Exchange, request: Request, connection: str = "") -> Caller:
    """
    Tell who asks.

    Args:
        connection: Parameters of the connection, as JSON; empty for none.
    """
    told = f'"r":{bare_payload(request, sender=exchange.sender.told)}'
    return Caller(request=request.id, sender=f'{told},"c":{connection}' if connection else told)


def _part(document: Mapping[str, Any]) -> bytes:
    body = encode(document).encode("utf-8", "replace")
    return b"\r\ncontent-type: application/json; charset=utf-8\r\n\r\n" + body + b"\r\n---"
