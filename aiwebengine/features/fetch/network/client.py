"""
One request to one server, over a connection that waits from an earlier one or a new one.

A connection may be closed by its server while it waits, just as the next request comes.  If it ends before anything
of the answer has arrived, the request is sent once more over a new one, if that can do no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer

from aiwebengine.errors import Cancelled, Invalid
from aiwebengine.features.fetch.network.answers import AnswerHead, AnswerParser, HeadTooLarge
from aiwebengine.features.fetch.network.bodies import AnswerBody, BytesBody
from aiwebengine.features.fetch.network.connection import ServerAnswer, ServerConnection
from aiwebengine.features.fetch.network.decoding import Decoder, decoder
from aiwebengine.features.fetch.network.endpoints import Connector
from aiwebengine.features.fetch.network.failures import explained, too_large
from aiwebengine.features.fetch.network.idle import IdleConnections
from aiwebengine.features.fetch.network.targets import TargetUrl
from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.services.reactor.turn_share import TurnShare
from aiwebengine.values import Cause

IDEMPOTENT = frozenset(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
_HIDDEN = frozenset(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "trailer"])
_OF_BODY = frozenset(["POST", "PUT", "PATCH"])
"""Methods whose requests say so if they have no body."""
_MOST_CODINGS = 3

HeaderPairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """An answer; its body is still to be read."""

    status: int
    phrase: str
    headers: HeaderPairs
    body: AnswerBody

    def header(self, name: str) -> str:
        """Return the first value of a header; empty if there is none."""
        return next((value for key, value in self.headers if key == name), "")


class HttpClient:
    """
    See the module.

    Args:
        reactor: Connects.
        connector: Makes connections.
        settings: Bounds.
        proxied: Whether there is a proxy.
        share: How much of a turn new connections and large answers may take.
    """

    def __init__(
        self, *, reactor: Any, connector: Connector, settings: FetchSettings, proxied: bool, share: TurnShare
    ) -> None:
        self._reactor = reactor
        self._connector = connector
        self._settings = settings
        self._proxied = proxied
        self._share = share
        self._idle = IdleConnections(
            clock=reactor, seconds=settings.keep_alive_seconds, most=settings.keep_alive_connections
        )
        self.sent = 0
        self.connections = 0

    def send(
        self,
        target: TargetUrl,
        *,
        method: str,
        headers: HeaderPairs,
        body: IBodyProducer | None,
        decode: bool,
        cause: Cause,
    ) -> Deferred[HttpAnswer]:
        """
        Send a request.

        Args:
            headers: Checked names and values.
            decode: Whether to undo content codings.
            cause: Whose request it is, for this server itself.

        Returns:
            Fires with the answer when its head has arrived, or fails with an `EngineError`; see `failures`.

        Raises:
            Invalid: An address or header has a line break in it.
        """
        own = self._connector.own(target, cause)
        through_proxy = self._proxied and own is None and target.scheme == "http"
        # Connections to this server belong to one invocation each.
        server = None if own is not None else ("proxy", "", 0) if through_proxy else target.origin
        head = self._head(target, method, headers, body, through_proxy=through_proxy, kept=server is not None)

        def make_body(answered: AnswerHead) -> AnswerBody:
            return self._body(answered, target, decode=decode)

        def sending(connection: ServerConnection) -> Deferred[ServerAnswer]:
            self.sent += 1
            parser = AnswerParser(method=method, most_head_bytes=self._settings.max_head_bytes)
            return connection.send(head, body, parser=parser, make_body=make_body)

        async def over_new() -> ServerAnswer:
            if self._share.used_up:
                # A script may begin many requests at once.
                turn: Deferred[None] = Deferred()
                self._share.later(lambda: None if turn.called else turn.callback(None))
                await turn
            connection = await self._connector.open(target, own, lambda: self._connection(server))
            self.connections += 1
            return await sending(connection)

        waiting = self._idle.take(server) if server is not None else None
        if waiting is None:
            return Deferred.fromCoroutine(over_new()).addCallbacks(_answer, self._refusal, errbackArgs=(target,))

        def unless_stale(failure: Failure) -> Deferred[ServerAnswer]:
            again = method in IDEMPOTENT and (body is None or isinstance(body, BytesBody))
            if not again or waiting.answered or not failure.check(ConnectionDone, ConnectionLost):
                failure.raiseException()
            return Deferred.fromCoroutine(over_new())

        answering = sending(waiting).addErrback(unless_stale)
        return answering.addCallbacks(_answer, self._refusal, errbackArgs=(target,))

    def close(self) -> Deferred[None]:
        """End all idle connections."""
        return self._idle.close()

    def _connection(self, server: Any) -> ServerConnection:
        def free(connection: ServerConnection) -> None:
            if server is None:
                connection.loseConnection()
            else:
                self._idle.keep(server, connection)

        return ServerConnection(free=free, lost=self._idle.lost, share=self._share)

    def _head(
        self,
        target: TargetUrl,
        method: str,
        headers: HeaderPairs,
        body: IBodyProducer | None,
        *,
        through_proxy: bool,
        kept: bool,
    ) -> bytes:
        lines = [f"{method} {target.url if through_proxy else target.path} HTTP/1.1", f"host: {target.host_header}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if body is None:
            if method in _OF_BODY:
                lines.append("content-length: 0")
        elif body.length is UNKNOWN_LENGTH:
            lines.append("transfer-encoding: chunked")
        else:
            lines.append(f"content-length: {body.length}")
        if not kept or not self._settings.keep_alive_seconds:
            lines.append("connection: close")
        if through_proxy and self._connector.proxy_authorization:
            lines.append(f"proxy-authorization: {self._connector.proxy_authorization.decode('latin-1')}")
        lines.append("\r\n")
        head = "\r\n".join(lines)
        # What was filled in need not be what was checked.
        if head.count("\n") != len(lines) or head.count("\r") != len(lines):
            raise Invalid("fetch: neither an address nor a header can have a line break in it.")
        try:
            return head.encode("latin-1")
        except UnicodeEncodeError:
            raise Invalid("fetch: neither an address nor a header can have characters above U+00FF.") from None

    def _refusal(self, failure: Failure, target: TargetUrl) -> NoReturn:
        if failure.check(HeadTooLarge):
            raise too_large(
                f"fetch: the headers of {target.authority} have more than {self._settings.max_head_bytes} bytes "
                "(fetch.max_head_bytes), or are too many."
            ) from None
        refusal = explained(failure.value, server=target.authority)
        # The canceller knows the reason.
        raise (CancelledError() if isinstance(refusal, Cancelled) else refusal) from None

    def _body(self, head: AnswerHead, target: TargetUrl, *, decode: bool) -> AnswerBody:
        codings = ",".join(value for name, value in head.headers if name == "content-encoding") if decode else ""
        return AnswerBody(
            decoders=_decoders(codings) if codings else (),
            most_bytes=self._settings.max_answer_bytes,
            idle_seconds=self._settings.idle_seconds,
            clock=self._reactor,
            server=target.authority,
        )


def _answer(answer: ServerAnswer) -> HttpAnswer:
    head = answer.head
    headers = [pair for pair in head.headers if pair[0] not in _HIDDEN]
    return HttpAnswer(status=head.status, phrase=head.phrase, headers=headers, body=answer.body)


def _decoders(codings: str) -> list[Decoder]:
    """Return what undoes the codings of an answer, the last one first; nothing if one of them is unknown."""
    names = [name for name in map(str.strip, codings.split(",")) if name and name.lower() != "identity"]
    found = [decoder(name) for name in reversed(names)]
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) and len(known) <= _MOST_CODINGS else []
