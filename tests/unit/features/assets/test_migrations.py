"""Assets that an earlier version of the engine has stored."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.assets.migrations import ASSETS
from aiwebengine.features.assets.tables import asset_key, assets
from aiwebengine.services.db.columns import key_of


class AssetStepTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.connection = sa.create_engine("sqlite://").connect()
        self.addCleanup(self.connection.close)
        for sql in (
            "CREATE TABLE blobs (digest VARCHAR(64) PRIMARY KEY)",
            "CREATE TABLE scripts (id INTEGER PRIMARY KEY, uri TEXT, current INTEGER)",
            "CREATE TABLE versions (script INTEGER, number INTEGER, grants TEXT)",
            "INSERT INTO blobs VALUES ('d')",
        ):
            self.connection.exec_driver_sql(sql)
        self.operations = Operations(MigrationContext.configure(self.connection))
        ASSETS.steps[0].upgrade(self.operations)
        self.connection.exec_driver_sql(
            "INSERT INTO assets (key, path, type, digest, size, updated_at) VALUES (?, '/a', 'a/b', 'd', 1, 2)",
            (key_of("/a"),),
        )

    def owner(self, *scripts: tuple[str, int | None, str]) -> str:
        """Take the step beside scripts with a current version and the grants of version 1, and return the owner."""
        for number, (uri, current, grants) in enumerate(scripts, start=1):
            self.connection.exec_driver_sql("INSERT INTO scripts VALUES (?, ?, ?)", (number, uri, current))
            self.connection.exec_driver_sql("INSERT INTO versions VALUES (?, 1, ?)", (number, grants))
            self.connection.exec_driver_sql("INSERT INTO versions VALUES (?, 2, '[]')", (number,))
        ASSETS.steps[1].upgrade(self.operations)
        row = cast(Any, self.connection.execute(sa.select(assets)).one())
        self.assertEqual(row.key, asset_key(row.owner, "/a"))
        self.assertEqual((row.owner_key, row.path_key), (key_of(row.owner), key_of("/a")))
        return str(row.owner)

    def test_one(self) -> None:
        """They belong to the one script that serves and may store assets."""
        self.assertEqual(self.owner(("a", 1, '["assets"]'), ("b", 1, '["logs"]'), ("c", 2, '["assets"]')), "a")

    def test_several(self) -> None:
        """If several scripts may, they belong to none."""
        self.assertEqual(self.owner(("a", 1, '["assets"]'), ("b", 1, '["assets", "logs"]')), "")

    def test_none(self) -> None:
        """If no script may, they belong to none."""
        self.assertEqual(self.owner(("a", None, '["assets"]')), "")
