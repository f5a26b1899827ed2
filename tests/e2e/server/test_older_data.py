"""A data folder of an older engine: its scripts go on serving, with nothing built or run again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest_twisted

from tests.support.clients.listening import listen
from tests.support.clients.websocket import connect
from tests.support.engine import running_engine, settings_for

SCRIPT = """
use((req, ctx, next) => next());
registerWebHandler("/notes/:id", (req) => "note " + req.params.id, { timeout: "2s" });
registerWebStream("/live", { history: 5, onConnect: () => "hello" });
registerWebSocket("/echo", { message: (ws, data) => ws.send("you said " + data) });
registerScalar("Day", { serialize: (value) => value + "!" });
registerQueryHandler("today", "today: Day", () => "monday");
registerSubscriptionHandler("ticks", "ticks: Int");
"""


def older(registered: dict[str, Any]) -> dict[str, Any]:
    """Return what a version has registered as it was stored before every registration was an entry."""
    paths = [entry for entry in registered["entries"] if entry["kind"] != "graphql"]
    parts = [entry for entry in registered["entries"] if entry["kind"] == "graphql"]
    return {
        "routes": [
            {
                "methods": entry["methods"],
                "pattern": entry["key"],
                "handler": entry["handler"],
                "options": entry["options"] if entry["kind"] == "route" else {entry["kind"]: entry["options"]},
                "place": entry["place"],
            }
            for entry in paths
        ],
        "middleware": registered["middleware"],
        "schema": [{**part["options"], "handler": part["handler"], "place": part["place"]} for part in parts],
    }


@pytest_twisted.ensureDeferred
async def test_registrations() -> None:
    """Routes, streams, WebSockets and the schema of a version that was stored in the older form serve."""
    with tempfile.TemporaryDirectory(prefix="older-") as folder:
        settings = settings_for(Path(folder))
        async with running_engine(settings) as engine:
            done = await engine.deploy("all", {"main.ts": SCRIPT})
            counts = {group["kind"]: len(group["entries"]) for group in done["script"]["registered"]}
            assert counts == {"route": 1, "stream": 1, "socket": 1, "graphql": 3}
        with closing(sqlite3.connect(Path(folder) / "main.sqlite3")) as database, database:
            ((text,),) = database.execute("SELECT registered FROM versions").fetchall()
            database.execute("UPDATE versions SET registered = ?", (json.dumps(older(json.loads(text))),))
            database.execute("UPDATE scripts_version SET revision = '0001'")
            database.execute("ALTER TABLE versions DROP COLUMN origin")
        async with running_engine(settings) as engine:
            assert (await engine.request("GET", "/notes/7")).text == "note 7"
            listener = await listen(engine, "/live")
            assert await listener.has(1) == ["hello"]
            listener.leave()
            client = await connect(engine, "/echo")
            client.say("hi")
            await client.until(lambda: client.texts == ["you said hi"])
            query = json.dumps({"query": "{ today }"})
            reply = await engine.request("POST", "/graphql", {"content-type": "application/json"}, query)
            assert reply.json() == {"data": {"today": "monday!"}}
            found = (await engine.api("GET", "/script?uri=all")).json()["registered"]
            assert [entry["name"] for group in found for entry in group["entries"]] == [
                "GET /notes/:id",
                "GET /live",
                "GET /echo",
                "scalar Day",
                "query today",
                "subscription ticks",
            ]


SENDER = """
registerWebStream("/news");
registerWebSocket("/echo", {});
registerWebHandler("/", async () => await kv.get("note"));
sendStreamMessage("up");
sendSocketMessage("all", new Uint8Array([104, 105]));
export async function init() {
  await kv.set("note", { by: "init" });
  await kv.list();
}
"""
OLDER_CALLS: dict[str, tuple[str, Callable[..., list[Any]]]] = {
    "sendStreamMessage": ("stream.send", lambda data: [data, None]),
    "sendSocketMessage": ("socket.publish", lambda topic, data: [topic, data["base64"], None, True]),
    "kv.set": ("kv.set", lambda key, value: [key, value, None]),
    "kv.list": ("kv.list", lambda: [None]),
}
"""What was written down of calls before their names were those of JavaScript."""


def with_older_calls(database: sqlite3.Connection) -> set[str]:
    """Rewrite the only journal in the way of an older engine; the calls that it has now."""
    journals = "SELECT digest FROM version_files WHERE role = 'replay'"
    query = f"SELECT digest, packing, data FROM blobs WHERE digest IN ({journals})"
    ((digest, packing, data),) = database.execute(query).fetchall()
    journal = json.loads(zlib.decompress(data) if packing == "zlib" else data)
    for call in journal["calls"]:
        if call[0] in OLDER_CALLS:
            name, make = OLDER_CALLS[call[0]]
            call[:2] = name, json.dumps(make(*json.loads(call[1])), separators=(",", ":"))
    content = json.dumps(journal, separators=(",", ":")).encode()
    made = hashlib.sha256(content).hexdigest()
    database.execute("INSERT INTO blobs VALUES (?, 'raw', ?)", (made, content))
    database.execute("UPDATE version_files SET digest = ? WHERE role = 'replay'", (made,))
    database.execute("DELETE FROM blobs WHERE digest = ?", (digest,))
    return {call[0] for call in journal["calls"]}


@pytest_twisted.ensureDeferred
async def test_calls_of_the_top_level() -> None:
    """A script whose top level and `init` have made calls under their older names loads and serves."""
    with tempfile.TemporaryDirectory(prefix="older-") as folder:
        settings = settings_for(Path(folder))
        async with running_engine(settings) as engine:
            await engine.deploy("sender", {"main.ts": SENDER})
        with closing(sqlite3.connect(Path(folder) / "main.sqlite3")) as database, database:
            assert {"stream.send", "socket.publish", "kv.set", "kv.list"} <= with_older_calls(database)
            database.execute("UPDATE scripts_version SET revision = '0002'")
            database.execute("ALTER TABLE versions DROP COLUMN origin")
        async with running_engine(settings) as engine:
            reply = await engine.request("GET", "/")
            assert (reply.status, reply.text) == (200, '{"by":"init"}')
