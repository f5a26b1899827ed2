"""What C's heap tells of itself (Linux with glibc)."""

from __future__ import annotations

import ctypes
from collections.abc import Callable


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

    def used_bytes(self) -> int:
        """Return how much memory is in use."""
        usage = self._usage()
        return int(usage.uordblks + usage.hblkhd)


def heap() -> Heap | None:
    """Return the heap; None where the C library does not tell about it."""
    try:
        return Heap(ctypes.CDLL(None))
    except AttributeError:
        return None
