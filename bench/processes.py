"""What processes have used: processor time and memory."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path


def processor_seconds(pid: int) -> float:
    """Return what the threads of a process have used, 0 if it is gone; more exact than ticks."""
    used = 0
    with contextlib.suppress(FileNotFoundError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            used += int((thread / "schedstat").read_text().split()[0])
    return used / 1e9


def children_seconds(pid: int) -> float:
    """Return what the processes below one have used; what ended ones have is counted with whoever reaped them."""
    used = sum(_ticks(pid)[2:])
    for descendant in _descendants(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            used += sum(_ticks(descendant))
    return used / os.sysconf("SC_CLK_TCK")


def resident_memory(pid: int) -> float:
    """Return the resident memory of a process, in megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def shared_memory(pid: int) -> float:
    """Return the memory of a process with its share of what it shares (Pss), in megabytes."""
    return _rollup(pid, "Pss")


def private_memory(pid: int) -> float:
    """Return what a process has for itself, in megabytes."""
    return _rollup(pid, r"Private_\w+")


def _rollup(pid: int, field: str) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    return sum(int(size) for size in re.findall(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)) / 1024


def _ticks(pid: int) -> list[int]:
    """Return the processor time of a process and of those it has reaped: user and system of each."""
    return [int(word) for word in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]]


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            children.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    pids = [pid]
    for parent in pids:
        pids += children.get(parent, [])
    return pids[1:]
