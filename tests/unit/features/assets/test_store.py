"""Assets beside the scripts."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Invalid, TooLarge
from aiwebengine.features.assets.store import AssetStore
from tests.support.fakes.database import open_database
from tests.support.folders import temporary_folder


class AssetStoreTests(SynchronousTestCase):
    def setUp(self):
        folder = temporary_folder(self)
        database = open_database(folder)
        self.addCleanup(database.stopService)
        self.now = 1000
        self.assets = AssetStore(database=database, milliseconds=lambda: self.now, max_bytes=100)

    def result(self, coroutine):
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def put(self, path, content, content_type="text/plain"):
        return self.result(self.assets.store(self.assets.check(path, content_type, content)))

    def test_round_trip(self):
        """What was stored comes back with its type; storing again replaces it."""
        self.assertTrue(self.put("/logo.png", b"\x89PNG", "image/png"))
        self.now = 2000
        self.assertFalse(self.put("/logo.png", b"other", "image/webp; q=1"))
        asset = self.result(self.assets.get("/logo.png"))
        self.assertEqual((asset.content, asset.info.type, asset.info.updated_at), (b"other", "image/webp; q=1", 2000))
        self.assertEqual([info.path for info in self.result(self.assets.list_all())], ["/logo.png"])

    def test_missing(self):
        """What is not there is None, and removing it says so."""
        self.assertIsNone(self.result(self.assets.get("no")))
        self.put("yes", b"")
        self.assertFalse(self.result(self.assets.remove("no")))
        self.assertTrue(self.result(self.assets.remove("yes")))
        self.assertEqual(self.result(self.assets.list_all()), [])

    def test_names_differ_by_case(self):
        """Paths that differ only in case are two assets on every database."""
        self.put("a", b"1")
        self.put("A", b"2")
        self.assertEqual(self.result(self.assets.get("a")).content, b"1")

    def test_rules(self):
        """A bad path, a bad type or too many bytes are refused before anything is stored."""
        for path, content_type in (
            ("", "a/b"),
            ("x" * 256, "a/b"),
            ("a\nb", "a/b"),
            ("a", "nonsense"),
            ("a", "a/b\r\nx: y"),
        ):
            self.assertRaises(Invalid, self.assets.check, path, content_type, b"")
        self.assertRaises(TooLarge, self.assets.check, "a", "a/b", b"x" * 101)
        self.assertEqual(self.assets.check("a", "", b"").type, "application/octet-stream")
