"""Tests of what C's heap tells of itself."""

from __future__ import annotations

import ctypes

import pytest
from twisted.trial.unittest import SynchronousTestCase

from sandbox.heap import top, usage


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

    def test_top(self) -> None:
        """The end of the heap moves when it grows."""
        heap_top = top()
        if heap_top is None:
            pytest.skip("the C library does not tell about its heap")
        before = heap_top()
        libc = ctypes.CDLL(None)
        libc.sbrk.restype, libc.sbrk.argtypes = ctypes.c_void_p, (ctypes.c_ssize_t,)
        libc.sbrk(4096)
        self.assertEqual(heap_top(), before + 4096)
