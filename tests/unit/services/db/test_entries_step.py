"""What versions had registered before every registration was an entry goes on serving."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.graphql.schema.entries import GRAPHQL, part_of
from aiwebengine.features.graphql.schema.registration import schema_parts
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.scripts.versions import PutVersion
from aiwebengine.values import ROUTE, HandlerRef
from tests.support.fakes.deploying import Deploying
from tests.support.folders import temporary_folder
from tests.unit.host.fakes import SOCKETS, STREAMS
from tests.unit.scripts.test_store import new

SCHEMA_PARTS = schema_parts(GraphQLSettings())

OLD: dict[str, Any] = {
    "routes": [
        {
            "methods": ["GET", "PUT"],
            "pattern": "/notes/:id",
            "handler": [2, "note"],
            "options": {"timeout_ms": 50},
            "place": "main.ts:3",
        },
        {
            "methods": ["GET"],
            "pattern": "/live",
            "handler": [3, "stream"],
            "options": {"stream": {"auth": "none", "slow": "drop-oldest", "filter": 9}, "summary": "News."},
            "place": "main.ts:4",
        },
        {
            "methods": ["GET"],
            "pattern": "/talk",
            "handler": [4, "socket"],
            "options": {
                "socket": {"auth": "required", "protocols": [], "origins": [], "message": 5},
                "middleware": [1],
            },
            "place": "main.ts:5",
        },
    ],
    "middleware": [0],
    "schema": [
        {
            "kind": "query",
            "name": "note",
            "sdl": "note: String",
            "handler": [6, "note"],
            "options": {"writes": True},
            "place": "main.ts:6",
        },
        {"kind": "scalar", "name": "Day", "sdl": "", "handler": None, "options": {"parse": 7}, "place": ""},
    ],
}
"""A row as it was stored."""


class EntriesStepTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = temporary_folder(self)

    def start(self) -> Deploying:
        world = Deploying(self.folder, kinds=(STREAMS, SOCKETS, SCHEMA_PARTS))
        self.addCleanup(world.database.stopService)
        return world

    def older(self, *registered: dict[str, Any]) -> None:
        """Leave a database of the step before, with one script for each of *registered*."""
        world = self.start()
        for number, _ in enumerate(registered):
            put = world.store.apply([PutVersion(new=new(f"notes{number}"))])
            self.successResultOf(Deferred.fromCoroutine(put))
        self.successResultOf(world.database.stopService())
        with sqlite3.connect(self.folder / "main.sqlite3") as connection:
            for number, entries in enumerate(registered):
                connection.execute(
                    "UPDATE versions SET registered = ? WHERE version LIKE ?", (json.dumps(entries), f"notes{number}@%")
                )
            connection.execute("UPDATE scripts_version SET revision = '0001'")
            connection.execute("ALTER TABLE versions DROP COLUMN origin")

    def restored(self) -> Any:
        world = self.start()
        self.successResultOf(Deferred.fromCoroutine(world.deployer.restore()))
        return world.current.registry

    def test_all_kinds(self) -> None:
        """Routes, streams, WebSockets and parts of the schema serve as they did."""
        self.older(OLD)
        registry = self.restored()
        script = registry.scripts["notes0"]
        self.assertEqual(script.middleware, (0,))
        route, stream, socket, query, scalar = script.entries
        self.assertEqual((route.kind, route.key, route.methods), (ROUTE, "/notes/:id", ("GET", "PUT")))
        self.assertEqual((route.handler, route.options), (HandlerRef(id=2, name="note"), {"timeout_ms": 50}))
        self.assertEqual((route.place, route.script, route.version), ("main.ts:3", "notes0", script.version))
        self.assertEqual((stream.kind, stream.key), ("stream", "/live"))
        self.assertEqual(stream.options, {"auth": "none", "slow": "drop-oldest", "filter": 9, "summary": "News."})
        self.assertEqual((socket.kind, socket.options["message"], socket.options["middleware"]), ("socket", 5, [1]))
        self.assertEqual((query.kind, query.key, query.methods), (GRAPHQL, "query note", ()))
        self.assertEqual((part_of(query).sdl, part_of(query).options), ("note: String", {"writes": True}))
        self.assertEqual((part_of(scalar).kind, part_of(scalar).handler), ("scalar", None))
        self.assertEqual([entry.key for entry in registry.index("stream")], ["/live"])
        self.assertEqual([entry.key for entry in registry.index("socket")], ["/talk"])
        self.assertEqual(list(registry.index(GRAPHQL).roots), [("query", "note")])

    def test_before_the_schema(self) -> None:
        """Versions that are older than the schema serve, too."""
        self.older({"routes": OLD["routes"][:1], "middleware": []})
        (route,) = self.restored().scripts["notes0"].entries
        self.assertEqual(route.key, "/notes/:id")

    def test_real_folder(self) -> None:
        """What an older engine has written itself serves."""
        with closing(sqlite3.connect(self.folder / "main.sqlite3")) as connection:
            connection.executescript((Path(__file__).parent / "before_chains" / "main.sql").read_text("utf-8"))
        entries = [entry for script in self.restored().scripts.values() for entry in script.entries]
        self.assertEqual([entry.label for entry in entries][:2], ["POST /orders", "GET /fails"])
        self.assertEqual(entries[0].options, {"idempotent": True})

    def test_many(self) -> None:
        """All rows are rewritten, however many there are."""
        rows = [{"routes": [{**OLD["routes"][0], "pattern": f"/{number}"}], "middleware": []} for number in range(150)]
        self.older(*rows)
        self.assertEqual(len(self.restored().routes.all), 150)
