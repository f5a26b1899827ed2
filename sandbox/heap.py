"""
C's heap, laid out for forking (Linux with glibc).

A forked child copies each page that it writes to.  What it allocates is to lie close together, so that it writes to
few, and not in the gaps that loading the prelude and a script has left all over the heap.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

_LONGEST, _SHORTEST, _STEP = 504, 24, 16
"""Sizes of gaps in bytes, as the allocator rounds them; longer ones hold many objects side by side."""
_MOST_GAPS = 6000


class _Mallinfo2(ctypes.Structure):
    """See mallinfo(3)."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in [
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        ]
    )


class Heap:
    """
    The allocator of this process.

    Args:
        libc: The C library, which has mallinfo2(3).
    """

    def __init__(self, libc: ctypes.CDLL) -> None:
        self._usage: Callable[[], _Mallinfo2] = libc.mallinfo2
        libc.mallinfo2.restype = _Mallinfo2
        self._malloc = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_size_t)(("malloc", libc))
        self._free = ctypes.CFUNCTYPE(None, ctypes.c_size_t)(("free", libc))
        self._sbrk = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_ssize_t)(("sbrk", libc))

    def used_bytes(self) -> int:
        """Return how much memory is in use."""
        usage = self._usage()
        return int(usage.uordblks + usage.hblkhd)

    def fill_gaps(self) -> None:
        """Allocate the small free gaps for good: what is allocated later lies in long ones, or at the end."""
        end = self._sbrk(0) - int(self._usage().keepcost)
        malloc, size, filled = self._malloc, _LONGEST, 0
        while size >= _SHORTEST and filled < _MOST_GAPS:
            at = malloc(size)
            if 0 < at < end:
                filled += 1
                continue
            # Not a gap: from the end, or there is no memory.
            self._free(at)
            size -= _STEP


def heap() -> Heap | None:
    """Return the heap; None where the C library does not tell about it."""
    try:
        return Heap(ctypes.CDLL(None))
    except AttributeError:
        return None
