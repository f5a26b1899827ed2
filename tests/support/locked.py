"""
A program that locks itself and then tries to break out.

    python -m tests.support.locked '{"as": "nobody", "seccomp": true, "landlock": true, "template": false}'

It prints, as one JSON object, by attempt the name of the error with which it failed, or `done`.
"""

from __future__ import annotations

import _thread
import array
import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.lockdown import apply, landlock, process, seccomp

_libc = ctypes.CDLL(None, use_errno=True)
_NOBODY = 65534
_TRACE = "/tmp/aiwebengine-broke-out"


def _call(name: str, *arguments: Any) -> None:
    ctypes.set_errno(0)
    if getattr(_libc, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)


def _system(x86_64: int, aarch64: int, *arguments: Any) -> None:
    _call("syscall", x86_64 if os.uname().machine == "x86_64" else aarch64, *arguments)


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _thread_starts() -> None:
    try:
        _thread.start_new_thread(lambda: None, ())
    except RuntimeError as error:
        raise OSError(errno.EPERM, str(error)) from error


def _connect(family: socket.AddressFamily, address: Any) -> None:
    with socket.socket(family) as sock:
        sock.connect(address)


def _read_of(pid: int) -> None:
    buffer = ctypes.create_string_buffer(8)
    local = (ctypes.c_uint64 * 2)(ctypes.addressof(buffer), 8)
    remote = (ctypes.c_uint64 * 2)(id(buffer), 8)
    _call("process_vm_readv", pid, local, 1, remote, 1, 0)


def _more_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _give_away(sock: socket.socket) -> None:
    sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])


def attempts(parent: int, data: socket.socket) -> dict[str, Callable[[], object]]:
    """Return what a script's process must not manage."""
    own = os.getpid()
    return {
        "read a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
        "make a file": lambda: os.open(_TRACE, os.O_CREAT | os.O_WRONLY, 0o600),
        "list a folder": lambda: list(Path("/").iterdir()),
        "look for a file": lambda: Path("/etc/passwd").stat(),
        "make a folder": lambda: Path(_TRACE).mkdir(),
        "remove a file": lambda: Path(_TRACE).unlink(),
        "link": lambda: Path(_TRACE).symlink_to("/etc"),
        "change the folder": lambda: os.chdir("/tmp"),
        "change the root": lambda: os.chroot("/tmp"),
        "memory as a file": lambda: os.memfd_create("x"),
        "socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "socket to neighbours": lambda: socket.socket(socket.AF_UNIX),
        "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "connect": lambda: _connect(socket.AF_INET, ("127.0.0.1", 9)),
        "fork": _fork,
        "thread": _thread_starts,
        "program": lambda: os.execv(sys.executable, ["-", "-c", "pass"]),
        "trace": lambda: _call("ptrace", 0, 0, 0, 0),
        "attach": lambda: _call("ptrace", 16, parent, 0, 0),
        "read the parent's memory": lambda: _read_of(parent),
        "signal the parent": lambda: os.kill(parent, 0),
        "kill the parent": lambda: os.kill(parent, signal.SIGKILL),
        "kill all": lambda: os.kill(-1, signal.SIGKILL),
        "kill the group": lambda: os.killpg(0, signal.SIGKILL),
        "hold a process": lambda: os.pidfd_open(parent),
        "become root": lambda: os.setuid(0),
        "new user namespace": lambda: _call("unshare", 0x10000000),
        "mount": lambda: _call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
        "executable memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
        "more memory": _more_memory,
        "its parent's limits": lambda: resource.prlimit(parent, resource.RLIMIT_CPU),
        "being inspected": lambda: _call("prctl", 4, 1, 0, 0, 0),
        "outliving its parent": lambda: _call("prctl", 1, 0, 0, 0, 0),
        "priority": lambda: os.nice(-5),
        "processors": lambda: os.sched_setaffinity(0, {0}),
        "another session": lambda: os.setpgid(0, 0),
        "give away a descriptor": lambda: _give_away(data),
        "bpf": lambda: _system(321, 280, 0, 0, 0),
        "io_uring": lambda: _system(425, 425, 1, 0),
        "userfaultfd": lambda: _system(323, 282, 0),
        "keyring": lambda: _system(250, 219, 0, -1, 0),
        "perf": lambda: _system(298, 241, 0, 0, -1, -1, 0),
        "personality": lambda: _system(135, 92, 0),
        "restart": lambda: _system(169, 142, 0, 0, 0, 0),
        "a filter less": lambda: _system(317, 277, 1, 0, 0),
        "a signal to itself": lambda: os.kill(own, signal.SIGUSR1),
    }


def main(asked: dict[str, Any]) -> None:
    """Lock this process as asked, and try."""
    if asked["as"] == "nobody" and os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    # The parent of the one that is locked is a process that may be lost.
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    data, _ = socket.socketpair()
    parent = os.getppid()
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    tries = attempts(parent, data)
    if asked.get("only") == "landlock":
        process.no_new_privileges()
        landlock.deny_everything()
    else:
        calls = seccomp.programs() if asked["seccomp"] else None
        apply.lock_template(
            parent=parent,
            memory_bytes=64 * 1024 * 1024,
            cpu_seconds=60,
            calls=calls[0] if calls else None,
            with_landlock=asked["landlock"],
        )
        if not asked.get("template"):
            apply.lock_clone(parent=parent, calls=calls[1] if calls else None)
    values = {}
    for name in asked.get("try") or tries:
        try:
            tries[name]()
            values[name] = "done"
        except OSError as error:
            values[name] = errno.errorcode.get(error.errno or 0, str(error.errno))
        except (ValueError, OverflowError, MemoryError) as error:
            # The standard library knows some answers without asking.
            values[name] = type(error).__name__
    os.write(1, json.dumps(values).encode("ascii"))
    os._exit(0)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
