"""
The fork server: the same loop in the zygote and in every template.

It takes requests from its control socket (SOCK_SEQPACKET: one message, one JSON object,
with descriptors beside it), forks, reaps what dies and reports it.

    in    {"op": "template", "id": 7, "limits": {...}}  + [data socket, control socket]     zygote
          {"op": "clone", "id": 9, "once": false}       + [data socket]                     template
          {"op": "kill", "id": 9}
    out   {"ev": "ready", "pid": 4711, "report": {...}}
          {"ev": "forked", "id": 9, "pid": 4712}
          {"ev": "failed", "id": 9, "message": "..."}
          {"ev": "exit", "id": 9, "pid": 4712, "status": 9, "utime": 0.1, "stime": 0.0, "maxrss": 9000}

`status` is what wait4 gave.  End of file on the control socket ends the process, and with
it, by the parent-death signal, all that it forked.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

MAX_MESSAGE = 32 * 1024
MAX_DESCRIPTORS = 2

Child = Callable[[Mapping[str, Any], Sequence[int], int], None]
"""Runs in the forked child: the request, its descriptors, the parent's pid.  Never comes back to the loop."""


class ForkServer:
    """
    Forks on request.

    Args:
        control: The control socket.
        children: What a forked child does, by `op`.
        report: What the start message tells.
    """

    def __init__(self, *, control: socket.socket, children: Mapping[str, Child], report: Mapping[str, Any]) -> None:
        self._control = control
        self._children = children
        self._report = report
        self._pids: dict[int, int] = {}
        self._wake = (-1, -1)

    def serve(self) -> NoReturn:
        """Serve until the control socket ends."""
        read, write = os.pipe()
        os.set_blocking(read, False)
        os.set_blocking(write, False)
        self._wake = (read, write)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        self._tell({"ev": "ready", "pid": os.getpid(), "report": self._report})
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(read, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == read:
                    os.read(read, 4096)
                else:
                    self._take()
            self._reap()

    def _take(self) -> None:
        data, descriptors, _, _ = socket.recv_fds(self._control, MAX_MESSAGE, MAX_DESCRIPTORS)
        if not data:
            os._exit(0)
        try:
            request = json.loads(data)
            operation, number = request["op"], int(request["id"])
            if operation == "kill":
                pid = self._pids.get(number)
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)
            else:
                self._fork(operation, number, request, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _fork(self, operation: str, number: int, request: Mapping[str, Any], descriptors: Sequence[int]) -> None:
        run = self._children[operation]
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self._tell({"ev": "failed", "id": number, "message": f"fork: {error.strerror}"})
            return
        if pid == 0:
            self._become(run, request, descriptors, parent)
        self._pids[number] = pid
        self._tell({"ev": "forked", "id": number, "pid": pid})

    def _become(self, run: Child, request: Mapping[str, Any], descriptors: Sequence[int], parent: int) -> NoReturn:
        """Be the child: nothing of the loop's own stays open, and nothing returns to it."""
        status = 70
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            for descriptor in self._wake:
                os.close(descriptor)
            run(request, descriptors, parent)
            status = 0
        except SystemExit:
            status = 0
        finally:
            os._exit(status)

    def _reap(self) -> None:
        while self._pids:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            number = next((number for number, known in self._pids.items() if known == pid), None)
            if number is None:
                continue
            del self._pids[number]
            self._tell(
                {
                    "ev": "exit",
                    "id": number,
                    "pid": pid,
                    "status": status,
                    "utime": usage.ru_utime,
                    "stime": usage.ru_stime,
                    "maxrss": usage.ru_maxrss,
                }
            )

    def _tell(self, event: Mapping[str, Any]) -> None:
        try:
            self._control.send(json.dumps(event).encode("ascii"))
        except OSError:
            os._exit(0)


def settle_memory() -> None:
    """Let forks share what is there: no garbage collection touches it any more."""
    gc.collect()
    gc.freeze()
