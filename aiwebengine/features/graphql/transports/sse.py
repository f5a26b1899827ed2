"""
Streams of server-sent events with the results of operations: the graphql-sse protocol, in both its modes.

**Distinct connections.**  One request, one operation, one stream:

    POST /graphql/sse   accept: text/event-stream
    {"query": "subscription { tick }"}
                                    event: next
                                    data: {"data":{"tick":1}}

                                    event: complete
                                    data:

**Single connection.**  A client reserves a stream, opens it, and sends operations beside it:

    PUT    /graphql/sse                                   201  the token of the stream
    GET    /graphql/sse?token=...   (or x-graphql-event-stream-token)   200  the stream
    POST   /graphql/sse   {"query": ..., "extensions": {"operationId": "a"}}  202
                                    event: next
                                    data: {"id":"a","payload":{"data":{"tick":1}}}
    DELETE /graphql/sse?operationId=a                     200  the operation is over

A server that stops ends its streams without `complete`, and says when to reconnect: clients then
subscribe again.
"""

from __future__ import annotations

import json
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any
from urllib.parse import parse_qs

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import (
    INTERNAL_ERROR,
    Conflict,
    EngineError,
    Invalid,
    NotAcceptable,
    NotFound,
    TooMany,
    Unavailable,
    WrongMethod,
)
from aiwebengine.features.graphql.execution.execute import Execution, NoSchema, PreparedOperation, RequestFailed
from aiwebengine.features.graphql.execution.results import Results, request_failed
from aiwebengine.features.graphql.schema.batches import Caller
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.features.graphql.subscriptions.feeds import Feeds
from aiwebengine.features.graphql.subscriptions.subscribers import SubscribedOperation
from aiwebengine.features.graphql.transports.accept import EVENTS, JSON, preferred
from aiwebengine.features.graphql.transports.http import NO_SCHEMA, caller_of, refusal
from aiwebengine.features.graphql.transports.params import read_params, read_request
from aiwebengine.features.graphql.transports.wire import encode
from aiwebengine.interfaces import Clock
from aiwebengine.values import Answer, Request
from aiwebengine.web.events.sse import EventStream, EventStreams, event_bytes, head, position_bytes
from aiwebengine.web.events.streams import usable_id
from aiwebengine.web.http.exchange import Exchange
from aiwebengine.web.http.read import Sender

_log = Logger()
_TOKEN_HEADER = "x-graphql-event-stream-token"  # noqa: S105  the name of a header
_METHODS = ("GET", "POST", "PUT", "DELETE")
_RESTART_MILLISECONDS = (500, 3000)
_MOST_RESERVED = 10_000
_MOST_WAITING = 1000
_LONGEST_ID = 200


class EventConnection:
    """
    The stream of one request; it is an `exchange.Body`.

    The answer begins with `begin`, or with what is sent first.

    Args:
        exchange: The request.
        streams: Write it.
        on_closed: Called once when the client disconnected or the stream has ended.
    """

    def __init__(self, exchange: Exchange, streams: EventStreams, *, on_closed: Callable[[], None]) -> None:
        self._exchange = exchange
        self._on_closed = on_closed
        self._streams = streams
        self.busy = False
        """The client does not take what was sent."""
        self.drained: Callable[[], None] = _do_nothing
        """Called when it takes more."""
        self._stream: EventStream | None = None
        self._over = False
        exchange.on_disconnect = self.lost

    def begin(self) -> EventStream | None:
        """Begin the answer, unless it has begun; returns where it is written, None if it is over."""
        if self._stream is None and not self._over:
            exchange = self._exchange
            exchange.on_disconnect = None
            self._stream = self._streams.open(write=exchange.push, finish=exchange.finished)
            exchange.sender = Sender()
            exchange.feed(head(), self)
            if self._stream is not None:
                self._stream.comment()
        return self._stream

    def event(self, event: str, data: str, *, id: str | None = None) -> None:  # noqa: A002  its name in the standard
        """Send one event."""
        if (stream := self.begin()) is not None:
            stream.send(event_bytes(data, id=id, event=event))

    def position(self, id: str) -> None:  # noqa: A002  the same
        """Have the client begin after *id* when it comes back."""
        if (stream := self.begin()) is not None:
            stream.send(position_bytes(id))

    def retry(self, milliseconds: int) -> None:
        """Send the client the time to wait before it reconnects."""
        if (stream := self.begin()) is not None:
            stream.retry(milliseconds)

    def end(self) -> None:
        """End it properly."""
        stream = self.begin()
        if stream is not None:
            self._over = True
            self._stream = None
            self._on_closed()
            stream.end()

    def pauseProducing(self) -> None:
        """See `exchange.Body`."""
        self.busy = True
        if self._stream is not None:
            self._stream.pauseProducing()

    def resumeProducing(self) -> None:
        """See `exchange.Body`."""
        self.busy = False
        if self._stream is not None:
            self._stream.resumeProducing()
        self.drained()

    def lost(self) -> None:
        """See `exchange.Body`; also called if the client leaves before the answer has begun."""
        stream, self._stream = self._stream, None
        if self._over:
            return
        self._over = True
        if stream is not None:
            stream.lost()
        self._on_closed()


