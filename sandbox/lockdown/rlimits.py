"""Limits that the kernel keeps for a process."""

from __future__ import annotations

import resource

_STACK_BYTES = 8 * 1024 * 1024


def address_space() -> int:
    """Give the bytes of address space that this process has now; 0 where it cannot be told."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def limit_memory(extra_bytes: int) -> None:
    """Allow *extra_bytes* of address space beyond what the process has."""
    now = address_space()
    if now:
        _lower(resource.RLIMIT_AS, now + extra_bytes)


def limit_cpu(seconds: int) -> None:
    """Allow so much processor time over the life of the process."""
    _lower(resource.RLIMIT_CPU, seconds)


def no_files(*, descriptors: int) -> None:
    """Allow no core, no file that grows, and no descriptor with a number of *descriptors* or above."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, descriptors)


def no_processes() -> None:
    """Allow no further process; root is not held by this."""
    _lower(resource.RLIMIT_NPROC, 0)


def stack_is_enough() -> bool:
    """Tell whether the main thread's stack is large enough for deep recursion in scripts."""
    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return soft == resource.RLIM_INFINITY or soft >= _STACK_BYTES


def _lower(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))
