"""Recordings that an earlier version of the engine has written."""

from __future__ import annotations

import json
import zlib
from typing import Any, cast

import sqlalchemy as sa
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.recordings.migrations import RECORDINGS
from tests.unit.services.db.test_calls_step import NEW, OLD


class RecordingStepTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.connection = sa.create_engine("sqlite://").connect()
        self.addCleanup(self.connection.close)
        self.connection.execute(sa.text("CREATE TABLE recordings (id INTEGER PRIMARY KEY, document BLOB)"))

    def get_bind(self) -> sa.Connection:
        """Return the connection, as Alembic's operations do."""
        return self.connection

    def test_calls_are_renamed(self) -> None:
        """A recording can be replayed by the engine that makes the calls under their new names."""
        document = {"calls": OLD, "whole": True}
        for number, message in enumerate((document, {"calls": []}), start=1):
            row = (number, zlib.compress(json.dumps(message).encode()))
            self.connection.exec_driver_sql("INSERT INTO recordings VALUES (?, ?)", row)
        [step] = RECORDINGS.after("0001")
        step.upgrade(cast(Any, self))
        rows = self.connection.exec_driver_sql("SELECT document FROM recordings ORDER BY id").scalars()
        self.assertEqual(
            [json.loads(zlib.decompress(row)) for row in rows], [{"calls": NEW, "whole": True}, {"calls": []}]
        )
