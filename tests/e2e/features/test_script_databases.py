"""A feature that keeps something in the database of each script, as packages of others can."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
import pytest_twisted
import sqlalchemy as sa

from aiwebengine.feature import Feature
from aiwebengine.features.all import FEATURES
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.db.script_files import path_of
from aiwebengine.services.db.units import Transaction
from aiwebengine.services.outbox import OutboxMessage
from aiwebengine.values import Answer
from aiwebengine.web.api.call import ApiCall, as_json
from aiwebengine.web.api.route import ApiRoute
from tests.support.engine import running_engine, settings_for
from tests.support.waiting import until

_FIRST = Step(revision="0001", upgrade=lambda op: op.create_table("notes", sa.Column("text", sa.String(100))))
_SECOND = Step(revision="0002", upgrade=lambda op: op.add_column("notes", sa.Column("stars", sa.Integer)))
_notes = sa.table("notes", sa.column("text"))


class Notes:
    """The feature's routes."""

    def __init__(self, machinery: Machinery) -> None:
        self._machinery = machinery
        self.delivered: list[str] = []
        self.open = True

    def routes(self) -> list[ApiRoute]:
        """See `web.api.route.ApiResource`."""
        return [ApiRoute("GET", "/engine/api/notes", self.read), ApiRoute("POST", "/engine/api/notes", self.write)]

    async def write(self, call: ApiCall) -> Answer:
        """Keep a note, and have it delivered."""
        text = call.required("text")

        def work(transaction: Transaction) -> None:
            transaction.connection.execute(sa.insert(_notes).values(text=text))
            transaction.publish("note", text)

        database = self._machinery.script_databases.of(call.required("uri"))
        await database.commit(self._machinery.base.new_id(), work)
        return as_json({"written": text})

    async def read(self, call: ApiCall) -> Answer:
        """Return all notes of a script, and what was delivered."""
        query = sa.select(_notes.c.text)
        database = self._machinery.script_databases.of(call.required("uri"))
        found = await database.read(lambda connection: list(connection.execute(query).scalars()))
        return as_json({"notes": found, "delivered": self.delivered})

    def deliver(self, message: OutboxMessage) -> None:
        """Take a message."""
        if not self.open:
            raise ValueError("closed")
        self.delivered.append(message.payload)


def _feature(monkeypatch: pytest.MonkeyPatch, *steps: Step) -> tuple[Feature, list[Notes]]:
    """Return the feature as a package would have it, and where its running parts can be found."""
    made: list[Notes] = []

    def build(machinery: Machinery) -> Parts:
        made.append(Notes(machinery))
        return Parts(api=[made[-1]], deliver={"note": made[-1].deliver})

    module = ModuleType("notes_of_scripts")
    vars(module).update(NOTES=MigrationChain(name="notes", steps=steps), build=build)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    feature = Feature(name="notes", parts="notes_of_scripts:build", migrations={"script": ["notes_of_scripts:NOTES"]})
    return feature, made


@pytest_twisted.ensureDeferred
async def test_kept_and_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each script has its own file, what is published with a commit arrives, and a later version migrates each file."""
    feature, made = _feature(monkeypatch, _FIRST)
    settings = settings_for(tmp_path)
    async with running_engine(settings, features=[*FEATURES, feature]) as engine:
        for uri, text in (("a", "one"), ("b", "two"), ("a", "three")):
            assert (await engine.api("POST", f"/notes?uri={uri}&text={text}")).status == 200
        assert (await engine.api("GET", "/notes?uri=b")).json()["notes"] == ["two"]
        await until(lambda: sorted(made[0].delivered) == ["one", "three", "two"])
        state = (await engine.api("GET", "/state")).json()
        assert state["scriptDatabases"]["open"] == 2
        made[0].open = False
        assert (await engine.api("POST", "/notes?uri=b&text=late")).status == 200
    feature, made = _feature(monkeypatch, _FIRST, _SECOND)
    async with running_engine(settings, features=[*FEATURES, feature]) as engine:
        # Only the file in which something waits is opened; the other is migrated when it is used.
        await until(lambda: made[0].delivered == ["late"])
        assert _revision(tmp_path, "b") == "0002"
        assert _revision(tmp_path, "a") == "0001"
        assert (await engine.api("GET", "/notes?uri=a")).json()["notes"] == ["one", "three"]
        assert _revision(tmp_path, "a") == "0002"


def _revision(folder: Path, uri: str) -> str:
    with closing(sqlite3.connect(path_of(folder / "scripts", uri))) as connection:
        return str(connection.execute("SELECT revision FROM _notes_version").fetchone()[0])
