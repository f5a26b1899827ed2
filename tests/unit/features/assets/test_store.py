"""Assets beside the scripts."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Conflict, EngineError, Invalid, TooLarge, TooMany
from aiwebengine.features.assets.settings import AssetSettings
from aiwebengine.features.assets.store import NewAsset, remove_all
from aiwebengine.services.db.tables import blobs
from aiwebengine.services.db.units import Transaction
from tests.support.fakes.assets import an_asset_store
from tests.support.fakes.database import open_database
from tests.support.folders import temporary_folder


class AssetStoreTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.database = open_database(temporary_folder(self))
        self.addCleanup(self.database.stopService)
        self.now = 1000
        self.assets = an_asset_store(self.database, milliseconds=lambda: self.now)

    def result(self, coroutine: Any) -> Any:
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def put(
        self, path: str, content: bytes, content_type: str = "text/plain", *, owner: str = "me", rivals: Any = None
    ) -> bool:
        put = self.assets.check(path, content_type, content)
        stored: bool = self.result(self.assets.store(owner, put, rivals or {}))
        return stored

    def refused(self, error: type[EngineError], path: str, content: bytes, *, owner: str = "me", **more: Any) -> str:
        put = self.assets.check(path, "text/plain", content)
        storing = Deferred.fromCoroutine(self.assets.store(owner, put, more.get("rivals", {})))
        return str(self.failureResultOf(storing, error).value)

    def content(self, path: str, script: str = "me") -> bytes | None:
        found = self.result(self.assets.get(script, path))
        return None if found is None else bytes(found.content)

    def write(self, script: str, changes: dict[str, NewAsset | None]) -> None:
        """Have a unit of a script change assets."""
        self.successResultOf(
            self.database.run(
                lambda c: self.assets.write(Transaction(connection=c, unit="u", now=7), script, changes, {})
            )
        )

    def test_round_trip(self) -> None:
        """What was stored comes back with its type; storing again replaces it."""
        self.assertTrue(self.put("/logo.png", b"\x89PNG", "image/png"))
        self.now = 2000
        self.assertFalse(self.put("/logo.png", b"other", "image/webp; q=1"))
        asset = self.result(self.assets.get("me", "/logo.png"))
        self.assertEqual((asset.content, asset.info.type, asset.info.updated_at), (b"other", "image/webp; q=1", 2000))
        self.assertEqual(self.result(self.assets.places()), [("me", "/logo.png")])
        self.assertEqual(self.result(self.assets.info("me", "/logo.png")), asset.info)

    def test_missing(self) -> None:
        """What is not there is None, and removing it says so."""
        self.assertIsNone(self.content("no"))
        self.put("yes", b"")
        self.assertFalse(self.result(self.assets.remove("me", "no")))
        self.assertTrue(self.result(self.assets.remove("me", "yes")))
        self.assertEqual(self.result(self.assets.list_all()), [])

    def test_names_differ_by_case(self) -> None:
        """Paths that differ only in case are two assets on every database."""
        self.put("a", b"1")
        self.put("A", b"2")
        self.assertEqual(self.content("a"), b"1")

    def test_owners(self) -> None:
        """Each script has its own assets, which no other reads, replaces or removes."""
        self.put("/a", b"mine")
        self.put("/a", b"other's", owner="other")
        self.assertEqual((self.content("/a"), self.content("/a", "other")), (b"mine", b"other's"))
        self.assertIsNone(self.content("/a", "third"))
        self.write("third", {"/a": None})
        self.write("other", {"/a": None})
        self.assertEqual((self.content("/a"), self.content("/a", "other")), (b"mine", None))
        self.assertEqual(self.result(self.assets.list_paths("third")), [])
        self.assertEqual(self.result(self.assets.owners("/a")), ["me"])

    def test_nobodys(self) -> None:
        """What belongs to nobody is read by all, and becomes the property of the first that stores something there."""
        self.put("/a", b"nobody's", owner="")
        self.assertEqual((self.content("/a"), self.content("/a", "other")), (b"nobody's", b"nobody's"))
        self.assertEqual(self.result(self.assets.list_paths("other")), ["/a"])
        self.put("/a", b"mine")
        self.assertEqual((self.content("/a"), self.content("/a", "other")), (b"mine", None))
        self.put("/b", b"nobody's", owner="")
        self.write("other", {"/b": None})
        self.assertIsNone(self.content("/b"))

    def test_same_address(self) -> None:
        """What would be served at the same address as another script's asset is refused, and nothing is stored."""
        self.put("/shop/a", b"1", owner="site")
        rivals = {"/shop/a": frozenset({"site"}), "/a": frozenset({"shops"})}
        self.assertIn('script "site"', self.refused(Conflict, "/a", b"2", owner="shop", rivals=rivals))
        self.assertIsNone(self.content("/a", "shop"))
        self.put("/b", b"2", owner="shop", rivals={"/shop/b": frozenset({"site"})})

    def test_purge(self) -> None:
        """All that a script has stored goes with it, and its bytes with the last that has them."""
        self.put("/a", b"a")
        self.put("/b", b"shared")
        self.put("/b", b"shared", owner="other")
        self.successResultOf(self.database.run(lambda c: remove_all(c, "me")))
        self.assertEqual(self.result(self.assets.places()), [("other", "/b")])
        count = sa.select(sa.func.count()).select_from(blobs)
        self.assertEqual(self.successResultOf(self.database.read(lambda c: c.execute(count).scalar())), 1)

    @pytest.mark.setting("assets.max_count")
    def test_most(self) -> None:
        """A script stores no more assets than it may; replacing one is no more."""
        self.assets = an_asset_store(self.database, settings=AssetSettings(max_count=2))
        self.put("/a", b"1")
        self.put("/b", b"1")
        self.put("/b", b"2")
        self.refused(TooMany, "/c", b"1")
        self.put("/c", b"1", owner="other")
        self.assertIsNone(self.content("/c"))

    @pytest.mark.setting("assets.max_total_bytes")
    def test_most_bytes(self) -> None:
        """A script stores no more bytes than it may."""
        self.assets = an_asset_store(self.database, max_bytes=2000, settings=AssetSettings(max_total_bytes=1024))
        self.put("/a", b"x" * 1000)
        self.refused(TooLarge, "/b", b"x" * 1000)
        self.put("/a", b"x" * 1024)

    def test_rules(self) -> None:
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
