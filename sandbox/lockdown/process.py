"""Rights of the process itself: its user, who may look into it, its parent's death."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_CHILD_SUBREAPER = 36
_OVERFLOW_ID = 65534
# A third of the server's weight.
_BEHIND_THE_SERVER = 5

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """
    Be killed when the parent dies (Linux).

    Args:
        parent: Its pid, to notice that it is dead already.
    """
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose parent has ended (Linux)."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> list[int]:
    """Return the pids of this process's children; none where the system does not report it."""
    try:
        return [int(pid) for pid in Path("/proc/thread-self/children").read_bytes().split()]
    except OSError:
        return []


def no_new_privileges() -> bool:
    """Never gain rights by executing something; true if the system knows how."""
    return sys.platform == "linux" and bool(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)


def not_inspectable() -> None:
    """Let no process of the same user read this one's memory, nor trace it (Linux)."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def lower_priority() -> None:
    """Run at a lower priority than the server, for which all scripts wait."""
    with contextlib.suppress(OSError):
        os.nice(_BEHIND_THE_SERVER)


def become_nobody() -> bool:
    """
    Change from root to the user nobody.

    Returns:
        Whether the user was changed; only root can, and not in every container.
    """
    if os.geteuid() != 0:
        return False
    try:
        nobody = pwd.getpwnam("nobody")
        user, group = nobody.pw_uid, nobody.pw_gid
    except KeyError:
        user = group = _OVERFLOW_ID
    try:
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    except PermissionError:
        # Root of a container without the right to change users.
        return False
    return True
