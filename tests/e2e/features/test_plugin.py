"""A feature in a package of its own: installed beside the engine, found at its next start, and used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
_PATIENCE_SECONDS = 60.0
_SOURCE = """
registerWebHandler("/shop", () => "open");
registerWebHandler("/status", () => ({ maintenance: maintenance.isOn() }), { tags: ["always"] });
"""


@pytest.fixture(name="installed", scope="module")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example as pip does, into a folder that only servers of these tests look into."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    source = tmp_path_factory.mktemp("source") / "maintenance"
    # setuptools leaves a build folder in what it installs from.
    subprocess.run(["cp", "-r", ROOT / "plugins" / "maintenance", source], check=True)
    subprocess.run([*command, "--disable-pip-version-check", "--target", folder, source], check=True)
    return folder


class Server:
    """A server as a program, with the example installed."""

    def __init__(self, installed: Path, data: Path) -> None:
        self._data = data
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), str(ROOT)])}
        command = [sys.executable, "-m", "aiwebengine.cli", "serve", "--port", "0", "--data-folder", str(data)]
        self._process = subprocess.Popen(
            [*command, "--set", "maintenance.retry_seconds=7"], env=environ, cwd=data.parent, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode()
        self.address = line.split(" answers at ")[1].strip()

    def ask(self, method: str, path: str, document: Any = None) -> tuple[int, dict[str, str], Any]:
        """Send a request as the administrator."""
        token = (self._data / "administrator-token").read_text().strip()
        request = urllib.request.Request(
            self.address + path,
            method=method,
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
            data=None if document is None else json.dumps(document).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as reply:
                status, headers, body = reply.status, reply.headers, reply.read().decode()
        except urllib.error.HTTPError as error:
            status, headers, body = error.code, error.headers, error.read().decode()
        data = {name.lower(): value for name, value in headers.items()}
        return status, data, json.loads(body) if "json" in data.get("content-type", "") else body

    def stop(self) -> None:
        """Stop it as an operator would."""
        self._process.terminate()
        assert self._process.wait(_PATIENCE_SECONDS) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()


def test_maintenance(installed: Path, tmp_path: Path) -> None:
    """While maintenance is on visitors are told when to come back, also after a restart; tagged routes answer."""
    server = Server(installed, tmp_path / "data")
    try:
        status, _, result = server.ask("PUT", "/engine/api/script?uri=shop", {"files": {"main.js": _SOURCE}})
        assert status == 201, result
        assert server.ask("GET", "/shop")[2] == "open"
        assert server.ask("GET", "/status")[2] == {"maintenance": False}
        assert server.ask("PUT", "/engine/api/maintenance")[2] == {"maintenance": True}
        status, headers, result = server.ask("GET", "/shop")
        assert (status, headers["retry-after"], result["code"]) == (503, "7", "unavailable")
        assert server.ask("GET", "/status")[2] == {"maintenance": True}
        assert server.ask("GET", "/engine/api/state")[2]["maintenance"] == {"on": True}
    finally:
        server.stop()
    server = Server(installed, tmp_path / "data")
    try:
        assert server.ask("GET", "/shop")[0] == 503
        assert server.ask("DELETE", "/engine/api/maintenance")[2] == {"maintenance": False}
        assert server.ask("GET", "/shop")[2] == "open"
    finally:
        server.stop()


def test_wrong_setting(installed: Path, tmp_path: Path) -> None:
    """A wrong setting of the package's section stops the start, and is named like any other."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), str(ROOT)])}
    command = [sys.executable, "-m", "aiwebengine.cli", "serve", "--data-folder", str(tmp_path)]
    done = subprocess.run(
        [*command, "--set", "maintenance.retry_seconds=0"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "`maintenance.retry_seconds` cannot be" in done.stderr
