"""The bytes of files that are served."""

from __future__ import annotations

import gzip
import hashlib
import os
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import NotFound, Unavailable
from aiwebengine.features.assets.contents import GZIP, SMALL_BYTES, Content, Contents
from aiwebengine.features.assets.settings import AssetSettings
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder

LARGE = os.urandom(SMALL_BYTES) + b"end"


class ContentsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = temporary_folder(self) / "asset-cache"
        self.stored: dict[str, bytes] = {}
        self.reads: list[Deferred[dict[str, bytes]]] = []
        self.held = False
        self.now = 2_000_000_000.0
        self.make(AssetSettings())

    def make(self, settings: AssetSettings) -> None:
        self.contents = Contents(
            read=self.read,
            threads=ThreadsInTurn(),
            packing=ThreadsInTurn(),
            folder=self.folder,
            settings=settings,
            now=lambda: self.now,
        )

    def read(self, work: Any) -> Deferred[dict[str, bytes]]:
        self.reads.append(Deferred() if self.held else succeed(self.stored))
        return self.reads[-1]

    def store(self, data: bytes) -> tuple[str, int]:
        digest = hashlib.sha256(data).hexdigest()
        self.stored[digest] = data
        return digest, len(data)

    def open(self, data: bytes, coding: str = "") -> Content:
        content: Content = self.successResultOf(Deferred.fromCoroutine(self.contents.open(*self.store(data), coding)))
        return content

    def whole(self, content: Content) -> bytes:
        parts = []
        while part := self.successResultOf(content.read(sum(map(len, parts)), 50_000)):
            parts.append(part)
        content.close()
        return b"".join(parts)

    def copies(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.exists() else []

    def test_small(self) -> None:
        """A small file is read once and kept in memory."""
        for _ in range(2):
            self.assertEqual(self.whole(self.open(b"small")), b"small")
        self.assertEqual((len(self.reads), self.copies()), (1, []))

    def test_large(self) -> None:
        """A large file is copied once, under its hash, and read from the copy, also by another process."""
        for _ in range(2):
            self.assertEqual(self.whole(self.open(LARGE)), LARGE)
        self.make(AssetSettings())
        content = self.open(LARGE)
        self.assertEqual(content.size, len(LARGE))
        self.assertEqual(self.successResultOf(content.read(SMALL_BYTES, 100)), b"end")
        content.close()
        self.assertEqual((len(self.reads), self.copies()), (1, [hashlib.sha256(LARGE).hexdigest()]))

    def test_gzip(self) -> None:
        """A file is compressed once, in memory or as a copy."""
        for data in (b"words " * 1000, LARGE):
            for _ in range(2):
                self.assertEqual(gzip.decompress(self.whole(self.open(data, GZIP))), data)
        self.assertEqual(len(self.reads), 2)
        self.assertEqual(self.copies(), [hashlib.sha256(LARGE).hexdigest() + ".gzip"])

    def test_at_the_same_time(self) -> None:
        """Clients that ask for a file while it is made ready wait for it, and it is made ready once."""
        self.held = True
        waiting = [Deferred.fromCoroutine(self.contents.open(*self.store(b"small"))) for _ in range(3)]
        self.assertEqual(len(self.reads), 1)
        self.reads[0].callback(self.stored)
        self.assertEqual([self.whole(self.successResultOf(opening)) for opening in waiting], [b"small"] * 3)

    def test_failures(self) -> None:
        """All who wait are told of a failure, and the next one tries again."""
        self.held = True
        waiting = [Deferred.fromCoroutine(self.contents.open(*self.store(b"small"))) for _ in range(2)]
        self.reads[0].errback(Unavailable("away", retry_seconds=1.0))
        for opening in waiting:
            self.failureResultOf(opening, Unavailable)
        self.held = False
        self.assertEqual(self.whole(self.open(b"small")), b"small")
        self.failureResultOf(Deferred.fromCoroutine(self.contents.open("0" * 64, 5)), NotFound)

    def test_no_room(self) -> None:
        """Where no copy can be made, the client is told to come back, and nothing is left half made."""
        self.folder = self.folder / "of a folder that is not there"
        self.make(AssetSettings())
        opening = Deferred.fromCoroutine(self.contents.open(*self.store(LARGE)))
        self.assertIn("asset-cache", str(self.failureResultOf(opening, Unavailable).value))

    @pytest.mark.setting("assets.memory_bytes")
    def test_memory(self) -> None:
        """What was used longest ago leaves the memory first."""
        self.make(AssetSettings(memory_bytes=10))
        for data in (b"first", b"second", b"second", b"first"):
            self.open(data)
        self.assertEqual(len(self.reads), 3)
        self.assertLessEqual(self.contents.state()["keptBytes"], 10)

    @pytest.mark.setting("assets.cache_bytes")
    def test_disk(self) -> None:
        """The copies that were opened longest ago make room for new ones; who has one open reads it to its end."""
        self.make(AssetSettings(cache_bytes=2 * len(LARGE) + 10))
        files = [LARGE + bytes([number]) for number in range(3)]
        opened = [self.open(data) for data in files[:2]]
        for data, at in zip(files, (2000, 1000), strict=False):
            os.utime(self.folder / hashlib.sha256(data).hexdigest(), (at, at))
        self.open(files[2]).close()
        expected = sorted(hashlib.sha256(data).hexdigest() for data in (files[0], files[2]))
        self.assertEqual(self.copies(), expected)
        self.assertEqual([self.whole(content) for content in opened], files[:2])

    def test_left_half_made(self) -> None:
        """What a process that was killed has left half made is removed when it is old."""
        self.open(LARGE).close()
        (self.folder / "abc.1.part").write_bytes(b"x")
        os.utime(self.folder / "abc.1.part", (self.now - 10, self.now - 10))
        self.open(LARGE + b"1").close()
        self.assertIn("abc.1.part", self.copies())
        self.now += 3600
        self.open(LARGE + b"2").close()
        self.assertNotIn("abc.1.part", self.copies())
