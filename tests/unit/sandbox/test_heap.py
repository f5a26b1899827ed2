"""Tests of C's heap, as it is laid out for forking."""

from __future__ import annotations

import ctypes

import pytest
from twisted.trial.unittest import SynchronousTestCase

from sandbox.heap import heap

_GAP_BYTES = 200


class Laying(SynchronousTestCase):
    """The allocator of this process."""

    def setUp(self) -> None:
        """Take the heap, where there is one that can be asked."""
        found = heap()
        if found is None:
            pytest.skip("the C library does not tell about its heap")
        self.heap = found
        libc = ctypes.CDLL(None)
        self.malloc = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_size_t)(("malloc", libc))
        self.free = ctypes.CFUNCTYPE(None, ctypes.c_size_t)(("free", libc))

    def test_used(self) -> None:
        """What is allocated counts as used."""
        before = self.heap.used_bytes()
        at = self.malloc(100_000)
        self.assertGreaterEqual(self.heap.used_bytes() - before, 90_000)
        self.free(at)

    def test_gaps(self) -> None:
        """What is allocated after small gaps were filled lies in none of them."""
        held = [self.malloc(_GAP_BYTES) for _ in range(2000)]
        gaps = set(held[::2])
        for at in gaps:
            self.free(at)
        self.heap.fill_gaps()
        later = [self.malloc(_GAP_BYTES) for _ in range(100)]
        self.assertFalse(gaps & set(later))
        for at in (*held[1::2], *later):
            self.free(at)

    def test_without_gaps(self) -> None:
        """A heap whose gaps are filled is not filled again."""
        self.heap.fill_gaps()
        before = self.heap.used_bytes()
        self.heap.fill_gaps()
        self.assertLess(self.heap.used_bytes() - before, 64 * 1024)
