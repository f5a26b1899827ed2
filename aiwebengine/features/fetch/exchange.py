"""One request of a script: its redirects and retries, and the body of its answer."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred

from aiwebengine.errors import Cancelled, EngineError, Invalid, TooSlow, Unavailable
from aiwebengine.features.fetch.integrity import is_expected
from aiwebengine.features.fetch.network.bodies import AnswerBody, BytesBody, WrittenBody
from aiwebengine.features.fetch.network.client import IDEMPOTENT, HttpAnswer, HttpClient
from aiwebengine.features.fetch.network.failures import too_large, too_slow, unavailable
from aiwebengine.features.fetch.network.targets import TargetUrl, read_target
from aiwebengine.features.fetch.peers import Peers
from aiwebengine.features.fetch.redirects import REDIRECTS, Outgoing, followed
from aiwebengine.features.fetch.requests import Wanted
from aiwebengine.features.fetch.scanned import scanned
from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.interfaces import RequestSecrets
from aiwebengine.services.retry import Backoff
from aiwebengine.values import Cause, SecretRequest

T = TypeVar("T")

_PIECE_BYTES = 256 * 1024
"""How much of a body goes to a script at once."""
_MOST_CHECKED_BYTES = 16 * 1024 * 1024
"""Largest body whose hash is compared."""
_AGAIN = frozenset([429, 502, 503, 504])
"""Statuses after which a request is sent again, if the script asks for retries."""
_FAILING = frozenset([502, 503, 504])
"""Statuses that count as failures of a server."""
_BACKOFF = Backoff(first_seconds=0.2, longest_seconds=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What all exchanges share."""

    client: HttpClient
    peers: Peers
    settings: FetchSettings
    reactor: Any
    random: Callable[[], float]
    wall: Callable[[], float]
    """Seconds since 1970."""


