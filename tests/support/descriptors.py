"""Taking away the file descriptors of a process, and giving them back."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def few_descriptors(pid: int, *, free: int) -> Iterator[None]:
    """Let a process open no more than *free* more files for the length of a `with` block."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    # Of this process the one with which it is read is listed too, and is closed by then.
    taken = {int(link.name) for link in list(Path(f"/proc/{pid}/fd").iterdir()) if link.is_symlink()}
    most = 0
    # Descriptors are numbered from 0, and the limit is the first number that cannot be had.
    while len(set(range(most)) - taken) < free:
        most += 1
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def open_descriptors(pid: int | None = None) -> int:
    """Count what a process has open; None: this one."""
    return len(os.listdir(f"/proc/{os.getpid() if pid is None else pid}/fd"))  # noqa: PTH208  names are enough
