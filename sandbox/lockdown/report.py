"""
What protects scripts' processes on this machine, found out by trying.

A child is forked and locked as a clone is; it then tries what a script must never be able to do, and reports the
results.
"""

from __future__ import annotations

import ctypes
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
_REPORTED = ("user", "unprivileged", "landlock", "seccomp")
_ADVICE = {
    "files": "children can open files",
    "sockets": "children can make sockets",
    "processes": "children can start processes",
    "programs": "children can start other programs in their place",
    "signals": "children can send signals",
    "tracing": "children can be traced, or trace",
    "code": "children can make memory executable",
    "unprivileged": "children are root: this container may not change users; run the server as an ordinary user",
    "landlock": "this kernel has no Landlock, or it is switched off: only limits keep children from files",
    "seccomp": "this system has no filters of system calls, or none are known for its processor",
    "memory": "the memory of children is not limited: this system does not tell how much address space a process has",
    "user": "children run as the same user as the server; start it as root and they run as nobody",
    "network": "children share the server's network, though they cannot make a socket; "
    "start it as root on Linux and theirs is empty",
    "parent_death": "children may outlive a killed zygote for a while",
    "stack": "the stack limit is below 8 MiB: deep recursion in a script may crash its process; raise `ulimit -s`",
}


def report(*, network: bool, calls: tuple[bytes, bytes] | None) -> dict[str, Any]:
    """
    Return what holds.

    Args:
        network: Whether the network namespace is empty.
        calls: The filters of system calls; None for none.

    Returns:
        `platform`; true or false for `files`, `sockets`, `processes`, `programs`, `signals`, `tracing`, `code`,
        `memory`, `user`, `unprivileged`, `landlock`, `seccomp` (each tried in a child), `network`,
        `no_new_privileges`, `parent_death` and `stack`; `notes`, some words for each that does not hold.
    """
    linux = sys.platform == "linux"
    held: dict[str, Any] = {
        **_tried(calls),
        "network": network,
        "no_new_privileges": linux,
        "parent_death": linux,
        "stack": rlimits.stack_is_enough(),
    }
    return {
        "platform": sys.platform,
        **held,
        "notes": {name: advice for name, advice in _ADVICE.items() if not held[name]},
    }


def _tried(calls: tuple[bytes, bytes] | None) -> dict[str, bool]:
    attempts: dict[str, Callable[[], object]] = {
        "files": lambda: os.open("/dev/null", os.O_RDONLY),
        "sockets": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "processes": _fork,
        "programs": lambda: os.execv("/proc/self/exe", ["-"]),
        "signals": lambda: os.kill(os.getppid(), 0),
        "tracing": _trace,
        "code": lambda: mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
        "memory": lambda: mmap.mmap(-1, 2 * _MEMORY_BYTES),
    }
    read, write = os.pipe()
    parent, user = os.getpid(), os.geteuid()
    pid = os.fork()
    if pid == 0:
        try:
            held = apply.lock_template(
                parent=parent,
                memory_bytes=_MEMORY_BYTES,
                cpu_seconds=_CPU_SECONDS,
                calls=calls[0] if calls else None,
            )
            apply.lock_clone(parent=parent, calls=calls[1] if calls else None)
            seen = {name: _refused(attempt) for name, attempt in attempts.items()}
            os.write(write, json.dumps({**seen, **held, **_identity(user)}).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        content = pipe.read()
    os.waitpid(pid, 0)
    try:
        return {name: bool(json.loads(content)[name]) for name in (*attempts, *_REPORTED)}
    except (ValueError, KeyError):
        # It could not be restricted at all, or died while trying.
        return dict.fromkeys((*attempts, *_REPORTED), False)


def _refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return True
    return False


def _identity(before: int) -> dict[str, bool]:
    return {"user": os.geteuid() != before, "unprivileged": os.geteuid() != 0}


def _trace() -> None:
    if ctypes.CDLL(None, use_errno=True).ptrace(0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)
