"""
Which pages a process has touched since it was forked, and touching them in few calls (Linux).

A forked process shares its memory with its parent: it copies a page when it first writes to it, and looks up a page of
a file when it first reads it, with a fault for each. Which pages those are is found by touching every page of a process
that has done a run: where that costs no fault, the page was touched before.
"""

from __future__ import annotations

import ctypes
import mmap
import re
import resource
import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

_PAGE_BYTES = mmap.PAGESIZE
_POPULATE_READ, _POPULATE_WRITE = 22, 23
_PROCESS_MADVISE = 440
_THIS_PROCESS = -10000
_MOST_RANGES = 1024
"""As many as the kernel takes in one call."""
_AROUND_BYTES = 16 * _PAGE_BYTES
"""So much of a file is looked up with the page that is read."""
_COUNTS = struct.Struct("=QQ")
_IOVEC = struct.Struct("=QQ")
_PART_PAGES = _MOST_RANGES * _IOVEC.size // _PAGE_BYTES + 1
_LIST_BYTES = (1 + 2 * _PART_PAGES) * _PAGE_BYTES
_READ_AND_WRITE = mmap.PROT_READ | mmap.PROT_WRITE
_SHARED_MEMORY = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS
_NO_MEMORY = ctypes.c_size_t(-1).value
_MAPPING = re.compile(rb"^([0-9a-f]{1,12})-([0-9a-f]{1,12}) (r)(.)[x-]p [0-9a-f]+ [0-9a-f:]+ \d+ *(.*)$", re.MULTILINE)


class Range(NamedTuple):
    """Neighbouring pages."""

    start: int
    size_bytes: int
    written: bool
    """False: they are only read."""


def mappings(maps: bytes) -> list[Range]:
    """
    Return what of a process's memory a fork does not simply share: its own writable memory, and files.

    Args:
        maps: The contents of `/proc/self/maps`.
    """
    found = []
    for start, end, _, writable, name in _MAPPING.findall(maps):
        written = writable == b"w"
        # What has a name in brackets is the kernel's, or the stack, which is at hand anyway.
        if name == b"[heap]" or (name.startswith(b"/") if not written else not name.startswith(b"[")):
            found.append(Range(int(start, 16), int(end, 16) - int(start, 16), written))
    return found


def touched(places: Iterable[Range]) -> list[Range]:
    """Return which pages of *places* this process has touched; it touches all the others in the meantime."""
    usage, itself = resource.getrusage, resource.RUSAGE_SELF
    found: list[Range] = []
    for start, size_bytes, written in places:
        at, end = start, start + size_bytes
        step, how = (_PAGE_BYTES, _POPULATE_WRITE) if written else (_AROUND_BYTES, _POPULATE_READ)
        while at < end:
            before = usage(itself).ru_minflt
            # Refused where a mapping was removed since it was listed, or a file has become shorter.
            there = _madvise(at, _PAGE_BYTES, how) == 0
            following = min(at - at % step + step, end)
            if there and usage(itself).ru_minflt == before:
                _add(found, Range(at, following - at, written))
            at = following
    return found


def _add(found: list[Range], more: Range) -> None:
    """Add to the last range, or as a new one."""
    if found:
        start, size_bytes, written = found[-1]
        if written is more.written and start + size_bytes == more.start:
            found[-1] = Range(start, size_bytes + more.size_bytes, written)
            return
    found.append(more)


class PageList:
    """
    Ranges of pages in memory that a process shares with those that it forks.

    Raises:
        OSError: There is no memory.
    """

    def __init__(self) -> None:
        self._at: int = _mmap(0, _LIST_BYTES, _READ_AND_WRITE, _SHARED_MEMORY, -1, 0)
        if self._at == _NO_MEMORY:
            raise OSError(ctypes.get_errno(), "no memory for a list of pages")

    def write(self, ranges: Iterable[Range]) -> None:
        """Store *ranges*, as many as fit."""
        lists = [[each for each in ranges if each.written is written][:_MOST_RANGES] for written in (False, True)]
        counts = _COUNTS.pack(*[len(each) for each in lists])
        for number, each in enumerate(lists):
            data = b"".join([_IOVEC.pack(start, size_bytes) for start, size_bytes, _ in each])
            ctypes.memmove(self._at + _PAGE_BYTES * (1 + number * _PART_PAGES), data, len(data))
        # Last, for it may be read at any moment.
        ctypes.memmove(self._at, counts, len(counts))

    def touch(self) -> None:
        """
        Touch the pages that are stored, and give up the memory, which would connect this process with others.

        They may have been stored by a hostile process: the kernel leaves out what is not memory of this process.
        """
        counts = _COUNTS.unpack(ctypes.string_at(self._at, _COUNTS.size))
        at = self._at + _PAGE_BYTES
        for count, how in zip(counts, (_POPULATE_READ, _POPULATE_WRITE), strict=True):
            _touch(at, min(count, _MOST_RANGES), how)
            at += _PAGE_BYTES * _PART_PAGES
        _munmap(self._at, _LIST_BYTES)


def _touch(at: int, count: int, how: int) -> None:
    """Touch the ranges of an array of `iovec`."""
    if count and _process_madvise(_PROCESS_MADVISE, _THIS_PROCESS, at, count, how, 0) < 0:
        # An older kernel; it takes them one by one.
        for start, size_bytes in _IOVEC.iter_unpack(ctypes.string_at(at, count * _IOVEC.size)):
            _madvise(start, size_bytes, how)


def _function(name: str, result: type[Any], *arguments: type[Any]) -> Callable[..., Any]:
    return ctypes.CFUNCTYPE(result, *arguments, use_errno=True)((name, _libc))


_libc = ctypes.CDLL(None, use_errno=True)
_SIZE, _INT = ctypes.c_size_t, ctypes.c_int
_mmap = _function("mmap", _SIZE, _SIZE, _SIZE, _INT, _INT, _INT, ctypes.c_long)
_munmap = _function("munmap", _INT, _SIZE, _SIZE)
_madvise = _function("madvise", _INT, _SIZE, _SIZE, _INT)
_process_madvise = _function("syscall", ctypes.c_long, *[ctypes.c_long] * 6)
