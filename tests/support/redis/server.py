"""
A real Redis or Valkey server: found, started on a free port in a folder of its own, killed, stopped, hung.

Programs are looked for on PATH and among what set-up fetched (`.ci/prepare_servers`).
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

_FETCHED = Path(__file__).parents[3] / "build-cache" / "servers"
_NAMES = ("redis-server", "valkey-server")

MISSING = "neither redis-server nor valkey-server is here: as root .ci/prepare_servers installs one"
"""Why a test was skipped."""


def programs() -> dict[str, str]:
    """Return the servers that are here: name and path."""
    found: dict[str, str] = {}
    for name in _NAMES:
        fetched = (str(path) for path in sorted(_FETCHED.rglob(name)) if os.access(path, os.X_OK))
        path = shutil.which(name) or next(fetched, None)
        if path is not None:
            found[name] = path
    return found


class RedisServer:
    """
    One server, which may be started again after it was killed.

    Args:
        program: Its path.
        folder: Of its own.
        options: As in its configuration, such as `("--requirepass", "secret")`.
    """

    def __init__(self, *, program: str, folder: Path, options: Sequence[str] = ()) -> None:
        self.port = free_port()
        self._tls = "--tls-cert-file" in options
        ports = ["--port", "0", "--tls-port", str(self.port)] if self._tls else ["--port", str(self.port)]
        self._command = [
            program, *ports, "--bind", "127.0.0.1", "127.0.0.2", "--dir", str(folder), "--save", "",
            "--daemonize", "no", "--unixsocket", str(folder / "socket"), *options,
        ]  # fmt: skip
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, without a password."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def socket(self) -> Path:
        """Path of its socket."""
        return self._folder / "socket"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT)
        wait_until(self._answers, state=self._log)

    def signal(self, number: int) -> None:
        """Send it a signal: SIGSTOP has it hang, SIGCONT ends that."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it at once, and wait until it is gone; nothing happens if it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def command(self, *words: str) -> bytes:
        """Send one command over a connection of its own; return the raw answer, which must be short."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(b"*%d\r\n" % len(words))
            for word in words:
                connection.sendall(b"$%d\r\n%b\r\n" % (len(word.encode()), word.encode()))
            return connection.recv(65536)

    def _log(self) -> str:
        return (self._folder / "log").read_text("utf-8", "replace")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log()
        with suppress(OSError):
            if self._tls:
                socket.create_connection(("127.0.0.1", self.port), timeout=10).close()
                return True
            # Something comes back also where a password is needed.
            return bool(self.command("PING"))
        return False


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def redis_server(*options: str, program: str | None = None) -> Iterator[RedisServer]:
    """Start a server; the test is skipped if there is none on this machine."""
    found = programs()
    if program is None:
        program = next(iter(found.values()), None)
    if program is None:
        pytest.skip(MISSING)
    with tempfile.TemporaryDirectory(prefix="aiwebengine-redis-") as folder:
        server = RedisServer(program=program, folder=Path(folder), options=options)
        server.start()
        try:
            yield server
        finally:
            server.kill()
