"""The data folder and its lock."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import CannotStart
from aiwebengine.services import lock
from aiwebengine.services.folder import DataFolder
from tests.support.folders import temporary_folder


class DataFolderTests(SynchronousTestCase):
    def setUp(self):
        self.path = temporary_folder(self) / "deep" / "data"

    def test_made_private(self):
        """The folder is made with its parents, for its owner only, and locked while it runs."""
        folder = DataFolder(path=self.path)
        for _ in range(2):
            folder.startService()
            self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o700)
            self.assertIsNotNone(folder.lock_descriptor)
            self.assertFalse(os.get_inheritable(folder.lock_descriptor))
            folder.stopService()
            self.assertIsNone(folder.lock_descriptor)
        self.assertEqual(folder.folder("cache"), self.path.absolute() / "cache")

    def test_second_server(self):
        """A second server on one folder is refused, and told which process has it."""
        first = DataFolder(path=self.path)
        first.startService()
        self.addCleanup(first.stopService)
        with self.assertRaises(CannotStart) as caught:
            DataFolder(path=self.path).startService()
        self.assertIn(f"process {os.getpid()}", caught.exception.public)
        self.assertIn(str(self.path), caught.exception.public)

    def test_lock_ends_with_its_holder(self):
        """What a dead server left behind does not keep the next one out."""
        self.path.mkdir(parents=True)
        (self.path / "lock").write_text("1\n")
        folder = DataFolder(path=self.path)
        folder.startService()
        self.assertEqual((self.path / "lock").read_text(), f"{os.getpid()}\n")
        folder.stopService()

    def test_address_of_a_dead_server(self):
        """The address that a killed server has left is removed by the next one that takes the lock."""
        self.path.mkdir(parents=True)
        (self.path / "address").write_text("http://127.0.0.1:1\n")
        folder = DataFolder(path=self.path)
        folder.startService()
        self.addCleanup(folder.stopService)
        self.assertFalse((self.path / "address").exists())

    def test_address_of_a_predecessor(self):
        """A successor leaves the address of the server that hands over, which still serves."""
        first = DataFolder(path=self.path)
        first.startService()
        self.addCleanup(first.stopService)
        (self.path / "address").write_text("http://127.0.0.1:1\n")
        successor = DataFolder(path=self.path, lock_descriptor=os.dup(first.lock_descriptor))
        successor.startService()
        self.addCleanup(successor.stopService)
        self.assertTrue((self.path / "address").exists())

    def test_commands_that_look(self):
        """A server starts although a command is just looking whether one runs."""
        self.path.mkdir(parents=True)
        looking = os.open(self.path / "lock", os.O_RDONLY | os.O_CREAT)
        fcntl.flock(looking, fcntl.LOCK_SH)
        pauses = []

        def sleep(seconds):
            pauses.append(seconds)
            os.close(looking)

        self.patch(time, "sleep", sleep)
        folder = DataFolder(path=self.path)
        folder.startService()
        self.addCleanup(folder.stopService)
        self.assertEqual(len(pauses), 1)
        self.assertIn(str(os.getpid()), lock.locked_by(self.path / "lock"))

    def test_inherited_lock(self):
        """A successor that inherits the descriptor holds the lock without taking it."""
        first = DataFolder(path=self.path)
        first.startService()
        successor = DataFolder(path=self.path, lock_descriptor=os.dup(first.lock_descriptor))
        successor.startService()
        first.stopService()
        with self.assertRaises(CannotStart):
            DataFolder(path=self.path).startService()
        (self.path / "lock").write_text("1\n")
        successor.claim()
        self.assertEqual((self.path / "lock").read_text(), f"{os.getpid()}\n")
        successor.stopService()

    def test_inherited_lock_of_another_folder(self):
        """The lock of another folder is no lock of this one."""
        first = DataFolder(path=self.path)
        first.startService()
        self.addCleanup(first.stopService)
        other = DataFolder(path=self.path.parent / "other", lock_descriptor=os.dup(first.lock_descriptor))
        with self.assertRaises(CannotStart) as caught:
            other.startService()
        self.assertIn("does not use the data folder", caught.exception.public)

    def test_file_in_the_way(self):
        """A file where the folder should be is named in the refusal."""
        self.path.parent.mkdir(parents=True)
        self.path.write_text("")
        with self.assertRaises(CannotStart) as caught:
            DataFolder(path=self.path).startService()
        self.assertIn("a file is in the way", caught.exception.public)

    def test_unwritable(self):
        """A folder that cannot be written is refused, with its owner and mode."""
        self.path.mkdir(parents=True)

        def refuse(*args):
            raise PermissionError(13, "Permission denied")

        self.patch(os, "open", refuse)
        with self.assertRaises(CannotStart) as caught:
            DataFolder(path=self.path).startService()
        self.assertIn("cannot be written: Permission denied (owner", caught.exception.public)

    def test_folder_cannot_be_made(self):
        """A parent that cannot be written is told as such."""

        def refuse(*args, **kwargs):
            raise PermissionError(13, "Permission denied")

        self.patch(Path, "mkdir", refuse)
        with self.assertRaises(CannotStart) as caught:
            DataFolder(path=self.path).startService()
        self.assertIn("cannot be made: Permission denied", caught.exception.public)

    def test_locking_not_supported(self):
        """A file system without locks is refused, not trusted."""

        def refuse(*args):
            raise OSError(95, "Operation not supported")

        self.patch(fcntl, "flock", refuse)
        with self.assertRaises(CannotStart) as caught:
            DataFolder(path=self.path).startService()
        self.assertIn("cannot be locked", caught.exception.public)
