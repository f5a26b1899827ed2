"""Texts of settings that have a form."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.settings.allowed import FilePath, is_weight


class WeightTests(SynchronousTestCase):
    """`is_weight`."""

    def test_forms(self) -> None:
        """A script's name, which may hold anything, and a number within bounds."""
        for text in ("shop=4", "a=b=0.5", "https://example.org/x?y=1=2"):
            self.assertTrue(is_weight(text), text)
        for text in ("shop", "=4", "shop=", "shop=0", "shop=101", "shop=nan", "shop=much", ""):
            self.assertFalse(is_weight(text), text)


class FilePathTests(SynchronousTestCase):
    """`FilePath`."""

    def test_empty(self) -> None:
        """An empty path means none, except where there must be one; no path has a NUL."""
        self.assertTrue(FilePath().allows(""))
        self.assertFalse(FilePath(required=True).allows(""))
        for path in (FilePath(), FilePath(required=True)):
            self.assertTrue(path.allows("data"))
            self.assertFalse(path.allows("a\0b"))
