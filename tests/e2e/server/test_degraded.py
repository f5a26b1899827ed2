"""What goes on when something is missing, and what does not: docs/explain/degraded-modes.md."""

from __future__ import annotations

import os
import signal
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
import sqlalchemy as sa
from sqlalchemy import event

from aiwebengine.features.codegen.settings import CodegenSettings
from aiwebengine.services.db import connect
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.script_files import path_of
from aiwebengine.settings.schema import BuildSettings
from tests.support.engine import EngineUnderTest, Reply, running_engine, settings_for
from tests.support.waiting import until

PLAIN = 'registerWebHandler("/%s", function () { console.log("served"); return "%s"; });'
KEEPS = """
registerWebHandler("/keep", function () {
  upsertAsset("/note.txt", "text/plain", btoa("kept"));
  return "kept";
}, { method: "POST" });
"""
MAKES = """
registerWebHandler("/made", function () {
  try { return new Function("return 1")(); }
  catch (error) { return error.name + " " + error.code + " " + error.message; }
});
"""
TYPESCRIPT = "registerWebHandler('/ts', (): string => 'ts');"

MAY_MAKE = CodegenSettings(allow="all")


def database_of(engine: EngineUnderTest, name: str) -> Database:
    """Return the main or the evidence database."""
    inside: Any = engine.engine
    database: Database = inside.deployer._store._database if name == "main" else inside.logs._rows._database
    return database


