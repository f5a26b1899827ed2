"""
The WebSockets of scripts: from a client's GET to invocations, one for each thing that happens.

    admit      a WebSocket is requested, by an allowed page, within the limits
    open       middleware and `open` of the script, as for any request; it may refuse
    accept     the connection changes hands (`web/websocket/connection.py`); what `open` did with it is carried out
    message    one after the other, each an invocation; `ws.data` travels along
    close      the last one

What a handler did with its socket is the answer of its invocation: it arrives here after the
commit, and is carried out as a whole.  When a handler fails, nothing of it is, and the connection
is closed with 1011.  A script that is deployed again handles the next event with its new version.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from twisted.logger import Logger

from aiwebengine.errors import Cancelled, EngineError, ScriptFailed, Unauthenticated, Unavailable
from aiwebengine.exact_json import decode_object
from aiwebengine.features.sockets.calls import BINARY, socket_topic
from aiwebengine.features.sockets.options import SOCKET, SOCKET_CALL, check_socket
from aiwebengine.features.sockets.settings import SocketSettings
from aiwebengine.host.registration.kinds import RegistrationKind
from aiwebengine.runtime.invoker import Callee, Callees, Invoker
from aiwebengine.runtime.registry import Current, Registry
from aiwebengine.runtime.runs.run import Run
from aiwebengine.runtime.wire.failure import broken_protocol
from aiwebengine.services.bus import Bus
from aiwebengine.services.topics import GAP, Reason, Subscription, TopicMessage
from aiwebengine.values import Answer, Entry, HandlerRef, Principal, Request
from aiwebengine.web.arrival import Arrival
from aiwebengine.web.http.exchange import Exchange
from aiwebengine.web.websocket.connection import WebSockets
from aiwebengine.web.websocket.frames import OutgoingMessage, text_message
from aiwebengine.web.websocket.upgrade import Socket

_log = Logger()

_OPENING = b"application/vnd.aiwebengine.socket+json"
_GONE = 1001
_POLICY = 1008
_FAILED = 1011
_TRY_LATER = 1013
_EVENTS = ("message", "close")
_LONG = 64 * 1024
"""A message that is longer goes to the script's process as it came: it is encoded as JSON there."""


