"""
The order in which rights are given up.

What needs a right comes before the step that takes it: limits and the user first, filters
of system calls last.  A template keeps the right to fork; its clones lose it.
"""

from __future__ import annotations

from sandbox.lockdown import process, rlimits

_TEMPLATE_DESCRIPTORS = 16
# One: poll watches no more descriptors than the limit, and number 0 is taken.
_CLONE_DESCRIPTORS = 1


def lock_template(*, parent: int, memory_bytes: int, cpu_seconds: int) -> None:
    """
    Lock the calling process, which is about to load a script.

    Args:
        parent: Pid of the process that forked it.
        memory_bytes: Address space beyond what it has now.
        cpu_seconds: Processor time over its whole life.
    """
    process.become_nobody()
    # Changing the user clears the parent-death signal, so it is asked for afterwards.
    process.die_with_parent(parent)
    process.no_new_privileges()
    process.not_inspectable()
    rlimits.no_files(descriptors=_TEMPLATE_DESCRIPTORS)
    rlimits.limit_memory(memory_bytes)
    rlimits.limit_cpu(cpu_seconds)


def lock_clone(*, parent: int) -> None:
    """Lock the calling process, which is about to run a script's invocations."""
    process.die_with_parent(parent)
    rlimits.no_processes()
    rlimits.no_files(descriptors=_CLONE_DESCRIPTORS)
