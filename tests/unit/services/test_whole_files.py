"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.services.whole_files import replacing, write_whole
from tests.support.folders import temporary_folder


class WholeFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = temporary_folder(self)
        self.path = self.folder / "kept"

    def names(self) -> list[str]:
        """Return what lies in the folder."""
        return sorted(path.name for path in self.folder.iterdir())

    def mode(self) -> int:
        """Return the permissions of the file."""
        return stat.S_IMODE(self.path.stat().st_mode)

    def test_new_and_replaced(self):
        """A file is made, and replaced by another one: who has the old one open goes on reading that."""
        write_whole(self.path, b"old")
        with self.path.open("rb") as reading:
            write_whole(self.path, b"new")
            self.assertEqual(reading.read(), b"old")
        self.assertEqual(self.path.read_bytes(), b"new")
        self.assertEqual(self.names(), ["kept"])

    def test_permissions(self):
        """A file is for its owner only unless the caller says otherwise, whatever the umask and the old file say."""
        self.path.write_bytes(b"old")
        self.path.chmod(0o644)
        write_whole(self.path, b"new")
        self.assertEqual(self.mode(), 0o600)
        before = os.umask(0o077)
        self.addCleanup(os.umask, before)
        write_whole(self.path, b"new", mode=0o644)
        self.assertEqual(self.mode(), 0o644)

    def test_private_from_the_beginning(self):
        """Nobody else can read the draft either."""
        with replacing(self.path) as draft:
            self.assertEqual(stat.S_IMODE(draft.stat().st_mode), 0o600)

    def test_failure_in_the_middle(self):
        """If writing fails, the old file is still there and the draft is not."""
        write_whole(self.path, b"old")

        def half(draft):
            draft.write_bytes(b"ne")
            raise OSError(28, "No space left on device")

        def run():
            with replacing(self.path) as draft:
                half(draft)

        self.assertRaises(OSError, run)
        self.assertEqual(self.path.read_bytes(), b"old")
        self.assertEqual(self.names(), ["kept"])

    def test_failed_sync(self):
        """What the disk did not take does not get the file's name."""
        write_whole(self.path, b"old")
        with mock.patch("os.fsync", side_effect=OSError(5, "Input/output error")):
            self.assertRaises(OSError, write_whole, self.path, b"new")
        self.assertEqual(self.path.read_bytes(), b"old")
        self.assertEqual(self.names(), ["kept"])

    def test_interrupted(self):
        """An exception that is no error leaves nothing behind either."""

        def run():
            with replacing(self.path):
                raise KeyboardInterrupt

        self.assertRaises(KeyboardInterrupt, run)
        self.assertEqual(self.names(), [])

    def test_leftover_draft(self):
        """A draft that a killed process has left is no obstacle, and gives nothing of itself to the file."""
        (self.folder / "kept.new").write_bytes(b"a long rest of something else")
        write_whole(self.path, b"new")
        self.assertEqual(self.path.read_bytes(), b"new")
        self.assertEqual(self.names(), ["kept"])

    def test_draft_is_no_link(self):
        """A link in the place of the draft is not followed."""
        target = self.folder / "elsewhere"
        target.write_bytes(b"untouched")
        (self.folder / "kept.new").symlink_to(target)
        write_whole(self.path, b"new")
        self.assertEqual(target.read_bytes(), b"untouched")
        self.assertFalse(self.path.is_symlink())

    def test_named_draft(self):
        """Two processes that write the same file give their drafts different names."""
        with replacing(self.path, draft=self.folder / "kept.1.part") as draft:
            self.assertEqual(draft.name, "kept.1.part")
            write_whole(self.path, b"of another", draft=self.folder / "kept.2.part")
            draft.write_bytes(b"last")
        self.assertEqual(self.path.read_bytes(), b"last")
        self.assertEqual(self.names(), ["kept"])

    def test_waits_for_the_disk(self):
        """A durable file is synced before it gets its name, and its folder after; any other is not synced."""
        order: list[str] = []
        real = os.fsync

        def sync(descriptor):
            order.append(("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file") + f" {self.names()}")
            real(descriptor)

        with mock.patch("os.fsync", sync):
            write_whole(self.path, b"1")
            self.assertEqual(order, ["file ['kept.new']", "folder ['kept']"])
            write_whole(self.path, b"2", durable=False)
            self.assertEqual(len(order), 2)

    def test_folder_that_is_missing(self):
        """Without the folder nothing is written."""
        self.assertRaises(FileNotFoundError, write_whole, self.folder / "none" / "kept", b"")
