"""
GraphQL over WebSocket: the graphql-transport-ws protocol, at `/graphql/ws`.

    client                                      server
    {"type":"connection_init","payload":{...}}  {"type":"connection_ack"}
    {"type":"subscribe","id":"1",
     "payload":{"query":"subscription{tick}"}}  {"type":"next","id":"1","payload":{"data":{"tick":1}}}
                                                {"type":"complete","id":"1"}      (or "error")
    {"type":"complete","id":"1"}                (the client ends the operation)
    {"type":"ping"}                             {"type":"pong"}                   (either side may)

What breaks the protocol closes the connection, with a code that says how:

    4400  an invalid message            4401  subscribe before the connection was acknowledged
    4408  no connection_init in time    4409  an id that is in use
    4429  a second connection_init      4406  no supported subprotocol

A server that stops closes with 1012, after which clients come back and subscribe again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from aiwebengine.errors import EngineError
from aiwebengine.exact_json import decode
from aiwebengine.features.graphql.execution.execute import Execution, NoSchema, RequestFailed
from aiwebengine.features.graphql.execution.failures import of_engine
from aiwebengine.features.graphql.execution.results import request_failed
from aiwebengine.features.graphql.schema.batches import Caller
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.features.graphql.subscriptions.feeds import Feeds
from aiwebengine.features.graphql.subscriptions.subscribers import SubscribedOperation
from aiwebengine.features.graphql.transports.http import NO_SCHEMA
from aiwebengine.features.graphql.transports.params import read_params
from aiwebengine.features.graphql.transports.paths import SOCKET
from aiwebengine.features.graphql.transports.sse import execute_to
from aiwebengine.features.graphql.transports.wire import encode
from aiwebengine.interfaces import Clock
from aiwebengine.values import Request
from aiwebengine.web.http.payload import bare_payload, sender_json
from aiwebengine.web.websocket.frames import OutgoingMessage, text_message
from aiwebengine.web.websocket.upgrade import Socket, SocketEvents

PROTOCOL = "graphql-transport-ws"

_LONGEST_REASON = 120
_LONGEST_ID = 200
_MOST_BUFFERED = 256 * 1024
_MOST_INIT_BYTES = 64 * 1024
_MOST_SHARED = 256
_MOST_SHARED_BYTES = 1024 * 1024
"""Encoded messages that are cached, for clients that get the same ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionParts:
    """What a connection works with."""

    execution: Execution
    feeds: Feeds
    settings: GraphQLSettings
    clock: Clock
    new_id: Callable[[], str]
    results: ResultMessages


