"""Tests of the filters of system calls: their programs, run by hand for both kinds of processor."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.lockdown import seccomp
from sandbox.lockdown.seccomp import ARCHITECTURES, CALLS

ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
MACHINES = tuple(ARCHITECTURES)
FORK = 0x01200011
ARGUMENTS = {
    "mmap": (0, 4096, 3),
    "mprotect": (0, 4096, 1),
    "clone": (FORK,),
    "prctl": (1, 9),
    "fcntl": (0, 3),
    "ioctl": (0, 0x5421),
    "newfstatat": (3, 0, 0, 0x1000),
    "process_madvise": (-10000 & 0xFFFFFFFFFFFFFFFF,),
}
"""With which a call is allowed that is not allowed with all."""
TEMPLATES_ONLY = {
    "newfstatat",
    "recvmsg",
    "sendmsg",
    "pipe2",
    "ioctl",
    "wait4",
    "clone",
    "prctl",
    "prlimit64",
    "process_madvise",
    "seccomp",
}


def decide(program: bytes, arch: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """Run a program as the kernel does; every jump must lead into it, and it must end."""
    data = struct.pack("=IIQ6Q", number, arch, 0, *arguments, *([0] * (6 - len(arguments))))
    code = list(struct.iter_unpack("=HBBI", program))
    at, accumulator = 0, 0
    while True:
        operation, true, false, constant = code[at]
        at += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, constant)
            case 0x15:
                at += true if accumulator == constant else false
            case 0x35:
                at += true if accumulator >= constant else false
            case 0x45:
                at += true if accumulator & constant else false
            case 0x06:
                return int(constant)
            case _:
                raise AssertionError(f"unknown operation {operation:#x}")


def filters(machine: str) -> tuple[bytes, bytes]:
    """Return both filters of a machine."""
    programs = seccomp.programs(machine)
    assert programs is not None
    return programs


def number_of(name: str, machine: str) -> int | None:
    """Return a call's number."""
    return CALLS[name][MACHINES.index(machine)]


@pytest.mark.parametrize("machine", MACHINES)
def test_listed(machine: str) -> None:
    """A clone may do what the list says, a template a little more, and neither anything else."""
    template, clone = filters(machine)
    arch = ARCHITECTURES[machine]
    names = {number: name for name in CALLS if (number := number_of(name, machine)) is not None}
    for number in range(600):
        name = names.get(number, "")
        arguments = ARGUMENTS.get(name, ())
        expected = ENOSYS if name == "clone3" else ALLOW if name else EPERM
        assert decide(template, arch, number, arguments) == expected, (number, name)
        if name in TEMPLATES_ONLY or name == "clone3":
            expected = EPERM
        assert decide(clone, arch, number, arguments) == expected, (number, name)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("mmap", (0, 4096, 7)),
        ("mprotect", (0, 4096, 4)),
        ("clone", (0x00010F00,)),
        ("clone", (0x10000011,)),
        ("clone", (0x20000011,)),
        ("clone", (0x8011,)),
        ("prctl", (15, 0)),
        ("prctl", (35, 0)),
        ("prlimit64", (4711, 7)),
        ("fcntl", (0, 0)),
        ("fcntl", (0, 8, 1)),
        ("ioctl", (0, 0x5412)),
        ("newfstatat", (-100 & 0xFFFFFFFF, 0, 0, 0)),
    ],
)
def test_arguments(machine: str, name: str, arguments: tuple[int, ...]) -> None:
    """Executable memory, threads, namespaces, siblings, others' limits and typing into a terminal are refused."""
    number = number_of(name, machine)
    assert number is not None
    for program in filters(machine):
        assert decide(program, ARCHITECTURES[machine], number, arguments) == EPERM


@pytest.mark.parametrize("machine", MACHINES)
def test_nobody_is_signalled(machine: str) -> None:
    """No call that sends a signal, starts a program or opens a file is on the list."""
    assert not set(CALLS) & {
        "kill", "tkill", "tgkill", "rt_sigqueueinfo", "pidfd_open", "pidfd_send_signal", "execve", "execveat", "fork",
        "vfork", "open", "openat", "openat2", "socket", "connect", "bind", "ptrace", "process_vm_readv", "bpf",
        "io_uring_setup", "memfd_create", "userfaultfd", "keyctl", "unshare", "setns", "mount", "setuid", "setresuid",
        "perf_event_open", "personality",
    }  # fmt: skip
    assert {"read", "write", "exit_group"} <= {name for name in CALLS if number_of(name, machine) is not None}


@given(machine=st.sampled_from(MACHINES), arch=st.integers(0, 2**32 - 1), number=st.integers(0, 2**32 - 1))
def test_foreign(machine: str, arch: int, number: int) -> None:
    """A call in another architecture's name kills, whichever it is; so does one of x32."""
    if arch != ARCHITECTURES[machine]:
        for program in filters(machine):
            assert decide(program, arch, number) == KILL
    x32 = number | 0x40000000
    if machine == "x86_64":
        assert decide(filters(machine)[0], ARCHITECTURES[machine], x32) == KILL


@given(
    machine=st.sampled_from(MACHINES),
    number=st.integers(0, 2**30 - 1),
    arguments=st.tuples(*[st.integers(0, 2**64 - 1)] * 6),
)
def test_ends(machine: str, number: int, arguments: tuple[int, ...]) -> None:
    """Whatever is asked, both programs decide."""
    for program in filters(machine):
        assert decide(program, ARCHITECTURES[machine], number, arguments) in {ALLOW, EPERM, ENOSYS}


def test_unknown_machine() -> None:
    """For a machine without a list there is no filter."""
    assert seccomp.programs("riscv64") is None
