"""The whole API over a real database, asked through an in-memory connection."""

from __future__ import annotations

import json
from itertools import count
from typing import Any
from urllib.parse import urlencode

from treq.client import HTTPClient
from treq.testing import RequestTraversalAgent, _SynchronousProducer
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.auth.interim import InterimRights, TokenPrincipals
from aiwebengine.auth.tokens import AdministratorToken
from aiwebengine.features.assets.api import Assets
from aiwebengine.features.assets.paths import StoredPaths
from aiwebengine.features.receipts.api import ReceiptList
from aiwebengine.features.receipts.budgets import Budgets
from aiwebengine.features.receipts.receipts import Receipts
from aiwebengine.features.receipts.settings import BudgetSettings, ReceiptSettings
from aiwebengine.features.receipts.store import DatabaseReceiptRows
from aiwebengine.features.receipts.use_store import DatabaseUseRows
from aiwebengine.features.recordings.api import Recordings
from aiwebengine.features.recordings.recorder import Recorder
from aiwebengine.features.recordings.replayer import Replayer
from aiwebengine.features.recordings.settings import RecordingSettings
from aiwebengine.features.recordings.store import DatabaseRecordingRows
from aiwebengine.host.registration.routes import web_routes
from aiwebengine.observe.background import Background
from aiwebengine.observe.logs import ScriptLogs
from aiwebengine.services.db.log_rows import DatabaseLogRows
from aiwebengine.settings.schema import LimitSettings, LogSettings
from aiwebengine.web.api.api import Api
from aiwebengine.web.api.callers import ApiCallers
from aiwebengine.web.api.deployments import Deployments
from aiwebengine.web.api.listing import Listing
from aiwebengine.web.api.logs import Logs
from aiwebengine.web.api.scripts import DeployedScripts
from aiwebengine.web.api.state import ServerState
from aiwebengine.web.api.token import Token
from tests.support.fakes.assets import an_asset_store
from tests.support.fakes.database import open_database
from tests.support.fakes.deploying import Deploying
from tests.support.fakes.invoking import an_invoker
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder


class ApiTestCase(SynchronousTestCase):
    """Starts an API for each test."""

    # Long: a list of the parts of an API.
    def setUp(self) -> None:
        folder = temporary_folder(self)
        self.world = Deploying(folder)
        self.addCleanup(self.world.database.stopService)
        evidence = open_database(folder, "evidence")
        self.addCleanup(evidence.stopService)
        self.clock = Clock()
        self.logs = ScriptLogs(
            rows=DatabaseLogRows(database=evidence),
            settings=LogSettings(),
            clock=self.clock,
            seconds=lambda: 2000.0,
        )
        self.logs.startService()
        self.addCleanup(self.logs.stopService)
        self.receipts = Receipts(
            rows=DatabaseReceiptRows(database=evidence),
            settings=ReceiptSettings(),
            clock=self.clock,
            seconds=lambda: 2000.0,
        )
        self.receipts.startService()
        self.addCleanup(self.receipts.stopService)
        self.budgets = Budgets(
            rows=DatabaseUseRows(database=evidence),
            settings=BudgetSettings(host_calls=("5/1m",), log_lines=()),
            of_manifest=lambda _: {},
            tell=lambda invocation, line: None,
            clock=self.clock,
            seconds=lambda: 2000.0,
        )
        self.budgets.startService()
        self.addCleanup(self.budgets.stopService)
        background = Background(clock=self.clock)
        background.startService()
        self.recorder = Recorder(
            rows=DatabaseRecordingRows(database=evidence),
            settings=RecordingSettings(),
            background=background,
            threads=ThreadsInTurn(),
            milliseconds=lambda: 2_000_000,
        )
        self.recorder.startService()
        self.addCleanup(background.stopService)
        made: list[str] = []
        numbers = count(1)
        tokens = AdministratorToken(
            folder=folder, random_bytes=lambda size: bytes([next(numbers)] * size), made=made.append
        )
        tokens.startService()
        self.token = made[0]
        threads = ThreadsInTurn()
        assets = an_asset_store(self.world.database, max_bytes=1000)
        replayer = Replayer(
            invoker=an_invoker(None, prefix="replay"),
            store=self.world.store,
            deployer=self.world.deployer,
            masks=self.recorder,
            threads=threads,
        )
        logs = Logs(logs=self.logs, clock=self.clock, seconds=lambda: 2000.0)
        listing = Listing([web_routes(LimitSettings())])
        self.callers = ApiCallers(identify=TokenPrincipals(is_valid=tokens.is_valid), decide=InterimRights())
        self.api = Api(
            routed=[
                DeployedScripts(store=self.world.store, deployer=self.world.deployer, listing=listing),
                Deployments(
                    deployer=self.world.deployer,
                    threads=threads,
                    settings=self.world.settings,
                    listing=listing,
                    clock=self.clock,
                ),
                logs,
                ReceiptList(receipts=self.receipts, budgets=self.budgets),
                ServerState(parts={"runtime": self.world.runner.state, "logs": self.logs.state}),
                Assets(assets=assets, stored=StoredPaths(), current=self.world.current, max_bytes=1000),
                Token(tokens=tokens),
                Recordings(recorder=self.recorder, replayer=replayer, threads=threads, settings=self.world.settings),
            ],
            ending=[logs.close],
            admit=self.callers.admit,
            settings=self.world.settings,
            threads=threads,
            new_id=lambda: "request-1",
        )
        self.api.startService()
        self.agent = RequestTraversalAgent(self.api.resource())
        self.client = HTTPClient(self.agent, data_to_body_producer=_SynchronousProducer)

    def open(self, method: str, path: str, body: bytes = b"", headers: Any = None, /, **query: Any) -> Any:
        """Send a request; gives the response, whose body may go on."""
        given = {"authorization": f"Bearer {self.token}", **(headers or {})}
        pairs = [(k, item) for k, v in query.items() for item in (v if isinstance(v, list) else [v])]
        url = f"http://test/engine/api/{path}" + (f"?{urlencode(pairs)}" if pairs else "")
        sent = self.client.request(method, url, data=body, headers=given)
        self.agent.flush()
        return self.successResultOf(sent)

    def ask(self, method: str, path: str, body: bytes = b"", headers: Any = None, /, **query: Any) -> tuple[int, Any]:
        """Send a request; gives status and body, decoded if it is JSON."""
        response = self.open(method, path, body, headers, **query)
        content = self.content_of(response)
        self.headers = {
            name.decode().lower(): values[0].decode() for name, values in response.headers.getAllRawHeaders()
        }
        if content and "json" in self.headers.get("content-type", "") and "nd" not in self.headers["content-type"]:
            return response.code, json.loads(content)
        return response.code, content

    def content_of(self, response: Any) -> bytes:
        """Read the whole body of a response that has ended."""
        reading = response.content()
        self.agent.flush()
        return bytes(self.successResultOf(reading))

    def deploy(self, uri: str = "notes", source: bytes = b"/notes", **query: Any) -> tuple[int, Any]:
        """Deploy one file."""
        return self.ask("PUT", "script", source, uri=uri, **query)
