"""
Filters of system calls: what a script's process may still ask of the kernel.

The list says what is allowed; everything else fails with EPERM, and a call of another
architecture (or of x32) kills the process.  Refusing, not killing, is the rule because a
library may try a call that it can do without; nothing is gained by the attempt.

    template   talks to the server, forks clones and reaps them, drops the rest of its rights
    clone      talks to the server on one socket, has memory and a clock

Neither can signal any process, itself included: the server ends clones, and the kernel ends
them at their deadline or with their template.  `abort` ends in a fault instead.

A clone is under both filters, and the kernel takes the stricter answer.  Why each call:

    read write recvfrom sendto poll ppoll close      the data socket, standard error
    recvmsg sendmsg pipe2 ioctl                      templates: the control socket with its descriptors, the loop's pipe
    fcntl getsockopt getsockname getpeername lseek   what kind a descriptor is, and whether it blocks
    fstat newfstatat(a descriptor)                   the same; the second may reveal that a path exists, opens none
    brk mmap mprotect munmap mremap madvise          memory, never executable
    futex set_robust_list rseq sched_yield           locks of the C library
    rt_sig* sigaltstack setitimer restart_syscall    the deadline
    clock_gettime clock_nanosleep gettimeofday       the time, where the kernel's page for it does not serve
    getrandom                                        seeds of Python's dictionaries
    getpid getppid gettid get*id                     who am I, and is my parent still there
    clone wait4                                      templates: forks (no thread, no namespace, no sibling), reaping
    prctl prlimit64(self) seccomp                    templates: giving up rights for clones
    exit exit_group                                  the end

The program is classic BPF, put together once by the zygote as plain bytes.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys
from collections.abc import Callable, Sequence

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_EPERM = 0x00050001
_ENOSYS = 0x00050026

_LOAD = 0x20
_EQUAL = 0x15
_AT_LEAST = 0x35
_ANY_BIT = 0x45
_RETURN = 0x06

_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16
_X32 = 0x40000000

_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_PROT_EXEC = 4
# All but what the C library's fork asks for (CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID) and the signal at its end.
_MORE_THAN_A_FORK = 0xFFFFFFFF & ~0x012000FF
_PRCTL = (1, 4, _PR_SET_SECCOMP, 38)  # PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS
_FCNTL = (1, 2, 3, 4)  # F_GETFD, F_SETFD, F_GETFL, F_SETFL
_IOCTL = (0x5421, 0x5450, 0x5451)  # FIONBIO, FIONCLEX, FIOCLEX

_AT_EMPTY_PATH = 0x1000
_THIS_PROCESS = -10000 & 0xFFFFFFFF  # PIDFD_SELF

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH by machine."""

# Numbers on x86-64 and arm64; None where a machine has no such call.
CALLS: dict[str, tuple[int | None, int | None]] = {
    "recvfrom": (45, 207), "sendto": (44, 206), "poll": (7, None), "ppoll": (271, 73), "setitimer": (38, 103),
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "brk": (12, 214), "mmap": (9, 222), "mprotect": (10, 226),
    "munmap": (11, 215), "mremap": (25, 216), "madvise": (28, 233), "futex": (202, 98), "sched_yield": (24, 124),
    "set_robust_list": (273, 99), "rseq": (334, 293), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139), "sigaltstack": (131, 132), "restart_syscall": (219, 128), "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115), "gettimeofday": (96, 169), "getrandom": (318, 278), "getpid": (39, 172),
    "getppid": (110, 173), "gettid": (186, 178), "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176),
    "getegid": (108, 177), "fstat": (5, 80), "lseek": (8, 62), "exit": (60, 93), "exit_group": (231, 94),
    "recvmsg": (47, 212), "sendmsg": (46, 211), "pipe2": (293, 59), "fcntl": (72, 25), "ioctl": (16, 29),
    "getsockopt": (55, 209), "getsockname": (51, 204), "getpeername": (52, 205),
    "newfstatat": (262, 79), "wait4": (61, 260), "clone": (56, 220),
    "clone3": (435, 435), "prctl": (157, 167), "prlimit64": (302, 261), "seccomp": (317, 277),
    "getrusage": (98, 165), "process_madvise": (440, 440),
}  # fmt: skip

