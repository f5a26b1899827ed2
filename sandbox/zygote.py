"""
Load everything once, then fork.

    zygote      Python, the binding, the prelude                    forks templates
    template    one script's version, loaded and locked down        forks clones
    clone       runs invocations; may not even fork

What is slow (starting Python, evaluating the prelude, a script's packages) happens once
and is inherited; a clone is there within milliseconds.
"""

from __future__ import annotations

import contextlib
import gc
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.deadline import Deadline
from sandbox.duktape import Duktape
from sandbox.forker import Child, ForkServer, keep_threads
from sandbox.garbage import GarbageCollector, collect_after_load
from sandbox.heap import top, usage
from sandbox.lockdown import apply, namespaces, process, rlimits, seccomp
from sandbox.lockdown.report import report
from sandbox.loop import Conversation
from sandbox.rehearsal import Rehearsal
from sandbox.surface import Surface


def run_zygote(control: socket.socket, surface: Surface) -> None:
    """Run the zygote until *control* ends."""
    keep_threads()
    rlimits.raise_stack()
    network = namespaces.empty_network()
    engine = Duktape(surface=surface, waiting=Conversation.waiting())
    calls = seccomp.programs()
    held = report(network=network, calls=calls)
    engine.pump("E")
    engine.pump("H")
    _freeze()

    def template(request: Mapping[str, Any], descriptors: Sequence[int], parent: int) -> None:
        _run_template(request, descriptors, parent, engine=engine, held=held, calls=calls)

    process.adopt_orphans()
    ForkServer(control=control, children={"template": template}, report=held, offspring=process.children).serve()


def _run_template(
    request: Mapping[str, Any],
    descriptors: Sequence[int],
    parent: int,
    *,
    engine: Duktape,
    held: Mapping[str, Any],
    calls: tuple[bytes, bytes] | None,
) -> None:
    limits = request["limits"]
    data, control = (socket.socket(fileno=descriptor) for descriptor in descriptors)
    rehearsal = _rehearsal() if request.get("once") else None
    apply.lock_template(
        parent=parent,
        memory_bytes=int(limits["memory_bytes"]),
        cpu_seconds=int(limits["cpu_seconds"]),
        calls=calls[0] if calls else None,
    )
    deadline = Deadline(engine.reporter)
    if engine.reporter is not None:
        engine.reporter.send_to(data.fileno())
    used_bytes = usage()
    before_bytes = used_bytes() if used_bytes is not None else 0
    seconds = float(limits.get("load_seconds", 0))
    if seconds:
        deadline.begin(wall_seconds=seconds, cpu_seconds=seconds)
    conversation = Conversation(data=data, engine=engine, deadline=deadline)
    if not conversation.load():
        return
    deadline.end()
    data.close()
    collect_after_load(
        lambda: engine.pump("H"), grown_bytes=used_bytes() - before_bytes if used_bytes is not None else None
    )
    _freeze()
    # What a clone needs is made here: each object that it makes or writes to is a page that it copies.
    clone = _clone(engine=engine, conversation=conversation, used_bytes=used_bytes, calls=calls[1] if calls else None)
    children = {"clone": clone} if rehearsal is None else rehearsal.children(clone)
    ForkServer(control=control, children=children, report=held).serve()


def _rehearsal() -> Rehearsal | None:
    """Return a rehearsal; None where there can be none, and each process touches its pages as it needs them."""
    try:
        return Rehearsal()
    except OSError:
        return None


def _clone(
    *, engine: Duktape, conversation: Conversation, used_bytes: Callable[[], int] | None, calls: bytes | None
) -> Child:
    """Return what a clone does."""
    reporter = engine.reporter
    lock = apply.clone_lock(calls)
    # Checked here, once: asking writes to the allocator's lists, which every clone would have to copy for that.
    garbage = GarbageCollector(
        collect=lambda: engine.pump("H"),
        used_bytes=used_bytes,
        kept_bytes=used_bytes() if used_bytes is not None else 0,
        heap_top=top(),
    )

    def clone(request: Mapping[str, Any], descriptors: Sequence[int], parent: int) -> None:
        data = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, descriptors[0])
        lock(parent)
        if reporter is not None:
            reporter.send_to(descriptors[0])
        conversation.move_to(data)
        conversation.serve(garbage=garbage, once=bool(request.get("once")))

    return clone


def leave_terminal() -> None:
    """Be in a session of its own, so that Ctrl-C in a terminal reaches the server alone."""
    # Refused to the leader of a group, in which case its parent has done that.
    with contextlib.suppress(PermissionError):
        os.setsid()


def _freeze() -> None:
    """
    Let forks share what is there.

    A collection writes to every object and so would copy the parent's memory.  The loop makes no
    cycles, so Python's collector can rest.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
