"""
The fork server: one loop, used by the zygote and by every template.

It takes requests from its control socket (SOCK_SEQPACKET: one message, one JSON object,
with descriptors beside it), forks, reaps what dies and reports it.

    in    {"op": "template", "id": 7, "limits": {...}}  + [data socket, control socket]     zygote
          {"op": "clone", "id": 9, "once": false}       + [data socket]                     template
          {"op": "clone", "ids": [9, 10], "once": true} + [data socket, data socket]        several at once
          {"op": "rehearse", "id": 11}                  + [data socket]                     template; see `rehearsal`
          {"op": "kill", "id": 9}
    out   {"ev": "ready", "pid": 4711, "report": {...}}
          {"ev": "forked", "id": 9, "pid": 4712}
          {"ev": "forked", "ids": [9, 10], "pids": [4712, 4713]}
          {"ev": "failed", "id": 9, "message": "..."}
          {"ev": "exit", "id": 9, "pid": 4712, "status": 9, "utime": 0.1, "stime": 0.0, "maxrss": 9000}

`status` is what wait4 gave.  A request that makes no sense is answered `failed` if it has
an id.  Of several at once that cannot all be forked, each that could not is `failed`.
End of file on the control socket ends the process, and with it, by the parent-death
signal, all that it forked.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

MAX_MESSAGE = 32 * 1024
MAX_DESCRIPTORS = 8

_FAILED_STATUS = 70

Child = Callable[[Mapping[str, Any], Sequence[int], int], None]
"""Runs in the forked child: the request, its descriptors, the parent's pid.  Never comes back to the loop."""


class ForkServer:
    """
    Forks on request.

    Args:
        control: The control socket.
        children: What a forked child does, by `op`.
        report: What the start message says.
        offspring: Returns the pids of all children, those included that a child left behind when it ended.
    """

    def __init__(
        self,
        *,
        control: socket.socket,
        children: Mapping[str, Child],
        report: Mapping[str, Any],
        offspring: Callable[[], Sequence[int]] = lambda: (),
    ) -> None:
        self._control = control
        self._children = children
        self._report = report
        self._offspring = offspring
        self._numbers: dict[int, int] = {}
        """Ids by pid, of children that are not reaped."""
        self._wake = (-1, -1)

    def serve(self) -> NoReturn:
        """Serve until the control socket ends."""
        self._wake = read, write = os.pipe()
        os.set_blocking(read, False)
        os.set_blocking(write, False)
        signal.signal(signal.SIGCHLD, _wake_only)
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
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, MAX_MESSAGE, MAX_DESCRIPTORS)
        except OSError:
            os._exit(0)
        if not data:
            os._exit(0)
        numbers: list[int] = []
        try:
            request = json.loads(data)
            numbers = [int(number) for number in request["ids"]] if "ids" in request else [int(request["id"])]
            self._handle(str(request["op"]), numbers, request, descriptors)
        except (ValueError, KeyError, TypeError) as error:
            for number in numbers:
                self._tell({"ev": "failed", "id": number, "message": f"no such request: {error}"})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _handle(
        self, operation: str, numbers: Sequence[int], request: Mapping[str, Any], descriptors: Sequence[int]
    ) -> None:
        if operation == "kill":
            for pid, known in self._numbers.items():
                # It is not reaped, so the pid is still its own.
                if known in numbers:
                    _kill(pid)
            return
        run = self._children[operation]
        if len(numbers) > 1 and len(descriptors) != len(numbers):
            raise ValueError(f"{len(descriptors)} descriptors for {len(numbers)} processes")
        parent = os.getpid()
        pids = []
        for at in range(len(numbers)):
            try:
                pid = os.fork()
            except OSError as error:
                for number in numbers[at:]:
                    self._tell({"ev": "failed", "id": number, "message": f"fork: {error.strerror}"})
                break
            if pid == 0:
                self._become(run, request, descriptors, parent, at if len(numbers) > 1 else None)
            pids.append(pid)
        forked = list(numbers[: len(pids)])
        self._numbers.update(zip(pids, forked, strict=True))
        if len(numbers) == 1 and pids:
            self._tell({"ev": "forked", "id": numbers[0], "pid": pids[0]})
        elif pids:
            self._tell({"ev": "forked", "ids": forked, "pids": pids})

    def _become(
        self, run: Child, request: Mapping[str, Any], descriptors: Sequence[int], parent: int, at: int | None
    ) -> NoReturn:
        """
        Be the child: nothing of the loop's own stays open, and nothing returns to it.

        Args:
            run: What it does.
            request: Why.
            descriptors: That came with it.
            parent: The pid of the parent.
            at: Which of the descriptors is its own; None if all are.
        """
        status = _FAILED_STATUS
        try:
            # In as few steps as possible: each copies pages.  The signal's handler, which does nothing, stays.
            signal.set_wakeup_fd(-1)
            os.close(self._control.fileno())
            os.close(self._wake[0])
            os.close(self._wake[1])
            if at is not None:
                own = descriptors[at]
                for descriptor in descriptors:
                    if descriptor != own:
                        os.close(descriptor)
                descriptors = [own]
            run(request, descriptors, parent)
            status = 0
        except MemoryError:
            # Distinguished by its signal from a fault of ours.
            os.abort()
        except BaseException:  # noqa: BLE001  Whatever it is, it must not unwind into the parent's loop.
            traceback.print_exc(limit=-6, file=sys.stderr)
        finally:
            os._exit(status)

    def _reap(self) -> None:
        ended = False
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                break
            ended = True
            number = self._numbers.pop(pid, None)
            if number is not None:
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
        if ended:
            # Nothing else would end what a child forked and left behind.
            for pid in self._offspring():
                if pid not in self._numbers:
                    _kill(pid)

    def _tell(self, event: Mapping[str, Any]) -> None:
        try:
            self._control.send(json.dumps(event).encode("ascii"))
        except OSError:
            os._exit(0)


def keep_threads() -> None:
    """
    Leave `threading` as it is in forked children.

    It is imported by the binding, and would make a new list of threads in each child, which copies 128 pages.  There
    is only the one thread, which is the same in a child.
    """
    after_fork = getattr(threading, "_after_fork", None)
    if after_fork is not None:
        after_fork.__code__ = _do_nothing.__code__


def _do_nothing() -> None:
    pass


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    except PermissionError:
        # A template may not send signals.  Its clones end with it.
        os._exit(0)


def _wake_only(_signal: int, _frame: object) -> None:
    """Do nothing: that the signal has a handler makes Python write to the wakeup descriptor."""
