"""
When to collect JavaScript's garbage: between runs, when enough has gathered.

Duktape frees most things by counting references, and cycles only when it has allocated fifty
times as many objects as it holds.  Every closure is a cycle (with its `prototype`), so a
script of asynchronous functions would gather tens of megabytes before that (tried: 33 MB
after 8,000 runs), in every one of its children, and then pause in the middle of a run.
Asking the allocator is not free either: it walks through all free memory, for as long as a few runs
take, and makes the next allocations slower.  So it is asked now and then, less often of a script that leaves little
behind, seldom as long as the heap does not grow, and after long runs; on a busy machine every run takes long, so by
then some processor time must have been spent, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_FEWEST_RUNS, _MOST_RUNS = 64, 512
"""Between two looks at the allocator."""
_MOST_UNASKED = 15
"""Looks in a row at the end of the heap alone."""
_LONG_SECONDS = 0.005
_GATHERED_BYTES = 2 * 1024 * 1024
_LITTLE_BYTES = _GATHERED_BYTES // 4


class GarbageCollector:
    """
    Collects when it pays.

    Args:
        collect: Collects all garbage.
        used_bytes: Returns how much memory is in use; None if it cannot, and then runs alone count.
        kept_bytes: How much that was when nothing had run.
        heap_top: Returns where the heap ends; None if it cannot.
        seconds: A clock.
        cpu_seconds: The processor time of this process; run after long runs only.
    """

    __slots__ = (
        "_asked_at", "_collect", "_cpu_seconds", "_heap_top", "_kept_bytes", "_left", "_runs", "_seconds",
        "_seen_bytes", "_seen_top", "_started", "_unasked", "_used_bytes",
    )  # fmt: skip

    def __init__(
        self,
        *,
        collect: Callable[[], object],
        used_bytes: Callable[[], int] | None,
        kept_bytes: int = 0,
        heap_top: Callable[[], int] | None = None,
        seconds: Callable[[], float] = time.monotonic,
        cpu_seconds: Callable[[], float] = time.process_time,
    ) -> None:
        self._collect = collect
        self._used_bytes = used_bytes
        self._heap_top = heap_top
        self._seen_top = self._unasked = 0
        self._seconds = seconds
        self._cpu_seconds = cpu_seconds
        self._runs = self._left = _FEWEST_RUNS
        self._started = 0.0
        self._asked_at = 0.0
        """Processor time when the allocator was asked last after a long run; a forked process begins with none."""
        self._kept_bytes = self._seen_bytes = kept_bytes
        """In use after the last collection, and at the last look."""

    def run_begins(self) -> None:
        """Note when a run begins."""
        self._started = self._seconds()

    def run_ended(self) -> None:
        """Collect if enough may have gathered; the answer is out already."""
        self._left -= 1
        if self._left > 0 and not self._was_long():
            return
        if self._used_bytes is None:
            if self._left <= 0:
                self._left = _FEWEST_RUNS
                self._collect()
            return
        if self._left <= 0 and self._heap_stands():
            self._left = self._runs = min(2 * self._runs, _MOST_RUNS)
            return
        used = self._used_bytes()
        little = used - self._seen_bytes < _LITTLE_BYTES
        self._runs = min(2 * self._runs, _MOST_RUNS) if little else _FEWEST_RUNS
        self._left = self._runs
        self._seen_bytes = used
        if used - self._kept_bytes > _GATHERED_BYTES:
            self._collect()
            self._kept_bytes = self._seen_bytes = self._used_bytes()

    def _heap_stands(self) -> bool:
        """Return whether the heap ends where it did when this was asked before; not too often in a row."""
        if self._heap_top is None:
            return False
        before, self._seen_top = self._seen_top, self._heap_top()
        self._unasked += 1
        if before == self._seen_top and self._unasked <= _MOST_UNASKED:
            return True
        self._unasked = 0
        return False

    def _was_long(self) -> bool:
        if self._seconds() - self._started < _LONG_SECONDS:
            return False
        spent = self._cpu_seconds()
        if spent - self._asked_at < _LONG_SECONDS * self._runs / _FEWEST_RUNS:
            return False
        self._asked_at = spent
        return True


def collect_after_load(collect: Callable[[], object], *, grown_bytes: int | None) -> None:
    """
    Collect what top level and `init` have left behind, if it may be much, before clones are forked.

    A collection looks at every object of the prelude too: in a template that takes as long as to load a small script,
    and no request can be answered before it is over.  What a small script leaves is collected by each clone when more
    gathers.

    Args:
        collect: Collects all garbage.
        grown_bytes: How much more memory is in use than before; None if that is not known.
    """
    if grown_bytes is None or grown_bytes > _GATHERED_BYTES:
        collect()
