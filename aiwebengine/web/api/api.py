"""
The management API: every resource behind one Klein application.

A call passes here once: who asks, which route, what went wrong. The resources return answers or raise the engine's
errors; no status but their own success stands in them.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast

from klein import Klein
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IPullProducer
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import Request as WebRequest
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from zope.interface import implementer

from aiwebengine.errors import EngineError, NotFound, WrongMethod
from aiwebengine.services.threads import Runs
from aiwebengine.settings.schema import DeploySettings
from aiwebengine.values import Answer, Principal, Request
from aiwebengine.web.api.bodies import body_bytes
from aiwebengine.web.api.call import ApiCall, LongAnswer
from aiwebengine.web.api.problems import note, problem_answer
from aiwebengine.web.api.route import ApiResource, ApiRoute
from aiwebengine.web.http.engine_request import request_value
from aiwebengine.web.http.read import request_id

_PIECE = 128 * 1024


class Api(Service):
    """
    Everything under `/engine/api/`.

    Args:
        routed: What answers its routes.
        ending: End what is followed, so that the listener can close its connections.
        admit: Identifies the caller, and raises if it may not.
        settings: What may be deployed.
        threads: Where long answers are written.
        new_id: Makes the id of a request that brought none.
    """

    def __init__(
        self,
        *,
        routed: Sequence[ApiResource],
        ending: Sequence[Callable[[], None]],
        admit: Callable[[Request], Coroutine[Any, Any, Principal]],
        settings: DeploySettings,
        threads: Runs,
        new_id: Callable[[], str],
    ) -> None:
        self._threads = threads
        self._admit = admit
        self._new_id = new_id
        self.max_body_bytes = body_bytes(settings)
        """What the listener must let through to this API."""
        self._ending = tuple(ending)
        self.klein = Klein()
        """The application; other floors may add routes of their own under `/engine/`."""
        for resource in routed:
            for route in resource.routes():
                self._add(route)
        self.klein.handle_errors(HTTPException)(cast(Any, self._no_route))

    def resource(self) -> Resource:
        """Return the resource for the root of a site: it looks at whole paths."""
        return self.klein.resource()

    def end_streams(self) -> None:
        """End what is followed, so that the listener can close its connections."""
        for end in self._ending:
            end()

    def stopService(self) -> None:
        """End what is followed."""
        super().stopService()
        self.end_streams()

    def _add(self, route: ApiRoute) -> None:
        def enter(request: WebRequest) -> Deferred[bytes | None]:
            return Deferred.fromCoroutine(self._enter(route, request))

        enter.__name__ = f"{route.method} {route.path}"
        self.klein.route(route.path, methods=[route.method], endpoint=enter.__name__)(enter)

    async def _enter(self, route: ApiRoute, request: WebRequest) -> None:
        # The engine's own channel has assigned an id to the request already, that of a trusted proxy if it sent one.
        [header] = request.responseHeaders.getRawHeaders(b"x-request-id") or [b""]
        identity = header.decode("ascii") or self._new_id()
        request_id.set(identity)
        request.setHeader(b"x-request-id", identity.encode())
        try:
            principal = await self._admit(request_value(request, identity=identity))
            call = ApiCall(request=request, principal=principal, max_body_bytes=route.max_body_bytes)
            answer = await route.handler(call)
            if isinstance(answer, LongAnswer):
                answer = await self._threads.run(answer.written)
            _check(route, answer)
        except CancelledError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the request edge: every failure becomes an answer
            answer = self._failed(error, identity)
        if answer is not None:
            await _write(request, answer)

    def _no_route(self, request: WebRequest, failure: Failure) -> Deferred[None]:
        return Deferred.fromCoroutine(self._refuse(request, failure))

    async def _refuse(self, request: WebRequest, failure: Failure) -> None:
        error: EngineError
        if isinstance(failure.value, MethodNotAllowed):
            allowed = sorted(failure.value.valid_methods or [])
            error = WrongMethod(f"This path answers {', '.join(allowed)} only.", allowed=allowed)
        else:
            error = NotFound("The management API has no such path; docs/reference/management-api.md lists them.")
        identity = self._new_id()
        try:
            await self._admit(request_value(request, identity=identity))
        except EngineError as refusal:
            # An unauthorized caller must not learn what exists.
            error = refusal
        await _write(request, self._failed(error, identity))

    def _failed(self, error: BaseException, identity: str) -> Answer:
        note(error, request_id=identity)
        return problem_answer(error, request_id=identity)


def _check(route: ApiRoute, answer: object) -> None:
    """Refuse what is no answer: the type checker has not seen the handlers of other packages."""
    if not (answer is None or isinstance(answer, Answer)):
        raise TypeError(f"{route.method} {route.path} returned a {type(answer).__name__}, not an Answer")


async def _write(request: Any, answer: Answer) -> None:
    """Hand *answer* to twisted.web; Klein finishes the request."""
    request.setResponseCode(answer.status)
    for name, value in answer.headers:
        request.setHeader(name, value)
    if answer.status == 204:
        return
    request.setHeader(b"content-length", str(len(answer.body)).encode())
    if len(answer.body) <= _PIECE:
        request.write(answer.body)
        return
    body = LongBody(request, answer.body)
    request.registerProducer(body, False)
    await body.done


@implementer(IPullProducer)
class LongBody:
    """
    The body of an answer, written piece by piece as the client takes it.

    Args:
        request: Twisted's.
        body: All declarations of this feature.
    """

    def __init__(self, request: Any, body: bytes) -> None:
        self._request = request
        self._rest = memoryview(body)
        self.done: Deferred[None] = Deferred()
        """Fires when it is written, or the client has disconnected."""

    def resumeProducing(self) -> None:
        """See `IPullProducer`."""
        piece, self._rest = self._rest[:_PIECE], self._rest[_PIECE:]
        if piece:
            self._request.write(bytes(piece))
        if not self._rest:
            self._request.unregisterProducer()
            self._end()

    def stopProducing(self) -> None:
        """See `IPullProducer`."""
        self._rest = memoryview(b"")
        self._end()

    def _end(self) -> None:
        if not self.done.called:
            self.done.callback(None)