class Event(NamedTuple):
    """Something that has happened on a WebSocket."""

    name: str
    arguments: str
    """What the handler receives of it, as members of JSON."""
    body: bytes = b""
    """A long message, which is not in `arguments`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionContext:
    """What the sessions work with."""

    invoker: Invoker
    current: Current
    bus: Bus
    settings: SocketSettings
    messages: OutgoingMessages


class OutgoingMessages:
    """Makes what is sent of a message on a topic; all who get it share that."""

    def __init__(self) -> None:
        self._message: TopicMessage | None = None
        self._outgoing = OutgoingMessage(b"")

    def of(self, message: TopicMessage) -> OutgoingMessage:
        """Return it."""
        if message is not self._message:
            self._message = message
            text = json.loads(message.data)
            if message.event == BINARY:
                self._outgoing = OutgoingMessage(binascii.a2b_base64(text), binary=True)
            else:
                self._outgoing = text_message(text)
        return self._outgoing


class SocketClients:
    """
    See the module.

    Args:
        context: What the sessions work with.
        sockets: Use the WebSocket protocol.
    """

    def __init__(self, *, context: SessionContext, sockets: WebSockets) -> None:
        self._context = context
        self._sockets = sockets
        self._callees: Mapping[str, Callees[Entry]] = {
            name: context.invoker.callees(partial(self._callee, name)) for name in _EVENTS
        }
        """By name of the event."""
        self._sessions: dict[SocketSession, None] = {}

    def open(self, arrival: Arrival) -> None:
        """Open a WebSocket, once the script agrees; see `RegistrationKind.opens`."""
        exchange, request, route = arrival.exchange, arrival.request, arrival.match.route
        details = self.admit(exchange, request, route, principal=arrival.invocation.principal)
        admission = AdmissionSink(
            clients=self,
            exchange=exchange,
            request=request,
            route=route,
            principal=arrival.invocation.principal,
            tell=arrival.tell,
        )
        payload = f'{arrival.invocation.payload[:-1]},"ws":{details}}}'
        run = arrival.run(arrival.invocation._replace(payload=payload), admission)
        if exchange.waiting and not admission.ended:
            exchange.run = run

    def admit(self, exchange: Exchange, request: Request, route: Entry, *, principal: Principal) -> str:
        """
        Admit a client, so that the script can decide.

        Returns:
            What its handler learns about the socket, as JSON.

        Raises:
            EngineError: It may not come so far.
        """
        options = route.options
        self._sockets.admit(request, modern=exchange.modern, owner=route.script, origins=options["origins"])
        if options["auth"] == "required" and principal.kind == "anonymous":
            raise Unauthenticated("This WebSocket requires authentication.")
        protocol = self._sockets.choose(request, options["protocols"])
        return _payload(self._context.settings, identity=request.id, protocol=protocol, data="null", topics=[])

    def accept(
        self,
        exchange: Exchange,
        request: Request,
        route: Entry,
        instructions: Mapping[str, Any],
        *,
        principal: Principal,
    ) -> None:
        """Accept the connection, and carry out what `open` did with it."""

        def opened(socket: Socket) -> SocketSession:
            session = SocketSession(
                context=self._context,
                callees=self._callees,
                socket=socket,
                request=request,
                route=route,
                principal=principal,
                on_closed=self._on_closed,
            )
            self._sessions[session] = None
            session.carry_out(instructions)
            return session

        self._sockets.begin(exchange, request, owner=route.script, protocols=route.options["protocols"], opened=opened)

    def swapped(self, registry: Registry) -> None:
        """Close the sockets of paths that no longer exist in the registry that serves now."""
        if not self._sessions:
            return
        live = {(entry.script, entry.key) for entry in registry.index(SOCKET)}
        for session in list(self._sessions):
            if session.place not in live:
                self._sockets.soon(session.gone)

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"sessions": len(self._sessions)}

    def _callee(self, name: str, route: Entry) -> Callee:
        return self._context.invoker.callee(
            kind="socket",
            script=route.script,
            version=route.version,
            handler=HandlerRef(id=route.options[name], name=name),
            label=f"WS {route.key} {name}",
            # Messages of bytes that it sends are in there.
            answers_in_base64=True,
            place=route.place,
        )

    def _on_closed(self, session: SocketSession) -> None:
        self._sessions.pop(session, None)


def sockets_of_scripts(clients: SocketClients) -> RegistrationKind:
    """Return the kind of `registerWebSocket`; *clients* lets clients in."""
    return RegistrationKind(
        name=SOCKET,
        functions=(SOCKET_CALL,),
        noun="WebSocket",
        nouns="WebSockets",
        check=check_socket,
        takes_path=True,
        opens=clients.open,
    )


class SocketSession:
    """
    One client of a script; see `upgrade.SocketEvents` and `sink.Sink`.

    Args:
        context: What it works with.
        callees: By name of an event, what handles it.
        socket: The open WebSocket.
        request: That it began with.
        route: Where it came.
        principal: Who has opened it; its events are handled for them.
        on_closed: Called once when all is over.
    """

    __slots__ = (
        "_busy", "_callees", "_context", "_data", "_events", "_held", "_identity", "_on_closed", "_over", "_principal",
        "_run", "_socket", "_topics", "place",
    )  # fmt: skip

    def __init__(
        self,
        *,
        context: SessionContext,
        callees: Mapping[str, Callees[Entry]],
        socket: Socket,
        request: Request,
        route: Entry,
        principal: Principal,
        on_closed: Callable[[SocketSession], None],
    ) -> None:
        self.place = (route.script, route.key)
        self._context = context
        self._callees = callees
        self._principal = principal
        self._socket = socket
        self._identity = request.id
        self._on_closed = on_closed
        self._data = "null"
        self._topics: dict[str, Subscription] = {}
        self._events: list[Event] = []
        self._busy = False
        self._held = False
        self._over = False
        self._run: Run | None = None

    # -- from the socket ----------------------------------------------------------------------

    def text(self, data: bytes) -> None:
        """See `upgrade.SocketEvents`."""
        if len(data) > _LONG:
            self._happened(Event("message", '"long":"text"', data))
        else:
            self._happened(Event("message", f'"text":{json.dumps(data.decode())}'))

    def binary(self, data: bytes) -> None:
        """See `upgrade.SocketEvents`."""
        if len(data) > _LONG:
            self._happened(Event("message", '"long":"bytes"', data))
        else:
            self._happened(Event("message", f'"bytes":"{_base64(data)}"'))

    def drained(self) -> None:
        """See `upgrade.SocketEvents`."""

    def closed(self, code: int, reason: str) -> None:
        """See `upgrade.SocketEvents`."""
        self._over = True
        self._leave_topics()
        self._happened(Event("close", f'"code":{code},"reason":{json.dumps(reason)}'))

    # -- events -------------------------------------------------------------------------------

    def gone(self) -> None:
        """Close the socket: no script handles its events any longer."""
        if self._over:
            return
        self._events.clear()
        self._socket.close(_GONE, "the script was changed or removed")

    def _happened(self, event: Event) -> None:
        self._events.append(event)
        if not self._busy:
            self._next()
        elif len(self._events) >= self._context.settings.queue_messages and not self._held and not self._over:
            self._held = True
            self._socket.pause()

    def _next(self) -> None:
        """Handle what happened next."""
        while self._events and not self._busy:
            event = self._events.pop(0)
            if self._held and len(self._events) <= self._context.settings.queue_messages // 2:
                self._held = False
                self._socket.resume()
            last = event.name == "close"
            route = self._route()
            if route is not None and route.options.get(event.name) is not None:
                self._busy = True
                self._begin(route, event)
            if last and not self._busy:
                self._on_closed(self)
                return

    def _begin(self, route: Entry, event: Event) -> None:
        invoker = self._context.invoker
        details = _payload(
            self._context.settings,
            identity=self._identity,
            protocol=self._socket.protocol,
            data=self._data,
            topics=list(self._topics),
        )
        callee = self._callees[event.name].of(route)
        invocation = invoker.invocation(callee, self._principal, f'{{"ws":{details},{event.arguments}}}')
        self._run = invoker.run(invocation._replace(body=event.body) if event.body else invocation, self)

    def _route(self) -> Entry | None:
        script, pattern = self.place
        active = self._context.current.registry.scripts.get(script)
        for entry in active.entries if active is not None else ():
            if entry.key == pattern and entry.kind == SOCKET:
                return entry
        return None

    def _handled(self) -> None:
        self._busy = False
        self._run = None
        if self._over and not self._events:
            self._on_closed(self)
        else:
            self._next()

    # -- from the script ----------------------------------------------------------------------

    def answered(self, answer: Answer) -> None:
        """See `Sink.answered`."""
        instructions = decode_object(answer.body)
        if instructions is None:
            self.failed(broken_protocol(self.place[0]))
        else:
            self.carry_out(instructions)
            self._handled()

    def started(self, answer: Answer) -> None:
        """See `Sink.started`; nothing is streamed here."""

    def write(self, data: bytes, done: Callable[[], None]) -> None:  # noqa: ARG002  see above
        """See `Sink.write`."""
        done()

    def finished(self) -> None:
        """See `Sink.finished`."""
        self.failed(broken_protocol(self.place[0]))

    def failed(self, error: EngineError) -> None:
        """See `Sink.failed`."""
        # What came behind it is not handled: its outcome would not be read.
        self._events = [event for event in self._events if event[0] == "close"]
        if isinstance(error, ScriptFailed):
            self._socket.close(_FAILED, "the script failed; see its log")
        elif isinstance(error, Unavailable):
            self._socket.close(_TRY_LATER, "temporarily unavailable; reconnect in a moment")
        elif not isinstance(error, Cancelled):
            self._socket.close(_FAILED, "the message could not be handled")
        self._handled()

    def carry_out(self, instructions: Mapping[str, Any]) -> None:
        """Do what a handler did with its socket; everything in it may be forged."""
        data = json.dumps(instructions.get("data"), separators=(",", ":"))
        if len(data) > self._context.settings.max_data_bytes:
            self._socket.close(_FAILED, "the script stores too much data with the connection")
            return
        self._data = data
        ops = instructions.get("ops")
        for op in ops if isinstance(ops, list) else ():
            if not self._done(op):
                _log.warn("{script}: invalid socket instruction", script=self.place[0])
                self._socket.close(_FAILED, "the script failed")
                return

    def _done(self, op: Any) -> bool:
        if not isinstance(op, list) or not 2 <= len(op) <= 3 or not all(isinstance(item, str | int) for item in op):
            return False
        what, value = op[0], op[1]
        if what == "c" and isinstance(value, int) and (value == 1000 or 3000 <= value <= 4999):
            self._socket.close(value, str(op[2]) if len(op) == 3 else "")
            return True
        if not isinstance(value, str):
            return False
        if what == "t":
            self._socket.send_text(value)
        elif what == "b":
            try:
                self._socket.send(OutgoingMessage(binascii.a2b_base64(value), binary=True))
            except binascii.Error:
                return False
        elif what == "s":
            return self._subscribe(value)
        elif what == "u":
            subscription = self._topics.pop(value, None)
            if subscription is not None:
                subscription.cancel()
        else:
            return False
        return True

    # -- topics -------------------------------------------------------------------------------

    def _subscribe(self, topic: str) -> bool:
        if topic in self._topics or self._over:
            return True
        if len(self._topics) >= self._context.settings.max_topics or len(topic) > 200:
            return False
        script = self.place[0]
        try:
            self._topics[topic] = self._context.bus.subscribe(
                socket_topic(script, topic), attributes={}, deliver=self._deliver, ended=self._ended, owner=script
            )
        except EngineError as error:
            self._socket.close(_TRY_LATER, error.public)
        return True

    def _deliver(self, message: TopicMessage) -> None:
        if message.event == GAP:
            return
        self._socket.send(self._context.messages.of(message), soon=True)

    def _ended(self, reason: Reason) -> None:
        self._socket.close(_POLICY if reason.code == "failed" else _GONE, reason.message)

    def _leave_topics(self) -> None:
        topics, self._topics = list(self._topics.values()), {}
        for topic in topics:
            topic.cancel()


class AdmissionSink:
    """
    Takes what a script says of a client; see `runtime.runs.sink.Sink`.

    Args:
        clients: Accepts the connection if the script agrees.
        exchange: The client.
        request: Its request.
        route: Where it comes.
        principal: Who that is.
        tell: Answers with an error.
    """

    def __init__(
        self,
        *,
        clients: SocketClients,
        exchange: Exchange,
        request: Request,
        route: Entry,
        principal: Principal,
        tell: Callable[[Exchange, EngineError], None],
    ) -> None:
        self._clients = clients
        self._exchange = exchange
        self._request = request
        self._route = route
        self._principal = principal
        self._tell = tell
        self.ended = False
        """The script has said what it has to say."""

    def answered(self, answer: Answer) -> None:
        """Accept the client, or pass the refusal on."""
        exchange = self._exchange
        exchange.run = None
        self.ended = True
        if dict(answer.headers).get(b"content-type") != _OPENING:
            # A middleware answers itself, or refuses.
            exchange.answered(answer)
            return
        if not exchange.waiting:
            return
        instructions = decode_object(answer.body)
        if instructions is None:
            self._tell(exchange, broken_protocol(self._route.script))
        else:
            self._clients.accept(exchange, self._request, self._route, instructions, principal=self._principal)

    def started(self, answer: Answer) -> None:
        """A middleware answers with a stream of its own, in place of this one."""
        self._exchange.started(answer)

    def write(self, data: bytes, done: Callable[[], None]) -> None:
        """See `started`."""
        self._exchange.write(data, done)

    def finished(self) -> None:
        """See `started`."""
        self._exchange.finished()

    def failed(self, error: EngineError) -> None:
        """The script failed."""
        self.ended = True
        self._exchange.failed(error)


def _payload(settings: SocketSettings, *, identity: str, protocol: str, data: str, topics: list[str]) -> str:
    return (
        f'{{"id":{json.dumps(identity)},"protocol":{json.dumps(protocol)},"data":{data},'
        f'"topics":{json.dumps(topics)},"most":{settings.max_topics},"mostData":{settings.max_data_bytes}}}'
    )


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")
