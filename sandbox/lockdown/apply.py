"""
The order in which rights are dropped.

What needs a right comes before the step that takes it: limits and the user first, filters
of system calls last.  A template keeps the right to fork; its clones lose it.
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox.lockdown import landlock, process, rlimits, seccomp

_TEMPLATE_DESCRIPTORS = 16
# Of one user together: far more than a pool has, far less than a machine bears.
_PROCESSES = 8192
# One: poll watches no more descriptors than the limit, and number 0 is in use.
_CLONE_DESCRIPTORS = 1


def lock_template(
    *, parent: int, memory_bytes: int, cpu_seconds: int, calls: bytes | None, with_landlock: bool = True
) -> dict[str, bool]:
    """
    Lock the calling process, which is about to load a script.

    Args:
        parent: Pid of the process that forked it.
        memory_bytes: Address space beyond what it has now.
        cpu_seconds: Processor time over its whole life.
        calls: The filter of system calls; None for none.
        with_landlock: Whether to drop what Landlock removes.

    Returns:
        Whether `landlock` and `seccomp` hold.
    """
    process.lower_priority()
    process.become_nobody()
    # Changing the user clears the parent-death signal, so it is set afterwards.
    process.die_with_parent(parent)
    process.no_new_privileges()
    process.not_inspectable()
    rlimits.limit_files(descriptors=_TEMPLATE_DESCRIPTORS)
    rlimits.limit_processes(_PROCESSES)
    rlimits.limit_memory(memory_bytes)
    rlimits.limit_cpu(cpu_seconds)
    files = with_landlock and landlock.deny_everything()
    return {"landlock": files, "seccomp": calls is not None and seccomp.install(calls)}


def lock_clone(*, parent: int, calls: bytes | None) -> None:
    """
    Lock the calling process, which is about to run a script's invocations.

    Args:
        parent: Pid of its template.
        calls: The filter of system calls that comes on top of the template's; None for none.
    """
    clone_lock(calls)(parent)


def clone_lock(calls: bytes | None) -> Callable[[int], None]:
    """Return a function that does what `lock_clone` does, for many clones: all that can be done before is done."""
    install = seccomp.prepared(calls) if calls is not None else None

    def lock(parent: int) -> None:
        process.die_with_parent(parent)
        rlimits.limit_clone(descriptors=_CLONE_DESCRIPTORS)
        if install is not None:
            install()

    return lock
