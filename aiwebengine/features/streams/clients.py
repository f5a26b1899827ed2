"""
Clients of streams: whether they may come, and what the script says of them.

    auth          a user is signed in, if the stream requires it
    ask           middleware, `attributes` and `onConnect` of the script, if there are any
    begin         from here on the connection is fed by `web.events.streams.StreamServer`
"""

from __future__ import annotations

from collections.abc import Callable

from aiwebengine.errors import EngineError, Invalid, ScriptFailed, Unauthenticated
from aiwebengine.exact_json import decode_object
from aiwebengine.features.streams.options import STREAM, STREAM_CALL, check_stream
from aiwebengine.features.streams.topics import topic_of
from aiwebengine.host.registration.kinds import RegistrationKind
from aiwebengine.runtime.wire.failure import broken_protocol
from aiwebengine.values import Answer, Principal, RouteMatch
from aiwebengine.web.arrival import Arrival
from aiwebengine.web.events.streams import StreamAdmission, StreamServer
from aiwebengine.web.http.exchange import Exchange

_OPENING = b"application/vnd.aiwebengine.stream+json"


def streams_of_scripts(clients: StreamClients) -> RegistrationKind:
    """Return the kind of `registerWebStream`; *clients* lets them in."""
    return RegistrationKind(
        name=STREAM,
        functions=(STREAM_CALL,),
        noun="stream",
        nouns="streams",
        check=check_stream,
        takes_path=True,
        opens=clients.open,
    )


class StreamClients:
    """
    Lets clients of streams in.

    Args:
        server: Feeds their connections.
    """

    def __init__(self, *, server: StreamServer) -> None:
        self._server = server

    def open(self, arrival: Arrival) -> None:
        """Open a stream, once the script agrees if it has a say; see `RegistrationKind.opens`."""
        opening = self.admit(
            arrival.exchange,
            arrival.match,
            principal=arrival.invocation.principal,
            last_id=arrival.request.headers.get("last-event-id"),
        )
        if not self.asks(arrival.match, middleware=arrival.middleware):
            self._server.begin(opening, None)
            return
        client = StreamClient(server=self._server, opening=opening, tell=arrival.tell)
        run = arrival.run(arrival.invocation, client)
        if arrival.exchange.waiting and not client.ended:
            arrival.exchange.run = run

    def admit(
        self, exchange: Exchange, match: RouteMatch, *, principal: Principal, last_id: str | None
    ) -> StreamAdmission:
        """
        Admit a client, so that the script can decide.

        Raises:
            Unauthenticated: The stream is for signed-in users.
        """
        route = match.route
        if route.options["auth"] == "required" and principal.kind == "anonymous":
            raise Unauthenticated("This stream requires authentication.")
        return self._server.place(
            exchange,
            topic_of(route.script, route.key),
            owner=route.script,
            attributes=match.params,
            last_id=last_id,
        )

    def asks(self, match: RouteMatch, *, middleware: bool) -> bool:
        """Return whether the script has a say in who may connect."""
        options = match.route.options
        return middleware or any(name in options for name in ("attributes", "onConnect", "middleware"))


class StreamClient:
    """
    Takes what a script says of a client; see `runtime.runs.sink.Sink`.

    Args:
        server: Opens the stream if the script agrees.
        opening: The client.
        tell: Answers with an error.
    """

    def __init__(
        self, *, server: StreamServer, opening: StreamAdmission, tell: Callable[[Exchange, EngineError], None]
    ) -> None:
        self._server = server
        self._opening = opening
        self._tell = tell
        self.ended = False
        """The script has said what it has to say."""

    def answered(self, answer: Answer) -> None:
        """Accept the client, or pass the refusal on."""
        exchange = self._opening.exchange
        exchange.run = None
        self.ended = True
        if dict(answer.headers).get(b"content-type") != _OPENING:
            exchange.answered(answer)
            return
        if not exchange.waiting:
            return
        decision = decode_object(answer.body)
        if decision is None:
            self._tell(exchange, broken_protocol(self._opening.owner))
            return
        try:
            self._server.begin(self._opening, decision)
        except Invalid as error:
            self._tell(exchange, ScriptFailed(error.public))
        except EngineError as error:
            self._tell(exchange, error)

    def started(self, answer: Answer) -> None:
        """A middleware answers with a stream of its own, in place of this one."""
        self._opening.exchange.started(answer)

    def write(self, data: bytes, done: Callable[[], None]) -> None:
        """See `started`."""
        self._opening.exchange.write(data, done)

    def finished(self) -> None:
        """See `started`."""
        self._opening.exchange.finished()

    def failed(self, error: EngineError) -> None:
        """The script failed."""
        self.ended = True
        self._opening.exchange.failed(error)
