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
from sandbox.forker import ForkServer
from sandbox.garbage import GarbageCollector, allocator, collect_after_load
from sandbox.lockdown import apply, namespaces, process, rlimits, seccomp
from sandbox.lockdown.report import report
from sandbox.loop import Conversation
from sandbox.surface import Surface


def run_zygote(control: socket.socket, surface: Surface) -> None:
    """Be the zygote, until *control* ends."""
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
    apply.lock_template(
        parent=parent,
        memory_bytes=int(limits["memory_bytes"]),
        cpu_seconds=int(limits["cpu_seconds"]),
        calls=calls[0] if calls else None,
    )
    deadline = Deadline(engine.reporter)
    if engine.reporter is not None:
        engine.reporter.send_to(data.fileno())
    used_bytes = allocator()
    before_bytes = used_bytes() if used_bytes is not None else 0
    seconds = float(limits.get("load_seconds", 0))
    if seconds:
        deadline.begin(wall_seconds=seconds, cpu_seconds=seconds)
    if not Conversation(data=data, engine=engine, deadline=deadline).load():
        return
    deadline.end()
    data.close()
    collect_after_load(
        lambda: engine.pump("H"), grown_bytes=used_bytes() - before_bytes if used_bytes is not None else None
    )
    _freeze()
    # Asked here, once: asking writes to the allocator's lists, which every clone would have to copy for that.
    kept_bytes = used_bytes() if used_bytes is not None else 0

    def garbage() -> GarbageCollector:
        return GarbageCollector(collect=lambda: engine.pump("H"), used_bytes=used_bytes, kept_bytes=kept_bytes)

    def clone(request: Mapping[str, Any], descriptors: Sequence[int], parent: int) -> None:
        _run_clone(request, descriptors, parent, engine=engine, garbage=garbage, calls=calls[1] if calls else None)

    ForkServer(control=control, children={"clone": clone}, report=held).serve()


def _run_clone(
    request: Mapping[str, Any],
    descriptors: Sequence[int],
    parent: int,
    *,
    engine: Duktape,
    garbage: Callable[[], GarbageCollector],
    calls: bytes | None,
) -> None:
    data = socket.socket(fileno=descriptors[0])
    apply.lock_clone(parent=parent, calls=calls)
    if engine.reporter is not None:
        engine.reporter.send_to(data.fileno())
    conversation = Conversation(data=data, engine=engine, deadline=Deadline(engine.reporter))
    conversation.serve(garbage=garbage(), once=bool(request.get("once")))


def leave_terminal() -> None:
    """Be in a session of its own, so that Ctrl-C in a terminal reaches the server alone."""
    # Refused to the leader of a group, in which case whoever started it has seen to that.
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
