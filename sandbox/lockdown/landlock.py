"""
Landlock: no file, no port, no signal to a stranger.

A process gives up every right that the kernel's version of Landlock knows, with no
exception, so that even a descriptor limit that fails leaves nothing to open.  It takes
no right to do so, only `no_new_privs`, and holds for all that the process forks.
"""

from __future__ import annotations

import ctypes
import os
import sys

_CREATE_RULESET = 444
_RESTRICT_SELF = 446
_VERSION = 1

# Rights by the version that brought them: files, TCP ports, scopes (abstract sockets, signals).
_FILES = {1: 13, 2: 14, 3: 15, 5: 16}
_PORTS = 0b11
_SCOPES = 0b11

_libc = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("ports", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


def version() -> int:
    """Return the version that the kernel has; 0 for none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, 0, _VERSION)))


def rights(known: int) -> tuple[int, int, int]:
    """Return all rights of one version, as bits: of files, of ports, of scopes."""
    count = max(bits for since, bits in _FILES.items() if since <= known)
    return (1 << count) - 1, _PORTS if known >= 4 else 0, _SCOPES if known >= 6 else 0


def deny_everything() -> bool:
    """
    Drop every right that Landlock can remove; `no_new_privs` must be set.

    Returns:
        Whether the kernel has done so.
    """
    known = version()
    if known == 0:
        return False
    ruleset = _Ruleset(*rights(known))
    # An older kernel refuses members that it does not know.
    size = 24 if known >= 6 else 16 if known >= 4 else 8
    descriptor = _libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    if descriptor < 0:
        return False
    try:
        return bool(_libc.syscall(_RESTRICT_SELF, descriptor, 0) == 0)
    finally:
        os.close(descriptor)
