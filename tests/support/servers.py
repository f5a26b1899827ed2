"""The server as a program: started as people start it, asked over HTTP, stopped by a signal."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import wait_until

SERVE = (sys.executable, "-m", "aiwebengine.cli", "serve")
_RUN_TWISTD = "from twisted.scripts.twistd import run; run()"
TWISTD = (sys.executable, "-c", _RUN_TWISTD, "--pidfile=", "-n", "aiwebengine")
TWISTD_DAEMON = (sys.executable, "-c", _RUN_TWISTD, "aiwebengine")
START_SECONDS = 30.0


class Server:
    """
    A running program and the folder in which it was started.

    Args:
        process: Its standard error is a file, `output` in the folder.
        folder: The data folder is `data` in it.
    """

    def __init__(self, *, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self.folder = folder

    @property
    def output(self) -> str:
        """Everything it has written."""
        return (self.folder / "output").read_text("utf-8")

    @property
    def address(self) -> str:
        """Where it answers; waits until it does."""
        path = self.folder / "data" / "address"

        def written() -> str:
            found = path.read_text("ascii").strip() if path.exists() else ""
            # It may be that of a successor.
            assert found or self.process.poll() is None, f"the server ended: {self.output}"
            return found

        return str(wait_until(written, state=lambda: self.output))

    @property
    def token(self) -> str:
        """Return the administrator token."""
        return (self.folder / "data" / "administrator-token").read_text("ascii").strip()

    def status(self, path: str, *, token: str | None = None) -> int:
        """Ask for a path and give the status."""
        request = urllib.request.Request(self.address + path)
        if token is not None:
            request.add_header("authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and give the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Wait for its end, and give the exit code."""
        return self.process.wait(timeout=START_SECONDS)


@contextmanager
def started(folder: Path, *flags: str, command: Sequence[str] = SERVE) -> Iterator[Server]:
    """Start a server in *folder* on a free port; it is killed at the end of the block if it still runs."""
    words = [*command, *(() if "--port" in flags else ("--port", "0")), *flags]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(words, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield Server(process=process, folder=folder)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
