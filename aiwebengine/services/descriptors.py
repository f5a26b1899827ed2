"""
File descriptors that a new child process needs, and the error for when there are none left.

A shortage of descriptors is temporary and not the caller's fault, so the error is `unavailable`: nothing was done, and
trying again in a moment may do.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Sequence

from aiwebengine.errors import Unavailable

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE})


def cannot_start(error: OSError, *, what: str) -> Unavailable:
    """
    Make the error for a process that the operating system did not let start.

    Args:
        what: Was to be started, such as `a process for the script "chat"`.
    """
    if error.errno in _EXHAUSTED:
        return Unavailable(
            f"The server has reached its limit of open files and connections, so it cannot start {what}; nothing was "
            "done. Try again in a moment. The administrator of the server can raise its limit of open files "
            "(`ulimit -n`, or LimitNOFILE= of systemd).",
            private=str(error),
            retry_seconds=1.0,
        )
    return Unavailable(
        f"The operating system does not let the server start {what} ({error.strerror}); nothing was done. "
        "Try again in a moment.",
        private=str(error),
        retry_seconds=1.0,
    )


def require_free(count: int, *, what: str) -> None:
    """
    Check that *count* descriptors can be opened now.

    To be called before Twisted starts a process: its own attempt would leave open what it had opened before it failed.

    Raises:
        Unavailable: They cannot.
    """
    with contextlib.ExitStack() as opened:
        try:
            for _ in range(count):
                opened.callback(os.close, os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            raise cannot_start(error, what=what) from None


def socket_pairs(kinds: Sequence[int], *, what: str) -> list[tuple[socket.socket, socket.socket]]:
    """
    Make one pair of connected sockets for each kind, such as `SOCK_STREAM`: all of them or none.

    Raises:
        Unavailable: There are not enough descriptors.
    """
    with contextlib.ExitStack() as opened:
        pairs: list[tuple[socket.socket, socket.socket]] = []
        try:
            for kind in kinds:
                first, other = socket.socketpair(socket.AF_UNIX, kind)
                opened.callback(first.close)
                opened.callback(other.close)
                pairs.append((first, other))
        except OSError as error:
            raise cannot_start(error, what=what) from None
        opened.pop_all()
        return pairs
