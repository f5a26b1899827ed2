"""What C's heap reports about itself (Linux with glibc)."""

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


def usage() -> Callable[[], int] | None:
    """Return a function that returns how many bytes of memory are in use; None where the C library does not report
    it.
    """
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        return None
    mallinfo2.restype = _Mallinfo2

    def used_bytes() -> int:
        told = mallinfo2()
        return int(told.uordblks + told.hblkhd)

    return used_bytes


def top() -> Callable[[], int] | None:
    """
    Return a function that tells where the heap ends; None where the C library does not tell.

    It looks at one variable, and `usage` at all free memory.  As long as the end does not move, the heap has not grown,
    but for what is so large that it is mapped by itself.
    """
    try:
        sbrk = ctypes.CDLL(None).sbrk
    except AttributeError:
        return None
    sbrk.restype, sbrk.argtypes = ctypes.c_size_t, (ctypes.c_ssize_t,)
    return lambda: int(sbrk(0))
