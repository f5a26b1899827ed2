"""
What protects scripts' processes on this machine, found out by trying.

A child is forked and locked as a clone is; it then tries what a script must never manage,
and tells how that went.
"""

from __future__ import annotations

import json
import mmap
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from sandbox.lockdown import apply, rlimits

_MEMORY_BYTES = 64 * 1024 * 1024
_CPU_SECONDS = 60
_ADVICE = {
    "files": "children can open files",
    "sockets": "children can make sockets",
    "processes": "children can start processes",
    "memory": "the memory of children is not limited: this system does not tell how much address space a process has",
    "user": "children run as the same user as the server; start it as root and they run as nobody",
    "network": "children share the server's network, though they cannot make a socket; "
    "start it as root on Linux and theirs is empty",
    "parent_death": "children may outlive a killed zygote for a while",
    "stack": "the stack limit is below 8 MiB: deep recursion in a script may crash its process; raise `ulimit -s`",
}


def report(*, network: bool) -> dict[str, Any]:
    """
    Tell what holds.

    Args:
        network: Whether the network namespace is empty.

    Returns:
        `platform`; true or false for `files`, `sockets`, `processes`, `memory`, `user` (each tried in a child),
        `network`, `no_new_privileges`, `parent_death`, `stack`, and for `landlock` and `seccomp`,
        which this version does not use; `notes`, one sentence for each thing that does not hold.
    """
    linux = sys.platform == "linux"
    held: dict[str, Any] = {
        **_tried(),
        "network": network,
        "no_new_privileges": linux,
        "parent_death": linux,
        "stack": rlimits.stack_is_enough(),
    }
    return {
        "platform": sys.platform,
        **held,
        "landlock": False,
        "seccomp": False,
        "notes": [f"{advice}." for name, advice in _ADVICE.items() if not held[name]],
    }


def _tried() -> dict[str, bool]:
    attempts: dict[str, Callable[[], object]] = {
        "files": lambda: os.open("/dev/null", os.O_RDONLY),
        "sockets": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "processes": _fork,
        "memory": lambda: mmap.mmap(-1, 2 * _MEMORY_BYTES),
    }
    read, write = os.pipe()
    parent, user = os.getpid(), os.geteuid()
    pid = os.fork()
    if pid == 0:
        try:
            apply.lock_template(parent=parent, memory_bytes=_MEMORY_BYTES, cpu_seconds=_CPU_SECONDS)
            apply.lock_clone(parent=parent)
            seen = {name: _refused(attempt) for name, attempt in attempts.items()}
            os.write(write, json.dumps({**seen, "user": os.geteuid() != user}).encode("ascii"))
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read()
    os.waitpid(pid, 0)
    try:
        return {name: bool(json.loads(told)[name]) for name in (*attempts, "user")}
    except (ValueError, KeyError):
        # It could not be locked at all, or died of it.
        return dict.fromkeys((*attempts, "user"), False)


def _refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return True
    return False


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)
