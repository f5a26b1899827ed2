"""
A whole engine on a real socket, built by `aiwebengine.app.build` itself.

    async with running_engine() as engine:
        await engine.deploy("hello", {"main.js": 'registerWebHandler("/hi", function () { return "hi"; });'})
        reply = await engine.request("GET", "/hi")
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse

from aiwebengine.app import build
from aiwebengine.engine import Engine
from aiwebengine.feature import Feature
from aiwebengine.features.all import FEATURES
from aiwebengine.settings.schema import ErrorSettings, PoolSettings, ServerSettings, Settings
from tests.support.clients.bodies import BytesBody, read_body
from tests.support.shared.kept import lay_out, lending


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names; repeated ones joined by `, `."""
    body: bytes

    @property
    def text(self) -> str:
        """Return the body as UTF-8 text."""
        return self.body.decode()

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class EngineUnderTest:
    """
    A running engine and a client for it.

    Args:
        engine: What `app.build` made, started.
        folder: Its data folder.
        address: `http://127.0.0.1:port`.
        token: Of the administrator.
    """

    def __init__(self, *, engine: Engine, folder: Path, address: str, token: str) -> None:
        self.engine = engine
        self.folder = folder
        self.address = address
        self.token = token
        self._pool = HTTPConnectionPool(reactor, persistent=False)
        self._agent = Agent(reactor, pool=self._pool)

    async def open(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
    ) -> IResponse:
        """Send a request and give the answer as soon as its headers are here."""
        raw = body.encode() if isinstance(body, str) else body
        return await self._agent.request(
            method.encode(),
            (self.address + path).encode("ascii"),
            Headers({name: [value] for name, value in (headers or {}).items()}),
            None if raw is None else BytesBody(raw),
        )

    async def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
    ) -> Reply:
        """Send a request and read the whole answer."""
        response = await self.open(method, path, headers, body)
        return Reply(
            status=response.code,
            headers={
                name.decode().lower(): ", ".join(value.decode("latin-1") for value in values)
                for name, values in response.headers.getAllRawHeaders()
            },
            body=await read_body(response),
        )

    async def api(self, method: str, path: str, document: Any = None, **headers: str) -> Reply:
        """Call the management API as the administrator; *path* follows `/engine/api`."""
        return await self.request(
            method,
            "/engine/api" + path,
            {"authorization": f"Bearer {self.token}", "content-type": "application/json", **headers},
            None if document is None else json.dumps(document),
        )

    async def deploy(
        self, uri: str, files: Mapping[str, str], *, grants: Sequence[str] = (), entry: str | None = None
    ) -> Any:
        """Deploy *files*; the deployment as JSON, or AssertionError with the problems."""
        document: dict[str, Any] = {"files": dict(files), "grants": list(grants)}
        if entry is not None:
            document["entry"] = entry
        reply = await self.api("PUT", "/script?uri=" + quote(uri, safe=""), document)
        assert reply.status in {200, 201}, reply.text
        return reply.json()

    async def clear(self) -> None:
        """Take all scripts down; with them goes what they have stored."""
        for script in (await self.api("GET", "/scripts")).json()["scripts"]:
            reply = await self.api("DELETE", "/script?purge=true&uri=" + quote(script["uri"], safe=""))
            assert reply.status == 204, reply.text


_SHARED: list[tuple[AbstractAsyncContextManager[EngineUnderTest], EngineUnderTest]] = []
"""The engine that the tests of one file share, while it runs."""


def settings_for(folder: Path, **sections: Any) -> Settings:
    """Return settings for a test: a free port, data in *folder*; *sections* replace whole ones, of features too."""
    own = {field.name for field in fields(Settings)}
    of_features = {name: sections.pop(name) for name in [*sections] if name not in own}
    made = Settings(
        profile="development",
        server=ServerSettings(port=0, data_folder=str(folder), stop_seconds=1.0),
        # On a busy machine a request may wait for long, which says nothing of the engine.
        pool=PoolSettings(isolation="shared", queue_seconds=60.0),
        errors=ErrorSettings(show_source=True),
        features=of_features,
    )
    return replace(made, **sections)


@asynccontextmanager
async def running_engine(
    settings: Settings | None = None, *, features: Sequence[Feature] = FEATURES
) -> AsyncIterator[EngineUnderTest]:
    """Run an engine for the length of a `with` block; see `shared/kept.py` for what it is spared."""
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        made = settings or settings_for(Path(folder))
        data = Path(made.server.data_folder)
        if features is FEATURES:
            await lay_out(data, _start_once)
        with lending():
            engine = build(made, reactor=reactor, features=features)
        try:
            with lending():
                engine.service.privilegedStartService()
                engine.service.startService()
                ready = await engine.ready
            yield EngineUnderTest(
                engine=engine,
                folder=data,
                address=ready.address,
                token=(data / "administrator-token").read_text().strip(),
            )
        finally:
            await _stopped(engine)


@asynccontextmanager
async def shared_engine() -> AsyncIterator[EngineUnderTest]:
    """
    Run the engine with its usual settings, the same one for all tests of a file.

    It is empty again at the end of each block: scripts are taken down, and what they stored with them.  After
    a block that failed the next one gets a new engine.
    """
    if not _SHARED:
        context = running_engine()
        _SHARED.append((context, await context.__aenter__()))
    [(_, engine)] = _SHARED
    try:
        yield engine
        await engine.clear()
    except BaseException:
        await stop_shared_engine()
        raise


async def stop_shared_engine() -> None:
    """Stop the engine that tests have shared, if there is one."""
    while _SHARED:
        context, _ = _SHARED.pop()
        await context.__aexit__(None, None, None)


async def _start_once(folder: Path) -> None:
    """Have an engine make its databases."""
    engine = build(settings_for(folder), reactor=reactor)
    engine.service.privilegedStartService()
    engine.service.startService()
    await engine.ready
    await _stopped(engine)


async def _stopped(engine: Engine) -> None:
    stopping = engine.service.stopService()
    if isinstance(stopping, Deferred):
        await stopping