class SingleOperationStream:
    """
    One operation on a stream of its own; see `subscribers.Outlet`.

    Args:
        connection: Its stream.
    """

    def __init__(self, connection: EventConnection) -> None:
        self._connection = connection

    @property
    def busy(self) -> bool:
        """See `subscribers.Outlet`."""
        return self._connection.busy

    def joined(self) -> None:
        """See `subscribers.Outlet`: to a browser's EventSource the stream is open now."""
        self._connection.begin()

    def began(self, position: str) -> None:
        """See `subscribers.Outlet`."""
        self._connection.position(position)

    def gap(self, data: str) -> None:
        """See `subscribers.Outlet`."""
        self._connection.event("gap", data)

    def result(self, text: str, position: str) -> None:
        """See `subscribers.Outlet`."""
        self._connection.event("next", text, id=position or None)

    def refused(self, errors: Sequence[Mapping[str, Any]]) -> None:
        """See `subscribers.Outlet`."""
        self.result(encode({"errors": errors}), "")
        self.complete()

    def complete(self) -> None:
        """See `subscribers.Outlet`."""
        self._connection.event("complete", "")
        self._connection.end()


class Reserved:
    """
    A stream that was reserved, and the operations on it.

    Args:
        token: Its name.
        most: Operations at once.
    """

    def __init__(self, *, token: str, most: int) -> None:
        self.token = token
        self.most = most
        self.connection: EventConnection | None = None
        self.operations: dict[str, Callable[[], None]] = {}
        """By id, what stops each."""
        self.members: dict[str, SubscribedOperation] = {}
        self.expiry: IDelayedCall | None = None
        self._waiting: deque[tuple[str, str]] = deque()

    @property
    def busy(self) -> bool:
        """The client does not take what was sent, or has not opened the stream yet."""
        return self.connection is None or self.connection.busy

    def opened(self, connection: EventConnection) -> None:
        """Have a connection, which gets what has waited."""
        self.connection = connection
        connection.drained = self.drained
        while self._waiting:
            connection.event(*self._waiting.popleft())
        self.drained()

    def event(self, event: str, data: str) -> None:
        """Send one event, or keep it until the stream is open."""
        if self.connection is not None:
            self.connection.event(event, data)
        elif len(self._waiting) < _MOST_WAITING:
            self._waiting.append((event, data))

    def drained(self) -> None:
        """The client takes more."""
        for member in list(self.members.values()):
            member.drained()

    def ended(self, identity: str) -> None:
        """An operation is over."""
        self.operations.pop(identity, None)
        self.members.pop(identity, None)

    def stop(self) -> None:
        """Stop all operations."""
        stops = list(self.operations.values())
        self.operations.clear()
        self.members.clear()
        for stop in stops:
            stop()


class NamedOperation:
    """
    One of several operations on a stream; see `subscribers.Outlet`.

    Args:
        reserved: The stream.
        identity: The operation's id.
    """

    def __init__(self, reserved: Reserved, identity: str) -> None:
        self._reserved = reserved
        self._identity = identity

    @property
    def busy(self) -> bool:
        """See `subscribers.Outlet`."""
        return self._reserved.busy

    def joined(self) -> None:
        """See `subscribers.Outlet`; this mode has no word for it."""

    def began(self, position: str) -> None:
        """See `subscribers.Outlet`; who names its operations on a stream cannot come back to one."""

    def gap(self, data: str) -> None:
        """The same."""

    def result(self, text: str, position: str) -> None:  # noqa: ARG002  the same
        """See `subscribers.Outlet`."""
        self._reserved.event("next", f'{{"id":{json.dumps(self._identity)},"payload":{text}}}')

    def refused(self, errors: Sequence[Mapping[str, Any]]) -> None:
        """See `subscribers.Outlet`."""
        self.result(encode({"errors": errors}), "")
        self.complete()

    def complete(self) -> None:
        """See `subscribers.Outlet`."""
        self._reserved.ended(self._identity)
        self._reserved.event("complete", f'{{"id":{json.dumps(self._identity)}}}')


