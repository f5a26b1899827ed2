"""The administrator token."""

from __future__ import annotations

import os
import stat

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.auth.tokens import HASH_FILE, TOKEN_FILE, AdministratorToken, read_token
from aiwebengine.errors import CannotStart, Unauthenticated
from tests.support.folders import temporary_folder


class AdministratorTokenTests(SynchronousTestCase):
    def setUp(self):
        self.folder = temporary_folder(self)
        self.made = []
        self.tokens = self.start()

    def start(self):
        tokens = AdministratorToken(folder=self.folder, random_bytes=os.urandom, made=self.made.append)
        tokens.startService()
        return tokens

    def test_made_once(self):
        """The first start makes a token and tells it; later starts tell nothing and accept it."""
        again = self.start()
        self.assertEqual(len(self.made), 1)
        self.assertEqual(again.verify(self.made[0]).kind, "administrator")
        self.assertEqual(read_token(self.folder), self.made[0])

    def test_files_are_private(self):
        """Both files are for the owner only, and the token is not in the one that the server needs."""
        for name in (TOKEN_FILE, HASH_FILE):
            self.assertEqual(stat.S_IMODE((self.folder / name).stat().st_mode), 0o600)
        self.assertNotIn(self.made[0], (self.folder / HASH_FILE).read_text())

    def test_wrong_token(self):
        """Any other text is refused, whatever it is."""
        for wrong in ("", "awe_", self.made[0][:-1], self.made[0] + "x", "\ud800", "x" * 10_000):
            self.assertRaises(Unauthenticated, self.tokens.verify, wrong)

    def test_noted_elsewhere(self):
        """The file with the token itself may be deleted; the token goes on working."""
        (self.folder / TOKEN_FILE).unlink()
        self.assertIsNone(read_token(self.folder))
        self.start().verify(self.made[0])
        self.assertEqual(len(self.made), 1)

    def test_rotated_elsewhere(self):
        """A token that another process made is valid at once, and the old one no longer."""
        other = AdministratorToken(folder=self.folder, random_bytes=os.urandom).rotate()
        self.tokens.verify(other)
        self.assertRaises(Unauthenticated, self.tokens.verify, self.made[0])

    def test_hash_removed(self):
        """Without the hash nobody gets in, and the next start makes a new token."""
        for damage in (lambda path: path.unlink(), lambda path: path.write_text("nonsense")):
            damage(self.folder / HASH_FILE)
            self.assertRaises(Unauthenticated, self.tokens.verify, self.made[-1])
            self.start().verify(self.made[-1])
        self.assertEqual(len(self.made), 3)

    def test_unwritable(self):
        """A folder that cannot be written keeps the server from starting, with the reason."""
        (self.folder / HASH_FILE).unlink()

        def refuse(*args):
            raise PermissionError(13, "Permission denied")

        self.patch(os, "open", refuse)
        self.assertIn("Permission denied", str(self.assertRaises(CannotStart, self.start)))
