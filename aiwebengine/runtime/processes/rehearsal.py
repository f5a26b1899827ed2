"""
A run that only shows a template which pages a run touches; see `sandbox/rehearsal.py`.

It has a made-up request.  Its calls are not answered, and its output is not read.
"""

from __future__ import annotations

import json
import socket

from aiwebengine.runtime.processes.child import times_of
from aiwebengine.runtime.wire.boxes import encode, encode_pair
from aiwebengine.runtime.wire.control import Control, Exit

_SECONDS = 0.1
_REQUEST = {"method": "GET", "path": "/", "url": "/", "headers": {}, "ip": "127.0.0.1", "id": "rehearsal"}
_RUN = {"k": "http", "h": 0, "script": "rehearsal", "version": "", "b": "{}", "i": "rehearsal", "seed": "0" * 32}
_RUN |= {"t": [1_700_000, 0, round(_SECONDS * 1000)], "user": None, "q": _REQUEST}
_BOX = encode(
    encode_pair(b"_ask", b"1")
    + encode_pair(b"_command", b"run")
    + times_of(wall_seconds=_SECONDS, cpu_seconds=_SECONDS),
    json.dumps(_RUN).encode("ascii"),
)


class Unheard:
    """See `control.ForkListener`: nothing depends on what becomes of the process."""

    def forked(self, pid: int) -> None:
        """See `control.ForkListener.forked`."""

    def exited(self, ended: Exit) -> None:
        """See `control.ForkListener.exited`."""


def rehearse(control: Control, number: int) -> None:
    """
    Have a template rehearse a run.

    Args:
        control: Of the template.
        number: The id of the process that runs it.

    Raises:
        OSError: There are no descriptors.
    """
    ours, theirs = socket.socketpair()
    with ours:
        ours.setblocking(False)
        ours.send(_BOX)
        control.fork(number, {"op": "rehearse"}, [theirs], Unheard())
