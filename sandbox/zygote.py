"""
Load everything once, then fork.

    zygote      Python, the binding, the prelude          forks templates
    template    one script's version, loaded and locked down   forks clones
    clone       runs invocations; may not even fork

What is slow (starting Python, evaluating the prelude, a script's packages) happens once
and is inherited; a clone is there within milliseconds.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.duktape import Duktape
from sandbox.engine import Engine
from sandbox.forker import ForkServer, settle_memory
from sandbox.lockdown import process, rlimits
from sandbox.lockdown.report import report
from sandbox.loop import Conversation

_TEMPLATE_DESCRIPTORS = 16


def run_zygote(control: socket.socket) -> None:
    """Be the zygote, until *control* ends."""
    engine = Duktape()
    network = process.empty_network()
    settle_memory()
    held = report(network=network)

    def template(request: Mapping[str, Any], descriptors: Sequence[int], parent: int) -> None:
        _be_template(request, descriptors, parent, engine=engine, held=held)

    ForkServer(control=control, children={"template": template}, report=held).serve()


def _be_template(
    request: Mapping[str, Any], descriptors: Sequence[int], parent: int, *, engine: Engine, held: Mapping[str, Any]
) -> None:
    limits = request["limits"]
    data, control = (socket.socket(fileno=descriptor) for descriptor in descriptors)
    process.become_nobody()
    process.die_with_parent(parent)
    process.no_new_privileges()
    process.not_inspectable()
    rlimits.no_files(descriptors=_TEMPLATE_DESCRIPTORS)
    rlimits.limit_memory(int(limits["memory_bytes"]))
    rlimits.limit_cpu(int(limits["cpu_seconds"]))
    wall = limits.get("load_seconds")
    if wall:
        signal.setitimer(signal.ITIMER_REAL, float(wall))
    if not Conversation(data=data, engine=engine).load():
        return
    signal.setitimer(signal.ITIMER_REAL, 0)
    data.close()
    settle_memory()

    def clone(request: Mapping[str, Any], descriptors: Sequence[int], parent: int) -> None:
        _be_clone(request, descriptors, parent, engine=engine)

    ForkServer(control=control, children={"clone": clone}, report=held).serve()


def _be_clone(request: Mapping[str, Any], descriptors: Sequence[int], parent: int, *, engine: Engine) -> None:
    process.die_with_parent(parent)
    data = socket.socket(fileno=descriptors[0])
    rlimits.no_processes()
    # One: poll refuses to watch more descriptors than the limit, and number 0 is taken.
    rlimits.no_files(descriptors=1)
    Conversation(data=data, engine=engine).serve(once=bool(request.get("once")))


def leave_terminal() -> None:
    """Be in a session of its own, so that Ctrl-C in a terminal reaches the server alone."""
    try:
        os.setsid()
    except PermissionError:
        pass
