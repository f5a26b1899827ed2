"""Tests of what C's heap tells of itself."""

from __future__ import annotations

import ctypes

import pytest
from twisted.trial.unittest import SynchronousTestCase

from sandbox.heap import usage


class Telling(SynchronousTestCase):
    """The allocator of this process."""

    def test_used(self) -> None:
        """What is allocated counts as used."""
        used_bytes = usage()
        if used_bytes is None:
            pytest.skip("the C library does not tell about its heap")
        libc = ctypes.CDLL(None)
        before = used_bytes()
        at = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_size_t)(("malloc", libc))(100_000)
        self.assertGreaterEqual(used_bytes() - before, 90_000)
        ctypes.CFUNCTYPE(None, ctypes.c_size_t)(("free", libc))(at)
