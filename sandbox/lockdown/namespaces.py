"""Namespaces: a network without interfaces."""

from __future__ import annotations

import ctypes
import os
import sys

_CLONE_NEWNET = 0x40000000
_CLONE_NEWIPC = 0x08000000

_libc = ctypes.CDLL(None, use_errno=True)


def empty_network() -> bool:
    """
    Move into a network namespace that has no interface, not even a working loopback.

    Returns:
        Whether that was done; only root on Linux may, and not in every container.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    return bool(_libc.unshare(_CLONE_NEWNET | _CLONE_NEWIPC) == 0)