@contextmanager
def replaced(database: Database, url: str, *pragmas: str) -> Iterator[None]:
    """Have the database reached in another way for the length of a `with` block."""
    other = sa.create_engine(url, connect_args={"check_same_thread": False})

    @event.listens_for(other, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(other, "begin")
    def begin(connection: Any) -> None:
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    engine, database._engine = database._engine, other
    try:
        yield
    finally:
        database._engine = engine
        other.dispose()


def gone(database: Database) -> Any:
    """Have nothing where the database was."""
    return replaced(database, "sqlite:////nonexistent/folder/gone.sqlite3")


def read_only(database: Database) -> Any:
    """Have it open for reading."""
    return replaced(database, f"sqlite:///file:{database._url.database}?mode=ro&uri=true")


def full(database: Database) -> Any:
    """Have no room for another page."""
    with closing(sqlite3.connect(str(database._url.database))) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    return replaced(database, str(database._url), f"max_page_count = {pages}")


async def get(engine: EngineUnderTest, path: str) -> Reply:
    """Ask for a path."""
    return await engine.request("GET", path)


async def put(engine: EngineUnderTest, uri: str, source: str, name: str = "main.js") -> Reply:
    """Deploy one file."""
    return await engine.api("PUT", f"/script?uri={uri}", {"files": {name: source}})


async def health(engine: EngineUnderTest) -> tuple[int, Any]:
    """Ask whether it is ready."""
    reply = await get(engine, "/health/ready")
    return reply.status, reply.json()


def unavailable(reply: Reply) -> None:
    """Expect a refusal that says when to come back."""
    assert (reply.status, reply.json()["code"]) == (503, "unavailable"), reply.text
    assert int(reply.headers["retry-after"]) >= 1


async def without_build(engine: EngineUnderTest) -> None:
    """Expect what goes on without a build worker."""
    assert (await get(engine, "/before")).text == "before"
    accepted = await put(engine, "plain", PLAIN % ("plain", "plain"))
    assert accepted.status == 201
    assert accepted.json()["warnings"][0]["code"] == "unchecked"
    assert (await get(engine, "/plain")).text == "plain"
    refused = await put(engine, "ts", TYPESCRIPT, "main.ts")
    assert (refused.status, refused.json()["problems"][0]["code"]) == (422, "no_build")
    assert (await put(engine, "maker", MAKES)).status in {200, 201}
    made = await get(engine, "/made")
    assert "HostError unavailable" in made.text
    assert "build worker" in made.text


@pytest_twisted.ensureDeferred
async def test_build_worker_crashes() -> None:
    """A worker that cannot live is left alone; what serves serves, and plain scripts are deployed."""
    with tempfile.TemporaryDirectory() as folder:
        node = Path(folder) / "node"
        node.write_text("#!/bin/sh\nexit 3\n")
        node.chmod(0o700)
        settings = settings_for(Path(folder) / "data", build=BuildSettings(node=str(node)), codegen=MAY_MAKE)
        async with running_engine(settings) as engine:
            assert (await put(engine, "before", PLAIN % ("before", "before"))).status == 201
            await without_build(engine)
            status, answer = await health(engine)
            assert (status, answer["status"], answer["breakers"]["build worker"]) == (200, "degraded", "open")
            state = (await engine.api("GET", "/state")).json()
            assert state["dependencies"]["build worker"]["state"] == "open"
            assert state["dependencies"]["build worker"]["why"]
            starts = state["build"]["starts"]
            await without_build_again(engine)
            assert (await engine.api("GET", "/state")).json()["build"]["starts"] == starts


async def without_build_again(engine: EngineUnderTest) -> None:
    """Expect the same of the next deployment, at once."""
    assert (await put(engine, "plain", PLAIN % ("plain", "again"))).status == 200
    assert (await get(engine, "/plain")).text == "again"


@pytest_twisted.ensureDeferred
async def test_node_gone() -> None:
    """Without node what serves serves, and plain scripts are deployed."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder), build=BuildSettings(node="/nonexistent/node"), codegen=MAY_MAKE)
        async with running_engine(settings) as engine:
            assert (await put(engine, "before", PLAIN % ("before", "before"))).status == 201
            await without_build(engine)
            assert (await health(engine))[0] == 200


@pytest_twisted.ensureDeferred
async def test_main_database_gone() -> None:
    """Without the main database what is loaded serves, what needs it is refused at once, and it is found again."""
    async with running_engine() as engine:
        assert (await put(engine, "before", PLAIN % ("before", "before"))).status == 201
        await engine.deploy("keeps", {"main.js": KEEPS}, grants=["assets"])
        assert (await get(engine, "/before")).text == "before"
        with gone(database_of(engine, "main")):
            for _ in range(3):
                unavailable(await engine.api("GET", "/script/history?uri=before"))
            assert (await get(engine, "/before")).text == "before"
            unavailable(await put(engine, "other", PLAIN % ("other", "other")))
            assert (await engine.request("POST", "/keep")).status == 503
            status, answer = await health(engine)
            assert (status, answer["parts"]["database"], answer["breakers"]["main database"]) == (503, False, "open")
            assert (await get(engine, "/health/live")).status == 200

        async def back() -> bool:
            return (await health(engine))[0] == 200

        # Nobody asks: the server looks by itself.
        await until(back)
        assert (await put(engine, "other", PLAIN % ("other", "other"))).status == 201
        assert (await engine.request("POST", "/keep")).text == "kept"


@pytest_twisted.ensureDeferred
async def test_main_database_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program holds the main database what only reads goes on, what writes is refused."""
    monkeypatch.setattr(connect, "BUSY_MILLISECONDS", 10)
    async with running_engine() as engine:
        assert (await put(engine, "before", PLAIN % ("before", "before"))).status == 201
        await engine.deploy("keeps", {"main.js": KEEPS}, grants=["assets"])
        with closing(sqlite3.connect(engine.folder / "main.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await only_reads(engine)
            other.execute("ROLLBACK")
        await writes_again(engine)


@pytest.mark.parametrize("state", [read_only, full])
@pytest_twisted.ensureDeferred
async def test_main_database_not_writable(state: Any) -> None:
    """When the main database is read-only or its disk full, what only reads goes on, what writes is refused."""
    async with running_engine() as engine:
        assert (await put(engine, "before", PLAIN % ("before", "before"))).status == 201
        await engine.deploy("keeps", {"main.js": KEEPS}, grants=["assets"])
        with state(database_of(engine, "main")):
            await only_reads(engine)
        await writes_again(engine)


@pytest_twisted.ensureDeferred
async def test_database_of_one_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database of a script is locked or the main one is away, other scripts go on storing."""
    monkeypatch.setattr(connect, "BUSY_MILLISECONDS", 10)
    async with running_engine() as engine:
        for name in ("one", "two"):
            source = f'registerWebHandler("/{name}", () => kv.increment("count"), "POST");'
            assert (await put(engine, name, source)).status == 201
            assert (await engine.request("POST", f"/{name}")).text == "1"
        with closing(sqlite3.connect(path_of(engine.folder / "scripts", "one"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            unavailable(await engine.request("POST", "/one"))
            assert (await engine.request("POST", "/two")).text == "2"
            status, told = await health(engine)
            assert (status, told["status"]) == (200, "ok")
            other.execute("ROLLBACK")
        with gone(database_of(engine, "main")):
            assert (await engine.request("POST", "/two")).text == "3"
        assert (await engine.request("POST", "/one")).text == "2"


async def only_reads(engine: EngineUnderTest) -> None:
    """Expect what goes on when nothing can be written."""
    assert (await get(engine, "/before")).text == "before"
    assert (await engine.api("GET", "/script/history?uri=before")).status == 200
    ballast = "/* " + "x" * 20_000 + os.urandom(20_000).hex() + " */"
    unavailable(await put(engine, "other", PLAIN % ("other", "other") + ballast))
    unavailable(await engine.api("PUT", "/asset?path=/big.txt", ballast))
    status, answer = await health(engine)
    assert (status, answer["status"], answer["parts"]["database"]) == (200, "degraded", True)
    assert "nothing was changed" in answer["failingWrites"]["main database"]


async def writes_again(engine: EngineUnderTest) -> None:
    """Expect everything again, soon."""

    async def deployed() -> bool:
        return (await put(engine, "other", PLAIN % ("other", "other"))).status in {200, 201}

    await until(deployed)
    assert (await get(engine, "/other")).text == "other"
    assert (await engine.request("POST", "/keep")).text == "kept"
    assert (await health(engine))[1]["failingWrites"] == {}


@pytest.mark.parametrize("state", [gone, read_only, full])
@pytest_twisted.ensureDeferred
async def test_evidence_database(state: Any) -> None:
    """Whatever is wrong with the evidence database, scripts serve and are deployed; lines are counted and dropped."""
    async with running_engine() as engine:
        assert (await put(engine, "before", PLAIN % ("before", "before"))).status == 201
        with state(database_of(engine, "evidence")):
            for _ in range(3):
                assert [(await get(engine, "/before")).text for _ in range(60)] == ["before"] * 60
                await engine.engine.logs.flush()
            assert (await put(engine, "other", PLAIN % ("other", "other"))).status == 201
            reply = await engine.api("GET", "/logs")
            if state is gone:
                unavailable(reply)
            else:
                assert reply.status == 200
            assert (await engine.api("GET", "/state")).json()["logs"]["dropped"] > 0
            assert (await health(engine))[0] == 200

        async def kept() -> bool:
            await get(engine, "/other")
            reply = await engine.api("GET", "/logs?uri=other")
            return reply.status == 200 and bool(reply.json()["lines"])

        await until(kept)


@pytest_twisted.ensureDeferred
async def test_zygote_gone() -> None:
    """When the sandbox dies, the management API goes on, and requests for scripts wait until it is back."""
    async with running_engine() as engine:
        assert (await put(engine, "before", PLAIN % ("before", "before"))).status == 201
        assert (await get(engine, "/before")).text == "before"
        os.kill(engine.engine.zygote.pid, signal.SIGKILL)

        await until(lambda: not engine.engine.zygote.ready)
        assert (await engine.api("GET", "/scripts")).status == 200
        status, answer = await health(engine)
        assert (status, answer["parts"]) == (503, {"sandbox": False, "database": True})
        assert (await get(engine, "/before")).text == "before"
        assert (await health(engine))[0] == 200