class ResultMessages:
    """Makes the messages of results; clients whose operations have the same id and result share the message."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], OutgoingMessage] = {}
        self._bytes = 0

    def of(self, head: str, text: str) -> OutgoingMessage:
        """
        Return the message.

        Args:
            head: The operation's id, as a member of JSON.
            text: The result, as JSON.
        """
        known = self._known.get((head, text))
        if known is not None:
            return known
        message = text_message(f'{{"type":"next",{head},"payload":{text}}}')
        self._bytes += len(message.data)
        if self._bytes > _MOST_SHARED_BYTES or len(self._known) >= _MOST_SHARED:
            self._known.clear()
            self._bytes = len(message.data)
        self._known[head, text] = message
        return message


class GraphQLOverWebSocket:
    """
    The endpoint; see `web.websocket.upgrade.Endpoint`.

    Args:
        parts: What connections work with.
    """

    path = SOCKET
    protocols: tuple[str, ...] = (PROTOCOL,)

    def __init__(self, parts: ConnectionParts) -> None:
        self._parts = parts
        self._connections: dict[Conversation, None] = {}

    def open(self, socket: Socket, request: Request) -> SocketEvents:
        """See `web.websocket.upgrade.Endpoint`."""
        conversation = Conversation(
            socket=socket,
            request=request,
            parts=self._parts,
            on_closed=lambda: self._connections.pop(conversation, None),
        )
        self._connections[conversation] = None
        conversation.begin()
        return conversation

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"webSockets": len(self._connections)}


class Conversation:
    """
    One connection; see `web.websocket.upgrade.SocketEvents`.

    Args:
        socket: The open WebSocket.
        request: That it began with.
        parts: What it works with.
        on_closed: Called once when it is over.
    """

    def __init__(
        self, *, socket: Socket, request: Request, parts: ConnectionParts, on_closed: Callable[[], object]
    ) -> None:
        self._socket = socket
        self._request = request
        self._parts = parts
        self._on_closed = on_closed
        self._acknowledged = False
        self._over = False
        self._init: IDelayedCall | None = None
        self._sender = ""
        self._stops: dict[str, Callable[[], None]] = {}
        self._members: dict[str, SubscribedOperation] = {}

    def begin(self) -> None:
        """Wait for `connection_init`."""
        if self._socket.protocol != PROTOCOL:
            self._close(4406, "Subprotocol not acceptable: use graphql-transport-ws")
            return
        seconds = self._parts.settings.init_seconds
        self._init = self._parts.clock.callLater(  # type: ignore[assignment]
            seconds, self._close, 4408, "Connection initialisation timeout"
        )

    @property
    def busy(self) -> bool:
        """The client does not take what was sent."""
        return bool(self._socket.buffered > _MOST_BUFFERED)

    def send(self, text: str, *, soon: bool = False) -> None:
        """
        Send a message.

        Args:
            soon: It may wait a moment for others.
        """
        self.send_message(text_message(text), soon=soon)

    def send_message(self, message: OutgoingMessage, *, soon: bool = False) -> None:
        """The same, for a message that others may be sent, too."""
        if not self._over:
            self._socket.send(message, soon=soon)

    def send_result(self, head: str, text: str) -> None:
        """Send a result."""
        self.send_message(self._parts.results.of(head, text), soon=True)

    def ended(self, identity: str) -> bool:
        """An operation is over; false if it was already."""
        self._members.pop(identity, None)
        return self._stops.pop(identity, None) is not None

    # -- from the socket ----------------------------------------------------------------------

    def text(self, data: bytes) -> None:
        """See `web.websocket.upgrade.SocketEvents`."""
        self._parts.execution.loop.start(self._read, data)

    def _read(self, data: bytes) -> None:
        if self._over:
            return
        try:
            message = decode(data, checkpoint=self._parts.execution.loop.checkpoint)
        except (ValueError, RecursionError):
            message = None
        kind = message.get("type") if isinstance(message, dict) else None
        handler = _HANDLERS.get(kind) if isinstance(kind, str) else None
        if handler is None:
            self._close(4400, "Invalid message received: it must be a JSON object with a known type")
        else:
            handler(self, message)

    def binary(self, data: bytes) -> None:  # noqa: ARG002  there are none
        """See `web.websocket.upgrade.SocketEvents`."""
        self._close(4400, "Invalid message received: messages must be text")

    def drained(self) -> None:
        """See `web.websocket.upgrade.SocketEvents`."""
        for member in list(self._members.values()):
            member.drained()

    def closed(self, code: int, reason: str) -> None:  # noqa: ARG002  it is over, however it came
        """See `web.websocket.upgrade.SocketEvents`."""
        self._stop()

    # -- messages -----------------------------------------------------------------------------

    def _on_init(self, message: Mapping[str, Any]) -> None:
        if self._init is None or self._acknowledged:
            self._close(4429, "Too many initialisation requests")
            return
        payload = message.get("payload")
        if payload is not None and not isinstance(payload, dict):
            self._close(4400, "Invalid message received: the payload of connection_init must be an object")
            return
        connection = json.dumps(payload, separators=(",", ":"))
        if len(connection) > _MOST_INIT_BYTES:
            self._close(4400, "Invalid message received: the payload of connection_init is too large")
            return
        self._init.cancel()
        self._acknowledged = True
        sender = sender_json(self._request.headers, self._request.client, self._request.trace)
        self._sender = f'"r":{bare_payload(self._request, sender=sender)},"c":{connection}'
        self.send('{"type":"connection_ack"}')

    def _on_ping(self, message: Mapping[str, Any]) -> None:
        if "payload" in message:
            self.send(encode({"type": "pong", "payload": message["payload"]}))
        else:
            self.send('{"type":"pong"}')

    def _on_pong(self, message: Mapping[str, Any]) -> None:
        """It is alive."""

    def _on_complete(self, message: Mapping[str, Any]) -> None:
        identity = message.get("id")
        if not isinstance(identity, str):
            self._close(4400, "Invalid message received: complete needs an id")
            return
        stop = self._stops.get(identity)
        if stop is not None:
            self.ended(identity)
            stop()

    def _on_subscribe(self, message: Mapping[str, Any]) -> None:
        if not self._acknowledged:
            self._close(4401, "Unauthorized: send connection_init first")
            return
        identity, payload = message.get("id"), message.get("payload")
        if not isinstance(identity, str) or not 0 < len(identity) <= _LONGEST_ID or not isinstance(payload, dict):
            self._close(4400, "Invalid message received: subscribe needs a string id and an object as payload")
            return
        if identity in self._stops:
            self._close(4409, f"Subscriber for {identity[:40]} already exists")
            return
        parts = self._parts
        operation = Subscriber(self, identity)
        caller = Caller(request=parts.new_id(), sender=self._sender, trace=self._request.trace)
        if len(self._stops) >= parts.settings.max_connection_subscriptions:
            most = parts.settings.max_connection_subscriptions
            text = f"One connection may have at most {most} operations at once (graphql.max_connection_subscriptions)."
            operation.refused([{"message": text, "extensions": {"code": "TOO_MANY"}}])
            return

        def pending() -> None:
            """There is nothing to stop yet."""

        self._stops[identity] = pending
        try:
            params = read_params(payload, parts.execution.documents, persisted=parts.settings.persisted_queries)
            prepared = parts.execution.prepare(params)
            if self._stops.get(identity) is not pending:
                return
            if prepared.kind == "subscription":
                member = parts.feeds.subscribe(prepared, caller, operation)
                if identity in self._stops:
                    self._stops[identity] = member.cancel
                    self._members[identity] = member
            else:
                stop = execute_to(parts.execution, prepared, caller, operation)
                if identity in self._stops:
                    self._stops[identity] = stop
        except RequestFailed as failed:
            operation.refused(request_failed(failed.errors, caller.request)["errors"])
        except NoSchema:
            operation.refused([{"message": NO_SCHEMA, "extensions": {"code": "NOT_FOUND"}}])
        except EngineError as error:
            failure = of_engine(error, shown=False)
            operation.refused([{"message": failure.message, "extensions": failure.extensions}])

    # -- ends ---------------------------------------------------------------------------------

    def _close(self, code: int, reason: str) -> None:
        if not self._over:
            self._socket.close(code, reason[:_LONGEST_REASON])
            self._stop()

    def _stop(self) -> None:
        if self._over:
            return
        self._over = True
        if self._init is not None and self._init.active():
            self._init.cancel()
        stops, self._stops = list(self._stops.values()), {}
        self._members.clear()
        for stop in stops:
            stop()
        self._on_closed()


class Subscriber:
    """
    One operation of a connection; see `subscribers.Outlet`.

    Args:
        conversation: The connection.
        identity: The operation's id.
    """

    __slots__ = ("_conversation", "_head", "_identity")

    def __init__(self, conversation: Conversation, identity: str) -> None:
        self._conversation = conversation
        self._identity = identity
        self._head = f'"id":{json.dumps(identity)}'

    @property
    def busy(self) -> bool:
        """See `subscribers.Outlet`."""
        return self._conversation.busy

    def joined(self) -> None:
        """See `subscribers.Outlet`; this protocol has no word for it."""

    def began(self, position: str) -> None:
        """See `subscribers.Outlet`; this protocol knows no coming back."""

    def gap(self, data: str) -> None:
        """The same."""

    def result(self, text: str, position: str) -> None:  # noqa: ARG002  the same
        """See `subscribers.Outlet`."""
        self._conversation.send_result(self._head, text)

    def refused(self, errors: Sequence[Mapping[str, Any]]) -> None:
        """See `subscribers.Outlet`."""
        self._conversation.ended(self._identity)
        self._conversation.send(f'{{"type":"error",{self._head},"payload":{encode(errors)}}}')

    def complete(self) -> None:
        """See `subscribers.Outlet`."""
        if self._conversation.ended(self._identity):
            self._conversation.send(f'{{"type":"complete",{self._head}}}')


_HANDLERS: dict[str, Callable[[Conversation, Mapping[str, Any]], None]] = {
    "connection_init": Conversation._on_init,  # noqa: SLF001  its own
    "ping": Conversation._on_ping,  # noqa: SLF001  its own
    "pong": Conversation._on_pong,  # noqa: SLF001  its own
    "subscribe": Conversation._on_subscribe,  # noqa: SLF001  its own
    "complete": Conversation._on_complete,  # noqa: SLF001  its own
}
