"""Limits that the kernel keeps for a process."""

from __future__ import annotations

import resource
from pathlib import Path

STACK_BYTES = 8 * 1024 * 1024
"""Deep recursion in a script needs so much; with less it ends in a crash instead of a RangeError (tried)."""


def address_space() -> int:
    """Return the bytes of address space that this process has now; 0 where it is not known."""
    try:
        # As bytes: a codec that is not loaded yet could not be any more, as another user.
        pages = Path("/proc/self/statm").read_bytes().split()[0]
        return int(pages) * resource.getpagesize()
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


def limit_files(*, descriptors: int) -> None:
    """Allow no core, no file that grows, and no new descriptor with a number of *descriptors* or above."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, descriptors)


def limit_clone(*, descriptors: int) -> None:
    """Allow no process, and no new descriptor with a number of *descriptors* or above; for few steps after a fork."""
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))


def limit_processes(count: int) -> None:
    """Allow no further process when the user has *count*; root is not held by this."""
    _lower(resource.RLIMIT_NPROC, count)


def raise_stack() -> None:
    """Let the main thread's stack grow to what scripts need, as far as this process may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if soft != resource.RLIM_INFINITY and soft < STACK_BYTES:
        stack_bytes = STACK_BYTES if hard == resource.RLIM_INFINITY else min(STACK_BYTES, hard)
        resource.setrlimit(resource.RLIMIT_STACK, (stack_bytes, hard))


def stack_is_enough() -> bool:
    """Return whether the main thread's stack may grow to what scripts need."""
    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return soft == resource.RLIM_INFINITY or soft >= STACK_BYTES


def _lower(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))
