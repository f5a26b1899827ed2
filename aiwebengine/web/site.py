"""
The listening site: what a request meets, in order.

    1  channel.py   a connection, a request
    2  read.py      -> Request
    3  routes       Registry x Request -> RouteMatch
    4  admit.py     -> payload, or a refusal
    5  runner       Invocation -> answer, through `ScriptAnswer`
    6  write.py     -> bytes

Paths of the engine's own go to a Klein resource instead, by twisted.web's usual machinery.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.resource import Resource
from zope.interface import implementer

from aiwebengine.errors import EngineError, NotFound, ScriptFailed, WrongMethod
from aiwebengine.runtime.registry import Current
from aiwebengine.runtime.routes import AutoOptions, Disallowed, Missing
from aiwebengine.runtime.runner import Runner
from aiwebengine.settings.schema import HttpSettings, LimitSettings
from aiwebengine.values import ANONYMOUS, Answer, Invocation, Request, RouteMatch
from aiwebengine.web.admit import admit
from aiwebengine.web.channel import Channel, EdgeRequest
from aiwebengine.web.errors import Explain, error_answer, wants_page
from aiwebengine.web.read import Reader, read_headers, request_id
from aiwebengine.web.welcome import welcome
from aiwebengine.web.write import LAST_CHUNK, Writer, chunk

_log = Logger()

OWN_PREFIXES = (b"/engine/", b"/health/")
"""Paths that the engine answers itself."""


class Site:
    """
    Everything that listens.

    Args:
        current: What serves.
        runner: Runs it.
        own: Answers the engine's own paths.
        reader: Makes values of requests.
        writer: Makes bytes of answers.
        settings: Bounds of requests.
        limits: What an invocation may use.
        own_body_bytes: Largest body for the engine's own paths.
        explain: Gives the author's frames of a failure; None to show nobody.
        new_id: Makes the id of a request that could not be read.
    """

    def __init__(
        self,
        *,
        current: Current,
        runner: Runner,
        own: Resource,
        reader: Reader,
        writer: Writer,
        settings: HttpSettings,
        limits: LimitSettings,
        own_body_bytes: int,
        explain: Explain | None,
        new_id: Callable[[], str],
    ) -> None:
        self._current = current
        self._runner = runner
        self._own = own
        self._reader = reader
        self._writer = writer
        self._settings = settings
        self._limits = limits
        self._own_body_bytes = own_body_bytes
        self._explain = explain
        self._new_id = new_id
        self.stopping = False
        """Answers are the last of their connections."""

    def build_factory(self) -> server.Site:
        """Give the factory for an endpoint."""
        site = self
        settings = self._settings

        class BoundRequest(EdgeRequest):
            @staticmethod
            def is_own(path: bytes) -> bool:  # type: ignore[override]
                return path.startswith(OWN_PREFIXES)

            def enter(self) -> None:  # type: ignore[override]
                site.enter(self)

        class BoundChannel(Channel):
            requestFactory = BoundRequest
            maxHeaders = settings.max_header_count
            totalHeadersSize = settings.max_header_bytes
            MAX_LENGTH = settings.max_header_bytes

            @staticmethod
            def refused(error: EngineError, method: bytes, accept: str) -> bytes:  # type: ignore[override]
                return site.refused(error, method, accept)

            @staticmethod
            def body_limit(target: bytes) -> int:  # type: ignore[override]
                return site._own_body_bytes if target.startswith(OWN_PREFIXES) else settings.max_body_bytes

        BoundChannel.settings = settings

        class Factory(server.Site):
            def buildProtocol(self, addr: Any) -> Any:
                channel = BoundChannel()
                channel.factory = self
                channel.site = self
                channel.timeOut = self.timeOut
                channel.callLater = self._reactor.callLater
                return channel

            def log(self, request: Any) -> None:
                """Keep no access log here."""

            def startFactory(self) -> None:
                """Nothing to open."""

            def stopFactory(self) -> None:
                """Nothing to close."""

        factory = Factory(self._own, timeout=settings.idle_seconds, parsePOSTFormSubmission=False)
        return factory

    def refused(self, error: EngineError, method: bytes, accept: str) -> bytes:
        """Give the answer to a request that could not be read."""
        identity = self._new_id()
        answer = error_answer(error, request_id=identity, accept=accept)
        return self._writer.whole(answer, request_id=identity, head_only=method == b"HEAD", close=True)

    def enter(self, raw: EdgeRequest) -> None:
        """Answer one request for scripts."""
        headers = read_headers(raw.requestHeaders.getAllRawHeaders())
        identity = ""
        try:
            content = raw.content.getvalue()  # type: ignore[union-attr]
            request = self._reader.read(
                method=raw.method,
                target=raw.uri,
                headers=headers,
                body=content,
                peer=raw.client.host if raw.client is not None and hasattr(raw.client, "host") else "",
                secure=raw.isSecure(),
            )
            identity = request.id
            request_id.set(identity)
            self._route(raw, request)
        except EngineError as error:
            self._send_error(raw, error, identity or self._new_id(), headers.get("accept", ""))
        except Exception:  # noqa: BLE001  the request edge: every failure becomes an answer
            identity = identity or self._new_id()
            _log.failure("request {request} failed", Failure(), request=identity)
            self._send_error(raw, EngineError("The server has a fault; its log knows more."), identity, headers.get("accept", ""))

    def _route(self, raw: EdgeRequest, request: Request) -> None:
        registry = self._current.registry
        match = registry.routes.match(request.method, request.path)
        if isinstance(match, RouteMatch):
            self._run(raw, request, match)
        elif isinstance(match, AutoOptions):
            allow = ", ".join(match.allow).encode("ascii")
            self._send(raw, Answer(status=204, headers=((b"allow", allow),), body=b""), request.id)
        elif isinstance(match, Disallowed):
            raise WrongMethod(
                f"{request.method[:40]} is not answered here; {', '.join(match.allow)} are.", allowed=match.allow
            )
        elif isinstance(match, Missing) and request.path == "/" and request.method in {"GET", "HEAD"}:
            self._send(raw, welcome(page=wants_page(request.headers.get("accept", "")), scripts=len(registry.scripts)), request.id)
        else:
            raise NotFound(f"No script answers {request.path[:200]}.")

    def _run(self, raw: EdgeRequest, request: Request, match: RouteMatch) -> None:
        route = match.route
        given = admit(request, match)
        script = self._current.registry.scripts[route.script]
        asked = script.limits
        wall = min(
            self._limits.wall_seconds,
            route.options.get("timeout_ms", 1e12) / 1000,
            asked.get("timeout_ms", 1e12) / 1000,
        )
        invocation = Invocation(
            id=request.id,
            script=route.script,
            version=route.version,
            kind="http",
            handler=route.handler,
            principal=ANONYMOUS,
            payload=given,
            wall_seconds=wall,
            cpu_seconds=min(self._limits.cpu_seconds, asked.get("cpu_ms", 1e12) / 1000),
        )
        sink = ScriptAnswer(site=self, raw=raw, request=request, version=route.version)
        run = self._runner.run(invocation, sink)
        if not sink.ended:
            raw.gone = lambda: self._runner.cancel(run)

    def _send(self, raw: EdgeRequest, answer: Answer, identity: str) -> None:
        if raw._disconnected:  # noqa: SLF001  twisted.web's own mark; its public face is a Deferred for each request
            return
        close = self.stopping or raw.clientproto != b"HTTP/1.1"
        if close:
            raw.channel.persistent = False
        else:
            close = not raw.channel.persistent
        raw.channel.transport.write(
            self._writer.whole(answer, request_id=identity, head_only=raw.method == b"HEAD", close=close)
        )
        raw.complete()

    def _send_error(self, raw: EdgeRequest, error: EngineError, identity: str, accept: str, version: str = "") -> None:
        if error.private:
            _log.info("request {request}: {why}", request=identity, why=error.private)
        if self._explain is None or not version or not isinstance(error, ScriptFailed) or error.thrown is None:
            self._send(raw, error_answer(error, request_id=identity, accept=accept), identity)
            return

        def tell(places: Any) -> None:
            known = () if isinstance(places, Failure) else places
            self._send(raw, error_answer(error, request_id=identity, accept=accept, places=known), identity)

        Deferred.fromCoroutine(_awaited(self._explain(error, version))).addBoth(tell)


async def _awaited(waiting: Awaitable[Any]) -> Any:
    return await waiting


@implementer(IPushProducer)
class ScriptAnswer:
    """
    The answer of one script to one request; see `runtime.run.Sink`.

    Args:
        site: Writes.
        raw: The request on its connection.
        request: Its value.
        version: Of the script that answers.
    """

    __slots__ = ("_paused", "_raw", "_request", "_site", "_started", "_version", "_waiting", "ended")

    def __init__(self, *, site: Site, raw: EdgeRequest, request: Request, version: str) -> None:
        self._site = site
        self._raw = raw
        self._request = request
        self._version = version
        self._started = False
        self._paused = False
        self._waiting: Callable[[], None] | None = None
        self.ended = False
        """Nothing more will be written."""

    def answered(self, answer: Answer) -> None:
        """See `Sink.answered`."""
        self.ended = True
        self._site._send(self._raw, answer, self._request.id)  # noqa: SLF001  the two are one thing in two halves

    def started(self, answer: Answer) -> None:
        """See `Sink.started`."""
        raw = self._raw
        self._started = True
        if raw._disconnected:  # noqa: SLF001  as above
            return
        modern = raw.clientproto == b"HTTP/1.1"
        if not modern or self._site.stopping:
            raw.channel.persistent = False
        raw.chunked = 1 if modern else 0
        head = self._site._writer.head(  # noqa: SLF001  as above
            answer, request_id=self._request.id, chunked=modern, close=not raw.channel.persistent
        )
        raw.channel.registerProducer(self, streaming=True)
        raw.producer = self
        raw.channel.transport.write(head)

    def write(self, data: bytes, done: Callable[[], None]) -> None:
        """See `Sink.write`."""
        raw = self._raw
        if raw._disconnected:  # noqa: SLF001  as above
            return
        if data and raw.method != b"HEAD":
            raw.channel.transport.write(chunk(data) if raw.chunked else data)
        if self._paused:
            self._waiting = done
        else:
            done()

    def finished(self) -> None:
        """See `Sink.finished`."""
        self.ended = True
        raw = self._raw
        if raw._disconnected:  # noqa: SLF001  as above
            return
        if raw.chunked and raw.method != b"HEAD":
            raw.channel.transport.write(LAST_CHUNK)
        self._release()
        raw.complete()

    def failed(self, error: EngineError) -> None:
        """See `Sink.failed`."""
        self.ended = True
        raw = self._raw
        if not self._started:
            accept = self._request.headers.get("accept", "")
            self._site._send_error(raw, error, self._request.id, accept, self._version)  # noqa: SLF001  as above
            return
        if raw._disconnected:  # noqa: SLF001  as above
            return
        # Without a last chunk the client knows that something is missing.
        self._release()
        raw.channel.persistent = False
        raw.channel.transport.loseConnection()

    def pauseProducing(self) -> None:
        """The client does not take what was sent."""
        self._paused = True

    def resumeProducing(self) -> None:
        """The client takes more."""
        self._paused = False
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting()

    def stopProducing(self) -> None:
        """The connection ends; the request is told by itself."""

    def _release(self) -> None:
        raw = self._raw
        raw.producer = None
        raw.channel.unregisterProducer()

