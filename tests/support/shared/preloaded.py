"""
Programs of the tests that are forked from a process which has imported the engine.

    with (folder / "output").open("ab") as output:
        process = start("tests.support.ledger", [str(folder)], output)

To import the engine takes a second of processor time, more than all else that such a program does until it serves, and
some are started dozens of times because their tests kill them.  A fork does it once.  What installs a reactor
is imported by each program for itself: a reactor cannot be forked.  What people start is not started in this way, but
by `servers.started`.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import weakref
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO, NoReturn

_MODULES = (
    "aiwebengine.features.all",
    "aiwebengine.machinery",
    "cryptography.x509",
    "OpenSSL.SSL",
    "sqlalchemy.dialects.sqlite",
    "twisted.internet.endpoints",
    "twisted.web.server",
    "werkzeug.routing",
)
_LONGEST_REQUEST = 64 * 1024


class Forked:
    """
    A program that runs or has ended, with as much of `subprocess.Popen` as its tests use.

    Args:
        pid: Of the process.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor: int | None = None
        """Of the process; None if it has ended at once.  Several threads may look at it, so it is closed at last."""
        with contextlib.suppress(ProcessLookupError):
            self._descriptor = os.pidfd_open(pid)
            weakref.finalize(self, os.close, self._descriptor)

    def poll(self) -> int | None:
        """Return None while it runs."""
        return self._ended(0)

    def wait(self) -> None:
        """Wait for its end."""
        self._ended(None)

    def terminate(self) -> None:
        """Have it stop."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it."""
        self._send(signal.SIGKILL)

    def _ended(self, seconds: float | None) -> int | None:
        if self._descriptor is None or select.select([self._descriptor], [], [], seconds)[0]:
            return 0
        return None

    def _send(self, number: signal.Signals) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)


def start(module: str, arguments: Sequence[str], output: IO[bytes]) -> Forked:
    """Run `python -m MODULE ARGUMENTS` with its output in a file; without the measuring of coverage."""
    ours = _preloaded()[1]
    socket.send_fds(ours, [json.dumps([module, *arguments]).encode()], [output.fileno()])
    return Forked(int(ours.recv(_LONGEST_REQUEST)))


def end_preloaded() -> None:
    """End the process that forks, and what it has forked, at the end of a test process."""
    if not _preloaded.cache_info().currsize:
        return
    process, ours = _preloaded()
    _preloaded.cache_clear()
    ours.close()
    process.wait()


@cache
def _preloaded() -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # Measured, a program takes several times as long, and what is killed writes no measurement down.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.shared.preloaded", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=plain,
        )
    return process, ours


class _Forks:
    """
    Forks on request until its socket ends.

    Args:
        requests: One message is the name of a module and its arguments, with the file for its output beside it.
    """

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests

    def serve(self) -> None:
        """Fork on request."""
        signal.signal(signal.SIGCHLD, _reap)
        while True:
            data, descriptors, _, _ = socket.recv_fds(self._requests, _LONGEST_REQUEST, 1)
            if not data:
                break
            module, *arguments = json.loads(data)
            pid = os.fork()
            if pid == 0:
                self._become(module, arguments, descriptors[0])
            os.close(descriptors[0])
            self._requests.send(str(pid).encode())
        for left in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(left), signal.SIGKILL)

    def _become(self, module: str, arguments: Sequence[str], output: int) -> NoReturn:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._requests.close()
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        sys.exit()


def _reap(number: int, frame: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main() -> None:
    """Import the engine and fork."""
    for module in _MODULES:
        __import__(module)
    assert "twisted.internet.reactor" not in sys.modules
    _Forks(socket.socket(fileno=int(sys.argv[1]))).serve()


if __name__ == "__main__":
    main()
