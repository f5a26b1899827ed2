"""A terminal: a shell whose output is what a person would see on the screen."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

# Commands come over a pipe of their own, so that none of them can read the next one; a command's end is told
# by a character that no text holds.  Ctrl-C ends the command and not the shell.
_SHELL = r"""
trap : INT
code=0
status() { return "$1"; }
while IFS= read -r -d '' -u 3 line; do
  eval "status $code
$line" </dev/null 3<&-
  code=$?
  printf '\0'
done
"""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_COLUMNS = 300


class Terminal:
    """
    A shell on a terminal of its own.

    Args:
        folder: Where it starts.
        environment: Its variables.
    """

    def __init__(self, *, folder: Path, environment: Mapping[str, str]) -> None:
        self._screen, screen = pty.openpty()
        termios.tcsetwinsize(screen, (50, _COLUMNS))
        typed, self._keyboard = os.pipe()
        command = ["bash", "-c", f"exec 3<&{typed}\n{_SHELL}"]
        self._shell = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=screen,
            stderr=screen,
            pass_fds=[typed],
            start_new_session=True,
        )
        os.close(typed)
        os.close(screen)
        self._bytes = b""

    @property
    def shown(self) -> str:
        """What has been printed since the last command was typed."""
        text = self._bytes.partition(b"\0")[0].decode("utf-8", "replace")
        lines = (line.rstrip("\r") for line in _CONTROL.sub("", text).split("\n"))
        return "\n".join(line.rpartition("\r")[2] for line in lines)

    @property
    def is_done(self) -> bool:
        """Whether the command has ended."""
        return b"\0" in self._bytes

    def type(self, command: str) -> None:
        """Run a command."""
        self._bytes = b""
        os.write(self._keyboard, command.encode() + b"\0")

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Read what is printed until the condition holds; return whether it does."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            if select.select([self._screen], [], [], 0.1)[0]:
                self._bytes += os.read(self._screen, 65536)
        return True

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.killpg(self._shell.pid, signal.SIGINT)

    def close(self) -> None:
        """End the shell and what still runs in it."""
        for number, seconds in ((signal.SIGTERM, 15.0), (signal.SIGKILL, 15.0)):
            try:
                os.killpg(self._shell.pid, number)
                self._shell.wait(seconds)
                break
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        os.close(self._keyboard)
        os.close(self._screen)