class GraphQLOverSse:
    """
    See the module.

    Args:
        execution: Executes queries and mutations.
        feeds: Have the subscriptions.
        streams: Write events.
        settings: The limits.
        clock: Times reservations.
        random: Spreads reconnecting clients over time.
    """

    def __init__(
        self,
        *,
        execution: Execution,
        feeds: Feeds,
        streams: EventStreams,
        settings: GraphQLSettings,
        clock: Clock,
        random: Random,
    ) -> None:
        self._execution = execution
        self._feeds = feeds
        self._streams = streams
        self._settings = settings
        self._clock = clock
        self._random = random
        self._connections: dict[EventConnection, None] = {}
        self._reserved: dict[str, Reserved] = {}
        self._stopping = False

    def enter(self, exchange: Exchange, request: Request) -> None:
        """Answer a request for `/graphql/sse`."""
        try:
            if self._stopping:
                raise Unavailable("The server is shutting down; reconnect in a moment.", retry_seconds=1.0)
            self._enter(exchange, request)
        except NoSchema:
            exchange.answered(refusal(NotFound(NO_SCHEMA), JSON, request=exchange.id))
        except EngineError as error:
            exchange.answered(refusal(error, JSON, request=exchange.id))

    def distinct(self, exchange: Exchange, request: Request) -> None:
        """
        Answer one operation with a stream of its own.

        Raises:
            EngineError, NoSchema: Nothing can be executed.
        """
        body = read_request(request, self._execution.loop.checkpoint)
        prepared = self._prepare(body, request)
        if not exchange.waiting:
            return
        caller = caller_of(exchange, request)
        stop: Callable[[], None] = _do_nothing

        def on_closed() -> None:
            self._connections.pop(connection, None)
            stop()

        connection = EventConnection(exchange, self._streams, on_closed=on_closed)
        self._connections[connection] = None
        outlet = SingleOperationStream(connection)
        if isinstance(prepared, RequestFailed):
            outlet.refused(request_failed(prepared.errors, exchange.id)["errors"])
        elif prepared.kind == "subscription":
            member = self._feeds.subscribe(
                prepared, caller, outlet, after=usable_id(request.headers.get("last-event-id"))
            )
            connection.drained = member.drained
            stop = member.cancel
        else:
            stop = execute_to(self._execution, prepared, caller, outlet)

    def end(self) -> None:
        """Close all streams, telling the clients when to reconnect: the server stops."""
        self._stopping = True
        for connection in list(self._connections):
            connection.retry(self._random.randint(*_RESTART_MILLISECONDS))
            connection.end()

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"eventStreams": len(self._connections), "reservedStreams": len(self._reserved)}

    # -- the modes ----------------------------------------------------------------------------

    def _enter(self, exchange: Exchange, request: Request) -> None:
        if request.method == "OPTIONS":
            allow = ((b"allow", b"GET, POST, PUT, DELETE, OPTIONS"),)
            exchange.answered(Answer(status=204, headers=allow, body=b""))
            return
        if request.method not in _METHODS:
            raise WrongMethod(
                f"/graphql/sse answers GET, POST, PUT and DELETE, not {request.method}.", allowed=_METHODS
            )
        query = parse_qs(request.query)
        token = request.headers.get(_TOKEN_HEADER) or query.get("token", [""])[0]
        if request.method == "PUT":
            self._reserve(exchange)
        elif token:
            reserved = self._reserved.get(token)
            if reserved is None:
                raise NotFound("There is no stream of that token; reserve one with PUT /graphql/sse.")
            if request.method == "DELETE":
                self._stop(exchange, reserved, query.get("operationId", [""])[0])
            elif preferred(exchange.sender.accept, (EVENTS, JSON)) == EVENTS and request.method == "GET":
                self._open(exchange, reserved)
            else:
                self._operate(exchange, request, reserved)
        elif request.method == "DELETE":
            raise Invalid(f"Name the stream by its token, in the header {_TOKEN_HEADER} or the parameter token.")
        elif preferred(exchange.sender.accept, (EVENTS,)) is None:
            raise NotAcceptable(f"The answer is {EVENTS}; the accept header does not allow it.")
        else:
            self.distinct(exchange, request)

    def _reserve(self, exchange: Exchange) -> None:
        if len(self._reserved) >= _MOST_RESERVED:
            raise TooMany("Too many streams are reserved; try again later.", retry_seconds=5.0)
        token = secrets.token_urlsafe(24)
        reserved = Reserved(token=token, most=self._settings.max_connection_subscriptions)
        self._reserved[token] = reserved
        self._expire(reserved)
        exchange.answered(
            Answer(status=201, headers=((b"content-type", b"text/plain; charset=utf-8"),), body=token.encode())
        )

    def _open(self, exchange: Exchange, reserved: Reserved) -> None:
        if reserved.connection is not None:
            raise Conflict("The stream of that token is open already.")
        if reserved.expiry is not None:
            reserved.expiry.cancel()
            reserved.expiry = None

        def on_closed() -> None:
            self._connections.pop(connection, None)
            self._reserved.pop(reserved.token, None)
            reserved.stop()

        connection = EventConnection(exchange, self._streams, on_closed=on_closed)
        self._connections[connection] = None
        connection.begin()
        reserved.opened(connection)

    def _operate(self, exchange: Exchange, request: Request, reserved: Reserved) -> None:
        body = read_request(request, self._execution.loop.checkpoint)
        extensions = body.get("extensions")
        identity = extensions.get("operationId") if isinstance(extensions, dict) else None
        if not isinstance(identity, str) or not 0 < len(identity) <= _LONGEST_ID:
            raise Invalid("An operation on a reserved stream has a string extensions.operationId, which names it.")
        if identity in reserved.operations:
            raise Conflict("An operation of that id is under way on this stream.")
        if len(reserved.operations) >= reserved.most:
            raise TooMany(f"One stream may have at most {reserved.most} operations at once.")
        prepared = self._prepare(body, request)
        if identity in reserved.operations:
            raise Conflict("An operation of that id is under way on this stream.")
        if not exchange.waiting:
            return
        outlet = NamedOperation(reserved, identity)
        caller = caller_of(exchange, request)
        exchange.answered(Answer(status=202, headers=((b"content-type", b"application/json"),), body=b"null"))
        reserved.operations[identity] = _do_nothing
        if isinstance(prepared, RequestFailed):
            outlet.refused(request_failed(prepared.errors, exchange.id)["errors"])
        elif prepared.kind == "subscription":
            member = self._feeds.subscribe(prepared, caller, outlet)
            if identity in reserved.operations:
                reserved.operations[identity] = member.cancel
                reserved.members[identity] = member
        else:
            stop = execute_to(self._execution, prepared, caller, outlet)
            if identity in reserved.operations:
                reserved.operations[identity] = stop

    def _prepare(self, body: Mapping[str, Any], request: Request) -> PreparedOperation | RequestFailed:
        """Read an operation; what is wrong with a document clients of this protocol read as a result."""
        try:
            params = read_params(body, self._execution.documents, persisted=self._settings.persisted_queries)
            prepared = self._execution.prepare(params)
        except RequestFailed as failed:
            return failed
        if prepared.kind == "mutation" and request.method == "GET":
            raise WrongMethod("A mutation changes data: send it with POST, not GET.", allowed=("POST",))
        return prepared

    def _stop(self, exchange: Exchange, reserved: Reserved, identity: str) -> None:
        stop = reserved.operations.get(identity)
        if stop is not None:
            reserved.ended(identity)
            stop()
            reserved.event("complete", f'{{"id":{json.dumps(identity)}}}')
        exchange.answered(Answer(status=200, headers=((b"content-type", b"application/json"),), body=b"null"))

    def _expire(self, reserved: Reserved) -> None:
        def expired() -> None:
            reserved.expiry = None
            self._reserved.pop(reserved.token, None)
            reserved.stop()

        reserved.expiry = self._clock.callLater(self._settings.init_seconds, expired)  # type: ignore[assignment]


def execute_to(execution: Execution, prepared: PreparedOperation, caller: Caller, outlet: Any) -> Callable[[], None]:
    """
    Execute a query or a mutation for an outlet, which gets its one result.

    Returns:
        What stops it.
    """

    def finished_with(outcome: Results | Failure) -> None:
        if isinstance(outcome, Failure):
            _log.failure("GraphQL request {request} failed", outcome, request=caller.request)
            message = INTERNAL_ERROR
            outlet.refused([{"message": message, "extensions": {"code": "INTERNAL"}}])
        else:
            outlet.result(outcome.text(execution.loop.checkpoint), "")
            outlet.complete()

    try:
        return execution.execute(prepared, caller, finished_with, written=True).cancel
    except RequestFailed as failed:
        outlet.refused(request_failed(failed.errors, caller.request)["errors"])
        return _do_nothing


def _do_nothing() -> None:
    """Do nothing yet."""
