"""
The management API: every resource behind one Klein application.

A call passes here once: who asks, which route, what went wrong.  The resources give
answers or raise the engine's errors; no status but their own success stands in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

from klein import Klein
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import Request as WebRequest
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from aiwebengine.auth.tokens import AdministratorToken
from aiwebengine.errors import EngineError, NotFound, Unauthenticated, WrongMethod
from aiwebengine.interfaces import Clock
from aiwebengine.observe.budgets import Budgets
from aiwebengine.observe.logs import ScriptLogs
from aiwebengine.observe.receipts import Receipts
from aiwebengine.observe.recordings import Recorder
from aiwebengine.scripts.assets import AssetStore
from aiwebengine.scripts.deploy import Deployer
from aiwebengine.scripts.replay import Replayer
from aiwebengine.scripts.store import ScriptStore
from aiwebengine.services.threads import Runs
from aiwebengine.settings.schema import DeploySettings
from aiwebengine.values import Answer, Principal
from aiwebengine.web.api.assets import Assets
from aiwebengine.web.api.bodies import body_bytes
from aiwebengine.web.api.call import Call
from aiwebengine.web.api.deployments import Deployments
from aiwebengine.web.api.logs import Logs
from aiwebengine.web.api.problems import problem_answer, problem_body
from aiwebengine.web.api.receipts import ReceiptList
from aiwebengine.web.api.recordings import Recordings
from aiwebengine.web.api.route import ApiRoute
from aiwebengine.web.api.scripts import Scripts
from aiwebengine.web.api.state import State
from aiwebengine.web.api.token import Token
from aiwebengine.web.read import request_id

_log = Logger()


class Answers(Protocol):
    """Answers some routes."""

    def routes(self) -> Sequence[ApiRoute]:
        """Give them."""


class Api(Service):
    """
    Everything under `/engine/api/`.

    Args:
        deployer: Changes what serves.
        store: Reads what is kept.
        assets: Keeps assets.
        logs: Keeps the scripts' log lines.
        receipts: Knows what invocations cost.
        budgets: Knows what scripts have used over time.
        recorder: Keeps recordings.
        replayer: Does them over again.
        tokens: Knows the administrator.
        threads: Where bodies are unpacked.
        settings: What may be deployed.
        clock: For streams.
        seconds: The server's clock, since 1970.
        new_id: Makes the id of a request that brought none.
        state: By name, what gives the figures of one part of the server.
    """

    def __init__(
        self,
        *,
        deployer: Deployer,
        store: ScriptStore,
        assets: AssetStore,
        logs: ScriptLogs,
        receipts: Receipts,
        budgets: Budgets,
        recorder: Recorder,
        replayer: Replayer,
        tokens: AdministratorToken,
        threads: Runs,
        settings: DeploySettings,
        clock: Clock,
        seconds: Callable[[], float],
        new_id: Callable[[], str],
        state: Mapping[str, Callable[[], Any]],
    ) -> None:
        self._tokens = tokens
        self._new_id = new_id
        self.max_body_bytes = body_bytes(settings)
        """What the listener must let through to this API."""
        self._logs = Logs(logs=logs, clock=clock, seconds=seconds)
        resources: list[Answers] = [
            Scripts(store=store, deployer=deployer),
            Deployments(deployer=deployer, threads=threads, settings=settings, clock=clock, explain=self._explain),
            self._logs,
            ReceiptList(receipts=receipts, budgets=budgets),
            State(parts=state),
            Assets(assets=assets, max_bytes=settings.max_source_bytes),
            Token(tokens=tokens),
            Recordings(recorder=recorder, replayer=replayer, threads=threads, settings=settings),
        ]
        self.klein = Klein()
        """The application; other floors may add routes of their own under `/engine/`."""
        for resource in resources:
            for route in resource.routes():
                self._add(route)
        self.klein.handle_errors(HTTPException)(cast(Any, self._no_route))

    def resource(self) -> Resource:
        """Give the resource for the root of a site: it looks at whole paths."""
        return self.klein.resource()

    def end_streams(self) -> None:
        """End what is followed, so that the listener can close its connections."""
        self._logs.close()

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
        identity = self._new_id()
        request_id.set(identity)
        request.setHeader(b"x-request-id", identity.encode())
        try:
            principal = self._principal(request)
            call = Call(request=request, principal=principal, max_body_bytes=route.max_body_bytes)
            answer = await route.handler(call)
        except CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the request edge: every failure becomes an answer
            answer = self._failed(error, identity)
        if answer is not None:
            _write(request, answer)

    def _principal(self, request: WebRequest) -> Principal:
        header = request.getHeader("authorization")
        kind, _, token = (header or "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise Unauthenticated(
                "The management API needs the administrator token: Authorization: Bearer <token>. "
                "`aiwebengine token` shows it on the server."
            )
        return self._tokens.verify(token.strip())

    def _no_route(self, request: WebRequest, failure: Failure) -> None:
        error: EngineError
        if isinstance(failure.value, MethodNotAllowed):
            allowed = sorted(failure.value.valid_methods or [])
            error = WrongMethod(f"This path answers {', '.join(allowed)} only.", allowed=allowed)
        else:
            error = NotFound("The management API has no such path; docs/reference/management-api.md lists them.")
        try:
            self._principal(request)
        except Unauthenticated as refusal:
            # Who may not ask is not told what there is.
            error = refusal
        _write(request, self._failed(error, self._new_id()))

    def _failed(self, error: Exception, identity: str) -> Answer:
        _note(error, identity)
        return problem_answer(error, request_id=identity)

    def _explain(self, error: Exception) -> dict[str, Any]:
        identity = request_id.get()
        _note(error, identity)
        return problem_body(error, request_id=identity)


def _note(error: Exception, identity: str) -> None:
    """Put into the log what the answer does not say."""
    if not isinstance(error, EngineError):
        _log.failure("request {request} to the management API failed", Failure(error), request=identity)
    elif error.private:
        _log.info("request {request}: {why}", request=identity, why=error.private)


def _write(request: Any, answer: Answer) -> None:
    """Hand *answer* to twisted.web; Klein finishes the request."""
    request.setResponseCode(answer.status)
    for name, value in answer.headers:
        request.setHeader(name, value)
    if answer.status != 204:
        request.setHeader(b"content-length", str(len(answer.body)).encode())
        request.write(answer.body)