_CLONE = (
    "recvfrom", "sendto", "poll", "ppoll", "setitimer", "read", "write", "close", "brk", "mmap", "mprotect", "munmap",
    "mremap", "madvise", "futex", "sched_yield", "set_robust_list", "rseq", "rt_sigaction", "rt_sigprocmask",
    "rt_sigreturn", "sigaltstack", "restart_syscall", "clock_gettime", "clock_nanosleep", "gettimeofday", "getrandom",
    "getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "fstat", "lseek", "exit", "exit_group",
    "fcntl", "getsockopt", "getsockname", "getpeername", "getrusage",
)  # fmt: skip
_TEMPLATE = (
    *_CLONE, "newfstatat", "recvmsg", "sendmsg", "pipe2", "ioctl", "wait4", "clone", "clone3", "prctl",
    "prlimit64",
    "seccomp",
    "process_madvise",
)  # fmt: skip

_libc = ctypes.CDLL(None, use_errno=True)


class _Fprog(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def install(program: bytes) -> bool:
    """
    Put the calling process under a filter; `no_new_privs` must be set.

    Returns:
        Whether the kernel has done so.
    """
    return prepared(program)()


def prepared(program: bytes) -> Callable[[], bool]:
    """Return a function that does what `install` does, and does little else."""
    buffer = ctypes.create_string_buffer(program, len(program))
    described = _Fprog(len(program) // 8, ctypes.addressof(buffer))
    prctl = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, *[ctypes.c_ulong] * 4)(("prctl", _libc))

    def install_it(_kept: tuple[object, ...] = (buffer, described), at: int = ctypes.addressof(described)) -> bool:
        return bool(prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, at, 0, 0) == 0)

    return install_it


def programs(machine: str | None = None) -> tuple[bytes, bytes] | None:
    """
    Make both filters.

    Args:
        machine: Such as `x86_64`; None for this one.

    Returns:
        The template's and the clone's; None where this machine has none.
    """
    machine = machine or platform.machine()
    if sys.platform != "linux" or machine not in ARCHITECTURES:
        return None
    return _program(machine, _TEMPLATE), _program(machine, _CLONE)


def _program(machine: str, names: Sequence[str]) -> bytes:
    column = list(ARCHITECTURES).index(machine)
    made = [(_LOAD, 0, 0, _ARCH_AT), (_EQUAL, 1, 0, ARCHITECTURES[machine]), (_RETURN, 0, 0, _KILL)]
    made.append((_LOAD, 0, 0, _NUMBER_AT))
    if machine == "x86_64":
        made += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    for name in names:
        number = CALLS[name][column]
        if number is not None:
            decision = _decision(name)
            made += [(_EQUAL, 0, len(decision), number), *decision]
    made.append((_RETURN, 0, 0, _EPERM))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in made)


def _decision(name: str) -> list[tuple[int, int, int, int]]:
    """Decide about one call by its arguments; always ends in a return."""
    match name:
        case "mmap" | "mprotect":
            return _unless(2, _PROT_EXEC)
        case "clone":
            return _unless(0, _MORE_THAN_A_FORK)
        case "clone3":
            # Its flags are in memory, where no filter looks; without it the C library uses `clone`.
            return [(_RETURN, 0, 0, _ENOSYS)]
        case "prlimit64":
            return _allow_values(0, (0,))
        case "prctl":
            return _allow_values(0, _PRCTL)
        case "fcntl":
            return _allow_values(1, _FCNTL)
        case "ioctl":
            return _allow_values(1, _IOCTL)
        case "process_madvise":
            return _allow_values(0, (_THIS_PROCESS,))
        case "newfstatat":
            return _allow_values(3, (_AT_EMPTY_PATH,))
        case _:
            return [(_RETURN, 0, 0, _ALLOW)]


def _unless(argument: int, bits: int) -> list[tuple[int, int, int, int]]:
    """Allow a call if *argument* has none of *bits*."""
    return [(_LOAD, 0, 0, _low(argument)), (_ANY_BIT, 0, 1, bits), (_RETURN, 0, 0, _EPERM), (_RETURN, 0, 0, _ALLOW)]


def _allow_values(argument: int, values: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Allow a call if *argument* is one of *values*."""
    tests = [(_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [(_LOAD, 0, 0, _low(argument)), *tests, (_RETURN, 0, 0, _EPERM), (_RETURN, 0, 0, _ALLOW)]


def _low(argument: int) -> int:
    """Return the place of an argument's lower half; both machines are little-endian, and the values are small."""
    return _ARGUMENTS_AT + 8 * argument
