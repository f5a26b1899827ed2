"""Bytes by content."""

from __future__ import annotations

import sqlalchemy as sa
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.assets.store import NewAsset
from aiwebengine.services.db import blobs
from aiwebengine.services.db.tables import blobs as table
from aiwebengine.services.db.units import Transaction
from tests.support.fakes.assets import an_asset_store
from tests.support.fakes.database import open_database
from tests.support.folders import temporary_folder


def by_address(*contents):
    return {blobs.digest_of(content): content for content in contents}


class BlobTests(SynchronousTestCase):
    def setUp(self):
        folder = temporary_folder(self)
        self.database = open_database(folder)
        self.addCleanup(self.database.stopService)

    def run_it(self, work):
        return self.successResultOf(self.database.run(work))

    def rows(self):
        return self.run_it(lambda c: c.execute(sa.select(sa.func.count()).select_from(table)).scalar())

    def test_round_trip(self):
        """Bytes come back as they went in, packed or not, and the same ones are stored once."""
        contents = by_address(b"", b"short", b"long " * 1000, bytes(range(256)) * 8)
        self.run_it(lambda c: blobs.put(c, contents))
        self.run_it(lambda c: blobs.put(c, contents))
        self.assertEqual(self.rows(), 4)
        self.assertEqual(self.run_it(lambda c: blobs.get(c, [*contents, "missing"])), contents)

    def test_many(self):
        """More of them than one query can name are stored and read."""
        contents = by_address(*(str(number).encode() for number in range(1000)))
        self.run_it(lambda c: blobs.put(c, contents))
        self.assertEqual(self.run_it(lambda c: blobs.get(c, contents)), contents)

    def test_unused_ones_go(self):
        """What nothing refers to any longer is removed; what an asset holds stays."""
        kept, gone = by_address(b"kept"), by_address(b"gone")
        self.run_it(lambda c: blobs.put(c, gone))
        asset = NewAsset(path="a", type="text/plain", content=b"kept")
        assets = an_asset_store(self.database)
        self.run_it(lambda c: assets.write(Transaction(connection=c, unit="u", now=1), "script", {"a": asset}, {}))
        self.assertEqual(self.run_it(lambda c: blobs.drop_unused(c, [*kept, *gone])), 1)
        self.assertEqual(self.run_it(lambda c: blobs.get(c, [*kept, *gone])), kept)

    def test_used_by_a_feature_that_is_left_out(self):
        """What a table refers to that this server does not know is kept, and the others go all the same."""
        contents = by_address(b"kept", b"gone", b"also gone")
        self.run_it(lambda c: blobs.put(c, contents))
        self.run_it(lambda c: c.exec_driver_sql("CREATE TABLE avatars (digest VARCHAR(64) REFERENCES blobs (digest))"))
        self.run_it(lambda c: c.exec_driver_sql("INSERT INTO avatars VALUES (?)", (blobs.digest_of(b"kept"),)))
        self.run_it(lambda c: c.exec_driver_sql("DROP TABLE assets"))
        self.assertEqual(self.run_it(lambda c: blobs.drop_unused(c, contents)), 2)
        self.assertEqual(self.run_it(lambda c: blobs.get(c, contents)), by_address(b"kept"))