class Fetch:
    """
    See the module.

    Args:
        outside: What all share.
        script: URI of the script whose request it is.
        cause: The invocation that sends it.
        wanted: The request, checked.
        headers: Its headers, with those that the engine adds.
        check: Refuses hosts that the script may not reach.
        secrets: Fills secrets in; None if the request can have none.
        used: Told of bytes of bodies; refuses what is too much.
    """

    def __init__(
        self,
        *,
        outside: Outside,
        script: str,
        cause: Cause,
        wanted: Wanted,
        headers: Sequence[tuple[str, str]],
        check: Callable[[TargetUrl], None],
        secrets: RequestSecrets | None = None,
        used: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._outside = outside
        self._script = script
        self._cause = cause
        self._wanted = wanted
        self._headers = headers
        self._check = check
        self._secrets = secrets
        self._used = used
        self._ends = outside.reactor.seconds() + outside.settings.answer_seconds
        self._written: WrittenBody | None = None
        if wanted.written:
            self._written = WrittenBody(length=wanted.length, most_bytes=outside.settings.max_request_bytes)
        self._waiting: Deferred[Any] | None = None
        """What the request waits for."""
        self._body: AnswerBody | None = None
        self._rest: list[bytes] = []
        """Pieces of a body that were read ahead."""
        self._place: Callable[[], None] | None = None
        """Returns the place at the server; None without one."""
        self._cancelled = False

    async def begin(self) -> dict[str, Any]:
        """
        Send the request.

        Returns:
            The answer, for the script: with its body if that is there, else with `more`.

        Raises:
            EngineError: It failed; see `failures`.
        """
        try:
            if self._wanted.body:
                self._used(len(self._wanted.body))
            reply, target, redirected = await self._follow()
            url = target.url
            if self._secrets is not None and (scan := self._secrets.scan()) is not None:
                reply, url = scanned(reply, scan), scan.text(url)
            self._body = reply.body
            answer: dict[str, Any] = {
                "status": reply.status,
                "statusText": reply.phrase,
                "headers": reply.headers,
                "url": url,
                "redirected": redirected,
            }
            return answer | await self._first(reply, target)
        except Exception as error:
            # A body that cannot be completed ends the request: that it ended is not what went wrong.
            failed = self._written.failed if self._written is not None else None
            self.cancel()
            if failed is not None or isinstance(error, CancelledError):
                raise failed or Cancelled("fetch: the request was cancelled.") from None
            raise

    async def read(self, *, encoded: bool) -> dict[str, Any]:
        """
        Return the next piece of the answer's body.

        Args:
            encoded: Whether it is always encoded as base64.

        Raises:
            EngineError: It failed; see `failures`.
        """
        if self._rest:
            return _piece(self._rest.pop(0), encoded=encoded)
        if self._body is None:
            return {"done": True}
        try:
            piece = await self._body.read(_PIECE_BYTES)
            if piece:
                self._used(len(piece))
        except EngineError:
            self.cancel()
            raise
        if not piece:
            self._leave()
        return _piece(piece, encoded=encoded) if piece else {"done": True}

    async def write(self, piece: bytes | None) -> None:
        """
        Take a piece of the request's body; None is its end.

        Raises:
            EngineError: It is too much, or it is not read.
        """
        if self._written is None:
            raise Invalid("fetch: this request has no streamed body.")
        if piece is None:
            self._written.end()
        else:
            try:
                self._used(len(piece))
            except EngineError as error:
                self._written.fail(error)
                raise
            await self._written.write(piece)

    def cancel(self) -> None:
        """End it, wherever it is."""
        self._cancelled = True
        if self._waiting is not None:
            self._waiting.cancel()
        if self._body is not None:
            self._body.abort()
        if self._written is not None:
            self._written.fail(Cancelled("fetch: the request was cancelled."))
        self._leave()

    def _leave(self) -> None:
        place, self._place = self._place, None
        if place is not None:
            place()

    async def _follow(self) -> tuple[HttpAnswer, TargetUrl, bool]:
        """Send the request, and follow its redirects."""
        wanted = self._wanted
        body = self._written or (BytesBody(wanted.body) if wanted.body is not None else None)
        request = Outgoing(target=read_target(wanted.url), method=wanted.method, headers=self._headers, body=body)
        origin = request.target.origin
        for redirects in range(self._outside.settings.max_redirects + 1):
            self._check(request.target)
            reply = await self._try(request if self._secrets is None else await self._filled(request, origin))
            location = reply.header("location")
            if reply.status not in REDIRECTS or not location or wanted.redirect == "manual":
                return reply, request.target, redirects > 0
            reply.body.abort()
            self._leave()
            if wanted.redirect == "error":
                raise unavailable(
                    "redirect", f"fetch: {request.target.authority} redirects, and the request does not allow that."
                )
            try:
                request = followed(request, reply.status, location)
            except Invalid as error:
                raise unavailable(
                    "redirect", f"fetch: {request.target.authority} redirects to {location[:200]!r}: {error.public}"
                ) from None
        raise unavailable(
            "redirect",
            f"fetch: more than {self._outside.settings.max_redirects} redirects, the last to "
            f"{request.target.url[:200]}.",
        )

    async def _filled(self, request: Outgoing, origin: tuple[str, str, int]) -> Outgoing:
        """Return a request with the secrets that it names."""
        assert self._secrets is not None
        target, given = (
            request.target,
            SecretRequest(
                host=request.target.host,
                port=request.target.port,
                path=request.target.path,
                headers=request.headers,
                body=self._wanted.body if isinstance(request.body, BytesBody) else None,
                in_body=self._wanted.secrets_in_body,
                moved=request.target.origin != origin,
            ),
        )
        filled = await self._secrets.fill(given)
        body = request.body
        if filled.body is not given.body and filled.body is not None:
            body = BytesBody(filled.body)
        return replace(request, target=replace(target, path=filled.path), headers=filled.headers, body=body)

    async def _try(self, request: Outgoing) -> HttpAnswer:
        """Send one request, repeated if that is requested and may help."""
        again = self._wanted.retries if request.method in IDEMPOTENT and self._written is None else 0
        for attempt in range(1, again + 2):
            try:
                reply = await self._send(request)
            except Unavailable as error:
                if attempt > again or not await self._pause(attempt, error.retry_seconds):
                    raise
                continue
            if reply.status not in _AGAIN or attempt > again:
                return reply
            if not await self._pause(attempt, _retry_after(reply.header("retry-after"), self._outside.wall())):
                return reply
            reply.body.abort()
            self._leave()
        raise AssertionError("unreachable")  # pragma: no cover  the last attempt returns or raises

    async def _pause(self, attempt: int, asked_seconds: float | None) -> bool:
        """Wait before the next attempt; returns False at once if there is no time for it."""
        seconds = asked_seconds if asked_seconds is not None else _BACKOFF.delay(attempt, self._outside.random)
        if self._outside.reactor.seconds() + seconds >= self._ends:
            return False
        await self._wait(self._later(seconds))
        return True

    async def _send(self, request: Outgoing) -> HttpAnswer:
        peer = self._outside.peers.of(self._script, request.target.origin)
        permit = peer.permit()
        try:
            place = peer.enter()
            self._place = await self._wait(place) if isinstance(place, Deferred) else place
            reply = await self._in_time(
                self._outside.client.send(
                    request.target,
                    method=request.method,
                    headers=request.headers,
                    body=request.body,
                    decode=request.method != "HEAD",
                    cause=self._cause,
                ),
                request.target,
            )
        except Exception as error:
            self._leave()
            if isinstance(error, Unavailable | TooSlow) and _is_of_server(error):
                peer.breaker.failed(permit, error.public)
            else:
                peer.breaker.dropped(permit)
            raise
        if reply.status in _FAILING:
            peer.breaker.failed(permit, f"it answered {reply.status}.")
        else:
            peer.breaker.succeeded(permit)
        return reply

    async def _in_time(self, answering: Deferred[HttpAnswer], target: TargetUrl) -> HttpAnswer:
        late = False

        def give_up() -> None:
            nonlocal late
            late = True
            answering.cancel()

        reactor = self._outside.reactor
        timer = reactor.callLater(max(self._ends - reactor.seconds(), 0.0), give_up)
        try:
            return await self._wait(answering)
        except CancelledError:
            if not late:
                raise
            seconds = self._outside.settings.answer_seconds
            raise too_slow(f"fetch: {target.authority} did not answer within {seconds:g} s.") from None
        finally:
            if timer.active():
                timer.cancel()

    async def _wait(self, waiting: Deferred[T]) -> T:
        """Wait for something that `cancel` ends."""
        if self._cancelled:
            waiting.addErrback(lambda _: None)
            waiting.cancel()
            raise CancelledError
        self._waiting = waiting
        try:
            return await waiting
        finally:
            self._waiting = None

    def _later(self, seconds: float) -> Deferred[None]:
        later: Deferred[None] = Deferred(lambda _: call.cancel())
        call = self._outside.reactor.callLater(seconds, later.callback, None)
        return later

    async def _first(self, reply: HttpAnswer, target: TargetUrl) -> dict[str, Any]:
        """Return the body, if it came with the head; else that there is more."""
        if self._wanted.integrity:
            return await self._checked(reply, target)
        if not reply.body.is_complete:
            # The rest of a short body is often there already.
            await self._wait(self._later(0))
            if not reply.body.is_complete:
                return {"more": True}
        piece = reply.body.take(_PIECE_BYTES)
        more = reply.body.take(1)
        if piece:
            self._used(len(piece) + len(more))
        if more:
            self._rest = [piece, more]
            return {"more": True}
        self._leave()
        return _whole(piece)

    async def _checked(self, reply: HttpAnswer, target: TargetUrl) -> dict[str, Any]:
        """Return the body if it is the expected one."""
        body = b""
        while piece := await self._wait(Deferred.fromCoroutine(reply.body.read(_PIECE_BYTES))):
            self._used(len(piece))
            body += piece
            if len(body) > _MOST_CHECKED_BYTES:
                raise too_large(f"fetch: with integrity an answer may have at most {_MOST_CHECKED_BYTES} bytes.")
        self._leave()
        if not is_expected(body, self._wanted.integrity):
            raise unavailable(
                "integrity", f"fetch: the answer of {target.url[:200]} has another hash than integrity names."
            )
        if len(body) <= _PIECE_BYTES:
            return _whole(body)
        self._rest = [body[at : at + _PIECE_BYTES] for at in range(0, len(body), _PIECE_BYTES)]
        return {"more": True}


def _whole(body: bytes) -> dict[str, Any]:
    """Return a body as a script gets it: as a string, which it need not decode, if it is one."""
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return _encoded(body)


def _piece(piece: bytes, *, encoded: bool) -> dict[str, Any]:
    return {"base64": base64.b64encode(piece).decode("ascii")} if encoded else _encoded(piece)


def _encoded(piece: bytes) -> dict[str, Any]:
    """Return bytes as a script gets them: as a string if they are plain text, which takes less, else as base64."""
    if piece.isascii():
        return {"text": piece.decode("ascii")}
    return {"base64": base64.b64encode(piece).decode("ascii")}


def _is_of_server(error: EngineError) -> bool:
    """Return whether a failure says something about the server, and not about this request."""
    reason = error.details.get("reason") if isinstance(error.details, dict) else None
    return reason in {"dns", "connect", "tls", "timeout", "closed", "protocol", "proxy"}


def _retry_after(value: str, now: float) -> float | None:
    """Return for how many seconds a `retry-after` asks; None if it says nothing that can be read."""
    if value.isdecimal():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
