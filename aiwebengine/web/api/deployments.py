"""`PUT /engine/api/script` and `POST /engine/api/check`: deploy, or find out what deploying would say."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from aiwebengine.errors import Invalid
from aiwebengine.interfaces import Clock
from aiwebengine.scripts.deploy import Deployer
from aiwebengine.scripts.package import check_uri
from aiwebengine.scripts.prepare import DeployRequest
from aiwebengine.scripts.versions import Deployment
from aiwebengine.services.threads import Runs
from aiwebengine.settings.schema import DeploySettings
from aiwebengine.web.api import shapes
from aiwebengine.web.api.bodies import body_bytes, read_deployment
from aiwebengine.web.api.call import ApiCall, LongAnswer
from aiwebengine.web.api.listing import Listing
from aiwebengine.web.api.problems import note, problem_body
from aiwebengine.web.api.route import ApiRoute
from aiwebengine.web.api.streams import JsonStream
from aiwebengine.web.http.read import request_id

_log = Logger()

_LONGEST_ORIGIN = 500


class Deployments:
    """
    Deploys what arrives.

    Args:
        deployer: Does it.
        threads: Where bodies are unpacked.
        settings: What may be deployed.
        clock: For streams of progress.
        listing: Lists what is registered.
    """

    def __init__(
        self,
        *,
        deployer: Deployer,
        threads: Runs,
        settings: DeploySettings,
        clock: Clock,
        listing: Listing,
    ) -> None:
        self._deployer = deployer
        self._threads = threads
        self._settings = settings
        self._clock = clock
        self._listing = listing

    def routes(self) -> list[ApiRoute]:
        """Return what this answers."""
        most = body_bytes(self._settings)
        return [
            ApiRoute("PUT", "/engine/api/script", self.deploy, most),
            ApiRoute("POST", "/engine/api/script", self.deploy, most),
            ApiRoute("POST", "/engine/api/check", self.check, most),
        ]

    async def deploy(self, call: ApiCall) -> LongAnswer | None:
        """Deploy what the body holds."""
        if not call.accepts("application/x-ndjson"):
            done = await self._deployer.deploy(await self._read(call))
            return self._answer(done)
        stream = JsonStream(request=call.request, clock=self._clock)
        stream.begin()
        try:
            done = await self._deployer.deploy(
                await self._read(call),
                progress=lambda step, detail: stream.send({"step": step, **({"detail": detail} if detail else {})}),
            )
            stream.send({"result": await self._threads.run(shapes.deployment, done, self._listing)})
        except CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - the request edge: the head has been sent, so the stream must report
            # it
            identity = request_id.get()
            note(error, request_id=identity)
            stream.send({"error": problem_body(error, request_id=identity)})
        stream.end()
        await stream.done
        return None

    async def check(self, call: ApiCall) -> LongAnswer:
        """Build and validate without deploying."""
        problems, registered = await self._deployer.check(await self._read(call))
        return LongAnswer(
            lambda: {
                "ok": not any(problem.severity == "error" for problem in problems),
                "problems": shapes.problems(problems),
                "registered": self._listing(registered.entries),
            }
        )

    def _answer(self, done: Deployment) -> LongAnswer:
        assert done.version is not None
        version = done.version
        where = f"/engine/api/script?uri={quote(version.uri, safe='')}&version={version.number}"
        return LongAnswer(
            partial(shapes.deployment, done, self._listing),
            status=200 if done.previous or version.number > 1 else 201,
            headers=[("location", where), ("etag", f'"{version.number}"')],
        )

    async def _read(self, call: ApiCall) -> DeployRequest:
        call.only("uri", "entry", "expected", "grant", "message", "origin", "ifChanged")
        uri = check_uri(call.required("uri"))
        body = await self._threads.run(
            read_deployment,
            call.body(),
            content_type=call.header("content-type"),
            uri=uri,
            entry=call.text("entry") or None,
            settings=self._settings,
        )
        message, origin = call.text("message"), call.text("origin")
        return DeployRequest(
            uri=uri,
            files=body.files,
            entry=body.entry,
            expected=call.expected(body.fields.get("expected")),
            grants=_grants(call, body.fields.get("grants")),
            author=call.principal.id,
            message=_text("message", body.fields.get("message", "") if message is None else message),
            origin=_text("origin", body.fields.get("origin", "") if origin is None else origin)[:_LONGEST_ORIGIN],
            if_changed=call.flag("ifChanged"),
        )


def _grants(call: ApiCall, value: Any) -> frozenset[str] | None:
    if value is not None:
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise Invalid('"grants" must be a list of capabilities, such as ["scripts"].')
        return frozenset(value)
    named = call.texts("grant")
    return frozenset(name for name in named if name) if named else None


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid(f'"{name}" must be text.')
    return value
