"""
The operating system's side of a child: its end, its processor time, its memory.

The pid comes from the template, whose memory a script may control, so it is not used before the kernel has confirmed
whose child it is:

    unborn, doubted --hold--> held          confirmed, and a descriptor keeps the number from being used again
    unborn, doubted --doubt--> doubted      not confirmed: only its template can end it
    unborn, held, doubted --reap--> gone

An end that is requested before the process exists is carried out when it does.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from aiwebengine.runtime.moves import Move
from aiwebengine.runtime.wire.control import Control

# How nice they are, beside the server: as a child begins (`sandbox/lockdown/process.py`), and much more.
_SHORT_RUNS = 5
_LONG_RUNS = 15
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PEAK = re.compile(rb"^VmHWM:\s+(\d{1,15}) kB", re.MULTILINE)


class Identity(StrEnum):
    """What is known of which process it is."""

    UNBORN = "unborn"
    HELD = "held"
    DOUBTED = "doubted"
    GONE = "gone"


HOLD = Move("hold", {Identity.UNBORN: Identity.HELD, Identity.DOUBTED: Identity.HELD})
DOUBT = Move("doubt", {Identity.UNBORN: Identity.DOUBTED, Identity.DOUBTED: Identity.DOUBTED})
REAP = Move(
    "reap",
    {Identity.UNBORN: Identity.GONE, Identity.HELD: Identity.GONE, Identity.DOUBTED: Identity.GONE},
)


class Process:
    """
    One child of a template.

    Args:
        number: Its id on the control socket.
        control: Of its template.
        parent: Returns the pid of its template, 0 if not known.
    """

    __slots__ = (
        "_clock",
        "_control",
        "_cpu_seconds",
        "_doomed",
        "_number",
        "_parent",
        "_pidfd",
        "identity",
        "low_priority",
        "pid",
    )  # fmt: skip

    def __init__(self, *, number: int, control: Control, parent: Callable[[], int]) -> None:
        self._number = number
        self._control = control
        self._parent = parent
        self._pidfd = -1
        self._clock = 0
        """Its processor clock."""
        self._cpu_seconds = 0.0
        """What was used at the last call."""
        self._doomed = False
        """Its end was requested."""
        self.identity = Identity.UNBORN
        self.pid = 0
        """Confirmed by the kernel; 0 while it is not."""
        self.low_priority = False
        """Others have the processor first."""

    def forked(self, pid: int) -> None:
        """Note which process it is; further reports are ignored once that was confirmed."""
        if self.identity in (Identity.HELD, Identity.GONE):
            return
        if not hasattr(os, "pidfd_open"):
            self._set_pid(pid)
            self.identity = DOUBT[self.identity]
        else:
            self._hold(pid)
        if self._doomed:
            self.end()

    def reaped(self) -> None:
        """Handle its end."""
        self.identity = REAP[self.identity]
        if self._pidfd >= 0:
            # Its source is not trusted.
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
            self._pidfd = -1

    def end(self) -> None:
        """Kill it, now or as soon as it is there."""
        self._doomed = True
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        elif self.identity is Identity.DOUBTED:
            # Its template forked it and knows; one that may not send signals ends itself, and so all its clones.
            self._control.kill(self._number)

    def spend(self) -> float:
        """Return the processor time since the last call; 0 where it is not known."""
        if not self._clock:
            return 0.0
        try:
            # As `cpu_seconds`, for every request.
            now = time.clock_gettime(self._clock)
        except (OSError, OverflowError):
            now = 0.0
        spent, self._cpu_seconds = now - self._cpu_seconds, now
        return spent

    def spending(self) -> float | None:
        """Return the processor time since the last call of `spend`; None where it is not known."""
        return self.cpu_seconds() - self._cpu_seconds if self._clock else None

    def left_over(self, cpu_seconds: float) -> float:
        """Return the part of *cpu_seconds*, its total, that `spend` has not returned."""
        return max(0.0, cpu_seconds - self._cpu_seconds)

    def cpu_seconds(self) -> float:
        """Return the processor time it has used so far; 0 where it is not known."""
        try:
            return time.clock_gettime(self._clock) if self._clock else 0.0
        except (OSError, OverflowError):
            return 0.0

    def memory_bytes(self) -> int:
        """Return the memory it has now, shared or its own; 0 where it is not known."""
        return resident_bytes(self.pid)

    def peak_bytes(self) -> int:
        """Return the largest memory it ever had; 0 where it is not known."""
        if not self.pid:
            return 0
        try:
            status = Path(f"/proc/{self.pid}/status").read_bytes()
        except OSError:
            return 0
        match = _PEAK.search(status)
        return int(match[1]) * 1024 if match else 0

    def fall_behind(self) -> None:
        """Let others have the processor first."""
        if not self.low_priority and self.pid:
            self.low_priority = _set_priority(self.pid, _LONG_RUNS)

    def catch_up(self) -> None:
        """Take back `fall_behind`; only root may, for others it stays behind until it is replaced."""
        self.low_priority = not _set_priority(self.pid, _SHORT_RUNS)

    def _hold(self, pid: int) -> None:
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            self.identity = DOUBT[self.identity]
            return
        # Now the number cannot be reused for another process; whether it ever was the right one the kernel knows.
        if not _is_child(pid, self._parent()):
            os.close(pidfd)
            self.identity = DOUBT[self.identity]
            return
        self.identity = HOLD[self.identity]
        self._pidfd = pidfd
        self._set_pid(pid)

    def _set_pid(self, pid: int) -> None:
        self.pid = pid
        # As clock_getcpuclockid(3) makes it.
        self._clock = (~pid << 3) | 2


def resident_bytes(pid: int) -> int:
    """Return the memory that a process has, shared or its own; 0 where it is not known, and for the pid 0."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE_BYTES if pid else 0
    except (OSError, ValueError, IndexError):
        return 0


def _set_priority(pid: int, behind: int) -> bool:
    try:
        os.setpriority(os.PRIO_PROCESS, pid, min(19, os.getpriority(os.PRIO_PROCESS, 0) + behind))
    except (PermissionError, ProcessLookupError):
        return False
    return True


def _is_child(pid: int, parent: int) -> bool:
    """Return whether *pid* is a child of *parent*, as the kernel sees it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
        # The name, in parentheses, may hold anything.
        return bool(parent) and int(stat[stat.rindex(")") + 1 :].split()[1]) == parent
    except (OSError, ValueError, IndexError):
        return False
