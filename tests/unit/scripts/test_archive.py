"""Zips that people send."""

from __future__ import annotations

import io
import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import DeploymentRefused, EngineError, Invalid, TooLarge
from aiwebengine.scripts.archive import unzip
from aiwebengine.settings.schema import DeploySettings

SETTINGS = DeploySettings(max_source_bytes=100_000, max_total_bytes=150_000, max_files=20)


def zipped(*entries, compression=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return stream.getvalue()


class UnzipTests(SynchronousTestCase):
    def unzip(self, content):
        return unzip(content, settings=SETTINGS)

    def test_files(self):
        """Files come out by path; folders and litter do not."""
        files = self.unzip(zipped(("main.ts", b"a"), ("lib/", b""), ("lib/b.ts", b"b"), ("__MACOSX/._main.ts", b"x")))
        self.assertEqual(files, {"main.ts": b"a", "lib/b.ts": b"b"})

    def test_top_folder(self):
        """A single folder around everything is taken off."""
        self.assertEqual(
            self.unzip(zipped(("notes/main.ts", b"a"), ("notes/lib/b.ts", b"b"))), {"main.ts": b"a", "lib/b.ts": b"b"}
        )

    @pytest.mark.setting("deploy.max_total_bytes")
    def test_bomb(self):
        """A small zip that unpacks to much is stopped at the bound."""
        bomb = zipped(("main.ts", b"\0" * 5_000_000))
        self.assertLess(len(bomb), 10_000)
        self.assertRaises(TooLarge, self.unzip, bomb)
        spread = zipped(*((f"{n}.ts", b"\0" * 90_000) for n in range(10)))
        self.assertRaises(TooLarge, self.unzip, spread)

    def test_lying_header(self):
        """A header that claims a small size does not get more through."""
        content = bytearray(zipped(("main.ts", b"x" * 120_000), compression=zipfile.ZIP_STORED))
        at = content.rfind(b"PK\x01\x02")
        content[at + 24 : at + 28] = (5).to_bytes(4, "little")
        try:
            files = self.unzip(bytes(content))
        except EngineError:
            return
        self.assertLessEqual(sum(map(len, files.values())), SETTINGS.max_total_bytes)

    @pytest.mark.setting("deploy.max_files")
    def test_too_many(self):
        """More files than allowed are refused by the directory alone."""
        self.assertRaises(TooLarge, self.unzip, zipped(*((f"{n}.ts", b"") for n in range(21))))
        self.assertRaises(TooLarge, self.unzip, zipped(*((f"{n}.ts", b"") for n in range(2000))))

    def test_entries_are_counted(self):
        """A directory has as many entries as it has, whatever its end says of their number."""
        many = zipped(*((f"{n}", b"") for n in range(200)), compression=zipfile.ZIP_STORED)
        end = many.rindex(b"PK\x05\x06")
        lying = many[: end + 8] + b"\x01\x00\x01\x00" + many[end + 12 :]
        error = self.assertRaises(TooLarge, self.unzip, lying)
        self.assertIn("181 entries or more", error.public)

    def test_two_ends(self):
        """The form for very large archives has a directory of its own, and is refused."""
        many = zipped(("main.ts", b"a"))
        end = many.rindex(b"PK\x05\x06")
        self.assertRaises(Invalid, self.unzip, many[:end] + b"PK\x06\x07" + bytes(16) + many[end:])

    def test_paths_that_leave(self):
        """Absolute paths, parents and doubled names are refused, all of them told."""
        content = zipped(("../a.ts", b""), ("/etc/passwd", b""), ("a/../../b", b""), ("main.ts", b""))
        problems = self.assertRaises(DeploymentRefused, self.unzip, content).problems
        self.assertEqual([problem.file for problem in problems], ["../a.ts", "/etc/passwd", "a/../../b"])

    def test_links(self):
        """Links and devices are refused."""
        link = zipfile.ZipInfo("link.ts")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        fifo = zipfile.ZipInfo("fifo.ts")
        fifo.external_attr = (stat.S_IFIFO | 0o777) << 16
        problems = self.assertRaises(
            DeploymentRefused, self.unzip, zipped((link, b"/etc/passwd"), (fifo, b""))
        ).problems
        self.assertIn("symbolic link", problems[0].message)
        self.assertIn("not a plain file", problems[1].message)

    def test_password(self):
        """A locked zip is refused with the reason."""
        content = bytearray(zipped(("main.ts", b"x")))
        for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            content[content.find(mark) + offset] |= 1
        problems = self.assertRaises(DeploymentRefused, self.unzip, bytes(content)).problems
        self.assertIn("password", problems[0].message)

    def test_damage(self):
        """What is no zip, or a damaged one, is refused with advice."""
        good = zipped(("main.ts", b"hello hello hello"))
        for content in (b"", b"PK", b"not a zip", good[:-5]):
            self.assertRaises(Invalid, self.unzip, content)
        broken = bytearray(zipped(("main.ts", b"hello"), compression=zipfile.ZIP_STORED))
        broken[broken.find(b"hello")] ^= 1
        self.assertIn("CRC", str(self.assertRaises(Invalid, self.unzip, bytes(broken))))

    @given(st.data())
    def test_any_damage(self, data):
        """However a zip is damaged, the answer is files within bounds or a clear refusal."""
        content = bytearray(zipped(("main.ts", b"hello " * 50), ("lib/b.json", b"{}")))
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        try:
            files = self.unzip(bytes(content))
        except EngineError:
            return
        self.assertLessEqual(sum(map(len, files.values())), SETTINGS.max_total_bytes)
